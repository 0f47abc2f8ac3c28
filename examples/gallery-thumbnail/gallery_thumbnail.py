"""Thumbnails as an encoder: 768 numbers, by cosine. It learnt nothing, so it has no weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gallery import EncoderCard, Metric, Thresholds

SIDE = 16
GREY = 127.5


class Thumbnail:
    """Describes a head by its colours in 16 x 16 places, as they differ from grey."""

    card = EncoderCard(
        version="1",
        width=SIDE * SIDE * 3,
        metric=Metric.COSINE,
        side=SIDE,
        thresholds=Thresholds(sure=0.4, unknown=0.7, margin=0.05),
        licence="MIT",
    )

    def encode(self, heads: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return descriptors, shape (n, 768), of heads, shape (n, 16, 16, 3)."""
        return heads.reshape(len(heads), -1).astype(np.float32) - np.float32(GREY)
