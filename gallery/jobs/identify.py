"""Identifying a batch: who is in every picture; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.events import Finished, Job, Refused, Started
from gallery.faces.quality import NO_GATES, Gates
from gallery.jobs.pipeline import identified
from gallery.types import MatchMode

if TYPE_CHECKING:
    from gallery.engine.engine import Gallery


def identify(
    gallery: Gallery,
    pictures: Sequence[Path],
    refused: Sequence[tuple[Path, str]] = (),
    *,
    mode: MatchMode = MatchMode.IDEAL,
    top: int = 3,
    gates: Gates = NO_GATES,
    with_images: bool = False,
) -> Job[int]:
    """Say who is in pictures, in their order, and at last how many could be read.

    Paths that were refused are told first. With images, each event has its decoded picture. Raises
    StoreError where samples lack the encoder in use.
    """
    gallery.require_encoded()
    yield Started("identifying", len(pictures), "picture")
    for path, why in refused:
        yield Refused(path, why)
    answers = identified(
        gallery, pictures, mode=mode, top=top, gates=gates, with_images=with_images
    )
    read = 0
    with closing(answers):
        for one in answers:
            read += one.record.error is None
            yield one
    yield Finished(read)
