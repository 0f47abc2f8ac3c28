"""What calibration learnt, and how it is applied: NumPy only.

The score of a face is the logit of a logistic model on its evidence. Where verdicts divide is told
by the tail of strangers' scores; how likely an answer is right, by a logistic curve on the score.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.errors import StaleCalibration
from gallery.identify.calibration.evidence import COLUMNS, Numbers

Marks = NDArray[np.bool_]

FORMAT = 2

FARTHEST = 4.0
"""So many standard deviations a feature counts at most: beyond what was seen nothing is known."""

GROWTH = 1.5
"""A gallery with this many times the characters of its calibration wants another."""

DOUBTFUL = 10.0
"""A face is unknown where this many times as many strangers as asked for would pass."""

MOST_DOUBTFUL = 0.5

LEAST_PROBABLE = 0.05
"""An answer that is less likely right is not worth a person's look."""

IDEAL, GAP = COLUMNS.index("ideal"), COLUMNS.index("gap")

FEATURES: tuple[str, ...] = ("ideal", "gap", "spread", "few")
"""What of the evidence is weighed; `few` is one over the number of references. The rest is kept
beside it, so that another encoder's can be chosen anew, see docs/calibration.md."""


JOINT_FEATURES: tuple[str, ...] = ("ideal", "spread", "few")
"""What of the evidence is weighed. The gap is there for galleries that grow after they were
calibrated; joint scoring calibrates anew each time, see docs/calibration.md."""


def features(evidence: Numbers, names: Sequence[str] = FEATURES) -> Numbers:
    """Return what is weighed of evidence, shape (n, len(COLUMNS)): shape (n, len(names))."""
    columns = dict(zip(COLUMNS, evidence.T, strict=True))
    columns["few"] = 1.0 / columns["references"]
    return np.stack([columns[name] for name in names], axis=1)


@dataclass(frozen=True, slots=True)
class Scorer:
    """A logistic model on standardised features; what is unknown counts as its mean."""

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    names: tuple[str, ...] = FEATURES
    """What is weighed."""

    def scores(self, evidence: Numbers) -> Numbers:
        """Return the score of each row of evidence, shape (n,); high is likely right."""
        values = features(evidence, self.names)
        standard = standardised(values, np.array(self.centre), np.array(self.scale))
        return np.asarray(standard @ np.array(self.weights) + self.bias)


def standardised(values: Numbers, centre: Numbers, scale: Numbers) -> Numbers:
    """Return features around 0 in standard deviations, FARTHEST at most; unknown ones are 0."""
    standard = np.clip((values - centre) / scale, -FARTHEST, FARTHEST)
    return np.nan_to_num(standard, nan=0.0)


@dataclass(frozen=True, slots=True)
class Tail:
    """How often strangers score high: `share` of them above `start`, falling off from there.

    Scores beyond the start are taken to fall off exponentially with the mean `excess` (peaks over
    threshold, Pickands 1975, with shape 0), so that a rate of 1 % can be told from few faces. A
    stranger has as many chances to resemble somebody as there are characters: where one character
    is mistaken for it at a rate f, some one of N is at the rate 1 - (1 - f)^N.
    """

    start: float
    excess: float
    share: float
    characters: int
    """As many were enrolled when it was measured."""

    def threshold(self, rate: float, characters: int) -> float:
        """Return the score that a share of strangers reaches in a gallery of so many characters.

        The rate is above 0 and below 1.
        """
        then = -math.expm1(math.log1p(-rate) * self.characters / max(characters, 1))
        return self.start + self.excess * math.log(self.share / then)


@dataclass(frozen=True, slots=True)
class Curve:
    """A probability as a logistic curve on the score."""

    slope: float
    intercept: float

    def at(self, scores: Numbers) -> Numbers:
        """Return the probabilities at scores."""
        logits = np.clip(self.slope * scores + self.intercept, -50, 50)
        return np.asarray(1.0 / (1.0 + np.exp(-logits)))


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What a calibration says of faces, shape (n,) each."""

    score: Numbers
    right: Numbers
    """The probability that the first character is right, where half of the faces that are asked
    about are strangers'."""
    stranger: Numbers
    """The probability that it is nobody's of the gallery."""
    passes: Marks
    """Strangers score as high no more often than was asked for, and the second character, whose
    references are taken to be as many and as varied as the first's, would not."""
    is_unknown: Marks
    """Far more strangers score as high, or the answer is all but surely wrong."""

    @property
    def is_sure(self) -> Marks:
        """Which faces pass and are not all but surely wrong."""
        return self.passes & (self.right >= LEAST_PROBABLE)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Where one gallery's verdicts divide, with one encoder."""

    fpir: float
    """The share of strangers that may be surely named, as it was asked for."""
    scorer: Scorer
    tail: Tail
    right: Curve
    misnamed: Curve
    """Of those that are not right: the probability that they are somebody else of the gallery."""
    pool: float
    """The spread of all references; see evidence.pooled_spread."""
    characters: int
    """As many there were."""
    samples: int
    strangers: int = 0
    """As many faces of strangers shipped with the encoder."""
    notes: tuple[str, ...] = ()
    """Warnings, each a sentence."""
    expected: dict[str, Any] | None = None
    """What figures.expected said, for programs."""

    def sure(self, characters: int) -> float:
        """Return the score that a sure face has at least in a gallery of so many characters."""
        return self.tail.threshold(self.fpir, characters)

    def unknown(self, characters: int) -> float:
        """Return the score below which a face is unknown."""
        return self.tail.threshold(min(DOUBTFUL * self.fpir, MOST_DOUBTFUL), characters)

    def judge(self, evidence: Numbers, characters: int) -> Scored:
        """Return what is to be said of faces in a gallery that has so many characters now.

        Given are rows of evidence, shape (n, len(COLUMNS)).
        """
        scores = self.scorer.scores(evidence)
        right = self.right.at(scores)
        least = self.sure(characters)
        return Scored(
            scores,
            right,
            (1 - right) * (1 - self.misnamed.at(scores)),
            (scores >= least) & ~(self._of_second(evidence) >= least),
            (scores < self.unknown(characters)) | (right < LEAST_PROBABLE),
        )

    def _of_second(self, evidence: Numbers) -> Numbers:
        """Return the second character's scores, NaN where there is none."""
        gap = evidence[:, GAP]
        second = evidence.copy()
        second[:, IDEAL] += gap
        second[:, GAP] = -gap
        return np.where(np.isfinite(gap), self.scorer.scores(second), np.nan)

    def is_outgrown(self, characters: int) -> bool:
        """Say whether the gallery has grown by half since."""
        return characters >= GROWTH * self.characters > 0

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"format": FORMAT, **asdict(self)}


def from_json(values: dict[str, Any]) -> Calibration:
    """Return the calibration of what as_json said. Raises StoreError for anything else."""
    try:
        if values["format"] != FORMAT:
            raise ValueError("format")
        scorer = values["scorer"]
        if tuple(scorer["names"]) != FEATURES:
            raise ValueError("features")
        return Calibration(
            fpir=_share(values["fpir"]),
            scorer=Scorer(
                _weights(scorer["centre"]),
                _weights(scorer["scale"], least=0.0),
                _weights(scorer["weights"]),
                float(scorer["bias"]),
            ),
            tail=_tail(**values["tail"]),
            right=_curve(**values["right"]),
            misnamed=_curve(**values["misnamed"]),
            pool=float(values["pool"]),
            characters=int(values["characters"]),
            samples=int(values["samples"]),
            strangers=int(values["strangers"]),
            notes=tuple(values["notes"]),
            expected=values["expected"],
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise StaleCalibration("is of another version of gallery") from error


def _weights(values: Sequence[float], *, least: float = -math.inf) -> tuple[float, ...]:
    """Return a number for each feature, above the least where it is known."""
    numbers = tuple(float(value) for value in values)
    if len(numbers) != len(FEATURES) or any(number <= least for number in numbers):
        raise ValueError("features")
    return numbers


def _share(value: float) -> float:
    """Return a share that is neither none nor all."""
    share = float(value)
    if not 0 < share < 1:
        raise ValueError("share")
    return share


def _tail(start: float, excess: float, share: float, characters: int) -> Tail:
    """Return a tail with a threshold for every rate."""
    if characters < 1:
        raise ValueError("characters")
    # Of strangers that are seen in part only, more than all may be reckoned.
    if not 0 < share < math.inf:
        raise ValueError("share")
    return Tail(float(start), float(excess), float(share), int(characters))


def _curve(slope: float, intercept: float) -> Curve:
    return Curve(float(slope), float(intercept))
