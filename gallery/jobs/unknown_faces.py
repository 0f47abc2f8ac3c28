"""The faces that labelling saw and nobody is known for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
    """By their ids."""
    numbered: list[Sighting]
    """Those of the others that are in a cluster: they have a name by now, a person decided of them,
    or a reject class is near."""


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
    enrolled = engine.store.sightings.enrolled()

    def is_able(face: Sighting) -> bool:
        is_good = poor or face.quality is None or not is_poor(face.quality)
        return is_good and face.id not in enrolled

    yield Started("answering", engine.store.sightings.described(engine.encoder)[0], "face")
    unknown: list[UnknownFace] = []
    numbered: list[Sighting] = []
    for files in engine.store.sightings.by_files():
        described = _described(engine, files)
        left = _left(engine, answering, described, is_able)
        numbers = {one.sighting.id for one in left}
        unknown += (UnknownFace(one.sighting, one.descriptor.copy()) for one in left)
        numbered += (
            one.sighting
            for own in described
            for one in own
            if one.sighting.cluster is not None
            and one.sighting.id not in numbers
            and is_able(one.sighting)
        )
        yield Advanced(sum(map(len, described)))
    unknown.sort(key=lambda one: one.sighting.id)
    numbered.sort(key=lambda one: one.id)
    return Sifted(unknown, numbered)


def _described(engine: Engine, files: Sequence[Sequence[Sighting]]) -> list[list[UnknownFace]]:
    """Return those of the faces of files that are described."""
    vectors = engine.store.sightings.vectors_of(
        engine.encoder, [one.id for own in files for one in own]
    )
    return [
        [UnknownFace(one, vectors[one.id]) for one in own if one.id in vectors] for own in files
    ]


def _left(
    engine: Engine,
    answering: Scoring,
    files: Sequence[Sequence[UnknownFace]],
    is_able: Callable[[Sighting], bool],
) -> list[UnknownFace]:
    """Return those of the faces of files that are able and that nobody is known for."""
    unknown = [
        [
            one
            for one, answer in zip(own, said, strict=True)
            if answer.verdict is Verdict.UNKNOWN
            and answer.decided is None
            and is_able(one.sighting)
        ]
        for own, said in zip(files, _answers(files, answering), strict=True)
    ]
    # Scored jointly, faces come nearer to everybody, to reject classes too.
    apart = _answers(unknown, alone(engine, top=1))
    return [
        one
        for own, said in zip(unknown, apart, strict=True)
        for one, answer in zip(own, said, strict=True)
        if not (
            answer.matches
            and answer.matches[0].is_reject
            and answer.matches[0].distance <= engine.thresholds.unknown
        )
    ]


def _answers(files: Sequence[Sequence[UnknownFace]], answering: Scoring) -> Iterator[list[Answer]]:
    """Yield what is said of each file's faces."""
    return answered_apart(
        answering,
        ([(one.sighting, one.sighting.described(one.descriptor)) for one in own] for own in files),
    )
