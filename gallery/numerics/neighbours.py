"""The nearest of many rows, by FAISS: all rows are compared up to EXACT of them, cells beyond.

FAISS works in single precision, in cells in half precision, and finds who may be near; the squared
distances that are returned are computed again in double precision from the differences.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.system import memory
from gallery.system.threads import available_cores

Numbers = NDArray[np.float64]
Places = NDArray[np.floating[Any]]
Rows = NDArray[np.int64]

EXACT = 50_000
"""Of so many rows all are compared."""

CELL = 256
"""Rows of a cell, on average. With cells that grow, time would grow faster than rows."""

LOOKED_INTO = 24
"""Cells that a query looks into."""

TRAINED_ON = 64
"""Rows of each cell that its centre is learnt from."""

NOBODY = -1
"""No row, and no group."""

ROUNDS = 10
"""How often the cells' centres are moved; with more, cells find no more."""

SPARE = 8
"""So many more are looked at in double precision: single precision may exchange equals."""

FIRST_ASKED, MORE_ASKED = 8, 4
"""So many neighbours are asked for first where pairs are looked for, then so many times as many."""

NEAR_AT_ONCE = 1 << 14
"""Neighbours that a thread has at a time, in double precision: 16 MB of 128 numbers each."""

AT_ONCE = 1 << 16
"""Rows that are there in single precision, too."""

NOT_BY_PRODUCTS = 19
"""Of more queries at once FAISS computes |x|^2 + |y|^2 - 2xy. That is fast for many, and loses
small distances."""

FAISS_ROOM = 512 * 1024 * 1024
"""Bytes of addresses within which FAISS can be loaded; with less it ends the process."""


def open_faiss() -> Any:
    """Return FAISS, set up to compute on the thread that calls it.

    Raises MemoryError where it could not be loaded.
    """
    memory.require(FAISS_ROOM)
    import faiss

    # With more threads than free cores single queries get slower.
    faiss.omp_set_num_threads(1)
    return faiss


class Neighbours:
    """Rows among which the nearest are found; they can be replaced and removed."""

    def __init__(self, rows: Places, *, exact: int = EXACT) -> None:
        """Take rows of shape (n, dimension), which stay the caller's: none is copied in double.

        More than `exact` of them are divided into cells, of which a query looks into the nearest.
        """
        self._rows = rows
        self._faiss = open_faiss()
        self._quantizer: Any = None
        self._index = self._made(exact)
        self._add(np.arange(len(rows)))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def is_exact(self) -> bool:
        """Whether all rows are compared."""
        return self._quantizer is None

    def nearest(self, queries: Places, count: int) -> Iterator[tuple[Rows, Rows, Numbers]]:
        """Yield the numbers of some queries, their nearest rows, and how far these are, squared.

        Given are queries of shape (n, dimension); of some of them, shape (part,), what is nearest
        has the shape (part, min(count, rows)), nearest first and of equal ones the first. Where
        cells held too few, rows are -1 and distances infinite. Each query comes once.
        """
        count = min(count, len(self))
        # FAISS lets go of Python's lock; it counts threads for each of Python's threads.
        with ThreadPoolExecutor(
            os.cpu_count() or 1, initializer=self._faiss.omp_set_num_threads, initargs=(1,)
        ) as threads:
            for at in range(0, len(queries), AT_ONCE):
                asked = np.arange(at, min(at + AT_ONCE, len(queries)))
                parts = self._parts(queries, asked, max(NEAR_AT_ONCE // (count + SPARE), 1))
                yield from threads.map(partial(self._of, queries, count), parts)

    def others(
        self, queries: Places, without: Rows, count: int, groups: Rows | None = None
    ) -> tuple[Rows, Numbers]:
        """Return which rows are nearest to queries, but for some, and how far they are, squared.

        `groups`, shape (rows,), numbers the rows' groups; without it each row is a group of its
        own. Of each query, shape (n, dimension), one group is left out, `without`, shape (n,);
        NOBODY leaves none out. Both results have the shape (n, count), nearest first and of equal
        ones the first; where there are fewer, NOBODY at infinity.
        """
        own = np.arange(len(self._rows)) if groups is None else groups
        near = np.full((len(queries), count), NOBODY)
        apart = np.full((len(queries), count), np.inf)
        asked, wanted = np.arange(len(queries)), count + 1
        while len(asked) and len(self):
            again = [asked[:0]]
            for some, found, far in self.nearest(queries[asked], wanted):
                rows = asked[some]
                is_left_out = (found < 0) | (own[found] == without[rows, None])
                squares = np.where(is_left_out, np.inf, far)
                first = np.argsort(squares, axis=1, kind="stable")[:, :count]
                width = first.shape[1]
                near[rows, :width] = np.take_along_axis(found, first, 1)
                apart[rows, :width] = np.take_along_axis(squares, first, 1)
                # Cells that hold no more are not asked again.
                again.append(rows[np.isinf(apart[rows]).any(axis=1) & (found[:, -1] >= 0)])
            if wanted >= len(self):
                break
            asked, wanted = np.sort(np.concatenate(again)), min(MORE_ASKED * wanted, len(self))
        near[np.isinf(apart)] = NOBODY
        return near, apart

    def _parts(self, queries: Places, asked: Rows, size: int) -> list[_Part]:
        """Divide queries; those that look into the same cells come together, for the cache."""
        if self._quantizer is None or not len(self):
            return [_Part(asked[at : at + size]) for at in range(0, len(asked), size)]
        squares, cells = self._quantizer.search(_single(queries[asked]), self._index.nprobe)
        order = np.argsort(cells[:, 0], kind="stable")
        return [
            _Part(asked[some], cells[some], squares[some])
            for some in np.split(order, range(size, len(order), size))
        ]

    def replace(self, rows: Rows) -> None:
        """Read rows again, by their numbers, which were changed where they lie."""
        self.remove(rows)
        self._add(rows)

    def remove(self, rows: Rows) -> None:
        """Find rows, by their numbers, no more."""
        self._index.remove_ids(self._faiss.IDSelectorBatch(rows))

    def _made(self, exact: int) -> Any:
        faiss, (count, dimension) = self._faiss, self._rows.shape
        if count <= exact:
            return faiss.IndexIDMap(faiss.IndexFlatL2(dimension))
        cells = max(count // CELL, 1)
        self._quantizer = faiss.IndexFlatL2(dimension)
        # Half of the bytes are read in two thirds of the time. Distances are computed again anyway.
        index = faiss.IndexIVFScalarQuantizer(
            self._quantizer,
            dimension,
            cells,
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_L2,
            False,  # no residuals
        )
        index.nprobe = min(LOOKED_INTO, cells)
        index.cp.max_points_per_centroid = TRAINED_ON
        index.cp.niter = ROUNDS
        chosen = np.random.default_rng(0).permutation(count)[: cells * TRAINED_ON]
        faiss.omp_set_num_threads(available_cores())
        index.train(_single(self._rows[np.sort(chosen)]))
        faiss.omp_set_num_threads(1)
        return index

    def _add(self, rows: Rows) -> None:
        for at in range(0, len(rows), AT_ONCE):
            some = rows[at : at + AT_ONCE]
            self._index.add_with_ids(_single(self._rows[some]), some)

    def _of(self, queries: Places, count: int, part: _Part) -> tuple[Rows, Rows, Numbers]:
        asked = queries[part.rows].astype(np.float64)
        if count == 0:
            return part.rows, np.zeros((len(asked), 0), np.int64), np.zeros((len(asked), 0))
        wanted = min(count + SPARE, len(self))
        if part.cells is None:
            _, near = self._index.search(_single(asked), wanted)
        else:
            _, near = self._index.search_preassigned(
                _single(asked), wanted, part.cells, part.squares
            )
        squares = ((asked[:, None] - self._rows[near]) ** 2).sum(axis=2)
        squares[near < 0] = np.inf
        order = np.lexsort((near, squares), axis=1)[:, :count]
        return (
            part.rows,
            np.take_along_axis(near, order, 1),
            np.take_along_axis(squares, order, 1),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Queries of one call, by their numbers, with the cells that they look into."""

    rows: Rows
    cells: Rows | None = None
    squares: NDArray[np.float32] | None = None


def pairs_within(
    places: Places, reach: Numbers, *, exact: int = EXACT
) -> tuple[Rows, Rows, Numbers]:
    """Return pairs of rows of which one reaches the other, and how far they are, squared.

    Rows have the shape (n, dimension); `reach`, shape (n,), says for each how far it reaches,
    squared. Of a pair the smaller number comes first, and pairs are in the order of their numbers.
    Above `exact` rows single ones may be missed, see Neighbours.
    """
    index, count = Neighbours(places, exact=exact), FIRST_ASKED
    asked = np.arange(len(places))
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    while len(asked):
        again = []
        for some, near, squares in index.nearest(places[asked], count):
            own = asked[some]
            within = (squares <= reach[own, None]) & (near >= 0)
            row, column = np.nonzero(within & (near != own[:, None]))
            found.append((own[row], near[row, column], squares[row, column]))
            # All that were asked for are within: there may be more.
            again.append(own[within[:, -1]] if near.shape[1] else own[:0])
        asked = np.sort(np.concatenate(again))
        if count >= len(places):
            break
        count = min(MORE_ASKED * count, len(places))
    return _unique(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _unique(rows: Rows, columns: Rows, squares: Numbers) -> tuple[Rows, Rows, Numbers]:
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    order = np.lexsort((high, low))
    low, high, squares = low[order], high[order], squares[order]
    is_first = np.ones(len(low), np.bool_)
    is_first[1:] = (np.diff(low) != 0) | (np.diff(high) != 0)
    return low[is_first], high[is_first], squares[is_first]


def _single(rows: Places) -> NDArray[np.float32]:
    return np.ascontiguousarray(rows, np.float32)
