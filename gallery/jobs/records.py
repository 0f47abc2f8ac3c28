"""A labelling job: pictures in, records into a file."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gallery.errors import InputError
from gallery.faces.quality import NO_GATES, Gates
from gallery.jobs.pipeline import identify_files
from gallery.system.absolute import absolute
from gallery.types import MatchMode, Record

if TYPE_CHECKING:
    from gallery.engine.engine import Gallery
    from gallery.output.record_file import RecordFile


class RecordWriter(Protocol):
    """One output format."""

    @property
    def done(self) -> frozenset[str]:
        """The paths, as they were given, whose records stand in the file in full."""
        ...

    def write(self, record: Record) -> None:
        """Write a record so that a kill leaves it there in full, or to be done again."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def open_writer(path: Path, encoder: str) -> RecordFile:
    """Open a file of records to go on with, or make it; its suffix chooses the format.

    Raises InputError for another suffix, a file that holds something else or another encoder's
    records, and one that another process is writing.
    """
    from gallery.output.csv_table import Csv
    from gallery.output.jsonl import JsonLines
    from gallery.output.record_file import RecordFile, RecordFormat

    formats: dict[str, RecordFormat] = {".jsonl": JsonLines(), ".csv": Csv()}
    form = formats.get(path.suffix.lower())
    if form is None:
        raise InputError(f"{path} ends in none of {', '.join(formats)}; name the output so.")
    return RecordFile(path, form, encoder)


def remaining(paths: Sequence[Path], writer: RecordWriter) -> list[Path]:
    """Return the pictures whose records are not in the file yet."""
    done = {absolute(path) for path in writer.done}
    return [path for path in paths if absolute(path) not in done]


def label(
    gallery: Gallery,
    paths: Sequence[Path],
    writer: RecordWriter,
    *,
    mode: MatchMode = MatchMode.IDEAL,
    top: int = 3,
    gates: Gates = NO_GATES,
    keep: bool = False,
    workers: int | None = None,
) -> Generator[Record, None, None]:
    """Label pictures in their order; each record is in the file when it is yielded.

    A file that cannot be read gives a record with an error, and the job goes on. So many workers
    prepare pictures at the same time, see pipeline.identify_files. With keep, the gallery notes
    what it sees in them, for `gallery cluster` and `gallery relabel`.
    """
    records = identify_files(
        gallery, paths, mode=mode, top=top, gates=gates, keep=keep, workers=workers
    )
    # What is prepared ahead ends with the job, wherever it is left.
    with contextlib.closing(records):
        for record in records:
            writer.write(record)
            yield record
