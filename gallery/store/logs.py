"""SQLite's logs beside a database, and whether they are of the file that lies there.

A kill leaves a log: changes to come (`-wal`), or pages as they were before (`-journal`). SQLite
plays it into whatever file it finds beside it, and so damages a back-up that somebody copied into
the place of the former file.

Nothing of SQLite's own tells the two apart. The salts of a log stand in no database. The change
counter of the header stands still in write-ahead logging, and counts alike in two copies of one
file. `cp` keeps the inode of the file that it writes over, and times say nothing: a checkpoint
makes the file younger than its log, `cp -p` older. So every transaction of ours writes a mark into
the header, as its `user_version`. Half of it is random, the other half is a digest of the mark
before. The header is page 1, and a log holds whole pages: a log with changes says which mark it
goes on from and which it passed through, one with former pages which mark it leads back to. A file
with another mark is another file, and by a chance of 1 to 65,536 it is not seen. A back-up gets a
mark of its own, so that not even the log of the very moment it was made fits it.

A log without page 1 is of another program, which is believed, as SQLite believes it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from gallery.system.files import COMPANIONS, dated
from gallery.system.locks import folder_lock

if sys.platform != "win32":
    import fcntl

WAL_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
WAL_HEADER, FRAME_HEADER = 32, 24
JOURNAL_MAGIC = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
JOURNAL_HEADER = 28
UNCOUNTED = 0xFFFFFFFF
"""In a journal's header: the records reach to the end of the file."""

MARK = slice(60, 64)
"""Where page 1 holds the mark."""

PAGE_SIZES = frozenset(1 << power for power in range(9, 17))

SHARED_FIRST, SHARED_BYTES = 0x40000002, 510
"""What SQLite locks of a file that it has open; in write-ahead logging for as long as it is."""

TRIES = 8
"""Looks at a log that a living process changes meanwhile."""

_log = logging.getLogger(__name__)


def successor(mark: int) -> int:
    """Return a mark for a transaction that goes on from one, a number of 32 bits."""
    return _digest(mark) << 16 | secrets.randbits(16)


def is_after(mark: int, before: int) -> bool:
    """Say whether a mark is of a transaction that went on from another mark."""
    return mark >> 16 == _digest(before)


def _digest(mark: int) -> int:
    return zlib.crc32(mark.to_bytes(4, "big")) & 0xFFFF


def as_pragma(mark: int) -> int:
    """Return a mark as SQLite's number with a sign."""
    return mark - (1 << 32) if mark >> 31 else mark


def of_pragma(value: int) -> int:
    """Return the mark of SQLite's number with a sign."""
    return value & 0xFFFFFFFF


def mark_of(path: Path) -> int | None:
    """Return the mark in a database's file itself, whatever its log says; None for no database.

    SQLite reads it. Whoever opens and closes the file by another way drops the locks that this
    process's own connections have on it.
    """
    uri = f"{path.as_uri()}?immutable=1"
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(uri, uri=True)) as connection,
    ):
        return of_pragma(connection.execute("PRAGMA user_version").fetchone()[0])
    return None


def companions(path: Path) -> list[Path]:
    """Return where SQLite's files beside a database lie, which it puts where links lead."""
    real = Path(os.path.realpath(path))
    return [real.with_name(real.name + ending) for ending in COMPANIONS]


def stray_log(path: Path) -> Path | None:
    """Return a log beside a database that is of another file; None where there is none.

    A process at work may change both meanwhile: only what holds still is an answer.
    """
    wal, journal, _ = companions(path)
    for log, read in ((wal, _of_wal), (journal, _of_journal)):
        for _ in range(TRIES if log.exists() else 0):
            before, found = mark_of(path), _read(log, read)
            if found is None or before is None or found.fits(before):
                break
            now = _read(log, read)
            if mark_of(path) == before and now is not None and now.begin == found.begin:
                return log
            time.sleep(0.01)
    return None


def has_changes(path: Path) -> bool:
    """Say whether a log holds transactions that a database's file may lack."""
    return _read(companions(path)[0], _of_wal) is not None


def put_aside(path: Path, log: Path) -> None:
    """Give a stray log of a database another name, and say so in the program's log.

    Raises OSError where the folder cannot be written.
    """
    with folder_lock(log.parent):
        if stray_log(path) != log:
            # Another process was quicker.
            return
        # First: a process that finds the index of a log believes it.
        companions(path)[-1].unlink(missing_ok=True)
        aside = dated(log, ".")
        log.rename(aside)
    _log.warning(
        "The log %s is not of the file that lies beside it now, but of one that lay in its place "
        "before; it was put aside as %s, and nothing of it came into %s.",
        log,
        aside.name,
        path.name,
    )


def silence(path: Path, own: int) -> None:
    """Keep the log of a database that another file has replaced from coming into that file.

    A connection that is closed would carry its log over. `own` is the log's inode; whatever its
    name is by now, its content is kept beside the database, in a file of its own.
    """
    wal = companions(path)[0]
    for log in wal.parent.glob(f"{wal.name}*"):
        with contextlib.suppress(OSError):
            if log.stat().st_ino == own and log.stat().st_size:
                shutil.copyfile(log, dated(wal, "."))
                os.truncate(log, 0)


def is_in_use(path: Path) -> bool:
    """Say whether another process has a database open, as far as the system tells.

    Not for a file that this process has open as well: its own locks end here. Windows refuses to
    move a file that is open, so that nobody needs to ask.
    """
    if sys.platform == "win32":
        return False
    with contextlib.suppress(FileNotFoundError), path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_BYTES, SHARED_FIRST)
        except BlockingIOError:
            return True
        except OSError:
            # Some network file systems know no locks.
            return False
    return False


class _Marks(NamedTuple):
    """What a log says of page 1."""

    begin: bytes
    """Its header, another one with every transaction or checkpoint that begins it anew."""
    passed: list[int]
    """The marks that its changes lead to, in their order; nothing in a log of former pages."""
    former: int | None = None
    """The mark that former pages lead back to."""

    def fits(self, mark: int) -> bool:
        """Say whether a file with a mark may have this log."""
        if self.former is not None:
            return mark == self.former or is_after(mark, self.former)
        return not self.passed or mark in self.passed or is_after(self.passed[0], mark)


def _read(log: Path, read: Callable[[FileIO], _Marks | None]) -> _Marks | None:
    try:
        with log.open("rb", buffering=0) as file:
            return read(file)
    except OSError:
        return None


def _of_wal(file: FileIO) -> _Marks | None:
    """Read the marks of all whole transactions in a log of changes; None where it holds none."""
    begin = file.read(WAL_HEADER)
    size, salts = int.from_bytes(begin[8:12], "big"), begin[16:24]
    if begin[:4] not in WAL_MAGIC or size not in PAGE_SIZES:
        return None
    passed: list[int] = []
    whole, is_empty, place = 0, True, WAL_HEADER
    while True:
        file.seek(place)
        head = file.read(FRAME_HEADER + MARK.stop)
        # Behind the last frame may stand those of an earlier use of the file.
        if len(head) < FRAME_HEADER + MARK.stop or head[8:16] != salts:
            break
        if head[:4] == b"\0\0\0\1":
            passed.append(int.from_bytes(head[FRAME_HEADER:][MARK], "big"))
        if head[4:8] != bytes(4):
            whole, is_empty = len(passed), False
        place += FRAME_HEADER + size
    return None if is_empty else _Marks(begin, passed[:whole])


def _of_journal(file: FileIO) -> _Marks | None:
    """Read the mark that a log of former pages leads back to; None where it has no page 1."""
    begin = file.read(JOURNAL_HEADER)
    count, start, size = (int.from_bytes(begin[at : at + 4], "big") for at in (8, 20, 24))
    if begin[:8] != JOURNAL_MAGIC or size not in PAGE_SIZES or start < JOURNAL_HEADER:
        return None
    number = 0
    while number < count or count == UNCOUNTED:
        file.seek(start + number * (size + 8))
        head = file.read(4 + MARK.stop)
        if len(head) < 4 + MARK.stop:
            return None
        if head[:4] == b"\0\0\0\1":
            return _Marks(begin, [], int.from_bytes(head[4:][MARK], "big"))
        number += 1
    return None
