"""Who is in a video: a record for every track, one for every shot, one for its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gallery.engine.engine import Engine, cut
from gallery.errors import InputError, LabelledOtherwise
from gallery.faces.tracking import Track
from gallery.faces.video import ShotSeen, VideoOptions, shots_seen
from gallery.jobs.keep_video import VideoKeeping, digest_where_decided
from gallery.media.video_reader import TOLERANCE, VideoReader
from gallery.output.resume import VideoProgress
from gallery.store.answers import MOST_ALTERNATIVES
from gallery.types import (
    Answer,
    DescribedFace,
    MatchMode,
    Place,
    VideoEnd,
    VideoRecord,
    VideoShot,
    VideoTrack,
)


def label_video(
    engine: Engine,
    path: Path,
    options: VideoOptions,
    *,
    mode: MatchMode = MatchMode.IDEAL,
    top: int = 3,
    done: VideoProgress | None = None,
    keep: bool = False,
) -> Iterator[VideoRecord]:
    """Label a video; yield the records of a shot's tracks, then the shot's own, at last the end's.

    With done, shots that are labelled already are left out and numbers go on behind them. A file
    that cannot be opened gives an end with an error; one that is cut off or damaged gives an end
    that says so after the records of what could be decoded. With keep, the gallery notes a shot and
    its tracks before they are yielded. Raises InputError where done was asked for otherwise, and
    SetupError without the packages for video.
    """
    asked = (options.start, options.end, options.every)
    if done is not None and rounded(done.asked) != rounded(asked):
        raise LabelledOtherwise(path)
    try:
        video = VideoReader(path)
    except InputError as error:
        if keep:
            VideoKeeping(engine, path, asked).end(str(error))
        yield VideoRecord(path, None, None, engine.encoder, error=str(error), asked=asked)
        return
    with video:
        keeping = VideoKeeping(engine, path, asked) if keep else None
        one = _Labelling(engine, video, options, mode=mode, top=top, keeping=keeping)
        yield from one.run(done)


class _Labelling:
    """One pass over a video."""

    def __init__(
        self,
        engine: Engine,
        video: VideoReader,
        options: VideoOptions,
        *,
        mode: MatchMode,
        top: int,
        keeping: VideoKeeping | None,
    ) -> None:
        self._engine, self._video, self._options = engine, video, options
        self._mode, self._top, self._keeping = mode, top, keeping
        self._digest = keeping.digest if keeping else digest_where_decided(engine, video.path)
        self._empty = VideoRecord(
            video.path,
            video.width,
            video.height,
            engine.encoder,
            asked=(options.start, options.end, options.every),
        )

    def run(self, done: VideoProgress | None) -> Iterator[VideoRecord]:
        shots, tracks, end = (done.shots, done.tracks, done.end) if done else (0, 0, 0.0)
        rest = self._options
        if done is not None:
            # The first frame behind the last one that is done.
            rest = replace(rest, start=done.end + 2 * TOLERANCE)
        if self._keeping is not None:
            self._keeping.begin(self._video.width, self._video.height)
        parts = self._engine
        for seen in shots_seen(self._video, parts.describer, parts.thresholds, rest):
            shots += 1
            tracks += len(seen.tracks)
            end = seen.last
            yield from self._of_shot(seen, shots)
        error = self._video.cut_short(self._options.end)
        if shots == 0 and error is None:
            error = f"{self._video.path} shows nothing in the time that was asked for."
        if self._keeping is not None:
            self._keeping.end(error)
        yield replace(self._empty, error=error, part=VideoEnd(shots, tracks, end))

    def _of_shot(self, seen: ShotSeen, number: int) -> Iterator[VideoRecord]:
        shot = VideoShot(number, seen.start, seen.last, len(seen.tracks), seen.looks)
        parts = parts_of(seen.tracks, number)
        faces = faces_of(seen.tracks)
        engine, keeping, top = self._engine, self._keeping, self._top
        now = None if keeping is None else engine.store.answers.now(engine.encoder)
        most = top if keeping is None else max(top, MOST_ALTERNATIVES)
        places = [Place(self._digest or "", part) for part in parts]
        answers = engine.answers(faces, mode=self._mode, top=most, places=places)
        if keeping is not None and now is not None:
            is_kept = self._mode is MatchMode.IDEAL and self._engine.series is None
            said = answers if is_kept else None
            keeping.shot(shot, list(zip(parts, faces, strict=True)), seen.left_out, said, now)
        for part, answer in zip(parts, answers, strict=True):
            yield replace(self._empty, faces=(cut(answer, top),), part=part)
        yield replace(self._empty, left_out=seen.left_out, part=shot)


def answers_of(
    engine: Engine, tracks: Sequence[Track], mode: MatchMode, top: int, digest: str | None
) -> list[Answer]:
    """Say who tracks are: each by the mean of its best looks, with the face of the best one.

    The video's digest tells what was decided of them.
    """
    parts = parts_of(tracks, 0)
    places = [Place(digest or "", part) for part in parts]
    return engine.answers(faces_of(tracks), mode=mode, top=top, places=places)


def parts_of(tracks: Sequence[Track], shot: int) -> list[VideoTrack]:
    """Return what records say of the tracks of a shot."""
    return [
        VideoTrack(shot, row, one.start, one.end, one.best[0].time, one.looks)
        for row, one in enumerate(tracks, 1)
    ]


def faces_of(tracks: Sequence[Track]) -> list[DescribedFace]:
    """Return tracks as faces: each of its best moment, with the descriptor of the track."""
    best = [(track.best[0].described, track.descriptor) for track in tracks]
    return [DescribedFace(one.face, one.crop, mean, one.quality) for one, mean in best]


def rounded(asked: tuple[float, float | None, float]) -> tuple[float, float | None, float]:
    """Return what was asked for as records hold it."""
    start, end, every = asked
    return round(start, 6), None if end is None else round(end, 6), round(every, 6)
