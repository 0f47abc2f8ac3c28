"""Eyes and eyebrows."""

from __future__ import annotations

import numpy as np

from drawing.canvas import Brush, Mask
from drawing.colour import WHITE, Colour, light, mix, skin_shadow, tuple_scale
from drawing.curves import Points, Spot, arc, ellipse, ribbon, smooth, spots
from drawing.design import Brows, Expression, EyeStyle


def eye_frame(points: Points, style: EyeStyle, side: int) -> Points:
    """Return points of an eye's own square (-1 to 1, positive x outwards) in the head's space."""
    angle = np.radians(-style.tilt)
    x, y = points[:, 0] * style.width, points[:, 1] * style.height
    turned_x = x * np.cos(angle) - y * np.sin(angle)
    turned_y = x * np.sin(angle) + y * np.cos(angle)
    return np.column_stack([side * (style.spacing + turned_x), turned_y])


def upper_lid(style: EyeStyle, openness: float) -> Points:
    """Return the upper lid from the inner to the outer corner in the eye's own square."""
    drop = 1.0 - openness
    rows = [
        (-1.0, 0.22 + 0.25 * drop),
        (-0.72, -0.48 + 0.95 * drop),
        (-0.2, -0.97 + 1.6 * drop),
        (0.38, -0.95 + 1.6 * drop),
        (0.8, -0.55 - style.outer * 0.5 + 1.15 * drop),
        (1.02, 0.02 - style.outer + 0.55 * drop),
    ]
    return smooth(rows, steps=8)


def lower_lid(style: EyeStyle) -> Points:
    """Return the lower lid from the outer to the inner corner in the eye's own square."""
    rows = [
        (0.98, 0.1 - style.outer * 0.8),
        (0.8, 0.66 - style.outer * 0.4),
        (0.32, 0.98),
        (-0.3, 0.98),
        (-0.78, 0.66),
        (-1.0, 0.22),
    ]
    return smooth(rows, steps=8)


def draw_eye(
    brush: Brush, style: EyeStyle, skin: Colour, side: int, openness: float, gaze: Spot
) -> None:
    """Draw one eye; the side is -1 for the left of the picture and 1 for the right."""
    if openness < 0.25:
        _draw_shut_eye(brush, style, skin, side)
        return
    upper = eye_frame(upper_lid(style, openness), style, side)
    lower = eye_frame(lower_lid(style), style, side)
    ball = np.vstack([upper, lower])
    brush.fill(ball, mix(WHITE, skin, 0.06))
    clip = brush.mask(ball)
    _draw_iris(brush, style, side, gaze, openness, clip)
    shade = np.vstack([upper, (upper + np.array([0.0, style.height * 0.38]))[::-1]])
    brush.tint(shade, (70, 60, 110), 0.34, style.height * 0.05, clip)
    _draw_highlights(brush, style, side, gaze, openness)
    _draw_lashes(brush, style, skin, side, openness)


def _iris_centre(side: int, gaze: Spot, openness: float) -> Spot:
    # The frame's x points outwards, so a look to the right is mirrored for the left eye.
    return (-0.04 + gaze[0] * side, 0.06 + gaze[1] + 0.12 * (1 - openness))


def _draw_iris(
    brush: Brush, style: EyeStyle, side: int, gaze: Spot, openness: float, clip: Mask
) -> None:
    centre = _iris_centre(side, gaze, openness)
    across, down = style.iris_size, 0.94 * min(1.0, 0.55 + style.iris_size * 0.6)
    top, bottom = style.iris

    def shape(at: Spot, wide: float, high: float) -> Points:
        return eye_frame(ellipse(at, wide, high), style, side)

    rim = mix(tuple_scale(top, 0.45), (20, 12, 30), 0.3)
    brush.tint(shape(centre, across, down), rim, clip=clip)
    brush.ramp(shape(centre, across * 0.9, down * 0.92), top, bottom, clip)
    # The upper third is darker, as if under the lid; the lower part holds a bright crescent.
    lid = shape((centre[0], centre[1] - down * 0.52), across * 0.86, down * 0.5)
    brush.tint(lid, tuple_scale(top, 0.35), 0.75, style.height * 0.07, clip)
    glow = shape((centre[0], centre[1] + down * 0.5), across * 0.58, down * 0.3)
    brush.tint(glow, light(bottom, 0.55), 0.85, style.height * 0.05, clip)
    if style.slit:
        pupil = shape(centre, across * 0.2, down * 0.55)
    else:
        pupil = shape((centre[0], centre[1] - 0.02), across * 0.4, down * 0.42)
    brush.tint(pupil, mix(tuple_scale(top, 0.2), (12, 8, 20), 0.6), 0.95, 0.004, clip)


def _draw_highlights(brush: Brush, style: EyeStyle, side: int, gaze: Spot, openness: float) -> None:
    x, y = _iris_centre(side, gaze, openness)
    # Light falls from the upper left of the picture into both eyes.
    toward = -0.3 * side
    drop = max(0.0, 0.9 - openness) * 0.9
    size = style.iris_size
    if style.highlight == "round":
        big = ellipse((x + toward * size * 1.5, y - 0.42 + drop), 0.28 * size, 0.24)
    else:
        big = ellipse((x + toward * size * 1.5, y - 0.38 + drop), 0.17 * size, 0.34)
    small = ellipse((x - toward * size * 1.4, y + 0.44), 0.15 * size, 0.13)
    brush.tint(eye_frame(big, style, side), WHITE)
    brush.tint(eye_frame(small, style, side), WHITE, 0.92)


def _draw_lashes(brush: Brush, style: EyeStyle, skin: Colour, side: int, openness: float) -> None:
    lid = upper_lid(style, openness)
    wing = np.vstack([lid, spots([(1.22, -0.06 - style.outer + 0.4 * (1 - openness))])])
    spine = eye_frame(wing, style, side)
    t = np.linspace(0.0, 1.0, len(spine))
    thick = 0.06 + 1.1 * np.sin(np.pi * np.clip(t * 0.82 + 0.06, 0, 1)) ** 0.7
    thick = thick * np.clip((1.0 - t) * 9 + 0.06, 0, 1)
    widths = thick * 0.078 * style.lash * (0.55 + style.height * 1.5)
    placed = brush.rig.place(spine)
    band = ribbon(placed, np.maximum(widths * brush.rig.scale, 0.6))
    brush.canvas.fill(band, style.lash_colour)
    for spike in range(style.spikes):
        at = (0.84 - 0.2 * spike, -0.46 - 0.2 * spike - style.outer * 0.5 + (1 - openness))
        tip = (at[0] + 0.42 - 0.06 * spike, at[1] - 0.26 - 0.03 * spike)
        brush.line(
            eye_frame(
                spots([at, ((at[0] + tip[0]) / 2 + 0.05, (at[1] + tip[1]) / 2 + 0.05), tip]),
                style,
                side,
            ),
            0.04 * style.lash,
            style.lash_colour,
            1,
            0,
        )
    crease = arc((0.05, 0.0), 0.9, 1.32, -128, -42)
    crease[:, 1] += 0.5 * (1 - openness)
    brush.line(eye_frame(crease, style, side), 0.014, skin_shadow(skin, 1.7), 0, 0)
    lower = lower_lid(style)[:26]
    brush.line(
        eye_frame(lower, style, side),
        0.02 * (0.5 + style.lower_lash),
        mix(style.lash_colour, skin, 0.25 if style.lower_lash > 0.5 else 0.5),
        0.5,
        0,
    )


def _draw_shut_eye(brush: Brush, style: EyeStyle, skin: Colour, side: int) -> None:
    curve = smooth([(-1.0, 0.38), (-0.6, 0.02), (0.0, -0.16), (0.6, 0.0), (1.08, 0.42)])
    brush.line(eye_frame(curve, style, side), 0.075 * style.lash, style.lash_colour, 0.3, 0.1)
    for at, tip in (((0.8, 0.18), (1.22, 0.1)), ((0.95, 0.3), (1.3, 0.34))):
        brush.line(eye_frame(spots([at, tip]), style, side), 0.035, style.lash_colour, 1, 0)
    crease = arc((0.0, 0.35), 0.8, 0.9, -125, -55)
    brush.line(eye_frame(crease, style, side), 0.014, skin_shadow(skin, 1.7), 0, 0)


def draw_brow(
    brush: Brush, brows: Brows, eyes: EyeStyle, colour: Colour, side: int, mood: Expression
) -> None:
    """Draw one eyebrow."""
    tilt = brows.tilt + mood.brow_tilt
    middle = -brows.height - mood.brow_lift
    half = brows.length
    x = eyes.spacing + 0.02
    inner = (x - half, middle + tilt)
    peak = (x + half * 0.25, middle - brows.arch - tilt * 0.2)
    outer = (x + half, middle - tilt * 0.7 + brows.arch * 0.5)
    curve = smooth([inner, peak, outer]) * np.array([side, 1.0])
    brush.line(curve, brows.thickness, colour, 0.55, 0.0)
