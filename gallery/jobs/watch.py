"""Pictures that come into folders while a job runs.

The folders are looked at again and again. Notices of the file system would come sooner, but not at
all from network drives, and a file that is still being written has to be looked at again anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import BadSetting, InputError, UnusableFile
from gallery.jobs.changes import KnownFiles, known_to, outdated
from gallery.media.images import FileState, file_state
from gallery.media.inputs import pictures_below
from gallery.output.resume import remaining
from gallery.system.files import absolute, is_folder

if TYPE_CHECKING:
    from gallery.engine.engine import Engine
    from gallery.output.outputs import Outputs

EVERY = 1.0
"""Seconds between two looks at the folders."""

SHARE = 0.05
"""Looking takes at most this share of the time: large folders are looked at less often."""

REST = 2.0
"""Seconds for which a file's size and time must not change before it counts as written."""

RETRY_AFTER = 10.0
"""Seconds after which a picture that could not be read is tried once more.

Some programs set a file's size and time first and keep others out while they fill it.
"""


class Arrivals:
    """Tells which pictures have come to rest since it was asked last."""

    def __init__(self, paths: Sequence[Path], clock: Callable[[], float] = time.monotonic) -> None:
        """Watch folders, with all below them, and files. Nothing is looked at yet.

        Raises InputError where no path is a folder.
        """
        if not any(is_folder(path) for path in paths):
            raise BadSetting("watch", "No folder is named", "to watch, name folders")
        self._paths = paths
        self._clock = clock
        self._moving: dict[Path, tuple[FileState, float]] = {}
        self._settled: dict[Path, FileState] = {}
        self._again: dict[Path, float] = {}
        self.trouble: str | None = None
        """Why a folder could not be looked at the last time."""

    @property
    def is_at_rest(self) -> bool:
        """True where no picture is still being written, as far as the last look could tell."""
        return not self._moving

    def look(self) -> list[Path]:
        """Return the pictures that are new, or other than they were, and at rest."""
        now, there = self._clock(), dict(self._states())
        ready = [path for path, state in there.items() if self._rests(path, state, now)]
        # What is gone before it came to rest is forgotten; what is settled is known again when a
        # drive comes back.
        self._moving = {path: one for path, one in self._moving.items() if path in there}
        due = [path for path, when in self._again.items() if when <= now and path in there]
        for path in due:
            del self._again[path]
        return [*ready, *(path for path in due if path not in ready)]

    def try_again(self, path: Path) -> None:
        """Name a picture once more in a while, unless it changes before."""
        self._again[path] = self._clock() + RETRY_AFTER

    def _rests(self, path: Path, state: FileState, now: float) -> bool:
        if self._settled.get(path) == state:
            return False
        self._again.pop(path, None)
        before = self._moving.get(path)
        if before is None or before[0] != state:
            self._moving[path] = (state, now)
            return False
        if now - before[1] < REST:
            return False
        del self._moving[path]
        self._settled[path] = state
        return True

    def _states(self) -> Iterable[tuple[Path, FileState]]:
        self.trouble = None
        for path in self._paths:
            whole = absolute(path)
            for found in pictures_below(whole) if is_folder(path) else [whole]:
                if isinstance(found, UnusableFile):
                    # A network drive may come back.
                    self.trouble = str(found)
                else:
                    yield from _state_of(found)


def _state_of(path: Path) -> Iterable[tuple[Path, FileState]]:
    try:
        yield path, file_state(path)
    except InputError:
        # It is gone between two looks.
        return


def arriving(
    engine: Engine,
    arrivals: Arrivals,
    outputs: Outputs,
    *,
    chosen: Callable[[list[Path]], list[Path]] = lambda paths: paths,
    wait: Callable[[float], object] = time.sleep,
) -> Generator[list[Path], None, None]:
    """Look at the folders without an end, and yield after every look what is to be labelled.

    Often that is nothing; otherwise the pictures are to be labelled into the outputs before the
    next look. A picture whose content stands there is passed over, and the record of one that has
    other content now is taken out. `chosen` says which of those that come are wanted, `wait` is
    called for the seconds between two looks. The outputs must have been opened for a job with an
    open end.
    """
    known = known_to(engine)
    tried: set[str] = set()
    while True:
        begun = time.monotonic()
        ready = arrivals.look()
        took = time.monotonic() - begun
        rest = _unlabelled(chosen(ready), outputs, known) if ready else []
        yield rest
        for path in rest:
            standing = outputs.standing.get(str(path))
            if standing is not None and standing.has_failed and str(path) not in tried:
                tried.add(str(path))
                arrivals.try_again(path)
            else:
                tried.discard(str(path))
        if not rest:
            wait(max(EVERY, took / SHARE))


def _unlabelled(paths: Sequence[Path], outputs: Outputs, known: KnownFiles) -> list[Path]:
    """Return the pictures that are to be labelled, and take outdated records of them out."""
    outputs.drop(outdated(paths, outputs.standing, known).names)
    # It was true when the watch began, and is of no more use for what is labelled now.
    for path in paths:
        known.files.pop(absolute(path), None)
    return remaining(paths, outputs)
