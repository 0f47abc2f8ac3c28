"""What `label` and `harvest` share about videos."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeAlias

import typer

from gallery.cli.show import pictures_of, plural, progress, say

if TYPE_CHECKING:
    from gallery.gallery import Gallery
    from gallery.types import MatchMode, Record, VideoRecord
    from gallery.video.looking import VideoOptions

From: TypeAlias = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="TIME",
        show_default=False,
        help="Of videos: begin here, in seconds or as 0:01:23.5.",
    ),
]
To: TypeAlias = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Of videos: end before this time.")
]
Every: TypeAlias = Annotated[
    float,
    typer.Option(
        "--every",
        metavar="SECONDS",
        min=0.0,
        help="Of videos: look for faces so often, and at every shot's first and last frame; "
        "0 looks at every frame that shows something new.",
    ),
]

EVERY = 0.333


class Writer(Protocol):
    """Where records go."""

    def write(self, record: Record) -> None: ...


def options_of(
    start: str, end: str | None, every: float, min_face: float, min_quality: float
) -> VideoOptions:
    """Return what of videos is looked at. Raises InputError for times that are none."""
    from gallery.errors import InputError
    from gallery.quality import Gates
    from gallery.video.looking import VideoOptions
    from gallery.video.timecodes import seconds_of

    first = seconds_of(start)
    last = None if end is None else seconds_of(end)
    if last is not None and last <= first:
        raise InputError("--to is not after --from; give a later time.")
    return VideoOptions(first, last, every, Gates(min_face, min_quality))


def paths_of(
    paths: Sequence[Path],
) -> tuple[list[Path], list[Path], list[tuple[Path, str]]]:
    """Return the videos and the pictures that paths name, and the paths that name none, with why.

    Raises InputError with the first reason where no path names one.
    """
    from gallery.errors import InputError
    from gallery.video.files import videos_among

    videos, others = videos_among(paths)
    if not videos:
        return [], *pictures_of(paths)
    if not others:
        return videos, [], []
    try:
        return videos, *pictures_of(others)
    except InputError:
        refused = []
        for path in others:
            try:
                pictures_of([path])
            except InputError as error:
                refused.append((path, str(error)))
        return videos, [], refused


def require_jsonl(out: Path, write: Sequence[str] | None) -> None:
    """Raise InputError where videos would go into formats that have no place for their times."""
    from gallery.errors import InputError

    if out.suffix.lower() != ".jsonl":
        raise InputError(f"Videos are labelled into .jsonl files alone, not into {out}.")
    if write:
        raise InputError("--write is for pictures alone; label the videos without it.")


def label_videos(
    gallery: Gallery,
    videos: Sequence[Path],
    writer: Writer,
    out: Path,
    options: VideoOptions,
    mode: MatchMode,
    top: int,
) -> int:
    """Label videos into a file that is open already, and return how many failed or lack a part."""
    from gallery.video.labelling import label_video, progress_in

    failed = 0
    before = progress_in(out)
    for path in videos:
        done = before.get(os.path.abspath(path))  # noqa: PTH100 - no link is followed
        with progress(f"Labelling {path.name}", whole_seconds(path, options)) as advance:
            shown = 0 if done is None else int(done.end)
            counts: Counter[str] = Counter()
            for record in label_video(gallery, path, options, mode=mode, top=top, done=done):
                writer.write(record)
                _count(counts, record)
                for _ in range(shown, int(record.part.end)):
                    advance()
                shown = max(shown, int(record.part.end))
        failed += record.error is not None
        _report(record, counts)
    return failed


def whole_seconds(path: Path, options: VideoOptions) -> int:
    """Return how many seconds of a video are looked at, as its header says; 0 where it is none."""
    from gallery.errors import InputError
    from gallery.video.decoding import VideoReader

    try:
        with VideoReader(path) as video:
            end = min(video.duration or 0.0, options.end or float("inf"))
            return max(int(end - options.start), 0)
    except InputError:
        return 0


def _count(counts: Counter[str], record: VideoRecord) -> None:
    counts.update(answer.verdict.value for answer in record.faces)
    counts["left out"] += record.left_out


def _report(record: VideoRecord, counts: Counter[str]) -> None:
    from gallery.types import VideoEnd

    if record.error is not None:
        say(f"gallery: {record.error}")
    if record.width is None or not isinstance(record.part, VideoEnd):
        return
    faces = counts["sure"] + counts["unsure"] + counts["unknown"]
    left_out = f"; {counts['left out']} too small or too poor" if counts["left out"] else ""
    say(
        f"{record.path}: {plural(record.part.shots, 'shot')}, {plural(faces, 'face')} followed: "
        f"{counts['sure']} sure, {counts['unsure']} unsure, {counts['unknown']} unknown{left_out}."
    )
