"""Learns from trials; the one module that fits logistic models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.identify.calibration import own_series
from gallery.identify.calibration.evidence import Numbers
from gallery.identify.calibration.model import FEATURES, Curve, Scorer, Tail, features, standardised
from gallery.identify.calibration.own_series import Scores
from gallery.identify.calibration.strangers import Strangers
from gallery.identify.calibration.trials import NO_TRIALS, Trials

SHIPPED_CHARACTERS = 30.0
"""As many characters' worth the shipped strangers count beside the gallery's own."""

FEW_CHARACTERS = 10.0

TAIL = 0.1
"""The share of strangers with the highest scores that the tail is told by."""

LEAST_EXCESS = 1e-3

FLAT = 1e-12
"""A logistic fit ends where no derivative of the mean loss is larger than this."""

ROUNDING = 1e-12
"""By what share a step may seem to raise the loss: near the minimum it is known no better."""

MOST_STEPS = 100
"""After so many steps a logistic fit ends all the same; galleries take about ten."""


@dataclass(frozen=True, slots=True, eq=False)
class TrialSets:
    """Everything that a gallery was asked about."""

    known: Trials
    """Its own faces, each left out of its character."""
    own_strangers: Trials
    """Its own faces with all of their characters left out."""
    shipped: Trials
    """Strangers that ship with the encoder."""
    rejected: Trials = NO_TRIALS
    """Faces that a person rejected the first character for, by that character."""

    @property
    def characters(self) -> int:
        """How many characters the gallery's own strangers are."""
        return len(np.unique(self.own_strangers.groups))

    @property
    def strangers(self) -> tuple[Trials, Trials, Trials]:
        """All of nobody in the gallery, in the order of stranger_weights."""
        return self.own_strangers, self.shipped, self.rejected


def fit_scorer(asked: TrialSets, strangers: Strangers, names: Sequence[str] = FEATURES) -> Scorer:
    """Weigh the evidence: right answers against all others, half of them strangers.

    The trials that ship with the encoder say how; of an encoder without any, the gallery's own. A
    gallery is too small to weigh evidence anew, and mixing both teaches the difference between its
    own pictures and the shipped ones, see docs/calibration.md.
    """
    if len(strangers.trials):
        evidence, right = strangers.trials, strangers.right
        weights = _scaled(strangers.known.astype(np.float64), 1.0)
        weights = weights + _scaled((~strangers.known).astype(np.float64), 1.0)
    else:
        trials = (asked.known, *asked.strangers)
        evidence = np.concatenate([one.evidence for one in trials])
        right = np.concatenate([one.right for one in trials])
        total = float(asked.known.weights.sum())
        others = _scaled(stranger_weights(asked), total)
        weights = np.concatenate([asked.known.weights, others])
    values = features(evidence, names)
    centre, scale = _standard(values, weights)
    model = _logistic(standardised(values, centre, scale), right, weights)
    return Scorer(
        tuple(centre.tolist()),
        tuple(scale.tolist()),
        tuple(model[:-1].tolist()),
        float(model[-1]),
        tuple(names),
    )


def stranger_weights(asked: TrialSets) -> Numbers:
    """Return how much each stranger counts: the gallery's own, the shipped and the rejected ones.

    Every character of the gallery counts 1, less where it has few, see own_series; the shipped ones
    count SHIPPED_CHARACTERS together. A rejected face counts as any other one does in the mean, and
    all that were rejected as one character no more than 1: somebody picked them out of many because
    they were mistaken, so that they say little of how many strangers are.
    """
    own = asked.own_strangers.weights
    if len(asked.shipped):
        own = own * own_series.told(asked.characters)
    drawn = np.concatenate([own, _scaled(asked.shipped.weights, SHIPPED_CHARACTERS)])
    counted = np.count_nonzero(drawn)
    one = float(drawn.sum()) / counted if counted else 1.0
    return np.concatenate([drawn, np.minimum(one, asked.rejected.weights)])


def fit_tail(asked: TrialSets, scorer: Scorer, characters: int) -> Tail:
    """Tell how strangers' scores fall off in a gallery of so many characters.

    There is at least one stranger. Those whom a reject class takes are never named. The gallery's
    own strangers met one character less than others do, their own.
    """
    scores, weights = stranger_scores(asked, scorer), stranger_weights(asked)
    named = np.isfinite(scores)
    if not named.any():
        return Tail(0.0, LEAST_EXCESS, TAIL, characters)
    of_named = float(weights[named].sum() / weights.sum())
    share = min(TAIL, of_named / 2)
    start = weighted_quantile(scores[named], weights[named], 1 - share / of_named)
    above = named & (scores > start)
    if not above.any():
        return Tail(float(start), LEAST_EXCESS, float(share), characters)
    excess = np.average(scores[above] - start, weights=weights[above])
    missed = np.ones(len(scores))
    missed[: len(asked.own_strangers)] = characters / max(characters - 1, 1)
    share *= np.average(missed[above], weights=weights[above])
    return Tail(float(start), max(float(excess), LEAST_EXCESS), float(share), characters)


def stranger_scores(asked: TrialSets, scorer: Scorer) -> Numbers:
    """Return the scores of all strangers, minus infinity for those turned away.

    They are in the order of stranger_weights. Shipped ones are moved to where strangers of the
    gallery's own series are, see own_series.
    """
    own, shipped, rejected = (
        Scores(np.where(one.turned_away, -np.inf, scorer.scores(one.evidence)), one.weights)
        for one in asked.strangers
    )
    moved = shipped.scores + own_series.shift(own, shipped, asked.characters, scorer.names)
    return np.concatenate([own.scores, moved, rejected.scores])


def fit_curves(asked: TrialSets, scorer: Scorer, strangers: Strangers) -> tuple[Curve, Curve]:
    """Return how likely an answer is right by its score, and, where it is not, misnamed.

    The gallery's own trials and the strangers say so, known faces and strangers half each. Where
    fewer than FEW_CHARACTERS have two references, shipped trials make up for the rest.
    """
    known, others = scorer.scores(asked.known.evidence), stranger_scores(asked, scorer)
    named = np.isfinite(others)
    shipped = scorer.scores(strangers.trials[strangers.known])
    own = float(asked.known.weights.sum())
    missing = max(FEW_CHARACTERS - own, 0.0) if len(shipped) else 0.0
    scores = np.concatenate([known, shipped, others[named]])
    weights = np.concatenate(
        [
            asked.known.weights,
            _scaled(np.ones(len(shipped)), missing),
            _scaled(stranger_weights(asked)[named], own + missing),
        ]
    )
    is_known = np.arange(len(scores)) < len(known) + len(shipped)
    right = np.zeros(len(scores), np.bool_)
    right[is_known] = np.concatenate([asked.known.right, strangers.right[strangers.known]])
    counts = weights > 0
    wrong = counts & ~right
    return (
        _curve(scores[counts], right[counts], weights[counts]),
        _curve(scores[wrong], is_known[wrong], weights[wrong]),
    )


def _curve(scores: Numbers, hits: NDArray[np.bool_], weights: Numbers) -> Curve:
    """Return the logistic curve of hits on scores (Platt 1999)."""
    slope, intercept = _logistic(scores[:, None], hits, weights).tolist()
    return Curve(slope, intercept)


def _logistic(values: Numbers, hits: NDArray[np.bool_], weights: Numbers) -> Numbers:
    """Return the weights of a logistic model and its bias; of one class alone only the bias."""
    if not len(hits):
        # Nothing is known; of what is not right, all are strangers.
        return np.append(np.zeros(values.shape[1]), -50.0)
    if hits.all() or not hits.any():
        # Laplace's rule of succession: of n hits and no miss, (n + 1) / (n + 2).
        share = (hits.sum() + 1) / (len(hits) + 2)
        return np.append(np.zeros(values.shape[1]), np.log(share / (1 - share)))
    return _minimum(_LogisticLoss(np.column_stack([values, np.ones(len(values))]), hits, weights))


class _LogisticLoss:
    """What a logistic model loses on rows of values, shape (n, k), the last of them 1 for the bias.

    The weighted mean of -log p(hit) and, as if n rows counted 1 each, a penalty of half the squared
    weights without the bias: ridge regression, le Cessie and van Houwelingen 1992.
    """

    def __init__(self, rows: Numbers, hits: NDArray[np.bool_], weights: Numbers) -> None:
        self._rows, self._hits, self._shares = rows, hits, weights / weights.sum()
        self._penalty = np.append(np.full(rows.shape[1] - 1, 1 / len(rows)), 0.0)

    @property
    def size(self) -> int:
        """How many weights there are, the bias among them: k."""
        return len(self._penalty)

    def value(self, model: Numbers) -> float:
        """Return the loss of weights and bias, shape (k,)."""
        logits = self._rows @ model
        missed = np.logaddexp(0.0, np.where(self._hits, -logits, logits))
        return float(self._shares @ missed + self._penalty @ model**2 / 2)

    def gradient(self, model: Numbers) -> Numbers:
        """Return its first derivatives, shape (k,)."""
        excess = _likely(self._rows @ model) - self._hits
        return np.asarray((self._shares * excess) @ self._rows + self._penalty * model)

    def hessian(self, model: Numbers) -> Numbers:
        """Return its second derivatives, shape (k, k)."""
        likely = _likely(self._rows @ model)
        curvature = self._shares * likely * (1 - likely)
        return np.asarray((self._rows.T * curvature) @ self._rows + np.diag(self._penalty))


def _minimum(loss: _LogisticLoss) -> Numbers:
    """Return where a loss is least, by Newton's method; steps that overshoot are halved.

    The loss is strictly convex, so that there is one such place and every step goes towards it:
    Boyd and Vandenberghe 2004, Convex Optimization, section 9.5.
    """
    model = np.zeros(loss.size)
    for _ in range(MOST_STEPS):
        slope = loss.gradient(model)
        if np.abs(slope).max() <= FLAT:
            break
        step = np.linalg.solve(loss.hessian(model), slope)
        most = loss.value(model) * (1 + ROUNDING)
        while loss.value(model - step) > most:
            step = step / 2
        model = model - step
    return model


def _likely(logits: Numbers) -> Numbers:
    """Return 1 / (1 + exp(-logit)), with no overflow however large the logits."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -logits)))


def _standard(values: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Return mean and standard deviation of each feature where it is known; 0 and 1 of none."""
    centre, scale = np.zeros(values.shape[1]), np.ones(values.shape[1])
    for column in range(values.shape[1]):
        known = np.isfinite(values[:, column]) & (weights > 0)
        if known.any():
            own, weight = values[known, column], weights[known]
            centre[column] = np.average(own, weights=weight)
            deviation = np.sqrt(np.average((own - centre[column]) ** 2, weights=weight))
            scale[column] = deviation if deviation > 1e-9 else 1.0
    return centre, scale


def weighted_quantile(values: Numbers, weights: Numbers, share: float) -> float:
    """Return the smallest value that this share of the weight lies at or below."""
    order = np.argsort(values)
    summed = np.cumsum(weights[order])
    place = int(np.searchsorted(summed, share * summed[-1]))
    return float(values[order][min(place, len(values) - 1)])


def _scaled(weights: Numbers, total: float) -> Numbers:
    """Return weights that sum up to a total."""
    whole = weights.sum()
    return np.asarray(weights * (total / whole)) if whole > 0 else weights
