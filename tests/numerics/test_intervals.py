"""Intervals over characters."""

from __future__ import annotations

import numpy as np
import pytest

from gallery.numerics.intervals import Hits, resamples, share, share_interval, weightings


def test_samples_draw_as_many_characters_as_there_are() -> None:
    drawn = resamples(7, 50, 3)

    assert (drawn.sum(axis=1) == 7).all()
    assert (drawn == resamples(7, 50, 3)).all()
    assert (weightings(7, 50, 3)[0] == 1).all()


def test_a_share_without_a_mistake_is_not_sure() -> None:
    always = np.ones(201)
    assert share_interval(always, 3) == pytest.approx((0.025 ** (1 / 3), 1.0))
    assert share_interval(1 - always, 50)[1] == pytest.approx(1 - 0.025 ** (1 / 50))
    assert share_interval(always, 1)[0] == pytest.approx(0.025)


def test_samples_that_say_nothing_are_left_out() -> None:
    values = np.array([0.5, np.nan, 0.25, 0.75, np.nan])
    low, high = share_interval(values, 4)
    assert 0.25 <= low < high <= 0.75


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    truth, held = 0.8, 0
    for trial in range(200):
        # Faces of one character are all hit or all missed: 60 witnesses, not 600.
        labels = np.repeat(np.arange(60), 10)
        hits = (generator.random(60) < truth)[labels]
        values = Hits(labels, hits).rate(weightings(60, 200, trial))
        low, high = share_interval(values, 60)
        held += low <= truth <= high
    assert 0.88 <= held / 200 <= 0.99


def test_characters_weigh_by_their_faces() -> None:
    hits = Hits(np.array([0, 0, 1]), np.array([True, True, False]))
    rates = hits.rate(np.array([[1.0, 1.0], [2.0, 1.0], [0.0, 2.0], [0.0, 0.0]]))
    assert rates[:3] == pytest.approx([2 / 3, 4 / 5, 0.0])
    assert np.isnan(rates[3])


def test_intervals_hold_over_characters_not_faces() -> None:
    hits = np.repeat([True, False], 500)
    two = share(hits, np.repeat([0, 1], 500))
    many = share(hits, np.arange(1000))
    assert (two.value, many.value) == (0.5, 0.5)
    assert (two.low, two.high) == (0.0, 1.0)
    assert 0.45 < many.low < many.high < 0.55
    perfect = share(np.ones(3, np.bool_), np.arange(3))
    assert perfect.low == pytest.approx(0.025 ** (1 / 3))
    assert share(np.zeros(0, np.bool_), np.zeros(0, np.int64)).value is None
