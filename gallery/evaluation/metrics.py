"""All pairs of faces at one threshold (1:1); NumPy only.

Accepting is `distance <= threshold`. FAR and FRR, the shares of accepted pairs of two characters
and of rejected pairs of one, are the rates FMR and FNMR of ISO/IEC 19795-1; TAR is 1 - FRR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.distances import squared_distances

Numbers = NDArray[np.float64]
Labels = NDArray[np.int64]
Vectors = NDArray[np.floating[Any]]
"""Descriptors, shape (n, dimension); single precision is enough and twice as fast."""

BLOCK = 512
"""Rows of a table of distances that are in memory at once."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """Pairs by whether they are of one character and whether they are called so."""

    true_accepts: float
    false_accepts: float
    true_rejects: float
    false_rejects: float

    @property
    def precision(self) -> float:
        """Share of accepted pairs that are right."""
        return _ratio(self.true_accepts, self.true_accepts + self.false_accepts)

    @property
    def recall(self) -> float:
        """Share of a character's pairs that are accepted."""
        return _ratio(self.true_accepts, self.true_accepts + self.false_rejects)

    @property
    def specificity(self) -> float:
        """Share of strangers' pairs that are rejected."""
        return _ratio(self.true_rejects, self.true_rejects + self.false_accepts)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _ratio(
            2 * self.true_accepts, 2 * self.true_accepts + self.false_accepts + self.false_rejects
        )

    @property
    def accuracy(self) -> float:
        """Share of pairs that are judged rightly."""
        right = self.true_accepts + self.true_rejects
        return _ratio(right, right + self.false_accepts + self.false_rejects)

    @property
    def original_accuracy(self) -> float:
        """The original's formula, which leaves false rejects out of the denominator."""
        right = self.true_accepts + self.true_rejects
        return _ratio(right, right + self.false_accepts)

    @property
    def pairs(self) -> int:
        """How many there are."""
        judged = self.true_accepts + self.false_accepts + self.true_rejects + self.false_rejects
        return round(judged)


def _ratio(part: float, whole: float) -> float:
    """Return a quotient, 0 where there is nothing to divide by."""
    return part / whole if whole else 0.0


def original_pairs(descriptors: Vectors, labels: Labels, threshold: float) -> Confusion:
    """Return the original's all-pairs table: ordered pairs, every face with itself as well."""
    return as_original(right_pairs(descriptors, labels, threshold), len(labels))


def as_original(right: Confusion, faces: float) -> Confusion:
    """Return what the original would count where each pair of so many faces is counted once."""
    return Confusion(
        2 * right.true_accepts + faces,
        2 * right.false_accepts,
        2 * right.true_rejects,
        2 * right.false_rejects,
    )


def right_pairs(descriptors: Vectors, labels: Labels, threshold: float) -> Confusion:
    """Return the all-pairs table of every pair of two different faces, once.

    Descriptors have the shape (n, dimension); BLOCK rows of distances are in memory at once.
    """
    accepted = _accepted(descriptors, threshold)
    same_accepted = same = 0
    order = np.argsort(labels, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        same += len(own) * (len(own) - 1) // 2
        same_accepted += _accepted(descriptors[own], threshold)
    different = len(labels) * (len(labels) - 1) // 2 - same
    false = accepted - same_accepted
    return Confusion(same_accepted, false, different - false, same - same_accepted)


def _accepted(descriptors: Vectors, threshold: float) -> int:
    """Return how many pairs of two rows are within a distance."""
    count = 0
    for start in range(0, len(descriptors), BLOCK):
        # Columns from the block's own on: those before it were its partners already.
        rows = slice(start, start + BLOCK)
        near = squared_distances(descriptors[rows], descriptors[start:]) <= threshold**2
        count += int(near.sum()) - int(np.tril(near[:, :BLOCK]).sum())
    return count
