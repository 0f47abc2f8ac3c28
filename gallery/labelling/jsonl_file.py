"""JSON Lines: one object a picture, as `gallery identify --json` prints it."""

from __future__ import annotations

import json
from pathlib import Path

from gallery.errors import InputError
from gallery.records import as_json, to_line
from gallery.types import Record

BEGINNING = b'{"path": '
"""How every line begins; whatever else ends a file is not ours to cut off."""


class JsonLines:
    """A line a picture."""

    header = ""

    def text(self, record: Record) -> str:
        """Return a record's line."""
        return to_line(as_json(record)) + "\n"

    def read(self, path: Path, content: bytes, encoder: str) -> tuple[frozenset[str], int]:
        """Return the paths whose lines are whole, and the bytes up to the last of them."""
        # A line without its end was being written when the process was killed.
        whole = content.rfind(b"\n") + 1
        rest = content[whole:]
        if not (rest.startswith(BEGINNING) or BEGINNING.startswith(rest)):
            raise InputError(
                f"{path} ends in something other than a record; name another output file."
            )
        lines = content[:whole].splitlines()
        return frozenset(
            _path_of(path, number, line, encoder) for number, line in enumerate(lines, 1)
        ), whole


def _path_of(path: Path, number: int, line: bytes, encoder: str) -> str:
    try:
        record = json.loads(line)
        picture, made_with = str(record["path"]), record["encoder"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} holds something other than records in line {number}; name another output file."
        ) from error
    if made_with != encoder:
        raise InputError(
            f"{path} holds records of the encoder {made_with}, not {encoder}; "
            "name another output file."
        )
    return picture
