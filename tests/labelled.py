"""Records of pictures without a job around them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from gallery.engine.engine import Gallery
from gallery.faces.quality import NO_GATES, Gates
from gallery.jobs.pipeline import identified
from gallery.types import MatchMode, Record


class RecordWriter(Protocol):
    """What takes records."""

    def write(self, record: Record) -> None: ...


def identify_files(
    gallery: Gallery,
    paths: Sequence[Path],
    *,
    mode: MatchMode = MatchMode.IDEAL,
    top: int = 3,
    gates: Gates = NO_GATES,
    keep: bool = False,
    workers: int | None = None,
) -> Generator[Record, None, None]:
    """Yield the record of every file."""
    answers = identified(
        gallery, paths, mode=mode, top=top, gates=gates, keep=keep, workers=workers
    )
    with closing(answers):
        for one in answers:
            yield one.record


def label(
    gallery: Gallery,
    paths: Sequence[Path],
    writer: RecordWriter,
    *,
    keep: bool = False,
    workers: int | None = None,
) -> Generator[Record, None, None]:
    """Write the record of every file, then yield it."""
    records = identify_files(gallery, paths, keep=keep, workers=workers)
    with closing(records):
        for record in records:
            writer.write(record)
            yield record
