"""95 % intervals over characters: faces of one character are no independent witnesses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Labels = NDArray[np.int64]

Marks = NDArray[np.bool_]

SAMPLES = 200
"""As many times characters are drawn with replacement."""

SEED = 12


def resamples(classes: int, count: int, seed: int) -> Numbers:
    """Return how often each character is drawn with replacement, shape (count, classes)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(classes, np.full(classes, 1 / classes), count).astype(np.float64)


def weightings(classes: int, count: int, seed: int) -> Numbers:
    """Return weights of characters, shape (1 + count, classes).

    The first row counts every character once and gives the figure itself; the others are bootstrap
    samples (Efron 1979, with the character as the unit, as ISO/IEC 19795-1 asks for where one
    subject gives several samples).
    """
    return np.concatenate([np.ones((1, classes)), resamples(classes, count, seed)])


def ratio(part: Numbers, whole: Numbers) -> Numbers:
    """Return quotients, NaN where there is nothing to divide by."""
    # A bootstrap sample may hold nobody that a figure is taken over.
    quotients = np.full(np.shape(part), np.nan)
    np.divide(part, whole, out=quotients, where=whole > 0)
    return quotients


def interval(values: Numbers) -> tuple[float, float]:
    """Return the middle 95 % of bootstrap values, those that are NaN left out."""
    return float(np.nanquantile(values, 0.025)), float(np.nanquantile(values, 0.975))


def share_interval(values: Numbers, characters: int) -> tuple[float, float]:
    """Return the interval of a share, given its value and its bootstrap values in that order.

    Where the share is 0 or 1 in every sample, the bootstrap has nothing to say; then the bound of
    Clopper and Pearson (1934) for as many trials as there are characters takes its place: of 3
    characters without a mistake nobody knows more than that the share is above 0.29. A value is
    never outside its own interval, however skewed the samples are.
    """
    value, drawn = float(values[0]), values[1:]
    low, high = interval(drawn) if np.isfinite(drawn).any() else (value, value)
    if low == high == value and value in {0.0, 1.0}:
        bound = 0.025 ** (1 / max(characters, 1))
        return (bound, 1.0) if value else (0.0, 1.0 - bound)
    return min(low, value), max(high, value)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of faces, every character counting alike, and where it lies at 95 %."""

    value: float | None
    """None where there is nobody to ask about."""
    low: float
    high: float
    faces: int
    characters: int


NO_FACES = Share(None, 0.0, 1.0, 0, 0)
"""The share of no faces at all."""


def share(hits: Marks, groups: Labels) -> Share:
    """Return the mean over characters of their shares of hits, shape (n,); groups say whose."""
    if not len(hits):
        return NO_FACES
    shares = by_character(hits, groups)
    means = means_of(shares, SEED)
    low, high = share_interval(means, len(shares))
    return Share(float(means[0]), low, high, len(hits), len(shares))


def by_character(hits: Marks, groups: Labels) -> Numbers:
    """Return each character's share of hits, shape (characters,); groups, (n,), say whose."""
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(inverse, weights=hits) / counts)


def means_of(shares: Numbers, seed: int) -> Numbers:
    """Return the mean over characters, and its bootstrap values, shape (1 + SAMPLES,)."""
    drawn = resamples(len(shares), SAMPLES, seed) @ shares / len(shares)
    return np.append(shares.mean(), drawn)


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Which probes hit, and whose faces they are."""

    labels: Labels
    hits: Marks

    def rate(self, weights: Numbers) -> Numbers:
        """Return the share of hits per sample where each character's probes count by its weight.

        Weights have the shape (samples, classes). NaN where a sample holds no probe.
        """
        classes = weights.shape[1]
        hits = np.bincount(self.labels, weights=self.hits, minlength=classes)
        counts = np.bincount(self.labels, minlength=classes)
        return ratio(weights @ hits, weights @ counts.astype(np.float64))
