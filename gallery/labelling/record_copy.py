"""A second file of records, in another format than the first."""

from __future__ import annotations

from gallery.errors import InputError
from gallery.labelling.job import open_writer
from gallery.labelling.output import Output
from gallery.types import Record


class RecordCopy:
    """JSON Lines or a table beside the file that says what is done."""

    is_document = False

    def __init__(self, name: str, output: Output) -> None:
        """Open the file. Raises InputError as job.open_writer does, and for another suffix."""
        path = output.target
        if path is None or path.suffix.lower() != f".{name}":
            raise InputError(f"{path or name} does not end in .{name}; give {name}:FILE.{name}.")
        self.name = name
        self._file = open_writer(path, output.encoder)
        self._done = set(self._file.done)

    def write(self, record: Record) -> None:
        """Append a record that the file does not hold yet."""
        if str(record.path) not in self._done:
            self._file.write(record)
            self._done.add(str(record.path))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
