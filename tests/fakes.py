"""Simple parts that satisfy the interfaces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gallery.errors import InputError
from gallery.types import CROP_SIDE, DIMENSION


class FakeEncoder:
    """A fixed random projection of the crop at 10x10 pixels, of length 1.

    Crops that look alike get descriptors that lie near each other.
    """

    def __init__(self, name: str = "fake") -> None:
        self._name = name
        side = 10
        self._side = side
        self._matrix = np.random.default_rng(0).normal(size=(side * side * 3, DIMENSION))

    @property
    def id(self) -> str:
        return self._name

    def encode(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        if crops.dtype != np.uint8 or crops.shape[1:] != (CROP_SIDE, CROP_SIDE, 3):
            raise InputError(f"An encoder takes crops, not {crops.dtype} of shape {crops.shape}.")
        cell = CROP_SIDE // self._side
        cells = crops.reshape(-1, self._side, cell, self._side, cell, 3).mean(axis=(2, 4))
        projected = (cells.reshape(len(crops), len(self._matrix)) / 128 - 1) @ self._matrix
        lengths = np.linalg.norm(projected, axis=1, keepdims=True)
        return np.asarray(projected / np.maximum(lengths, 1e-9), dtype=np.float32)
