"""CSV: one row a face, and one row for a picture without faces."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from gallery.errors import InputError
from gallery.records import as_json
from gallery.types import Answer, Box, Face, Record, Verdict

COLUMNS = (
    "path", "width", "height", "encoder", "faces", "face", "left", "top", "right", "bottom",
    "score", "quality", "verdict", "character", "distance", "error",
)  # fmt: skip
"""`faces` counts the picture's faces, `face` numbers them from 1; both tell a picture cut short."""


class Csv:
    """A table; a picture's rows are written at once."""

    @property
    def header(self) -> str:
        """The line of headings."""
        return _line(COLUMNS)

    def text(self, record: Record) -> str:
        """Return a record's rows."""
        return "".join(_line(row) for row in rows_of(record))

    def read(self, path: Path, content: bytes, encoder: str) -> tuple[frozenset[str], int]:
        """Return the paths whose rows are all there, and the bytes up to the last of them."""
        rows = _rows(path, content)
        header, whole = next(rows, ([], 0))
        if header[:5] == [*COLUMNS[:5]] and set(header) < set(COLUMNS):
            raise InputError(
                f"{path} is a table of another version of gallery, without the column "
                f"{' and '.join(name for name in COLUMNS if name not in header)}; "
                "name another output file."
            )
        if tuple(header) != COLUMNS:
            raise InputError(f"{path} is not a table that gallery wrote; name another output file.")
        done, waiting = set(), 0
        for number, (row, end) in enumerate(rows, 2):
            _check(path, number, row, encoder)
            waiting = (waiting or max(int(row[4]), 1)) - 1
            if waiting == 0:
                done.add(row[0])
                whole = end
        return frozenset(done), whole

    def records(self, path: Path, content: bytes) -> Iterator[Record]:
        """Yield what the rows say; a table keeps no matches but the answer.

        Raises InputError for rows that say something else.
        """
        rows = _rows(path, content)
        next(rows)
        try:
            for row, _ in rows:
                faces = [row, *(next(rows)[0] for _ in range(int(row[4]) - 1))]
                yield _record(faces)
        except (ValueError, TypeError, RuntimeError) as error:
            raise InputError(
                f"{path} holds a row that is no record; name another output file."
            ) from error


def _record(rows: list[list[str]]) -> Record:
    first = dict(zip(COLUMNS, rows[0], strict=True))
    return Record(
        path=Path(first["path"]),
        width=int(first["width"]) if first["width"] else None,
        height=int(first["height"]) if first["height"] else None,
        encoder=first["encoder"],
        faces=tuple(_answer(row) for row in rows) if first["face"] else (),
        error=first["error"] or None,
    )


def _answer(row: list[str]) -> Answer:
    values = dict(zip(COLUMNS, row, strict=True))
    box = Box(*(float(values[side]) for side in ("left", "top", "right", "bottom")))
    return Answer(
        face=Face(box, float(values["score"])),
        verdict=Verdict(values["verdict"]),
        character=values["character"] or None,
        distance=float(values["distance"]) if values["distance"] else None,
        matches=(),
    )


def _check(path: Path, number: int, row: list[str], encoder: str) -> None:
    if len(row) != len(COLUMNS) or not row[4].isdecimal():
        raise InputError(
            f"{path} holds something other than records in row {number}; name another output file."
        )
    if row[3] != encoder:
        raise InputError(
            f"{path} holds records of the encoder {row[3]}, not {encoder}; "
            "name another output file."
        )


def rows_of(record: Record) -> Iterator[tuple[object, ...]]:
    """Yield a record's rows in the order of COLUMNS."""
    values = as_json(record)
    head = tuple(values[name] for name in ("path", "width", "height", "encoder"))
    if not values["faces"]:
        yield (*head, 0, *([None] * 10), values["error"])
    for number, face in enumerate(values["faces"], 1):
        quality = face["quality"] and face["quality"]["score"]
        what = (face["verdict"], face["character"], face["distance"])
        row = (*face["box"], face["score"], quality, *what)
        yield (*head, len(values["faces"]), number, *row, None)


def _line(row: tuple[object, ...]) -> str:
    text = io.StringIO()
    # Letters of the line's end are quoted, and a file name may hold either of these.
    csv.writer(text, lineterminator="\r\n").writerow(row)
    return text.getvalue().removesuffix("\r\n") + "\n"


def _rows(path: Path, content: bytes) -> Iterator[tuple[list[str], int]]:
    """Yield whole rows, and where each ends in bytes; a row cut short at the end is left out.

    Raises InputError for what is no CSV.
    """
    position = 0

    def lines() -> Iterator[str]:
        nonlocal position
        for line in content.splitlines(keepends=True):
            position += len(line)
            yield line.decode("utf-8", "surrogateescape")

    reader = csv.reader(lines(), strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if position < len(content):
                raise InputError(
                    f"{path} holds something other than records from byte {position} on; "
                    "name another output file."
                ) from error
            # A quotation cut short by the end.
            return
        if content[position - 1 : position] == b"\n":
            yield row, position
