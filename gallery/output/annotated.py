"""Pictures with every face boxed and named; of videos the best moment of every track."""

from __future__ import annotations

from dataclasses import replace

from gallery.errors import BadSetting, InputError
from gallery.media.images import read_image
from gallery.media.stills import box_in, name_of
from gallery.output.format import MAX_NAME_BYTES, NotWrittenError, Output
from gallery.reports.annotate import OUTPUT_SUFFIXES, annotate, save_picture
from gallery.system.file_names import annotated_name
from gallery.types import Record, VideoRecord

MARK = ".annotated"
"""Stands in every name, so that no picture of anybody's is ever replaced, and none comes back as an
input, see file_names.is_annotated_name."""


class Annotated:
    """Draws the pictures that show a face into a folder."""

    name = "annotated"
    is_document = False
    takes_videos = True

    def __init__(self, output: Output) -> None:
        """Prepare to fill a folder. Raises InputError where none is named."""
        if output.target is None:
            raise BadSetting("write", "Name the folder for the pictures: annotated:FOLDER")
        self._output = output

    def write(self, record: Record) -> None:
        """Draw a picture with faces. Raises NotWrittenError where it can no longer be read."""
        if not record.faces:
            return
        if isinstance(record, VideoRecord):
            self._write_still(record)
            return
        try:
            pixels = read_image(record.path).pixels
        except InputError as error:
            raise NotWrittenError(str(error)) from error
        name = annotated_name(record.path.name, OUTPUT_SUFFIXES)
        path = self._output.beside(record.path, name)
        save_picture(annotate(pixels, record.faces), path)

    def close(self) -> None:
        """Let go of a video."""
        self._output.stills.close()

    def _write_still(self, record: VideoRecord) -> None:
        try:
            still = self._output.stills.of(record)
        except InputError as error:
            raise NotWrittenError(str(error)) from error
        (answer,) = record.faces
        shown = replace(answer, face=replace(answer.face, box=box_in(still, record)))
        name = name_of(record, f"{MARK}.png", MAX_NAME_BYTES)
        save_picture(annotate(still.pixels, (shown,)), self._output.beside(record.path, name))
