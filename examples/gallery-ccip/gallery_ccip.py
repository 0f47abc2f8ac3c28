"""CCIP as an encoder of gallery: the feature network of deepghs/ccip_onnx, which a user fetches.

The variable CCIP names a folder of that repository, as in ccip-caformer-24-randaug-pruned. The
second network there, model_metrics.onnx, is not needed: what it says of two faces follows from the
cosine of their features alone, so that cosine orders faces as it does.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery import EncoderCard, Metric, SetupError, Thresholds

VARIABLE = "CCIP"
FILE = "model_feat.onnx"
WHERE = "https://huggingface.co/deepghs/ccip_onnx"
SIDE, WIDTH = 384, 768

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
"""Of red, green and blue from 0 to 1, as CLIP has them."""


def network() -> Path:
    """Return the network's file. Raises SetupError where it is not there."""
    path = Path(os.environ.get(VARIABLE, "ccip")).absolute() / FILE
    if not path.is_file():
        raise SetupError(
            f"{path.parent} lacks {FILE}; fetch a folder of {WHERE}, and set {VARIABLE} to it."
        )
    return path


def card() -> EncoderCard:
    """Return what the network is; its version is made of the file, since there are several."""
    with network().open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return EncoderCard(
        version=digest[:12],
        width=WIDTH,
        metric=Metric.COSINE,
        side=SIDE,
        # Guessed: calibration finds what a distance is worth.
        thresholds=Thresholds(sure=0.6, unknown=0.85, margin=0.05),
        licence="OpenRAIL, as deepghs/ccip_onnx states",
    )


class Ccip:
    """Describes heads by CCIP's features."""

    card = card()

    def __init__(self) -> None:
        """Open the network."""
        import onnxruntime

        path = str(network())
        self._session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def encode(self, heads: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return descriptors, shape (n, 768), of heads, shape (n, 384, 384, 3)."""
        given = (heads.astype(np.float32) / 255 - MEAN) / DEVIATION
        planes = np.ascontiguousarray(given.transpose(0, 3, 1, 2))
        found: NDArray[np.float32] = self._session.run(["output"], {"input": planes})[0]
        return found
