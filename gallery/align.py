"""Face -> aligned crop of 150x150, one interpolation from the full picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gallery.types import CROP_SIDE, Crop, Face, Image, Pixels, Point

if TYPE_CHECKING:
    from numpy.typing import NDArray

EYE_HEIGHT = 0.55
"""Share of the crop's height at which the eyes stand."""

MAX_FINER = 16
"""Heads of up to 16 x 150 pixels are averaged in full."""

MAX_SIDE = 32_000
"""OpenCV 4 warps no picture with a side of 32,768 pixels or more, as some webtoons are."""


class EyeAligner:
    """Turns the head level by its eyes and cuts a square of the head box's size around it.

    It follows the original, which levels the eyes, centres the face from side to side and sets
    the eyes at 55 % of the height, and departs from it where it cuts faces: the scale comes from
    the head box instead of the place of one eye in it, the height from both eyes instead of one,
    and what lies outside the picture repeats its border instead of being black. A face without
    eyes is cut along its head box.
    """

    def align(self, image: Image, face: Face) -> Crop:
        """Return the aligned crop of a face, RGB, shape (CROP_SIDE, CROP_SIDE, 3)."""
        import cv2

        # A linear filter that shrinks by more than two skips pixels, so a large head is first cut
        # at about its own size and then averaged down by a whole number.
        finer = min(max(math.ceil(_side(face) / CROP_SIDE), 1), MAX_FINER)
        pixels, matrix = _around_crop(image.pixels, crop_matrix(face))
        fine = cv2.warpAffine(
            pixels,
            matrix * finer,
            (CROP_SIDE * finer, CROP_SIDE * finer),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        crop = cv2.resize(fine, (CROP_SIDE, CROP_SIDE), interpolation=cv2.INTER_AREA)
        return np.asarray(crop, dtype=np.uint8)


def crop_matrix(face: Face) -> NDArray[np.float64]:
    """Return the 2x3 similarity transform from picture to crop coordinates, in pixels."""
    scale = CROP_SIDE / _side(face)
    centre = face.box.centre
    if face.landmarks is None:
        return _similarity(centre, 0.0, scale, Point(0.5, 0.5))
    left, right = face.landmarks.left_eye, face.landmarks.right_eye
    roll = math.atan2(right.y - left.y, right.x - left.x)
    between = Point((left.x + right.x) / 2, (left.y + right.y) / 2)
    # The head stands around the box's centre, its eyes' height around the eyes: the anchor takes
    # the one along the level axis and the other across it.
    along = (centre.x - between.x) * math.cos(roll) + (centre.y - between.y) * math.sin(roll)
    anchor = Point(between.x + along * math.cos(roll), between.y + along * math.sin(roll))
    return _similarity(anchor, roll, scale, Point(0.5, EYE_HEIGHT))


def _around_crop(pixels: Pixels, matrix: NDArray[np.float64]) -> tuple[Pixels, NDArray[np.float64]]:
    """Cut a picture too long for OpenCV down to what a crop shows, and fit the transform to it."""
    height, width = pixels.shape[:2]
    if max(height, width) < MAX_SIDE:
        return pixels, matrix
    corners = np.array([[0, CROP_SIDE, 0, CROP_SIDE], [0, 0, CROP_SIDE, CROP_SIDE]], np.float64)
    places = np.linalg.solve(matrix[:, :2], corners - matrix[:, 2:])
    # Two pixels more than are seen, so that only a border of the picture is one here.
    left, top = (math.floor(edge) - 2 for edge in places.min(axis=1))
    right, bottom = (math.ceil(edge) + 3 for edge in places.max(axis=1))
    left, right = min(max(left, 0), width - 1), min(max(right, 1), width)
    top, bottom = min(max(top, 0), height - 1), min(max(bottom, 1), height)
    step = math.ceil(max(right - left, bottom - top) / MAX_SIDE)
    window = np.ascontiguousarray(pixels[top:bottom:step, left:right:step])
    into_picture = np.array([[step, 0, left], [0, step, top], [0, 0, 1]], np.float64)
    return window, matrix @ into_picture


def _side(face: Face) -> float:
    """Return the side of the square that holds the head, at least one pixel."""
    return max(face.box.width, face.box.height, 1.0)


def _similarity(anchor: Point, roll: float, scale: float, place: Point) -> NDArray[np.float64]:
    """Turn by -roll, scale, and bring the anchor to a place given in shares of the crop."""
    cosine, sine = scale * math.cos(roll), scale * math.sin(roll)
    return np.array(
        [
            [cosine, sine, place.x * CROP_SIDE - cosine * anchor.x - sine * anchor.y],
            [-sine, cosine, place.y * CROP_SIDE + sine * anchor.x - cosine * anchor.y],
        ]
    )
