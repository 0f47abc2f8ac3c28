"""What detectors share: heads from faces, and one box a face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gallery.types import Box, Point


def head_around(centre: Point, side: float, *, head_scale: float, lift: float) -> Box:
    """Return the head's square around a face box.

    The head's side is head_scale times the face's; its centre stands lift face sides higher.
    """
    half = side * head_scale / 2
    middle = centre.y - lift * side
    return Box(centre.x - half, middle - half, centre.x + half, middle + half)


def keep_best(
    boxes: NDArray[np.float64], scores: NDArray[np.float64], overlap: float, most: int
) -> list[int]:
    """Return the rows that stay when of overlapping boxes the best scored one stays.

    Boxes have shape (n, 4): left, top, right, bottom; scores shape (n,); overlap is the
    intersection over union above which two boxes are one. The best comes first; at most `most`
    rows are returned.
    """
    import cv2

    if len(boxes) == 0:
        return []
    corner_and_size = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    rows = cv2.dnn.NMSBoxes(corner_and_size.tolist(), scores.tolist(), 0.0, overlap)
    return [int(row) for row in np.asarray(rows).reshape(-1)[:most]]
