"""How well a face can be seen: pure functions of its box, its eyes and its aligned crop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.types import Crop, Face, Quality

Whole: TypeAlias = NDArray[np.int64]
"""Whole numbers, so that the same crop has the same sharpness on every processor, to the bit."""

POOR = 0.2
"""A score below this is poor: ideal and best do better without such a face.

Measured on the dev split with the network `anime`: ideals of 61 characters made of 2 good faces
and 3 spoilt ones, 366 good faces asked for, rank 1. Without the spoilt ones it is 0.80. With them
it is 0.84 where they are heads of 24 pixels and 0.83 where they are blurred by a radius of 3 pixels
of the crop: even such faces help. At a radius of 4 they no longer do (0.80), and heads of 16 pixels
harm (0.78). These score 0.25, 0.31, 0.24 and 0.11, so that the line keeps out only what harms; of
3,289 untouched faces none lies below it.
"""

MOST_ROLL = 16.0
"""A portrait's eyes are level within so many degrees."""

LEAST_APART = 0.27
"""A portrait's eyes are so far apart, in widths of the head's box, or farther: a head that turns
away brings them together. With MOST_ROLL it was chosen on 100 faces of the dev split that a reader
sorted; `python -m benchmarks.poses` says what both are worth on 100 others."""

EDGES = 0.1
"""The share of a crop's pixels, those with the steepest gradients, that its sharpness is read from.
Anime is flat between its lines, so that a measure over all pixels counts lines instead."""

FOOT = 8
"""Gradients below one in so many of the steepest are the feet of edges, where few edges are."""

FEWEST = 20
"""Fewer pixels on edges than this show nothing."""

GREY = np.array([77, 150, 29])
"""How much of red, green and blue is brightness (ITU-R BT.601), of 256."""

SMOOTHING = (1, 2, 1)
"""The blur before anything is measured, which grain does not outlive: of radius 0.7."""

REBLUR = (1, 4, 6, 4, 1)
"""The blur that a crop is compared with itself after: of radius 1."""

FAINT = (256 * sum(SMOOTHING) ** 2 * 8) ** 2
"""Gradients below this, one grey level a pixel, are grain and compression."""


@dataclass(frozen=True, slots=True)
class Gates:
    """What a face must be to count."""

    min_face: float = 0.0
    """The shorter side of its head's box, in pixels, at least."""
    min_quality: float = 0.0
    """Its score, 0 to 1, at least."""
    portrait: bool = False
    """Whether it must be seen upright and from the front, or nearly so."""

    def admit(self, face: Face) -> bool:
        """Say whether a face is large enough, and a portrait where that is wanted."""
        return head_size(face) >= self.min_face and (not self.portrait or is_portrait(face))


NO_GATES = Gates()


def measure(crop: Crop, face: Face, picture: tuple[int, int] | None = None) -> Quality:
    """Return a face's quality from its aligned crop and its picture's width and height.

    Where no picture is given, the share cut off stays unknown.
    """
    return Quality(
        size=head_size(face),
        sharpness=sharpness(crop),
        roll=roll(face),
        frontal=frontal(face),
        cut=None if picture is None else cut(face, *picture),
    )


def is_poor(quality: Quality) -> bool:
    """Say whether a face is so unclear that ideal and best do better without it."""
    return quality.score < POOR


def is_portrait(face: Face) -> bool:
    """Say whether a head is upright and seen from the front, or nearly so, by its eyes.

    A face whose eyes are unknown is none.
    """
    turned = roll(face)
    if face.landmarks is None or turned is None:
        return False
    apart = math.dist(face.landmarks.left_eye, face.landmarks.right_eye)
    return abs(turned) <= MOST_ROLL and apart >= LEAST_APART * face.box.width


def head_size(face: Face) -> float:
    """Return the shorter side of the head's box, in pixels of the picture."""
    return max(min(face.box.width, face.box.height), 0.0)


def roll(face: Face) -> float | None:
    """Return how far the eyes are from level, in degrees from -180 to 180, clockwise above 0.

    None where the eyes are unknown.
    """
    if face.landmarks is None:
        return None
    left, right = face.landmarks.left_eye, face.landmarks.right_eye
    return math.degrees(math.atan2(right.y - left.y, right.x - left.x))


def frontal(face: Face) -> float | None:
    """Return how evenly the eyes stand in the head's box, 0 to 1; None where they are unknown.

    Along the line through the eyes it is the smaller of the two ways from an eye to its side of
    the box over the larger one: 1 from the front, towards 0 as the head turns to its side.
    """
    if face.landmarks is None:
        return None
    angle = math.radians(roll(face) or 0.0)
    centre, half = face.box.centre, face.box.width / 2
    left, right = (
        (eye.x - centre.x) * math.cos(angle) + (eye.y - centre.y) * math.sin(angle)
        for eye in (face.landmarks.left_eye, face.landmarks.right_eye)
    )
    shorter, longer = sorted((half + left, half - right))
    return min(max(shorter / longer, 0.0), 1.0) if longer > 0 else 0.0


def cut(face: Face, width: int, height: int) -> float:
    """Return the share of the head's box that lies outside a picture of a size, 0 to 1."""
    box = face.box
    if box.area <= 0:
        return 0.0
    across = max(min(box.right, width) - max(box.left, 0.0), 0.0)
    down = max(min(box.bottom, height) - max(box.top, 0.0), 0.0)
    return min(max(1.0 - across * down / box.area, 0.0), 1.0)


def sharpness(crop: Crop) -> float:
    """Return one over the radius of a crop's blur in pixels, at most 1; 0 where it has no edge.

    An edge blurred by a Gaussian of radius s, and once more by one of radius r, is flatter by
    sqrt(s^2 + r^2) / s, whatever its contrast (Zhuo and Sim 2011, "Defocus map estimation from a
    single image"); s is taken from the median of that ratio on the steepest edges. Pixels and
    SMOOTHING are a blur, too: without any other s is about 1.1.

    On 400 faces of the dev split the median is 0.89 (2 % lie below 0.71); blurred by a radius of
    1, 2, 3, 4 and 6 pixels it is 0.67, 0.43, 0.31, 0.24 and 0.17; drawn up to the crop from heads
    of 75, 48, 32, 24 and 16 pixels 0.66, 0.53, 0.43, 0.34 and 0.23. A radius of 1 is told from the
    untouched faces in 97.8 of 100 pairs of different pictures (variance of the Laplacian over
    variance: 97.6; Crete's blur metric: 96.3), a radius of 3 under grain of 5 levels in 99.8 (85.3
    and 94.2), and JPEG at quality 30 changes it by 2 %.
    """
    grey = _smoothed(crop.astype(np.int64) @ GREY, SMOOTHING)
    blurred = _smoothed(grey, REBLUR)
    lost = (len(REBLUR) - 1) // 2
    steep, flat = _gradients(grey[lost:-lost, lost:-lost]), _gradients(blurred)
    least = np.partition(steep, -round(EDGES * steep.size), axis=None)[-round(EDGES * steep.size)]
    edges = steep >= max(int(least), int(steep.max()) // FOOT**2, FAINT)
    if np.count_nonzero(edges) < FEWEST:
        return 0.0
    squares = steep[edges] / np.maximum(flat[edges] / sum(REBLUR) ** 4, 1e-9)
    return min(math.sqrt(max(float(np.median(squares)) - 1.0, 0.0)), 1.0)


def _smoothed(grey: Whole, kernel: Sequence[int]) -> Whole:
    """Return what a kernel leaves of a picture down and across, without dividing by its sum."""
    for _ in range(2):
        rows = grey.shape[0] - len(kernel) + 1
        summed = np.zeros((rows, grey.shape[1]), np.int64)
        for place, weight in enumerate(kernel):
            summed += weight * grey[place : place + rows]
        grey = summed.T
    return grey


def _gradients(grey: Whole) -> Whole:
    """Return the squares of Sobel's gradients of a picture, of all pixels but the outermost."""
    down = grey[2:] - grey[:-2]
    across = grey[:, 2:] - grey[:, :-2]
    down = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
    across = across[:-2] + 2 * across[1:-1] + across[2:]
    squares: Whole = down**2 + across**2
    return squares
