"""Neck, shoulders and clothes."""

from __future__ import annotations

import numpy as np

from drawing.canvas import Brush
from drawing.colour import Colour, ink, light, mix, shadow, skin_shadow
from drawing.curves import Points, ellipse, flipped, smooth, spots
from drawing.design import Character, Outfit
from drawing.face import skin_ink


def both(right: Points) -> Points:
    """Return a closed shape from its right half, given from the top down."""
    return np.vstack([right, flipped(right)[::-1]])


def draw_neck(brush: Brush, skin: Colour, chin: float) -> None:
    """Draw the neck and the top of the chest with the shadow of the chin."""
    right = smooth([(0.31, 0.6), (0.32, 1.15), (0.37, 1.42), (0.6, 1.54), (0.8, 1.66), (0.8, 2.6)])
    shape = both(right)
    brush.outline(shape, 0.034, skin_ink(skin))
    brush.fill(shape, skin)
    mask = brush.mask(shape)
    chin_shadow = np.vstack(
        [
            spots([(-0.8, 0.5), (0.8, 0.5)]),
            smooth([(0.7, 1.05), (0.25, chin + 0.24), (-0.1, chin + 0.3), (-0.5, chin + 0.1)]),
        ]
    )
    brush.tint(chin_shadow, skin_shadow(skin), 0.9, 0.012, mask)
    for side in (-1, 1):
        bone = smooth([(side * 0.12, 1.68), (side * 0.4, 1.62), (side * 0.7, 1.68)])
        brush.line(bone, 0.018, skin_shadow(skin), 0.3, 0.0)


def torso(outfit: Outfit, neck: float = 0.46, top: float = 1.46) -> Points:
    """Return the outline of the clothes with the upper arms."""
    wide = outfit.shoulders
    right = smooth(
        [
            (neck, top),
            (wide * 0.62, 1.62),
            (wide * 0.9, 1.82),
            (wide * 1.06, 2.3),
            (wide * 1.16, 3.2),
            (wide * 1.22, 6.0),
            (wide * 1.26, 16.0),
        ]
    )
    return both(right)


def draw_body(brush: Brush, character: Character) -> None:
    """Draw the neck and the clothes of a character."""
    outfit = character.outfit
    draw_neck(brush, character.skin, character.face.chin)
    shape = torso(outfit)
    _cloth(brush, shape, outfit.colour)
    _folds(brush, shape, outfit)
    if outfit.kind == "sailor":
        _sailor(brush, character)
    elif outfit.kind == "blazer":
        _blazer(brush, character)
    elif outfit.kind == "hoodie":
        _hoodie(brush, outfit)
    elif outfit.kind == "kimono":
        _kimono(brush, character)
    elif outfit.kind == "turtleneck":
        _turtleneck(brush, outfit)
    elif outfit.kind == "shirt":
        _shirt(brush, character)
    elif outfit.kind == "coat":
        _coat(brush, outfit)
    else:
        _tee(brush, character)


def _cloth(brush: Brush, shape: Points, colour: Colour) -> None:
    brush.outline(shape, 0.034, ink(colour))
    brush.fill(shape, colour)


def _folds(brush: Brush, shape: Points, outfit: Outfit) -> None:
    mask = brush.mask(shape)
    dark = shadow(outfit.colour, 0.42)
    wide = outfit.shoulders
    for side in (-1, 1):
        sleeve = smooth(
            [
                (side * wide * 0.86, 2.35),
                (side * wide * 0.8, 3.2),
                (side * wide * 0.82, 6.0),
                (side * wide * 0.8, 16.0),
            ]
        )
        inner = smooth(
            [
                (side * wide * 0.86, 2.35),
                (side * wide * 0.66, 3.1),
                (side * wide * 0.6, 6.0),
                (side * wide * 0.58, 16.0),
            ]
        )
        brush.tint(np.vstack([sleeve, inner[::-1]]), dark, 0.6, 0.02, mask)
        brush.line(sleeve, 0.03, ink(outfit.colour), 0.0, 0.5)
        fold = smooth(
            [(side * wide * 0.7, 1.9), (side * wide * 0.62, 2.1), (side * wide * 0.45, 2.25)]
        )
        brush.line(fold, 0.022, ink(outfit.colour), 0.0, 0.0)
    right = np.vstack([shape[40:52], (shape[40:52] + np.array([-0.16, 0.0]))[::-1]])
    brush.tint(right, dark, 0.5, 0.03, mask)


def _v_skin(brush: Brush, skin: Colour, depth: float, wide: float = 0.5) -> None:
    opening = np.vstack(
        [
            smooth([(-wide, 1.44), (-0.24, 1.44 + (depth - 1.44) * 0.6)]),
            spots([(0.0, depth)]),
            smooth([(0.24, 1.44 + (depth - 1.44) * 0.6), (wide, 1.44)]),
        ]
    )
    brush.fill(opening, skin)
    brush.line(opening, 0.03, skin_ink(skin), 0.5, 0.5)
    mask = brush.mask(opening)
    cast = both(smooth([(0.4, 1.35), (0.2, 1.5), (0.0, 1.56)]))
    brush.tint(cast, skin_shadow(skin), 0.8, 0.02, mask)


def _sailor(brush: Brush, character: Character) -> None:
    outfit = character.outfit
    _v_skin(brush, character.skin, 2.15)
    for side in (-1, 1):
        flap = smooth(
            [
                (side * 0.44, 1.36),
                (side * 0.95, 1.58),
                (side * 1.2, 1.82),
                (side * 0.9, 2.2),
                (side * 0.12, 2.42),
                (side * 0.02, 2.3),
                (side * 0.3, 1.9),
            ],
            closed=True,
        )
        _cloth(brush, flap, outfit.trim)
        clip = brush.mask(flap)
        stripe = smooth([(side * 1.08, 1.83), (side * 0.84, 2.1), (side * 0.14, 2.32)])
        brush.soft_line(stripe, 0.05, light(outfit.trim, 0.85), 1.0, clip)
    _bow_tie(brush, outfit.accent, 2.42, 0.42)


def _bow_tie(brush: Brush, colour: Colour, y: float, size: float) -> None:
    for side in (-1, 1):
        tail = spots(
            [(0.0, y), (side * size * 0.75, y + size * 1.5), (side * size * 0.3, y + size * 1.55)]
        )
        _cloth(brush, tail, shadow(colour, 0.3))
        wing = smooth(
            [
                (0.0, y),
                (side * size * 0.7, y - size * 0.5),
                (side * size * 1.1, y - 0.05),
                (side * size * 0.8, y + size * 0.5),
            ],
            closed=True,
        )
        _cloth(brush, wing, colour)
        brush.line(spots([(side * 0.08, y), (side * size * 0.6, y + 0.03)]), 0.02, ink(colour))
    _cloth(brush, ellipse((0.0, y + 0.02), size * 0.24, size * 0.26), light(colour, 0.1))


def _blazer(brush: Brush, character: Character) -> None:
    outfit = character.outfit
    shirt = both(smooth([(0.5, 1.36), (0.42, 2.2), (0.1, 3.2), (0.0, 3.3)]))
    _cloth(brush, shirt, outfit.trim)
    _v_skin(brush, character.skin, 1.7, 0.36)
    tie = spots([(-0.12, 1.72), (0.12, 1.72), (0.17, 2.9), (0.0, 3.2), (-0.17, 2.9)])
    _cloth(brush, tie, outfit.accent)
    for side in (-1, 1):
        collar = spots(
            [(side * 0.36, 1.32), (side * 0.52, 1.42), (side * 0.5, 1.9), (side * 0.03, 1.74)]
        )
        _cloth(brush, collar, outfit.trim)
        lapel = spots(
            [
                (side * 0.5, 1.42),
                (side * 0.92, 1.62),
                (side * 0.86, 2.08),
                (side * 0.68, 2.06),
                (side * 0.74, 2.22),
                (side * 0.05, 3.4),
                (side * 0.34, 2.1),
            ]
        )
        _cloth(brush, lapel, light(outfit.colour, 0.1))
    _cloth(brush, spots([(-0.15, 1.68), (0.15, 1.68), (0.1, 1.9), (-0.1, 1.9)]), outfit.accent)


def _hoodie(brush: Brush, outfit: Outfit) -> None:
    hood = both(
        smooth(
            [
                (0.0, 1.9),
                (0.3, 1.84),
                (0.56, 1.5),
                (0.62, 1.26),
                (0.95, 1.34),
                (1.1, 1.62),
                (0.85, 2.0),
                (0.35, 2.24),
                (0.0, 2.28),
            ]
        )
    )
    _cloth(brush, hood, outfit.colour)
    clip = brush.mask(hood)
    inner = both(
        smooth([(0.0, 2.0), (0.38, 1.9), (0.66, 1.55), (0.7, 1.2), (0.5, 1.2), (0.0, 1.8)])
    )
    brush.tint(inner, shadow(outfit.colour, 0.5), 0.8, 0.02, clip)
    for side in (-1, 1):
        cord = smooth([(side * 0.26, 2.12), (side * 0.3, 2.5), (side * 0.27, 2.85)])
        brush.line(cord, 0.06, ink(outfit.trim), 1, 1)
        brush.line(cord, 0.036, outfit.trim, 1, 1)
    stripe = spots([(-0.9, 3.0), (0.9, 3.0), (0.9, 3.3), (-0.9, 3.3)])
    brush.tint(stripe, outfit.accent, 0.9)


def _kimono(brush: Brush, character: Character) -> None:
    outfit = character.outfit
    _v_skin(brush, character.skin, 2.0, 0.44)
    for side, colour in ((1, outfit.colour), (-1, outfit.colour)):
        band = spots(
            [
                (side * 0.42, 1.3),
                (side * 0.68, 1.44),
                (-side * 0.36, 2.75),
                (-side * 0.62, 2.75),
                (side * 0.1, 1.96),
            ]
        )
        _cloth(brush, band, light(colour, 0.08))
        trim = spots(
            [
                (side * 0.42, 1.3),
                (side * 0.5, 1.34),
                (side * 0.16, 1.98),
                (-side * 0.5, 2.75),
                (-side * 0.62, 2.75),
                (side * 0.1, 1.96),
            ]
        )
        _cloth(brush, trim, outfit.trim)
    for x, y in ((-1.0, 2.15), (0.95, 2.5), (-0.75, 3.0), (1.15, 3.3)):
        for angle in range(0, 360, 72):
            petal = (x + 0.1 * np.cos(np.radians(angle)), y + 0.1 * np.sin(np.radians(angle)))
            brush.tint(ellipse(petal, 0.075, 0.075), outfit.accent)
        brush.tint(ellipse((x, y), 0.05, 0.05), light(outfit.accent, 0.7))
    obi = spots([(-1.1, 3.5), (1.1, 3.5), (1.1, 4.4), (-1.1, 4.4)])
    _cloth(brush, obi, outfit.accent)


def _turtleneck(brush: Brush, outfit: Outfit) -> None:
    collar = both(
        smooth(
            [
                (0.0, 1.3),
                (0.3, 1.26),
                (0.42, 1.24),
                (0.46, 1.5),
                (0.5, 1.66),
                (0.25, 1.74),
                (0.0, 1.76),
            ]
        )
    )
    _cloth(brush, collar, light(outfit.colour, 0.06))
    clip = brush.mask(collar)
    brush.tint(
        both(smooth([(0.0, 1.36), (0.3, 1.34), (0.5, 1.2), (0.5, 1.0)])),
        shadow(outfit.colour, 0.5),
        0.8,
        0.02,
        clip,
    )
    for x in np.linspace(-0.38, 0.38, 9):
        brush.soft_line(spots([(x, 1.3), (x * 1.1, 1.76)]), 0.02, ink(outfit.colour), 0.4, clip)
    for y in (2.5, 2.68):
        brush.tint(
            spots([(-0.95, y), (0.95, y), (0.95, y + 0.07), (-0.95, y + 0.07)]), outfit.trim, 0.9
        )


def _shirt(brush: Brush, character: Character) -> None:
    outfit = character.outfit
    _v_skin(brush, character.skin, 1.95, 0.42)
    brush.line(spots([(0.0, 1.98), (0.03, 4.5)]), 0.026, ink(outfit.colour), 1, 1)
    for y in (2.3, 2.85, 3.4):
        brush.tint(ellipse((0.1, y), 0.045, 0.045), outfit.accent)
    for side in (-1, 1):
        collar = spots(
            [(side * 0.34, 1.28), (side * 0.6, 1.44), (side * 0.52, 2.12), (side * 0.0, 1.92)]
        )
        _cloth(brush, collar, outfit.trim)


def _coat(brush: Brush, outfit: Outfit) -> None:
    scarf = both(
        smooth(
            [
                (0.0, 1.18),
                (0.34, 1.12),
                (0.66, 1.18),
                (0.78, 1.45),
                (0.66, 1.75),
                (0.3, 1.92),
                (0.0, 1.95),
            ]
        )
    )
    tail = spots([(0.15, 1.7), (0.55, 1.7), (0.62, 3.0), (0.2, 3.0)])
    _cloth(brush, tail, shadow(outfit.accent, 0.2))
    _cloth(brush, scarf, outfit.accent)
    clip = brush.mask(scarf)
    for y in (1.35, 1.6):
        fold = smooth([(-0.75, y - 0.1), (-0.2, y + 0.08), (0.4, y + 0.04), (0.75, y - 0.12)])
        brush.soft_line(fold, 0.03, ink(outfit.accent), 0.7, clip)
    for y in (2.4, 3.1):
        brush.fill(ellipse((-0.28, y), 0.085, 0.085), ink(outfit.trim))
        brush.fill(ellipse((-0.28, y), 0.07, 0.07), outfit.trim)


def _tee(brush: Brush, character: Character) -> None:
    outfit = character.outfit
    skin = character.skin
    opening = both(smooth([(0.0, 1.3), (0.5, 1.38), (0.46, 1.62), (0.2, 1.82), (0.0, 1.85)]))
    brush.outline(opening, 0.16, ink(outfit.trim))
    brush.outline(opening, 0.11, outfit.trim)
    brush.fill(opening, skin)
    cast = both(smooth([(0.0, 1.3), (0.42, 1.3), (0.3, 1.5), (0.0, 1.55)]))
    brush.tint(cast, skin_shadow(skin), 0.8, 0.02, brush.mask(opening))
    badge = mix(outfit.accent, outfit.colour, 0.1)
    brush.tint(ellipse((0.0, 2.75), 0.36, 0.36), badge)
    brush.tint(ellipse((0.0, 2.75), 0.22, 0.22), outfit.colour)
