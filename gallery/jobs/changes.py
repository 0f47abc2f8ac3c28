"""Which pictures that a file of records is done with are to be labelled anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gallery.errors import InputError
from gallery.media.images import FileState, decode, digest_of, file_state, read_bytes
from gallery.system.files import absolute
from gallery.system.threads import ahead
from gallery.types import Content

if TYPE_CHECKING:
    from gallery.engine.engine import Engine
    from gallery.output.record_file import RecordStatus

AT_ONCE = 16
"""Files that are looked at ahead of their turn."""


class Known(NamedTuple):
    """A file as the gallery last saw it."""

    state: FileState | None
    digest: str | None


class KnownFiles(NamedTuple):
    """What the gallery has seen."""

    files: dict[Path, Known]
    """By absolute path."""
    contents: Mapping[str, Content]
    """What files show, by their digests."""


class Rewritten(NamedTuple):
    """A file that shows what it showed, although something else was written into it."""

    path: Path
    state: FileState
    digest: str
    content: Content


class Outdated(NamedTuple):
    """Records that are to be made anew, by their paths in the file."""

    failed: frozenset[str]
    """The picture could not be read; it may have been put right."""
    changed: frozenset[str]
    """The file shows something else now, or is turned in another way."""
    rewritten: Sequence[Rewritten] = ()
    """Files whose records stay, for all that was written into them."""

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return self.failed | self.changed


def outdated(
    paths: Iterable[Path], standing: Mapping[str, RecordStatus], known: KnownFiles
) -> Outdated:
    """Return which records of pictures do not stand for what lies there now.

    A file is not read where the gallery knows what it holds, see known_to. One that is gone, or
    cannot be read any more, keeps its record.
    """
    names = {absolute(name): name for name in standing}
    asked = [(path, names[place]) for path in paths if (place := absolute(path)) in names]
    failed = frozenset(name for _, name in asked if standing[name].has_failed)
    rest = [(path, name) for path, name in asked if standing[name].digest is not None]

    def look(one: tuple[Path, str]) -> Rewritten | bool:
        path, name = one
        return change_in(path, standing[name].digest or "", known)

    found = list(zip(rest, ahead(look, rest, most=AT_ONCE), strict=True))
    return Outdated(
        failed,
        frozenset(name for (_, name), how in found if how is True) - failed,
        [how for _, how in found if isinstance(how, Rewritten)],
    )


def known_to(engine: Engine) -> KnownFiles:
    """Return the files that a gallery has seen."""
    files = {
        absolute(one.path): Known(one.state, one.digest)
        for one in engine.store.sightings.pictures()
    }
    return KnownFiles(files, engine.store.contents())


def note(engine: Engine, rewritten: Sequence[Rewritten]) -> None:
    """Let the gallery know files that were written into, so that they need not be read again."""
    if rewritten:
        with engine.store.writing() as writer:
            for one in rewritten:
                writer.sightings.rewritten(*one)


def change_in(path: Path, digest: str, known: KnownFiles) -> Rewritten | bool:
    """Say whether a file shows something else than one of a digest, or how it was written into.

    A file whose size and time are the same has not changed, and one that is gone has not either.
    """
    place = absolute(path)
    try:
        state, before = file_state(path), known.files.get(place)
        is_known = before is not None and before.digest is not None and state == before.state
        content = None if is_known else read_bytes(path)
        now = digest_of(content) if content is not None else str(before and before.digest)
    except InputError:
        return False
    shown = known.contents.get(digest)
    if now == digest or shown is None:
        return now != digest
    try:
        # What was read for its digest is not read again.
        there = known.contents.get(now) or decode(content or read_bytes(path), path).content
    except InputError:
        return True
    if there != shown:
        return True
    return False if content is None else Rewritten(place, state, now, shown)
