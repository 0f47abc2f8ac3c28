"""Hair: locks, the cap on the skull, the fringe with its shine and its shadow."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from drawing.canvas import Brush, Mask
from drawing.colour import Colour, ink, light, shadow, skin_shadow
from drawing.curves import Points, Spot, arc, bow, ellipse, flipped, ribbon, smooth, spots
from drawing.design import Hair, Lock


def lock_spine(lock: Lock, steps: int = 22) -> Points:
    """Return the middle line of a lock."""
    t = np.linspace(0.0, 1.0, steps)[:, None]
    root, bend, tip = (np.asarray(p, dtype=np.float64) for p in (lock.root, lock.bend, lock.tip))
    spine: Points = (1 - t) ** 2 * root + 2 * (1 - t) * t * bend + t**2 * tip
    return spine


def lock_shape(lock: Lock) -> Points:
    """Return the outline of a lock, full at its belly and pointed at its tip."""
    spine = lock_spine(lock)
    t = np.linspace(0.0, 1.0, len(spine))
    width = (0.72 + 0.34 * np.sin(np.pi * t)) * (1 - t ** (1.3 + 4 * lock.belly)) ** 0.85
    return ribbon(spine, lock.width * width)


def cap_edge(hair: Hair) -> Points:
    """Return the outer edge of the hair on the skull from the left temple to the right one."""
    right = smooth(
        [
            (0.0, -1.5 * hair.crown),
            (0.45 * hair.width, -1.43 * hair.crown),
            (0.86 * hair.width, -1.13 * hair.crown),
            (1.09 * hair.width, -0.62),
            (1.13 * hair.width, -0.15),
            (1.06 * hair.width, 0.25),
        ],
        steps=8,
    )
    return np.vstack([flipped(right)[::-1], right[1:]])


def fringe_edge(hair: Hair, shift: Spot = (0.0, 0.0)) -> Points:
    """Return the lower edge of the fringe from the left temple to the right one."""
    moved = [(x + shift[0], y + shift[1]) for x, y in hair.fringe]
    pieces = [bow(a, b, 0.07) for a, b in pairwise(moved)]
    return np.vstack(pieces)


def fringe_shape(hair: Hair) -> Points:
    """Return the outline of the fringe with the top of the head."""
    return np.vstack([cap_edge(hair)[6:-6], fringe_edge(hair)[::-1]])


def draw_locks(brush: Brush, locks: Sequence[Lock], hair: Hair, colour: Colour) -> None:
    """Draw locks as one mass of hair: an outline around all, strands and shade within."""
    shapes = [lock_shape(lock) for lock in locks]
    dark = ink(colour)
    for shape in shapes:
        brush.outline(shape, 0.034, dark)
    for lock, shape in zip(locks, shapes, strict=True):
        brush.fill(shape, colour)
        clip = brush.mask(shape)
        if hair.tips is not None:
            brush.ramp(shape, colour, hair.tips, clip)
        spine = lock_spine(lock)
        side = 1.0 if lock.tip[0] >= lock.root[0] else -1.0
        off = np.array([side * lock.width * 0.42, 0.0])
        shade = np.vstack([spine[2:] + off * 0.15, (spine[2:] + off * 2.2)[::-1]])
        brush.tint(shade, shadow(colour, 0.42), 0.6, 0.012, clip)
        for share in (-0.22, 0.12):
            strand = spine[3:17] + np.array([share * lock.width, 0.0])
            brush.soft_line(strand, 0.02, dark, 0.55, clip)
        half = len(shape) // 2
        brush.soft_line(shape[3:half], 0.024, dark, 0.8, None)


def draw_back(brush: Brush, hair: Hair) -> None:
    """Draw the hair behind the head: far locks, curls and the back of the cap."""
    dim = shadow(hair.colour, 0.28)
    if hair.behind:
        draw_locks(brush.at(-0.55), hair.behind, hair, hair.colour)
    back = brush.at(-0.2)
    cap = cap_edge(hair)
    back.outline(cap, 0.034, ink(hair.colour))
    draw_locks(back, hair.back, hair, dim)
    for x, y, radius in hair.curls:
        back.outline(_curl(x, y, radius), 0.034, ink(hair.colour))
    for x, y, radius in hair.curls:
        back.fill(_curl(x, y, radius), hair.colour)
    for x, y, radius in hair.curls:
        for turn in range(4):
            angle = 90.0 * turn + 200 * x + 70 * y
            loop = arc(
                (x + 0.3 * radius * np.cos(angle), y + 0.3 * radius * np.sin(angle)),
                radius * 0.42,
                radius * 0.36,
                angle,
                angle + 210,
            )
            tone = light(hair.colour, 0.22) if turn % 2 else ink(hair.colour)
            back.soft_line(loop, 0.035, tone, 0.6, None)
    back.fill(cap, dim)


def _curl(x: float, y: float, radius: float) -> Points:
    # A slightly bumpy circle, so that a mass of curls reads as hair.
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    bumpy = radius * (1 + 0.05 * np.sin(5 * angle + 7 * x + 3 * y))
    return np.column_stack([x + bumpy * np.cos(angle), y + bumpy * np.sin(angle)])


def draw_fringe_shadow(brush: Brush, hair: Hair, skin: Colour, face: Mask) -> None:
    """Draw the shadow of the fringe and the side locks on the face."""
    dark = skin_shadow(skin)
    lower = fringe_edge(hair, (0.035, 0.11))
    shape = np.vstack([spots([(-1.3, -1.5), (1.3, -1.5)]), lower[::-1]])
    brush.tint(shape, dark, 0.85, 0.01, face)
    for lock in hair.front:
        shadow_shape = lock_shape(lock) + np.array([-0.07 if lock.root[0] > 0 else 0.07, 0.04])
        brush.tint(shadow_shape, dark, 0.85, 0.01, face)


def draw_fringe(brush: Brush, hair: Hair) -> None:
    """Draw the side locks in front of the ears and the fringe over the forehead."""
    dark = ink(hair.colour)
    draw_locks(brush, hair.front, hair, hair.colour)
    shape = fringe_shape(hair)
    brush.outline(shape, 0.034, dark)
    brush.fill(shape, hair.colour)
    mask = brush.mask(shape)
    brush.ramp(shape, shadow(hair.colour, 0.12), light(hair.colour, 0.12), mask)
    _shade_fringe(brush, hair, mask)
    _draw_shine(brush, hair, mask)
    _draw_strands(brush, hair, mask)
    # The roots of the side locks melt into the fringe, so its edge is drawn over once more.
    edge = fringe_edge(hair)
    brush.line(edge[8:-8], 0.03, dark, 0.4, 0.4)


def flow(hair: Hair, start: Spot, share: float, lag: float = 0.0) -> Points:
    """Return the way hair runs up from a point towards the parting, over the round skull."""
    goal = hair.parting
    bend = (start[0] * 0.82 + goal[0] * 0.18, goal[1] * 0.72 + start[1] * 0.28)
    t = np.linspace(lag, share, 18)[:, None]
    a, b, c = (np.asarray(p, dtype=np.float64) for p in (start, bend, goal))
    curve: Points = (1 - t) ** 2 * a + 2 * (1 - t) * t * b + t**2 * c
    return curve


def _shade_fringe(brush: Brush, hair: Hair, mask: Mask) -> None:
    dark = shadow(hair.colour, 0.45)
    for number, (tip, notch) in enumerate(zip(hair.fringe[1::2], hair.fringe[2::2], strict=False)):
        reach = 0.55 + 0.2 * (number % 2)
        outer = np.vstack([bow(tip, notch, 0.07), flow(hair, notch, reach)])
        middle = _toward(tip, notch, 0.45)
        inner = flow(hair, (middle[0], middle[1]), reach)
        brush.tint(np.vstack([outer, inner[::-1]]), dark, 0.8, 0.006, mask)
    rim = cap_edge(hair)
    crescent = np.vstack([rim[34:], rim[34:][::-1] * np.array([0.86, 0.98])])
    brush.tint(crescent, dark, 0.6, 0.02, mask)


def _draw_shine(brush: Brush, hair: Hair, mask: Mask) -> None:
    if hair.shine <= 0:
        return
    bright = light(hair.colour, 0.62)
    across = np.linspace(-0.86, 0.82, 41)
    middle = hair.shine_height * hair.crown + 0.36 * across**2
    swell = np.cos(across * 1.7)
    tooth = np.abs(((np.arange(41) * 0.37 + 0.3 * np.sin(np.arange(41) * 1.3)) % 1.0) - 0.5) * 2
    upper = middle - (0.012 + 0.11 * tooth**1.5) * swell
    lower = middle + (0.012 + 0.16 * (1 - tooth) ** 1.6) * swell
    band = np.vstack(
        [
            np.column_stack([across * hair.width, upper]),
            np.column_stack([across * hair.width, lower])[::-1],
        ]
    )
    brush.tint(band, bright, hair.shine, 0.004, mask)


def _draw_strands(brush: Brush, hair: Hair, mask: Mask) -> None:
    dark = ink(hair.colour)
    for number, notch in enumerate(hair.fringe[2:-2:2]):
        brush.soft_line(flow(hair, notch, 0.72 + 0.12 * (number % 3)), 0.028, dark, 0.9, mask)
    for number, tip in enumerate(hair.fringe[1::2]):
        lag = 0.12 + 0.05 * (number % 3)
        brush.soft_line(flow(hair, tip, 0.6 + 0.1 * (number % 2), lag), 0.018, dark, 0.5, mask)
    for number, height in enumerate((-0.75, -0.35, 0.05)):
        for side in (-1, 1):
            start = (side * (1.1 - 0.06 * number) * hair.width, height)
            brush.soft_line(flow(hair, start, 0.5), 0.018, dark, 0.5, mask)


def _toward(start: Spot, goal: Spot, share: float) -> Spot:
    return (start[0] + (goal[0] - start[0]) * share, start[1] + (goal[1] - start[1]) * share)


def draw_bun(brush: Brush, hair: Hair, x: float, y: float, radius: float) -> None:
    """Draw a bun of hair with its winding."""
    dark = ink(hair.colour)
    ball = ellipse((x, y), radius, radius * 0.94)
    brush.outline(ball, 0.042, dark)
    brush.fill(ball, hair.colour)
    clip = brush.mask(ball)
    brush.tint(
        ellipse((x + radius * 0.35, y + radius * 0.4), radius, radius),
        shadow(hair.colour, 0.42),
        0.6,
        0.03,
        clip,
    )
    brush.tint(
        ellipse((x - radius * 0.3, y - radius * 0.45), radius * 0.45, radius * 0.18),
        light(hair.colour, 0.7),
        hair.shine,
        0.02,
        clip,
    )
    for turn in (0.75, 0.45):
        swirl = smooth(
            [
                (x - radius * turn, y + radius * 0.3),
                (x, y - radius * turn * 0.4),
                (x + radius * turn, y + radius * 0.1),
            ]
        )
        brush.soft_line(swirl, 0.024, dark, 0.7, clip)
