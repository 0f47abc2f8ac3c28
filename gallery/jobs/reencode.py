"""Encoding anew what the gallery keeps, from its crops; the pictures are not needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gallery.engine.engine import Gallery
from gallery.events import Advanced, Finished, Job, Stage, Started
from gallery.faces.quality import measure
from gallery.media.images import decode_crop
from gallery.types import CROP_SIDE, Crop, Descriptor

AT_ONCE = 64
"""Faces between two commits: what an interruption costs, at most."""


@dataclass(frozen=True, slots=True)
class Reencoded:
    """How many faces were encoded."""

    samples: int
    others: int
    """Faces that labelling saw, and rejected ones."""


def reencode(gallery: Gallery, *, everything: bool = False) -> Job[Reencoded]:
    """Encode all faces with the encoder in use that it has not encoded, or with everything, all.

    Where a sample's quality is unknown, what its crop and its box tell of it is noted; what counts
    for its ideal stays as it is. What is told is in the database.
    """
    wanted = gallery.remaining(everything=everything)
    yield Started("encoding", len(wanted), "sample")
    for some in _portions(wanted):
        encode_samples(gallery, some)
        yield Advanced(len(some))
    others = yield from encode_kept(gallery, everything=everything)
    yield Finished(Reencoded(len(wanted), others))


def encode_kept(gallery: Gallery, *, everything: bool = False) -> Stage[int]:
    """Describe rejected and seen faces from their crops with the encoder in use.

    Those that it has described are passed over, unless everything is asked for. Returns how many
    were described; where there are none, nothing is told.
    """
    store, encoder = gallery.store, gallery.encoder
    rejected = store.rejections.unencoded("" if everything else encoder)
    seen = store.sightings.unencoded("" if everything else encoder)
    total = len(rejected) + len(seen)
    if total:
        yield Started("encoding", total, "face")
    for some in _portions(rejected):
        crops = {one: store.rejections.crop(one) for one in some}
        with_crop = {one: decode_crop(crop) for one, crop in crops.items() if crop is not None}
        described = _encoded(gallery, with_crop)
        with store.writing() as writer:
            for one, vector in described.items():
                writer.describe_rejection(one, encoder, vector)
        yield Advanced(len(some))
    for some in _portions(seen):
        kept = store.sightings.crops(some)
        described = _encoded(gallery, {one: decode_crop(crop) for one, crop in kept.items()})
        with store.writing() as writer:
            for one, vector in described.items():
                writer.sightings.describe(one, encoder, vector)
        yield Advanced(len(some))
    return total


def encode_samples(gallery: Gallery, sample_ids: Sequence[int]) -> None:
    """Encode the stored crops of samples with the encoder in use, in one transaction."""
    crops, unmeasured = gallery.crops(sample_ids), gallery.store.unmeasured(sample_ids)
    described = _encoded(gallery, crops)
    with gallery.store.writing() as writer:
        for sample_id, descriptor in described.items():
            # Somebody may have removed it meanwhile.
            if writer.has(sample_id):
                writer.describe(sample_id, gallery.encoder, descriptor)
                if sample_id in unmeasured:
                    quality = measure(crops[sample_id], unmeasured[sample_id])
                    writer.measure(sample_id, quality)


def _encoded(gallery: Gallery, crops: Mapping[int, Crop]) -> dict[int, Descriptor]:
    batch = np.array(list(crops.values()), np.uint8).reshape(-1, CROP_SIDE, CROP_SIDE, 3)
    return dict(zip(crops, gallery.describer.encoder.encode(batch), strict=True))


def _portions(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]
