"""What a character's descriptors come down to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gallery.types import Descriptor


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


def profile(descriptors: NDArray[np.float32]) -> Profile:
    """Return ideal and best of descriptors, shape (n, DIMENSION), n at least 1.

    The mean is taken in double precision, so that it depends on the order of the rows in the last
    bit at most. The definitions are the original's (AnimeOneShotRecognitionModelDemo).
    """
    exact = descriptors.astype(np.float64)
    ideal = exact.mean(axis=0)
    best = int(np.linalg.norm(exact - ideal, axis=1).argmin())
    return Profile(ideal.astype(np.float32), best)
