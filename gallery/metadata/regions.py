"""Places of faces in shares of a picture's width and height, and whether two are of one face.

Metadata counts places in the picture as the file stores it, before its EXIF orientation turns it;
gallery counts in the picture as it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gallery.numerics.assignment import pairs_of
from gallery.types import Box


class Area(NamedTuple):
    """A rectangle in shares of a picture, 0 to 1: its centre and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Region:
    """A face in a picture as it is shown, in shares of its width and height."""

    area: Area
    name: str | None = None
    """None where nobody has said who it is."""
    is_guess: bool = False
    """The name is gallery's own answer, and nobody has changed it."""


class Shape(NamedTuple):
    """How a picture is stored: its size in pixels, and the EXIF orientation that shows it."""

    width: int
    height: int
    orientation: int = 1

    @property
    def is_sideways(self) -> bool:
        """True where showing it swaps width and height."""
        return self.orientation in (5, 6, 7, 8)

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height of the picture as it is shown."""
        return (self.height, self.width) if self.is_sideways else (self.width, self.height)


def area_of(box: Box, width: int, height: int) -> Area:
    """Return the part of a box that lies inside a picture of a size in pixels."""
    left, top, right, bottom = box.within(width, height)
    return Area(
        (left + right) / 2 / width,
        (top + bottom) / 2 / height,
        (right - left) / width,
        (bottom - top) / height,
    )


def box_of(area: Area, width: int, height: int) -> Box:
    """Return an area as a box in pixels of a picture of this size."""
    return Box(
        (area.x - area.width / 2) * width,
        (area.y - area.height / 2) * height,
        (area.x + area.width / 2) * width,
        (area.y + area.height / 2) * height,
    )


def shown(area: Area, orientation: int) -> Area:
    """Return where an area of the stored picture lies when EXIF orientation has turned it."""
    x, y, width, height = area
    places = {
        2: (1 - x, y),
        3: (1 - x, 1 - y),
        4: (x, 1 - y),
        5: (y, x),
        6: (1 - y, x),
        7: (1 - y, 1 - x),
        8: (y, 1 - x),
    }
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    return Area(*places.get(orientation, (x, y)), width, height)


def stored(area: Area, orientation: int) -> Area:
    """Return where an area of the shown picture lies in the stored one; undoes `shown`."""
    # All are their own way back but the two quarter turns, which undo each other.
    return shown(area, {6: 8, 8: 6}.get(orientation, orientation))


def overlap(one: Area, other: Area) -> float:
    """Return the intersection of two areas over their union; 0 where they show two faces.

    Programs frame different things, the face from brow to chin or the whole head, so that one
    area may lie in the other: two areas are of one face when half of the smaller lies in the
    larger and the larger is not over eight times as large.
    """
    wide = _common(one.x, one.width, other.x, other.width)
    high = _common(one.y, one.height, other.y, other.height)
    inside = wide * high
    areas = sorted((one.width * one.height, other.width * other.height))
    if inside <= 0 or inside < areas[0] / 2 or areas[1] > 8 * areas[0]:
        return 0.0
    return inside / (areas[0] + areas[1] - inside)


def pairs(some: Sequence[Area], others: Sequence[Area]) -> dict[int, int]:
    """Return which of some areas is which of the others, each at most once, best overlap first."""
    return pairs_of(
        (-shared, row, column)
        for row, one in enumerate(some)
        for column, other in enumerate(others)
        if (shared := overlap(one, other)) > 0
    )


def _common(one: float, length: float, other: float, other_length: float) -> float:
    """Return how much of two stretches, given by centre and length, is of both."""
    start = max(one - length / 2, other - other_length / 2)
    return min(one + length / 2, other + other_length / 2) - start
