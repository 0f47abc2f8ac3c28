"""Encoding anew what the gallery keeps, from its crops; the pictures are not needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from gallery.engine.engine import Engine
from gallery.events import Advanced, Finished, Job, Stage, Started
from gallery.faces.quality import measure
from gallery.jobs.pipeline import Hands
from gallery.media.images import decode_crop
from gallery.types import CROP_SIDE, Descriptor

AT_ONCE = 64
"""Faces between two commits: what an interruption costs, at most."""


@dataclass(frozen=True, slots=True)
class Reencoded:
    """How many faces were encoded."""

    samples: int
    others: int
    """Faces that labelling saw, and rejected ones."""


def reencode(
    engine: Engine, *, everything: bool = False, hands: Hands | None = None
) -> Job[Reencoded]:
    """Encode all faces with the encoder in use that it has not encoded, or with everything, all.

    Where a sample's quality is unknown, what its crop and its box tell of it is noted; what counts
    for its ideal stays as it is. What is told is in the database. Where hands are given, they
    encode.
    """
    wanted = engine.remaining(everything=everything)
    yield Started("encoding", len(wanted), "sample")
    for some, described in _encoded(engine, wanted, engine.store.crops, hands):
        _keep_samples(engine, described)
        yield Advanced(len(some))
    others = yield from encode_kept(engine, everything=everything, hands=hands)
    yield Finished(Reencoded(len(wanted), others))


def encode_kept(
    engine: Engine, *, everything: bool = False, hands: Hands | None = None
) -> Stage[int]:
    """Describe rejected and seen faces from their crops with the encoder in use.

    Those that it has described are passed over, unless everything is asked for. Returns how many
    were described; where there are none, nothing is told. Where hands are given, they describe.
    """
    store, encoder = engine.store, engine.encoder
    rejected = store.rejections.unencoded("" if everything else encoder)
    seen = store.sightings.unencoded("" if everything else encoder)
    total = len(rejected) + len(seen)
    if total:
        yield Started("encoding", total, "face")
    for some, described in _encoded(engine, rejected, store.rejections.crops, hands):
        with store.writing() as writer:
            for one, vector in described.items():
                writer.describe_rejection(one, encoder, vector)
        yield Advanced(len(some))
    for some, described in _encoded(engine, seen, store.sightings.crops, hands):
        with store.writing() as writer:
            for one, vector in described.items():
                writer.sightings.describe(one, encoder, vector)
        yield Advanced(len(some))
    return total


def encode_samples(engine: Engine, sample_ids: Sequence[int]) -> None:
    """Encode the stored crops of samples with the encoder in use, a transaction a portion."""
    for _, described in _encoded(engine, sample_ids, engine.store.crops, None):
        _keep_samples(engine, described)


def _keep_samples(engine: Engine, described: Mapping[int, Descriptor]) -> None:
    unmeasured = engine.store.unmeasured(list(described))
    crops = engine.crops(list(unmeasured))
    with engine.store.writing() as writer:
        for sample_id, descriptor in described.items():
            # Somebody may have removed it meanwhile.
            if writer.has(sample_id):
                writer.describe(sample_id, engine.encoder, descriptor)
                if sample_id in unmeasured:
                    quality = measure(crops[sample_id], unmeasured[sample_id])
                    writer.measure(sample_id, quality)


def _encoded(
    engine: Engine,
    ids: Sequence[int],
    crops_of: Callable[[Sequence[int]], Mapping[int, bytes]],
    hands: Hands | None,
) -> Generator[tuple[Sequence[int], dict[int, Descriptor]], None, None]:
    """Yield portions of faces with the descriptors of those whose crops are there, in order."""
    begun: deque[tuple[Sequence[int], Sequence[int]]] = deque()

    def batches() -> Iterator[list[bytes]]:
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            crops = crops_of(some)
            begun.append((some, list(crops)))
            yield list(crops.values())

    def here() -> Generator[Sequence[Descriptor | None], None, None]:
        for crops in batches():
            decoded = [decode_crop(one) for one in crops]
            batch = np.array(decoded, np.uint8).reshape(-1, CROP_SIDE, CROP_SIDE, 3)
            yield list(engine.describer.encoder.encode(batch))

    with closing(here() if hands is None else hands.encoded(batches())) as found:
        for vectors in found:
            some, there = begun.popleft()
            pairs = zip(there, vectors, strict=True)
            yield some, {one: vector for one, vector in pairs if vector is not None}
