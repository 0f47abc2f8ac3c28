"""The package animeface: a neural network over a sliding window, from 2009; the reference."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gallery.errors import SetupError
from gallery.faces.detectors.boxes import head_around
from gallery.types import Face, Image, Landmarks, Point

if TYPE_CHECKING:
    import animeface

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
        import PIL

        self._lock = threading.Lock()

        if int(PIL.__version__.split(".")[0]) >= 12:
            # Its C code reads Pillow's private structs, and finds nothing without a word.
            raise SetupError(
                f"animeface finds no face with Pillow {PIL.__version__}; "
                "install an older one: pip install 'pillow<12'."
            )

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the faces of every picture, best score first."""
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Image) -> list[Face]:
        import animeface
        from PIL import Image as pillow

        scale = max(image.width, image.height) / MAX_SIDE
        picture = pillow.fromarray(image.pixels)
        if scale > 1:
            size = (math.ceil(image.width / scale), math.ceil(image.height / scale))
            picture = picture.resize(size, pillow.Resampling.BOX)
        # Nothing says that its C code takes two pictures at once.
        with self._lock:
            found = animeface.detect(picture)
        faces = [_face(one, max(scale, 1.0)) for one in found]
        return sorted(faces, key=lambda face: -face.score)


def _face(found: animeface.Face, scale: float) -> Face:
    box = found.face.pos
    # animeface names eyes from the character's side: its right eye stands on the left.
    left, right = sorted(_middle(part.pos, scale) for part in (found.left_eye, found.right_eye))
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
            nose=Point(found.nose.pos.x * scale, found.nose.pos.y * scale),
            mouth=_middle(found.mouth.pos, scale),
            chin=Point(found.chin.pos.x * scale, found.chin.pos.y * scale),
        ),
    )


def _middle(box: animeface.Box, scale: float) -> Point:
    return Point((box.x + box.width / 2) * scale, (box.y + box.height / 2) * scale)
