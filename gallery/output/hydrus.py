"""Sidecars for the Hydrus network: `picture.png.txt`, a tag on each line, with a namespace."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gallery.metadata.tags import spelling, split, tag_of
from gallery.output import sidecars
from gallery.output.format import Output, names_in
from gallery.types import Record

NAMESPACE = "character:"
SERIES = "series:"


class Hydrus:
    """Adds `character:name` to the tags that Hydrus reads when it imports a picture.

    Where the series of a character is known, `series:name` is added, too.
    """

    name = "hydrus"
    is_document = False
    takes_videos = False

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, record: Record) -> None:
        """Add the tags that a sidecar lacks; those that are there stay."""
        options = self._output.options
        names = names_in(record, unsure=options.unsure)
        series = [options.series_of[name] for name in names if name in options.series_of]
        spaced = [(NAMESPACE, name) for name in names] + [(SERIES, name) for name in series]
        tags = sidecars.unique(space + tag for space, name in spaced if (tag := tag_of(name)))
        if not tags:
            return
        path = self._output.beside(record.path, f"{record.path.name}.txt")
        sidecars.update_text(self._output, path, partial(_with_lines, tags=tags))

    def close(self) -> None:
        """Nothing is open."""


def _with_lines(text: str, tags: Sequence[str]) -> str:
    known = {spelling(tag) for tag in split(text, "\n")}
    new = [tag for tag in tags if spelling(tag) not in known]
    if not new:
        return text
    body = text.rstrip(" \t\r\n")
    end = "\r\n" if text.endswith("\r\n") else "\n"
    return "\n".join([*([body] if body else []), *new]) + end
