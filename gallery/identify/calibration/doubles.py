"""Characters that are likely one: two folders of one character, as their references tell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.identify.calibration.evidence import SHRINKING
from gallery.numerics.distances import squared_distances

Numbers = NDArray[np.float64]
Labels = NDArray[np.int64]

ROWS_AT_ONCE = 512

LEAST = 2
"""References that both of two characters must have; one alone is a guess."""

TOGETHER, STEEPNESS, START = 0.6, -17.8, 8.3
"""Two characters may be one up to this many times the encoder's `unknown` distance, and how likely
that is. There, of characters cut in two, 3 to 20 samples each, 97 % are found, and 0.25 % of pairs
of different ones are proposed, on 60 characters held out of the training of anime-pair; the
logistic regression takes one pair in a hundred to be of one."""

LIKELY = 0.75
"""From this likelihood on two characters are taken for one where a gallery is calibrated: up to
0.4 times the `unknown` distance. See docs/notes/calibration.md."""


ENOUGH_RIGHT = 3
"""So many references that a person said to be right tell a character from its double."""


@dataclass(frozen=True, slots=True)
class Double:
    """Two characters that look like one, by number."""

    one: int
    other: int
    apart: float
    """How far their true ideals are from each other."""
    likelihood: float
    """That they are one, 0 to 1."""


def are_told_apart(right: int, size: int) -> bool:
    """Say whether a person told two apart who look like one.

    Given is how many references the smaller one of them has, and how many of these he said to be
    right: he has looked at them, and they are that character and not the other.
    """
    return right >= min(ENOUGH_RIGHT, size)


def likelihood_at(ratio: float) -> float:
    """Return how likely two are one whose true centres lie so many times `unknown` apart."""
    return 1.0 / (1.0 + math.exp(-(STEEPNESS * ratio + START)))


@dataclass(frozen=True, slots=True, eq=False)
class Centres:
    """Where characters lie."""

    numbers: Labels
    """Which characters, ascending, shape (n,)."""
    ideals: Numbers
    """Shape (n, dimension)."""
    sizes: Labels
    """How many references each ideal is made of, shape (n,)."""
    noise: Numbers
    """The expected squared distance of each ideal from the true one, shape (n,)."""


def centres(descriptors: NDArray[np.floating], labels: Labels) -> Centres:
    """Return the centres of characters of references, shape (n, dimension), by their numbers."""
    numbers, places = np.unique(labels, return_inverse=True)
    exact = descriptors.astype(np.float64)
    sizes = np.bincount(places, minlength=len(numbers)).astype(np.int64)
    ideals = np.zeros((len(numbers), exact.shape[1]))
    np.add.at(ideals, places, exact)
    ideals /= sizes[:, None]
    squares = np.bincount(places, ((exact - ideals[places]) ** 2).sum(axis=1), len(numbers))
    several = sizes > 1
    pool = squares[several].sum() / max(int((sizes[several] - 1).sum()), 1)
    # Of few references the variance is a guess, too: it is shrunk as evidence.spread does it.
    noise = (squares + SHRINKING * pool) / (sizes - 1 + SHRINKING) / sizes
    return Centres(numbers.astype(np.int64), ideals, sizes, noise)


def doubles(found: Centres, unknown: float, *, least: float = 0.0) -> Iterator[Double]:
    """Yield the pairs of characters that are one with at least a likelihood.

    `unknown` is the encoder's distance that nobody lies beyond. The means of few references lie
    apart by chance, by the references' variance over their number, which is taken off the squared
    distance.
    """
    able = np.flatnonzero(found.sizes >= LEAST)
    most = (TOGETHER * unknown) ** 2
    for start in range(0, len(able), ROWS_AT_ONCE):
        rows, rest = able[start : start + ROWS_AT_ONCE], able[start:]
        apart = squared_distances(found.ideals[rows], found.ideals[rest])
        apart -= found.noise[rows][:, None] + found.noise[rest]
        for row, column in np.argwhere(np.triu(apart <= most, 1)):
            one, other = int(rows[row]), int(rest[column])
            between = math.sqrt(max(float(apart[row, column]), 0.0))
            likelihood = likelihood_at(between / unknown)
            if likelihood >= least:
                numbers = int(found.numbers[one]), int(found.numbers[other])
                yield Double(*numbers, between, likelihood)
