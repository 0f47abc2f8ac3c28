"""The package animeface: a neural network over a sliding window, from 2009; the reference."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gallery.faces.detectors import nvxs
from gallery.faces.detectors.boxes import head_around
from gallery.faces.detectors.nvxs import FoundFace, Rectangle
from gallery.types import Face, Image, Landmarks, Pixels, Point

MAX_SIDE = 1920
"""Larger pictures are scaled down to this before detection: its time grows with the area."""

HEAD_SCALE = 1.55
"""Side of a head, hair and chin inside, over the side of animeface's box."""

HEAD_LIFT = 0.2
"""How far the head's centre stands above that box's, in box sides."""


class AnimefaceDetector:
    """Finds upright faces of at least 43 pixels from brow to chin, with eyes, nose and mouth."""

    name = "animeface"

    def __init__(self) -> None:
        self._library = nvxs.installed()

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the faces of every picture, best score first."""
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Image) -> list[Face]:
        scale = max(image.width, image.height) / MAX_SIDE
        pixels = _shrunk(image, scale) if scale > 1 else image.pixels
        faces = [_face(one, max(scale, 1.0)) for one in self._library.detect(pixels)]
        return sorted(faces, key=lambda face: -face.score)


def _shrunk(image: Image, scale: float) -> Pixels:
    """Return a picture's pixels with its sides divided by a scale."""
    from PIL import Image as pillow

    size = (math.ceil(image.width / scale), math.ceil(image.height / scale))
    return np.asarray(pillow.fromarray(image.pixels).resize(size, pillow.Resampling.BOX))


def _face(found: FoundFace, scale: float) -> Face:
    box = found.face
    # animeface names eyes from the character's side: its right eye stands on the left.
    left, right = sorted(_middle(part, scale) for part in (found.left_eye, found.right_eye))
    return Face(
        box=head_around(
            Point((box.x + box.width / 2) * scale, (box.y + box.height / 2) * scale),
            max(box.width, box.height) * scale,
            head_scale=HEAD_SCALE,
            lift=HEAD_LIFT,
        ),
        score=min(max(float(found.likelihood), 0.0), 1.0),
        landmarks=Landmarks(
            left_eye=left,
            right_eye=right,
            nose=Point(found.nose.x * scale, found.nose.y * scale),
            mouth=_middle(found.mouth, scale),
            chin=Point(found.chin.x * scale, found.chin.y * scale),
        ),
    )


def _middle(box: Rectangle, scale: float) -> Point:
    return Point((box.x + box.width / 2) * scale, (box.y + box.height / 2) * scale)
