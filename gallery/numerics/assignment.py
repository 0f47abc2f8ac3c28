"""Which of some things are which of others."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def pairs_of(rated: Iterable[tuple[float, int, int]]) -> dict[int, int]:
    """Return which rows go with which columns, each at most once, the least cost first.

    Given are cost, row and column of every pair that is possible; of equal costs the lower row
    comes first.
    """
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, row, column in sorted(rated):
        if row not in found and column not in taken:
            found[row] = column
            taken.add(column)
    return found


def pairs_in(shared: NDArray[np.float64]) -> dict[int, int]:
    """Return which rows go with which columns, each at most once, the largest share first.

    Given is what each row shares with each column, shape (rows, columns); where it is 0 they are no
    pair. Of equal shares the lower row comes first.
    """
    rows, columns = np.nonzero(shared > 0)
    order = np.argsort(-shared[rows, columns], kind="stable")
    found: dict[int, int] = {}
    taken: set[int] = set()
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in found and column not in taken:
            found[row] = column
            taken.add(column)
            if len(found) == min(shared.shape):
                break
    return found
