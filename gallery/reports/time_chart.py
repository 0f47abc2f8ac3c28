"""A picture of who is when on screen: a strip for each video, in it a lane for each character."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from gallery.numerics.spans import Span

WIDTH, MARGIN, LANE, TITLE = 1200, 24, 22, 44
LABEL, SECONDS = 260, 90
"""How wide the names and the seconds before the lanes are, in pixels."""

MOST_LETTERS = 30
"""Of a name; the rest is told by a pointer that rests on it."""

TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
"""Seconds that may lie between two marks of the time."""

COLOURS = ("#3568a8", "#b3472f", "#3d8a4e", "#8a5fb0", "#b07a1e", "#2b8c93", "#b04a7a", "#667085")


@dataclass(frozen=True, slots=True)
class Strip:
    """One video."""

    title: str
    seconds: float
    lanes: Mapping[str, Sequence[Span]]
    """When each character is on screen."""


def drawn(strips: Sequence[Strip]) -> str:
    """Return an SVG file; a character has one colour in all of its videos."""
    names = list(dict.fromkeys(name for strip in strips for name in strip.lanes))
    colours = {name: COLOURS[row % len(COLOURS)] for row, name in enumerate(names)}
    parts, top = [], float(MARGIN)
    for strip in strips:
        parts.append(_strip(strip, colours, top))
        top += TITLE + LANE * max(len(strip.lanes), 1) + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top:.0f}" '
        f'viewBox="0 0 {WIDTH} {top:.0f}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{"".join(parts)}</svg>\n'
    )


def _strip(strip: Strip, colours: Mapping[str, str], top: float) -> str:
    lanes = top + TITLE
    height = LANE * max(len(strip.lanes), 1)
    lines = [_text(MARGIN, top + 14, strip.title, bold=True)]
    for moment in _marks(strip.seconds):
        x = _x(moment, strip.seconds)
        lines.append(
            f'<path d="M{x:.1f} {lanes - 4:.1f}v{height + 4}" stroke="#d0d5dd"/>\n'
            + _text(x, lanes - 8, _clock(moment), anchor="middle")
        )
    if not strip.lanes:
        lines.append(_text(MARGIN, lanes + 15, "Nobody known is on screen."))
    for row, (name, spans) in enumerate(strip.lanes.items()):
        y = lanes + row * LANE
        seconds = sum(one.seconds for one in spans)
        lines.append(_text(MARGIN, y + 15, name))
        lines.append(_text(LABEL + SECONDS - 12, y + 15, f"{seconds:.1f} s", anchor="end"))
        lines += [_bar(name, one, strip.seconds, y, colours[name]) for one in spans]
    return "".join(lines)


def _bar(name: str, span: Span, seconds: float, y: float, colour: str) -> str:
    left, right = _x(span.start, seconds), _x(span.end, seconds)
    told = escape(f"{name}, {_clock(span.start)} to {_clock(span.end)}")
    return (
        f'<rect x="{left:.1f}" y="{y + 3:.1f}" width="{max(right - left, 1):.1f}" '
        f'height="{LANE - 6}" fill="{colour}"><title>{told}</title></rect>\n'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    short = text if len(text) <= MOST_LETTERS or bold else f"{text[: MOST_LETTERS - 1]}…"
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>'
        f"<title>{escape(text)}</title>{escape(short)}</text>\n"
    )


def _x(moment: float, seconds: float) -> float:
    """Return the pixel of a moment; none lies beyond the lanes."""
    share = min(moment / seconds, 1.0) if seconds > 0 else 0.0
    return LABEL + SECONDS + share * (WIDTH - MARGIN - LABEL - SECONDS)


def _marks(seconds: float) -> list[float]:
    """Return at most about ten round moments."""
    step = next((one for one in TICKS if one * 10 >= seconds), TICKS[-1])
    return [float(step * row) for row in range(int(seconds // step) + 1)]


def _clock(moment: float) -> str:
    minutes, second = divmod(int(moment), 60)
    hours = f"{minutes // 60}:{minutes % 60:02d}" if minutes >= 60 else f"{minutes}"
    return f"{hours}:{second:02d}"
