"""Adopting a cluster: its unknown faces become samples of a character."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gallery.engine.engine import Engine
from gallery.errors import NoSuchCluster
from gallery.events import Finished, Job
from gallery.faces.quality import is_poor
from gallery.jobs.unknown_faces import unknown_faces
from gallery.media.images import decode_crop, encode_png
from gallery.store.sightings import Sighting
from gallery.store.writer import NewSample
from gallery.types import Descriptor


def adopt(engine: Engine, number: int, name: str, *, poor: bool = False) -> Job[int]:
    """Enrol the faces of a cluster under a name, new or not, and return how many they are.

    Each becomes a sample with the crop and the descriptors of its sighting; as the folder that it
    was found in stands the cluster. A track of a video becomes one sample, of its best moment,
    which is described by itself. Raises InputError where there is no such cluster of unknown
    faces, and for a name that cannot be one; StoreError where samples lack the encoder in use.
    """
    unknown = yield from unknown_faces(engine, poor=poor)
    faces = [one.sighting for one in unknown if one.sighting.cluster == number]
    yield Finished(_adopted(engine, number, name, faces))


def _adopted(engine: Engine, number: int, name: str, faces: Sequence[Sighting]) -> int:
    if not faces:
        raise NoSuchCluster(number)
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
            enrolled_as=f"cluster {number}",
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
