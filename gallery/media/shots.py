"""Where one shot ends and the next begins.

PySceneDetect's AdaptiveDetector tells it from the frames' small pictures: a video is decoded once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from gallery.errors import SetupError
from gallery.media.video_reader import MICROSECONDS, Frame
from gallery.types import Pixels

SHORTEST = 0.5
"""Seconds. A flash or a lightning makes no new shot."""

LOOK_AHEAD = 3
"""How many frames later it is known whether a frame is the last of its shot: the detector compares
a frame with two after it, and the next frame has to be known."""

NOMINAL_RATE = 24.0
"""The detector needs a frame rate; every question to it uses times instead."""


class FrameOfShot(NamedTuple):
    """A frame and its place in a shot."""

    frame: Frame
    begins: bool
    """It is the first frame of a shot."""
    ends: bool
    """It is the last frame of a shot, or of all."""


class CutDetector:
    """Tells at which frames a shot begins."""

    def __init__(self) -> None:
        """Prepare a detector. Raises SetupError where PySceneDetect is not installed."""
        try:
            from scenedetect.common import FrameTimecode, Timecode
            from scenedetect.detectors import AdaptiveDetector
        except ImportError as error:
            raise SetupError(
                "Videos want packages that are not installed: pip install 'gallery[video]'."
            ) from error
        self._timecode, self._frame_timecode = Timecode, FrameTimecode
        self._detector = AdaptiveDetector(min_scene_len=SHORTEST)

    def cuts(self, time: float, small: Pixels) -> list[float]:
        """Take the next frame and return the times of frames, now or before, that begin a shot."""
        pts = round(time * MICROSECONDS)
        stamp = self._timecode(pts=pts, time_base=Fraction(1, MICROSECONDS))
        bgr = np.ascontiguousarray(small[:, :, ::-1])
        found = self._detector.process_frame(self._frame_timecode(stamp, fps=NOMINAL_RATE), bgr)
        return [one.pts / MICROSECONDS for one in found]


def in_shots(frames: Iterable[Frame]) -> Iterator[FrameOfShot]:
    """Yield frames with their places in shots, LOOK_AHEAD frames after they came."""
    detector = CutDetector()
    waiting: deque[Frame] = deque()
    cuts: set[int] = set()
    begins = True
    for frame in frames:
        waiting.append(frame)
        cuts.update(round(time * MICROSECONDS) for time in detector.cuts(frame.time, frame.small))
        if len(waiting) > LOOK_AHEAD:
            first = waiting.popleft()
            ends = round(waiting[0].time * MICROSECONDS) in cuts
            yield FrameOfShot(first, begins, ends)
            begins = ends
    while waiting:
        first = waiting.popleft()
        ends = not waiting or round(waiting[0].time * MICROSECONDS) in cuts
        yield FrameOfShot(first, begins, ends)
        begins = ends
