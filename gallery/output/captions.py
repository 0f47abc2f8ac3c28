"""Captions as kohya's trainers and image boards have them: `picture.txt`, tags between commas."""

from __future__ import annotations

import re

from gallery.output import sidecars
from gallery.output.format import Output, OutputOptions, TagStyle, names_in
from gallery.types import Record


class Captions:
    """Adds the characters' names to the end of a picture's caption."""

    name = "captions"
    is_document = False
    takes_videos = False

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, record: Record) -> None:
        """Add the names that a caption lacks; hand-made tags stay as they are."""
        options = self._output.options
        names = names_in(record, unsure=options.unsure)
        tags = sidecars.unique(tag_of(name, options) for name in names)
        if tags:
            sidecars.require_own_stem(record.path, "caption")
            path = self._output.beside(record.path, f"{record.path.stem}.txt")
            sidecars.add_tags(path, tags, ", ")

    def close(self) -> None:
        """Nothing is open."""


def tag_of(name: str, options: OutputOptions) -> str:
    """Return a character's name as a tag; commas, which part tags, become spaces."""
    text = sidecars.one_line(name, without=",")
    series = sidecars.one_line(options.series, without=",")
    if series and not re.search(r"\(.*\)$", text):
        text = f"{text} ({series})"
    if options.tags is TagStyle.BOORU:
        text = text.lower().replace(" ", "_")
    return f"{options.prefix}{text}" if text else ""
