"""Files out of hydrus into a folder, to be labelled or enrolled."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import ServiceFailed, ServiceRefused, UnreadableFile, UnwritableFile
from gallery.events import Advanced, Finished, Job, PassedOver, Refused, Started
from gallery.media.images import suffixes
from gallery.media.inputs import VIDEO_SUFFIXES
from gallery.services.hydrus import HeldFile, Hydrus, Permission
from gallery.system.files import replacing

IN_A_ROW = 3
"""After so many files that do not come, one after the other, nothing more is asked for."""


@dataclass(frozen=True, slots=True)
class FetchChoices:
    """Which files, and where they go."""

    out: Path
    tags: Sequence[str]
    """A file has all of them; they are whatever its search takes."""
    most: int | None = None
    """So many files at most."""
    dry_run: bool = False
    """Say what would come."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came, or would."""

    files: int
    size: int
    """In bytes, of what came."""
    there: int
    """Files that are in the folder already."""
    passed_over: Mapping[str, int]
    """How many files have each suffix that is not read here."""


def fetch_files(hydrus: Hydrus, choices: FetchChoices) -> Job[Fetched]:
    """Fetch the files that a search finds; each is called by its SHA-256, and is whole.

    A file that is there is not fetched again, so that the job may be left and done again. A file
    that does not come, or is not what its digest says, is refused. Raises ServiceFailed where
    hydrus does not answer, and InputError where the folder cannot be written.
    """
    hydrus.require(Permission.SEARCH_FILES)
    ids = hydrus.search(choices.tags)
    yield Started("looking", len(ids), "file")
    read = suffixes() | VIDEO_SUFFIXES
    wanted: list[HeldFile] = []
    others: Counter[str] = Counter()
    there = 0
    for file in hydrus.files(ids):
        yield Advanced()
        if file.suffix not in read:
            others[file.suffix] += 1
        elif _is_there(_path(choices.out, file), file):
            there += 1
        elif choices.most is None or len(wanted) < choices.most:
            wanted.append(file)
    if others:
        yield PassedOver(dict(others))
    size = sum(file.size for file in wanted)
    came = len(wanted)
    if not choices.dry_run:
        yield Started("fetching", len(wanted), "file")
        came = size = failed = 0
        for file in wanted:
            path = _path(choices.out, file)
            try:
                _fetch(hydrus, file, path)
                came, size, failed = came + 1, size + file.size, 0
            except ServiceFailed as error:
                failed += 1
                if isinstance(error, ServiceRefused) or failed == IN_A_ROW:
                    raise
                reason = f"was not fetched: {error.program} {error.reason}"
                yield Refused.because(path, UnreadableFile(path, reason, remedy=error.remedy))
            yield Advanced()
    yield Finished(Fetched(came, size, there, dict(others)))


def _path(folder: Path, file: HeldFile) -> Path:
    return folder / f"{file.digest}{file.suffix}"


def _is_there(path: Path, file: HeldFile) -> bool:
    try:
        return path.stat().st_size == file.size
    except OSError:
        return False


def _fetch(hydrus: Hydrus, file: HeldFile, path: Path) -> None:
    """Fetch one file. Raises ServiceFailed where it is not the one that it should be."""
    content = hashlib.sha256()
    try:
        with replacing(path) as beside, beside.open("wb") as into:
            for chunk in hydrus.content(file):
                content.update(chunk)
                into.write(chunk)
            if content.hexdigest() != file.digest:
                raise hydrus.failed("gives another file than it names", "run this again")
    except OSError as error:
        raise UnwritableFile(
            path, f"cannot be written: {error.strerror or error}", remedy="name another folder"
        ) from error
