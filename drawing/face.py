"""The head without its hair: skull, ears, shading, nose and mouth."""

from __future__ import annotations

import numpy as np

from drawing.canvas import Brush, Mask
from drawing.colour import WHITE, Colour, mix, skin_shadow, tuple_scale
from drawing.curves import Points, arc, ellipse, flipped, smooth, spots
from drawing.design import Character, FaceShape

LIP: Colour = (122, 44, 48)

# Half width, top and bottom of the open mouths.
MOUTHS = {
    "open": (0.18, 0.63, 0.85),
    "laugh": (0.24, 0.61, 0.89),
    "gasp": (0.1, 0.65, 0.83),
    "teeth": (0.22, 0.64, 0.79),
}


def face_outline(shape: FaceShape) -> Points:
    """Return the closed outline of the face from brow to chin with a round skull above."""
    right = smooth(
        [
            (0.0, -1.22),
            (0.55, -1.12),
            (0.9, -0.75),
            (1.0, -0.25),
            (shape.cheek, 0.2),
            (shape.jaw + 0.15, shape.jaw_height - 0.14),
            (shape.jaw - 0.01, shape.jaw_height + 0.08),
            ((shape.jaw + shape.chin_width) * 0.5 + 0.01, shape.chin - 0.145),
            (shape.chin_width, shape.chin - 0.02),
            (0.0, shape.chin + 0.005),
        ],
        steps=8,
    )
    return np.vstack([right, flipped(right)[::-1]])


def skin_ink(skin: Colour) -> Colour:
    """Return the colour of the thin lines on skin."""
    return mix(tuple_scale(skin, 0.38), (70, 20, 34), 0.4)


def draw_ear(brush: Brush, skin: Colour, side: int, size: float) -> None:
    """Draw one ear."""
    rows = [(0.9, -0.16), (1.06, -0.26), (1.16, -0.12), (1.13, 0.12), (1.03, 0.32), (0.9, 0.34)]
    points = smooth([(side * (0.9 + (x - 0.9) * size), y) for x, y in rows], closed=True)
    ear = brush.at(0.15)
    ear.outline(points, 0.03, skin_ink(skin))
    ear.fill(points, skin)
    inner = smooth(
        [
            (side * (0.97 + 0.1 * (size - 1)), -0.12),
            (side * 1.08, -0.13),
            (side * 1.06, 0.08),
            (side * 1.0, 0.2),
        ]
    )
    ear.tint(inner, skin_shadow(skin), 0.8, 0.01)
    ear.line(inner, 0.018, skin_ink(skin), 0.2, 0.0)


def draw_skull(brush: Brush, character: Character) -> Mask:
    """Draw the skin of the face with its outline and shading, and return its mask."""
    skin = character.skin
    outline = face_outline(character.face)
    brush.outline(outline, 0.03, skin_ink(skin))
    brush.fill(outline, skin)
    mask = brush.mask(outline)
    # A soft third tone on the side away from the light, then the cheeks.
    side = np.vstack([outline[20:76], outline[20:76][::-1] * 0.9 + np.array([-0.08, -0.02])])
    brush.tint(side, skin_shadow(skin, 0.8), 0.6, 0.03, mask)
    return mask


def draw_blush(brush: Brush, skin: Colour, strength: float, clip: Mask) -> None:
    """Redden the cheeks, with a few fine strokes where the blush is strong."""
    red = mix((236, 96, 96), tuple_scale(skin, 0.9), 0.2)
    for side in (-1, 1):
        brush.tint(ellipse((side * 0.6, 0.44), 0.21, 0.1), red, min(0.75, strength), 0.06, clip)
        if strength > 0.75:
            for step in (-1, 0, 1):
                x = side * 0.6 + step * 0.085
                stroke = spots([(x + 0.025, 0.4), (x - 0.025, 0.485)])
                brush.soft_line(stroke, 0.014, tuple_scale(red, 0.85), 0.5, clip)


def draw_nose(brush: Brush, skin: Colour, kind: str) -> None:
    """Draw the nose: a hint of a shadow, or a bridge for strong faces."""
    dark = skin_shadow(skin, 1.4)
    nose = brush.at(1.14)
    if kind == "strong":
        nose.line(
            smooth([(-0.1, -0.12), (-0.07, 0.12), (-0.13, 0.4), (-0.02, 0.45)]),
            0.02,
            skin_ink(skin),
            0.0,
            0.4,
        )
        nose.tint(spots([(0.0, 0.05), (0.13, 0.42), (0.0, 0.45)]), dark, 0.55, 0.012)
        nose.line(smooth([(0.04, 0.46), (0.11, 0.43), (0.12, 0.38)]), 0.016, skin_ink(skin), 0, 0)
        return
    nose.tint(spots([(0.005, 0.3), (0.06, 0.4), (-0.005, 0.42)]), dark, 0.9, 0.006)
    nose.line(smooth([(-0.025, 0.405), (0.005, 0.425), (0.035, 0.41)]), 0.018, skin_ink(skin), 0, 0)


def draw_mouth(brush: Brush, skin: Colour, kind: str, lips: Colour | None = None) -> None:
    """Draw the mouth of an expression, with coloured lips if the face has them."""
    line = mix(LIP, skin_ink(skin), 0.5)
    if lips is not None:
        _draw_lips(brush, kind, lips)
    if kind in MOUTHS:
        _draw_open_mouth(brush, kind, line)
    elif kind == "smile":
        brush.line(
            smooth([(-0.2, 0.68), (-0.09, 0.725), (0.09, 0.725), (0.2, 0.68)]), 0.03, line, 0.1, 0.1
        )
    elif kind == "smirk":
        brush.line(smooth([(-0.16, 0.72), (0.02, 0.73), (0.2, 0.655)]), 0.03, line, 0.1, 0.3)
    elif kind == "cat":
        brush.line(
            smooth([(-0.16, 0.68), (-0.08, 0.73), (0.0, 0.69), (0.08, 0.73), (0.16, 0.68)]),
            0.028,
            line,
            0.1,
            0.1,
        )
    elif kind == "frown":
        brush.line(smooth([(-0.15, 0.74), (0.0, 0.7), (0.15, 0.735)]), 0.03, line, 0.1, 0.1)
    else:
        brush.line(smooth([(-0.13, 0.705), (0.0, 0.715), (0.13, 0.705)]), 0.028, line, 0.1, 0.1)
    if kind not in MOUTHS:
        under = arc((0.0, 0.77), 0.09, 0.03, 20, 160)
        brush.line(under, 0.016, skin_shadow(skin, 1.2), 0.0, 0.0)


def _draw_lips(brush: Brush, kind: str, lips: Colour) -> None:
    if kind in MOUTHS:
        half, top, bottom = MOUTHS[kind]
        around = ellipse((0.0, (top + bottom) / 2), half + 0.035, (bottom - top) / 2 + 0.04)
        brush.tint(around, lips, 0.7, 0.008)
        return
    upper = smooth([(-0.19, 0.7), (-0.06, 0.645), (0.0, 0.66), (0.06, 0.645), (0.19, 0.7)])
    lower = smooth([(0.19, 0.7), (0.1, 0.785), (-0.1, 0.785), (-0.19, 0.7)])
    brush.tint(np.vstack([upper, lower]), lips, 0.85, 0.006)
    brush.tint(ellipse((-0.03, 0.755), 0.06, 0.014), WHITE, 0.5, 0.008)


def _draw_open_mouth(brush: Brush, kind: str, line: Colour) -> None:
    half, top, bottom = MOUTHS[kind]
    if kind == "gasp":
        shape = ellipse((0.0, 0.74), half, 0.1)
    else:
        upper = smooth(
            [(-half, top), (-half * 0.4, top + 0.035), (half * 0.4, top + 0.035), (half, top)]
        )
        lower = smooth(
            [
                (half, top),
                (half * 0.72, (top + bottom) / 2 + 0.05),
                (0.0, bottom),
                (-half * 0.72, (top + bottom) / 2 + 0.05),
                (-half, top),
            ]
        )
        shape = np.vstack([upper, lower])
    brush.outline(shape, 0.026, line)
    brush.fill(shape, (142, 44, 52))
    clip = brush.mask(shape)
    if kind == "teeth":
        brush.tint(ellipse((0.0, top + 0.07), half, 0.09), WHITE, clip=clip)
        brush.outline(shape, 0.022, line)
        return
    brush.tint(
        ellipse((0.0, bottom - 0.01), half * 0.62, (bottom - top) * 0.34),
        (236, 128, 124),
        clip=clip,
    )
    if kind == "laugh":
        brush.tint(ellipse((0.0, top), half * 0.8, 0.075), WHITE, clip=clip)
