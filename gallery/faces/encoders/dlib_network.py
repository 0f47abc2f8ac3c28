"""The reference runtime: dlib runs its own network. Exact, and slow."""

from __future__ import annotations

import threading

import numpy as np

from gallery.errors import SetupError, WrongRuntime
from gallery.faces.encoders.preprocess import Batch, Crops, Descriptors, describe
from gallery.faces.networks.library import ONNX_SUFFIX, Weights


class DlibNetwork:
    """Encodes with dlib; one core, about 80 ms a face whatever the size of the batch."""

    def __init__(self, weights: Weights) -> None:
        """Open the network; raises SetupError when its file is not what it should be."""
        if weights.path.suffix == ONNX_SUFFIX:
            raise WrongRuntime(weights.name, "dlib")
        weights.read()
        import dlib

        self._weights = weights
        self._lock = threading.Lock()
        try:
            self._model = dlib.face_recognition_model_v1(str(weights.path))
        except RuntimeError as error:
            raise SetupError(f"dlib cannot open {weights.path}: {error}.") from error

    @property
    def id(self) -> str:
        """Names weights and preprocessing."""
        return self._weights.encoder_id

    def encode(self, crops: Batch) -> Descriptors:
        """Return descriptors, shape (n, DIMENSION), of crops, shape (n, CROP_SIDE, CROP_SIDE, 3).

        Crops of other sizes and kinds are made so first, see `as_crops`. Raises InputError for
        what is no picture.
        """
        return describe(crops, self._weights.zoom, self._weights.mirror, self._run)

    def _run(self, batch: Crops) -> Descriptors:
        """Let dlib describe a batch as it stands, without the random shifts it can add."""
        # The network keeps what its layers say between two of them.
        with self._lock:
            answers = self._model.compute_face_descriptor(list(batch), 0)
        return np.array([list(answer) for answer in answers], dtype=np.float32)
