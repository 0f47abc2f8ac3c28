"""Files that are whole or not there, and paths that mean the same from every folder.

A file is written under a hidden name beside its place. A process that is killed leaves it there,
and the next one that writes into the folder takes it away.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

UNFINISHED = re.compile(r"\.gallery-([0-9a-f]{8})-([0-9]{1,9})-[0-9a-f]{8}\.tmp")
"""How the name of a file begins that is being written: by which machine and process."""

COMPANIONS = ("-wal", "-journal", "-shm")
"""What SQLite puts beside a database, behind its name; the last one holds nothing to keep."""

LONG_AGO = 24 * 3600.0
"""Seconds after which nobody writes a file any more, whatever machine it was."""

LOOK_AGAIN = 60.0
"""Seconds until a folder is looked through again for what was left unfinished."""

_own: set[str] = set()
"""The names that this process writes to."""

_looked: dict[Path, float] = {}
"""When folders were looked through."""


@contextlib.contextmanager
def unfinished(place: Path, suffix: str = "") -> Iterator[Path]:
    """Give a hidden path beside a place that nobody has; nothing is left of it at the end.

    The folder is made if it is missing. What a killed process left unfinished in it goes.
    """
    folder = place.parent
    folder.mkdir(parents=True, exist_ok=True)
    now = time.monotonic()
    if now - _looked.get(folder, -LOOK_AGAIN) >= LOOK_AGAIN:
        _looked[folder] = now
        remove_unfinished(folder)
    import secrets

    name = f".gallery-{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    _own.add(name)
    try:
        yield folder / f"{name}{suffix}"
    finally:
        for ending in ("", *COMPANIONS):
            _remove(folder / f"{name}{suffix}{ending}")
        _own.discard(name)


def remove_unfinished(folder: Path) -> int:
    """Remove what killed processes left unfinished in a folder, and in no folder below it.

    Returns how many files and folders that were.

    What a living process writes stays. Of another machine, or another container, nobody knows
    whether the process lives: what it left stays for a day.
    """
    removed = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = UNFINISHED.match(entry.name)
            if found is None or found[0] in _own:
                continue
            machine, process = found[1], int(found[2])
            if (machine == _machine() and not _is_alive(process)) or _is_old(entry):
                _remove(Path(entry.path))
                removed += 1
    return removed


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":
        # There, a signal of 0 is no question.
        return True
    if process == os.getpid():
        # It is not among this process's own: in a container, all have the same few numbers.
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _is_old(entry: os.DirEntry[str]) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > LONG_AGO
    return False


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@functools.cache
def _machine() -> str:
    """Return what tells one machine from another, and on Linux one container."""
    name = os.uname().nodename if sys.platform != "win32" else os.environ.get("COMPUTERNAME", "")
    with contextlib.suppress(OSError):
        name += str(Path("/proc/self/ns/pid").readlink())
    import hashlib

    return hashlib.sha256(os.fsencode(name)).hexdigest()[:8]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside a file to write to; on leaving it takes the file's place at once.

    A reader at the same time sees the old file or the new one; a crash or an exception leaves the
    old one. The folder is made if it is missing. Raises OSError when it cannot be written.
    """
    # The suffix stays, since some writers choose a format by it.
    with unfinished(path, path.suffix) as beside:
        yield beside
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)


def replace_file(path: Path, data: bytes) -> None:
    """Give a file this content at once, as `replacing` does."""
    with replacing(path) as beside:
        beside.write_bytes(data)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which on leaving is in the place of none, or of an empty one.

    A crash or an exception leaves nothing of it there. Raises OSError when it cannot be written.
    """
    is_made = is_folder(path)
    with unfinished(path / "new" if is_made else path) as beside:
        beside.mkdir()
        yield beside
        if not is_made:
            beside.rename(path)
            return
        # One may stand in the empty folder, or it is where a drive is mounted: it stays.
        for one in sorted(beside.iterdir()):
            one.rename(path / one.name)


def is_folder(path: Path) -> bool:
    """Say whether a folder lies there; no where nobody can tell, such as on a drive that is gone.

    Path.is_dir raises an error there.
    """
    return os.path.isdir(path)  # noqa: PTH112


def is_there(path: Path) -> bool:
    """Say whether anything lies there, as far as one can tell; Path.exists raises an error."""
    return os.path.exists(path)  # noqa: PTH110


def dated(path: Path, mark: str) -> Path:
    """Return a path with a mark and the time behind its name that no file has yet."""
    name = f"{path.name}{mark}{time.strftime('%Y%m%d-%H%M%S')}"
    found, number = path.with_name(name), 1
    while os.path.lexists(found):
        number += 1
        found = path.with_name(f"{name}-{number}")
    return found


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
