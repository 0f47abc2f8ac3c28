"""What speaks for and against a face being the character nearest to it: pure functions of numbers.

One face's evidence is a row of numbers in the order of COLUMNS; NaN stands for what is unknown.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.profiles import profile

Numbers = NDArray[np.float64]
Vectors = NDArray[np.float32]

SHRINKING = 2.0
"""As many references' worth of the pool's spread counts with a character's own."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one face and the first character; distances are Euclidean."""

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

    def row(self) -> Numbers:
        """Return it as a row, shape (len(COLUMNS),)."""
        return np.array(astuple(self), dtype=np.float64)


COLUMNS = tuple(one.name for one in fields(Evidence))


def weigh(
    descriptor: Vectors,
    references: Vectors,
    second: float,
    *,
    pool: float,
    quality: float,
) -> Evidence:
    """Return the evidence on a face, shape (dimension,), and a character's references.

    References have the shape (n, dimension), n at least 1. `second` is the distance from the second
    character's ideal, `pool` the spread of the gallery's references, see `pooled_spread`; NaN
    where there is none.
    """
    centre = profile(references)
    exact = references.astype(np.float64)
    apart = np.linalg.norm(exact - descriptor, axis=1)
    ideal = float(np.linalg.norm(centre.ideal.astype(np.float64) - descriptor))
    return Evidence(
        ideal=ideal,
        best=float(apart[centre.best]),
        nearest=float(apart.min()),
        gap=second - ideal,
        ratio=ideal / second if second > 0 else np.nan,
        spread=spread(references, pool),
        references=float(len(references)),
        quality=quality,
    )


def squared_spread(references: Vectors) -> float:
    """Return the sum of squared distances of references, shape (n, dimension), from their mean."""
    exact = references.astype(np.float64)
    return float(((exact - exact.mean(axis=0)) ** 2).sum())


def spread(references: Vectors, pool: float) -> float:
    """Return a character's radius: the standard deviation of its references around their mean.

    It is shrunk towards the pool's: the variance is the mean of its own, with n - 1 degrees of
    freedom, and the pool's, with SHRINKING. A character with one reference has the pool's.
    """
    own = squared_spread(references)
    return float(np.sqrt((own + SHRINKING * pool**2) / (len(references) - 1 + SHRINKING)))


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
