"""The faces that labelling saw and nobody is known for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Gallery
from gallery.engine.joint import Scoring, alone, jointly
from gallery.events import Advanced, Stage, Started
from gallery.faces.quality import is_poor
from gallery.jobs.reencode import encode_kept
from gallery.store.sightings import Sighting
from gallery.types import Answer, Verdict

AT_ONCE = 1000
"""Faces answered together."""


@dataclass(frozen=True, slots=True, eq=False)
class UnknownFace:
    """A face that nobody knows."""

    sighting: Sighting
    descriptor: NDArray[np.float32]


def unknown_faces(gallery: Gallery, *, poor: bool = False) -> Stage[list[UnknownFace]]:
    """Return the seen faces that the gallery, as it is now, knows nobody for.

    Faces that the encoder in use has not described are described first. A calibrated gallery judges
    all faces together, see joint. Left out are faces that are enrolled, those nearest to a reject
    class, and poor ones unless they are asked for. Raises StoreError where samples lack the encoder
    in use.
    """
    gallery.require_encoded()
    yield from encode_kept(gallery)
    answering = yield from jointly(gallery, top=1)
    able = _able(gallery, poor=poor)
    yield Started("answering", len(able), "face")
    unknown = []
    for answered in _answered(able, answering):
        unknown += [one for one, answer in answered if answer.verdict is Verdict.UNKNOWN]
        yield Advanced(len(answered))
    # In company, faces come nearer to everybody, to reject classes too.
    return [
        one
        for answered in _answered(unknown, alone(gallery, top=1))
        for one, answer in answered
        if not (
            answer.matches
            and answer.matches[0].is_reject
            and answer.matches[0].distance <= gallery.thresholds.unknown
        )
    ]


def _able(gallery: Gallery, *, poor: bool) -> list[UnknownFace]:
    """Return the seen faces that are described, not enrolled, and good enough to tell."""
    ids, vectors = gallery.store.sightings.vectors(gallery.encoder)
    places = {int(one): place for place, one in enumerate(ids)}
    enrolled = gallery.store.sightings.enrolled()
    return [
        UnknownFace(one, vectors[places[one.id]])
        for one in gallery.store.sightings.all()
        if one.id in places
        and one.id not in enrolled
        and (poor or one.quality is None or not is_poor(one.quality))
    ]


def _answered(
    faces: Sequence[UnknownFace], answering: Scoring
) -> Iterator[list[tuple[UnknownFace, Answer]]]:
    """Yield faces with what is said of them, AT_ONCE at a time."""
    for start in range(0, len(faces), AT_ONCE):
        some = faces[start : start + AT_ONCE]
        described = [one.sighting.described(one.descriptor) for one in some]
        answers = answering([one.sighting.id for one in some], described, "")
        yield list(zip(some, answers, strict=True))
