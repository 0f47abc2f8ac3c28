"""Figures with their intervals, and tables of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gallery.numerics.intervals import Hits, Numbers, share_interval

FEW_CHARACTERS = 10
"""Of fewer characters than this even an interval is a guess."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a table, with its 95 % interval over characters."""

    name: str
    """What programs call it: words divided by dots."""
    value: float | None
    """A share, 0 to 1; None where there is too little to say it from."""
    low: float | None = None
    high: float | None = None
    count: int = 0
    """How many faces or pairs it is taken over."""
    characters: int = 0
    """How many characters these are of."""
    reason: str = ""
    """Why there is no value."""
    threshold: float | None = None
    """The distance that it belongs to, where it belongs to one."""

    def __str__(self) -> str:
        """Return it as tables show it, rounded to a thousandth."""
        if self.value is None:
            return "-"
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"


Cell = str | Figure


@dataclass(frozen=True, slots=True)
class Chapter:
    """A table of figures with what has to be known to read it."""

    key: str
    title: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All of its figures, in order."""
        return tuple(cell for row in self.rows for cell in row if isinstance(cell, Figure))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why some figures are missing, each reason once."""
        return tuple(dict.fromkeys(one.reason for one in self.figures if one.reason))


def share(
    name: str, values: Numbers, count: int, characters: int, threshold: float | None = None
) -> Figure:
    """Return a share from its value followed by its bootstrap values, shape (1 + samples,)."""
    if not math.isfinite(values[0]):
        return missing(name, "there is nothing to take it over")
    low, high = share_interval(values, characters)
    return Figure(
        name,
        float(values[0]),
        low,
        high,
        count,
        characters,
        threshold=threshold,
    )


def rate_of(name: str, hits: Hits, weights: Numbers, reason: str, *, draws: int = 1) -> Figure:
    """Return the share of hits; of several draws, the count is that of one on average."""
    if len(hits.labels) == 0:
        return missing(name, reason)
    characters = len(np.unique(hits.labels))
    return share(name, hits.rate(weights), len(hits.labels) // draws, characters)


def missing(name: str, reason: str, count: int = 0) -> Figure:
    """Return a figure that cannot be said, and why."""
    return Figure(name, None, count=count, reason=reason)
