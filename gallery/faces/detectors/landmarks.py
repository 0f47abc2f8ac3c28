"""The landmark network: where exactly the eyes of a head are.

The detector's network sees a whole picture, in which an eye is a few pixels; this one sees one head
at a time, turned about level by the eyes as the first network places them. Its file is ONNX: views
of heads, uint8, (n, 96, 96, 3), RGB, go in; (n, 6) comes out: left and right eye in pixels of the
view, and how sure it is that each can be seen. `training/landmarks` makes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.errors import SetupError
from gallery.faces.align import eyes_are_plausible
from gallery.faces.detectors.sessions import checked_digest, checked_input, open_for
from gallery.types import Box, Face, Image, Landmarks, Pixels, Point

Matrix: TypeAlias = NDArray[np.float64]
"""A 2x3 affine transform."""

SIDE = 96
"""Of a view, in pixels."""

AROUND = 1.1
"""A view's side over the longer side of its head's box."""

FINER = 1.25
"""A head more than this many times as large as in the view is averaged down before it is turned."""


LEAST_SEEN = 0.3
"""If the network is less sure to see an eye, the detector's position stays."""

AT_ONCE = 64
"""So many views go through the network at once, so that a crowd does not fill the memory."""

NUMBERS = 6
EXPECTED = (
    f"one uint8 input (n, {SIDE}, {SIDE}, 3) and one float output (n, {NUMBERS}) with two eyes and "
    "their visibility, as `python -m training.landmarks export` writes it"
)


class Frame(NamedTuple):
    """The square that a view shows, in pixels of the picture."""

    centre: Point
    side: float
    roll: float
    """Degrees by which it is turned, clockwise above 0."""


class EyeFinder:
    """Places the eyes of each detected head."""

    def __init__(self, path: Path, *, sha256: str | None = None, threads: int = 1) -> None:
        """Open the file.

        Raises SetupError for a file that is missing, damaged, or no such network, and where sha256
        is given, for any other file than that.
        """
        self._path = path
        self.digest = checked_digest(path, sha256)
        self._session = open_for(path, threads)
        self._input = checked_input(
            self._session, path, (None, SIDE, SIDE, 3), (None, NUMBERS), EXPECTED
        )

    def placed(self, images: Sequence[Image], found: Sequence[list[Face]]) -> list[list[Face]]:
        """Return the faces of every picture, with the eyes where this network sees them.

        Faces without landmarks stay as they are. So do eyes for which the network gives an
        implausible position. All heads of all pictures go through the network in one batch. Raises
        SetupError when the network cannot take them.
        """
        placed = [list(faces) for faces in found]
        known = [
            (picture, number, face.landmarks, frame_of(face.box, face.landmarks))
            for picture, faces in enumerate(found)
            for number, face in enumerate(faces)
            if face.landmarks is not None
        ]
        for begin in range(0, len(known), AT_ONCE):
            part = known[begin : begin + AT_ONCE]
            frames = [frame for *_, frame in part]
            views = [view(images[one[0]].pixels, one[-1]) for one in part]
            said = self._look_at(np.stack(views))
            places = back(said[:, :4].reshape(-1, 2, 2), frames)
            for one, eyes, seen in zip(part, places, said[:, 4:], strict=True):
                picture, number, rough, _ = one
                marks = _joined(rough, eyes, seen)
                if eyes_are_plausible(found[picture][number].box, marks):
                    placed[picture][number] = replace(found[picture][number], landmarks=marks)
        return placed

    def _look_at(self, views: Pixels) -> NDArray[np.float64]:
        """Return what the network says of views, shape (n, NUMBERS)."""
        try:
            (said,) = self._session.run(None, {self._input: views})
        except Exception as error:
            # ONNX Runtime raises classes of its own.
            raise SetupError(
                f"The file {self._path} does not take views of heads; expected is {EXPECTED}."
            ) from error
        return np.asarray(said, np.float64)


def _joined(rough: Landmarks, eyes: NDArray[np.float64], seen: NDArray[np.float64]) -> Landmarks:
    """Return the eyes that are seen, else the rough ones, shape (2, 2), the left one first."""
    both = [
        Point(*eye.tolist()) if sure >= LEAST_SEEN and np.isfinite(eye).all() else first
        for eye, sure, first in zip(eyes, seen, (rough.left_eye, rough.right_eye), strict=True)
    ]
    left, right = sorted(both)
    return rough._replace(left_eye=left, right_eye=right)


def frame_of(box: Box, eyes: Landmarks) -> Frame:
    """Return the square around a head, turned so that these eyes are level in it."""
    left, right = eyes.left_eye, eyes.right_eye
    roll = math.degrees(math.atan2(right.y - left.y, right.x - left.x))
    return Frame(box.centre, AROUND * max(box.width, box.height, 1.0), roll)


def matrix_of(frame: Frame) -> Matrix:
    """Return the 2x3 transform from places in a picture to those in a view.

    Places are in pixels with the first pixel reaching from 0 to 1.
    """
    scale = SIDE / frame.side
    angle = math.radians(frame.roll)
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    linear = np.array([[cosine, sine], [-sine, cosine]])
    return np.column_stack([linear, SIDE / 2 - linear @ np.array(frame.centre)])


def view(pixels: Pixels, frame: Frame) -> Pixels:
    """Return what a frame holds, shape (SIDE, SIDE, 3); beyond the picture its edge is repeated."""
    import cv2

    height, width = pixels.shape[:2]
    coarser = frame.side / SIDE
    reach = frame.side / math.sqrt(2) + 2 + coarser
    left, right = _span(frame.centre.x, reach, width)
    top, bottom = _span(frame.centre.y, reach, height)
    window = pixels[top:bottom, left:right]
    matrix = matrix_of(frame)
    matrix[:, 2] += matrix[:, :2] @ [left, top]
    if coarser > FINER:
        window, ratio = _averaged(window, coarser)
        matrix[:, :2] *= ratio
    # OpenCV counts from the middle of the first pixel.
    matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5
    seen = cv2.warpAffine(
        window, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(seen, np.uint8)


def _averaged(window: Pixels, coarser: float) -> tuple[Pixels, NDArray[np.float64]]:
    """Average a window down to at least its size in the view, which is this many times coarser.

    Return it with its old sides over its new ones, across and down.
    """
    import cv2

    step = math.floor(coarser)
    if step >= 2 and min(window.shape[:2]) >= step:
        # Whole numbers of pixels are averaged several times as fast as others.
        window = window[: window.shape[0] // step * step, : window.shape[1] // step * step]
        size = (window.shape[1] // step, window.shape[0] // step)
    else:
        size = tuple(max(round(side * FINER / coarser), 1) for side in window.shape[1::-1])
    smaller = cv2.resize(window, size, interpolation=cv2.INTER_AREA)
    ratio = np.array(window.shape[1::-1], np.float64) / size
    return np.asarray(smaller, np.uint8), ratio


def _span(middle: float, reach: float, length: int) -> tuple[int, int]:
    """Return where a stretch begins and ends in a picture of a length, at least a pixel long."""
    first = min(max(math.floor(middle - reach), 0), length - 1)
    return first, min(max(math.ceil(middle + reach), first + 1), length)


def back(places: NDArray[np.float64], frames: Sequence[Frame]) -> NDArray[np.float64]:
    """Bring places in views, shape (n, eyes, 2), to those in their pictures, a frame each."""
    matrices = np.array([matrix_of(frame) for frame in frames]).reshape(-1, 2, 3)
    moved = places - matrices[:, None, :, 2]
    return np.asarray(np.linalg.solve(matrices[:, None, :, :2], moved[..., None])[..., 0])
