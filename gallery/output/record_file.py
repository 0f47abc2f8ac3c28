"""Files that grow by whole records, whatever kills the process."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Collection, Iterator
from io import FileIO
from pathlib import Path
from typing import NamedTuple, Protocol

from gallery.errors import BadOutput, BusyFile, InputError, LostFile, UnwritableFile
from gallery.system.files import unfinished
from gallery.system.locks import hold
from gallery.types import Record, VideoEnd, VideoRecord


class RecordStatus(NamedTuple):
    """What a file of records says of a file that it is done with."""

    digest: str | None
    """Of the content that was labelled; None where it is not known, and for videos."""
    has_failed: bool
    """True for a picture that could not be read."""


class AppendedFile:
    """A file held by one process at a time; what a kill left half-written is cut off."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises InputError when that fails or somebody else holds it."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _opened(path)
            if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
                # A device or a pipe may have no end to read to, and no length to cut.
                self._file.close()
                raise BadOutput(path, "is a device or a pipe", remedy="give the path of a file")
            while hold(self._file.fileno()):
                # The former holder may have put another file in this one's place.
                if _is_at(self._file, path):
                    return
                self._file.close()
                self._file = _opened(path)
        except OSError as error:
            raise UnwritableFile(path, f"cannot be written: {error.strerror}") from error
        self._file.close()
        raise BusyFile(path, "is being written by another process", remedy="wait for it to end")

    def content(self) -> bytes:
        """Return all that is in it."""
        self._file.seek(0)
        return self._file.read()

    def cut(self, length: int) -> None:
        """Drop everything after so many bytes."""
        self._file.truncate(length)

    def append(self, text: str) -> None:
        """Write text to the end, for the system to keep even if this process is killed.

        Raises InputError when the disk is full or the file cannot be written, and when it is there
        no more: what is written into a file without a name is lost.
        """
        if not _is_at(self._file, self._path):
            raise LostFile(self._path)
        content = text.encode("utf-8", "surrogateescape")
        end = self._file.seek(0, os.SEEK_END)
        try:
            _write(self._file, content)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(end)
            raise UnwritableFile(
                self._path,
                f"cannot be written: {error.strerror}",
                remedy="what is in it stays, run it again to go on",
            ) from error

    def replace(self, content: bytes) -> None:
        """Give the file other content at once; a kill leaves the one or the other.

        Raises InputError when the disk is full or the file cannot be written.
        """
        try:
            with unfinished(self._path, self._path.suffix) as beside:
                fresh = _opened(beside)
                try:
                    _write(fresh, content)
                    os.fsync(fresh.fileno())
                    # Nobody else may hold it in between.
                    hold(fresh.fileno())
                    if sys.platform == "win32":
                        # What is open cannot be moved there.
                        fresh.close()
                        self._file.close()
                    beside.replace(self._path)
                except BaseException:
                    fresh.close()
                    raise
            self._file.close()
            self._file = fresh
            if sys.platform == "win32":
                self._file = _opened(self._path)
                hold(self._file.fileno())
        except OSError as error:
            raise UnwritableFile(
                self._path,
                f"cannot be written: {error.strerror}",
                remedy="what is in it stays, run it again to go on",
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

    def read(self, path: Path, content: bytes, encoder: str) -> tuple[dict[str, RecordStatus], int]:
        """Return what is done, by the paths of whole records, and how long that part is.

        What comes after it was cut short by a kill. Raises InputError for content that is of
        something else, or of another encoder; path is for the message.
        """
        ...

    def records(self, path: Path, content: bytes) -> Iterator[Record]:
        """Yield the records in content that is whole, with what the format keeps of them."""
        ...

    def without(self, content: bytes, names: Collection[str]) -> bytes:
        """Return content that is whole less the records of pictures, given by their paths in it."""
        ...


class RecordFile:
    """A file of records in one format; new records go to its end."""

    def __init__(self, path: Path, form: RecordFormat, encoder: str) -> None:
        """Open or make the file. Raises InputError as AppendedFile and RecordFormat.read do."""
        self._path = path
        self._form = form
        self._file = AppendedFile(path)
        try:
            self.standing = self._resume(path, encoder)
        except InputError:
            self._file.close()
            raise

    @property
    def done(self) -> frozenset[str]:
        """The paths, as they were given, whose records stand in the file in full."""
        return frozenset(self.standing)

    def _resume(self, path: Path, encoder: str) -> dict[str, RecordStatus]:
        content = self._file.content()
        header = self._form.header
        if header.encode().startswith(content):
            # New, or killed while its beginning was written.
            self._file.cut(0)
            self._file.append(header)
            return {}
        done, whole = self._form.read(path, content, encoder)
        self._file.cut(whole)
        return done

    def write(self, record: Record) -> None:
        """Append a record."""
        self._file.append(self._form.text(record))
        if not isinstance(record, VideoRecord):
            self.standing[str(record.path)] = RecordStatus(record.digest, record.error is not None)
        elif isinstance(record.part, VideoEnd):
            self.standing[str(record.path)] = RecordStatus(None, has_failed=False)

    def drop(self, names: Collection[str]) -> None:
        """Take the records of pictures out, given by their paths in the file, all at once.

        Raises InputError when the file cannot be written.
        """
        if names:
            content = self._file.content()
            self._file.replace(self._form.without(content, names))
            for name in names:
                self.standing.pop(name, None)

    def records(self) -> Iterator[Record]:
        """Yield the records that stand in the file."""
        yield from self._form.records(self._path, self._file.content())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _opened(path: Path) -> FileIO:
    # Unbuffered: what a full disk did not take must not be tried again at the end.
    return path.open("a+b", buffering=0)


def _write(file: FileIO, content: bytes) -> None:
    while content:
        content = content[file.write(content) :]


def _is_at(file: FileIO, path: Path) -> bool:
    """Say whether a file that is open is the one that lies at a path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False
