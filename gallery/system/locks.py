"""Files and folders that one process at a time writes to.

The locks are the system's own. A lock ends with its process, however the process ends, so no lock
is ever left behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from gallery.errors import InputError

PATIENCE = 60.0
"""Seconds to wait for a folder. It is held for the time that one small file takes."""

GLANCE = 0.005
"""Seconds between two tries."""

FAR = 1 << 40
"""Windows keeps others from reading a locked byte, so the lock takes a byte behind the end."""

if sys.platform == "win32":
    import msvcrt

    def hold(descriptor: int) -> bool:
        """Lock an open file until it is closed; say whether nobody else holds it."""
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        except OSError:
            # Some network file systems know no locks.
            return True
        finally:
            os.lseek(descriptor, place, os.SEEK_SET)
        return True

else:
    import fcntl

    def hold(descriptor: int) -> bool:
        """Lock an open file or folder until it is closed; say whether nobody else holds it.

        If the file system knows no locks, the file counts as free.
        """
        try:
            return _hold(descriptor)
        except OSError:
            return True

    def _hold(descriptor: int) -> bool:
        """Lock it likewise; raise OSError if the file system knows no locks."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Keep other processes and threads that ask for the same folder out until the end of the block.

    The lock is on the folder where folders can be locked, and then holds for all users of the
    folder's file system. Elsewhere it is on a file in the system's folder for temporary files, and
    holds for one user of one machine. Raises InputError if another process holds the lock for
    PATIENCE.
    """
    descriptor = _opened(folder)
    try:
        end = time.monotonic() + PATIENCE
        while not hold(descriptor):
            if time.monotonic() > end:
                raise InputError(
                    f"Another process writes to {folder} and does not come to an end; "
                    "end it, or try again later."
                )
            time.sleep(GLANCE)
        yield
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    """Open what is locked for a folder: the folder itself if it can be locked, else a file."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                _hold(descriptor)
            except OSError:
                os.close(descriptor)
                raise
            return descriptor
    return _stand_in(folder)


def _stand_in(folder: Path) -> int:
    name = hashlib.sha256(os.fsencode(os.path.normcase(folder.resolve()))).hexdigest()[:16]
    user = str(os.getuid()) if sys.platform != "win32" else "own"
    locks = Path(tempfile.gettempdir()) / f"gallery-locks-{user}"
    try:
        locks.mkdir(mode=0o700, exist_ok=True)
        return os.open(locks / name, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise InputError(
            f"{locks} cannot be written: {error.strerror}; it keeps two jobs from writing to one "
            "file at once."
        ) from error
