"""How well a face can be seen: what the numbers mean, and what they are worth on real faces."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import FakeDetector, FakeEncoder, Square, draw
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as pillow

from gallery.faces.align import EyeAligner
from gallery.faces.describe import Describer
from gallery.faces.quality import (
    POOR,
    Gates,
    cut,
    frontal,
    head_size,
    is_poor,
    is_portrait,
    measure,
    roll,
    sharpness,
)
from gallery.numerics.profiles import counting
from gallery.types import CROP_SIDE, Box, Crop, Face, Image, Landmarks, Point, Quality

SHARED_FACES = Path(__file__).parents[2] / ".." / "shared" / "data" / "faces"

GOOD = Quality(size=200, sharpness=0.9, roll=0.0, frontal=1.0, cut=0.0)

shares = st.floats(0, 1)
qualities = st.builds(
    Quality,
    size=st.floats(0, 4000),
    sharpness=shares,
    roll=st.none() | st.floats(-180, 180),
    frontal=st.none() | shares,
    cut=st.none() | shares,
)


def head(left_eye: tuple[float, float], right_eye: tuple[float, float]) -> Face:
    """A head from 0 to 100 with its eyes."""
    return Face(Box(0, 0, 100, 100), 1.0, Landmarks(Point(*left_eye), Point(*right_eye)))


def pattern(seed: int = 0) -> Crop:
    """Flat areas with hard borders, as anime has them."""
    chance = np.random.default_rng(seed)
    crop = np.full((CROP_SIDE, CROP_SIDE, 3), 200, np.uint8)
    for _ in range(12):
        centre = tuple(int(place) for place in chance.integers(10, 140, 2))
        colour = tuple(int(part) for part in chance.integers(0, 256, 3))
        cv2.circle(crop, centre, int(chance.integers(8, 30)), colour, -1, cv2.LINE_AA)
    return crop


def blurred(crop: Crop, radius: float) -> Crop:
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), radius), np.uint8)


def drawn_up(crop: Crop, side: int) -> Crop:
    """The crop as it is of a head of so many pixels."""
    small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (CROP_SIDE, CROP_SIDE)), np.uint8)


class TestParts:
    def test_size_is_the_shorter_side(self) -> None:
        assert head_size(Face(Box(-10, 5, 30, 35), 1.0)) == 30
        assert head_size(Face(Box(10, 5, 0, 35), 1.0)) == 0

    @pytest.mark.parametrize("angle", [-170, -60, -20, 0, 5, 45, 90])
    def test_roll_is_the_angle_of_the_eyes(self, angle: float) -> None:
        turn = np.exp(1j * np.radians(angle)) * 20
        face = head((50 - turn.real, 50 - turn.imag), (50 + turn.real, 50 + turn.imag))
        assert roll(face) == pytest.approx(angle)
        # The eyes stand evenly, however the head is rolled.
        assert frontal(face) == pytest.approx(1)

    def test_frontal_falls_as_the_eyes_leave_the_middle(self) -> None:
        values = [
            frontal(head((30 - away, 50), (70 - away, 50))) or 0.0 for away in (0, 5, 15, 25, 30)
        ]
        assert values[0] == 1
        assert values == sorted(values, reverse=True)
        assert values[1] == pytest.approx(25 / 35)
        assert values[-1] == 0
        assert frontal(head((30 - 40, 50), (70 - 40, 50))) == 0
        assert frontal(head((30, 50), (60, 50))) == frontal(head((40, 50), (70, 50)))

    def test_without_eyes_roll_and_frontal_are_unknown(self) -> None:
        face = Face(Box(0, 0, 10, 10), 1.0)
        assert (roll(face), frontal(face)) == (None, None)

    @pytest.mark.parametrize(
        ("box", "share"),
        [
            (Box(0, 0, 100, 80), 0.0),
            (Box(10, 10, 50, 50), 0.0),
            (Box(-20, 0, 20, 40), 0.5),
            (Box(80, 60, 120, 100), 0.75),
            (Box(-100, -100, 200, 200), 1 - 8000 / 90_000),
            (Box(200, 0, 240, 40), 1.0),
            (Box(5, 5, 5, 5), 0.0),
        ],
    )
    def test_cut_is_the_share_outside(self, box: Box, share: float) -> None:
        assert cut(Face(box, 1.0), 100, 80) == pytest.approx(share)

    @pytest.mark.parametrize("radius", [1.0, 2.0, 3.0, 4.0])
    def test_sharpness_is_one_over_the_radius_of_the_blur(self, radius: float) -> None:
        for seed in range(4):
            found = sharpness(blurred(pattern(seed), radius))
            assert 1 / found == pytest.approx(math.hypot(radius, 1.3), rel=0.12)

    def test_sharpness_does_not_care_for_contrast_or_brightness(self) -> None:
        for radius in (0.5, 2.0):
            crop = blurred(pattern(), radius)
            assert sharpness(crop // 2 + 60) == pytest.approx(sharpness(crop), rel=0.05)

    def test_the_same_crop_has_the_same_sharpness_wherever_it_lies_in_memory(self) -> None:
        crop = blurred(pattern(), 1.5)
        room = np.zeros(crop.size + 64, np.uint8)
        for shift in range(0, 64, 7):
            moved = room[shift : shift + crop.size].reshape(crop.shape)
            moved[:] = crop
            assert sharpness(moved) == sharpness(crop)
        assert sharpness(np.ascontiguousarray(crop[:, ::-1])) == sharpness(crop)

    @pytest.mark.parametrize("level", [0, 128, 255])
    def test_what_shows_nothing_is_not_sharp(self, level: int) -> None:
        assert sharpness(np.full((CROP_SIDE, CROP_SIDE, 3), level, np.uint8)) == 0

    def test_noise_is_a_share_too(self) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (CROP_SIDE, CROP_SIDE, 3), np.uint8)
        assert 0 <= sharpness(noise) <= 1


class TestScore:
    @given(qualities)
    def test_it_is_a_share(self, quality: Quality) -> None:
        assert 0 <= quality.score <= 1

    @given(qualities, qualities)
    def test_it_never_falls_when_every_part_is_at_least_as_good(
        self, one: Quality, other: Quality
    ) -> None:
        def best(values: tuple[float | None, float | None], *, low: bool) -> float | None:
            known = [value for value in values if value is not None]
            if len(known) < 2:
                # Unknown takes nothing away.
                return None
            return min(known, key=abs) if low else max(known)

        better = Quality(
            size=max(one.size, other.size),
            sharpness=max(one.sharpness, other.sharpness),
            roll=best((one.roll, other.roll), low=True),
            frontal=best((one.frontal, other.frontal), low=False),
            cut=best((one.cut, other.cut), low=True),
        )
        assert better.score >= max(one.score, other.score) - 1e-12

    def test_every_part_counts(self) -> None:
        worse = (
            Quality(20, 0.9, 0.0, 1.0, 0.0),
            Quality(200, 0.8, 0.0, 1.0, 0.0),
            Quality(200, 0.9, -30.0, 1.0, 0.0),
            Quality(200, 0.9, 0.0, 0.5, 0.0),
            Quality(200, 0.9, 0.0, 1.0, 0.2),
        )
        assert GOOD.score == pytest.approx(0.9)
        assert all(one.score < GOOD.score for one in worse)

    def test_no_single_flaw_of_a_sharp_large_face_makes_it_poor(self) -> None:
        for one in (
            Quality(200, 0.9, 90.0, 1.0, 0.0),
            Quality(200, 0.9, 0.0, 0.0, 0.0),
            Quality(200, 0.9, 0.0, 1.0, 0.5),
        ):
            assert not is_poor(one)

    def test_poor_ones_count_only_where_there_are_no_others(self) -> None:
        assert counting([False, True, False]) == [0, 2]
        assert counting([True, True]) == [0, 1]
        assert counting([]) == []


def with_eyes(apart: float, turned: float, side: float = 100.0) -> Face:
    """A head whose eyes are so far apart, in sides, and turned by so many degrees."""
    x, y = (apart * side / 2 * part(math.radians(turned)) for part in (math.cos, math.sin))
    eyes = Landmarks(Point(50 - x, 55 - y), Point(50 + x, 55 + y))
    return Face(Box(0, 0, side, side), 1.0, eyes)


class TestPortraits:
    @pytest.mark.parametrize(
        ("apart", "turned", "answer"),
        [
            (0.33, 0, True), (0.33, 15, True), (0.33, -15, True), (0.28, 0, True),
            (0.33, 17, False), (0.33, -17, False), (0.25, 0, False), (0.25, 30, False),
            (0.33, 170, False),
        ],
    )  # fmt: skip
    def test_a_head_is_one_upright_and_from_the_front(
        self, apart: float, turned: float, answer: bool
    ) -> None:
        assert is_portrait(with_eyes(apart, turned)) is answer
        assert Gates(portrait=True).admit(with_eyes(apart, turned)) is answer
        assert Gates().admit(with_eyes(apart, turned))
        assert not Gates(101, portrait=True).admit(with_eyes(apart, turned))

    def test_who_shows_no_eyes_is_none(self) -> None:
        assert not is_portrait(Face(Box(0, 0, 9, 9), 1.0))
        assert not is_portrait(with_eyes(0, 0))


class TestGates:
    def test_faces_pass_by_size_and_by_score(self) -> None:
        image = Image(draw(Square(5, 5, 70), Square(90, 60, 40)), "", Path("x.png"))
        describer = Describer(FakeDetector(), EyeAligner(), FakeEncoder())
        (faces,) = describer.faces([image])

        def sides(gates: Gates) -> list[float]:
            return [face.box.width for face in describer.passing(image, faces, gates)]

        assert sides(Gates()) == [70, 40]
        assert sides(Gates(40)) == [70, 40]
        assert sides(Gates(41)) == [70]
        large, small = (one.quality.score for one in describer.describe_all(image))
        assert large != small
        between = (large + small) / 2
        assert sides(Gates(min_quality=between)) == [70 if large > small else 40]
        assert sides(Gates(71, 1.0)) == []

    def test_a_described_face_has_the_quality_of_its_crop(self) -> None:
        image = Image(draw(Square(130, 5, 60)), "", Path("x.png"))
        describer = Describer(FakeDetector(), EyeAligner(), FakeEncoder())
        (one,) = describer.describe_all(image)
        assert one.quality == measure(one.crop, one.face, (160, 120))
        assert measure(one.crop, one.face).cut is None


@pytest.fixture(scope="module")
def faces() -> list[Crop]:
    """Real faces of many series, at the crop's size."""
    if not (SHARED_FACES / "dev.zip").is_file():
        pytest.skip("there is no shared/data/faces beside the repository")
    with (SHARED_FACES / "faces.csv").open(encoding="utf-8") as table:
        rows = [row["file"] for row in csv.DictReader(table) if row["split"] == "dev"]
    chosen = np.random.default_rng(0).permutation(rows)[:60]
    with zipfile.ZipFile(SHARED_FACES / "dev.zip") as archive:
        return [
            np.asarray(
                pillow.open(io.BytesIO(archive.read(str(name))))
                .convert("RGB")
                .resize((CROP_SIDE, CROP_SIDE), pillow.Resampling.BOX)
            )
            for name in chosen
        ]


class TestRealFaces:
    def test_every_blur_and_every_smaller_head_is_less_sharp(self, faces: list[Crop]) -> None:
        for crop in faces:
            by_blur = [sharpness(blurred(crop, radius)) for radius in (1, 2, 4)]
            by_size = [sharpness(drawn_up(crop, side)) for side in (75, 32, 16)]
            for values in (by_blur, by_size):
                assert values == sorted(values, reverse=True)
                assert values[0] < sharpness(crop)

    def test_none_is_poor_until_it_is_spoilt(self, faces: list[Crop]) -> None:
        def score(crop: Crop, side: float) -> float:
            return measure(crop, Face(Box(0, 0, side, side), 1.0), (400, 400)).score

        assert min(score(crop, 160) for crop in faces) > POOR
        assert np.median([score(drawn_up(crop, 32), 32) for crop in faces]) > 1.5 * POOR
        assert max(score(drawn_up(crop, 16), 16) for crop in faces) < POOR
        assert np.median([score(blurred(crop, 3), 160) for crop in faces]) > 1.25 * POOR
        assert np.median([score(blurred(crop, 6), 160) for crop in faces]) < POOR
