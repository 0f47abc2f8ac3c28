"""Exact nearest-neighbour search by FAISS over rows that lie in memory, or mapped in a file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.neighbours import NOT_BY_PRODUCTS, open_faiss

Ids = NDArray[np.int64]
Rows = NDArray[np.float32]
Marks = NDArray[np.bool_]


class FlatIndex:
    """All rows are compared, by Euclidean distance, on one thread."""

    def __init__(self, ids: Ids, vectors: Rows, dead: Marks | None = None) -> None:
        """Take vectors, shape (n, DIMENSION), and their ids, shape (n,), which stay the caller's.

        Rows that are marked as dead, shape (n,), are not there.
        """
        self.ids, self.vectors = ids, vectors
        self.dead = np.zeros(len(ids), np.bool_) if dead is None else dead
        self._count = int(len(ids) - self.dead.sum())
        self._faiss = open_faiss()
        self._living = self._selector()

    @classmethod
    def build(cls, ids: Ids, vectors: Rows) -> FlatIndex:
        """Make an index of vectors, shape (n, DIMENSION), and their ids, shape (n,)."""
        single = np.ascontiguousarray(vectors, np.float32)
        return cls(np.ascontiguousarray(ids, np.int64), single)

    def __len__(self) -> int:
        return self._count

    def followed(self, gone: Ids, ids: Ids, vectors: Rows) -> FlatIndex:
        """Return an index in which the rows of some ids are dead, and others stand at the end."""
        return FlatIndex(
            np.concatenate([self.ids, ids]),
            np.concatenate([self.vectors, vectors]),
            np.concatenate([self.dead | np.isin(self.ids, gone), np.zeros(len(ids), np.bool_)]),
        )

    def kept(self, ids: Ids) -> FlatIndex:
        """Return an index of the rows of some ids alone; it shares their vectors."""
        return FlatIndex(self.ids, self.vectors, self.dead | ~np.isin(self.ids, ids))

    def search(self, queries: Rows, count: int) -> tuple[Rows, Ids]:
        """Return distances and ids of the nearest rows, each of shape (n, min(count, len)).

        Of rows that are as far, the one with the smallest id comes first.
        """
        count = min(count, len(self))
        if count == 0 or len(queries) == 0:
            shape = (len(queries), count)
            return np.zeros(shape, np.float32), np.zeros(shape, np.int64)
        queries = np.ascontiguousarray(queries, np.float32)
        found = [
            self._nearest(queries[at : at + NOT_BY_PRODUCTS], count)
            for at in range(0, len(queries), NOT_BY_PRODUCTS)
        ]
        squares, ids = (np.concatenate(part) for part in zip(*found, strict=True))
        return np.sqrt(squares), ids

    def _nearest(self, queries: Rows, count: int) -> tuple[Rows, Ids]:
        """Return squared distances and ids, in the one order that rows of any order have."""
        wanted = count
        while True:
            # One more tells whether the last one is as far as others that were left out.
            wanted = min(wanted + 1, len(self))
            squares, rows = self._compared(queries, wanted)
            if wanted == len(self) or (squares[:, count - 1] < squares[:, -1]).all():
                break
            wanted *= 2
        ids = self.ids[rows]
        order = np.lexsort((ids, squares), axis=1)[:, :count]
        return np.take_along_axis(squares, order, 1), np.take_along_axis(ids, order, 1)

    def _compared(self, queries: Rows, count: int) -> tuple[Rows, Ids]:
        squares = np.empty((len(queries), count), np.float32)
        rows = np.empty((len(queries), count), np.int64)
        pointer = self._faiss.swig_ptr
        self._faiss.knn_L2sqr(
            pointer(queries),
            pointer(self.vectors),
            self.vectors.shape[1],
            len(queries),
            len(self.vectors),
            count,
            pointer(squares),
            pointer(rows),
            None,
            self._living,
        )
        return squares, rows

    def _selector(self) -> Any:
        """Return what FAISS passes dead rows over by; None where none is dead."""
        if not self.dead.any():
            return None
        # FAISS points into it and copies nothing.
        self._bits = np.packbits(~self.dead, bitorder="little")
        return self._faiss.IDSelectorBitmap(len(self.dead), self._faiss.swig_ptr(self._bits))
