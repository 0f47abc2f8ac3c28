"""From the name of a network to a file that is what it claims to be.

Networks that ship with gallery stand in models/manifest.toml; what a user fetches or adds lies in
the models folder as NAME.dat, beside a manifest of the user's own.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from gallery.errors import (
    BadSetting,
    DamagedDetector,
    DamagedNetwork,
    FetchFailed,
    MissingNetwork,
    NoSuchNetwork,
    NothingFound,
    SetupError,
    UnfetchableNetwork,
    UnreadableFile,
)
from gallery.faces.networks.manifest import (
    NAME,
    Entry,
    read_detectors,
    read_manifest,
    write_manifest,
)
from gallery.settings import SAME, bundled
from gallery.system.files import replace_file
from gallery.system.reading import read_file
from gallery.types import Thresholds

Progress = Callable[[int, int | None], None]
"""Gets how many bytes have come and how many there are, None where the server does not say."""

ONNX_SUFFIX = ".onnx"
"""Ends the name of a network of another layout than dlib's, which only ONNX Runtime runs."""

_LIMIT = 64 * 2**20
_CHUNK = 2**18
_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Weights:
    """A network's file on this machine, and what goes with it."""

    name: str
    path: Path
    sha256: str
    thresholds: Thresholds
    zoom: float
    mirror: bool
    licence: str
    stand_in: bool
    parts: tuple[Weights, ...] = ()
    """The parts of an ensemble; the file is then the matrix that joins their descriptors."""

    @property
    def encoder_id(self) -> str:
        """Names the weights and the preprocessing, but not the runtime."""
        if self.parts:
            whole = "+".join([self.sha256, *(part.encoder_id for part in self.parts)])
            return f"fused-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"
        zoom = f"-zoom{self.zoom:g}" if self.zoom != 1 else ""
        kind = "onnx" if self.path.suffix == ONNX_SUFFIX else "dlib"
        return f"{kind}-{self.sha256[:12]}{zoom}{'-mirror' if self.mirror else ''}"

    def read(self) -> bytes:
        """Return the file's bytes.

        Raises SetupError when the file cannot be read or is not the one that was checked before.
        """
        try:
            data = read_file(self.path)
        except OSError as error:
            raise SetupError(
                f"The network {self.name!r} cannot be read from {self.path}: {error.strerror}."
            ) from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise DamagedNetwork(self.name, self.path)
        return data


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of checking one file."""

    name: str
    path: Path
    intact: bool


@dataclass(frozen=True, slots=True)
class Library:
    """All networks that a user can choose from."""

    models_folder: Path
    shipped_manifest: Path = field(default_factory=lambda: bundled("models") / "manifest.toml")

    @property
    def own_manifest(self) -> Path:
        """The manifest of what the user fetched and added."""
        return self.models_folder / "manifest.toml"

    def entries(self) -> dict[str, Entry]:
        """Return all known networks by name, the shipped ones first.

        Of a shipped network the user's manifest tells no more than its SHA-256, where the shipped
        manifest knows only git's name for it. Raises SetupError for a manifest that makes no sense.
        """
        entries = read_manifest(self.shipped_manifest)
        for name, own in read_manifest(self.own_manifest).items():
            shipped = entries.get(name)
            if shipped is None:
                # Only NAME.dat in the models folder is the user's; no path may lead out of it.
                entries[name] = replace(own, file=None, package=None, url=None, parts=())
            elif shipped.sha256 is None:
                entries[name] = replace(shipped, sha256=own.sha256)
        return entries

    def entry(self, name: str) -> Entry:
        """Return what is known of a network; raises SetupError when nothing is."""
        entries = self.entries()
        if name not in entries:
            raise NoSuchNetwork(name, tuple(entries))
        return entries[name]

    def path(self, entry: Entry) -> Path | None:
        """Return where a network's file lies, or None when it is not on this machine."""
        places = [self.models_folder / f"{entry.name}.dat"]
        if entry.file is not None:
            places.insert(0, self.shipped_manifest.parent / entry.file)
        if entry.package is not None and entry.file is not None:
            # The package is not imported: it needs a module that newer Pythons do not bring.
            package = importlib.util.find_spec(entry.package)
            for folder in (package.submodule_search_locations or ()) if package else ():
                places.insert(0, Path(folder) / "models" / entry.file)
        return next((place for place in places if place.is_file()), None)

    def locate(self, name: str) -> Weights:
        """Return a network's file, unread where its SHA-256 is known.

        `Weights.read` checks the content. Raises SetupError when the network is unknown or its
        file is not here, with what to do about it.
        """
        entry = self.entry(name)
        path = self.path(entry)
        if path is None:
            raise _missing(entry)
        sha256 = entry.sha256 or self._first_sha256(entry, path)
        return Weights(
            name=name,
            path=path,
            sha256=sha256,
            thresholds=entry.thresholds,
            zoom=entry.zoom,
            mirror=entry.mirror,
            licence=entry.licence,
            stand_in=entry.stand_in,
            parts=tuple(
                replace(self.locate(part), zoom=entry.zoom, mirror=entry.mirror)
                for part in entry.parts
            ),
        )

    def fetch(self, name: str, progress: Progress | None = None) -> Weights:
        """Download a network unless it is here already, check it and return it.

        Nothing is kept of what fails the check. Raises SetupError when the network is unknown,
        has no address, cannot be reached or is not what the manifest says.
        """
        entry = self.entry(name)
        present = self._present(entry)
        if present is not None:
            return present
        if entry.url is None:
            raise UnfetchableNetwork(entry.name, entry.package, entry.url)
        data = _download(entry, entry.url, progress)
        if not entry.identifies(data):
            raise FetchFailed(
                name,
                entry.url,
                f"What {entry.url} gave is not the network {name!r} that gallery knows, and was "
                "not kept",
            )
        return self._keep(entry, data)

    def add(
        self,
        file: Path,
        name: str,
        *,
        threshold: float = SAME,
        zoom: float = 1.0,
        mirror: bool = False,
        licence: str = "not stated",
        replacing: bool = False,
    ) -> Weights:
        """Copy a network's file into the models folder under this name and return it.

        A file that is a shipped network is registered as that network, with the shipped
        thresholds and preprocessing, whatever name was given. Raises InputError for a name or an
        option that cannot be used, a name that is taken, or a file that is no such network.
        """
        if not NAME.fullmatch(name):
            raise BadSetting(
                "name",
                f"{name!r} is no name for a network",
                "use up to 64 letters, digits, - _ and . with a letter or digit first",
            )
        if not 0 < zoom <= 1:
            raise BadSetting(
                "zoom", f"The zoom {zoom:g} is out of range", "it is above 0 and at most 1"
            )
        data = _read_file(file)
        shipped = read_manifest(self.shipped_manifest)
        known = next((entry for entry in shipped.values() if entry.identifies(data)), None)
        if known is not None:
            return self._present(known) or self._keep(known, data)
        self._refuse_taken(name, shipped, data, replacing)

        from gallery.faces.networks.dlib_format import read_network

        read_network(data)
        entry = Entry(
            name=name,
            thresholds=conventional_thresholds(threshold),
            measured="not measured; set when the file was added",
            licence=licence,
            source=f"added from {file.name}",
            size=len(data),
            zoom=zoom,
            mirror=mirror,
        )
        return self._keep(entry, data)

    def verify(self) -> list[Checked]:
        """Read all files that are on this machine and say which are what they should be.

        The detectors' come last.
        """
        encoders = [self.check(entry) for entry in self.entries().values() if self.path(entry)]
        return encoders + self._detectors_checked()

    def _detectors_checked(self) -> list[Checked]:
        """Read the files of the shipped detectors and say which are what they should be."""
        checked = []
        for name, entry in read_detectors(self.shipped_manifest).items():
            path = self.shipped_manifest.parent / entry.file
            try:
                intact = hashlib.sha256(read_file(path)).hexdigest() == entry.sha256
            except OSError:
                intact = False
            checked.append(Checked(name, path, intact))
        return checked

    def check(self, entry: Entry) -> Checked:
        """Read a network's file, which must be here, and say whether it is what it should be."""
        path = self.path(entry)
        if path is None:
            raise _missing(entry)
        try:
            return Checked(entry.name, path, entry.identifies(read_file(path)))
        except OSError:
            return Checked(entry.name, path, intact=False)

    def _present(self, entry: Entry) -> Weights | None:
        """Return a network that is here and whole."""
        if self.path(entry) is None or not self.check(entry).intact:
            return None
        return self.locate(entry.name)

    def _first_sha256(self, entry: Entry, path: Path) -> str:
        """Return the SHA-256 of a file put here by hand, and remember it where that can be."""
        try:
            data = read_file(path)
        except OSError as error:
            raise SetupError(f"{path} cannot be read: {error.strerror}.") from error
        if not entry.identifies(data):
            raise DamagedNetwork(entry.name, path, _missing(entry))
        sha256 = hashlib.sha256(data).hexdigest()
        try:
            self._record(replace(entry, sha256=sha256))
        except SetupError:
            # A models folder that cannot be written costs a second check next time, no more.
            return sha256
        return sha256

    def _refuse_taken(
        self, name: str, shipped: dict[str, Entry], data: bytes, replacing: bool
    ) -> None:
        """Refuse a name that means another network; names differ by more than their case."""
        for taken in shipped:
            if taken.casefold() == name.casefold():
                raise BadSetting(
                    "name",
                    f"The name {name!r} belongs to a network that gallery knows, and the file is "
                    "not that network",
                    "choose another name",
                )
        for taken, own in read_manifest(self.own_manifest).items():
            same = taken == name and (replacing or own.identifies(data))
            if taken.casefold() == name.casefold() and not same:
                raise BadSetting(
                    "replacing",
                    f"The name {taken!r} is taken by another network",
                    "choose another name, or let it be replaced",
                )

    def _keep(self, entry: Entry, data: bytes) -> Weights:
        """Put a checked file and its entry into the models folder."""
        try:
            replace_file(self.models_folder / f"{entry.name}.dat", data)
        except OSError as error:
            raise SetupError(
                f"The models folder {self.models_folder} cannot be written: {error.strerror}."
            ) from error
        self._record(replace(entry, sha256=hashlib.sha256(data).hexdigest()))
        return self.locate(entry.name)

    def _record(self, entry: Entry) -> None:
        """Write an entry into the user's manifest."""
        write_manifest(self.own_manifest, {**read_manifest(self.own_manifest), entry.name: entry})


def conventional_thresholds(same: float = SAME) -> Thresholds:
    """Return thresholds around the distance up to which two faces are the same character.

    The band up to 1.25 times that distance is unsure. A convention, not a measurement. Raises
    InputError for what is no distance.
    """
    if not 0 < same < math.inf:
        raise BadSetting("threshold", f"The threshold {same:g} is no distance above 0")
    return Thresholds(sure=same, unknown=1.25 * same, margin=same / 12)


def locate(name: str, models_folder: Path) -> Weights:
    """Return a network's file by name; raises SetupError as `Library.locate` does."""
    return Library(models_folder).locate(name)


def shipped_detector(name: str, folder: Path | None = None) -> tuple[Path, str]:
    """Return where the network of a shipped detector lies, unread, and its SHA-256.

    Folder holds the manifest; the package's own unless named. Raises SetupError for a detector that
    the manifest does not know.
    """
    manifest = (folder or bundled("models")) / "manifest.toml"
    entry = read_detectors(manifest).get(name)
    if entry is None:
        raise DamagedDetector(
            manifest,
            f"The network of the detector {name} is not on this machine: {manifest} does not know "
            "it",
        )
    return manifest.parent / entry.file, entry.sha256


def _missing(entry: Entry) -> MissingNetwork:
    return MissingNetwork(entry.name, entry.package, entry.url)


def _download(entry: Entry, url: str, progress: Progress | None) -> bytes:
    """Return what an address gives, at most as much as the network may have."""
    import http.client
    import urllib.error
    import urllib.request

    limit = entry.size or _LIMIT
    data = bytearray()
    try:
        if not url.startswith(("https://", "http://")):
            raise SetupError(f"{url} is no address of the web.")
        with urllib.request.urlopen(url, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
            announced = answer.headers.get("Content-Length", "")
            total = int(announced) if announced.isdecimal() else None
            while len(data) <= limit and (chunk := answer.read(_CHUNK)):
                data += chunk
                if progress is not None:
                    progress(len(data), total)
    except urllib.error.HTTPError as error:
        with error:
            raise FetchFailed(
                entry.name, url, f"{url} answers {error.code} ({error.reason})"
            ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        reason = getattr(reason, "strerror", None) or reason
        raise FetchFailed(entry.name, url, f"{url} cannot be reached ({reason})") from error
    if len(data) > limit:
        raise FetchFailed(
            entry.name,
            url,
            f"{url} gives more than the {limit} bytes of the network {entry.name!r}, and nothing "
            "was kept",
        )
    return bytes(data)


def _read_file(file: Path) -> bytes:
    """Return a user's file, unless it is too large to be a network."""
    try:
        if not file.is_file():
            raise NothingFound(file, "is not a file")
        if file.stat().st_size > _LIMIT:
            raise UnreadableFile(file, f"is no network: it has more than {_LIMIT} bytes")
        return read_file(file)
    except OSError as error:
        raise UnreadableFile(file, f"cannot be read: {error.strerror}") from error
