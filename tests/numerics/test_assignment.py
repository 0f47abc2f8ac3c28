"""Pairs of a table are those of its list."""

from __future__ import annotations

import numpy as np
import pytest

from gallery.numerics.assignment import pairs_in, pairs_of


@pytest.mark.parametrize("seed", range(20))
def test_pairs_of_a_table_are_those_of_its_list(seed: int) -> None:
    numbers = np.random.default_rng(seed)
    # Few different shares, so that some are equal, and some none.
    shared = numbers.integers(0, 4, size=numbers.integers(0, 9, size=2)) / 4
    listed = [(-share, *place) for place, share in np.ndenumerate(shared) if share > 0]

    assert pairs_in(shared) == pairs_of((cost, row, column) for cost, row, column in listed)
