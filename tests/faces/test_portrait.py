"""The portrait pass: when a doubtful head is looked at again, and what must agree on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_heads import image_of, row

from gallery.faces.detectors.heads import LEAST_SCORE, HeadDetector
from gallery.faces.detectors.portrait import agreed, doubted, mirrored
from gallery.faces.networks.library import shipped_detector
from gallery.media.images import read_image

CHARACTERS = Path(__file__).parents[2] / "data" / "characters"


def rows(*heads: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array(heads, np.float32).reshape(-1, 11)


LARGE = row(0.5, (50, 50, 150, 150))
SMALL = row(0.55, (10, 10, 40, 40))


def test_the_likeliest_large_head_is_looked_at_again() -> None:
    assert doubted(rows(SMALL, LARGE), 300, 200)[0, 0] == np.float32(0.5)
    assert len(doubted(rows(SMALL), 300, 200)) == 0
    assert len(doubted(rows(row(0.19, (50, 50, 150, 150))), 300, 200)) == 0
    assert len(doubted(rows(), 300, 200)) == 0


def test_a_mirrored_head_has_its_left_eye_at_the_left() -> None:
    (head,) = mirrored(rows(row(0.5, (10, 20, 60, 80), (0.9, 0.2))), 200)
    assert head[1:5].tolist() == [140, 20, 190, 80]
    assert head[5:9].tolist() == [155, 56, 175, 56]
    assert head[9:].tolist() == [np.float32(0.2), np.float32(0.9)]


def test_what_all_views_show_is_a_head_between_them() -> None:
    views = [rows(row(0.5, (54, 50, 154, 150))), rows(row(0.5, (58, 50, 158, 150)))]
    ((score, left, *_),) = agreed(rows(LARGE), views, 300, 200)
    assert (score, left) == pytest.approx((0.5, 54))


def test_what_the_other_views_do_not_show_is_none() -> None:
    elsewhere = rows(row(0.9, (150, 100, 200, 200)))
    assert len(agreed(rows(LARGE), [elsewhere, rows()], 300, 200)) == 0


def test_a_smaller_head_wants_more_agreement() -> None:
    weak, strong = row(0.4, (50, 50, 100, 100)), row(0.5, (50, 50, 100, 100))
    assert len(agreed(rows(weak), [rows(weak)] * 2, 300, 200)) == 0
    assert len(agreed(rows(strong), [rows(strong)] * 2, 300, 200)) == 1


def test_a_portrait_that_the_network_doubts_is_found_where_it_is() -> None:
    upright = read_image(CHARACTERS / "Gen Kuroda" / "04.png")
    negative = replace(upright, pixels=255 - upright.pixels)
    file, _ = shipped_detector("heads")
    ((known,),) = HeadDetector(file).detect([upright])

    assert HeadDetector(file, portraits=False).detect([negative]) == [[]]
    ((found,),) = HeadDetector(file).detect([negative])
    assert found.box.overlap(known.box) > 0.7


def test_a_picture_with_a_sure_head_is_not_looked_at_again() -> None:
    upright = read_image(CHARACTERS / "Gen Kuroda" / "04.png")
    file, _ = shipped_detector("heads")
    ((face,),) = found = HeadDetector(file).detect([upright])
    assert face.score >= LEAST_SCORE
    assert HeadDetector(file, portraits=False).detect([upright]) == found


def test_a_picture_without_anybody_stays_empty() -> None:
    file, _ = shipped_detector("heads")
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    assert HeadDetector(file).detect([image_of(noise)]) == [[]]
