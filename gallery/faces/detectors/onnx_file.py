"""A detector network that the user brings as an ONNX file.

Two families are understood, told apart by the file's outputs:

FaceBoxes   outputs `loc` (1, n, 4) and `conf` (n, 2) over prior boxes (arXiv 1708.05234)
YOLO        one output (1, 4 + classes, n): centre x, centre y, width, height in input pixels,
            then one score for every class (YOLOv8 and later, exported without NMS)
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gallery.errors import UnusableDetector
from gallery.faces.detectors.boxes import head_around
from gallery.numerics.distances import keep_best
from gallery.system.reading import read_file
from gallery.types import Box, Face, Image

if TYPE_CHECKING:
    import onnxruntime

Found = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Boxes (n, 4) in pixels of the network's input, and scores (n,)."""

LONGER_SIDE = {"FaceBoxes": 800, "YOLO": 640}
MIN_SCORE = {"FaceBoxes": 0.5, "YOLO": 0.3}
MAX_OVERLAP = 0.4
MAX_FACES = 500
"""More than this in one picture is a pattern, not people."""

EXPECTED = (
    "outputs `loc` (1, n, 4) and `conf` (n, 2) as FaceBoxes has them, "
    "or one output (1, 4 + classes, n) as YOLOv8 has it"
)


class OnnxFileDetector:
    """Runs a user's detector file; its boxes become heads by head_scale."""

    def __init__(
        self,
        path: Path,
        head_scale: float = 1.0,
        *,
        least_score: float | None = None,
        threads: int = 0,
    ) -> None:
        """Open the file.

        head_scale is the side of a head, hair and chin inside, over the side of the network's
        boxes: 1.0 for a head detector, about 1.55 for one trained on brow to chin. Boxes below
        least_score, by default the family's MIN_SCORE, are left out; with 0 threads ONNX Runtime
        takes all cores.
        Raises SetupError for a file that is missing, damaged, or of another family.
        """
        # Pictures without a face are stored under the detector's name, so another file has another.
        scale = "" if head_scale == 1.0 else f"*{head_scale:g}"
        self.name = f"onnx:{path.name}{scale}@{_digest(path)}"
        self._path = path
        self._head_scale = head_scale
        self._session = open_session(path, _options(threads))
        self._family = _family(self._session, path)
        self._least_score = MIN_SCORE[self._family] if least_score is None else least_score
        self._fixed_sides = _fixed_sides(self._session, path)

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the faces of every picture, best score first.

        Raises SetupError for a file that does not take pictures of their size.
        """
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Image) -> list[Face]:
        if min(image.width, image.height) < 2:
            return []
        run = self._run_faceboxes if self._family == "FaceBoxes" else self._run_yolo
        boxes, scores = run(image)
        seen = (scores >= self._least_score) & _are_boxes(boxes)
        boxes, scores = boxes[seen], scores[seen]
        kept = keep_best(boxes, scores, MAX_OVERLAP, MAX_FACES)
        return [self._face(boxes[row], float(scores[row])) for row in kept]

    def _face(self, corners: NDArray[np.float64], score: float) -> Face:
        box = Box(*(float(value) for value in corners))
        if self._head_scale != 1.0:
            lift = (self._head_scale - 1.0) * 0.36
            side = max(box.width, box.height)
            box = head_around(box.centre, side, head_scale=self._head_scale, lift=lift)
        return Face(box, min(max(score, 0.0), 1.0))

    def _run_faceboxes(self, image: Image) -> Found:
        import cv2

        scale = LONGER_SIDE["FaceBoxes"] / max(image.width, image.height)
        size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
        # The network was trained on blue-green-red order, less the mean colour of ImageNet.
        pixels = np.asarray(cv2.resize(image.pixels, size), np.float32)[:, :, ::-1]
        pixels = (pixels - np.array([104, 117, 123], np.float32)).transpose(2, 0, 1)[None]
        outputs = self._outputs(pixels)
        offsets, chances = outputs["loc"].reshape(-1, 4), outputs["conf"].reshape(-1, 2)
        priors = prior_boxes(*size)
        if not len(priors) == len(offsets) == len(chances):
            raise self._misfit(pixels)
        boxes = _from_priors(offsets, priors)
        return boxes * np.tile([image.width, image.height], 2), chances[:, 1]

    def _run_yolo(self, image: Image) -> Found:
        import cv2

        width, height = self._fixed_sides or (LONGER_SIDE["YOLO"], LONGER_SIDE["YOLO"])
        scale = min(width / image.width, height / image.height)
        size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
        board = np.full((height, width, 3), 114, np.uint8)
        board[: size[1], : size[0]] = cv2.resize(image.pixels, size)
        pixels = np.asarray(board, np.float32).transpose(2, 0, 1)[None] / np.float32(255)
        (output,) = self._outputs(pixels).values()
        rows = output[0].T
        half = rows[:, 2:4] / 2
        boxes = np.hstack([rows[:, :2] - half, rows[:, :2] + half]) / scale
        return boxes, rows[:, 4:].max(axis=1)

    def _outputs(self, pixels: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
        names = [output.name for output in self._session.get_outputs()]
        try:
            values = self._session.run(None, {self._session.get_inputs()[0].name: pixels})
        except Exception as error:
            # ONNX Runtime raises classes of its own.
            raise self._misfit(pixels) from error
        return {
            name: np.asarray(value, np.float64) for name, value in zip(names, values, strict=True)
        }

    def _misfit(self, pixels: NDArray[np.float32]) -> UnusableDetector:
        height, width = pixels.shape[2:]
        return UnusableDetector(
            self._path,
            f"does not take {self._family} pictures of {width}x{height}",
            "export it for input of any height and width",
        )


def _are_boxes(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of rows (n, 4) which are finite and hold an area; a broken network gives others."""
    finite = np.isfinite(boxes).all(axis=1)
    return finite & (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])


def _digest(path: Path) -> str:
    """Return the beginning of a file's SHA-256, empty where it cannot be read."""
    try:
        return hashlib.sha256(read_file(path)).hexdigest()[:8]
    except OSError:
        return ""


def _options(threads: int) -> onnxruntime.SessionOptions:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return options


def open_session(
    path: Path, options: onnxruntime.SessionOptions | None = None
) -> onnxruntime.InferenceSession:
    """Open an ONNX file on the processor; raises SetupError where it is not there or no network."""
    import onnxruntime

    if not path.is_file():
        raise UnusableDetector(path, "does not exist", "give the path of an ONNX file")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # ONNX Runtime raises a dozen classes of its own for a bad file.
        raise UnusableDetector(
            path, "cannot be opened as ONNX", "it is damaged or something else"
        ) from error


def _family(session: onnxruntime.InferenceSession, path: Path) -> str:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    names = {output.name for output in outputs}
    takes_a_picture = (
        len(inputs) == 1
        and len(inputs[0].shape) == 4
        and inputs[0].shape[1] == 3
        and inputs[0].type == "tensor(float)"
    )
    if takes_a_picture and {"loc", "conf"} <= names:
        return "FaceBoxes"
    if takes_a_picture and len(outputs) == 1 and _is_yolo(outputs[0].shape):
        return "YOLO"
    raise UnusableDetector(
        path,
        "has input "
        f"{', '.join(f'{one.name} {one.shape} {one.type}' for one in inputs)} and output "
        f"{', '.join(f'{one.name} {one.shape}' for one in outputs)}; expected are one float input "
        f"(1, 3, height, width) and {EXPECTED}",
    )


def _is_yolo(shape: Sequence[int | str | None]) -> bool:
    """Say whether an output has a box and at least one class; a size may be open, as a name."""
    return len(shape) == 3 and not (isinstance(shape[1], int) and shape[1] < 5)


def _fixed_sides(session: onnxruntime.InferenceSession, path: Path) -> tuple[int, int] | None:
    """Return width and height where the file fixes them, None where any size goes."""
    _, _, height, width = session.get_inputs()[0].shape
    if isinstance(height, int) and isinstance(width, int):
        if min(height, width) < 1:
            raise UnusableDetector(path, "takes pictures of no size")
        return width, height
    return None


def prior_boxes(width: int, height: int) -> NDArray[np.float64]:
    """Return FaceBoxes' prior boxes for an input: centre x, y, width, height in shares of it.

    Strides 32, 64 and 128 with boxes of 32, 64, 128, of 256 and of 512 pixels; the three smallest
    stand 4, 2 and 1 times denser along either axis (arXiv 1708.05234, section 3.1).
    """
    rows: list[NDArray[np.float64]] = []
    for stride, sides in (
        (32, ((32, 4), (64, 2), (128, 1))),
        (64, ((256, 1),)),
        (128, ((512, 1),)),
    ):
        down, across = math.ceil(height / stride), math.ceil(width / stride)
        cell = [
            (x, y, side)
            for side, density in sides
            for y in _offsets(density)
            for x in _offsets(density)
        ]
        offsets = np.array(cell, np.float64)
        grid = np.stack(np.meshgrid(np.arange(across), np.arange(down)), axis=-1).reshape(-1, 1, 2)
        centres = (grid + offsets[None, :, :2]) * stride
        sizes = np.broadcast_to(offsets[None, :, 2:], (len(grid), len(cell), 1))
        rows.append(np.concatenate([centres, sizes, sizes], axis=2).reshape(-1, 4))
    return np.concatenate(rows) / np.array([width, height] * 2, np.float64)


def _offsets(density: int) -> list[float]:
    return [0.5] if density == 1 else [step / density for step in range(density)]


def _from_priors(offsets: NDArray[np.float64], priors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Undo the encoding of SSD (arXiv 1512.02325): variances 0.1 for centres, 0.2 for sizes."""
    centres = priors[:, :2] + offsets[:, :2] * 0.1 * priors[:, 2:]
    halves = priors[:, 2:] * np.exp(np.minimum(offsets[:, 2:] * 0.2, 20.0)) / 2
    return np.hstack([centres - halves, centres + halves])
