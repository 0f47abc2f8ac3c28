"""The shape of CCIP's test, on pairs that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gallery.evaluation.pairs import PairTable, Side, all_pairs
from measuring.ccip_shape import CHARACTERS, PICTURES, ccip_figures, drawn, with_self_pairs

ONCE = np.ones((1, 2))


def test_a_draw_has_as_many_characters_and_pictures_as_ccips_test() -> None:
    labels = np.repeat(np.arange(60), 9)

    rows = drawn(labels, np.random.default_rng(1))

    assert len(set(rows.tolist())) == CHARACTERS * PICTURES
    members, sizes = np.unique(labels[rows], return_counts=True)
    assert len(members) == CHARACTERS
    assert set(sizes.tolist()) == {PICTURES}


def test_characters_with_few_pictures_fill_a_draw_only_where_others_are_too_few() -> None:
    labels = np.concatenate([np.repeat(np.arange(40), 8), np.repeat(np.arange(40, 60), 2)])

    members, sizes = np.unique(labels[drawn(labels, np.random.default_rng(1))], return_counts=True)

    assert members[:40].tolist() == list(range(40))
    assert sizes.tolist() == [PICTURES] * 40 + [2] * 5


def test_self_pairs_are_right_at_every_threshold_and_others_count_in_both_orders() -> None:
    places = np.array([[0.0], [1.0], [1.5], [2.9]])
    curves = PairTable(all_pairs(Side(places, np.array([0, 0, 1, 1]))), np.zeros(2, int)).curves(
        ONCE
    )

    ours = with_self_pairs(curves, np.array([4.0]))

    assert curves.same[0, -1] == 2
    assert (ours.same[0, -1], ours.different[0, -1]) == (2 * 2 + 4, 2 * 4)
    assert ours.same[0, 0] == 4, "a face is as near to itself as can be"
    # Best is 1.4, within which lie both pairs of one character and one pair of two.
    assert curves.best_f1()[0][0] == pytest.approx(2 * 2 / (3 + 2))
    assert ours.best_f1()[0][0] == pytest.approx(2 * 8 / (8 + 2 + 8))


def test_self_pairs_flatter() -> None:
    generator = np.random.default_rng(2)
    labels = np.repeat(np.arange(50), 6)
    faces = generator.normal(size=(50, 8))[labels] + 0.8 * generator.normal(size=(300, 8))

    figures = ccip_figures(faces, labels, np.ones((1, 50)))

    flattering, plain = figures["with self pairs"], figures["without self pairs"]
    assert flattering.value is not None
    assert plain.value is not None
    assert 0.2 < plain.value < flattering.value < 1
    assert flattering.count - plain.count == CHARACTERS * PICTURES
