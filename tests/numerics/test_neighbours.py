"""The nearest of many rows: the same as by comparing all, and nearly so through cells."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from gallery.events import value_of
from gallery.numerics import clustering, neighbours
from gallery.numerics.clustering import average_linkage, drawn
from gallery.numerics.neighbours import NOBODY, Neighbours, pairs_within

Numbers = NDArray[np.float64]


def rows_of(count: int, *, groups: int = 40, seed: int = 0) -> Numbers:
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(groups, 16))
    noise = generator.normal(size=(count, 16)) * 0.2
    return np.asarray(centres[generator.integers(0, groups, count)] + noise)


def found_by(known: Neighbours, queries: Numbers, count: int) -> tuple[NDArray[np.int64], Numbers]:
    count = min(count, len(known))
    near = np.full((len(queries), count), -2)
    squares = np.zeros((len(queries), count))
    for rows, some, apart in known.nearest(queries, count):
        assert (near[rows] == -2).all()
        near[rows], squares[rows] = some, apart
    assert (near != -2).all()
    return near, squares


def by_comparing_all(rows: Numbers, queries: Numbers, count: int) -> NDArray[np.int64]:
    apart = ((queries[:, None] - rows) ** 2).sum(axis=2)
    return np.asarray(np.argsort(apart, axis=1, kind="stable")[:, :count])


def test_they_are_those_of_all_rows_in_order_and_exactly_as_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(neighbours, "NEAR_AT_ONCE", 100)
    monkeypatch.setattr(neighbours, "AT_ONCE", 64)
    rows, queries = rows_of(700), rows_of(150, seed=1)
    near, squares = found_by(Neighbours(rows), queries, 7)
    assert np.array_equal(near, by_comparing_all(rows, queries, 7))
    assert np.array_equal(squares, ((queries[:, None] - rows[near]) ** 2).sum(axis=2))


def test_of_equal_ones_the_first_comes_first() -> None:
    rows = np.repeat(rows_of(3), 3, axis=0)
    near, squares = found_by(Neighbours(rows), rows[3:4], 3)
    assert near.tolist() == [[3, 4, 5]]
    assert squares.tolist() == [[0.0, 0.0, 0.0]]


def test_cells_find_nearly_all_and_say_what_they_do_not_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(neighbours, "CELL", 50)
    rows = rows_of(6000)
    known = Neighbours(rows, exact=1000)
    assert not known.is_exact
    near, _ = found_by(known, rows[:500], 5)
    right = by_comparing_all(rows, rows[:500], 5)
    shared = [len({*one} & {*other}) for one, other in zip(near, right, strict=True)]
    assert np.mean(shared) > 0.97 * 5
    # As many cells hold fewer rows than are asked for.
    near, squares = found_by(known, rows[:3], 5990)
    assert (near[:, -1] == -1).all()
    assert np.isinf(squares[near == -1]).all()
    assert np.isfinite(squares[near >= 0]).all()


@pytest.mark.parametrize("exact", [neighbours.EXACT, 1000])
def test_rows_are_replaced_and_removed(exact: int) -> None:
    rows = rows_of(2000)
    known = Neighbours(rows, exact=exact)
    known.remove(np.array([0, 7]))
    assert len(known) == 1998
    rows[9] = rows[7] + 1e-3
    known.replace(np.array([9]))
    near, _ = found_by(known, rows[[7]], 1)
    assert near.tolist() == [[9]]
    assert len(known) == 1998


def test_without_rows_or_queries_nothing_is_near() -> None:
    rows = rows_of(10)
    assert found_by(Neighbours(rows[:0]), rows, 3)[0].shape == (10, 0)
    assert list(Neighbours(rows).nearest(rows[:0], 3)) == []
    assert found_by(Neighbours(rows), rows, 99)[0].shape == (10, 10)


def test_of_a_scene_that_stands_still_others_than_copies_draw_a_face() -> None:
    still = np.repeat(rows_of(1), 500, axis=0) + np.linspace(0, 1e-4, 500)[:, None]
    other = rows_of(3, seed=5) * 0.1 + still[0]
    moved = value_of(drawn(still, np.concatenate([still, other]), 1.0, among=True, copies=0.05))
    apart = ((still[0] - other) ** 2).sum(axis=1)
    weights = np.exp(-apart)
    expected = (still[0] + weights @ other) / (1 + weights.sum())
    assert np.allclose(moved[0], expected)


def test_cells_make_the_groups_that_comparing_all_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(3000, groups=120)
    exact = average_linkage(rows, 1.6)
    assert 100 < exact.max() < 200
    monkeypatch.setattr(clustering, "Neighbours", partial(Neighbours, exact=500))
    monkeypatch.setattr(neighbours, "CELL", 25)
    cells = average_linkage(rows, 1.6)
    pairs = {*zip(exact.tolist(), cells.tolist(), strict=True)}
    assert len(pairs) <= 1.02 * (exact.max() + 1)
    assert abs(int(cells.max()) - int(exact.max())) <= 2


@pytest.mark.parametrize("first", [1, 3, 200])
def test_pairs_are_all_of_which_one_reaches_the_other(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "FIRST_ASKED", first)
    places = np.repeat(rows_of(150), 2, axis=0).astype(np.float32)
    reach = np.random.default_rng(2).uniform(0, 3, len(places))
    one, other, squares = pairs_within(places, reach)
    exact = places.astype(np.float64)
    apart = ((exact[:, None] - exact) ** 2).sum(axis=2)
    expected = np.argwhere(np.triu(apart <= np.maximum(reach[:, None], reach), 1))
    assert np.array_equal(np.stack([one, other], axis=1), expected)
    assert np.array_equal(squares, apart[one, other])


def test_pairs_of_nothing_are_none() -> None:
    for count in (0, 1):
        assert [len(part) for part in pairs_within(rows_of(count), np.ones(count))] == [0, 0, 0]


def test_cells_find_nearly_all_pairs() -> None:
    places = rows_of(6000, groups=400)
    reach = np.full(len(places), 0.6)
    every = {*zip(*(part.tolist() for part in pairs_within(places, reach)[:2]), strict=True)}
    found = pairs_within(places, reach, exact=1000)
    some = {*zip(*(part.tolist() for part in found[:2]), strict=True)}
    assert some <= every
    assert len(some) > 0.99 * len(every)


@pytest.mark.parametrize("count", [1, 2, 40])
def test_others_are_the_nearest_but_for_a_group(count: int) -> None:
    rows, queries = rows_of(60), rows_of(30, seed=1)
    generator = np.random.default_rng(3)
    groups, without = generator.integers(0, 4, 60), generator.integers(-1, 4, 30)
    near, squares = Neighbours(rows).others(queries, without, count, groups)
    apart = ((queries[:, None] - rows) ** 2).sum(axis=2)
    apart[groups == without[:, None]] = np.inf
    order = np.argsort(apart, axis=1, kind="stable")[:, :count]
    expected = np.take_along_axis(apart, order, axis=1)
    assert np.array_equal(squares, expected)
    assert np.array_equal(near, np.where(np.isfinite(expected), order, NOBODY))


def test_where_all_are_left_out_nobody_is_near() -> None:
    near, squares = Neighbours(rows_of(1)).others(rows_of(2), np.array([0, NOBODY]), 2)
    assert near.tolist() == [[NOBODY, NOBODY], [0, NOBODY]]
    assert np.isinf(squares).tolist() == [[True, True], [False, True]]
    near, _ = Neighbours(rows_of(0)).others(rows_of(2), np.zeros(2, np.int64), 1)
    assert near.tolist() == [[NOBODY], [NOBODY]]
