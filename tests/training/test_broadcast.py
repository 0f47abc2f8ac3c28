"""What television does to a face: every step by itself, and how often."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from training import broadcast
from training.broadcast import Broadcast

Step = Callable[[np.ndarray, np.random.Generator], np.ndarray]

STEPS: tuple[Step, ...] = (
    broadcast.faded,
    broadcast.darkened,
    broadcast.written_over,
    broadcast.taped,
    broadcast.grained,
    broadcast.in_fields,
    broadcast.coded,
)


@pytest.mark.parametrize("step", STEPS, ids=[step.__name__ for step in STEPS])
def test_television_changes_a_picture_and_leaves_the_original_as_it_is(step: Step) -> None:
    picture = np.full((64, 64, 3), (200, 90, 60), np.uint8)
    picture[21:40, 20:40] = (30, 60, 190)
    before = picture.copy()

    changed = step(picture, np.random.default_rng(2))

    assert (picture == before).all()
    assert (changed.shape, changed.dtype) == (picture.shape, picture.dtype)
    assert (changed != picture).any()
    assert (changed == step(picture, np.random.default_rng(2))).all()


def test_darkness_is_dark_and_old_film_has_neither_black_nor_strong_colours() -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:, 16:] = (255, 0, 0)
    for seed in range(8):
        generator = np.random.default_rng(seed)
        assert broadcast.darkened(picture, generator).max() < 225
        old = broadcast.faded(picture, generator).astype(int)
        assert old[:, :16].min() > 0
        assert np.ptp(old[0, 20]) < 255 - 10


def test_fields_are_of_two_moments_or_one() -> None:
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[::2], picture[:, 8] = 100, 255
    for seed in range(6):
        fields = broadcast.in_fields(picture, np.random.default_rng(seed))
        assert (fields[::2] == picture[::2]).all()
        assert (fields[1::2] != picture[1::2]).any()


def test_tape_keeps_light_and_smears_colours() -> None:
    picture = np.full((64, 64, 3), 120, np.uint8)
    picture[:, 30:34] = (220, 80, 120)

    taped = broadcast.taped(picture, np.random.default_rng(1)).astype(int)

    away = taped[:, 36:40]
    assert np.abs(away[..., 0] - away[..., 1]).mean() > 5, "the red has run to the right"
    assert taped.mean() == pytest.approx(picture.mean(), abs=6)


def test_rates_of_television_are_shares_of_faces() -> None:
    picture = np.full((32, 32, 3), 128, np.uint8)
    never, half = Broadcast(), Broadcast(night_rate=0.5)
    generator = np.random.default_rng(0)

    assert (never.change(picture, generator) == picture).all()
    dark = [half.change(picture, generator).mean() < 110 for _ in range(200)]
    assert np.mean(dark) == pytest.approx(0.5, abs=0.12)
