"""Drawing heads that no detector saw, and taking them back."""

from __future__ import annotations

from gallery.errors import DecidedMeanwhile, NoSuchSeenFace
from gallery.jobs import draw
from gallery.jobs.decide import person
from gallery.types import Box
from gallery.web.desk import Desk
from gallery.web.picture_shapes import ErasedShape, HeadGiven
from gallery.web.shapes import FaceGiven, FaceShape


class Drawing:
    """A gallery's pictures, to draw heads in."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def draw(self, given: HeadGiven) -> FaceShape:
        """Note a head in the picture of a face; see jobs.draw for what is refused."""
        with self._desk.turn:
            number = draw.draw(self._desk.engine, given.face, Box(*given.box), person(None))
            (face,) = self._desk.shown([number])
            return face

    def erase(self, given: FaceGiven) -> ErasedShape:
        """Take a drawn head back. Raises InputError for others, and where it was decided of."""
        with self._desk.turn:
            faces = self._desk.shown([given.id])
            if not faces:
                raise NoSuchSeenFace(given.id)
            if faces[0].version != given.version:
                raise DecidedMeanwhile((given.id,))
            draw.erase(self._desk.engine, given.id, person(None))
            return ErasedShape(face=given.id)
