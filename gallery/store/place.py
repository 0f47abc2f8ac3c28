"""Whether an open database still is the file that was opened."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gallery.errors import LostDatabase
from gallery.store import logs


class _State(NamedTuple):
    """What tells a file from another in its place, and whether it was written to."""

    device: int
    inode: int
    size: int
    modified_ns: int


class Place:
    """The place of a database that connections are open to.

    What is written into a file that is there no more goes nowhere, and nobody else would say so. A
    file that was copied over the open one is worse: the log would come into it.
    """

    def __init__(self, path: Path | None, *, has_log: bool) -> None:
        """Note what lies there now; None stands for memory.

        `has_log` says that this process keeps connections open, with which the log stays too.
        """
        self._path = path
        self._has_log = has_log
        self._file = self._log = None if path is None else _state(path)
        self._mark: int | None = None
        self._is_lost = False
        self._note()

    def check(self) -> None:
        """Raise StoreError where another file lies there, or none."""
        if self._path is None:
            return
        now = _state(self._path)
        if now != self._file:
            is_here = now is not None and self._file is not None and now[:2] == self._file[:2]
            self._is_lost |= not is_here or (self._has_log and not self._goes_on(self._path))
            self._file = now
            if not self._is_lost:
                self._note()
        if self._is_lost:
            if self._log is not None:
                logs.silence(self._path, self._log.inode)
            raise LostDatabase(self._path)

    def let_go(self) -> None:
        """Look no more at the log, which goes with the last connection."""
        self._has_log, self._log = False, None

    def _goes_on(self, path: Path) -> bool:
        """Say whether a file that was written to is what it was, with transactions of its log."""
        log = _state(logs.companions(path)[0])
        if self._log is None or log is None:
            # Without a log the file changes with every transaction, and SQLite sees by itself
            # that it did.
            return self._log is None
        if log.inode != self._log.inode or logs.stray_log(path) is not None:
            return False
        # Where the log holds nothing, a changed file wants transactions that have been in it.
        return logs.has_changes(path) or log != self._log or logs.mark_of(path) == self._mark

    def _note(self) -> None:
        if self._path is not None and self._has_log:
            self._log = _state(logs.companions(self._path)[0])
            self._mark = logs.mark_of(self._path)


def _state(path: Path) -> _State | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _State(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
