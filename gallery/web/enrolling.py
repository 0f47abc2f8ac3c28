"""Enrolling pictures that a person brings: each becomes a sample of a character.

What the gallery keeps of it is the face's crop, as of every picture that is enrolled.
"""

from __future__ import annotations

from pathlib import Path

from gallery.errors import NoSuchCharacter
from gallery.jobs import add
from gallery.store.names import clean_name
from gallery.web.desk import Desk
from gallery.web.picture_shapes import AddedShape
from gallery.web.uploads import brought

BROUGHT = Path("uploaded")
"""Where a sample is said to come from whose picture no file of this machine holds."""


class Enrolling:
    """A gallery that takes pictures, one after another."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add(
        self, content: bytes, name: str, file: str, *, new: bool = False, largest: bool = False
    ) -> AddedShape:
        """Enroll the one face of a picture, or the largest, under a name that somebody has.

        Or under one that is new. Its file's name is kept. Raises InputError for what is no picture,
        for one without a face or with several, for one that is enrolled under another name, and for
        a name that nobody has, or that can be none.
        """
        engine = self._desk.engine
        with self._desk.turn:
            engine.require_encoded()
            name = self._called(name, new=new)
        with self._desk.looking:
            looked = add.look(engine.describer, brought(content, file), largest=largest)
        with self._desk.turn:
            added = add.put(engine, looked, name, path=BROUGHT / looked.image.path)
        sample = added.sample
        return AddedShape(
            sample=sample.id, name=sample.character, is_new=added.is_new, is_poor=sample.is_poor
        )

    def _called(self, name: str, *, new: bool) -> str:
        try:
            return self._desk.engine.store.character(name).name
        except NoSuchCharacter:
            if not new:
                raise
        return clean_name(name)
