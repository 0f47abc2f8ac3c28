"""Our own head detector: one pass of a small network over all sizes and rolls.

Its file is ONNX: pictures, uint8, (n, height, width, 3), RGB, sides multiples of 32, go in; what
every cell says, (n, cells, 11), comes out: score, box, two eyes, and how sure it is that each eye
can be seen. `training/detector` makes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gallery.errors import UnusableDetector
from gallery.faces.align import eyes_are_plausible
from gallery.faces.detectors import portrait, rolled
from gallery.faces.detectors.landmarks import EyeFinder
from gallery.faces.detectors.sessions import checked_digest, checked_input, open_for
from gallery.numerics.distances import covered, keep_best, overlaps
from gallery.system.threads import available_cores, limited, side_by_side
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

LEAST_SCORE = 0.6
"""Above this one picture in eight of data/detection has a wrong box; above 0.5 every third."""

MAX_OVERLAP = 0.45
SAME_HEAD = 0.6
"""Boxes that overlap this much mean one head; their boxes and eyes are averaged.

On the 540 heads of data/detection from 16 pixels on that brings 0.7 points of average precision and
1.2 of the small heads, and eyes 5 % nearer to where they are."""

MAX_FACES = 500
"""More than this in one picture is a pattern, not people."""

LEAST_SEEN = 0.3
"""An eye is placed where the network is at least this sure that it can be seen."""

MOST_BEYOND = 0.15
"""A head that the picture's edge cuts reaches beyond it by at most this share of its side."""

LONGEST_SHAPE = 3.0
"""Longer side over shorter from which on a picture is searched window by window."""

NEAR_EDGE = 0.05
"""A head this near to a window's edge, in its own longer sides, may be cut by it."""

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


class Seen(NamedTuple):
    """What one window shows, in the picture's pixels."""

    rows: Rows
    """Heads, shape (n, NUMBERS)."""
    is_cut: NDArray[np.bool_]
    """Which of them the window's edge may cut, shape (n,)."""


class HeadDetector:
    """Finds heads from 16 pixels to a picture's size, at any roll within 60 degrees."""

    def __init__(
        self,
        path: Path,
        *,
        sha256: str | None = None,
        eyes: Path | None = None,
        eyes_sha256: str | None = None,
        longer_side: int = LONGER_SIDE,
        least_score: float = LEAST_SCORE,
        portraits: bool = True,
        threads: int = 0,
    ) -> None:
        """Open the file, and that of the landmark network; without it the eyes of the first stay.

        A longer_side above 640 finds smaller heads and takes more time. Without portraits a picture
        that shows no head for sure is not looked at again. With 0 threads all cores are used.
        Raises SetupError for a file that is missing, damaged, or no such network, and where a
        digest is given, for any other file than that.
        """
        self._path = path
        self._longer_side = longer_side
        self._least_score = least_score
        self._portraits = portraits
        self._threads = threads or available_cores()
        digest = checked_digest(path, sha256)
        self._session = open_for(path, self._threads)
        self._input = checked_input(
            self._session, path, (None, None, None, 3), (None, None, NUMBERS), EXPECTED
        )
        self._eyes: EyeFinder | None = None
        if eyes is not None:
            self._eyes = EyeFinder(eyes, sha256=eyes_sha256, threads=self._threads)
        # Pictures without a face are stored under the detector's name, so another file, and another
        # way to detect, has another name.
        side = "" if longer_side == LONGER_SIDE else f"*{longer_side}"
        second = f"+{self._eyes.digest[:8]}" if self._eyes else ""
        way = "portrait" if portraits else "level"
        self.name = f"heads-{way}{side}@{digest[:8]}{second}"

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the faces of every picture, best score first.

        All cores search one picture; several pictures are shared out, which wastes less. Raises
        SetupError when the network cannot take a picture.
        """
        parts = [
            (place, window)
            for place, image in enumerate(images)
            for window in windows(image.width, image.height)
        ]
        found: list[list[Seen]] = [[] for _ in images]
        for (place, window), rows in zip(parts, self._look_at_all(images, parts), strict=True):
            image = images[place]
            found[place].append(Seen(rows, cut_by(window, rows, image.width, image.height)))
        faces = [_faces(of_one, image) for image, of_one in zip(images, found, strict=True)]
        return self._eyes.placed(images, faces) if self._eyes else faces

    def _look_at_all(
        self, images: Sequence[Image], parts: Sequence[tuple[int, Window]]
    ) -> list[Rows]:
        """Return the heads in windows of pictures, in the pictures' pixels."""
        count = min(self._threads, available_cores())
        if len(parts) < 2 or count < 2:
            session = self._session if count == self._threads else self._single
            return [self._look_at(session, images[place], part) for place, part in parts]
        session = self._single
        with limited(count):
            return side_by_side(
                lambda part: self._look_at(session, images[part[0]], part[1]), parts
            )

    @cached_property
    def _single(self) -> onnxruntime.InferenceSession:
        """The network for one thread; it says the same to the bit."""
        return open_for(self._path, 1)

    def _look_at(self, session: onnxruntime.InferenceSession, image: Image, part: Window) -> Rows:
        """Return the heads in a window of a picture, in the picture's pixels."""
        seen = image.pixels[part.top : part.bottom, part.left : part.right]
        pixels, scale = fit(seen, self._longer_side)
        heads = self._doubtful(session, pixels)
        # The rolled pass is for heads that it may make sure; the others are for the portrait pass.
        known = heads[heads[:, 0] >= min(self._least_score, rolled.DOUBTED[0])]
        roll = rolled.roll_to_level(known)
        if roll is not None:
            self._look_level(session, pixels, known, roll)
        sure = known[known[:, 0] >= self._least_score]
        # A part of a picture is no portrait.
        if self._portraits and len(sure) == 0 and seen.shape == image.pixels.shape:
            sure = self._portrait(session, seen, _unscaled(heads, scale))
        else:
            sure = _unscaled(sure, scale)
        return _moved(sure, part)

    def _doubtful(self, session: onnxruntime.InferenceSession, pixels: Pixels) -> Rows:
        """Return heads, best first, down to the scores that are a reason to look again."""
        least = min(self._least_score, rolled.DOUBTED[0], portrait.LEAST_SCORE)
        return strongest(self._said(session, pixels), least, trusted=self._least_score)

    def _portrait(self, session: onnxruntime.InferenceSession, pixels: Pixels, heads: Rows) -> Rows:
        """Return the one head that a picture without a sure head shows, shape (1 or 0, NUMBERS)."""
        height, width = pixels.shape[:2]
        head = portrait.doubted(heads, width, height)
        if len(head) == 0:
            return head
        other, scale = fit(np.ascontiguousarray(pixels[:, ::-1]), self._longer_side)
        mirror = portrait.mirrored(_unscaled(self._doubtful(session, other), scale), width)
        other, scale = fit(pixels, self._longer_side // 2)
        half = _unscaled(self._doubtful(session, other), scale)
        return portrait.agreed(head, (mirror, half), width, height)

    def _look_level(
        self, session: onnxruntime.InferenceSession, pixels: Pixels, heads: Rows, roll: float
    ) -> None:
        """Score heads again that a roll of the picture makes upright."""
        view = rolled.turned(pixels, roll, MULTIPLE, PADDING)
        again = boxed(self._said(session, view.pixels), rolled.UNSEEN)
        boxes = rolled.boxes_back(again[:, 1:5], view)
        overlap = overlaps(heads[:, 1:5], boxes)
        heads[:, 0] = rolled.joined_scores(heads, again, overlap, roll)

    def _said(self, session: onnxruntime.InferenceSession, pixels: Pixels) -> Rows:
        """Return what all cells say of a picture as the network takes it, shape (n, NUMBERS)."""
        try:
            (said,) = session.run(None, {self._input: pixels[None]})
        except Exception as error:
            # ONNX Runtime raises classes of its own.
            raise UnusableDetector(
                self._path,
                f"does not take pictures of {pixels.shape[1]}x{pixels.shape[0]}",
                f"expected is {EXPECTED}",
            ) from error
        return np.asarray(said[0], np.float32)


def windows(width: int, height: int) -> list[Window]:
    """Return the parts in which a picture is searched: all of it, or windows along a strip.

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


def cut_by(part: Window, rows: Rows, width: int, height: int) -> NDArray[np.bool_]:
    """Return which heads reach an edge of a window beyond which the picture goes on, shape (n,)."""
    left, top, right, bottom = rows[:, 1:5].T
    near = NEAR_EDGE * np.maximum(right - left, bottom - top)
    return np.asarray(
        ((part.left > 0) & (left < part.left + near))
        | ((part.top > 0) & (top < part.top + near))
        | ((part.right < width) & (right > part.right - near))
        | ((part.bottom < height) & (bottom > part.bottom - near))
    )


def joined(windows: Sequence[Seen]) -> Rows:
    """Return the heads of all windows, without parts of heads that another window shows whole."""
    rows = np.concatenate([one.rows for one in windows])
    is_cut = np.concatenate([one.is_cut for one in windows])
    if not is_cut.any() or is_cut.all():
        return rows
    shown = covered(rows[:, 1:5], rows[~is_cut, 1:5]).max(axis=1)
    return np.asarray(rows[~(is_cut & (shown > MAX_OVERLAP))])


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


def strongest(
    rows: Rows, least_score: float, *, trusted: float = 0.0, most: int = MAX_FACES
) -> Rows:
    """Return the rows (n, 11) of heads, best first: of overlapping boxes the best scored.

    A head's box and eyes are means over its rows, weighted by score. Only rows with a trusted
    score, or with a score as high as the head's, count. Rows that are no boxes are no heads.
    """
    rows = boxed(rows, least_score)
    # So many cells cannot mean few heads; more of them would only cost time.
    rows = rows[np.argsort(-rows[:, 0], kind="stable")[: most * 8]]
    stays = keep_best(rows[:, 1:5], rows[:, 0], MAX_OVERLAP, most)
    heads = rows[stays]
    for head in heads:
        same = rows[rows[:, 0] >= min(head[0], trusted)]
        same = same[overlaps(head[None, 1:5], same[:, 1:5])[0] >= SAME_HEAD]
        head[1:9] = np.average(same[:, 1:9], axis=0, weights=np.maximum(same[:, 0], 1e-6))
    return heads


def boxed(rows: Rows, least_score: float) -> Rows:
    """Return the rows of at least a score, without the invalid boxes of a broken network."""
    rows = rows[rows[:, 0] >= least_score]
    boxes = rows[:, 1:5]
    sound = np.isfinite(rows).all(axis=1)
    sound &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return rows[sound]


def _unscaled(rows: Rows, scale: float) -> Rows:
    """Bring rows from the network's pixels to those of the window."""
    rows = rows.copy()
    rows[:, 1:9] /= scale
    return rows


def _moved(rows: Rows, part: Window) -> Rows:
    """Bring rows from a window to the picture."""
    rows = rows.copy()
    rows[:, 1:9] += np.tile([part.left, part.top], 4)
    return rows


def _faces(windows: Sequence[Seen], image: Image) -> list[Face]:
    """Return the faces of a picture, of which windows may have seen one twice."""
    size = (image.width, image.height)
    rows = joined(windows)
    rows[:, 1:5] = np.clip(rows[:, 1:5], 0, size * 2)
    return [_face(row, *size) for row in strongest(rows, 0.0)]


def _face(row: Rows, width: int, height: int) -> Face:
    """Return a row as a face; eyes that cannot be seen, or be right, leave it without landmarks."""
    score, *numbers = (float(number) for number in row)
    box = Box(*numbers[:4])
    eyes = sorted((Point(*numbers[4:6]), Point(*numbers[6:8])))
    landmarks = Landmarks(eyes[0], eyes[1])
    are_known = min(numbers[8:]) >= LEAST_SEEN and eyes_are_plausible(box, landmarks)
    return Face(
        uncut(box, width, height),
        min(max(score, 0.0), 1.0),
        landmarks if are_known else None,
    )


def uncut(box: Box, width: int, height: int) -> Box:
    """Return the box that a head would have if the edge of its picture did not cut it.

    The network sees no farther than the edge, while heads are about square: a box that ends at one
    edge becomes square by reaching beyond it, at most by MOST_BEYOND of its longer side. On the 56
    cut heads of data/detection that brings the mean overlap with the whole head from 0.89 to 0.92
    and the worst from 0.65 to 0.80; a larger limit does worse.
    """
    most = MOST_BEYOND * max(box.width, box.height)
    left, right = _beyond(box.left, box.right, width, min(box.height - box.width, most))
    top, bottom = _beyond(box.top, box.bottom, height, min(box.width - box.height, most))
    return Box(left, top, right, bottom)


def _beyond(low: float, high: float, size: int, lacking: float) -> tuple[float, float]:
    """Return an interval lengthened across the one edge, 0 or size, that it ends at."""
    at_low, at_high = low < 1, high > size - 1
    if lacking <= 0 or at_low == at_high:
        return low, high
    return (low - lacking, high) if at_low else (low, high + lacking)
