"""Chapters of who is on screen: Matroska's XML, which mkvmerge takes, and FFmpeg's metadata.

https://mkvtoolnix.download/doc/mkvmerge.html#mkvmerge.chapters and
https://ffmpeg.org/ffmpeg-formats.html#Metadata-1.
"""

from __future__ import annotations

import hashlib
import re
from xml.sax.saxutils import escape

from gallery.numerics.spans import Span, scenes
from gallery.output.screen_time import Episode
from gallery.system.escapes import one_line

GAP = 10.0
"""Seconds that a character may be away within a chapter: two who speak are shown in turns."""

NOBODY = "-"
"""The chapter of what is between: without it a player would go on with the one before."""

NO_XML = re.compile("[\ufffe\uffff]")
"""Letters that no XML may hold, besides those that one_line takes away."""

NOTE = "Who is on screen, written by gallery"


def matroska(video: Episode) -> str:
    """Return chapters as mkvmerge, mkvpropedit and some media servers read them."""
    atoms = "".join(
        "    <ChapterAtom>\n"
        f"      <ChapterUID>{_number(video, span)}</ChapterUID>\n"
        f"      <ChapterTimeStart>{_time(span.start)}</ChapterTimeStart>\n"
        f"      <ChapterTimeEnd>{_time(span.end)}</ChapterTimeEnd>\n"
        "      <ChapterDisplay>\n"
        f"        <ChapterString>{escape(NO_XML.sub('', title))}</ChapterString>\n"
        "        <ChapterLanguage>und</ChapterLanguage>\n"
        "      </ChapterDisplay>\n"
        "    </ChapterAtom>\n"
        for span, title in chapters(video)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {NOTE} -->\n'
        f"<Chapters>\n  <EditionEntry>\n{atoms}  </EditionEntry>\n</Chapters>\n"
    )


def ffmetadata(video: Episode) -> str:
    """Return chapters as `ffmpeg -i` reads them, in milliseconds."""
    return f";FFMETADATA1\n;{NOTE}\n" + "".join(
        "[CHAPTER]\nTIMEBASE=1/1000\n"
        f"START={round(span.start * 1000)}\nEND={round(span.end * 1000)}\n"
        f"title={_escaped(title)}\n"
        for span, title in chapters(video)
    )


def chapters(video: Episode) -> list[tuple[Span, str]]:
    """Return the video cut where somebody comes or goes, each part with the names in it."""
    found: list[tuple[Span, str]] = []
    at = 0.0
    for span, names in scenes(video.cast(GAP)):
        if span.start > at:
            found.append((Span(at, span.start), NOBODY))
        found.append((span, ", ".join(one_line(name) for name in names)))
        at = span.end
    if video.end > at:
        found.append((Span(at, video.end), NOBODY))
    return found


def is_ours(content: bytes) -> bool:
    """Say whether gallery wrote a file."""
    return NOTE.encode() in content[:200]


def _time(seconds: float) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}000000"


def _number(video: Episode, span: Span) -> int:
    """Return what a chapter is known by: never 0, the same whenever it is written again."""
    content = f"{video.path.name} {span.start:.3f}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(content).digest()[:7], "big") + 1


def _xml(text: str) -> str:
    return escape(NO_XML.sub("", text))


def _escaped(text: str) -> str:
    return re.sub(r"([=;#\\])", r"\\\1", text)
