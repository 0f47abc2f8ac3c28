"""What people wear on their heads."""

from __future__ import annotations

import numpy as np

from drawing.canvas import Brush
from drawing.colour import ink, light, shadow
from drawing.curves import ellipse, flipped, smooth
from drawing.design import Extra
from drawing.ornaments import solid


def draw_beret(brush: Brush, extra: Extra) -> None:
    """Draw a beret."""
    hat = brush.at(0.25)
    shape = smooth(
        [
            (-1.12, -0.98),
            (-1.36, -1.22),
            (-1.2, -1.62),
            (-0.5, -1.9),
            (0.3, -1.88),
            (0.95, -1.6),
            (1.08, -1.2),
            (0.98, -0.98),
            (0.4, -1.16),
            (-0.4, -1.16),
        ],
        closed=True,
    )
    solid(hat, shape, extra.colour)
    clip = hat.mask(shape)
    low = smooth(
        [(-1.4, -1.2), (-0.6, -1.42), (0.4, -1.4), (1.1, -1.2), (1.0, -0.8), (-1.2, -0.8)],
        closed=True,
    )
    hat.tint(low, shadow(extra.colour, 0.5), 0.7, 0.03, clip)
    hat.tint(ellipse((-0.55, -1.66), 0.42, 0.09), light(extra.colour, 0.5), 0.45, 0.05, clip)
    band = smooth([(-1.1, -0.98), (-0.4, -1.17), (0.4, -1.17), (0.97, -0.98)])
    hat.line(band, 0.09, ink(extra.colour), 0.7, 0.7)
    hat.line(band, 0.055, extra.second, 0.7, 0.7)
    stem = smooth([(-0.12, -1.88), (-0.1, -2.02), (-0.02, -2.06)])
    hat.line(stem, 0.08, ink(extra.colour), 0.8, 0.8)


def draw_headband(brush: Brush, extra: Extra) -> None:
    """Draw a dotted headband."""
    upper = smooth([(-1.2, -0.62), (-0.8, -1.1), (0.0, -1.32), (0.8, -1.1), (1.2, -0.62)])
    lower = smooth([(-1.2, -0.36), (-0.78, -0.8), (0.0, -1.0), (0.78, -0.8), (1.2, -0.36)])
    band = np.vstack([upper, lower[::-1]])
    solid(brush, band, extra.colour)
    clip = brush.mask(band)
    for x in np.linspace(-1.0, 1.0, 9):
        y = -1.16 + 0.56 * x * x
        brush.tint(ellipse((x, y), 0.06, 0.06), extra.second, 0.9, 0.0, clip)
    brush.tint(lower + np.array([0.0, -0.03]), shadow(extra.colour, 0.4), 0.4, 0.02, clip)


def draw_hood_back(brush: Brush, extra: Extra) -> None:
    """Draw the inside of a hood behind the head."""
    hood = smooth(
        [(0.0, -1.68), (0.8, -1.5), (1.32, -0.9), (1.42, -0.1), (1.34, 0.7), (1.0, 1.5), (0.0, 1.7)]
    )
    solid(brush, np.vstack([hood, flipped(hood)[::-1]]), shadow(extra.colour, 0.4))


def draw_hood_front(brush: Brush, extra: Extra) -> None:
    """Draw the front of a hood with ears."""
    for side in (-1, 1):
        ear = smooth(
            [
                (side * 0.35, -1.5),
                (side * 0.5, -1.85),
                (side * 0.8, -2.1),
                (side * 1.05, -1.75),
                (side * 1.1, -1.2),
            ]
        )
        solid(brush.at(0.2), ear, extra.colour)
        inner = smooth(
            [
                (side * 0.58, -1.5),
                (side * 0.66, -1.72),
                (side * 0.8, -1.88),
                (side * 0.93, -1.65),
                (side * 0.95, -1.35),
            ]
        )
        brush.at(0.2).tint(inner, extra.second, 0.95, 0.01)
    outer = smooth(
        [(0.0, -1.66), (0.75, -1.48), (1.24, -0.95), (1.38, -0.15), (1.3, 0.65), (0.98, 1.4)]
    )
    inside = smooth(
        [(0.84, 1.3), (1.1, 0.62), (1.14, -0.1), (1.0, -0.66), (0.6, -1.06), (0.0, -1.2)]
    )
    half = np.vstack([outer, inside])
    shape = np.vstack([half, flipped(half)[::-1]])
    front = brush.at(0.2)
    solid(front, shape, extra.colour)
    clip = front.mask(shape)
    shade = np.vstack([outer * np.array([0.9, 1.0]), inside])
    for piece in (shade, flipped(shade)):
        front.tint(piece, shadow(extra.colour, 0.35), 0.5, 0.04, clip)
    seam = np.vstack([inside, flipped(inside)[::-1]])
    front.line(seam, 0.05, extra.second, 0.8, 0.8)


def draw_cap(brush: Brush, extra: Extra) -> None:
    """Draw a cap with a peak."""
    dome = smooth(
        [
            (-1.14, -0.6),
            (-1.1, -1.1),
            (-0.7, -1.55),
            (0.0, -1.7),
            (0.7, -1.55),
            (1.1, -1.1),
            (1.14, -0.6),
            (0.6, -0.8),
            (0.0, -0.86),
            (-0.6, -0.8),
        ],
        closed=True,
    )
    hat = brush.at(0.4)
    solid(hat, dome, extra.colour)
    clip = hat.mask(dome)
    hat.tint(ellipse((0.75, -0.9), 0.5, 0.8), shadow(extra.colour, 0.45), 0.6, 0.05, clip)
    for x in (-0.5, 0.5):
        seam = smooth([(x * 1.5, -0.74), (x * 1.3, -1.2), (x * 0.2, -1.68)])
        hat.soft_line(seam, 0.024, ink(extra.colour), 0.8, clip)
    peak = smooth(
        [
            (-0.95, -0.72),
            (-0.6, -0.92),
            (0.0, -1.0),
            (0.6, -0.92),
            (0.95, -0.72),
            (0.75, -0.52),
            (0.0, -0.62),
            (-0.75, -0.52),
        ],
        closed=True,
    )
    solid(brush.at(0.9), peak, extra.second)
    brush.at(0.6).tint(ellipse((0.0, -1.25), 0.2, 0.2), extra.second)
    brush.at(0.6).tint(ellipse((0.0, -1.25), 0.1, 0.1), extra.colour)


def draw_straw_hat(brush: Brush, extra: Extra) -> None:
    """Draw the crown and the near brim of a straw hat."""
    hat = brush.at(0.35)
    brim = smooth(
        [
            (-2.0, -0.86),
            (-1.2, -1.12),
            (0.0, -1.22),
            (1.2, -1.12),
            (2.0, -0.86),
            (1.3, -0.72),
            (0.0, -0.84),
            (-1.3, -0.72),
        ],
        closed=True,
    )
    dome = smooth(
        [
            (-1.06, -1.0),
            (-0.98, -1.5),
            (-0.55, -1.84),
            (0.0, -1.9),
            (0.55, -1.84),
            (0.98, -1.5),
            (1.06, -1.0),
            (0.0, -1.12),
        ],
        closed=True,
    )
    solid(hat, dome, extra.colour)
    clip = hat.mask(dome)
    for y in np.linspace(-1.8, -1.2, 6):
        hat.soft_line(
            smooth([(-1.1, y + 0.1), (0.0, y), (1.1, y + 0.1)]), 0.018, ink(extra.colour), 0.4, clip
        )
    hat.tint(ellipse((0.8, -1.3), 0.5, 0.7), shadow(extra.colour, 0.4), 0.5, 0.06, clip)
    band = smooth(
        [(-1.1, -1.12), (0.0, -1.26), (1.1, -1.12), (1.1, -0.9), (-1.1, -0.9)], closed=True
    )
    hat.tint(band, extra.second, 1.0, 0.0, clip)
    solid(hat, brim, light(extra.colour, 0.1))
    edge = hat.mask(brim)
    for share in (0.35, 0.65):
        weave = smooth([(-1.9, -0.87 + 0.02 * share), (0.0, -1.2 + 0.36 * share), (1.9, -0.86)])
        hat.soft_line(weave, 0.018, ink(extra.colour), 0.4, edge)
