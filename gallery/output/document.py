"""One file made of all records, written whole at the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gallery.errors import BadOutput, BusyFile, UnwritableFile
from gallery.output.format import Output, cannot_be_written
from gallery.system.file_names import is_text, path_text
from gallery.system.files import absolute, replace_file
from gallery.system.locks import folder_lock
from gallery.system.reading import FileTooLargeError, read_if_there
from gallery.types import Record, Verdict

if TYPE_CHECKING:
    from gallery.types import Answer

UNSURE, UNKNOWN = "unsure", "unknown"

MAX_BYTES = 1024 * 1024 * 1024
"""No document is longer: a million pictures take half of it."""


class _State(NamedTuple):
    inode: int
    size: int
    modified_ns: int


class DocumentFile:
    """A file that only gallery replaces, and only what gallery wrote."""

    def __init__(
        self, output: Output, name: str, suffixes: tuple[str, ...], is_ours: Callable[[bytes], bool]
    ) -> None:
        """Check the target before any work is done.

        Raises InputError for another suffix, for a file that holds something else, and for a place
        where nothing can be written.
        """
        path = output.target
        if path is None or path.suffix.lower() not in suffixes:
            raise BadOutput(
                path or Path(name),
                f"does not end in {' or '.join(suffixes)}",
                remedy=f"give {name}:FILE{suffixes[0]}",
            )
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            content = read_if_there(path, MAX_BYTES)
        except FileTooLargeError:
            # Nothing that gallery wrote is that long.
            content = b""
        except OSError as error:
            raise cannot_be_written(path, error) from error
        if not os.access(path.parent, os.W_OK):
            raise UnwritableFile(path, "cannot be written: its folder takes no files")
        if content is not None and not is_ours(content):
            raise BadOutput(
                path, "holds something else than gallery wrote", remedy="name another file"
            )
        self._state = _state(path)

    def save(self, content: bytes) -> None:
        """Put the document in its place at once.

        Raises InputError where it cannot be written and where another process has written it
        meanwhile.
        """
        try:
            with folder_lock(self.path.parent):
                if _state(self.path) != self._state:
                    raise BusyFile(
                        self.path,
                        "was written by another process meanwhile and stays as it is",
                        remedy="name another file for one of the two",
                    )
                replace_file(self.path, content)
                self._state = _state(self.path)
        except OSError as error:
            raise cannot_be_written(self.path, error) from error


def label_of(answer: Answer, *, unsure: bool) -> str:
    """Return what a face is called in a document: its character, `unsure` or `unknown`."""
    if answer.verdict is Verdict.UNKNOWN or answer.character is None:
        return UNKNOWN
    return answer.character if unsure or answer.verdict is Verdict.SURE else UNSURE


def place_of(record: Record, output: Output) -> str:
    """Return a picture's place as seen from the folder that all pictures lie in, with slashes."""
    inside = output.folder_inside(record.path) / record.path.name
    if (output.base / inside).parent == absolute(record.path).parent and is_text(str(inside)):
        return inside.as_posix()
    return path_text(Path(absolute(record.path).as_posix()))


def _state(path: Path) -> _State | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _State(status.st_ino, status.st_size, status.st_mtime_ns)
