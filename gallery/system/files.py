"""Files that are whole or not there, and paths that mean the same from every folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside a file to write to; on leaving it takes the file's place at once.

    A reader at the same time sees the old file or the new one; a crash or an exception leaves the
    old one. The folder is made if it is missing. Raises OSError when it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays, since some writers choose a format by it.
    unfinished = path.parent / f".{secrets.token_hex(8)}.tmp{path.suffix}"
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def replace_file(path: Path, data: bytes) -> None:
    """Give a file this content at once, as `replacing` does."""
    with replacing(path) as unfinished:
        unfinished.write_bytes(data)


def absolute(path: Path | str) -> Path:
    """Return a path from the root, without dots.

    No link in it is followed: a picture that is a link stays where the link lies, and is another
    picture than the one that it leads to. Only a link before `..` is: the folder above is that of
    the folder it leads to.
    """
    # Its parts are free of single dots.
    whole = Path(path).absolute()
    if ".." not in whole.parts:
        return whole
    found = Path(whole.anchor)
    for part in whole.parts[1:]:
        if part != "..":
            found /= part
        elif os.name == "posix" and found.is_symlink():
            # Path.resolve raises for links that go in circles.
            found = Path(os.path.realpath(found)).parent
        else:
            found = found.parent
    return found
