"""Single frames of videos, for outputs that show what was seen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gallery.errors import InputError
from gallery.media.timecodes import timecode
from gallery.media.video_reader import TOLERANCE, Frame, VideoReader
from gallery.types import Box, Image, VideoRecord, VideoTrack

FORWARD = 10.0
"""Seconds that are decoded through rather than sought: key frames are about so far apart."""


class Stills:
    """Gives the best moments of tracks; a video is held open while its tracks come."""

    def __init__(self) -> None:
        self._video: VideoReader | None = None
        self._frames: Iterator[Frame] = iter(())
        self._time = 0.0
        self._last: Image | None = None

    def of(self, record: VideoRecord) -> Image:
        """Return the frame of a track's best moment, upright and scaled down as decoding says.

        Raises InputError where the video can no longer be read or has no such frame.
        """
        if not isinstance(record.part, VideoTrack):
            raise InputError(f"A part of {record.path} that is no track has no best moment.")
        video, best = self._opened(record.path), record.part.best
        if self._last is not None and abs(best - self._time) <= TOLERANCE:
            return self._last
        self._last = None
        if not self._time < best <= self._time + FORWARD:
            # Skips the same frames as the job that labelled the video.
            some = record.asked[2] > 0
            self._frames = video.frames(best, all_of_them=not some)
        for frame in self._frames:
            self._time = frame.time
            # Tables keep times to the thousandth.
            if frame.time >= best - 2 * TOLERANCE:
                self._last = frame.image()
                return self._last
        raise InputError(f"{record.path} has no frame at {timecode(best)} any more.")

    def close(self) -> None:
        """Let go of the file."""
        if self._video is not None:
            self._video.close()
        self._video, self._last, self._frames = None, None, iter(())

    def _opened(self, path: Path) -> VideoReader:
        if self._video is None or self._video.path != path:
            self.close()
            self._time = float("inf")
            self._video = VideoReader(path)
        return self._video


def box_in(still: Image, record: VideoRecord) -> Box:
    """Return where the face of a track is in a still of it, which may be smaller than the video.

    It goes by the whole pixels that records are written with.
    """
    width, height = record.width or still.width, record.height or still.height
    scale = still.width / width
    return Box(*(side * scale for side in record.faces[0].face.box.within(width, height)))


def name_of(record: VideoRecord, ending: str, room: int) -> str:
    """Return a file name for a still of a track: the video's, its time, its shot and track.

    The video's own name is cut where the whole would take more bytes than there is room for.
    Raises InputError for what is no track.
    """
    part = record.part
    if not isinstance(part, VideoTrack):
        raise InputError(f"A part of {record.path} that is no track has no still.")
    when = timecode(part.best).replace(":", "-")
    behind = f"_{when}_{part.shot}-{part.track}{ending}"
    stem, left = os.fsencode(record.path.stem), room - len(os.fsencode(behind))
    whole = os.fsdecode(stem) if len(stem) <= left else stem[:left].decode("utf-8", "ignore")
    return whole + behind
