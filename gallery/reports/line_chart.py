"""Line charts as SVG that stands in a page: its colours follow the page's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 16, 88
COLOURS = 6
"""How many colours the page knows, as classes `line-0` and on; then they begin again, dashed."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart, with the band between low and high where these are given."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    marked: bool = False
    """True for few points that were measured one by one: each gets a dot."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart of lines. Points that are not finite, or not above 0 on a log axis, are left out."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    log_x: bool = False
    y_range: tuple[float, float] | None = None
    """The range of the upright axis; None shows all of the lines."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Turns values into places between two pixels."""

    low: float
    high: float
    first: float
    last: float
    log: bool

    def place(self, value: float) -> float:
        """Return the pixel of a value; values beyond the axis lie on its end."""
        low, high = (self._on_scale(end) for end in (self.low, self.high))
        share = (self._on_scale(min(max(value, self.low), self.high)) - low) / (high - low)
        return self.first + share * (self.last - self.first)

    def _on_scale(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def ticks(self) -> list[float]:
        """Return about five round values: decades where there are several, else even steps."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            decades = [power for power in (10.0**one for one in powers) if self._holds(power)]
            return decades if len(decades) > 1 else [self.low, self.high]
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first + 1
        return [(first + number) * step for number in range(count)]

    def _holds(self, value: float) -> bool:
        return self.low * (1 - 1e-9) <= value <= self.high * (1 + 1e-9)


def draw(plot: Plot) -> str:
    """Return a plot as an SVG element, or a paragraph that says so where no line has a point."""
    lines = [_usable(line, plot.log_x) for line in plot.lines]
    lines = [line for line in lines if line.x]
    if not lines:
        return f"<p>{escape(plot.title)}: nothing to draw.</p>"
    xs = [value for line in lines for value in line.x]
    ys = [value for line in lines for value in (*line.y, *(line.low or ()), *(line.high or ()))]
    across = _axis(min(xs), max(xs), LEFT, WIDTH - RIGHT, log=plot.log_x)
    bottom, top = plot.y_range or (min(ys), max(ys))
    upright = _axis(bottom, top, HEIGHT - BOTTOM, TOP, log=False)
    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(plot.title)}</title>",
        *_grid(across, upright),
        *_labels(plot),
        *(_shape(number, line, across, upright) for number, line in enumerate(lines)),
        *_legend(lines),
        "</svg>",
    ]
    return "\n".join(parts)


def _usable(line: Line, log_x: bool) -> Line:
    """Return a line without the points that have no place."""
    kept = [
        row
        for row, (x, y) in enumerate(zip(line.x, line.y, strict=True))
        if math.isfinite(x) and math.isfinite(y) and (x > 0 or not log_x)
    ]

    def of(values: Sequence[float] | None) -> list[float] | None:
        return None if values is None else [float(values[row]) for row in kept]

    return Line(line.name, of(line.x) or [], of(line.y) or [], of(line.low), of(line.high),
                line.marked)  # fmt: skip


def _axis(low: float, high: float, first: float, last: float, *, log: bool) -> _Axis:
    """Return an axis over values, which may be all the same."""
    if high <= low:
        low, high = (low / 2, low * 2) if log else (low - 0.5, low + 0.5)
    return _Axis(low, high, first, last, log)


def _grid(across: _Axis, upright: _Axis) -> list[str]:
    low, high = HEIGHT - BOTTOM, TOP
    parts = []
    for value in across.ticks():
        x = across.place(value)
        parts.append(f'<path class="grid" d="M{x:.1f} {low}V{high}"/>')
        parts.append(f'<text x="{x:.1f}" y="{low + 16}" text-anchor="middle">{value:g}</text>')
    for value in upright.ticks():
        y = upright.place(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    return parts


def _labels(plot: Plot) -> list[str]:
    middle = (TOP + HEIGHT - BOTTOM) / 2
    return [
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - BOTTOM + 36}" '
        f'text-anchor="middle">{escape(plot.x_label)}</text>',
        f'<text transform="translate(16 {middle:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(plot.y_label)}</text>",
    ]


def _shape(number: int, line: Line, across: _Axis, upright: _Axis) -> str:
    """Return a line with its band and dots."""

    def points(values: Sequence[float]) -> list[str]:
        return [
            f"{across.place(x):.1f} {upright.place(y):.1f}"
            for x, y in zip(line.x, values, strict=True)
        ]

    shapes = []
    if line.low is not None and line.high is not None:
        around = points(line.high) + points(line.low)[::-1]
        shapes.append(f'<path class="band" d="M{"L".join(around)}Z"/>')
    places = points(line.y)
    shapes.append(f'<path class="line" d="M{"L".join(places)}"/>')
    if line.marked or len(places) == 1:
        for place in places:
            x, y = place.split()
            shapes.append(f'<circle class="dot" cx="{x}" cy="{y}" r="3.5"/>')
    return f'<g class="{_look(number)}">{"".join(shapes)}</g>'


def _look(number: int) -> str:
    dashed = " dashed" if number >= COLOURS else ""
    return f"line-{number % COLOURS}{dashed}"


def _legend(lines: Sequence[Line]) -> list[str]:
    """Return the names under the chart, four in a row."""
    parts = []
    for number, line in enumerate(lines):
        x = LEFT + number % 4 * (WIDTH - LEFT - RIGHT) / 4
        y = HEIGHT - BOTTOM + 58 + number // 4 * 18
        parts.append(
            f'<g class="{_look(number)}"><path class="line" d="M{x:.0f} {y - 4:.0f}h18"/>'
            f'<text x="{x + 24:.0f}" y="{y:.0f}">{escape(line.name)}</text></g>'
        )
    return parts
