"""Video file -> frames with their true times.

A file is read through Python's own files and with a list of containers, so that no playlist in a
stranger's file leads to another file or to the network.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gallery.errors import MissingPackage, UnreadableFile, UnreadableVideo
from gallery.media.images import MAX_PIXELS
from gallery.media.timecodes import timecode
from gallery.system.reading import open_file
from gallery.types import Image, Pixels

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

FORMATS = "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,flv,asf,mpeg,mpegts,mpegvideo,ogg,h264,hevc"
"""Containers that are let near a stranger's file. None of them names other files to be read."""

MAX_SIDE = 1920
"""Larger frames are scaled down to this: a crop wants no more, and memory stays bounded."""

SMALL = 160
"""The longer side of a frame's small picture, which shots and news are told by."""

FRAME_TIME = 1 / 24
"""How long a frame is taken to last where a file says neither when it comes nor how fast it runs.
"""

TOLERANCE = 0.0005
"""Half a thousandth of a second: containers round times to thousandths."""

MISSING_SECONDS = 2.0
"""A file that ends so long before its header says was cut off; sound may outlast the picture."""

MICROSECONDS = 1_000_000
"""The unit in which FFmpeg counts a container's time, of a second."""

MAX_THREADS = 4

UNSPECIFIED = 2
"""ITU-T H.273's number for colours that a video says nothing of."""

HIGH = 576
"""Frames that say nothing of their colours are of BT.709 where they are higher than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a video; its pixels are made when they are asked for."""

    time: float
    """Seconds from the video's beginning."""
    small: Pixels
    """What it shows, at most SMALL pixels wide and high, RGB."""
    path: Path
    decoded: VideoFrame
    scaler: FrameScaler

    def image(self) -> Image:
        """Return it upright, with square pixels, RGB, scaled down to MAX_SIDE where it is larger.

        It has no digest: a frame is no file.
        """
        return Image(self.scaler.large(self.decoded), "", self.path)


class FrameScaler:
    """Turns decoded frames of any depth and shape into upright RGB with square pixels."""

    def __init__(self, first: VideoFrame, aspect: float) -> None:
        """Take size and turn from a video's first frame; aspect is a pixel's width over height."""
        from av.video.reformatter import VideoReformatter

        # The matrix turns counter-clockwise, as np.rot90 does.
        self._turns = round(first.rotation / 90) % 4
        width, height = max(round(first.width * aspect), 1), first.height
        self.width, self.height = (height, width) if self._turns % 2 else (width, height)
        """The video's size in pixels as it is shown."""
        self._for_small, self._for_large = VideoReformatter(), VideoReformatter()

    def small(self, decoded: VideoFrame) -> Pixels:
        """Return a frame at most SMALL pixels wide and high."""
        return self._rgb(self._for_small, decoded, min(SMALL / max(self.width, self.height), 1.0))

    def large(self, decoded: VideoFrame) -> Pixels:
        """Return a frame at most MAX_SIDE pixels wide and high."""
        return self._rgb(
            self._for_large, decoded, min(MAX_SIDE / max(self.width, self.height), 1.0)
        )

    def _rgb(self, reformatter: VideoReformatter, decoded: VideoFrame, scale: float) -> Pixels:
        from av.video.reformatter import Colorspace

        width, height = max(round(self.width * scale), 1), max(round(self.height * scale), 1)
        if self._turns % 2:
            width, height = height, width
        says_nothing = int(decoded.colorspace) == UNSPECIFIED
        scaled = reformatter.reformat(
            decoded,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=Colorspace.ITU709 if says_nothing and decoded.height > HIGH else None,
            interpolation="AREA" if scale < 1 else "BICUBIC",
        )
        pixels = np.asarray(scaled.to_ndarray(), np.uint8)
        return np.ascontiguousarray(np.rot90(pixels, self._turns)) if self._turns else pixels


class VideoReader:
    """A video file, open."""

    def __init__(self, path: Path) -> None:
        """Open a file. Raises SetupError without PyAV, InputError for what is no video."""
        self.path = path
        self.damaged = False
        """True once a part could not be decoded."""
        self.last = -1.0
        """The time of the last frame that was decoded; below 0 before there is one."""
        library()
        try:
            self._file = open_file(path)
        except OSError as error:
            raise UnreadableFile(path, f"cannot be read: {error.strerror}") from error
        try:
            if os.fstat(self._file.fileno()).st_size == 0:
                raise UnreadableVideo(path, "is empty")
            self._container = self._opened()
            self._stream = self._chosen_stream()
            self._scaler = self._learn_size()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        if hasattr(self, "_container"):
            self._container.close()
        self._file.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def width(self) -> int:
        """How wide it is shown, in pixels: upright, and with square pixels."""
        return self._scaler.width

    @property
    def height(self) -> int:
        """How high it is shown, in pixels: upright, and with square pixels."""
        return self._scaler.height

    @property
    def duration(self) -> float | None:
        """How many seconds its header says it runs; None where it says nothing."""
        if self._container.duration:
            return float(self._container.duration) / MICROSECONDS
        if self._stream.duration and self._stream.time_base:
            return float(self._stream.duration * self._stream.time_base)
        return None

    @property
    def rate(self) -> Fraction | None:
        """How many frames a second it has in the mean; None where its header says nothing."""
        return self._stream.average_rate or self._stream.guessed_rate

    def cut_short(self, end: float | None = None) -> str | None:
        """Return a sentence about what is missing up to a time, once the frames are all read."""
        expected = self.duration if end is None else min(end, self.duration or end)
        if expected is not None and self.last + MISSING_SECONDS < expected:
            return (
                f"{self.path} ends at {timecode(self.last)} instead of {timecode(expected)}; "
                "what is there was looked at."
            )
        if self.damaged:
            return f"{self.path} is damaged in parts; what could be decoded was looked at."
        return None

    def frames(
        self, start: float = 0.0, end: float | None = None, *, all_of_them: bool = False
    ) -> Iterator[Frame]:
        """Yield the frames from a time on and before another, in the order they are shown in.

        Frames that no other frame is made of are passed over unless all are wanted: that saves
        about half of the work. What cannot be decoded is passed over and noted.
        """
        self._seek(start)
        for decoded in self._from_before(start, all_of_them=all_of_them):
            time = self._time_of(decoded)
            if time <= self.last - TOLERANCE:
                continue
            if end is not None and time >= end - TOLERANCE:
                self.last = max(end, self.last)
                return
            self.last = max(time, 0.0)
            if time < start - TOLERANCE:
                continue
            if decoded.is_corrupt:
                self.damaged = True
                continue
            yield Frame(self.last, self._scaler.small(decoded), self.path, decoded, self._scaler)

    def _opened(self) -> InputContainer:
        av = library()
        try:
            container: InputContainer = av.open(
                self._file,
                "r",
                container_options={"format_whitelist": FORMATS, "protocol_whitelist": "file"},
                metadata_errors="replace",
            )
        except Exception as error:
            # Damaged headers raise anything at all: ValueError and UnicodeError among it.
            raise UnreadableVideo(
                self.path, "is not a video that can be read, or its beginning or end is missing"
            ) from error
        return container

    def _chosen_stream(self) -> VideoStream:
        """Return the video stream to decode: not the cover picture that music carries."""
        from gallery.system.threads import available_cores

        for stream in self._container.streams.video:
            if "attached_pic" in str(stream.disposition):
                continue
            if stream.codec_context is None:
                raise UnreadableVideo(self.path, "is coded in a way that cannot be decoded here")
            stream.thread_type = "AUTO"
            # Every thread holds frames of its own.
            stream.codec_context.thread_count = min(available_cores(), MAX_THREADS)
            return stream
        raise UnreadableVideo(self.path, "holds no video, only sound or other things")

    def _learn_size(self) -> FrameScaler:
        """Read the first frame: some containers tell size and rotation only there."""
        if self._stream.width * self._stream.height > MAX_PIXELS:
            raise UnreadableVideo(
                self.path,
                f"has frames of more than {MAX_PIXELS // 1_000_000} megapixels",
                remedy="scale it down",
            )
        first = next(self._decoded(), None)
        if first is None:
            raise UnreadableVideo(self.path, "holds no frame that can be decoded")
        return FrameScaler(first, float(self._stream.sample_aspect_ratio or 1) or 1.0)

    def _decoded(self) -> Iterator[VideoFrame]:
        av = library()
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
            except (av.FFmpegError, OSError):
                self.damaged = True
                return
            try:
                yield from packet.decode()
            except (av.FFmpegError, OSError):
                # After a seek the first frames may lack those that they are made of.
                self.damaged = self.damaged or self.last >= 0

    def _from_before(self, start: float, *, all_of_them: bool) -> Iterator[VideoFrame]:
        """Yield frames from a key frame before a time on.

        Transport streams may land behind it; they are read from their beginning then.
        """
        self._pass_over(all_of_them=all_of_them)
        frames = self._decoded()
        first = next(frames, None)
        if start > 0 and (first is None or self._time_of(first) > start + TOLERANCE):
            self._open_again()
            self._pass_over(all_of_them=all_of_them)
            yield from self._decoded()
        elif first is not None:
            yield first
            yield from frames

    def _pass_over(self, *, all_of_them: bool) -> None:
        self._stream.codec_context.skip_frame = "DEFAULT" if all_of_them else "NONREF"

    def _seek(self, start: float) -> None:
        """Go to the key frame before a time."""
        av = library()
        self.last, self.damaged = -1.0, False
        if start <= 0:
            self._open_again()
            return
        try:
            self._container.seek(round((start + self._begin) * MICROSECONDS), backward=True)
        except (av.FFmpegError, OSError):
            self._open_again()

    def _open_again(self) -> None:
        """Go to the very beginning, which not every container can be told to."""
        self._container.close()
        self._file.seek(0)
        self._container = self._opened()
        self._stream = self._chosen_stream()

    @property
    def _begin(self) -> float:
        """The time stamp that players show as 0, in seconds."""
        return (self._container.start_time or 0) / MICROSECONDS

    def _time_of(self, decoded: VideoFrame) -> float:
        if decoded.pts is not None and decoded.time_base is not None:
            return float(decoded.pts * decoded.time_base) - self._begin
        rate = self._stream.average_rate or self._stream.guessed_rate
        return 0.0 if self.last < 0 else self.last + (1 / float(rate) if rate else FRAME_TIME)


def library() -> Any:
    """Return PyAV. Raises SetupError where it is not installed."""
    try:
        import av
    except ImportError as error:
        raise MissingPackage("Videos", "video") from error
    return av
