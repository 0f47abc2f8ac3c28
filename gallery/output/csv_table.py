"""CSV: one row a face, and one row for a picture without faces.

Every track of a video has a row with time codes. A row for the shot follows the shot's tracks, and
a row for the end comes last. These rows let a job resume.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import BadOutput, InputError
from gallery.media.timecodes import seconds_of, timecode
from gallery.output import record_values
from gallery.output.record_file import RecordStatus
from gallery.output.record_values import number_in, whole_in
from gallery.output.records import as_json, of_video
from gallery.system.escapes import quoted, unquoted
from gallery.system.file_names import path_of
from gallery.types import (
    Answer,
    Box,
    Decided,
    Face,
    Record,
    Verdict,
    VideoEnd,
    VideoRecord,
    VideoShot,
    VideoTrack,
)

COLUMNS = (
    "path", "width", "height", "encoder", "faces", "face", "left", "top", "right", "bottom",
    "score", "quality", "verdict", "character", "distance", "error",
    "digest", "video", "shot", "track", "start", "end", "best", "looks", "asked", "decided",
)  # fmt: skip
"""`faces` counts the picture's faces, `face` numbers them from 1; both tell a picture cut short.

The columns from `video` to `asked` are empty for pictures. `video` is `track`, `shot` or `end`; in
the last two `track` counts the tracks, in the last `shot` the shots. `start`, `end` and `best` are
time codes, `asked` holds the beginning, the end and the interval of the sampled frames, in seconds.
`decided` is empty where the gallery answers, else what a person decided: confirmed, ignored or
no_face."""

EARLIER = COLUMNS[: COLUMNS.index("decided")]
"""Of tables that were begun before answers said who gave them; these are gone on with."""

BOM = "\ufeff"

COUNT = re.compile("[0-9]{1,6}")
"""How many faces a picture has; more are nobody's."""

ERROR, DIGEST, VIDEO, DECIDED = (
    COLUMNS.index(name) for name in ("error", "digest", "video", "decided")
)

GIVEN = frozenset({"", *(one.value for one in Decided)})
"""What may stand in the column for who decided."""


class Csv:
    """A table; a picture's rows are written at once."""

    def __init__(self) -> None:
        self._columns: tuple[str, ...] = COLUMNS
        """Those of the table that was read last: it keeps them."""

    @property
    def header(self) -> str:
        """The line of headings; the mark before it tells spreadsheets that this is UTF-8."""
        return BOM + _line(COLUMNS)

    def text(self, record: Record) -> str:
        """Return a record's rows."""
        return "".join(_line(row[: len(self._columns)]) for row in rows_of(record))

    def read(self, path: Path, content: bytes, encoder: str) -> tuple[dict[str, RecordStatus], int]:
        """Return what is done, by paths whose rows are all there, and the bytes up to the last."""
        _require_text(path, content)
        rows = _rows(path, content)
        header, whole = next(rows, ([], 0))
        self._columns = _columns_in(path, header)
        done: dict[str, RecordStatus] = {}
        waiting: dict[str, _Waiting] = {}
        name, number, begin = "", 1, whole
        for number, (row, end) in enumerate(rows, 2):
            if any(row):
                _check(path, number, row, encoder)
                name = str(path_of(row[0]))
                if not row[VIDEO]:
                    _count(row, waiting.pop(name, _Waiting(begin, number)), done, waiting)
                elif row[VIDEO] == "end":
                    done[name] = RecordStatus(row[DIGEST] or None, has_failed=False)
            # Tracks whose shot's own row is missing are found again. Spreadsheets leave empty rows.
            if name not in waiting and row[VIDEO] != "track":
                whole = end
            begin = end
        for other, one in waiting.items():
            if other == name and number - one.first + 1 == one.seen:
                # A kill cut it short.
                whole = one.begin
            else:
                # Somebody took rows of it away: it is labelled again, and its other rows go.
                done[other] = RecordStatus(None, has_failed=True)
                whole = begin if other == name else whole
        return done, whole

    def records(self, path: Path, content: bytes) -> Iterator[Record]:
        """Yield what the rows say, in whatever order they stand; no matches but the answer.

        Raises InputError for rows that say something else.
        """
        rows = _rows(path, content)
        next(rows)
        faces: dict[str, list[list[str]]] = {}
        try:
            for row, _ in rows:
                if row[VIDEO]:
                    yield _record([row])
                elif any(row):
                    known = faces.setdefault(row[0], [])
                    known.append(row)
                    if len(known) >= int(row[4]):
                        yield _record(sorted(faces.pop(row[0]), key=lambda one: int(one[5] or 0)))
        except (ValueError, TypeError, InputError) as error:
            raise BadOutput(
                path, "holds a row that is no record", remedy="name another output file"
            ) from error

    def without(self, content: bytes, names: Collection[str]) -> bytes:
        """Return the heading and the rows of all but these pictures."""
        kept, start = [], 0
        for row, end in _rows(Path(), content):
            if row[VIDEO] or str(path_of(row[0])) not in names or not start:
                kept.append(content[start:end])
            start = end
        return b"".join(kept)


@dataclass(slots=True)
class _Waiting:
    """A picture of whose rows some are still to come."""

    begin: int
    """Where its first row begins, in bytes."""
    first: int
    """The number of that row."""
    seen: int = 0
    """How many rows it has so far."""


def _count(
    row: list[str], one: _Waiting, done: dict[str, RecordStatus], waiting: dict[str, _Waiting]
) -> None:
    """Note a picture's row: the picture waits for more, or is done."""
    one.seen += 1
    name = str(path_of(row[0]))
    if one.seen < int(row[4]):
        waiting[name] = one
    else:
        done[name] = RecordStatus(row[DIGEST] or None, row[ERROR] != "")


def _record(rows: list[list[str]]) -> Record:
    first = dict(zip(COLUMNS, rows[0], strict=True))
    record = Record(
        path=record_values.path(first["path"]),
        width=whole_in(first["width"]) if first["width"] else None,
        height=whole_in(first["height"]) if first["height"] else None,
        encoder=first["encoder"],
        faces=tuple(_answer(row) for row in rows) if first["face"] else (),
        error=unquoted(first["error"]) or None,
        digest=first["digest"] or None,
    )
    return _video_record(record, first) if first["video"] else record


def _video_record(record: Record, row: dict[str, str]) -> VideoRecord:
    start, end, every = row["asked"].split(" ")
    asked = number_in(start), None if end == "-" else number_in(end), number_in(every)
    return of_video(record, _part(row), asked)


def _part(row: dict[str, str]) -> VideoTrack | VideoShot | VideoEnd:
    shot, track, end = whole_in(row["shot"]), whole_in(row["track"]), seconds_of(row["end"])
    if row["video"] == "end":
        return VideoEnd(shot, track, end)
    start, looks = seconds_of(row["start"]), whole_in(row["looks"])
    if row["video"] == "shot":
        return VideoShot(shot, start, end, track, looks)
    return VideoTrack(shot, track, start, end, seconds_of(row["best"]), looks)


def _answer(row: list[str]) -> Answer:
    values = dict(zip(COLUMNS, row, strict=True))
    box = Box(*(number_in(values[side]) for side in ("left", "top", "right", "bottom")))
    return Answer(
        face=Face(box, number_in(values["score"])),
        verdict=Verdict(values["verdict"]),
        character=unquoted(values["character"]) or None,
        distance=number_in(values["distance"]) if values["distance"] else None,
        matches=(),
        decided=Decided(values["decided"]) if values["decided"] else None,
    )


def _require_text(path: Path, content: bytes) -> None:
    """Raise InputError for whole lines that are not in UTF-8; a kill may cut the last one short."""
    try:
        content[: content.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadOutput(
            path,
            "is not in UTF-8",
            remedy="save it with commas and in UTF-8, or name another output file",
        ) from error


def _columns_in(path: Path, header: list[str]) -> tuple[str, ...]:
    """Return a table's columns. Raises InputError for those that this version does not write."""
    for separator, called in ((";", "semicolons"), ("\t", "tabs")):
        if header and tuple(header[0].split(separator)) in (COLUMNS, EARLIER):
            raise BadOutput(
                path,
                f"has {called} between its columns",
                remedy="save it with commas, or name another output file",
            )
    if header[-1:] == [""] and tuple(header[:-1]) == EARLIER:
        # A spreadsheet added an empty cell.
        return EARLIER
    if tuple(header) in (COLUMNS, EARLIER):
        return tuple(header)
    if header[:5] == [*COLUMNS[:5]] and set(header) < set(COLUMNS):
        lacking = " and ".join(name for name in EARLIER if name not in header)
        raise BadOutput(
            path,
            f"is a table of another version of gallery, without the column {lacking}",
            remedy="name another output file",
        )
    raise BadOutput(path, "is not a table that gallery wrote", remedy="name another output file")


def _check(path: Path, number: int, row: list[str], encoder: str) -> None:
    is_sound = len(row) == len(COLUMNS) and COUNT.fullmatch(row[4]) and row[DECIDED] in GIVEN
    if not is_sound or "\0" in row[0]:
        raise BadOutput(
            path,
            f"holds something other than records in row {number}",
            remedy="name another output file",
        )
    if row[3] != encoder:
        raise BadOutput(
            path,
            f"holds records of the encoder {row[3]}, not {encoder}",
            remedy="name another output file",
        )


def rows_of(record: Record) -> Iterator[tuple[object, ...]]:
    """Yield a record's rows in the order of COLUMNS."""
    values = as_json(record)
    head = tuple(values[name] for name in ("path", "width", "height", "encoder"))
    times = _times(record)
    if not values["faces"]:
        yield (*head, 0, *([None] * 10), quoted(values["error"]), record.digest, *times, None)
    for number, face in enumerate(values["faces"], 1):
        quality = face["quality"] and face["quality"]["score"]
        what = (face["verdict"], quoted(face["character"]), face["distance"])
        row = (*face["box"], face["score"], quality, *what)
        who = face.get("decided")
        yield (*head, len(values["faces"]), number, *row, None, record.digest, *times, who)


def _times(record: Record) -> tuple[object, ...]:
    """Return what stands in the columns from `video` to `asked`."""
    if not isinstance(record, VideoRecord):
        return (None,) * (DECIDED - VIDEO)
    start, end, every = (None if one is None else f"{one:.6f}" for one in record.asked)
    asked = f"{start} {end or '-'} {every}"
    part = record.part
    if isinstance(part, VideoEnd):
        return ("end", part.shots, part.tracks, None, timecode(part.end), None, None, asked)
    span = (timecode(part.start), timecode(part.end))
    if isinstance(part, VideoShot):
        return ("shot", part.shot, part.tracks, *span, None, part.looks, asked)
    return ("track", part.shot, part.track, *span, timecode(part.best), part.looks, asked)


def _line(row: tuple[object, ...]) -> str:
    text = io.StringIO()
    # Letters of the line's end are quoted, and a file name may hold either of these.
    csv.writer(text, lineterminator="\r\n").writerow(row)
    return text.getvalue().removesuffix("\r\n") + "\n"


def _rows(path: Path, content: bytes) -> Iterator[tuple[list[str], int]]:
    """Yield whole rows, and where each ends in bytes; a row cut short at the end is left out.

    Raises InputError for what is no CSV.
    """
    position = width = 0

    def lines() -> Iterator[str]:
        nonlocal position
        for line in content.splitlines(keepends=True):
            position += len(line)
            text = line.decode("utf-8", "surrogateescape")
            yield text.lstrip(BOM) if position == len(line) else text

    reader = csv.reader(lines(), strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if position < len(content):
                raise BadOutput(
                    path,
                    f"holds something other than records from byte {position} on",
                    remedy="name another output file",
                ) from error
            # A quotation cut short by the end.
            return
        if content[position - 1 : position] == b"\n":
            if not any(row[len(COLUMNS) :]):
                row = row[: len(COLUMNS)]
            yield row + [""] * (width - len(row)), position
            # Spreadsheets leave empty cells at a row's end away, or add some.
            width = len(COLUMNS)
