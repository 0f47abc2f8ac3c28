"""Places of faces in shares of a picture's width and height, and whether two are of one face.

Metadata counts places in the picture as the file stores it, before its EXIF orientation turns it;
gallery counts in the picture as it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.assignment import pairs_in
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


def overlaps(some: Sequence[Area], others: Sequence[Area]) -> NDArray[np.float64]:
    """Return the intersections of areas over their unions; 0 where they show two faces.

    The shape is (some, others). Programs frame different things, the face from brow to chin or the
    whole head, so that one area may lie in the other: two areas are of one face when half of the
    smaller lies in the larger and the larger is not over eight times as large.
    """
    one = np.array(some, np.float64).reshape(-1, 1, 4)
    other = np.array(others, np.float64).reshape(1, -1, 4)
    low = np.maximum(one[..., :2] - one[..., 2:] / 2, other[..., :2] - other[..., 2:] / 2)
    high = np.minimum(one[..., :2] + one[..., 2:] / 2, other[..., :2] + other[..., 2:] / 2)
    inside = np.maximum(high - low, 0.0).prod(axis=2)
    sizes = one[..., 2:].prod(axis=2), other[..., 2:].prod(axis=2)
    smaller, larger = np.minimum(*sizes), np.maximum(*sizes)
    is_same = (inside > 0) & (inside >= smaller / 2) & (larger <= 8 * smaller)
    union = np.where(is_same, smaller + larger - inside, 1.0)
    return np.where(is_same, inside / union, 0.0)


def pairs(some: Sequence[Area], others: Sequence[Area]) -> dict[int, int]:
    """Return which of some areas is which of the others, each at most once, best overlap first."""
    return pairs_in(overlaps(some, others))
