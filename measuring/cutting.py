"""Faces as the product sees them: found by a detector and cut by the aligner, from whole pictures.

The shared faces are squares around a head, which stand for pictures here: what a detector and the
aligner lose beside the squares themselves is seen end to end.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.faces import catalog
from gallery.faces.align import EyeAligner
from gallery.faces.interfaces import Detector
from gallery.settings import DEFAULT_DETECTOR
from gallery.system.files import replacing
from gallery.types import CROP_SIDE, Box, Face, Image, Pixels
from measuring.faces import Faces, read_faces

AT_ONCE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The crops of pictures."""

    crops: NDArray[np.uint8]
    """Shape (n, CROP_SIDE, CROP_SIDE, 3)."""
    missed: int
    """How many pictures had no face for the detector; they are taken whole."""


def cut(faces: Faces, detector: Detector) -> Cut:
    """Return every face cut by what the detector says: its likeliest and largest head."""
    aligner = EyeAligner()
    crops = np.zeros((len(faces), CROP_SIDE, CROP_SIDE, 3), np.uint8)
    missed = 0
    for start in range(0, len(faces), AT_ONCE):
        images = [_image(pixels) for pixels in faces.pixels[start : start + AT_ONCE]]
        for place, found in enumerate(detector.detect(images), start):
            image = images[place - start]
            missed += not found
            head = max(found, key=lambda one: one.score * one.box.area, default=_whole(image))
            crops[place] = aligner.align(image, head)
    return Cut(crops, missed)


def read_aligned(faces: Faces, cache: Path) -> Pixels:
    """Return every face as the product's default detector and aligner cut it.

    Shape (n, CROP_SIDE, CROP_SIDE, 3); kept in the cache folder under the detector's name, which
    says its networks' digests, and the faces' digest, and used as it lies on the disc.
    """
    detector = catalog.detector(DEFAULT_DETECTOR)
    names = hashlib.sha256("\n".join(faces.identity).encode()).hexdigest()
    kept = cache / f"aligned-{detector.name}-{names[:12]}.npy"
    if not kept.is_file():
        with replacing(kept) as partial, partial.open("wb") as file:
            np.save(file, cut(faces, detector).crops)
    return np.asarray(np.load(kept, mmap_mode="r"))


def read_cut(folder: Path, split: str, cache: Path) -> Faces:
    """Return all faces of a split as the product cuts them, as `read_faces` and `read_aligned`."""
    faces = read_faces(folder, split, cache)
    return replace(faces, pixels=read_aligned(faces, cache))


def _image(pixels: Pixels) -> Image:
    return Image(np.ascontiguousarray(pixels), "", Path("face"))


def _whole(image: Image) -> Face:
    return Face(Box(0, 0, image.width, image.height), 1.0)
