"""Encoders, one file for each, and what all networks on dlib's layout do around the network.

The stored crop holds the whole head. What a network sees of it, and whether it sees the mirror
image too, belongs to its weights; it is done here, so that every runtime does the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.errors import InputError
from gallery.types import CROP_SIDE, DIMENSION

Crops: TypeAlias = NDArray[np.uint8]
"""RGB, shape (n, CROP_SIDE, CROP_SIDE, 3)."""

Descriptors: TypeAlias = NDArray[np.float32]
"""Shape (n, DIMENSION)."""

BATCH = 32
"""How many crops a network gets at once: more is not faster and costs 15 MB of memory each."""


def describe(
    crops: Crops, zoom: float, mirror: bool, run: Callable[[Crops], Descriptors]
) -> Descriptors:
    """Return what a network says of crops, shape (n, DIMENSION), in batches of bounded size.

    The network is `run`; it gets at most BATCH crops and never none. Zoom is the share of the
    crop's side, from its centre, that the network sees, above 0 and at most 1. With mirror, a
    descriptor is the mean of those of the crop and of its mirror image. Raises InputError for
    anything that is not a batch of crops.
    """
    if crops.dtype != np.uint8 or crops.shape[1:] != (CROP_SIDE, CROP_SIDE, 3):
        raise InputError(
            f"An encoder takes crops of {CROP_SIDE}x{CROP_SIDE} RGB pixels from 0 to 255, "
            f"not an array of {crops.dtype} with shape {crops.shape}."
        )
    described = np.empty((len(crops), DIMENSION), dtype=np.float32)
    for start in range(0, len(crops), BATCH):
        batch = zoomed(crops[start : start + BATCH], zoom)
        answer = run(batch)
        if mirror:
            answer = (answer + run(np.ascontiguousarray(batch[:, :, ::-1]))) / np.float32(2)
        described[start : start + BATCH] = answer
    return described


def zoomed(crops: Crops, zoom: float) -> Crops:
    """Return the middle of every crop, this share of its side, scaled up to the crop's size.

    Edges of pixels stay where they belong: the middle of the crop is the middle of the result,
    whether or not the cut falls between pixels. Interpolation is linear.
    """
    if zoom == 1:
        return np.ascontiguousarray(crops)
    import cv2

    shift = (CROP_SIDE - 1) / 2 * (1 - zoom)
    into_crop = np.array([[zoom, 0, shift], [0, zoom, shift]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (CROP_SIDE, CROP_SIDE)
    return np.stack(
        [
            cv2.warpAffine(crop, into_crop, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
            for crop in crops
        ]
    ).astype(np.uint8, copy=False)


def available_cores() -> int:
    """Return how many processor cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
