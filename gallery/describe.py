"""Picture -> described faces. Knows no database."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gallery.interfaces import Aligner, Detector, Encoder
from gallery.types import CROP_SIDE, DescribedFace, Face, Image


class Describer:
    """A detector, an aligner and an encoder at work together."""

    def __init__(self, detector: Detector, aligner: Aligner, encoder: Encoder) -> None:
        self.detector = detector
        self.aligner = aligner
        self.encoder = encoder

    def faces(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the faces of every picture, best score first."""
        return self.detector.detect(images)

    def describe(self, faces: Sequence[tuple[Image, Face]]) -> list[DescribedFace]:
        """Return faces with their crops and descriptors, encoded in one batch."""
        crops = np.zeros((len(faces), CROP_SIDE, CROP_SIDE, 3), np.uint8)
        for row, (image, face) in enumerate(faces):
            crops[row] = self.aligner.align(image, face)
        descriptors = self.encoder.encode(crops)
        return [
            DescribedFace(face, crop, descriptor)
            for (_, face), crop, descriptor in zip(faces, crops, descriptors, strict=True)
        ]

    def describe_all(self, image: Image) -> list[DescribedFace]:
        """Return every face of a picture, described, best score first."""
        (faces,) = self.faces([image])
        return self.describe([(image, face) for face in faces])
