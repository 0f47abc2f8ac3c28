"""A head that a person drew: its box is the person's, its eyes are found where they can be."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from gallery.faces.align import eyes_are_plausible
from gallery.faces.interfaces import Detector
from gallery.types import Box, Face, Image, Landmarks, Point

AROUND = (1.5, 2.5)
"""Sides of the parts of the picture that are searched for its eyes, over the box's longer side: a
head that was missed in the whole picture is often found where it is large. Of the 36 heads of
data/detection from 16 pixels on that `heads` misses, it sees the eyes of 22 so."""

SAME_HEAD = 0.3
"""A detected box that overlaps the drawn one this much is of the same head: people draw loosely."""


def drawn_face(detector: Detector, image: Image, box: Box) -> Face:
    """Return the face in a box that a person drew, with its eyes where the detector sees them.

    Without eyes that are plausible in the box it has no landmarks, and is cut upright.
    """
    for part in _parts(image, box):
        left, top, right, bottom = part
        pixels = np.ascontiguousarray(image.pixels[top:bottom, left:right])
        (found,) = detector.detect([Image(pixels, "", image.path)])
        faces = [_moved(face, left, top) for face in found]
        likely = max(faces, key=lambda face: face.box.overlap(box), default=None)
        if likely is None or likely.landmarks is None or likely.box.overlap(box) < SAME_HEAD:
            continue
        if eyes_are_plausible(box, likely.landmarks):
            return Face(box, 1.0, likely.landmarks)
    return Face(box, 1.0)


def _parts(image: Image, box: Box) -> Iterator[tuple[int, int, int, int]]:
    """Yield squares around a box, as far as the picture reaches: left, top, right, bottom."""
    for around in AROUND:
        half = around * max(box.width, box.height) / 2
        x, y = box.centre
        yield (
            max(math.floor(x - half), 0),
            max(math.floor(y - half), 0),
            min(math.ceil(x + half), image.width),
            min(math.ceil(y + half), image.height),
        )


def _moved(face: Face, left: int, top: int) -> Face:
    """Return a face of a part of a picture by its places in the whole of it."""
    box = Box(
        face.box.left + left, face.box.top + top, face.box.right + left, face.box.bottom + top
    )
    marks = face.landmarks
    if marks is not None:
        marks = Landmarks(
            *(None if at is None else Point(at.x + left, at.y + top) for at in marks)  # type: ignore[arg-type]
        )
    return Face(box, face.score, marks)
