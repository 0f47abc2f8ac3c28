"""Smooth curves as arrays of points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Spot = tuple[float, float]


def spots(points: Sequence[Spot]) -> Points:
    """Return points as an array with one row each."""
    return np.asarray(points, dtype=np.float64).reshape(-1, 2)


def bezier(start: Spot, first: Spot, second: Spot, end: Spot, steps: int = 24) -> Points:
    """Return a cubic Bezier curve."""
    t = np.linspace(0.0, 1.0, steps)[:, None]
    a, b, c, d = (np.asarray(p, dtype=np.float64) for p in (start, first, second, end))
    curve: Points = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
    return curve


def bow(start: Spot, end: Spot, bulge: float, steps: int = 14) -> Points:
    """Return a curve between two points that bulges to its right by a share of its length."""
    (x0, y0), (x1, y1) = start, end
    side = (-(y1 - y0) * bulge, (x1 - x0) * bulge)
    first = (x0 + (x1 - x0) * 0.33 + side[0] * 1.33, y0 + (y1 - y0) * 0.33 + side[1] * 1.33)
    second = (x0 + (x1 - x0) * 0.67 + side[0] * 1.33, y0 + (y1 - y0) * 0.67 + side[1] * 1.33)
    return bezier(start, first, second, end, steps)


def smooth(points: Sequence[Spot] | Points, closed: bool = False, steps: int = 10) -> Points:
    """Return a Catmull-Rom curve that passes through all points."""
    knots = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if closed:
        padded = np.vstack([knots[-1:], knots, knots[:2]])
    else:
        padded = np.vstack([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(
            0.5
            * (
                2 * b
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t**2
                + (3 * b - a - 3 * c + d) * t**3
            )
        )
    if not closed:
        pieces.append(knots[-1:])
    return np.vstack(pieces)


def ellipse(centre: Spot, across: float, down: float, steps: int = 48) -> Points:
    """Return an ellipse by its centre and its two half axes."""
    angle = np.linspace(0.0, 2 * np.pi, steps, endpoint=False)
    return np.column_stack([centre[0] + across * np.cos(angle), centre[1] + down * np.sin(angle)])


def arc(
    centre: Spot, across: float, down: float, start: float, end: float, steps: int = 24
) -> Points:
    """Return a part of an ellipse between two angles in degrees, clockwise from the right."""
    angle = np.radians(np.linspace(start, end, steps))
    return np.column_stack([centre[0] + across * np.cos(angle), centre[1] + down * np.sin(angle)])


def flipped(points: Points) -> Points:
    """Return points mirrored left to right."""
    mirrored: Points = points * np.array([-1.0, 1.0])
    return mirrored


def ribbon(spine: Points, widths: Points) -> Points:
    """Return the outline of a band around a spine with a full width at each of its points."""
    along = np.gradient(spine, axis=0)
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / length[:, None]
    half = widths.reshape(-1, 1) / 2
    return np.vstack([spine + normal * half, (spine - normal * half)[::-1]])


def taper(steps: int, start: float = 0.15, end: float = 0.15) -> Points:
    """Return stroke widths from 0 to 1 that thin out towards the start and the end."""
    t = np.linspace(0.0, 1.0, steps)
    swell = np.sin(np.pi * np.clip(t, 0.0, 1.0)) ** 0.6
    floor = start * (1 - t) + end * t
    widths: Points = floor + (1 - floor) * swell
    return widths
