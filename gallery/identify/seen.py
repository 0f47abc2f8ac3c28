"""Which seen faces are like a face: all that labelling saw, in memory, and kept true."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gallery.identify.index import FlatIndex
from gallery.store.reader import Store


class SeenFaces:
    """The seen faces that one encoder has described, read when they are first asked for.

    Faces that came since are read alone; where some went, all are read again. One that was labelled
    again in its place goes on to be found by the descriptor that it had.
    """

    def __init__(self, store: Store, encoder: str) -> None:
        self._store = store
        self._encoder = encoder
        self._index: FlatIndex | None = None
        self._last = 0
        """The largest number of the faces in the index, 0 without one."""

    def near(
        self, descriptors: NDArray[np.float32], count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return Euclidean distances and numbers of the seen faces nearest to descriptors.

        Descriptors have shape (n, DIMENSION); both results have shape (n, at most count), the
        nearest face first.
        """
        return self._refreshed().search(descriptors, count)

    def _refreshed(self) -> FlatIndex:
        seen, index = self._store.sightings, self._index
        count, last = seen.described(self._encoder)
        if index is not None and (count, last) == (len(index), self._last):
            return index
        ids, vectors = seen.vectors(self._encoder, after=self._last)
        if index is not None and len(ids) and len(index) + len(ids) == count:
            index = index.followed(np.zeros(0, np.int64), ids, vectors)
        else:
            if self._last:
                ids, vectors = seen.vectors(self._encoder)
            index = FlatIndex.build(ids, vectors)
        self._index, self._last = index, int(ids[-1]) if len(ids) else 0
        return index
