"""Who is in a video: a record for every track, one for every shot, one for its end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import InputError
from gallery.types import (
    Answer,
    DescribedFace,
    MatchMode,
    VideoEnd,
    VideoRecord,
    VideoShot,
    VideoTrack,
)
from gallery.video.decoding import TOLERANCE, VideoReader
from gallery.video.looking import ShotSeen, VideoOptions, shots_seen
from gallery.video.tracks import Track

if TYPE_CHECKING:
    from gallery.gallery import Gallery


@dataclass(frozen=True, slots=True)
class VideoProgress:
    """How far a video is labelled."""

    shots: int
    tracks: int
    end: float
    """The time of the last frame of its last whole shot."""
    asked: tuple[float, float | None, float]


def label_video(
    gallery: Gallery,
    path: Path,
    options: VideoOptions,
    *,
    mode: MatchMode = MatchMode.IDEAL,
    top: int = 3,
    done: VideoProgress | None = None,
) -> Iterator[VideoRecord]:
    """Label a video; yield the records of a shot's tracks, then the shot's own, at last the end's.

    With done, shots that are labelled already are left out and numbers go on behind them. A file
    that cannot be opened gives an end with an error; one that is cut off or damaged gives an end
    that says so after the records of what could be decoded. Raises InputError where done was asked
    for otherwise, and SetupError without the packages for video.
    """
    asked = (options.start, options.end, options.every)
    if done is not None and done.asked != rounded(asked):
        raise InputError(
            f"{path} was labelled in part with other --from, --to or --every; "
            "give the same again, or name another output file."
        )
    try:
        video = VideoReader(path)
    except InputError as error:
        yield VideoRecord(path, None, None, gallery.encoder, error=str(error), asked=asked)
        return
    with video:
        yield from _Labelling(gallery, video, options, mode, top).run(done)


class _Labelling:
    """One pass over a video."""

    def __init__(
        self, gallery: Gallery, video: VideoReader, options: VideoOptions, mode: MatchMode, top: int
    ) -> None:
        self._gallery, self._video, self._options = gallery, video, options
        self._mode, self._top = mode, top
        self._empty = VideoRecord(
            video.path,
            video.width,
            video.height,
            gallery.encoder,
            asked=(options.start, options.end, options.every),
        )

    def run(self, done: VideoProgress | None) -> Iterator[VideoRecord]:
        shots, tracks, end = (done.shots, done.tracks, done.end) if done else (0, 0, 0.0)
        rest = self._options
        if done is not None:
            # The first frame behind the last one that is done.
            rest = replace(rest, start=done.end + 2 * TOLERANCE)
        parts = self._gallery
        for seen in shots_seen(self._video, parts.describer, parts.thresholds, rest):
            shots += 1
            tracks += len(seen.tracks)
            end = seen.last
            yield from self._of_shot(seen, shots)
        error = self._video.cut_short(self._options.end)
        if shots == 0 and error is None:
            error = f"{self._video.path} shows nothing in the time that was asked for."
        yield replace(self._empty, error=error, part=VideoEnd(shots, tracks, end))

    def _of_shot(self, seen: ShotSeen, shot: int) -> Iterator[VideoRecord]:
        answers = answers_of(self._gallery, seen.tracks, self._mode, self._top)
        for number, (track, answer) in enumerate(zip(seen.tracks, answers, strict=True), 1):
            best = track.best[0].time
            part = VideoTrack(shot, number, track.start, track.end, best, track.looks)
            yield replace(self._empty, faces=(answer,), part=part)
        part_of_shot = VideoShot(shot, seen.start, seen.last, len(seen.tracks), seen.looks)
        yield replace(self._empty, left_out=seen.left_out, part=part_of_shot)


def answers_of(
    gallery: Gallery, tracks: Sequence[Track], mode: MatchMode, top: int
) -> list[Answer]:
    """Say who tracks are: each by the mean of its best looks, with the face of the best one."""
    faces = []
    for track in tracks:
        best = track.best[0].described
        faces.append(DescribedFace(best.face, best.crop, track.descriptor, best.quality))
    return gallery.answers(faces, mode=mode, top=top)


def progress_in(out: Path) -> dict[str, VideoProgress]:
    """Return how far the videos are labelled whose records stand in a file, by absolute path.

    Only whole lines count, and only those of whole shots.
    """
    found: dict[str, VideoProgress] = {}
    tracks: dict[str, int] = {}
    if not out.exists():
        return found
    with out.open("rb") as file:
        for line in file:
            if b'"video"' not in line or not line.endswith(b"\n"):
                continue
            values = json.loads(line)
            video = values.get("video")
            if video and video["part"] == "shot":
                name = os.path.abspath(values["path"])  # noqa: PTH100 - no link is followed
                tracks[name] = tracks.get(name, 0) + video["tracks"]
                asked = video["asked"]
                found[name] = VideoProgress(
                    video["shot"],
                    tracks[name],
                    video["end"],
                    (asked["from"], asked["to"], asked["every"]),
                )
    return found


def rounded(asked: tuple[float, float | None, float]) -> tuple[float, float | None, float]:
    """Return what was asked for as records hold it."""
    start, end, every = asked
    return round(start, 6), None if end is None else round(end, 6), round(every, 6)
