"""The seams. Each asks for the least; what can be built on top stands elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gallery.types import Crop, Face, Image


class Detector(Protocol):
    """Finds faces."""

    @property
    def name(self) -> str:
        """What a user calls it, and what is stored with every sample it found."""
        ...

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the faces of every picture, best score first.

        A box holds the whole head with hair and chin, whatever the detector was trained on:
        about 1.55 times as wide as a box from brow to chin. Raises SetupError when the detector
        cannot work on this machine. Engine's own may be called by several threads at once; those
        of other packages are called by one at a time.
        """
        ...


class Aligner(Protocol):
    """Cuts faces out the way encoders want them."""

    def align(self, image: Image, face: Face) -> Crop:
        """Return the face's aligned crop, shape (CROP_SIDE, CROP_SIDE, 3)."""
        ...


class Encoder(Protocol):
    """Turns aligned faces into descriptors."""

    @property
    def id(self) -> str:
        """Names the weights and all that is done before and after them.

        Descriptors of two ids are never compared. The runtime is no part of it: two runtimes of
        one network give the same descriptors.
        """
        ...

    def encode(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return descriptors, shape (n, DIMENSION), of crops, shape (n, CROP_SIDE, CROP_SIDE, 3).

        An empty batch gives an empty result of shape (0, DIMENSION).
        """
        ...


class Index(Protocol):
    """Answers nearest-neighbour queries over rows that carry ids."""

    def __len__(self) -> int:
        """How many rows it holds."""
        ...

    def search(
        self, queries: NDArray[np.float32], count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return Euclidean distances and ids, each of shape (n, min(count, len(self))).

        Queries have shape (n, DIMENSION); the nearest row comes first.
        """
        ...
