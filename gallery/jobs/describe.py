"""Describing a batch: the descriptors of every face, for an analysis elsewhere; no database."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from gallery.events import Advanced, Described, Finished, Job, Refused, Started
from gallery.faces.describe import Describer
from gallery.jobs.pipeline import looked_at
from gallery.media.inputs import Media
from gallery.output.arrays import FaceTable
from gallery.types import Image


def describe(describer: Describer, media: Media) -> Job[FaceTable]:
    """Describe all faces of pictures, in their order, and at last return them as a table.

    What was refused before is told first; a picture that cannot be read is refused.
    """
    table = FaceTable(describer.encoder.id)
    yield Started("describing", len(media.pictures), "picture")
    yield from media.told()
    groups = looked_at(media.pictures, lambda images: _described(describer, images))
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
