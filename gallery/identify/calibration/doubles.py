"""Characters that are likely one: two folders of one character, as their references tell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.identify.calibration.evidence import SHRINKING
from gallery.numerics.neighbours import pairs_within
from gallery.numerics.profiles import AT_ONCE, ideals_of

Numbers = NDArray[np.float64]
Labels = NDArray[np.int64]

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


def _ratio_at(likelihood: float) -> float:
    """Return the ratio at which two are one with a likelihood, or a little more."""
    return (math.log(1.0 / likelihood - 1.0) + START) / -STEEPNESS + 1e-9


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


def centres(
    descriptors: NDArray[np.floating], labels: Labels, pool: float | None = None
) -> Centres:
    """Return the centres of characters of references, shape (n, dimension), by their numbers.

    `pool` is the variance of a reference around its own centre, of all characters together; without
    it, it is that of the references given.
    """
    numbers, places = np.unique(labels, return_inverse=True)
    sizes = np.bincount(places, minlength=len(numbers)).astype(np.int64)
    ideals, squares = _means(descriptors, places)
    if pool is None:
        pool = _pooled(squares, sizes)
    # Of few references the variance is a guess, too: it is shrunk as evidence.spread does it.
    noise = (squares + SHRINKING * pool) / (sizes - 1 + SHRINKING) / sizes
    return Centres(numbers.astype(np.int64), ideals, sizes, noise)


def pooled_variance(descriptors: NDArray[np.floating], labels: Labels) -> float:
    """Return the variance of references, shape (n, dimension), each around its own centre.

    0 where no character has two.
    """
    _, places = np.unique(labels, return_inverse=True)
    sizes = np.bincount(places).astype(np.int64)
    return _pooled(_means(descriptors, places)[1], sizes)


def _means(descriptors: NDArray[np.floating], places: Labels) -> tuple[Numbers, Numbers]:
    """Return each place's mean, and the sum of its references' squared distances from it."""
    ideals, _ = ideals_of(descriptors, places)
    squares = np.zeros(len(ideals))
    for start in range(0, len(places), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        apart = ((descriptors[some].astype(np.float64) - ideals[places[some]]) ** 2).sum(axis=1)
        np.add.at(squares, places[some], apart)
    return ideals, squares


def _pooled(squares: Numbers, sizes: Labels) -> float:
    several = sizes > 1
    return float(squares[several].sum() / max(int((sizes[several] - 1).sum()), 1))


def doubles(found: Centres, unknown: float, *, least: float = 0.0) -> Iterator[Double]:
    """Yield the pairs of characters that are one with at least a likelihood.

    `unknown` is the encoder's distance that nobody lies beyond. The means of few references lie
    apart by chance, by the references' variance over their number, which is taken off the squared
    distance.
    """
    able = np.flatnonzero(found.sizes >= LEAST)
    if not len(able):
        return
    ideals, noise = found.ideals[able], found.noise[able]
    # Up to this ratio of the distance two are one with the likelihood.
    ratio = TOGETHER if least <= 0 else min(TOGETHER, _ratio_at(least))
    # What one of less noise may be away from, it finds itself.
    found_pairs = pairs_within(ideals, (ratio * unknown) ** 2 + 2 * noise)
    for row, column, square in zip(*(part.tolist() for part in found_pairs), strict=True):
        apart = square - noise[row] - noise[column]
        between = math.sqrt(max(apart, 0.0))
        likelihood = likelihood_at(between / unknown)
        if apart <= (TOGETHER * unknown) ** 2 and likelihood >= least:
            one, other = int(found.numbers[able[row]]), int(found.numbers[able[column]])
            yield Double(one, other, between, likelihood)
