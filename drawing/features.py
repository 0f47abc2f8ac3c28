"""What sets one face apart: glasses, beards, scars, freckles."""

from __future__ import annotations

import numpy as np

from drawing.canvas import Brush
from drawing.colour import WHITE, Colour, ink, light, skin_shadow
from drawing.curves import Points, arc, ellipse, flipped, smooth, spots
from drawing.design import Character, Extra
from drawing.face import face_outline
from drawing.ornaments import solid


def draw_glasses(brush: Brush, character: Character, extra: Extra) -> None:
    """Draw glasses with round or square lenses."""
    lenses = brush.at(0.98)
    spacing = character.eyes.spacing + 0.01
    for side in (-1, 1):
        if extra.kind == "round_glasses":
            rim = ellipse((side * spacing, 0.03), 0.4 * extra.size, 0.4 * extra.size)
        else:
            rim = _rounded((side * spacing, 0.04), 0.4 * extra.size, 0.33 * extra.size)
        clip = lenses.mask(rim)
        glare = spots(
            [
                (side * spacing - 0.3, 0.4),
                (side * spacing - 0.12, 0.4),
                (side * spacing + 0.2, -0.4),
                (side * spacing + 0.02, -0.4),
            ]
        )
        lenses.tint(glare, WHITE, 0.2, 0.0, clip)
        lenses.outline(rim, 0.045, extra.colour)
        arm = spots([(side * (spacing + 0.38 * extra.size), -0.04), (side * 1.06, -0.1)])
        brush.line(arm, 0.045, extra.colour, 1, 1)
    bridge = arc((0.0, 0.0), max(0.06, spacing - 0.38 * extra.size), 0.07, 180, 360)
    lenses.line(bridge, 0.045, extra.colour, 1, 1)


def _rounded(centre: tuple[float, float], half: float, high: float) -> Points:
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.35
    y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.35
    return np.column_stack([centre[0] + half * x, centre[1] + high * y])


def draw_beard(brush: Brush, character: Character, extra: Extra) -> None:
    """Draw a full beard with a moustache."""
    outline = face_outline(character.face)
    mask = brush.mask(outline)
    low = character.face.chin + 0.12
    right = smooth([(1.06, 0.1), (0.9, 0.3), (0.62, 0.5), (0.36, 0.56), (0.24, 0.6), (0.0, 0.57)])
    under = smooth([(0.0, low), (0.35, low - 0.06), (0.75, 0.82), (1.06, 0.3)])
    half = np.vstack([right, under])
    for shape in (half, flipped(half)):
        brush.tint(shape, extra.colour, 1.0, 0.008, mask)
    gap = smooth([(-0.2, 0.68), (0.0, 0.665), (0.2, 0.68), (0.0, 0.79)], closed=True)
    brush.fill(gap, character.skin)
    brush.line(smooth([(-0.15, 0.705), (0.0, 0.715), (0.15, 0.7)]), 0.03, ink(character.skin))
    for x in np.linspace(-0.55, 0.55, 9):
        top = 0.84 if abs(x) < 0.3 else 0.66
        brush.soft_line(
            spots([(x, top), (x * 0.9, top + 0.15)]), 0.02, ink(extra.colour), 0.6, mask
        )


def draw_goatee(brush: Brush, extra: Extra) -> None:
    """Draw a goatee with a thin moustache."""
    chin = smooth(
        [(-0.15, 0.9), (0.0, 0.87), (0.15, 0.9), (0.14, 1.06), (0.0, 1.2), (-0.14, 1.06)],
        closed=True,
    )
    brush.fill(chin, extra.colour)
    brush.line(smooth([(-0.1, 0.92), (-0.04, 1.02), (0.0, 1.12)]), 0.016, light(extra.colour, 0.25))
    brush.line(smooth([(0.0, 0.6), (-0.14, 0.61), (-0.26, 0.7)]), 0.06, extra.colour, 0.5, 0)
    brush.line(smooth([(0.0, 0.6), (0.14, 0.61), (0.26, 0.7)]), 0.06, extra.colour, 0.5, 0)


def draw_moustache(brush: Brush, extra: Extra) -> None:
    """Draw a full moustache."""
    for side in (-1, 1):
        wing = smooth(
            [
                (0.0, 0.53),
                (side * 0.16, 0.52),
                (side * 0.32, 0.6),
                (side * 0.4, 0.72),
                (side * 0.24, 0.69),
                (0.0, 0.64),
            ],
            closed=True,
        )
        brush.outline(wing, 0.03, ink(extra.colour))
        brush.fill(wing, extra.colour)
    for x in (-0.24, -0.12, 0.0, 0.12, 0.24):
        brush.line(spots([(x, 0.55), (x * 1.15, 0.61)]), 0.016, ink(extra.colour), 0, 0)


def draw_plaster(brush: Brush, extra: Extra) -> None:
    """Draw a sticking plaster."""
    x, y = extra.at
    turn = np.radians(-18)
    rotate = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    strip = _rounded((0.0, 0.0), 0.17, 0.07) @ rotate + np.array([x, y])
    solid(brush, strip, extra.colour)
    pad = _rounded((0.0, 0.0), 0.065, 0.055) @ rotate + np.array([x, y])
    brush.fill(pad, light(extra.colour, 0.5))


def draw_scar(brush: Brush, extra: Extra) -> None:
    """Draw a scar."""
    x, y = extra.at
    line = smooth([(x - 0.05, y - 0.3), (x, y), (x + 0.03, y + 0.3)])
    brush.line(line, 0.045, extra.colour, 0, 0)
    for step in (-0.14, 0.12):
        brush.line(
            spots([(x - 0.07, y + step + 0.02), (x + 0.07, y + step - 0.02)]),
            0.022,
            extra.colour,
            0.2,
            0.2,
        )


def draw_freckles(brush: Brush, skin: Colour) -> None:
    """Draw freckles on both cheeks."""
    dots = ((0.45, 0.42), (0.55, 0.47), (0.64, 0.41), (0.5, 0.53), (0.72, 0.48), (0.6, 0.55))
    for x, y in dots:
        for side in (-1, 1):
            brush.tint(ellipse((side * x, y), 0.02, 0.018), skin_shadow(skin, 1.5), 0.7, 0.003)


def draw_wrinkles(brush: Brush, skin: Colour) -> None:
    """Draw the lines of an older face."""
    dark = skin_shadow(skin, 1.6)
    for side in (-1, 1):
        brush.line(
            smooth([(side * 0.28, 0.46), (side * 0.38, 0.56), (side * 0.4, 0.7)]), 0.02, dark, 0, 0
        )
        brush.line(
            smooth([(side * 0.3, 0.36), (side * 0.46, 0.42), (side * 0.62, 0.38)]),
            0.018,
            dark,
            0,
            0,
        )
