"""Identifying a batch: who is in every picture; nothing is written."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from gallery.events import Finished, Job, Started
from gallery.faces.quality import NO_GATES, Gates
from gallery.jobs.pipeline import identified
from gallery.media.inputs import Media
from gallery.types import MatchMode

if TYPE_CHECKING:
    from gallery.engine.engine import Engine


def identify(
    engine: Engine,
    media: Media,
    *,
    mode: MatchMode = MatchMode.IDEAL,
    top: int = 3,
    gates: Gates = NO_GATES,
    with_images: bool = False,
) -> Job[int]:
    """Say who is in pictures, in their order, and at last how many could be read.

    What was refused before is told first. With images, each event has its decoded picture. Raises
    StoreError where samples lack the encoder in use.
    """
    engine.require_encoded()
    yield Started("identifying", len(media.pictures), "picture")
    yield from media.told()
    answers = identified(
        engine, media.pictures, mode=mode, top=top, gates=gates, with_images=with_images
    )
    read = 0
    with closing(answers):
        for one in answers:
            read += one.record.error is None
            yield one
    yield Finished(read)
