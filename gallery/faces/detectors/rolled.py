"""The rolled pass for leaning heads: the picture turned until they are upright.

A network that knows upright heads best gives leaning ones lower scores. If it doubts such a head,
this pass turns the picture by that head's roll and detects again. Rows are those of the network,
shape (n, 11): score, box, two eyes, and how sure it is that each can be seen; pixels are those of
the picture as the network takes it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gallery.types import Pixels

LEANING = 15.0
"""Degrees from which on a head leans."""

LEANING_FAR = 20.0
DOUBTED = (0.4, 0.8)
"""A head that leans so far, with a score between these, is a reason for the rolled pass: others
would stay on their side of the limit. Three in ten upright pictures have such a head."""

TOGETHER = 40.0
"""Heads whose rolls differ by less are upright in the same turned picture."""

SAME_HEAD = 0.45
"""Intersection over union from which on both passes mean one head."""

UNSEEN = 0.05
"""The score in the rolled pass of a head that only the first pass finds."""

Rows = NDArray[np.float32]
Numbers = NDArray[np.float64]


class Turned(NamedTuple):
    """A picture turned about its middle, on a canvas that holds all of it."""

    pixels: Pixels
    """Shape (height, width, 3), filled up right and below to a multiple."""
    turn: Numbers
    """The rotation, shape (2, 2), from places in the picture to those on the canvas."""
    shift: Numbers
    """What comes to it, shape (2,)."""


def roll_to_level(heads: Rows) -> float | None:
    """Return the roll, -90 to 90 degrees, of the surest leaning head; None without a doubt."""
    own = rolls(heads)
    leans = np.abs(own)
    low, high = DOUBTED
    if not ((leans >= LEANING_FAR) & (heads[:, 0] >= low) & (heads[:, 0] < high)).any():
        return None
    return float(own[np.where(leans >= LEANING, heads[:, 0], -1).argmax()])


def rolls(heads: Rows) -> Numbers:
    """Return how far heads lean by their eyes, -90 to 90 degrees, clockwise above 0, shape (n,)."""
    across, down = (heads[:, 7:9] - heads[:, 5:7]).T.astype(np.float64)
    # Which eye is the left one shows only once a head is level.
    sense = np.where(across < 0, -1.0, 1.0)
    return np.asarray(np.degrees(np.arctan2(sense * down, sense * across)))


def turned(pixels: Pixels, roll: float, multiple: int, ground: int) -> Turned:
    """Return a picture turned until what has this roll is level, filled up with a value."""
    import cv2

    height, width = pixels.shape[:2]
    cosine, sine = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    turn = np.array([[cosine, sine], [-sine, cosine]])
    sides = np.abs(turn) @ [width, height]
    columns, rows = (math.ceil(side / multiple) * multiple for side in sides)
    shift = sides / 2 - turn @ [width / 2, height / 2]
    # OpenCV counts from the middle of the first pixel.
    offset = shift + turn.sum(axis=1) / 2 - 0.5
    canvas = cv2.warpAffine(
        pixels,
        np.column_stack([turn, offset]),
        (columns, rows),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(ground,) * 3,
    )
    return Turned(np.asarray(canvas, np.uint8), turn, shift)


def boxes_back(boxes: Rows, view: Turned) -> Rows:
    """Return where boxes (n, 4) of a turned picture are in the picture.

    A head is about an ellipse; turned back it fills a box of other sides.
    """
    middles = ((boxes[:, :2] + boxes[:, 2:]) / 2 - view.shift) @ view.turn
    halves = np.sqrt(((boxes[:, 2:] - boxes[:, :2]) / 2) ** 2 @ view.turn**2)
    return np.concatenate([middles - halves, middles + halves], axis=1).astype(np.float32)


def joined_scores(heads: Rows, level: Rows, overlap: Rows, roll: float) -> Rows:
    """Return heads' scores after a rolled pass: the mean for heads that it shows upright.

    It is that of the odds' logarithms. overlap, shape (heads, level), is intersection over union
    of their boxes, roll what the picture was turned by.
    """
    own = rolls(heads)
    concerned = (np.abs(own) >= LEANING) & (np.abs(own - roll) < TOGETHER)
    seen = np.where(overlap >= SAME_HEAD, level[:, 0], UNSEEN).max(axis=1, initial=UNSEEN)
    odds = np.sqrt(_odds(heads[:, 0]) * _odds(seen))
    return np.where(concerned, odds / (1 + odds), heads[:, 0]).astype(np.float32)


def _odds(scores: Rows) -> Rows:
    inside = np.clip(scores, 1e-6, 1 - 1e-6)
    return np.asarray(inside / (1 - inside))
