"""Describing a batch: the descriptors of every face, for an analysis elsewhere; no database."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from gallery.events import Advanced, Described, Finished, Job, Refused, Started
from gallery.faces.describe import Describer
from gallery.jobs.pipeline import looked_at
from gallery.output.arrays import FaceTable
from gallery.types import Image


def describe(
    describer: Describer, pictures: Sequence[Path], refused: Sequence[tuple[Path, str]] = ()
) -> Job[FaceTable]:
    """Describe all faces of pictures, in their order, and at last return them as a table.

    Paths that were refused before are told first; a picture that cannot be read is refused.
    """
    table = FaceTable(describer.encoder.id)
    yield Started("describing", len(pictures), "picture")
    for path, why in refused:
        yield Refused(path, why)
    groups = looked_at(pictures, lambda images: _described(describer, images))
    with closing(groups):
        for one in (one for group in groups for one in group):
            if one.found is None:
                yield Refused(one.path, one.error or "", one.failure)
                yield Advanced()
            else:
                table.add(one.found)
                yield one.found
    yield Finished(table)


def _described(describer: Describer, images: Sequence[Image]) -> list[Described]:
    return [
        Described(image.path, image.width, image.height, seen.faces)
        for image, seen in zip(images, describer.describe_pictures(images), strict=True)
    ]
