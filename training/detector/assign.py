"""Which cell answers for which head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.detector.labels import Heads

STRIDES = (8, 16, 32, 64)
"""Pixels between the cells of a level."""

SIDES = ((0.0, 52.0), (34.0, 112.0), (76.0, 240.0), (170.0, float("inf")))
"""The heads of each level, by the square root of their area in pixels; neighbours share some."""

RADIUS = 1.5
"""Cells answer for a head up to this many strides from its middle, along either axis."""

NOBODY = -1
UNKNOWN = -2


def cells(height: int, width: int) -> NDArray[np.float64]:
    """Return the middles of all cells and their strides, shape (cells, 3), as `decode` has them.

    A side that a stride does not divide has a cell for the rest.
    """
    levels = []
    for stride in STRIDES:
        rows, columns = -(-height // stride), -(-width // stride)
        across, down = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
        middles = np.stack([across.ravel(), down.ravel()], axis=1) * stride
        levels.append(np.column_stack([middles, np.full(len(middles), stride)]))
    return np.concatenate(levels)


def assigned(heads: Heads, places: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for every cell the head that it answers for, NOBODY, or UNKNOWN; shape (cells,).

    Of several heads a cell takes the smallest, which is the one in front as a rule. A cell in an
    ignored region that answers for no head is UNKNOWN. Every head has at least one cell.
    """
    answer = np.full(len(places), NOBODY, np.int64)
    for box in heads.ignored:
        inside = (places[:, :2] > box[:2]).all(axis=1) & (places[:, :2] < box[2:]).all(axis=1)
        answer[inside] = UNKNOWN
    sizes = heads.boxes[:, 2:] - heads.boxes[:, :2]
    sides = np.sqrt(np.prod(sizes, axis=1))
    # The smallest come last and stay.
    for head in np.argsort(-sides):
        box, middle = heads.boxes[head], (heads.boxes[head, :2] + heads.boxes[head, 2:]) / 2
        away = np.abs(places[:, :2] - middle)
        own = np.zeros(len(places), np.bool_)
        for stride, (least, most) in zip(STRIDES, SIDES, strict=True):
            if least <= sides[head] < most:
                level = places[:, 2] == stride
                near = (away <= RADIUS * stride).all(axis=1)
                inside = (places[:, :2] > box[:2]).all(axis=1) & (places[:, :2] < box[2:]).all(
                    axis=1
                )
                own |= level & near & inside
                nearest = np.where(level, away.max(axis=1), np.inf).argmin()
                own[nearest] = True
        answer[own] = head
    return answer
