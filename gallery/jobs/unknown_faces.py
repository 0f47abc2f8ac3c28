"""The faces that labelling saw and nobody is known for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Engine
from gallery.engine.joint import Scoring, alone, answered_apart, jointly
from gallery.events import Advanced, Stage, Started
from gallery.faces.quality import is_poor
from gallery.jobs.reencode import encode_kept
from gallery.store.sightings import Sighting
from gallery.types import Answer, Verdict


@dataclass(frozen=True, slots=True, eq=False)
class UnknownFace:
    """A face that nobody knows."""

    sighting: Sighting
    descriptor: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Sifted:
    """Seen faces that are not enrolled and good enough to tell, by what the gallery says."""

    unknown: list[UnknownFace]
    known: list[Sighting]
    """Those that have a name, that a person decided of, or that a reject class is near."""


def unknown_faces(engine: Engine, *, poor: bool = False) -> Stage[list[UnknownFace]]:
    """Return the seen faces that the gallery, as it is now, knows nobody for; see sifted."""
    found = yield from sifted(engine, poor=poor)
    return found.unknown


def sifted(engine: Engine, *, poor: bool = False) -> Stage[Sifted]:
    """Tell the seen faces that the gallery, as it is now, knows nobody for from the others.

    Faces that the encoder in use has not described are described first. A calibrated gallery judges
    all faces together, see joint. Left out are faces that are enrolled, those that a person named
    or set aside, those nearest to a reject class, and poor ones unless they are asked for. Raises
    StoreError where samples lack the encoder in use.
    """
    engine.require_encoded()
    yield from encode_kept(engine)
    answering = yield from jointly(engine, top=1)
    described = _described(engine)
    able = _able(engine, described, poor=poor)
    able_ids = {one.sighting.id for one in able}
    yield Started("answering", len(described), "face")
    unknown = []
    for answered in _answered(described, answering):
        unknown += [
            one
            for one, answer in answered
            if one.sighting.id in able_ids
            and answer.verdict is Verdict.UNKNOWN
            and answer.decided is None
        ]
        yield Advanced(len(answered))
    # Scored jointly, faces come nearer to everybody, to reject classes too.
    left = [
        one
        for answered in _answered(unknown, alone(engine, top=1))
        for one, answer in answered
        if not (
            answer.matches
            and answer.matches[0].is_reject
            and answer.matches[0].distance <= engine.thresholds.unknown
        )
    ]
    numbers = {one.sighting.id for one in left}
    return Sifted(left, [one.sighting for one in able if one.sighting.id not in numbers])


def _described(engine: Engine) -> list[UnknownFace]:
    """Return the seen faces that are described."""
    ids, vectors = engine.store.sightings.vectors(engine.encoder)
    places = {int(one): place for place, one in enumerate(ids)}
    return [
        UnknownFace(one, vectors[places[one.id]])
        for one in engine.store.sightings.all()
        if one.id in places
    ]


def _able(engine: Engine, faces: Sequence[UnknownFace], *, poor: bool) -> list[UnknownFace]:
    """Return those of the faces that are not enrolled, and good enough to tell."""
    enrolled = engine.store.sightings.enrolled()
    return [
        one
        for one in faces
        if one.sighting.id not in enrolled
        and (poor or one.sighting.quality is None or not is_poor(one.sighting.quality))
    ]


def _answered(
    faces: Sequence[UnknownFace], answering: Scoring
) -> Iterator[list[tuple[UnknownFace, Answer]]]:
    """Yield faces with what is said of them, those of a picture at once."""
    files: defaultdict[tuple[str, int | None], list[UnknownFace]] = defaultdict(list)
    for one in faces:
        track = one.sighting.track
        files[one.sighting.place.digest, None if track is None else track.shot].append(one)
    groups = list(files.values())
    answers = answered_apart(
        answering,
        ([(one.sighting, one.sighting.described(one.descriptor)) for one in own] for own in groups),
    )
    for own, said in zip(groups, answers, strict=True):
        yield list(zip(own, said, strict=True))
