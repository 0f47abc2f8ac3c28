"""What is known of each network: models/manifest.toml, and the user's own in the models folder.

Networks that encode stand under `networks`, those that find heads under `detectors`.
"""

from __future__ import annotations

import functools
import hashlib
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from gallery.errors import BadManifest
from gallery.system.files import replace_file
from gallery.system.reading import read_if_there
from gallery.types import Thresholds

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a network may be called; the name is a part of its file's name."""

MAX_BYTES = 1 << 20
"""No manifest is larger: a thousand networks take half of it."""

_Plain = TypeVar("_Plain", str, bool, int, float)


@dataclass(frozen=True, slots=True)
class Entry:
    """A network, whether or not its file is on this machine."""

    name: str
    thresholds: Thresholds
    measured: str
    """How the thresholds were found."""
    licence: str
    source: str
    """Where the file comes from, in words or as an address."""
    sha256: str | None = None
    """None while only the git blob is known."""
    git_blob: str | None = None
    """The SHA-1 under which git knows the content."""
    size: int | None = None
    """In bytes."""
    file: str | None = None
    """The file's name where it ships with gallery or with a package."""
    package: str | None = None
    """The installed package whose folder `models` carries the file."""
    url: str | None = None
    """Where `gallery models fetch` gets it."""
    zoom: float = 1.0
    """The share of the stored crop's side that the network sees."""
    mirror: bool = False
    """Whether descriptors are means over the crop and its mirror image."""
    stand_in: bool = False
    """True for a network that was not made for anime and only fills the place of one."""
    parts: tuple[str, ...] = ()
    """The parts of an ensemble, by name; the file is then the matrix that joins them."""
    metrics: Mapping[str, float] = field(default_factory=dict)

    def identifies(self, data: bytes) -> bool:
        """Return whether these bytes are the network's file, by all digests that are known."""
        if self.sha256 is None and self.git_blob is None:
            return False
        sha256 = self.sha256 is None or hashlib.sha256(data).hexdigest() == self.sha256
        return sha256 and (self.git_blob is None or git_blob(data) == self.git_blob)


@dataclass(frozen=True, slots=True)
class DetectorEntry:
    """A detector's network that ships with gallery."""

    name: str
    file: str
    """The file's name beside the manifest."""
    sha256: str
    size: int
    """In bytes."""
    licence: str
    source: str


def git_blob(data: bytes) -> str:
    """Return the name git gives to this content: SHA-1 of `blob`, its size, a zero and itself."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def read_manifest(path: Path) -> dict[str, Entry]:
    """Return the networks of a manifest by name; a file that is not there has none.

    Raises SetupError when it cannot be read or says something that has no meaning.
    """
    return {name: _entry(path, name, table) for name, table in _tables(path).items()}


def write_manifest(path: Path, entries: Mapping[str, Entry]) -> None:
    """Write a manifest that `read_manifest` reads, all at once.

    Raises SetupError when the folder cannot be written.
    """
    import tomli_w

    networks = {name: _table(entry) for name, entry in sorted(entries.items())}
    try:
        replace_file(path, tomli_w.dumps({"networks": networks}).encode("utf-8"))
    except OSError as error:
        raise BadManifest(path, f"cannot be written: {error.strerror}") from error


def read_detectors(path: Path) -> dict[str, DetectorEntry]:
    """Return the detectors of a manifest by name; a file that is not there has none.

    Raises SetupError when it cannot be read or says something that has no meaning.
    """
    return {
        name: _detector_entry(path, name, table)
        for name, table in _tables(path, "detectors").items()
    }


@functools.lru_cache(maxsize=4)
def _parsed(content: bytes) -> Mapping[str, object]:
    """Return what a manifest says; a command asks the same one for several names."""
    return tomllib.loads(content.decode("utf-8"))


def _tables(path: Path, kind: str = "networks") -> dict[str, dict[str, object]]:
    """Return the tables under `networks` or `detectors`."""
    try:
        content = read_if_there(path, MAX_BYTES)
        if content is None:
            return {}
        tables = _parsed(content).get(kind, {})
    except OSError as error:
        raise BadManifest(path, f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadManifest(path, f"cannot be read: {error}") from error
    except RecursionError as error:
        raise BadManifest(path, "cannot be read: it is nested too deeply") from error
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise BadManifest(path, f"has no tables named {kind}.NAME", "correct it")
    return tables


def _detector_entry(path: Path, name: str, table: dict[str, object]) -> DetectorEntry:
    """Return one checked entry of a detector."""
    try:
        entry = DetectorEntry(
            name=name,
            file=_plain(table, "file", str),
            sha256=_plain(table, "sha256", str),
            size=_plain(table, "size", int),
            licence=_plain(table, "licence", str),
            source=_plain(table, "source", str),
        )
    except (KeyError, TypeError) as error:
        raise BadManifest(
            path,
            f"lacks a proper value of {error.args[0]!r} for the detector {name!r}",
            "correct it",
        ) from error
    # Only a file beside the manifest; no path may lead out of its folder.
    if not re.fullmatch("[0-9a-f]{64}", entry.sha256) or Path(entry.file).name != entry.file:
        raise BadManifest(
            path,
            f"gives the detector {name!r} a file or a digest that has no meaning",
            "correct it",
        )
    return entry


def _entry(path: Path, name: str, table: dict[str, object]) -> Entry:
    """Return one checked entry."""
    if not NAME.fullmatch(name):
        raise BadManifest(path, f"names a network {name!r}, which is no valid name")
    try:
        thresholds = table["thresholds"]
        if not isinstance(thresholds, dict):
            raise TypeError("thresholds")
        parts = table.get("parts", [])
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise TypeError("parts")
        metrics = table.get("metrics", {})
        if not isinstance(metrics, dict):
            raise TypeError("metrics")
        entry = Entry(
            name=name,
            thresholds=Thresholds(
                sure=_plain(thresholds, "sure", float),
                unknown=_plain(thresholds, "unknown", float),
                margin=_plain(thresholds, "margin", float),
            ),
            measured=_plain(thresholds, "measured", str, ""),
            licence=_plain(table, "licence", str),
            source=_plain(table, "source", str),
            sha256=_plain(table, "sha256", str, "") or None,
            git_blob=_plain(table, "git_blob", str, "") or None,
            size=_plain(table, "size", int, 0) or None,
            file=_plain(table, "file", str, "") or None,
            package=_plain(table, "package", str, "") or None,
            url=_plain(table, "url", str, "") or None,
            zoom=_plain(table, "zoom", float, 1.0),
            mirror=_plain(table, "mirror", bool, False),
            stand_in=_plain(table, "stand_in", bool, False),
            parts=tuple(parts),
            metrics={key: _plain(metrics, key, float) for key in metrics},
        )
    except (KeyError, TypeError) as error:
        raise BadManifest(
            path,
            f"lacks a proper value of {error.args[0]!r} for the network {name!r}",
            "correct it",
        ) from error
    _check(path, entry)
    return entry


def _plain(
    table: Mapping[str, object], key: str, kind: type[_Plain], default: _Plain | None = None
) -> _Plain:
    """Return a value of this kind; whole numbers do for real ones. Raises KeyError, TypeError."""
    value = table.get(key, default)
    if value is None:
        raise KeyError(key)
    if kind is float and type(value) is int:
        try:
            return kind(value)
        except OverflowError as error:
            raise TypeError(key) from error
    if type(value) is not kind:
        raise TypeError(key)
    return value


def _check(path: Path, entry: Entry) -> None:
    """Refuse values that no network can have."""
    thresholds = entry.thresholds
    sensible = (
        0 < entry.zoom <= 1
        and 0 <= thresholds.sure <= thresholds.unknown < math.inf
        and 0 <= thresholds.margin < math.inf
        and re.fullmatch("[0-9a-f]{64}", entry.sha256 or "0" * 64)
        and re.fullmatch("[0-9a-f]{40}", entry.git_blob or "0" * 40)
    )
    if not sensible:
        raise BadManifest(
            path,
            f"gives the network {entry.name!r} a zoom, a threshold or a digest that has no meaning",
            "correct it",
        )


def _table(entry: Entry) -> dict[str, object]:
    """Return the entry as TOML has it: without what is not known."""
    values: dict[str, object | None] = {
        "file": entry.file,
        "package": entry.package,
        "url": entry.url,
        "sha256": entry.sha256,
        "git_blob": entry.git_blob,
        "size": entry.size,
        "licence": entry.licence,
        "source": entry.source,
        "stand_in": entry.stand_in,
        "parts": list(entry.parts) or None,
        "zoom": entry.zoom,
        "mirror": entry.mirror,
        "metrics": dict(entry.metrics) or None,
        "thresholds": {
            "sure": entry.thresholds.sure,
            "unknown": entry.thresholds.unknown,
            "margin": entry.thresholds.margin,
            "measured": entry.measured,
        },
    }
    return {key: value for key, value in values.items() if value is not None}
