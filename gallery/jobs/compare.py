"""How far apart the faces of two pictures are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gallery.faces.describe import Describer
from gallery.jobs.enroll_folders import choose_face
from gallery.settings import SAME
from gallery.types import Descriptor, Image


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two faces beside each other."""

    distance: float
    """Euclidean, of their descriptors; small is near."""
    threshold: float
    is_same: bool
    """Whether the distance is at most the threshold."""


def compare(
    describer: Describer,
    first: Image,
    second: Image,
    *,
    threshold: float = SAME,
    largest: bool = False,
) -> Comparison:
    """Compare the one face of each picture; `largest` takes the largest of several.

    Raises InputError for a picture without a face or with several.
    """
    one, other = (_descriptor(describer, image, largest=largest) for image in (first, second))
    distance = float(np.linalg.norm(one - other))
    return Comparison(distance, threshold, distance <= threshold)


def _descriptor(describer: Describer, image: Image, *, largest: bool) -> Descriptor:
    face = choose_face(image.path, describer.faces([image])[0], largest=largest)
    return describer.describe([(image, face)])[0].descriptor
