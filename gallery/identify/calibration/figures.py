"""What is to be expected of a calibrated gallery, with 95 % intervals over characters."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.identify.calibration.evidence import COLUMNS, Numbers
from gallery.identify.calibration.fit import TrialSets
from gallery.identify.calibration.model import Calibration
from gallery.identify.calibration.trials import Labels, Trials

SAMPLES = 400
SEED = 12


@dataclass(frozen=True, slots=True)
class Share:
    """A share of faces, every character counting alike, and where it lies at 95 %."""

    value: float | None
    """None where there is nobody to ask about."""
    low: float
    high: float
    faces: int
    characters: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What the gallery would have said of faces whose names are known."""

    sure_score: float
    unknown_score: float
    sure_distance: float | None
    """95 of 100 known faces that are surely and rightly named are at most this far from the ideal;
    None where there is none."""
    found: Share
    """Known faces that are surely and rightly named (TPIR at the asked rate)."""
    suggested: Share
    """Known faces that are rightly named, sure or unsure."""
    nearest: Share
    """Known faces to whom their own character is the nearest (rank 1)."""
    own_strangers: Share
    """Faces of the gallery surely named where their own character is left out (FPIR)."""
    shipped_strangers: Share
    """Shipped strangers surely named."""
    sure_is_right: Share
    """Sure answers that are right, where half of the faces that are asked about are strangers'."""
    radii: tuple[float, float] | None
    """The spread of the references of tight and of varied characters: 5 and 95 of 100 lie below."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def expected(asked: TrialSets, calibration: Calibration) -> Expected:
    """Return what is to be expected in a gallery of as many characters as were calibrated."""
    size = calibration.characters
    sure, unknown = calibration.sure(size), calibration.unknown(size)
    known = _scores(asked.known, calibration)
    known_sure, own_sure, shipped_sure = (
        calibration.are_sure(trials.evidence, size) & ~trials.turned_away
        for trials in (asked.known, asked.own_strangers, asked.shipped)
    )
    found = asked.known.right & known_sure
    ideals = asked.known.evidence[found, COLUMNS.index("ideal")]
    spreads = asked.known.evidence[:, COLUMNS.index("spread")]
    return Expected(
        sure_score=sure,
        unknown_score=unknown,
        sure_distance=float(np.quantile(ideals, 0.95)) if len(ideals) else None,
        found=share(found, asked.known.groups),
        suggested=share(asked.known.right & (known >= unknown), asked.known.groups),
        nearest=share(asked.known.right, asked.known.groups),
        own_strangers=share(own_sure, asked.own_strangers.groups),
        shipped_strangers=share(shipped_sure, asked.shipped.groups),
        sure_is_right=_right_of_sure(asked, known_sure, own_sure, shipped_sure),
        radii=(
            (float(np.quantile(spreads, 0.05)), float(np.quantile(spreads, 0.95)))
            if len(spreads) and np.isfinite(spreads).all()
            else None
        ),
    )


def _scores(trials: Trials, calibration: Calibration) -> Numbers:
    scores = calibration.scorer.scores(trials.evidence)
    return np.where(trials.turned_away, -np.inf, scores)


def share(hits: NDArray[np.bool_], groups: Labels) -> Share:
    """Return the mean over characters of their shares of hits, shape (n,); groups say whose.

    The interval is the middle 95 % of bootstrap samples of characters. Where all hit or none, it is
    Clopper and Pearson's (1934) for as many trials as there are characters.
    """
    if not len(hits):
        return Share(None, 0.0, 1.0, 0, 0)
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    shares = np.bincount(inverse, weights=hits) / counts
    value, count = float(shares.mean()), len(shares)
    if value in {0.0, 1.0}:
        bound = 0.025 ** (1 / count)
        low, high = (bound, 1.0) if value else (0.0, 1.0 - bound)
        return Share(value, low, high, len(hits), count)
    low, high = np.quantile(_bootstrap(shares), (0.025, 0.975)).tolist()
    return Share(value, low, high, len(hits), count)


def _bootstrap(shares: Numbers) -> Numbers:
    """Return means of shares drawn with replacement, shape (SAMPLES,)."""
    generator = np.random.default_rng(SEED)
    return np.array([generator.choice(shares, size=len(shares)).mean() for _ in range(SAMPLES)])


def _right_of_sure(
    asked: TrialSets,
    known: NDArray[np.bool_],
    own: NDArray[np.bool_],
    shipped: NDArray[np.bool_],
) -> Share:
    """Return the share of sure answers that are right; strangers are the gallery's own, if any."""
    strangers, trials = (own, asked.own_strangers) if len(own) else (shipped, asked.shipped)
    if not known.any():
        return Share(None, 0.0, 1.0, 0, 0)
    right = _by_character(known & asked.known.right, asked.known.groups)
    named = _by_character(known, asked.known.groups)
    fooled = _by_character(strangers, trials.groups) if len(strangers) else np.zeros(1)
    generator = np.random.default_rng(SEED)
    drawn = []
    for _ in range(SAMPLES):
        some = generator.integers(len(named), size=len(named))
        others = generator.integers(len(fooled), size=len(fooled))
        whole = named[some].mean() + fooled[others].mean()
        drawn.append(right[some].mean() / whole if whole > 0 else np.nan)
    value = float(right.mean() / (named.mean() + fooled.mean()))
    low, high = (
        (0.025 ** (1 / len(named)), 1.0)
        if value == 1.0
        else np.nanquantile(drawn, (0.025, 0.975)).tolist()
    )
    return Share(value, low, high, int(known.sum() + strangers.sum()), len(named))


def _by_character(hits: NDArray[np.bool_], groups: Labels) -> Numbers:
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(inverse, weights=hits) / counts)
