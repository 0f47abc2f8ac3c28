"""Subtitles that say who is on screen: WebVTT and SRT, at the top of the picture.

WebVTT: https://www.w3.org/TR/webvtt1/. SRT has no standard; it is written as FFmpeg reads it.
"""

from __future__ import annotations

import re

from gallery.numerics.spans import scenes
from gallery.output.screen_time import Episode
from gallery.system.escapes import one_line

GAP = 1.0
"""Seconds that a character may be away without a new cue: a face turned aside, a short cut."""

NOTE = "NOTE Who is on screen, written by gallery"

TOP = r"{\an8}"
"""What puts the text of an SRT cue to the top, so that it covers no words spoken."""

OURS = re.compile(r"\d+\n.*\n" + re.escape(TOP))
"""How a cue of ours begins."""

UNREADABLE_IN_SRT = str.maketrans("<>{}\\", "＜＞｛｝＼")
"""SRT can escape nothing: these would begin a tag or a line, and are written wide instead."""


def webvtt(video: Episode) -> str:
    """Return a cue for every time that a character is on screen; cues may overlap."""
    cues = sorted(
        (span, _escaped(name)) for name, spans in video.cast(GAP).items() for span in spans
    )
    lines = [
        f"{_time(span.start, '.')} --> {_time(span.end, '.')} line:0\n<v {name}>{name}</v>\n\n"
        for span, name in cues
    ]
    return f"WEBVTT\n\n{NOTE}\n\n{''.join(lines)}"


def srt(video: Episode) -> str:
    """Return a cue for every time that the same characters are on screen, a line for each."""
    return "".join(
        f"{number}\n{_time(span.start, ',')} --> {_time(span.end, ',')}\n"
        f"{TOP}{chr(10).join(_plain(name) for name in names)}\n\n"
        for number, (span, names) in enumerate(scenes(video.cast(GAP)), 1)
    )


def is_our_webvtt(content: bytes) -> bool:
    """Say whether gallery wrote a file."""
    return NOTE.encode() in content[:200]


def is_our_srt(content: bytes) -> bool:
    """Say whether gallery wrote a file: all its cues are at the top, which no dialogue's are."""
    cues = content.decode("utf-8", "replace").split("\n\n")[:-1]
    return not content.strip() or (bool(cues) and all(OURS.match(one) for one in cues))


def _time(seconds: float, point: str) -> str:
    """Return hours, minutes, seconds and thousandths: 01:02:03.500."""
    thousandths = max(round(seconds * 1000), 0)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"


def _escaped(name: str) -> str:
    return one_line(name).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(name: str) -> str:
    return one_line(name).translate(UNREADABLE_IN_SRT)
