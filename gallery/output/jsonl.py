"""JSON Lines: one object a picture, as `gallery identify --json` prints it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path

from gallery.errors import BadOutput
from gallery.output.record_file import RecordStatus
from gallery.output.record_values import text, text_or_none
from gallery.output.records import as_json, from_json, to_line
from gallery.system.file_names import path_of
from gallery.types import Record

VIDEO = b', "video": {"part": '
VIDEO_TRACK, VIDEO_END = VIDEO + b'"track"', VIDEO + b'"end"'
"""How a line about a part of a video tells that it is one; in a text the marks would be escaped."""

DAMAGE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What reading a line raises that is no record."""

BEGINNING = b'{"path": '
"""How every line begins; whatever else ends a file is not ours to cut off."""


class JsonLines:
    """A line a picture."""

    header = ""

    def text(self, record: Record) -> str:
        """Return a record's line."""
        return to_line(as_json(record)) + "\n"

    def read(self, path: Path, content: bytes, encoder: str) -> tuple[dict[str, RecordStatus], int]:
        """Return what is done, by paths of whole lines, and the bytes up to the last of them."""
        # A line without its end was being written when the process was killed.
        whole = content.rfind(b"\n") + 1
        rest = content[whole:]
        if not (rest.startswith(BEGINNING) or BEGINNING.startswith(rest)):
            raise BadOutput(
                path, "ends in something other than a record", remedy="name another output file"
            )
        lines = content[:whole].splitlines(keepends=True)
        # Tracks whose shot's own line is missing are found again.
        while lines and VIDEO_TRACK in lines[-1]:
            whole -= len(lines.pop())
        done = (_standing(path, number, line, encoder) for number, line in enumerate(lines, 1))
        return dict(one for one in done if one is not None), whole

    def records(self, path: Path, content: bytes) -> Iterator[Record]:
        """Yield what the lines say. Raises InputError for one that says something else."""
        for number, line in enumerate(content.splitlines(), 1):
            try:
                yield from_json(json.loads(line))
            except DAMAGE as error:
                raise BadOutput(
                    path,
                    f"holds a record of another version in line {number}",
                    remedy="name another output file",
                ) from error

    def without(self, content: bytes, names: Collection[str]) -> bytes:
        """Return the lines of all but these pictures."""
        return b"".join(
            line
            for line in content.splitlines(keepends=True)
            if VIDEO in line or str(path_of(json.loads(line)["path"])) not in names
        )


def _standing(
    path: Path, number: int, line: bytes, encoder: str
) -> tuple[str, RecordStatus] | None:
    """Return what a line says all of; None for a part of a video before its end."""
    try:
        record = json.loads(line)
        picture, made_with = str(path_of(text(record["path"]))), text(record["encoder"])
        error_said, is_video = text_or_none(record.get("error")), "video" in record
        standing = RecordStatus(
            text_or_none(record.get("digest")),
            has_failed=not is_video and error_said is not None,
        )
    except DAMAGE as error:
        raise BadOutput(
            path,
            f"holds something other than records in line {number}",
            remedy="name another output file",
        ) from error
    if made_with != encoder:
        raise BadOutput(
            path,
            f"holds records of the encoder {made_with}, not {encoder}",
            remedy="name another output file",
        )
    return None if VIDEO in line and VIDEO_END not in line else (picture, standing)
