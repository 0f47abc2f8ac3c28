"""An ensemble: several networks as one encoder, each of which sees what the others overlook."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gallery.errors import SetupError
from gallery.faces.encoders.preprocess import Batch, Descriptors, as_crops
from gallery.faces.interfaces import Encoder
from gallery.faces.networks.library import Weights
from gallery.system.threads import side_by_side
from gallery.types import DIMENSION


class EnsembleNetwork:
    """Encodes with several networks and joins their descriptors into one.

    The descriptors of the parts, each brought to length 1, stand side by side; a matrix keeps the
    directions in which faces differ most, so that distances are those of all parts.
    """

    def __init__(self, parts: Sequence[Encoder], weights: Weights) -> None:
        """Take opened parts and the matrix file; raises SetupError for one that does not fit."""
        self._parts = parts
        self._weights = weights
        self._matrix = _matrix(weights, len(parts) * DIMENSION).astype(np.float64)

    @property
    def id(self) -> str:
        """Names parts, matrix and preprocessing."""
        return self._weights.encoder_id

    def encode(self, crops: Batch) -> Descriptors:
        """Return descriptors, shape (n, DIMENSION), of crops, shape (n, CROP_SIDE, CROP_SIDE, 3).

        Crops of other sizes and kinds are made so first, see `as_crops`. Raises InputError for
        what is no picture.
        """
        ready = as_crops(crops)
        # Networks stand in the order of their sizes, so that the slowest does not start last.
        said = side_by_side(lambda part: unit(part.encode(ready)), self._parts[::-1])[::-1]
        # In double precision a face has the same descriptor alone as in a batch.
        descriptors = np.concatenate(said, axis=1).astype(np.float64) @ self._matrix
        return np.asarray(descriptors, dtype=np.float32)


def unit(descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return descriptors of length 1; one of length 0 stays as it is."""
    lengths = np.linalg.norm(descriptors, axis=1, keepdims=True)
    return np.asarray(descriptors / np.maximum(lengths, 1e-12), dtype=np.float32)


def _matrix(weights: Weights, rows: int) -> NDArray[np.float32]:
    """Return the matrix, shape (rows, DIMENSION)."""
    try:
        matrix = np.load(io.BytesIO(weights.read()), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise SetupError(
            f"The file {weights.path} of {weights.name!r} is no array of NumPy; install gallery "
            "again."
        ) from error
    fits = matrix.shape == (rows, DIMENSION) and matrix.dtype == np.float32
    if not fits or not np.isfinite(matrix).all():
        raise SetupError(
            f"The file {weights.path} of {weights.name!r} holds {matrix.dtype} of shape "
            f"{matrix.shape}, not finite float32 of shape {(rows, DIMENSION)}; install gallery "
            "again."
        )
    return np.asarray(matrix, dtype=np.float32)
