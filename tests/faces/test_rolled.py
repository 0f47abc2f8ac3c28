"""The level look at leaning heads: when it is taken, what it shows, what comes of it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from test_heads import constant, image_of

from gallery.faces.detectors.heads import HeadDetector
from gallery.faces.detectors.rolled import (
    UNSEEN,
    boxes_back,
    joined_scores,
    roll_to_level,
    rolls,
    turned,
)


def leaning(score: float, roll: float, middle: tuple[float, float] = (100, 100)) -> list[float]:
    """What a cell says of a head of 40 pixels whose eyes lean by a roll."""
    x, y = middle
    across, down = 10 * math.cos(math.radians(roll)), 10 * math.sin(math.radians(roll))
    return [score, x - 20, y - 20, x + 20, y + 20, x - across, y - down, x + across, y + down, 1, 1]


def rows(*heads: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array(heads, np.float32).reshape(-1, 11)


@pytest.mark.parametrize("roll", [-89, -40, 0, 15, 60])
def test_roll_is_that_of_the_eyes_whichever_is_named_first(roll: float) -> None:
    head = leaning(0.5, roll)
    swapped = [*head[:5], *head[7:9], *head[5:7], 1, 1]

    assert rolls(rows(head, swapped)) == pytest.approx([roll, roll], abs=1e-3)


def test_only_a_doubted_leaning_head_asks_for_a_level_look() -> None:
    assert roll_to_level(rows()) is None
    assert roll_to_level(rows(leaning(0.5, 5), leaning(0.9, 40), leaning(0.1, 40))) is None
    wanted = roll_to_level(rows(leaning(0.9, 30), leaning(0.5, -25), leaning(0.95, 2)))
    # The surest of those that lean says by how much.
    assert wanted == pytest.approx(30, abs=1e-3)


@pytest.mark.parametrize("roll", [-60.0, 30.0, 45.0])
def test_a_turned_picture_shows_level_what_leaned(roll: float) -> None:
    pixels = np.zeros((120, 200, 3), np.uint8)
    middle = np.array([140.0, 40.0])
    slope = np.array([math.cos(math.radians(roll)), math.sin(math.radians(roll))])
    eyes = np.stack([middle - 12 * slope, middle + 12 * slope])
    for x, y in np.floor(eyes).astype(int):
        pixels[y - 1 : y + 2, x - 1 : x + 2] = 255

    view = turned(pixels, roll, 32, 127)
    left, right = eyes @ view.turn.T + view.shift

    assert left[1] == pytest.approx(right[1])
    assert right[0] - left[0] == pytest.approx(24)
    assert all(side % 32 == 0 for side in view.pixels.shape[:2])
    for x, y in np.floor([left, right]).astype(int):
        assert view.pixels[y, x].min() > 150
    assert (view.pixels[0, 0] == 127).all()


def test_boxes_come_back_to_where_they_were() -> None:
    view = turned(np.zeros((120, 200, 3), np.uint8), 40, 32, 127)
    middle = np.array([140.0, 40.0]) @ view.turn.T + view.shift
    halves = np.array([[15, 15], [10, 20]])

    back = boxes_back(np.hstack([middle - halves, middle + halves]).astype(np.float32), view)

    assert back[0] == pytest.approx([125, 25, 155, 55], abs=1e-3)
    assert (back[1, :2] + back[1, 2:]) / 2 == pytest.approx([140, 40], abs=1e-3)
    width, height = back[1, 2:] - back[1, :2]
    assert 20 < width < height < 40


def test_both_looks_count_alike_for_heads_that_the_turn_makes_level() -> None:
    heads = rows(leaning(0.5, 30), leaning(0.5, -30), leaning(0.7, 0), leaning(0.7, 45))
    level = rows(leaning(0.9, 0), leaning(0.3, 0))
    overlap = np.array([[0.6, 0.1], [0.6, 0.1], [0.6, 0.1], [0.2, 0.1]], np.float32)

    first, other_way, upright, unseen = joined_scores(heads, level, overlap, 30).tolist()

    assert first == pytest.approx(0.75)  # odds 1 and 9 make 3
    assert (other_way, upright) == pytest.approx((0.5, 0.7))
    odds = math.sqrt(0.7 / 0.3 * UNSEEN / (1 - UNSEEN))
    assert unseen == pytest.approx(odds / (1 + odds))
    assert joined_scores(heads[:1], rows(), np.zeros((1, 0), np.float32), 30)[0] < 0.25


def test_a_leaning_head_that_the_level_look_does_not_see_is_none(tmp_path: Path) -> None:
    # The network says the same of every picture, so that a turned one has its head elsewhere.
    picture = image_of(np.zeros((360, 640, 3), np.uint8))
    upright = constant(tmp_path / "a.onnx", [leaning(0.7, 0)])
    leans = constant(tmp_path / "b.onnx", [leaning(0.7, 40)])
    surely = constant(tmp_path / "c.onnx", [leaning(0.95, 40)])

    assert [len(HeadDetector(one).detect([picture])[0]) for one in (upright, leans, surely)] == [
        1,
        0,
        1,
    ]


def test_a_leaning_head_below_the_limit_is_found_where_the_level_look_sees_it(
    tmp_path: Path,
) -> None:
    # The network sees 192 pixels a side, turned 272; the middle stays in the middle.
    heads = [leaning(0.5, 45, (96, 96)), leaning(0.8, 0, (136, 136))]
    file = constant(tmp_path / "a.onnx", heads)
    square = image_of(np.zeros((96, 96, 3), np.uint8))

    (found,) = HeadDetector(file).detect([square])

    assert found[-1].score == pytest.approx(2 / 3, abs=1e-3)  # odds 1 and 4 make 2
