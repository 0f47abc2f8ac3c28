"""Face -> aligned crop of 150x150, one interpolation from the full picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gallery.types import CROP_SIDE, Box, Crop, Face, Image, Landmarks, Pixels, Point

if TYPE_CHECKING:
    from numpy.typing import NDArray

EYE_HEIGHT = 0.55
"""Share of the crop's height at which the eyes stand."""

SHRUNK_FROM = 300.0
"""Heads of twice this side and more are averaged down before they are turned, to at least this."""

MAX_FINER = 16
"""Heads of up to 16 x 150 pixels are averaged in full."""

LEAST_APART = 0.12
"""Eyes nearer to each other than this share of the head's side are one eye, or none: of 444 heads
labelled by hand the nearest have 0.145."""

MOST_OUTSIDE = 0.05
"""Eyes farther outside the head's box than this share of its side are another's; in those 444
heads all are inside."""

MAX_SIDE = 32_000
"""OpenCV 4 warps no picture with a side of 32,768 pixels or more, as some webtoons are."""


class EyeAligner:
    """Turns the head level by its eyes and cuts a square of the head box's size around it.

    It follows the original, which levels the eyes, centres the face from side to side and sets
    the eyes at 55 % of the height, and departs from it where it cuts faces: the scale comes from
    the head box instead of the place of one eye in it, the height from both eyes instead of one,
    and what lies outside the picture repeats its border instead of being black.

    A face whose two eyes are not both known, or not plausible, is cut along its head box, upright
    and around the box's middle. One eye alone tells no roll; the height it tells would bring the
    corners of an upright crop 4 of 150 pixels nearer to where two eyes put them, and those of a
    head that leans by 30 degrees, which are 56 pixels off, not at all.
    """

    def align(self, image: Image, face: Face) -> Crop:
        """Return the aligned crop of a face, RGB, shape (CROP_SIDE, CROP_SIDE, 3)."""
        import cv2

        # A linear filter that shrinks by more than two skips pixels, so a large head is first cut
        # at about its own size and then averaged down by a whole number. One much larger is
        # averaged before, too: turning all of its pixels takes three times as long.
        side = _side(face)
        shrink = max(int(min(side, MAX_SIDE) / SHRUNK_FROM), 1)
        finer = min(max(math.ceil(side / shrink / CROP_SIDE), 1), MAX_FINER)
        pixels, matrix = _around_crop(image.pixels, crop_matrix(face), shrink)
        fine = cv2.warpAffine(
            pixels,
            matrix * finer,
            (CROP_SIDE * finer, CROP_SIDE * finer),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        crop = cv2.resize(fine, (CROP_SIDE, CROP_SIDE), interpolation=cv2.INTER_AREA)
        return np.asarray(crop, dtype=np.uint8)


def eyes_are_plausible(box: Box, landmarks: Landmarks) -> bool:
    """Say whether eyes stand in their head and apart from each other, so that they tell its roll.

    A head is not to be turned upside down by an eye that was seen elsewhere.
    """
    side = max(box.width, box.height)
    eyes = (landmarks.left_eye, landmarks.right_eye)
    beyond = MOST_OUTSIDE * side
    inside = all(
        box.left - beyond <= eye.x <= box.right + beyond
        and box.top - beyond <= eye.y <= box.bottom + beyond
        for eye in eyes
    )
    return inside and math.dist(*eyes) >= LEAST_APART * side


def crop_matrix(face: Face) -> NDArray[np.float64]:
    """Return the 2x3 similarity transform from picture to crop coordinates, in pixels."""
    scale = CROP_SIDE / _side(face)
    centre = face.box.centre
    if face.landmarks is None or not eyes_are_plausible(face.box, face.landmarks):
        return _similarity(centre, 0.0, scale, Point(0.5, 0.5))
    left, right = face.landmarks.left_eye, face.landmarks.right_eye
    roll = math.atan2(right.y - left.y, right.x - left.x)
    between = Point((left.x + right.x) / 2, (left.y + right.y) / 2)
    # The head stands around the box's centre, its eyes' height around the eyes: the anchor takes
    # the one along the level axis and the other across it.
    along = (centre.x - between.x) * math.cos(roll) + (centre.y - between.y) * math.sin(roll)
    anchor = Point(between.x + along * math.cos(roll), between.y + along * math.sin(roll))
    return _similarity(anchor, roll, scale, Point(0.5, EYE_HEIGHT))


def _around_crop(
    pixels: Pixels, matrix: NDArray[np.float64], shrink: int
) -> tuple[Pixels, NDArray[np.float64]]:
    """Cut a picture down to what a crop shows and average squares of shrink pixels' side.

    The transform is made to fit. A picture that is neither to be shrunk nor too long for OpenCV
    stays as it is.
    """
    import cv2

    height, width = pixels.shape[:2]
    if shrink == 1 and max(height, width) < MAX_SIDE:
        return pixels, matrix
    corners = np.array([[0, CROP_SIDE, 0, CROP_SIDE], [0, 0, CROP_SIDE, CROP_SIDE]], np.float64)
    places = np.linalg.solve(matrix[:, :2], corners - matrix[:, 2:])
    # Two squares more than the crop shows, so that no edge but the picture's own appears here.
    left, top = (math.floor(edge) - 2 * shrink for edge in places.min(axis=1))
    right, bottom = (math.ceil(edge) + 3 * shrink for edge in places.max(axis=1))
    left, right = min(max(left, 0), width - 1), min(max(right, 1), width)
    top, bottom = min(max(top, 0), height - 1), min(max(bottom, 1), height)
    step = max(math.ceil(max(right - left, bottom - top) / MAX_SIDE), shrink)
    # What is left over of a square at the end of a narrow picture counts as one.
    across, down = max((right - left) // step, 1), max((bottom - top) // step, 1)
    window = np.ascontiguousarray(pixels[top:bottom, left:right][: down * step, : across * step])
    if step > 1:
        window = np.asarray(cv2.resize(window, (across, down), interpolation=cv2.INTER_AREA))
    offset = (step - 1) / 2
    into_picture = np.array([[step, 0, left + offset], [0, step, top + offset], [0, 0, 1]])
    return window.astype(np.uint8, copy=False), matrix @ into_picture


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
