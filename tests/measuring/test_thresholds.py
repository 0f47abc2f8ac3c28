"""Random galleries that are asked about known faces and strangers."""

from __future__ import annotations

import numpy as np
import pytest

from measuring.thresholds import REFERENCES, strangers_at, trial


def test_a_gallery_of_characters_far_apart_knows_its_own_and_no_stranger() -> None:
    generator = np.random.default_rng(0)
    characters, each = 12, 8
    labels = np.repeat(np.arange(characters), each)
    centres = 10 * np.eye(characters, 16)
    described = centres[labels] + generator.normal(scale=0.01, size=(len(labels), 16))

    one = trial(described, labels, np.random.default_rng(1))

    assert one.characters == 8
    assert len(one.known) == 8 * (each - REFERENCES)
    assert len(one.strangers) == 4 * each
    assert one.right.all()
    assert one.known.max() < 0.2
    assert one.gaps.min() > 13
    assert one.strangers.min() == pytest.approx(200**0.5, rel=0.01)
    assert strangers_at([one, one], 0.5).tolist() == [np.median(one.strangers)] * 2
