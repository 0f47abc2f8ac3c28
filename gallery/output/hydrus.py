"""Sidecars for the Hydrus network: `picture.png.txt`, a tag on each line, with a namespace."""

from __future__ import annotations

from gallery.output import sidecars
from gallery.output.format import Output, names_in
from gallery.types import Record

NAMESPACE = "character:"


class Hydrus:
    """Adds `character:name` to the tags that Hydrus reads when it imports a picture."""

    name = "hydrus"
    is_document = False
    takes_videos = False

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, record: Record) -> None:
        """Add the tags that a sidecar lacks; those that are there stay."""
        names = names_in(record, unsure=self._output.options.unsure)
        plain = [sidecars.one_line(name) for name in names]
        tags = sidecars.unique(NAMESPACE + name for name in plain if name)
        if tags:
            path = self._output.beside(record.path, f"{record.path.name}.txt")
            sidecars.add_tags(path, tags, "\n")

    def close(self) -> None:
        """Nothing is open."""
