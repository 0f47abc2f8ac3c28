"""Pictures with every face boxed and named."""

from __future__ import annotations

from gallery.annotate import OUTPUT_SUFFIXES, annotate, save_picture
from gallery.errors import InputError
from gallery.images import read_image
from gallery.labelling.output import NotWrittenError, Output
from gallery.types import Record

MARK = ".annotated"
"""Stands in every name, so that no picture of anybody's is ever replaced."""


class Annotated:
    """Draws the pictures that show a face into a folder."""

    name = "annotated"
    is_document = False

    def __init__(self, output: Output) -> None:
        """Prepare to fill a folder. Raises InputError where none is named."""
        if output.target is None:
            raise InputError("Name the folder for the pictures: --write annotated:FOLDER.")
        self._output = output

    def write(self, record: Record) -> None:
        """Draw a picture with faces. Raises NotWrittenError where it can no longer be read."""
        if not record.faces:
            return
        try:
            pixels = read_image(record.path).pixels
        except InputError as error:
            raise NotWrittenError(str(error)) from error
        suffix = record.path.suffix
        ending = suffix if suffix.lower() in OUTPUT_SUFFIXES else f"{suffix}.png"
        path = self._output.beside(record.path, f"{record.path.stem}{MARK}{ending}")
        save_picture(annotate(pixels, record.faces), path)

    def close(self) -> None:
        """Nothing is open."""
