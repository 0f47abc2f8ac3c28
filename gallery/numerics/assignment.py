"""Which of some things are which of others."""

from __future__ import annotations

from collections.abc import Iterable


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
