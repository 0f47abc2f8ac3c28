"""Adopting unknown faces, a cluster's, some of it or single ones: they become samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gallery.engine.engine import Engine
from gallery.errors import NoSuchCluster
from gallery.events import Finished, Job
from gallery.faces.quality import is_poor
from gallery.jobs.decide import person
from gallery.jobs.meant import ANY, Given, Meant, Which, faces_meant
from gallery.jobs.unknown_faces import unknown_faces
from gallery.media.images import decode_crop, encode_png
from gallery.store.names import clean_name
from gallery.store.sightings import Sighting
from gallery.store.steps import Action
from gallery.store.writer import NewSample
from gallery.types import UNDECIDED, Descriptor


def adopt(engine: Engine, number: int, name: str, *, poor: bool = False) -> Job[int]:
    """Enrol the faces of a cluster under a name, new or not, and return how many they are.

    Each becomes a sample with the crop and the descriptors of its sighting; as the folder that it
    was found in stands the cluster. A track of a video becomes one sample, of its best moment,
    which is described by itself. Raises InputError where there is no such cluster of unknown
    faces, and for a name that cannot be one; StoreError where samples lack the encoder in use.
    """
    unknown = yield from unknown_faces(engine, poor=poor)
    faces = [one.sighting for one in unknown if one.sighting.cluster == number]
    if not faces:
        raise NoSuchCluster(number)
    yield Finished(_adopted(engine, name, faces))


def adopt_faces(
    engine: Engine,
    given: Sequence[Given],
    name: str,
    which: Which = ANY,
    *,
    without: Sequence[Given] = (),
    poor: bool = False,
) -> Job[int]:
    """Enrol faces under a name, new or not, and return how many are new samples.

    Those that are left out, of a cluster for instance, stay unknown. What was decided otherwise of
    a face is not decided any more. Raises InputError for faces that are not there.
    """
    found = yield from faces_meant(engine, given, which, poor=poor)
    rest = yield from faces_meant(engine, without, poor=True)
    excepted = {(one.face.place, one.face.box) for one in rest}
    kept = [one for one in found if (one.face.place, one.face.box) not in excepted]
    name = clean_name(name)
    _agree(engine, kept, name)
    added = _adopted(engine, name, [one.sighting for one in kept if one.sighting is not None])
    with engine.store.writing() as writer:
        for one in kept:
            if one.sighting is None:
                added += writer.add(_sample(engine, one, name)) is not None
    yield Finished(added)


def _agree(engine: Engine, faces: Sequence[Meant], name: str) -> None:
    """Take back what was decided of faces that says something else than a name."""
    with engine.store.writing() as writer:
        name = writer.current_name(name) or name
        otherwise = []
        for one in faces:
            known = writer.decisions.known_as(one.face.place, one.face.box)
            state = writer.decisions.faces([known])[known].state if known else UNDECIDED
            if state.is_set_aside or name in state.not_these or state.character not in (None, name):
                otherwise.append(one.face)
        if otherwise:
            step = writer.decisions.begin(Action.CLEAR, person(None))
            writer.decisions.decide(step, otherwise, lambda _, __: UNDECIDED)


def _sample(engine: Engine, one: Meant, name: str) -> NewSample:
    """Return a face of a picture that was not labelled, as it is enrolled."""
    return NewSample.of(
        one.described,
        name,
        digest=one.face.place.digest,
        path=one.face.path,
        encoder=engine.encoder,
        detector=one.detector,
        is_poor=is_poor(one.described.quality),
    )


def _adopted(engine: Engine, name: str, faces: Sequence[Sighting]) -> int:
    crops = engine.store.sightings.crops([one.id for one in faces])
    descriptors = _alone(engine, faces, crops)
    samples = [
        NewSample(
            character=name,
            digest=one.digest,
            path=one.path,
            face=one.face,
            crop_png=encode_png(decode_crop(crops[one.id])),
            descriptors=descriptors[one.id],
            detector=one.detector,
            enrolled_as=f"face {one.id}" if one.cluster is None else f"cluster {one.cluster}",
            quality=one.quality,
            is_poor=one.quality is not None and is_poor(one.quality),
        )
        for one in faces
        # Labelling in another process may have dropped it meanwhile.
        if one.id in crops
    ]
    with engine.store.writing() as writer:
        return sum(writer.add(sample) is not None for sample in samples)


def _alone(
    engine: Engine, faces: Sequence[Sighting], crops: Mapping[int, bytes]
) -> dict[int, dict[str, Descriptor]]:
    """Return what faces are described by, by id and encoder.

    A track's own descriptor is a mean, which lies nearer to everybody than a face does: its crop
    is described by the encoder in use.
    """
    tracks = [one.id for one in faces if one.track is not None and one.id in crops]
    pixels = np.array([decode_crop(crops[one]) for one in tracks], np.uint8)
    encoded = engine.describer.encoder.encode(pixels) if tracks else ()
    found = {one: {engine.encoder: row} for one, row in zip(tracks, encoded, strict=True)}
    for one in faces:
        if one.track is None:
            found[one.id] = engine.store.sightings.descriptors_of(one.id)
    return found
