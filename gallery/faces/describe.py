"""Picture -> described faces. Knows no database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gallery.faces.interfaces import Aligner, Detector, Encoder
from gallery.faces.quality import NO_GATES, Gates, measure
from gallery.types import CROP_SIDE, Crop, DescribedFace, Face, Image, Quality


@dataclass(frozen=True, slots=True, eq=False)
class DescribedPicture:
    """What was seen in a picture."""

    faces: tuple[DescribedFace, ...]
    """Those that pass, best score first."""
    left_out: int
    """How many there are more."""


class LateEncoder:
    """An encoder whose network is opened for the first face: many runs meet none.

    Enrolling folders that have not changed and pictures without faces want no more than its id.
    """

    def __init__(self, encoder_id: str, open_encoder: Callable[[], Encoder]) -> None:
        self.id = encoder_id
        self._open_encoder = open_encoder
        self._lock = threading.Lock()

    @cached_property
    def _opened(self) -> Encoder:
        return self._open_encoder()

    @property
    def _encoder(self) -> Encoder:
        # Of several threads that meet the first face, one opens the network.
        with self._lock:
            return self._opened

    def encode(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the network's descriptors; raises SetupError where it cannot be opened."""
        return self._encoder.encode(crops)


class Describer:
    """A detector, an aligner and an encoder at work together."""

    def __init__(self, detector: Detector, aligner: Aligner, encoder: Encoder) -> None:
        self.detector = detector
        self.aligner = aligner
        self.encoder = encoder

    def faces(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the faces of every picture, best score first."""
        return self.detector.detect(images)

    def passing(self, image: Image, faces: Sequence[Face], gates: Gates) -> list[Face]:
        """Return those faces of a picture that are as the gates want them, in their order."""
        large = [face for face in faces if gates.admit(face)]
        if gates.min_quality <= 0:
            return large
        size = (image.width, image.height)
        return [
            face
            for face in large
            if measure(self.aligner.align(image, face), face, size).score >= gates.min_quality
        ]

    def describe_pictures(
        self, images: Sequence[Image], gates: Gates = NO_GATES
    ) -> list[DescribedPicture]:
        """Return the described faces of every picture; all faces are encoded in one batch.

        A picture's faces are the same as for the picture alone.
        """
        found = self.faces(images)
        passing = [
            [one for one in self._cut(image, faces, gates) if one[2].score >= gates.min_quality]
            for image, faces in zip(images, found, strict=True)
        ]
        crops = [crop for faces in passing for _, crop, _ in faces]
        # Many pictures show nobody, and the network is opened for the first face.
        descriptors = iter(self.encoder.encode(np.stack(crops)) if crops else ())
        described = [
            tuple(DescribedFace(face, crop, next(descriptors), how) for face, crop, how in faces)
            for faces in passing
        ]
        return [
            DescribedPicture(faces, len(all_faces) - len(faces))
            for faces, all_faces in zip(described, found, strict=True)
        ]

    def _cut(
        self, image: Image, faces: Sequence[Face], gates: Gates
    ) -> Iterator[tuple[Face, Crop, Quality]]:
        """Yield those faces of a picture that gates admit, with their crops and quality."""
        for face in faces:
            if gates.admit(face):
                crop = self.aligner.align(image, face)
                yield face, crop, measure(crop, face, (image.width, image.height))

    def describe(self, faces: Sequence[tuple[Image, Face]]) -> list[DescribedFace]:
        """Return faces with crops, descriptors and quality, encoded in one batch."""
        if not faces:
            return []
        crops = np.zeros((len(faces), CROP_SIDE, CROP_SIDE, 3), np.uint8)
        for row, (image, face) in enumerate(faces):
            crops[row] = self.aligner.align(image, face)
        descriptors = self.encoder.encode(crops)
        return [
            DescribedFace(face, crop, descriptor, measure(crop, face, (image.width, image.height)))
            for (image, face), crop, descriptor in zip(faces, crops, descriptors, strict=True)
        ]

    def describe_all(self, image: Image) -> list[DescribedFace]:
        """Return every face of a picture, described, best score first."""
        (seen,) = self.describe_pictures([image])
        return list(seen.faces)
