"""What colour alone tells: histograms of hue, saturation and value in 3x3 cells."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

CELLS = 3
BINS = (12, 4, 4)


def colour_histograms(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return square roots of histograms, shape (n, 9 x 192), of squares of shape (n, s, s, 3).

    Euclidean distances of square roots are Hellinger's distances of the histograms, up to scale.
    """
    return np.stack([_histogram(picture) for picture in pixels])


def _histogram(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return one picture's numbers."""
    import cv2

    colours = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2HSV)
    edges = np.linspace(0, picture.shape[0], CELLS + 1).round().astype(int)
    parts = []
    for top, bottom in pairwise(edges):
        for left, right in pairwise(edges):
            cell = np.ascontiguousarray(colours[top:bottom, left:right])
            counts = cv2.calcHist([cell], [0, 1, 2], None, list(BINS), [0, 180, 0, 256, 0, 256])
            parts.append(counts.ravel() / counts.sum())
    return np.sqrt(np.concatenate(parts).astype(np.float64) / CELLS**2)
