"""How far things lie apart: descriptors by Euclid, boxes by what they share."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = TypeVar("Floats", bound=np.floating[Any])


def squared_distances(left: NDArray[Floats], right: NDArray[Floats]) -> NDArray[Floats]:
    """Return squared Euclidean distances of rows, shape (rows of left, rows of right).

    They are computed as |a|^2 + |b|^2 - 2ab, which needs no table of differences; single precision
    stays single. What rounding takes below 0 is 0.
    """
    sums = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)
    return np.asarray(np.maximum(sums - 2 * left @ right.T, 0))


def distances(
    left: NDArray[np.floating[Any]], right: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Return Euclidean distances of rows, shape (rows of left, rows of right)."""
    return np.asarray(np.sqrt(squared_distances(left, right)), np.float64)


def overlaps(some: NDArray[Floats], others: NDArray[Floats]) -> NDArray[Floats]:
    """Return intersection over union of boxes, shape (rows of some, rows of others).

    A row begins with a box's left, top, right and bottom; what follows does not count.
    """
    return overlaps_in_rows(some[:, None], others[None])


def overlaps_in_rows(some: NDArray[Floats], others: NDArray[Floats]) -> NDArray[Floats]:
    """Return intersection over union of each box and the one in the same row, shape (rows,)."""
    shared, one, other = _shared(some, others), _areas(some), _areas(others)
    # Boxes hold an area, but one of less than the smallest number times itself is none.
    union = np.maximum(one + other - shared, np.finfo(shared.dtype).tiny)
    return np.asarray(shared / union)


def covered(some: NDArray[Floats], others: NDArray[Floats]) -> NDArray[Floats]:
    """Return which share of each of some boxes lies in each other, shape as of overlaps."""
    shared = _shared(some[:, None], others[None])
    return np.asarray(shared / np.maximum(_areas(some)[:, None], np.finfo(shared.dtype).tiny))


def _shared(some: NDArray[Floats], others: NDArray[Floats]) -> NDArray[Floats]:
    low = np.maximum(some[..., :2], others[..., :2])
    high = np.minimum(some[..., 2:4], others[..., 2:4])
    return np.asarray(np.prod(np.clip(high - low, 0, None), axis=-1))


def _areas(boxes: NDArray[Floats]) -> NDArray[Floats]:
    return np.asarray(np.prod(boxes[..., 2:4] - boxes[..., :2], axis=-1))


def keep_best(
    boxes: NDArray[Floats], scores: NDArray[Floats], overlap: float, most: int
) -> NDArray[np.int64]:
    """Return the rows of boxes that stay, best score first, when none may overlap a better one.

    Boxes have the shape (n, 4), scores (n,). Every box that stays strikes out all others whose
    intersection over union with it is above `overlap` (greedy non-maximum suppression); of equal
    scores the lower row comes first. At most `most` rows are returned.
    """
    left = np.argsort(-scores, kind="stable")
    stays: list[int] = []
    while len(left) and len(stays) < most:
        best, left = left[0], left[1:]
        stays.append(int(best))
        left = left[overlaps(boxes[None, best], boxes[left])[0] <= overlap]
    return np.array(stays, np.int64)


def nearest_path(descriptors: NDArray[np.float32]) -> list[int]:
    """Return the rows of descriptors in an order that goes from each to the nearest that is left.

    It begins with the first one. So those that are alike mostly lie side by side.
    """
    if not len(descriptors):
        return []
    between = distances(descriptors, descriptors)
    path = [0]
    while len(path) < len(descriptors):
        between[:, path[-1]] = np.inf
        path.append(int(between[path[-1]].argmin()))
    return path
