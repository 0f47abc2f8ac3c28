"""Writes small videos."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream
from fakes import Square, draw

from gallery.types import Pixels

RATE = 24
MILLISECONDS = Fraction(1, 1000)


@contextlib.contextmanager
def usual_priority() -> Iterator[None]:
    """Leave this thread's turn as it was.

    SVT-AV1, run by root, puts whoever calls it before everything else on the machine, for good: the
    tests that follow, and the browsers that they start, would let nothing else run.
    """
    if sys.platform != "linux":
        yield
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


def write_video(
    path: Path,
    frames: Sequence[tuple[float, Pixels]],
    *,
    codec: str = "ffv1",
    pixel_format: str = "bgr0",
    rotation: float | None = None,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Save pictures with their times in seconds, without loss unless a codec is named."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with usual_priority(), av.open(str(path), "w") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=RATE))
        stream.height, stream.width = frames[0][1].shape[:2]
        stream.pix_fmt = pixel_format
        stream.options = {**(options or {})}
        stream.codec_context.time_base = MILLISECONDS
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for time, pixels in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), MILLISECONDS
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """Save a file of silence, without a picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def scene(*squares: Square, brightness: int = 0, width: int = 160, height: int = 120) -> Pixels:
    """Return a picture with faces that FakeDetector finds, on a ground of some brightness."""
    pixels = draw(*squares, width=width, height=height)
    ground = np.ptp(pixels.astype(np.int16), axis=2) < 10
    eyes = pixels.max(axis=2) < 50
    pixels[ground & ~eyes] = np.clip(
        pixels[ground & ~eyes].astype(np.int16) + brightness, 0, 255
    ).astype(np.uint8)
    return pixels


def at_rate(pictures: Sequence[Pixels], start: float = 0.0) -> list[tuple[float, Pixels]]:
    """Return pictures with the times they are shown at, 24 a second."""
    return [(start + number / RATE, pixels) for number, pixels in enumerate(pictures)]
