"""How heads follow when a picture is moved, turned, mirrored and cut.

Places are in pixels with the first pixel reaching from 0 to 1, so that its middle is 0.5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gallery.types import Pixels
from training.detector.labels import Heads

Matrix = NDArray[np.float64]
"""A 2x3 affine transform from a picture's places to a scene's."""

LEAST_SIDE = 7.0
"""Smaller heads are neither right nor wrong."""

LEAST_SEEN = 0.4
"""Share of a head that must be left of it for it to be one."""


def similarity(scale: float, roll: float, *, mirrored: bool = False) -> NDArray[np.float64]:
    """Return the 2x2 transform that mirrors from side to side, turns by degrees and scales.

    Positive roll turns clockwise as seen on a screen.
    """
    angle = np.radians(roll)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(turn * [-1.0 if mirrored else 1.0, 1.0])


def anchored(
    linear: NDArray[np.float64], source: NDArray[np.float64], target: NDArray[np.float64]
) -> Matrix:
    """Return the transform with this linear part that brings one place to another."""
    return np.column_stack([linear, target - linear @ source])


def moved_points(points: NDArray[np.float64], matrix: Matrix) -> NDArray[np.float64]:
    """Return places of shape (..., 2) after a transform."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def moved_boxes(boxes: NDArray[np.float64], matrix: Matrix) -> NDArray[np.float64]:
    """Return upright boxes (n, 4) around the ellipses that fill the given ones, moved.

    A head is round: the box around its turned box would be up to 1.4 times too large.
    """
    middles = moved_points((boxes[:, :2] + boxes[:, 2:]) / 2, matrix)
    halves = np.sqrt(((boxes[:, 2:] - boxes[:, :2]) / 2) ** 2 @ (matrix[:, :2] ** 2).T)
    return np.hstack([middles - halves, middles + halves])


def moved(heads: Heads, matrix: Matrix) -> Heads:
    """Return heads after a transform; a mirrored face's left eye is the right one."""
    eyes, seen = moved_points(heads.eyes, matrix), heads.seen
    if np.linalg.det(matrix[:, :2]) < 0:
        eyes, seen = eyes[:, ::-1], seen[:, ::-1]
    return Heads(moved_boxes(heads.boxes, matrix), eyes, seen, moved_boxes(heads.ignored, matrix))


def turned(pixels: Pixels, heads: Heads, roll: float) -> tuple[Pixels, Heads]:
    """Return a picture turned by degrees on a black canvas that holds all of it, with its heads."""
    import cv2

    linear = similarity(1.0, roll)
    size = np.array(pixels.shape[1::-1], np.float64)
    wide, high = (int(side) for side in np.ceil(np.abs(linear) @ size - 1e-6))
    matrix = anchored(linear, size / 2, np.array([wide, high]) / 2)
    return warped(pixels, matrix, wide, high, cv2.BORDER_CONSTANT), moved(heads, matrix)


def cut(heads: Heads, width: int, height: int) -> Heads:
    """Return heads as they are seen in a frame from (0, 0) to (width, height).

    Boxes end at the frame. Of a head that is mostly outside, or too small to be learnt, nothing
    is known. Eyes outside cannot be seen.
    """
    frame = np.array([width, height, width, height], np.float64)
    boxes = np.clip(heads.boxes, 0, frame)
    left = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    whole = np.prod(heads.boxes[:, 2:] - heads.boxes[:, :2], axis=1)
    there = left > 0
    good = there & (left >= LEAST_SEEN * whole) & (np.sqrt(left) >= LEAST_SIDE)
    ignored = np.clip(heads.ignored, 0, frame)
    ignored = ignored[np.prod(ignored[:, 2:] - ignored[:, :2], axis=1) > 0]
    eyes = heads.eyes[good]
    with np.errstate(invalid="ignore"):
        outside = ((eyes < 0) | (eyes >= [width, height])).any(axis=2)
    seen = np.where(outside, 0.0, heads.seen[good])
    return Heads(boxes[good], eyes, seen, np.vstack([ignored, boxes[there & ~good]]))


def joined(parts: list[Heads]) -> Heads:
    """Return the heads of several pictures as those of one."""
    return Heads(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.eyes for part in parts]),
        np.concatenate([part.seen for part in parts]),
        np.concatenate([part.ignored for part in parts]),
    )


def warped(pixels: Pixels, matrix: Matrix, width: int, height: int, border: int) -> Pixels:
    """Return a picture moved into a frame; border is one of OpenCV's modes.

    It is averaged down first where the transform makes it less than half as large.
    """
    import cv2

    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if scale < 0.6:
        smaller = max(scale * 1.2, 1.5 / min(pixels.shape[:2]))
        size = [max(round(side * smaller), 1) for side in pixels.shape[1::-1]]
        ratio = np.array([pixels.shape[1] / size[0], pixels.shape[0] / size[1]])
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = np.column_stack([matrix[:, :2] * ratio, matrix[:, 2]])
    # OpenCV counts from the middle of the first pixel.
    offset = matrix[:, 2] + matrix[:, :2].sum(axis=1) / 2 - 0.5
    moved_pixels = cv2.warpAffine(
        pixels,
        np.column_stack([matrix[:, :2], offset]),
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=border,
    )
    return np.asarray(moved_pixels, np.uint8)
