"""Pictures with their times -> a video file to look at."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from gallery.errors import BadOutput
from gallery.media.video_reader import library
from gallery.types import Pixels

if TYPE_CHECKING:
    from av.video.stream import VideoStream

SUFFIXES = (".mp4", ".mkv")

CODECS = ("libx264", "mpeg4")
"""The first one that the libraries carry is used; the other is in all of them."""

MILLISECONDS = Fraction(1, 1000)


class VideoWriter:
    """Encodes pictures of one size, each with its time; leaving the `with` block ends the file."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        """Begin a file. Raises InputError for another suffix, and SetupError without PyAV.

        Sides are even in the file: a column or a row may be missing at the edge.
        """
        check_suffix(path)
        av = library()
        codec = next(one for one in CODECS if one in av.codec.codecs_available)
        self._width, self._height = max(width // 2 * 2, 2), max(height // 2 * 2, 2)
        self._frame = av.VideoFrame
        self._container = av.open(str(path), "w")
        self._stream = cast("VideoStream", self._container.add_stream(codec, rate=24))
        self._stream.width, self._stream.height = self._width, self._height
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"preset": "veryfast", "crf": "23"} if codec == "libx264" else {}
        self._stream.codec_context.time_base = MILLISECONDS
        self._last = -1

    def add(self, time: float, pixels: Pixels) -> None:
        """Add a picture that is shown from a time on, in seconds; times rise."""
        even = np.ascontiguousarray(pixels[: self._height, : self._width])
        frame = self._frame.from_ndarray(even, format="rgb24")
        self._last = max(round(time * 1000), self._last + 1)
        frame.pts, frame.time_base = self._last, MILLISECONDS
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


def check_suffix(path: Path) -> None:
    """Raise InputError for a file whose suffix names no format that videos are written in."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadOutput(path, f"ends in none of {', '.join(SUFFIXES)}", remedy="name it so")
