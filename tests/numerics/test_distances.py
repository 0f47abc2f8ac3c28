"""Distances of rows and overlaps of boxes, beside the plain ways to say them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gallery.numerics.distances import (
    covered,
    distances,
    keep_best,
    nearest_path,
    overlaps,
    squared_distances,
)

NUMBERS = np.random.default_rng(0)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_squared_distances_are_those_of_the_differences(precision: type[np.floating]) -> None:
    left, right = (NUMBERS.normal(size=(count, 128)).astype(precision) for count in (7, 11))

    found = squared_distances(left, right)

    assert found.dtype == precision
    assert found == pytest.approx(((left[:, None] - right) ** 2).sum(axis=2), rel=1e-5)


def test_rounding_takes_no_distance_below_nothing() -> None:
    same = NUMBERS.normal(size=(50, 128)).astype(np.float32) * 1000

    assert (squared_distances(same, same) >= 0).all()
    assert np.isfinite(distances(same, same)).all()


def test_distances_are_in_double_precision() -> None:
    left, right = np.array([[0.0, 0.0]], np.float32), np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)

    assert distances(left, right).dtype == np.float64
    assert distances(left, right).tolist() == [[5.0, 0.0]]


def test_overlaps_of_boxes() -> None:
    some, others = np.array([[0.0, 0, 10, 10]]), np.array([[0.0, 0, 10, 5], [20, 20, 30, 30]])

    assert overlaps(some, others)[0] == pytest.approx([0.5, 0])
    assert overlaps(some[:0], others).shape == (0, 2)
    assert overlaps(np.hstack([some, [[7.0]]]), others)[0] == pytest.approx([0.5, 0])


def test_a_box_without_area_overlaps_nothing() -> None:
    point = np.array([[5.0, 5, 5, 5]])

    assert overlaps(point, point).tolist() == [[0.0]]


def test_of_boxes_over_each_other_the_best_stays() -> None:
    some = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 20, 10, 30], [0, 5, 10, 15]], np.float32)
    # The second shares 9/11 with the first, the fourth 5/15.
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    assert keep_best(some, scores, 0.45, 9).tolist() == [0, 2, 3]
    assert keep_best(some, scores, 0.3, 9).tolist() == [0, 2]
    assert keep_best(some[:0], scores[:0], 0.3, 9).tolist() == []


def boxes(count: int) -> NDArray[np.float64]:
    """Boxes of about 20 pixels in a picture of 200."""
    centres = NUMBERS.uniform(0, 200, (count, 2))
    halves = np.exp(NUMBERS.normal(3, 0.6, (count, 2))) / 2
    return np.hstack([centres - halves, centres + halves])


@pytest.mark.parametrize("count", [0, 1, 2, 60, 400])
def test_those_that_stay_are_opencvs(count: int) -> None:
    import cv2

    some, scores = boxes(count), NUMBERS.random(count).astype(np.float32).astype(np.float64)
    # Equal scores: the first row comes first.
    scores[::5] = scores[:1]
    corners = np.hstack([some[:, :2], some[:, 2:] - some[:, :2]])
    wanted = np.asarray(cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), 0.0, 0.4))

    assert keep_best(some, scores, 0.4, count).tolist() == wanted.reshape(-1).tolist()
    assert keep_best(some, scores, 0.4, 3).tolist() == wanted.reshape(-1)[:3].tolist()


def test_a_box_is_covered_by_the_share_of_it_that_lies_in_another() -> None:
    some = np.array([[0.0, 0, 10, 10], [2, 2, 4, 4], [5, 5, 5, 5]])
    others = np.array([[5.0, 0, 30, 10], [20, 20, 30, 30]])
    assert covered(some, others).tolist() == [[0.5, 0.0], [0.0, 0.0], [0.0, 0.0]]


def test_a_path_goes_to_the_nearest_that_is_left() -> None:
    rows = np.array([[0.0], [10.0], [1.0], [11.0], [2.0]], np.float32)

    assert nearest_path(rows) == [0, 2, 4, 1, 3]
    assert nearest_path(rows[:1]) == [0]
    assert nearest_path(rows[:0]) == []
