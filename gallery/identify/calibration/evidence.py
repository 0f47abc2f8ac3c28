"""What speaks for and against a face being the character nearest to it: pure functions of numbers.

One face's evidence is a row of numbers in the order of COLUMNS; NaN stands for what is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.profiles import profile

Numbers = NDArray[np.float64]
Vectors = NDArray[np.float32]

SHRINKING = 2.0
"""As many references' worth of the pool's spread counts with a character's own."""

DIFFERENCES = 1 << 18
"""Numbers that are in memory at once where faces are compared with references: 2 MB, which stay in
a processor's cache."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one face and the first character; distances are Euclidean.

    Its parts are the columns of weigh_all's rows.
    """

    ideal: float
    """From the character's ideal."""
    best: float
    """From its best."""
    nearest: float
    """From its nearest reference."""
    gap: float
    """How much farther the second character's ideal is; below 0 where that is nearer, as it can be
    by other ways to match. NaN where there is no second."""
    ratio: float
    """Distance from the first ideal over that from the second, NaN where there is no second."""
    spread: float
    """How far the character's references lie from their mean, see `spread`."""
    references: float
    """How many there are."""
    quality: float
    """How well the face can be seen, 0 to 1; NaN where it was not measured."""


COLUMNS = tuple(one.name for one in fields(Evidence))


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A character as its references show it."""

    references: Numbers
    """Shape (n, dimension), n at least 1."""
    ideal: Numbers
    """Their mean, shape (dimension,), in single precision as it is stored."""
    best: int
    """The row of the reference nearest to it."""
    square: float
    """See squared_spread."""


def known_by(references: Vectors) -> Known:
    """Return a character of references, shape (n, dimension), n at least 1."""
    centre = profile(references)
    exact = references.astype(np.float64)
    return Known(exact, centre.ideal.astype(np.float64), centre.best, squared_spread(references))


def weigh_all(
    descriptors: Vectors,
    known: Sequence[Known],
    owners: NDArray[np.int64],
    seconds: Numbers,
    *,
    pool: float,
    qualities: Numbers,
) -> Numbers:
    """Return the evidence on faces, shape (n, dimension), and the first characters of each.

    `owners`, shape (n,), say which of those that are known is each face's. `seconds`, shape (n,),
    are the distances from the second character's ideal, `pool` the spread of the gallery's
    references, see `pooled_spread`; NaN where there is none. The shape is (n, len(COLUMNS)).
    """
    best, nearest = _from_references(descriptors, known, owners)
    ideals = np.stack([one.ideal for one in known])
    sizes = np.array([len(one.references) for one in known])
    spreads = np.array([_shrunk(one.square, len(one.references), pool) for one in known])
    ideal = np.linalg.norm(ideals[owners] - descriptors, axis=1)
    evidence = {
        "ideal": ideal,
        "best": best,
        "nearest": nearest,
        "gap": seconds - ideal,
        "ratio": np.divide(ideal, seconds, out=np.full_like(ideal, np.nan), where=seconds > 0),
        "spread": spreads[owners],
        "references": sizes[owners].astype(np.float64),
        "quality": qualities,
    }
    return np.stack([evidence[name] for name in COLUMNS], axis=1)


def _from_references(
    descriptors: Vectors, known: Sequence[Known], owners: NDArray[np.int64]
) -> tuple[Numbers, Numbers]:
    """Return each face's distances from its character's best and from its nearest reference."""
    sizes = np.array([len(one.references) for one in known])
    bests = np.array([one.best for one in known])
    best, nearest = np.empty(len(owners)), np.empty(len(owners))
    # A part has whole characters' faces as far as it goes, so that it holds few references.
    order = np.argsort(owners, kind="stable")
    compared = np.cumsum(sizes[owners[order]]) * descriptors.shape[1]
    for rows in np.split(order, np.flatnonzero(np.diff(compared // DIFFERENCES)) + 1):
        own, places = np.unique(owners[rows], return_inverse=True)
        references = np.concatenate([known[one].references for one in own])
        counts = sizes[own][places]
        ends = np.cumsum(counts)
        starts = (np.cumsum(sizes[own]) - sizes[own])[places]
        others = np.arange(ends[-1]) + np.repeat(starts - ends + counts, counts)
        apart = np.linalg.norm(references[others] - np.repeat(descriptors[rows], counts, 0), axis=1)
        best[rows] = apart[ends - counts + bests[own][places]]
        nearest[rows] = np.minimum.reduceat(apart, ends - counts)
    return best, nearest


def squared_spread(references: Vectors) -> float:
    """Return the sum of squared distances of references, shape (n, dimension), from their mean."""
    exact = references.astype(np.float64)
    return float(((exact - exact.mean(axis=0)) ** 2).sum())


def spread(references: Vectors, pool: float) -> float:
    """Return a character's radius: the standard deviation of its references around their mean.

    It is shrunk towards the pool's: the variance is the mean of its own, with n - 1 degrees of
    freedom, and the pool's, with SHRINKING. A character with one reference has the pool's.
    """
    return _shrunk(squared_spread(references), len(references), pool)


def _shrunk(square: float, references: int, pool: float) -> float:
    return float(np.sqrt((square + SHRINKING * pool**2) / (references - 1 + SHRINKING)))


def pooled_spread(descriptors: Vectors, labels: NDArray[np.int64]) -> float:
    """Return the spread of all characters' references together, each around its own mean.

    Labels, shape (n,), number the characters. NaN where no character has two.
    """
    sums, freedom = 0.0, 0
    order = np.argsort(labels, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if len(rows) > 1:
            sums += squared_spread(descriptors[rows])
            freedom += len(rows) - 1
    return float(np.sqrt(sums / freedom)) if freedom else float("nan")
