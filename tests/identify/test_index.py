"""Nearest neighbours, exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from fakes import ScanIndex, vector
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gallery.faces.interfaces import Index
from gallery.identify.index import FlatIndex
from gallery.types import DIMENSION

Ids = NDArray[np.int64]
Rows = NDArray[np.float32]


def followed(ids: Ids, rows: Rows) -> Index:
    """An index that came to have its rows in parts, in another order, and after others."""
    half = len(ids) // 2
    others = FlatIndex.build(np.append(ids[half:], 3), np.append(rows[half:], rows_of(1), axis=0))
    return others.followed(np.array([3]), ids[:half], rows[:half])


MAKERS: dict[str, Callable[[Ids, Rows], Index]] = {
    "built": FlatIndex.build,
    "followed": followed,
    "scan": ScanIndex,
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[[Ids, Rows], Index]:
    return MAKERS[request.param]


def rows_of(count: int, seed: int = 0) -> Rows:
    return np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)


@pytest.mark.parametrize("length", [1e-3, 1.0, 10.0])
@pytest.mark.parametrize("queries", [1, 5, 60])
def test_the_nearest_rows_come_first_with_euclidean_distances(
    make: Callable[[Ids, Rows], Index], length: float, queries: int
) -> None:
    rows = rows_of(300) * np.float32(length)
    ids = np.arange(300) * 7 + 10**12
    asked = (rows_of(queries, 2) * np.float32(length)).astype(np.float32)
    asked[0] = rows[17]
    distances, found = make(ids.astype(np.int64), rows).search(asked, 9)
    assert distances.shape == found.shape == (queries, 9)
    assert distances.dtype == np.float32
    assert found.dtype == np.int64
    for query, near, names in zip(asked, distances, found, strict=True):
        true = np.linalg.norm(rows.astype(np.float64) - query.astype(np.float64), axis=1)
        order = np.argsort(true, kind="stable")[:9]
        assert names.tolist() == ids[order].tolist()
        assert near == pytest.approx(true[order], rel=1e-5, abs=1e-5 * length)
    assert found[0, 0] == ids[17]
    assert distances[0, 0] == 0


def test_no_more_rows_are_returned_than_there_are(make: Callable[[Ids, Rows], Index]) -> None:
    index = make(np.array([5, 6], np.int64), rows_of(2))
    assert len(index) == 2
    distances, ids = index.search(rows_of(3, 1), 10)
    assert distances.shape == ids.shape == (3, 2)
    assert set(ids.ravel().tolist()) == {5, 6}
    distances, ids = index.search(rows_of(0), 10)
    assert distances.shape == ids.shape == (0, 2)


def test_an_empty_index_has_no_answers(make: Callable[[Ids, Rows], Index]) -> None:
    index = make(np.zeros(0, np.int64), rows_of(0))
    assert len(index) == 0
    distances, ids = index.search(rows_of(2), 3)
    assert distances.shape == ids.shape == (2, 0)


def test_one_id_may_have_several_rows(make: Callable[[Ids, Rows], Index]) -> None:
    index = make(np.array([4, 4, 9], np.int64), np.stack([vector(1), vector(2), vector(3)]))
    _, ids = index.search(vector(2)[None], 1)
    assert ids.tolist() == [[4]]


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 40), wanted=st.integers(1, 50))
def test_faiss_finds_what_comparing_with_every_row_finds(
    seed: int, count: int, wanted: int
) -> None:
    ids, rows, asked = np.arange(count), rows_of(count, seed), rows_of(3, seed + 1)
    expected, true = ScanIndex(ids, rows).search(asked, wanted)
    distances, found = FlatIndex.build(ids, rows).search(asked, wanted)
    assert np.array_equal(found, true)
    assert np.allclose(distances, expected, atol=1e-5)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), wanted=st.integers(1, 40))
def test_the_order_in_which_rows_came_changes_no_answer(seed: int, wanted: int) -> None:
    generator = np.random.default_rng(seed)
    # Few places, so that many rows are as far as others.
    rows = rows_of(5, seed)[generator.integers(0, 5, 60)]
    ids, asked = np.arange(60), rows_of(25, seed + 1)
    built = FlatIndex.build(ids, rows)
    order = generator.permutation(60)
    mixed = FlatIndex.build(ids[order], rows[order])
    gone = ids[generator.random(60) < 0.3]
    mixed = mixed.followed(gone, gone, rows[gone])
    (near, found), (far, other) = built.search(asked, wanted), mixed.search(asked, wanted)
    assert near.tobytes() == far.tobytes()
    assert found.tobytes() == other.tobytes()
