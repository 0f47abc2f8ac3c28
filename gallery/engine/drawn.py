"""Heads that a person drew stand among those that a detector sees, in their pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.media.images import decode_crop
from gallery.store.rejections import SAME_PLACE
from gallery.store.sightings import Observation, Sighting, SightingReader
from gallery.types import DescribedFace

Encode: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def with_drawn(
    sightings: SightingReader, encoder: str, encode: Encode, seen: Sequence[Observation]
) -> list[Observation]:
    """Return what was seen in pictures with the heads that a person drew in them, best score first.

    A drawn head stands in the place of a face that was seen there. `encode` is asked for those that
    the encoder of this id has not described.
    """
    drawn = sightings.drawn([one.place for one in seen])
    if not drawn:
        return list(seen)
    described = _described(sightings, encoder, encode, drawn)
    return [
        _joined(one, [described[head.id] for head in _heads_of(one, drawn) if head.id in described])
        for one in seen
    ]


def _heads_of(seen: Observation, drawn: Sequence[Sighting]) -> list[Sighting]:
    """Return the heads that were drawn in a picture, also in another file that shows the same."""
    own = [
        one
        for one in drawn
        if one.digest == seen.digest
        or (one.place.pixels is not None and one.place.pixels == seen.place.pixels)
    ]
    kept: list[Sighting] = []
    for one in sorted(own, key=lambda one: one.digest != seen.digest):
        if all(one.face.box.overlap(other.face.box) < SAME_PLACE for other in kept):
            kept.append(one)
    return kept


def _joined(seen: Observation, heads: Sequence[DescribedFace]) -> Observation:
    others = [
        one
        for one in seen.faces
        if all(one.face.box.overlap(head.face.box) < SAME_PLACE for head in heads)
    ]
    faces = sorted([*heads, *others], key=lambda one: -one.face.score)
    return replace(seen, faces=tuple(faces))


def _described(
    sightings: SightingReader, encoder: str, encode: Encode, heads: Sequence[Sighting]
) -> dict[int, DescribedFace]:
    """Return seen faces with crops and descriptors, by number; one may be gone by now."""
    numbers = [one.id for one in heads]
    vectors = sightings.vectors_of(encoder, numbers)
    crops = {number: decode_crop(crop) for number, crop in sightings.crops(numbers).items()}
    lacking = [number for number in crops if number not in vectors]
    if lacking:
        rows = encode(np.stack([crops[number] for number in lacking]))
        vectors.update(zip(lacking, rows, strict=True))
    return {
        one.id: replace(one.described(vectors[one.id]), crop=crops[one.id])
        for one in heads
        if one.id in crops
    }
