"""A video shot by shot: which frames are sampled, and the tracks of the faces in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gallery.errors import InputError
from gallery.faces.describe import Describer
from gallery.faces.quality import NO_GATES, Gates
from gallery.faces.tracking import Track, Tracker
from gallery.media.shots import FrameOfShot, in_shots
from gallery.media.video_reader import TOLERANCE, Frame, VideoReader
from gallery.settings import EVERY
from gallery.types import Box, DescribedFace, Face, Landmarks, Pixels, Point, Thresholds

CELL = 8
"""A change is searched in squares of so many pixels of the small picture."""

NEWS = 6.0
"""A frame shows something new if a cell's mean colour differs by this many of 256 levels."""

FLAT = 4.0
"""A frame whose levels differ by less than this, as a standard deviation, is black, white or a
plain colour: nobody is there to be seen."""


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """Which part of a video is sampled, and how closely."""

    start: float = 0.0
    """Seconds from its beginning."""
    end: float | None = None
    """Seconds from its beginning; None is to its end."""
    every: float = EVERY
    """Seconds between sampled frames. 0 samples every frame that shows something new."""
    gates: Gates = NO_GATES


@dataclass(frozen=True, slots=True, eq=False)
class ShotSeen:
    """A shot and the faces in it."""

    start: float
    """The time of its first frame."""
    last: float
    """The time of its last frame."""
    tracks: tuple[Track, ...]
    looks: int
    """How many of its frames went to the detector."""
    left_out: int
    """How many faces in these were smaller or poorer than was asked for."""


def seconds_looked_at(path: Path, options: VideoOptions) -> int:
    """Return how many seconds of a video are sampled, as its header says; 0 for other files."""
    try:
        with VideoReader(path) as video:
            end = min(video.duration or 0.0, options.end or float("inf"))
            return max(int(end - options.start), 0)
    except InputError:
        return 0


def shots_seen(
    video: VideoReader, describer: Describer, thresholds: Thresholds, options: VideoOptions
) -> Iterator[ShotSeen]:
    """Yield a video's shots in their order.

    A shot's first frame that is no plain colour is sampled, then one every so many seconds, and its
    last one. A frame that shows nothing new since the last one is not detected again.
    """
    frames = video.frames(options.start, options.end, all_of_them=options.every <= 0)
    watcher = _Watcher(video, describer, thresholds, options)
    for one in in_shots(frames):
        if one.begins:
            watcher.begin(one.frame)
        watcher.watch(one)
        if one.ends:
            yield watcher.seen(one.frame.time)


class _Watcher:
    """Samples the frames of a shot."""

    def __init__(
        self,
        video: VideoReader,
        describer: Describer,
        thresholds: Thresholds,
        options: VideoOptions,
    ) -> None:
        self._video, self._describer = video, describer
        self._thresholds, self._options = thresholds, options

    def begin(self, frame: Frame) -> None:
        self._tracker = Tracker(self._thresholds)
        self._start, self._due = frame.time, frame.time
        self._shown: Pixels | None = None
        self._looks = self._left_out = 0

    def watch(self, one: FrameOfShot) -> None:
        frame = one.frame
        if not one.ends and frame.time < self._due - TOLERANCE:
            return
        if _is_flat(frame.small):
            return
        self._due = frame.time + self._options.every
        if self._shown is not None and not has_news(self._shown, frame.small):
            self._tracker.stay(frame.time)
            return
        self._shown = frame.small
        self._looks += 1
        self._tracker.add(frame.time, self._faces(frame))

    def seen(self, last: float) -> ShotSeen:
        tracks = tuple(self._tracker.tracks())
        return ShotSeen(self._start, last, tracks, self._looks, self._left_out)

    def _faces(self, frame: Frame) -> list[DescribedFace]:
        image = frame.image()
        (seen,) = self._describer.describe_pictures([image], self._options.gates)
        self._left_out += seen.left_out
        scale = self._video.width / image.width
        return [one if scale == 1 else _enlarged(one, scale) for one in seen.faces]


def has_news(before: Pixels, now: Pixels) -> bool:
    """Say whether a small picture shows something that another one of its size does not."""
    return bool(np.abs(_cells(now) - _cells(before)).max() >= NEWS)


def _cells(small: Pixels) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    height, width = (max(side // CELL, 1) for side in small.shape[:2])
    rows = np.linspace(0, small.shape[0], height, endpoint=False).astype(int)
    columns = np.linspace(0, small.shape[1], width, endpoint=False).astype(int)
    sums = np.add.reduceat(np.add.reduceat(small.astype(np.float64), rows), columns, axis=1)
    counts = np.outer(np.diff(rows, append=small.shape[0]), np.diff(columns, append=small.shape[1]))
    return np.asarray(sums / counts[:, :, None])


def _is_flat(small: Pixels) -> bool:
    return float(small.astype(np.float32).std(axis=(0, 1)).max()) < FLAT


def _enlarged(described: DescribedFace, scale: float) -> DescribedFace:
    """Return a face in pixels of the video that was found in a smaller picture of it."""
    face, quality = described.face, described.quality
    landmarks = face.landmarks and Landmarks(
        *(point and Point(point.x * scale, point.y * scale) for point in face.landmarks)  # type: ignore[arg-type]
    )
    return DescribedFace(
        Face(Box(*(side * scale for side in face.box)), face.score, landmarks),
        described.crop,
        described.descriptor,
        replace(quality, size=quality.size * scale),
    )
