"""Files that grow by whole records, whatever kills the process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Protocol

from gallery.errors import InputError
from gallery.types import Record


class AppendedFile:
    """A file held by one process at a time; what a kill left half-written is cut off."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises InputError when that fails or somebody else holds it."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what a full disk did not take must not be tried again at the end.
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}.") from error
        if not _hold(self._file):
            self._file.close()
            raise InputError(f"{path} is being written by another process; wait for it to end.")

    def content(self) -> bytes:
        """Return all that is in it."""
        self._file.seek(0)
        return self._file.read()

    def cut(self, length: int) -> None:
        """Drop everything after so many bytes."""
        self._file.truncate(length)

    def append(self, text: str) -> None:
        """Write text to the end, for the system to keep even if this process is killed.

        Raises InputError when the disk is full or the file cannot be written.
        """
        content = text.encode("utf-8", "surrogateescape")
        end = self._file.seek(0, os.SEEK_END)
        try:
            while content:
                content = content[self._file.write(content) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(end)
            raise InputError(
                f"{self._path} cannot be written: {error.strerror}; "
                "what is in it stays, run it again to go on."
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        with contextlib.suppress(OSError):
            self._file.close()


class RecordFormat(Protocol):
    """How records stand in one text file."""

    @property
    def header(self) -> str:
        """What a new file begins with."""
        ...

    def text(self, record: Record) -> str:
        """Return what is written of a picture."""
        ...

    def read(self, path: Path, content: bytes, encoder: str) -> tuple[frozenset[str], int]:
        """Return the paths whose records stand in the content in full, and how long that part is.

        What comes after it was cut short by a kill. Raises InputError for content that is of
        something else, or of another encoder; path is for the message.
        """
        ...

    def records(self, path: Path, content: bytes) -> Iterator[Record]:
        """Yield the records in content that is whole, with what the format keeps of them."""
        ...


class RecordFile:
    """A file of records in one format, gone on with where it ends."""

    def __init__(self, path: Path, form: RecordFormat, encoder: str) -> None:
        """Open or make the file. Raises InputError as AppendedFile and RecordFormat.read do."""
        self._path = path
        self._form = form
        self._file = AppendedFile(path)
        try:
            self.done = self._resume(path, encoder)
        except InputError:
            self._file.close()
            raise

    def _resume(self, path: Path, encoder: str) -> frozenset[str]:
        content = self._file.content()
        header = self._form.header
        if header.encode().startswith(content):
            # New, or killed while its beginning was written.
            self._file.cut(0)
            self._file.append(header)
            return frozenset()
        done, whole = self._form.read(path, content, encoder)
        self._file.cut(whole)
        return done

    def write(self, record: Record) -> None:
        """Append a record."""
        self._file.append(self._form.text(record))

    def records(self) -> Iterator[Record]:
        """Yield the records that stand in the file."""
        yield from self._form.records(self._path, self._file.content())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _hold(file: FileIO) -> bool:
    """Lock a file for this process, where the platform can; say whether that went well."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Some network file systems know no locks.
        return True
    return True
