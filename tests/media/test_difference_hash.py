"""Pictures that are nearly the same are told, whatever their size."""

from __future__ import annotations

import numpy as np
from fakes import Square, draw
from PIL import Image as pillow

from gallery.media.difference_hash import NEAR, difference_hash, distinct
from gallery.types import Pixels


def noise(seed: int) -> Pixels:
    """Large soft patches, which no two seeds share."""
    small = np.random.default_rng(seed).integers(0, 255, (12, 12, 3), np.uint8)
    return np.asarray(pillow.fromarray(small).resize((300, 200), pillow.Resampling.BICUBIC))


def test_size_and_sharpness_and_brightness_make_no_difference() -> None:
    pixels = noise(1)
    half = np.asarray(pillow.fromarray(pixels).resize((151, 99)))
    bright = (pixels.astype(int) // 2 + 60).astype(np.uint8)
    bits = difference_hash(pixels)
    assert bits.shape == (64,)
    for other in (half, bright):
        assert (difference_hash(other) != bits).sum() <= NEAR


def test_other_pictures_differ() -> None:
    hashes = [difference_hash(noise(seed)) for seed in range(40)]
    assert distinct(hashes) == list(range(40))


def test_the_first_of_those_nearly_the_same_stays() -> None:
    one, other = difference_hash(noise(1)), difference_hash(noise(2))
    near = one.copy()
    near[:NEAR] ^= True
    far = one.copy()
    far[: NEAR + 1] ^= True
    assert distinct([one, near, other, far, one]) == [0, 2, 3]
    assert distinct([]) == []


def test_a_picture_of_one_pixel_has_a_hash() -> None:
    assert difference_hash(draw(Square(0, 0, 1), width=1, height=1)).shape == (64,)
