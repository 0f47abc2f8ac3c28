"""Markers of who is on screen for programs that cut films: EDL and OpenTimelineIO.

Both count frames, so that the video is opened for its rate.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING

from gallery.errors import MissingPackage
from gallery.media.video_reader import VideoReader
from gallery.numerics.spans import Span
from gallery.output.screen_time import Episode
from gallery.output.subtitles import GAP
from gallery.system.escapes import one_line
from gallery.system.file_names import printable
from gallery.system.files import absolute

if TYPE_CHECKING:
    from opentimelineio.opentime import TimeRange

USUAL = Fraction(24000, 1001)
"""Frames a second of most episodes, for a file that says nothing or nothing that can be."""

FASTEST = 240

FIRST_HOUR = 3600
"""Where time lines of DaVinci Resolve begin, in seconds of time code."""

COLOURS = ("BLUE", "GREEN", "YELLOW", "RED", "PURPLE", "CYAN", "PINK", "ORANGE")
"""In which characters are marked, those who are on screen for longest first."""

RESOLVE = ("Blue", "Green", "Yellow", "Red", "Purple", "Cyan", "Pink", "Sand")
"""What DaVinci Resolve calls them, which has no orange."""

TITLE = "TITLE: Who is on screen, by gallery: "
"""How an edit list of ours begins; readers take no comment before the first event."""

MADE_BY = "gallery: who is on screen"


def edl(video: Episode) -> str:
    """Return an edit list whose events are markers, as DaVinci Resolve imports them.

    Raises InputError where the video cannot be opened.
    """
    rate = frame_rate(video)
    marks = sorted(
        (span, RESOLVE[row % len(RESOLVE)], name)
        for row, (name, spans) in enumerate(video.cast(GAP).items())
        for span in spans
    )
    title = _one_line(printable(video.path.name))
    lines = [f"{TITLE}{title}\nFCM: NON-DROP FRAME\n"]
    for number, (span, colour, name) in enumerate(marks, 1):
        first, frames = _frames(span, rate)
        come, gone = (_timecode(one, round(rate)) for one in (first, first + 1))
        lines.append(
            f"\n{number:03d}  001      V     C        {come} {gone} {come} {gone}\n"
            f" |C:ResolveColor{colour} |M:{_one_line(name)} |D:{frames}\n"
        )
    return "".join(lines)


def otio(video: Episode) -> str:
    """Return a time line with the video as its one clip, and a marker for every span.

    Raises InputError where the video cannot be opened, and SetupError without opentimelineio.
    """
    require_otio()
    from opentimelineio import opentime, schema

    rate = float(frame_rate(video))

    def stretch(span: Span) -> TimeRange:
        return opentime.TimeRange(
            opentime.RationalTime.from_seconds(span.start, rate),
            opentime.RationalTime.from_seconds(span.seconds, rate),
        )

    whole = stretch(Span(0.0, video.end))
    name = printable(video.path.name)
    clip = schema.Clip(
        name, schema.ExternalReference(absolute(video.path).as_uri(), whole), source_range=whole
    )
    for row, (who, spans) in enumerate(video.cast(GAP).items()):
        for span in spans:
            marked = stretch(span)
            clip.markers.append(schema.Marker(who, marked, COLOURS[row % len(COLOURS)]))
    track = schema.Track(name, [clip], kind=schema.TrackKind.Video)
    made = schema.Timeline(name, metadata={"gallery": MADE_BY})
    made.tracks.append(track)
    text: str = made.to_json_string()
    return text + "\n"


def require_otio() -> None:
    """Raise SetupError where OpenTimelineIO's library is not installed."""
    try:
        import opentimelineio  # noqa: F401 - whether it is there
    except ImportError as error:
        raise MissingPackage("OpenTimelineIO files", "otio") from error


def frame_rate(video: Episode) -> Fraction:
    """Return a video's frames a second. Raises InputError where it cannot be opened."""
    with VideoReader(video.path) as opened:
        rate = opened.rate
    return rate if rate is not None and 0 < rate <= FASTEST else USUAL


def is_our_edl(content: bytes) -> bool:
    """Say whether gallery wrote a file."""
    return content.startswith(TITLE.encode())


def is_our_otio(content: bytes) -> bool:
    """Say whether gallery wrote a file."""
    try:
        return bool(json.loads(content)["metadata"]["gallery"] == MADE_BY)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _frames(span: Span, rate: Fraction) -> tuple[int, int]:
    """Return the first frame of a span, and how many it has."""
    first, last = round(span.start * rate), round(span.end * rate)
    return first, max(last - first, 1)


def _timecode(frame: int, base: int) -> str:
    """Return a frame's time code, which counts so many frames a second without dropping any."""
    seconds, frames = divmod(frame, base)
    minutes, second = divmod(seconds + FIRST_HOUR, 60)
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}:{second:02d}:{frames:02d}"


def _one_line(text: str) -> str:
    """Return a text on a marker's line, which a bar would end."""
    return one_line(text).replace("|", "¦")
