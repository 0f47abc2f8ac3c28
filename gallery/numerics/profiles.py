"""What a character's descriptors come down to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gallery.types import Descriptor

AT_ONCE = 1 << 16
"""Descriptors that are there in double precision, too."""


class Profile(NamedTuple):
    """A character's ideal and best encoding."""

    ideal: Descriptor
    """The mean of its descriptors, shape (DIMENSION,)."""
    best: int
    """The row of the descriptor nearest to the ideal; of equally near ones the first."""


def counting(poor: Sequence[bool]) -> list[int]:
    """Return which of a character's samples its ideal and best are made of, by their rows.

    Given is which are marked as poor. These are left out, unless there are no others.
    """
    good = [row for row, is_poor in enumerate(poor) if not is_poor]
    return good or list(range(len(poor)))


def counted(labels: NDArray[np.int64], poor: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of many characters' samples count, as `counting` does for one, shape (n,).

    Labels, shape (n,), are whole numbers from 0 on and say whose each is.
    """
    has_good = np.bincount(labels, ~poor) > 0
    return np.asarray(~poor | ~has_good[labels])


def ideals_of(
    descriptors: NDArray[np.floating[Any]], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the means of many characters' descriptors, and of how many each is made.

    Descriptors have the shape (n, dimension); labels, shape (n,), are all numbers from 0 on.
    """
    sizes = np.bincount(labels)
    sums = np.zeros((len(sizes), descriptors.shape[1]))
    for start in range(0, len(labels), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        np.add.at(sums, labels[some], descriptors[some].astype(np.float64))
    return sums / np.maximum(sizes, 1)[:, None], sizes


def ideals_without(
    ideals: NDArray[np.float64], sizes: NDArray[np.int64], descriptors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return ideals as if one of the descriptors that each is made of were not there.

    Shapes (n, dimension), (n,) and (n, dimension). Where there is no other, it means nothing.
    """
    left = ideals * sizes[:, None] - descriptors
    return np.asarray(left / np.maximum(sizes - 1, 1)[:, None])


def profile(descriptors: NDArray[np.float32]) -> Profile:
    """Return ideal and best of descriptors, shape (n, DIMENSION), n at least 1.

    The mean is taken in double precision, so that it depends on the order of the rows in the last
    bit at most. The definitions are the original's (AnimeOneShotRecognitionModelDemo).
    """
    exact = descriptors.astype(np.float64)
    ideal = exact.mean(axis=0)
    best = int(np.linalg.norm(exact - ideal, axis=1).argmin())
    return Profile(ideal.astype(np.float32), best)
