"""The seams. Each asks for the least; what can be built on top stands elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gallery.types import CROP_SIDE, Crop, Face, Image, Thresholds


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
        """Return descriptors, shape (n, width), of crops, shape (n, CROP_SIDE, CROP_SIDE, 3).

        The width is what types.width_of says of the id. An empty batch gives an empty result of
        shape (0, width).
        """
        ...


class Metric(StrEnum):
    """How a network's descriptors are meant to be compared."""

    EUCLIDEAN = "euclidean"
    COSINE = "cosine"
    """By their directions. They are brought to length 1; then Euclidean distance is the square root
    of twice the cosine distance, and orders faces alike."""
    LEARNT = "learnt"
    """By a matrix that was learnt, of Mahalanobis' kind: of x and y the square of the distance is
    (x - y) M (x - y). The network brings M as `matrix`. Descriptors are multiplied by its square
    root; then Euclidean distance is the learnt one."""


class Channels(StrEnum):
    """In which order a network wants the colours of a pixel."""

    RGB = "rgb"
    BGR = "bgr"


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """What an encoder of another package says of itself."""

    version: str
    """Names the weights and all that the package does before and after them: descriptors of two
    versions are never compared."""
    width: int
    """How many numbers a descriptor has: even, from 2 to 4096."""
    thresholds: Thresholds
    """Where verdicts divide before `gallery calibrate`, in Euclidean distance; of the metric cosine
    between descriptors of length 1."""
    licence: str
    metric: Metric = Metric.EUCLIDEAN
    side: int = CROP_SIDE
    """Pixels of a side of the pictures of heads that it wants; they hold hair and chin."""
    channels: Channels = Channels.RGB


class PluggedNetwork(Protocol):
    """What a package of the entry-point group `gallery.encoders` opens; see encoders.plugged."""

    def encode(self, heads: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return descriptors, shape (n, width), of heads, shape (n, side, side, 3), 0 to 255.

        It is called by one thread at a time.
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
