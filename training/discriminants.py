"""Directions of features in which characters differ more than the faces of one do.

Fisher's linear discriminants: Fisher, "The use of multiple measurements in taxonomic problems",
1936.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from measuring.faces import Labels

Features = NDArray[np.float32]

SHRINKAGE = 0.3
"""Of the scatter within characters towards a ball, in its mean variance: what few faces say of
thousands of features is not to be believed in full."""


@dataclass(frozen=True, slots=True, eq=False)
class Discriminants:
    """A linear map of features."""

    weights: NDArray[np.float32]
    """Shape (features, count)."""
    bias: NDArray[np.float32]
    """Shape (count,)."""

    def __call__(self, features: Features) -> Features:
        """Return what the map makes of features, shape (n, count), of shape (n, features)."""
        return np.asarray(features @ self.weights + self.bias, dtype=np.float32)


def discriminants(
    features: Features, classes: Labels, groups: NDArray[np.generic], count: int
) -> Discriminants:
    """Return the directions that tell classes of one group apart best, the best ones first.

    Features, shape (n, features), are those of faces with a class and a group each, shape (n,); a
    class belongs to one group, here a series. What tells groups apart does not count: it is the
    hand that drew a series, and the frames and badges around its pictures, by which faces of one
    series would resemble each other more than those of one character from two sources.
    """
    from scipy.linalg import eigh

    middle, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    standard = (features - middle) / spread
    _, first, labels = np.unique(classes, return_index=True, return_inverse=True)
    sizes = np.bincount(labels)
    means = _means(standard, labels)
    inside = standard - means[labels]
    within = (inside.T @ inside / len(inside)).astype(np.float64)
    within[np.diag_indices_from(within)] += SHRINKAGE * np.trace(within) / len(within)
    _, group = np.unique(groups[first], return_inverse=True)
    apart = means - _means(means, group, sizes)[group]
    between = ((apart * (sizes / sizes.sum())[:, None]).T @ apart).astype(np.float64)
    last = len(within) - 1
    _, directions = eigh(between, within, subset_by_index=[last - count + 1, last])
    weights = directions[:, ::-1] / spread[:, None]
    return Discriminants(weights.astype(np.float32), (-middle @ weights).astype(np.float32))


def _means(values: Features, labels: Labels, weights: NDArray[np.int64] | None = None) -> Features:
    """Return the mean of the values, shape (n, d), of every label, shape (labels, d)."""
    weighed = np.ones(len(values)) if weights is None else weights
    totals = np.zeros((labels.max() + 1, values.shape[1]))
    np.add.at(totals, labels, values * weighed[:, None])
    return np.asarray(totals / np.bincount(labels, weighed)[:, None], dtype=np.float32)
