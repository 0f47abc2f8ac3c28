"""Our own head detector: one pass of a small network over all sizes and rolls.

Its file is ONNX: pictures, uint8, (n, height, width, 3), RGB, sides multiples of 32, go in; what
every cell says, (n, cells, 11), comes out: score, box, two eyes, and how sure it is that each eye
can be seen. `training/detector` makes it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gallery.detectors.onnx_file import open_session
from gallery.errors import SetupError
from gallery.types import Box, Face, Image, Landmarks, Pixels, Point

if TYPE_CHECKING:
    import onnxruntime

LONGER_SIDE = 640
"""Pictures are scaled to this before the network sees them."""

MOST_ENLARGED = 2.0
"""Small pictures are enlarged up to this much: heads of 16 pixels then have 32."""

MULTIPLE = 32
PADDING = 127
"""What fills a picture up to a multiple: the value that is nothing to the network."""

LEAST_SCORE = 0.3
MAX_OVERLAP = 0.45
MAX_FACES = 500
"""More than this in one picture is a pattern, not people."""

LEAST_SEEN = 0.3
"""An eye is placed where the network is at least this sure that it can be seen."""

BATCH = 8
LONGEST_SHAPE = 3.0
"""Longer side over shorter from which on a picture is looked at window by window."""

NUMBERS = 11
EXPECTED = (
    "one uint8 input (n, height, width, 3) and one float output (n, cells, 11) with score, box, "
    "eyes and their visibility, as `python -m training.detector export` writes it"
)
Rows = NDArray[np.float32]


class Fitted(NamedTuple):
    """A picture as the network takes it, with what leads back."""

    pixels: Pixels
    """Shape (height, width, 3), multiples of MULTIPLE."""
    scale: float
    """Its pixels over those of the picture."""


class Window(NamedTuple):
    """A part of a picture, in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int


class HeadDetector:
    """Finds heads from 16 pixels to a picture's size, at any roll within 60 degrees."""

    def __init__(
        self,
        path: Path,
        *,
        longer_side: int = LONGER_SIDE,
        least_score: float = LEAST_SCORE,
        threads: int = 0,
    ) -> None:
        """Open the file.

        A longer_side above 640 finds smaller heads and takes more time. With 0 threads ONNX
        Runtime takes all cores. Raises SetupError for a file that is missing, damaged, or no such
        detector.
        """
        self._path = path
        self._longer_side = longer_side
        self._least_score = least_score
        self._session = _open(path, threads)
        self._input = _checked_input(self._session, path)
        # What a detector did not see is remembered under its name, so another file has another.
        side = "" if longer_side == LONGER_SIDE else f"*{longer_side}"
        self.name = f"heads{side}@{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the faces of every picture, best score first.

        Raises SetupError when the network cannot take a picture.
        """
        parts = [
            (place, window)
            for place, image in enumerate(images)
            for window in windows(image.width, image.height)
        ]
        found: list[list[Rows]] = [[] for _ in images]
        for start in range(0, len(parts), BATCH):
            batch = parts[start : start + BATCH]
            fitted = [
                fit(images[place].pixels[part.top : part.bottom, part.left : part.right],
                    self._longer_side)
                for place, part in batch
            ]  # fmt: skip
            for (place, part), one, rows in zip(batch, fitted, self._run(fitted), strict=True):
                kept = strongest(rows, self._least_score)
                found[place].append(_back(kept, one.scale, part))
        return [
            _faces(np.concatenate(rows), image) for image, rows in zip(images, found, strict=True)
        ]

    def _run(self, fitted: list[Fitted]) -> list[Rows]:
        """Return what all cells say of pictures, those of one size together."""
        answers: list[Rows] = [np.zeros((0, NUMBERS), np.float32)] * len(fitted)
        sizes = [one.pixels.shape for one in fitted]
        for size in dict.fromkeys(sizes):
            places = [place for place, own in enumerate(sizes) if own == size]
            pictures = np.stack([fitted[place].pixels for place in places])
            try:
                (said,) = self._session.run(None, {self._input: pictures})
            except Exception as error:
                # ONNX Runtime raises classes of its own.
                raise SetupError(
                    f"The detector file {self._path} does not take pictures of "
                    f"{size[1]}x{size[0]}; expected is {EXPECTED}."
                ) from error
            for place, rows in zip(places, said, strict=True):
                answers[place] = np.asarray(rows, np.float32)
        return answers


def windows(width: int, height: int) -> list[Window]:
    """Return the parts in which a picture is looked at: all of it, or windows along a strip.

    Windows are twice as long as wide and overlap by half, so that each head is whole in one.
    """
    short, long = sorted((width, height))
    length = max(2 * short, LONGER_SIDE)
    if long <= LONGEST_SHAPE * short or long <= length:
        return [Window(0, 0, width, height)]
    count = math.ceil((long - length) / (length / 2)) + 1
    starts = [round(step * (long - length) / (count - 1)) for step in range(count)]
    if width > height:
        return [Window(start, 0, start + length, height) for start in starts]
    return [Window(0, start, width, start + length) for start in starts]


def fit(pixels: Pixels, longer_side: int) -> Fitted:
    """Scale a picture to a longer side and fill it up, right and below, to a multiple."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(longer_side / max(height, width), MOST_ENLARGED)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    columns, rows = (-(-side // MULTIPLE) * MULTIPLE for side in size)
    board = np.full((rows, columns, 3), PADDING, np.uint8)
    board[: size[1], : size[0]] = cv2.resize(pixels, size, interpolation=way)
    return Fitted(board, scale)


def strongest(rows: Rows, least_score: float, most: int = MAX_FACES) -> Rows:
    """Return the rows (n, 11) of heads, best first: of overlapping boxes the best scored.

    Rows that are no boxes, as a broken network gives them, are no heads.
    """
    rows = rows[rows[:, 0] >= least_score]
    boxes = rows[:, 1:5]
    sound = np.isfinite(rows).all(axis=1)
    sound &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    rows = rows[sound]
    # More than this many cells do not speak of few heads; the rest would only cost time.
    rows = rows[np.argsort(-rows[:, 0], kind="stable")[: most * 8]]
    return rows[kept(rows[:, 1:5], MAX_OVERLAP)[:most]]


def kept(boxes: Rows, overlap: float) -> NDArray[np.int64]:
    """Return the places of boxes, best first, that overlap no better one; boxes (n, 4).

    overlap is intersection over union; every box that stays strikes out all others at once.
    """
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    left = np.arange(len(boxes))
    stays = []
    while len(left):
        best, left = left[0], left[1:]
        stays.append(best)
        low = np.maximum(boxes[best, :2], boxes[left, :2])
        high = np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        left = left[shared <= overlap * (areas[best] + areas[left] - shared)]
    return np.array(stays, np.int64)


def _back(rows: Rows, scale: float, part: Window) -> Rows:
    """Bring rows from a window's network pixels to the picture's."""
    rows = rows.copy()
    rows[:, 1:9] = rows[:, 1:9] / scale + np.tile([part.left, part.top], 4)
    return rows


def _faces(rows: Rows, image: Image) -> list[Face]:
    """Return the faces of a picture, of which windows may have seen one twice."""
    limits = [image.width, image.height] * 2
    rows[:, 1:5] = np.clip(rows[:, 1:5], 0, limits)
    return [_face(row) for row in strongest(rows, 0.0)]


def _face(row: Rows) -> Face:
    """Return a row as a face; eyes that cannot be seen leave it without landmarks."""
    score, *numbers = (float(number) for number in row)
    box = Box(*numbers[:4])
    eyes = sorted((Point(*numbers[4:6]), Point(*numbers[6:8])))
    apart = math.dist(*eyes) > 0.05 * max(box.width, box.height)
    seen = min(numbers[8:]) >= LEAST_SEEN
    landmarks = Landmarks(eyes[0], eyes[1]) if seen and apart else None
    return Face(box, min(max(score, 0.0), 1.0), landmarks)


def _open(path: Path, threads: int) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads sleep: spinning ones take the cores that decoding and encoding want.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return open_session(path, options)


def _checked_input(session: onnxruntime.InferenceSession, path: Path) -> str:
    """Return the input's name; raises SetupError where inputs or outputs are others."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    fits = (
        len(inputs) == len(outputs) == 1
        and inputs[0].type == "tensor(uint8)"
        and len(inputs[0].shape) == 4
        and inputs[0].shape[3] == 3
        and outputs[0].type == "tensor(float)"
        and len(outputs[0].shape) == 3
        and (not isinstance(outputs[0].shape[2], int) or outputs[0].shape[2] == NUMBERS)
    )
    if not fits:
        raise SetupError(
            f"The detector file {path} has input "
            f"{', '.join(f'{one.name} {one.shape} {one.type}' for one in inputs)} and output "
            f"{', '.join(f'{one.name} {one.shape}' for one in outputs)}; expected is {EXPECTED}."
        )
    return str(inputs[0].name)
