"""Which pictures that a file of records is done with are to be labelled anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gallery.errors import InputError
from gallery.media.images import FileState, digest_of, file_state, read_bytes
from gallery.system.files import absolute
from gallery.system.threads import ahead

if TYPE_CHECKING:
    from gallery.engine.engine import Engine
    from gallery.output.record_file import RecordStatus

AT_ONCE = 16
"""Files that are looked at ahead of their turn."""


class Known(NamedTuple):
    """A file as the gallery last saw it."""

    state: FileState | None
    digest: str | None


class Outdated(NamedTuple):
    """Records that are to be made anew, by their paths in the file."""

    failed: frozenset[str]
    """The picture could not be read; it may have been put right."""
    changed: frozenset[str]
    """The file has other content now."""

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return self.failed | self.changed


def outdated(
    paths: Iterable[Path], standing: Mapping[str, RecordStatus], known: Mapping[Path, Known]
) -> Outdated:
    """Return which records of pictures do not stand for what lies there now.

    A file is not read where the gallery knows what it holds, see known_to. One that is gone, or
    cannot be read any more, keeps its record.
    """
    names = {absolute(name): name for name in standing}
    asked = [(path, names[place]) for path in paths if (place := absolute(path)) in names]
    failed = frozenset(name for _, name in asked if standing[name].has_failed)
    rest = [(path, name) for path, name in asked if standing[name].digest is not None]

    def has_changed(one: tuple[Path, str]) -> bool:
        path, name = one
        digest = digest_now(path, known.get(absolute(path)))
        return digest is not None and digest != standing[name].digest

    found = zip(rest, ahead(has_changed, rest, most=AT_ONCE), strict=True)
    return Outdated(failed, frozenset(name for (_, name), changed in found if changed) - failed)


def known_to(engine: Engine) -> dict[Path, Known]:
    """Return the files that a gallery has seen, by absolute path."""
    return {
        absolute(one.path): Known(one.state, one.digest)
        for one in engine.store.sightings.pictures()
    }


def digest_now(path: Path, known: Known | None) -> str | None:
    """Return a file's digest, from what is known where it has not changed; None where it is gone.

    A file whose size and time are the same has not changed.
    """
    try:
        if known is not None and known.digest and file_state(path) == known.state:
            return known.digest
        return digest_of(read_bytes(path))
    except InputError:
        return None
