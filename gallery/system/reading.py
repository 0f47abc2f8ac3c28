"""Files that are read: regular ones alone, so that nothing is ever waited for.

A pipe in a file's place may never have a writer, and some devices have no end.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

KINDS = {
    stat.S_IFIFO: "it is a pipe",
    stat.S_IFSOCK: "it is a socket",
    stat.S_IFCHR: "it is a device",
    stat.S_IFBLK: "it is a device",
}
"""What can stand in a file's place."""

NOT_THERE = frozenset((errno.ENOENT, errno.ENAMETOOLONG))
"""Numbers of errors that say that there is no file; one of so long a name cannot be."""


class FileTooLargeError(OSError):
    """A file is longer than what is looked for can be."""


def open_file(path: Path) -> BufferedReader:
    """Open a regular file to read its bytes.

    Raises OSError for one that cannot be read and for anything else, such as a pipe, a device or a
    folder, before it is opened; what takes a file's place meanwhile is not waited for either.
    """
    return open(path, "rb", opener=_opened)


def read_file(path: Path) -> bytes:
    """Return the content of a regular file. Raises OSError as open_file does."""
    with open_file(path) as file:
        return file.read()


def read_if_there(path: Path, most: int) -> bytes | None:
    """Return the content of a regular file of at most so many bytes; None where nothing is there.

    Raises FileTooLargeError for a longer file, and OSError as open_file does.
    """
    try:
        with open_file(path) as file:
            if os.fstat(file.fileno()).st_size > most:
                raise FileTooLargeError(errno.EFBIG, "it is too long", str(path))
            return file.read()
    except OSError as error:
        if error.errno in NOT_THERE:
            return None
        raise


def _opened(path: str, flags: int) -> int:
    # Opening some devices does something: a tape is wound back.
    _require_regular(Path(path).stat(), path)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    except BlockingIOError:
        # A server of files has lent it to somebody, and asks for it back now.
        descriptor = os.open(path, flags)
    try:
        _require_regular(os.fstat(descriptor), path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_regular(status: os.stat_result, path: str) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", path)
    kind = KINDS.get(stat.S_IFMT(status.st_mode), "it is no file")
    raise OSError(errno.EINVAL, kind, path)
