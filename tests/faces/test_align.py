"""Cutting faces out: level eyes at one height, at any roll, size and place."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.faces.align import EYE_HEIGHT, EyeAligner, crop_matrix, eyes_are_plausible
from gallery.faces.interfaces import Aligner
from gallery.types import CROP_SIDE, Box, Crop, Face, Image, Landmarks, Pixels, Point

GREY, LEFT, RIGHT = 180, (255, 0, 0), (0, 0, 255)


@pytest.fixture(params=[EyeAligner])
def aligner(request: pytest.FixtureRequest) -> Aligner:
    made: Aligner = request.param()
    return made


def image_of(pixels: Pixels) -> Image:
    return Image(pixels, "0" * 64, Path("picture.png"))


def plain(width: int, height: int) -> Image:
    return image_of(np.full((height, width, 3), GREY, np.uint8))


def head(side: float, roll: float, centre: Point) -> Face:
    """A head with its eyes a tenth of its side below its middle and 0.4 sides apart."""
    turn = math.radians(roll)

    def place(along: float, down: float) -> Point:
        return Point(
            centre.x + side * (along * math.cos(turn) - down * math.sin(turn)),
            centre.y + side * (along * math.sin(turn) + down * math.cos(turn)),
        )

    half = side / 2
    box = Box(centre.x - half, centre.y - half, centre.x + half, centre.y + half)
    return Face(box, 1.0, Landmarks(place(-0.2, 0.1), place(0.2, 0.1)))


def paint_eyes(face: Face, canvas: Image) -> Image:
    """The picture with a coloured disc on either eye, the left one red and the right one blue."""
    assert face.landmarks is not None
    pixels = canvas.pixels.copy()
    radius = max(face.box.width * 0.06, 0.8)
    for eye, colour in ((face.landmarks.left_eye, LEFT), (face.landmarks.right_eye, RIGHT)):
        top, left = int(eye.y - radius), int(eye.x - radius)
        part = pixels[top : top + int(2 * radius) + 3, left : left + int(2 * radius) + 3]
        down, across = np.indices(part.shape[:2])
        part[np.hypot(across + left - eye.x, down + top - eye.y) <= radius] = colour
    return image_of(pixels)


def middle_of(crop: Crop, colour: tuple[int, int, int]) -> Point:
    """Where a colour's disc lies in a crop, weighed by how much of the colour a pixel has."""
    channel = 0 if colour == LEFT else 2
    others = crop.astype(float)
    weight = np.clip(others[:, :, channel] - others[:, :, 2 - channel], 0, None)
    assert weight.sum() > 0
    down, across = np.mgrid[:CROP_SIDE, :CROP_SIDE]
    return Point(
        float((across * weight).sum() / weight.sum()), float((down * weight).sum() / weight.sum())
    )


@pytest.mark.parametrize("side", [20, 47, 150, 400, 2000])
@pytest.mark.parametrize("roll", [-40, -15, 0, 7, 40])
def test_eyes_stand_level_at_one_height_whatever_the_roll_and_the_size(
    aligner: Aligner, side: int, roll: int
) -> None:
    face = head(side, roll, Point(side * 0.9, side * 0.8))
    image = paint_eyes(face, plain(round(side * 1.8), round(side * 1.6)))
    crop = aligner.align(image, face)
    left, right = middle_of(crop, LEFT), middle_of(crop, RIGHT)
    # A pixel of a head of 20 pixels is more than seven of the crop.
    allowed = 1.0 if side >= 150 else 150 / side
    assert abs(left.y - EYE_HEIGHT * CROP_SIDE) < allowed
    assert abs(right.y - EYE_HEIGHT * CROP_SIDE) < allowed
    assert abs((right.x - left.x) - 0.4 * CROP_SIDE) < 2 * allowed
    assert left.x < CROP_SIDE / 2 < right.x


@given(
    side=st.floats(20, 2000),
    roll=st.floats(-40, 40),
    x=st.floats(-500, 3000),
    y=st.floats(-500, 3000),
)
def test_the_transform_brings_the_eyes_to_their_height(
    side: float, roll: float, x: float, y: float
) -> None:
    face = head(side, roll, Point(x, y))
    assert face.landmarks is not None
    for eye in face.landmarks[:2]:
        assert eye is not None
        found = crop_matrix(face) @ [eye.x, eye.y, 1]
        assert found[1] == pytest.approx(EYE_HEIGHT * CROP_SIDE, abs=1e-6)


def test_the_eyes_order_of_a_head_upside_down_is_kept(aligner: Aligner) -> None:
    face = head(150, 180, Point(150, 150))
    crop = aligner.align(paint_eyes(face, plain(300, 300)), face)
    assert middle_of(crop, LEFT).x < middle_of(crop, RIGHT).x


def test_a_large_head_is_averaged_rather_than_sampled(aligner: Aligner) -> None:
    board = (np.indices((1500, 1500)).sum(axis=0) % 2 * 255).astype(np.uint8)
    crop = aligner.align(
        image_of(np.repeat(board[:, :, None], 3, axis=2)), Face(Box(0, 0, 1500, 1500), 1.0)
    )
    assert np.abs(crop[10:-10, 10:-10].astype(int) - 128).max() < 30


def test_without_landmarks_the_box_is_cut(aligner: Aligner) -> None:
    pixels = np.full((300, 300, 3), GREY, np.uint8)
    pixels[100:200, 50:150] = (10, 200, 30)
    crop = aligner.align(image_of(pixels), Face(Box(50, 100, 150, 200), 1.0))
    assert np.abs(crop[3:-3, 3:-3].astype(int) - (10, 200, 30)).max() <= 1


def test_a_whole_picture_of_the_crops_size_comes_back_unchanged(aligner: Aligner) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (CROP_SIDE, CROP_SIDE, 3)).astype(np.uint8)
    crop = aligner.align(image_of(pixels), Face(Box(0, 0, CROP_SIDE, CROP_SIDE), 1.0))
    assert np.array_equal(crop, pixels)


BOXES = [
    Box(-60, -60, 40, 40),
    Box(160, 90, 260, 190),
    Box(-500, -500, -400, -400),
    Box(900, 900, 1000, 1000),
    Box(-1000, -1000, 1200, 1200),
    Box(0, 0, 200, 20),
    Box(50, 50, 50, 50),
    Box(60, 60, 40, 40),
    Box(-1e7, -1e7, 1e7, 1e7),
    Box(1e9, 1e9, 1e9 + 10, 1e9 + 10),
]


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("eyes", [False, True])
@pytest.mark.parametrize("size", [(200, 120), (1, 1), (1, 500), (500, 1), (2, 2)])
def test_no_crop_has_borders_that_the_picture_has_not(
    aligner: Aligner, box: Box, eyes: bool, size: tuple[int, int]
) -> None:
    landmarks = None
    if eyes:
        side = box.width
        landmarks = Landmarks(
            Point(box.left + 0.3 * side, box.top + 0.4 * side),
            Point(box.left + 0.7 * side, box.top + 0.6 * side),
        )
    crop = aligner.align(plain(*size), Face(box, 1.0, landmarks))
    assert crop.shape == (CROP_SIDE, CROP_SIDE, 3)
    assert crop.dtype == np.uint8
    assert (crop == GREY).all()


def test_what_lies_outside_repeats_the_border(aligner: Aligner) -> None:
    pixels = np.full((100, 100, 3), GREY, np.uint8)
    pixels[:, 0] = (250, 10, 10)
    crop = aligner.align(image_of(pixels), Face(Box(-100, 0, 0, 100), 1.0))
    assert np.abs(crop[:, :-3].astype(int) - (250, 10, 10)).max() <= 1


@pytest.mark.parametrize("box", [Box(100, 38_000, 400, 38_300), Box(0, 0, 600, 40_000)])
def test_a_face_in_a_picture_longer_than_opencv_takes_is_cut(aligner: Aligner, box: Box) -> None:
    # OpenCV 4 warps no picture with a side of 32,768 pixels or more; webtoons are such.
    pixels = np.full((40_000, 600, 3), GREY, np.uint8)
    pixels[38_100:38_200, 200:300] = (10, 200, 30)
    crop = aligner.align(image_of(pixels), Face(box, 1.0))
    assert crop.shape == (CROP_SIDE, CROP_SIDE, 3)
    if box.height == 300:
        assert np.abs(crop[55:95, 55:95].astype(int) - (10, 200, 30)).max() <= 1
        assert (crop[:45] == GREY).all()
        assert (crop[105:] == GREY).all()


def test_a_picture_cut_to_what_is_needed_gives_the_same_crop(
    aligner: Aligner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gallery.faces import align

    pixels = np.random.default_rng(1).integers(0, 256, (400, 300, 3)).astype(np.uint8)
    faces = [
        head(120, 20, Point(150, 200)),
        head(90, -30, Point(10, 390)),
        Face(Box(-50, -50, 60, 60), 1.0),
        Face(Box(290, 10, 380, 100), 1.0),
        Face(Box(700, 700, 800, 800), 1.0),
    ]
    whole = [aligner.align(image_of(pixels), face) for face in faces]
    monkeypatch.setattr(align, "MAX_SIDE", 260)
    for face, expected in zip(faces, whole, strict=True):
        found = aligner.align(image_of(pixels), face)
        assert np.abs(found.astype(int) - expected).max() <= 2


WRONG_EYES = {
    "one above the head": (Point(130, 40), Point(170, 160)),
    "one beside the head": (Point(60, 160), Point(170, 160)),
    "one below the chin": (Point(170, 160), Point(130, 260)),
    "upside down far away": (Point(900, 160), Point(30, 160)),
    "nearly one place": (Point(150, 150), Point(153, 159)),
    "one place": (Point(150, 150), Point(150, 150)),
    "nowhere": (Point(math.nan, 150), Point(170, 150)),
}


@pytest.mark.parametrize("eyes", WRONG_EYES.values(), ids=WRONG_EYES)
def test_eyes_that_are_not_this_heads_turn_nothing(eyes: tuple[Point, Point]) -> None:
    box = Box(100, 100, 200, 200)
    upright = crop_matrix(Face(box, 1.0))
    assert np.array_equal(crop_matrix(Face(box, 1.0, Landmarks(*eyes))), upright)


def test_eyes_just_far_enough_apart_count() -> None:
    box = Box(100, 100, 200, 200)
    for apart, counts in ((11.9, False), (12.1, True)):
        landmarks = Landmarks(Point(150, 150), Point(150, 150 + apart))
        assert eyes_are_plausible(box, landmarks) is counts
