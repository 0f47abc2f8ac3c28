"""What is to be expected of a calibrated gallery, with 95 % intervals over characters."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.identify.calibration.evidence import COLUMNS
from gallery.identify.calibration.fit import TrialSets
from gallery.identify.calibration.model import Calibration
from gallery.numerics.intervals import (
    NO_FACES,
    SEED,
    Share,
    by_character,
    means_of,
    ratio,
    share,
    share_interval,
)


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
    known, own, shipped = (
        calibration.judge(trials.evidence, size)
        for trials in (asked.known, asked.own_strangers, asked.shipped)
    )
    known_sure = known.passes & ~asked.known.turned_away
    own_sure = own.passes & ~asked.own_strangers.turned_away
    shipped_sure = shipped.passes & ~asked.shipped.turned_away
    named = (known.score >= unknown) & ~asked.known.turned_away
    found = asked.known.right & known_sure
    ideals = asked.known.evidence[found, COLUMNS.index("ideal")]
    spreads = asked.known.evidence[:, COLUMNS.index("spread")]
    return Expected(
        sure_score=sure,
        unknown_score=unknown,
        sure_distance=float(np.quantile(ideals, 0.95)) if len(ideals) else None,
        found=share(found, asked.known.groups),
        suggested=share(asked.known.right & named, asked.known.groups),
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


def _right_of_sure(
    asked: TrialSets,
    known: NDArray[np.bool_],
    own: NDArray[np.bool_],
    shipped: NDArray[np.bool_],
) -> Share:
    """Return the share of sure answers that are right; strangers are the gallery's own, if any."""
    strangers, trials = (own, asked.own_strangers) if len(own) else (shipped, asked.shipped)
    if not known.any():
        return NO_FACES
    right = means_of(by_character(known & asked.known.right, asked.known.groups), SEED)
    by_name = by_character(known, asked.known.groups)
    fooled = np.zeros(1)
    if len(strangers):
        # Strangers are drawn apart from the characters that they are taken for.
        fooled = means_of(by_character(strangers, trials.groups), SEED + 1)
    values = ratio(right, means_of(by_name, SEED) + fooled)
    low, high = share_interval(values, len(by_name))
    return Share(float(values[0]), low, high, int(known.sum() + strangers.sum()), len(by_name))
