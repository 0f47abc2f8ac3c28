"""Encoders, one file for each, and what all networks on dlib's layout do around the network.

The stored crop holds the whole head. What a network sees of it, and whether it sees the mirror
image too, belongs to its weights; it is done here, so that every runtime does the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.errors import InputError
from gallery.media.images import BACKGROUND
from gallery.types import CROP_SIDE, DIMENSION, Pixels

Crops: TypeAlias = NDArray[np.uint8]
"""RGB, shape (n, CROP_SIDE, CROP_SIDE, 3)."""

Descriptors: TypeAlias = NDArray[np.float32]
"""Shape (n, DIMENSION)."""

Picture: TypeAlias = "NDArray[np.generic]"
"""Grey, RGB or RGBA, of 8 or 16 bits, of any size."""

Batch: TypeAlias = "Picture | Sequence[Picture]"
"""Shape (n, height, width[, channels]), or pictures of several shapes; best are Crops."""

RGBA = 4
CHANNELS = (1, 3, RGBA)

BATCH = 32
"""How many crops a network gets at once: more is not faster and costs 15 MB of memory each."""


def describe(
    crops: Batch, zoom: float, mirror: bool, run: Callable[[Crops], Descriptors]
) -> Descriptors:
    """Return what a network says of crops, shape (n, DIMENSION), in batches of bounded size.

    Crops of another shape become what the network wants as `as_crops` says. The network is `run`;
    it gets at most BATCH crops and never none. Zoom is the share of the
    crop's side, from its centre, that the network sees, above 0 and at most 1. With mirror, a
    descriptor is the mean of those of the crop and of its mirror image. Raises InputError for
    what is no picture.
    """
    ready = as_crops(crops)
    described = np.empty((len(ready), DIMENSION), dtype=np.float32)
    for start in range(0, len(ready), BATCH):
        batch = zoomed(ready[start : start + BATCH], zoom)
        answer = run(batch)
        if mirror:
            answer = (answer + run(np.ascontiguousarray(batch[:, :, ::-1]))) / np.float32(2)
        described[start : start + BATCH] = answer
    return described


def as_crops(pictures: Batch) -> Crops:
    """Return a batch of pictures of any size as crops, shape (n, CROP_SIDE, CROP_SIDE, 3).

    Each is grey, RGB or RGBA, of 8 or 16 bits: shape (height, width) or (height, width, 1 | 3 | 4),
    from 0 to 255 or to 65535. Transparent pixels show the white that picture files get. A picture
    that is no square is stretched to one. Raises InputError for what is no picture.
    """
    if isinstance(pictures, np.ndarray):
        if pictures.dtype == np.uint8 and pictures.shape[1:] == (CROP_SIDE, CROP_SIDE, 3):
            return pictures.astype(np.uint8, copy=False)
        if pictures.ndim < 3 or (pictures.ndim == 3 and pictures.shape[2] in CHANNELS):
            raise InputError(
                f"An encoder takes a batch of crops, not an array of shape {pictures.shape}."
            )
    crops = np.empty((len(pictures), CROP_SIDE, CROP_SIDE, 3), dtype=np.uint8)
    for row, picture in enumerate(pictures):
        crops[row] = _as_crop(np.asarray(picture))
    return crops


def _as_crop(picture: Picture) -> Pixels:
    """Return one picture as a crop."""
    import cv2

    planes = picture[:, :, None] if picture.ndim == 2 else picture
    known = planes.ndim == 3 and planes.shape[2] in CHANNELS and planes.size > 0
    if not known or planes.dtype not in (np.uint8, np.uint16):
        raise InputError(
            "An encoder takes crops that are grey, RGB or RGBA, of 8 or 16 bits, not an array of "
            f"{picture.dtype} with shape {picture.shape}."
        )
    values = planes.astype(np.float32) / (257 if planes.dtype == np.uint16 else 1)
    if values.shape[2] == RGBA:
        opaque = values[:, :, 3:] / 255
        values = values[:, :, :3] * opaque + np.array(BACKGROUND, np.float32) * (1 - opaque)
    pixels = np.rint(values).astype(np.uint8)
    if pixels.shape[2] == 1:
        pixels = pixels.repeat(3, axis=2)
    shrinks = min(pixels.shape[:2]) > CROP_SIDE
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    crop = cv2.resize(np.ascontiguousarray(pixels), (CROP_SIDE, CROP_SIDE), interpolation=how)
    return np.asarray(crop, dtype=np.uint8)


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
