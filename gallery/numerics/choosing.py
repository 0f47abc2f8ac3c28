"""Which few of many descriptors stand for all of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.distances import distances


class Chosen(NamedTuple):
    """One that was chosen."""

    row: int
    apart: float
    """How far it was from the nearest one that stood before it; from nothing, infinite."""


def chosen(
    descriptors: NDArray[np.float32],
    worth: NDArray[np.float64],
    known: NDArray[np.float32],
    *,
    most: int,
    reach: float,
    apart: float,
) -> list[Chosen]:
    """Return the rows of descriptors that stand for all of them best, the best one first.

    Given are n descriptors, shape (n, DIMENSION), what each is worth, 0 to 1, shape (n,), and those
    that stand already, shape (k, DIMENSION). A descriptor stands for those that are nearer to it
    than to any before; how much nearer, summed over all of them, times its worth is what it adds.
    So one that is like no other adds little. What is farther than reach counts as there. At most so
    many are chosen, and none that is not farther apart from those that stand.
    """
    between = distances(descriptors, descriptors)
    nearest = np.full(len(descriptors), np.inf)
    if len(known):
        nearest = distances(descriptors, known).min(axis=1).astype(np.float64)
    found: list[Chosen] = []
    while len(found) < most:
        gain = np.maximum(np.minimum(nearest, reach)[:, None] - between, 0.0).sum(axis=0) * worth
        gain[nearest <= apart] = 0.0
        row = int(gain.argmax()) if len(gain) else 0
        if not len(gain) or gain[row] <= 0.0:
            break
        found.append(Chosen(row, float(nearest[row])))
        nearest = np.minimum(nearest, between[row])
    return found
