"""JSON Lines: one object a picture, as `gallery identify --json` prints it."""

from __future__ import annotations

import json
from pathlib import Path

from gallery.errors import InputError
from gallery.labelling.appending import AppendedFile
from gallery.records import as_json, to_line
from gallery.types import Record

BEGINNING = b'{"path": '
"""How every line begins; whatever else ends a file is not ours to cut off."""


class JsonlWriter:
    """Appends a line a picture."""

    def __init__(self, path: Path, encoder: str) -> None:
        """Open or make the file; see job.open_writer for what is raised."""
        self._file = AppendedFile(path)
        try:
            self.done = self._read(path, encoder)
        except InputError:
            self._file.close()
            raise

    def _read(self, path: Path, encoder: str) -> frozenset[str]:
        content = self._file.content()
        # A line without its end was being written when the process was killed.
        whole = content.rfind(b"\n") + 1
        done = set()
        for number, line in enumerate(content[:whole].splitlines(), 1):
            try:
                record = json.loads(line)
                made_with = record["encoder"]
                done.add(str(record["path"]))
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(
                    f"{path} holds something other than records in line {number}; "
                    "name another output file."
                ) from error
            if made_with != encoder:
                raise InputError(
                    f"{path} holds records of the encoder {made_with}, not {encoder}; "
                    "name another output file."
                )
        rest = content[whole:]
        if not (rest.startswith(BEGINNING) or BEGINNING.startswith(rest)):
            raise InputError(
                f"{path} ends in something other than a record; name another output file."
            )
        self._file.cut(whole)
        return frozenset(done)

    def write(self, record: Record) -> None:
        """Append a record's line."""
        self._file.append(to_line(as_json(record)) + "\n")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
