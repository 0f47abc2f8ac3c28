"""What a file of records says to a job that resumes: what is done, and how far videos are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gallery.errors import InputError
from gallery.output.record_file import RecordFile, RecordFormat
from gallery.system.files import absolute
from gallery.types import Record, VideoEnd, VideoRecord, VideoShot


class Done(Protocol):
    """What knows which records stand in a file."""

    @property
    def done(self) -> frozenset[str]:
        """The paths, as they were given, whose records stand in the file in full."""
        ...


@dataclass(frozen=True, slots=True)
class VideoProgress:
    """How far a video is labelled."""

    shots: int
    tracks: int
    end: float
    """The time of the last frame of its last whole shot."""
    asked: tuple[float, float | None, float]


def open_writer(path: Path, encoder: str) -> RecordFile:
    """Open a file of records to resume, or make it; its suffix chooses the format.

    Raises InputError for another suffix, a file that holds something else or another encoder's
    records, and one that another process is writing.
    """
    from gallery.output.csv_table import Csv
    from gallery.output.jsonl import JsonLines

    formats: dict[str, RecordFormat] = {".jsonl": JsonLines(), ".csv": Csv()}
    form = formats.get(path.suffix.lower())
    if form is None:
        raise InputError(f"{path} ends in none of {', '.join(formats)}; name the output so.")
    return RecordFile(path, form, encoder)


def remaining(paths: Sequence[Path], writer: Done) -> list[Path]:
    """Return the pictures whose records are not in the file yet."""
    done = {absolute(path) for path in writer.done}
    return [path for path in paths if absolute(path) not in done]


def progress_of(records: Iterable[Record]) -> dict[Path, VideoProgress]:
    """Return how far the videos are labelled that a file's records are about, by absolute path.

    A track's record does not count while its shot's record is missing.
    """
    found: dict[Path, VideoProgress] = {}
    for record in records:
        if isinstance(record, VideoRecord) and isinstance(record.part, VideoShot):
            name = absolute(record.path)
            before = found[name].tracks if name in found else 0
            shot = record.part
            found[name] = VideoProgress(shot.shot, before + shot.tracks, shot.end, record.asked)
    return found


def stands_in(record: VideoRecord, progress: Mapping[Path, VideoProgress]) -> bool:
    """Say whether a record is about a shot that a file holds already, as progress_of tells."""
    done = progress.get(absolute(record.path))
    if done is None or isinstance(record.part, VideoEnd):
        return False
    return record.part.shot <= done.shots
