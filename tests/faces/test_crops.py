"""Which pictures can be faces that somebody cut out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import FakeDetector, Square, draw

from gallery.errors import NotCropped
from gallery.faces.crops import check_crop
from gallery.faces.interfaces import Detector
from gallery.types import CROP_SIDE, Image


def picture(width: int, height: int, *squares: Square) -> Image:
    return Image(draw(*squares, width=width, height=height), "", Path("a.png"))


def never() -> Detector:
    raise AssertionError("No detector is needed.")


def test_what_gallery_cut_is_not_looked_at() -> None:
    check_crop(picture(CROP_SIDE, CROP_SIDE, Square(5, 5, 20)), never)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (300, 200), (100, 150)])
def test_an_oblong_picture_is_no_cut_out_face(width: int, height: int) -> None:
    with pytest.raises(NotCropped, match=f"is {width}x{height} pixels, and no square around"):
        check_crop(picture(width, height), never)


def test_a_picture_of_small_heads_is_none_and_one_of_a_large_head_is() -> None:
    with pytest.raises(NotCropped, match="400x300 pixels and shows a head of 90x90, so that"):
        check_crop(picture(400, 300, Square(10, 10, 90), Square(200, 30, 40)), FakeDetector)
    check_crop(picture(400, 300, Square(10, 10, 160), Square(250, 30, 40)), FakeDetector)


def test_what_a_detector_sees_nothing_in_is_believed() -> None:
    check_crop(picture(160, 120), FakeDetector)
    check_crop(picture(160, 120, Square(5, 5, 9)), lambda: None)
    assert np.ptp(picture(160, 120).pixels) < 40
