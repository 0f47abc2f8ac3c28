"""A video with boxes and names burnt in, to see whom the gallery sees where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gallery.engine.engine import Engine
from gallery.errors import UnwritableFile
from gallery.events import Advanced, Finished, Job, VideoStarted
from gallery.faces.tracking import Track
from gallery.faces.video import VideoOptions, seconds_looked_at, shots_seen
from gallery.jobs.keep_video import digest_where_decided
from gallery.jobs.label_video import answers_of
from gallery.media.video_reader import TOLERANCE, Frame, VideoReader
from gallery.media.video_writer import VideoWriter, check_suffix
from gallery.reports.annotate import annotate
from gallery.system.files import absolute, replacing
from gallery.types import Answer, Box, MatchMode, Pixels

MOST_SIDE = 1280
"""The longer side of a preview, in pixels."""


def preview(engine: Engine, path: Path, out: Path, options: VideoOptions) -> Job[Path]:
    """Write a video anew with every followed face boxed and named; sound is left out.

    The video is looked at as label_video does, and decisions rule. Between two looks a box moves
    evenly. The file is written whole or not at all. Raises InputError for a video that cannot be
    opened, another suffix, and where the video itself would be written.
    """
    check_suffix(out)
    if absolute(out) == absolute(path):
        raise UnwritableFile(out, "is the video itself", remedy="name another file")
    yield VideoStarted(path, seconds_looked_at(path, options), options.start, stage="drawing")
    try:
        with replacing(out) as unfinished, VideoReader(path) as video, VideoReader(path) as again:
            scale = min(MOST_SIDE / max(video.width, video.height), 1.0)
            size = (max(round(video.width * scale), 2), max(round(video.height * scale), 2))
            with VideoWriter(unfinished, *size) as writer:
                shown = int(options.start)
                for time, pixels in _drawn(engine, video, again, options, size):
                    writer.add(time - options.start, pixels)
                    if int(time) > shown:
                        yield Advanced(int(time) - shown)
                        shown = int(time)
    except OSError as error:
        raise UnwritableFile(out, f"cannot be written: {error.strerror or error}") from error
    yield Finished(out)


def _drawn(
    engine: Engine,
    video: VideoReader,
    again: VideoReader,
    options: VideoOptions,
    size: tuple[int, int],
) -> Iterator[tuple[float, Pixels]]:
    """Yield all frames with their times; a shot is looked at before its first frame is drawn."""
    digest = digest_where_decided(engine, video.path)
    scale = size[0] / video.width
    shots = shots_seen(video, engine.describer, engine.thresholds, options)
    last = -1.0
    tracks: Sequence[Track] = ()
    answers: Sequence[Answer] = ()
    for frame in again.frames(options.start, options.end, all_of_them=True):
        while last + TOLERANCE < frame.time and (shot := next(shots, None)) is not None:
            last, tracks = shot.last, shot.tracks
            answers = answers_of(engine, tracks, MatchMode.IDEAL, 1, digest)
        there = _there(tracks, answers, frame.time, scale)
        yield frame.time, annotate(_scaled(frame, size), there)


def _there(
    tracks: Sequence[Track], answers: Sequence[Answer], time: float, scale: float
) -> list[Answer]:
    """Return the answers of the tracks that are to be seen at a time, where their faces are."""
    found = []
    for track, answer in zip(tracks, answers, strict=True):
        if track.start - TOLERANCE <= time <= track.end + TOLERANCE:
            box = Box(*(side * scale for side in box_at(track, time)))
            found.append(replace(answer, face=replace(answer.face, box=box)))
    return found


def box_at(track: Track, time: float) -> Box:
    """Return where a track's face is at a time, in pixels of the video."""
    times = [one for one, _ in track.path]
    sides = np.array([box for _, box in track.path])
    return Box(*(float(np.interp(time, times, sides[:, side])) for side in range(4)))


def _scaled(frame: Frame, size: tuple[int, int]) -> Pixels:
    """Return what a frame shows in another size: width and height."""
    from PIL import Image as pillow

    pixels = frame.image().pixels
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(pillow.fromarray(pixels).resize(size))
