"""Ornaments of the hair and the ears."""

from __future__ import annotations

import numpy as np

from drawing.canvas import Brush
from drawing.colour import WHITE, Colour, ink, light, shadow
from drawing.curves import Points, ellipse, smooth, spots
from drawing.design import Extra


def solid(brush: Brush, shape: Points, colour: Colour) -> None:
    """Fill a shape and draw its outline."""
    brush.outline(shape, 0.034, ink(colour))
    brush.fill(shape, colour)


def draw_ribbon(brush: Brush, extra: Extra) -> None:
    """Draw a bow of ribbon."""
    x, y = extra.at
    size = 0.34 * extra.size
    for side in (-1, 1):
        tail = spots(
            [
                (x, y),
                (x + side * size * 0.95, y + size * 1.4),
                (x + side * size * 0.4, y + size * 1.5),
            ]
        )
        solid(brush, tail, shadow(extra.colour, 0.3))
        wing = smooth(
            [
                (x, y),
                (x + side * size * 0.75, y - size * 0.75),
                (x + side * size * 1.3, y - size * 0.3),
                (x + side * size * 1.2, y + size * 0.5),
            ],
            closed=True,
        )
        solid(brush, wing, extra.colour)
        clip = brush.mask(wing)
        brush.tint(
            ellipse((x + side * size * 0.9, y + size * 0.5), size * 0.8, size * 0.4),
            shadow(extra.colour, 0.45),
            0.6,
            0.02,
            clip,
        )
        crease = spots(
            [(x + side * size * 0.2, y - size * 0.05), (x + side * size * 0.8, y - size * 0.1)]
        )
        brush.line(crease, 0.024, ink(extra.colour), 0.6, 0)
    solid(brush, ellipse((x, y), size * 0.26, size * 0.32), light(extra.colour, 0.12))


def draw_hoops(brush: Brush, extra: Extra) -> None:
    """Draw a pair of hoop earrings."""
    ear = brush.at(0.2)
    for side in (-1, 1):
        ring = ellipse((side * 1.1, 0.56), 0.15, 0.2)
        ear.outline(ring, 0.075, ink(extra.colour))
        ear.outline(ring, 0.042, extra.colour)
        ear.tint(ellipse((side * 1.1 - 0.1, 0.46), 0.03, 0.05), WHITE, 0.9)


def draw_snowflake(brush: Brush, extra: Extra) -> None:
    """Draw a hairpin in the shape of a snowflake."""
    x, y = extra.at
    size = 0.2 * extra.size
    for width, colour in ((0.075, ink(extra.second)), (0.042, extra.colour)):
        for angle in range(0, 180, 60):
            dx, dy = size * np.cos(np.radians(angle)), size * np.sin(np.radians(angle))
            brush.line(spots([(x - dx, y - dy), (x, y), (x + dx, y + dy)]), width, colour, 1, 1)
    brush.fill(ellipse((x, y), size * 0.36, size * 0.36), extra.second)


def draw_clips(brush: Brush, extra: Extra) -> None:
    """Draw two hair clips."""
    x, y = extra.at
    for step in (0.0, 0.13):
        bar = spots([(x - 0.16, y + step + 0.05), (x, y + step), (x + 0.16, y + step - 0.05)])
        brush.line(bar, 0.085, ink(extra.colour), 1, 1)
        brush.line(bar, 0.05, extra.colour, 1, 1)
