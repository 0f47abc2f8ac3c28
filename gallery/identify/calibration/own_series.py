"""Strangers of the gallery's own series, where it has too few characters to show them.

Shipped strangers are of other series than the gallery, and those of its own come nearer. In a small
gallery each character in turn is a stranger to the others, but these few say nothing of the highest
scores: where two characters that look alike are both enrolled, no stranger is left to be taken for
either, and where one of them is, the gallery shows no such stranger. What the few do tell is where
strangers lie on the whole. So the shipped strangers' scores are moved there, and their tail stands
for that of the gallery's own series. docs/notes/calibration.md says how this was chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gallery.identify.calibration.evidence import Numbers
from gallery.identify.calibration.model import FEATURES, JOINT_FEATURES

FEW, ENOUGH = 25, 50
"""Up to so many characters the gallery's own strangers tell nothing of the highest scores, and from
so many on all."""

NEARER = {FEATURES: 2.0, JOINT_FEATURES: 1.25}
"""Strangers of one series score higher than shipped ones by so many of the latter's standard
deviations, by what is weighed; of the series that it was chosen on."""

WORTH = 10.0
"""As many characters' worth that counts beside the gallery's own."""


def told(characters: int) -> float:
    """Return how much a gallery's own strangers say of the highest scores, 0 to 1."""
    return min(max((characters - FEW) / (ENOUGH - FEW), 0.0), 1.0)


class Scores(NamedTuple):
    """The scores of strangers."""

    scores: Numbers
    """Shape (n,); minus infinity for those whom a reject class takes, who do not count here."""
    weights: Numbers
    """How much each counts, shape (n,)."""

    @property
    def mean(self) -> float:
        """The weighted mean; NaN of none."""
        return self._mean(self.scores)

    @property
    def deviation(self) -> float:
        """The weighted standard deviation; NaN of none."""
        return math.sqrt(self._mean((self.scores - self.mean) ** 2))

    def _mean(self, values: Numbers) -> float:
        counts = np.isfinite(self.scores)
        whole = self.weights[counts].sum()
        return float(values[counts] @ self.weights[counts] / whole) if whole > 0 else math.nan


def shift(own: Scores, shipped: Scores, characters: int, names: Sequence[str]) -> float:
    """Return how much higher strangers of the gallery's own series score than shipped ones.

    Given are how many characters the gallery's own strangers are, and what is weighed. The mean
    difference is shrunk towards NEARER. It is never below 0, and from ENOUGH characters on it is 0:
    the gallery's own strangers stand for themselves.
    """
    left = 1.0 - told(characters)
    if left <= 0 or math.isnan(shipped.mean):
        return 0.0
    usual = NEARER.get(tuple(names), max(NEARER.values())) * shipped.deviation
    if math.isnan(own.mean):
        return left * usual
    apart = own.mean - shipped.mean
    return left * max((WORTH * usual + characters * apart) / (WORTH + characters), 0.0)
