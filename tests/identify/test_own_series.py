"""Where strangers of the gallery's own series are, as few characters tell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gallery.identify.calibration.model import FEATURES, JOINT_FEATURES
from gallery.identify.calibration.own_series import (
    ENOUGH,
    FEW,
    NEARER,
    WORTH,
    Scores,
    shift,
    told,
)

NOBODY = Scores(np.zeros(0), np.zeros(0))


def scores(mean: float, deviation: float) -> Scores:
    drawn = np.random.default_rng(1).normal(size=400)
    drawn = (drawn - drawn.mean()) / drawn.std()
    return Scores(mean + deviation * drawn, np.ones(400))


def test_few_characters_say_nothing_of_the_highest_scores_and_many_all() -> None:
    assert [told(one) for one in (1, FEW, ENOUGH, 500)] == [0, 0, 1, 1]
    assert 0 < told(FEW + 1) < told(ENOUGH - 1) < 1


def test_shipped_strangers_move_to_where_the_gallerys_own_are() -> None:
    shipped = scores(-6, 1.5)
    usual = 1.5 * NEARER[FEATURES]
    assert shift(NOBODY, shipped, 0, FEATURES) == pytest.approx(usual)
    assert shift(scores(-6 + usual, 1), shipped, 8, FEATURES) == pytest.approx(usual)
    own = scores(-2, 1)
    found = [shift(own, shipped, count, FEATURES) for count in (2, 8, 20)]
    assert found == pytest.approx([(WORTH * usual + n * 4) / (WORTH + n) for n in (2, 8, 20)])
    jointly = shift(NOBODY, shipped, 0, JOINT_FEATURES)
    assert jointly == pytest.approx(1.5 * NEARER[JOINT_FEATURES])


def test_many_characters_stand_for_themselves_and_none_come_nearer_by_being_far() -> None:
    shipped = scores(-6, 1.5)
    assert shift(scores(-2, 1), shipped, ENOUGH, FEATURES) == 0
    assert shift(scores(-60, 1), shipped, 20, FEATURES) == 0
    assert shift(scores(-2, 1), NOBODY, 8, FEATURES) == 0
    assert 0 < shift(scores(-2, 1), shipped, ENOUGH - 1, FEATURES) < 0.2


def test_whom_a_reject_class_takes_does_not_count() -> None:
    known = scores(-6, 1.5)
    more = Scores(np.append(known.scores, -np.inf), np.append(known.weights, 5.0))
    assert (more.mean, more.deviation) == pytest.approx((known.mean, known.deviation))
    assert math.isnan(NOBODY.mean)
    assert math.isnan(Scores(np.array([-np.inf]), np.ones(1)).deviation)
