"""qhgz2013's anime-face-detector, a Faster R-CNN in TensorFlow, as a detector of gallery.

Its repository is a folder of scripts, which the variable ANIME_FACE_DETECTOR names.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gallery import Box, Face, Image, SetupError
from gallery.faces.detectors.boxes import head_around
from gallery.numerics.distances import keep_best

VARIABLE = "ANIME_FACE_DETECTOR"
WEIGHTS = Path("model", "res101_faster_rcnn_iter_60000.ckpt")
REPOSITORY = "https://github.com/qhgz2013/anime-face-detector"

MIN_SCORE, MAX_OVERLAP, MOST = 0.8, 0.3, 300
"""What the program itself uses unless it is told otherwise; it proposes 300 boxes."""

FACE = 1
"""Its classes are the background and the face."""

HEAD_SCALE, LIFT = 1.55, 0.2
"""From its boxes, from brow to chin, to heads with hair."""


class FasterRcnnDetector:
    """Finds faces by the program's own function `detect`."""

    name = "qhgz2013@60000"

    def __init__(self) -> None:
        """Build the network and restore its weights. Raises SetupError where either is not here."""
        folder = Path(os.environ.get(VARIABLE, "anime-face-detector")).absolute()
        for needed in (Path("main.py"), WEIGHTS.with_name(f"{WEIGHTS.name}.index")):
            if not (folder / needed).is_file():
                raise SetupError(
                    f"{folder} lacks {needed}; get {REPOSITORY} and its model, and set {VARIABLE} "
                    "to that folder."
                )
        sys.path.insert(0, str(folder))
        try:
            from _tf_compat_import import compat_tensorflow
            from faster_rcnn_wrapper import FasterRCNNSlim
            from main import detect
        finally:
            sys.path.remove(str(folder))
        options = compat_tensorflow.ConfigProto()
        # Otherwise it takes all of a graphics card.
        options.gpu_options.allow_growth = True
        self._session = compat_tensorflow.Session(config=options)
        self._network = FasterRCNNSlim()
        compat_tensorflow.train.Saver().restore(self._session, str(folder / WEIGHTS))
        self._detect = detect

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the heads of every picture, best score first."""
        return [self._heads(image) for image in images]

    def _heads(self, image: Image) -> list[Face]:
        # It takes what OpenCV reads: blue, green, red.
        pixels = np.ascontiguousarray(image.pixels[..., ::-1])
        all_scores, all_boxes = self._detect(self._session, self._network, pixels)
        scores, boxes = all_scores[:, FACE], all_boxes[:, 4 * FACE : 4 * FACE + 4]
        # Boxes that its clipping leaves no area are beyond the edge.
        likely = (scores >= MIN_SCORE) & (boxes[:, 2:] - boxes[:, :2] >= 1).all(axis=1)
        scores, boxes = scores[likely], boxes[likely]
        kept = keep_best(boxes, scores, MAX_OVERLAP, MOST)
        return [_head(Box(*boxes[row].tolist()), float(scores[row])) for row in kept]


def _head(face: Box, score: float) -> Face:
    side = max(face.width, face.height)
    return Face(head_around(face.centre, side, head_scale=HEAD_SCALE, lift=LIFT), min(score, 1.0))
