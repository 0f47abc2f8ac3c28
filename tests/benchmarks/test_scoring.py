"""The arithmetic that detectors are judged by, on cases that can be counted by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import Square, draw

from benchmarks.scoring import Scored, eye_errors, matched, turned
from benchmarks.truth import Head
from gallery.types import Box, Face, Image, Landmarks, Point


def head(left: float, top: float, side: float, *, ignore: bool = False) -> Head:
    box = Box(left, top, left + side, top + side)
    eyes = Point(left + 0.3 * side, top + side / 2), Point(left + 0.7 * side, top + side / 2)
    return Head(box, *eyes, frozenset(), ignore)


def face(left: float, top: float, side: float, score: float) -> Face:
    return Face(Box(left, top, left + side, top + side), score)


def test_every_head_is_found_once_by_the_best_box() -> None:
    known = [head(0, 0, 100), head(200, 0, 100)]
    faces = [
        face(0, 0, 100, 0.9),
        face(5, 0, 100, 0.8),
        face(210, 0, 100, 0.7),
        face(0, 200, 50, 0.6),
    ]
    found = matched(faces, known, 400, 300)
    assert found.right == (True, False, True, False)
    assert found.reached == (0.9, 0.7)
    assert found.sides == (100, 100)


def test_what_is_ignored_is_neither_right_nor_wrong() -> None:
    known = [head(0, 0, 100, ignore=True), head(300, 0, 15), head(200, 200, 60)]
    faces = [
        face(10, 10, 40, 0.9),
        face(300, 0, 15, 0.8),
        face(0, 0, 120, 0.7),
        face(80, 80, 60, 0.6),
    ]
    found = matched(faces, known, 400, 300)
    # The last has a corner in the region and no more.
    assert found.scores == (0.6,)
    assert found.right == (False,)
    assert found.reached == (0,)


def test_boxes_end_at_the_picture_before_they_are_compared() -> None:
    known = [head(-30, 0, 100)]
    assert Box(0, 0, 70, 100).overlap(known[0].box) == pytest.approx(0.7)
    found = matched([Face(Box(0, 0, 70, 100), 0.9)], known, 400, 300)
    assert found.right == (True,)
    # The size of a head is that of all of it.
    assert found.sides == (100,)


def scored() -> Scored:
    """Ten pictures with a large and a small head; one picture has two wrong boxes."""
    pictures = []
    for number in range(10):
        faces = [face(0, 0, 100, 0.9 - number / 100)]
        if number < 4:
            faces.append(face(200, 0, 30, 0.5))
        if number == 0:
            faces += [face(300, 0, 50, 0.7), face(300, 100, 50, 0.6)]
        pictures.append(matched(faces, [head(0, 0, 100), head(200, 0, 30)], 400, 300))
    return Scored(pictures)


def test_recalls_are_read_off_at_one_wrong_box_per_ten_pictures() -> None:
    one = scored()
    # The first wrong box of ten pictures is allowed, the second is not.
    assert one.bar == 0.6
    assert one.recall(40).value == 1.0
    assert one.recall(16, 40).value == 0.0
    assert math.isnan(one.recall(500).value)
    low, high = one.recall(40)[1:]
    assert low <= 1.0 <= high


def test_average_precision_is_the_area_below_falling_precision() -> None:
    # Ten right, two wrong, four right of twenty heads.
    assert scored().precision_area().value == pytest.approx((10 + 4 * 14 / 16) / 20)
    nothing = Scored([matched([], [head(0, 0, 100)], 400, 300)])
    assert nothing.precision_area().value == 0.0
    assert nothing.recall(40).value == 0.0


@pytest.mark.parametrize("degrees", [0, 30, -45, 90])
def test_a_turned_picture_takes_its_heads_along(degrees: float) -> None:
    image = Image(draw(Square(40, 20, 60), width=200, height=120), "0" * 64, Path("x.png"))
    shown, (known,) = turned(image, [head(40, 20, 60)], degrees)
    strong = np.argwhere(np.ptp(shown.pixels.astype(int), axis=2) > 100)
    middle = strong.mean(axis=0)[::-1] + 0.5
    assert np.allclose(middle, known.box.centre, atol=1.5)
    # A round head is as large whichever way it is turned.
    assert known.box.width == pytest.approx(60)
    assert known.left_eye is not None
    assert known.right_eye is not None
    lean = math.atan2(known.right_eye.y - known.left_eye.y, known.right_eye.x - known.left_eye.x)
    assert math.degrees(lean) == pytest.approx(degrees)
    if degrees == 0:
        assert np.array_equal(shown.pixels, image.pixels)


def test_a_head_that_the_edge_cuts_has_the_box_of_what_is_left_of_it() -> None:
    image = Image(draw(width=200, height=120), "0" * 64, Path("x.png"))
    # The lower half of a round head: a half disc of 100 by 50, its flat side above.
    cut = Head(Box(40, -50, 140, 50), None, None, frozenset(), ignore=False)
    _, (upright,) = turned(image, [cut], 0)
    assert upright.box == pytest.approx((40, 0, 140, 50))
    shown, (known,) = turned(image, [cut], 90)
    assert known.box == pytest.approx((shown.width - 50, 40, shown.width, 140))
    shown, (known,) = turned(image, [cut], 45)
    # Along the flat side it ends 50 * cos 45 from the middle, where it is round 50.
    assert (known.box.width, known.box.height) == pytest.approx((50 + 50 / 2**0.5,) * 2, rel=1e-3)


def test_turning_keeps_a_picture_as_sharp_as_it_was() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3)).astype(np.uint8)
    shown, _ = turned(Image(noise, "0" * 64, Path("x.png")), [], 45)
    inner = shown.pixels[30:55, 30:55].astype(float)
    # Linear interpolation leaves 0.67 of the spread, cubic 0.85.
    assert inner.std() > 0.87 * noise.std()


def test_heads_that_lean_too_far_can_be_left_out_of_recalls() -> None:
    upright, lying = head(0, 0, 100), head(200, 0, 100)
    lying = replace(lying, left_eye=Point(250, 30), right_eye=Point(255, 70))
    hidden = replace(head(0, 200, 100), left_eye=None)
    found = matched([face(0, 0, 100, 0.9)], [upright, lying, hidden], 400, 300)
    assert found.rolls == pytest.approx((0, 82.9, 0), abs=0.1)
    assert Scored([found]).recall(40).value == pytest.approx(1 / 3)
    assert Scored([found]).recall(40, most_roll=60).value == pytest.approx(1 / 2)


def test_sizes_can_be_those_of_upright_heads() -> None:
    found = matched([face(0, 0, 14, 0.9)], [head(0, 0, 14)], 400, 300, sides=[17.0])
    assert found.sides == (17.0,)
    assert found.right == (True,)


def test_eyes_are_off_by_shares_of_their_distance() -> None:
    landmarks = Landmarks(Point(30, 54), Point(70, 50))
    faces = [Face(Box(0, 0, 100, 100), 0.9, landmarks), face(200, 0, 100, 0.8)]
    found = matched(faces, [head(0, 0, 100), head(200, 0, 100)], 400, 300)
    assert len(found.pairs) == 2
    assert eye_errors(found.pairs) == pytest.approx([0.1, 0.0])
