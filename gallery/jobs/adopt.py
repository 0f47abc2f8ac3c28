"""Adopting unknown faces, a cluster's, some of it or single ones: they become samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gallery.engine.engine import Engine
from gallery.errors import NotInCluster
from gallery.events import Advanced, Choosing, Finished, Job, Started
from gallery.faces.quality import is_poor
from gallery.jobs.decide import person
from gallery.jobs.meant import ANY, Given, Meant, UnknownCluster, Which, faces_meant
from gallery.media.images import decode_crop, encode_png
from gallery.store.sightings import Sighting
from gallery.store.steps import Action
from gallery.store.writer import NewSample
from gallery.types import UNDECIDED, Box, Descriptor, Place


def adopt(engine: Engine, number: int, name: str, *, poor: bool = False) -> Job[int]:
    """Enroll the faces that a cluster showed under a name; see adopt_faces."""
    return adopt_faces(engine, [UnknownCluster(number)], name, poor=poor)


def adopt_faces(
    engine: Engine,
    given: Sequence[Given],
    name: str,
    which: Which = ANY,
    *,
    only: Sequence[Given] = (),
    without: Sequence[Given] = (),
    poor: bool = False,
) -> Job[int]:
    """Enroll faces under a name, new or not, and return how many are new samples.

    Each becomes a sample with the crop and the descriptors of its sighting; as the folder that it
    was found in stands its cluster. A track of a video becomes one sample, of its best moment,
    which is described by itself. Of a cluster all faces that it showed are meant, or only some;
    those that were enrolled or decided of since are left out and told, and so are poor ones unless
    they are wanted. Faces that are left out stay unknown. What was decided otherwise of a face is
    not decided any more.

    Raises InputError for faces that are not there, and for a name that cannot be one; StoreError
    where samples lack the encoder in use.
    """
    engine.require_encoded()
    name = engine.called(name, new=True)
    found = yield from faces_meant(engine, given, which, poor=poor)
    kept = yield from _chosen(engine, given, found, only, without)
    yield Started("adopting", len(kept), "face")
    _agree(engine, kept, name)
    added = enroll_as(engine, name, kept)
    yield Advanced(len(kept))
    yield Finished(added)


def _chosen(
    engine: Engine,
    given: Sequence[Given],
    found: Sequence[Meant],
    only: Sequence[Given],
    without: Sequence[Given],
) -> Choosing[list[Meant]]:
    """Return those of the faces that are wanted.

    Raises InputError where one is named that is neither among them nor in a cluster that is given.
    """
    clusters = {one.number for one in given if isinstance(one, UnknownCluster)}
    all_places = {_place(one) for one in found}
    kept = list(found)
    for some, is_wanted in ((only, True), (without, False)):
        if some:
            named = yield from faces_meant(engine, some)
            for one in named:
                seen = one.sighting
                if seen and seen.cluster not in clusters and _place(one) not in all_places:
                    raise NotInCluster(seen.id)
            places = {_place(one) for one in named}
            kept = [one for one in kept if (_place(one) in places) == is_wanted]
    return kept


def _place(one: Meant) -> tuple[Place, Box]:
    return one.face.place, one.face.box


def enroll_as(engine: Engine, name: str, faces: Sequence[Meant]) -> int:
    """Enroll faces under a name as they were seen, and return how many are new samples."""
    seen = as_samples(engine, name, [one.sighting for one in faces if one.sighting is not None])
    with engine.store.writing() as writer:
        added = sum(writer.add(sample) is not None for sample in seen.values())
        for one in faces:
            if one.sighting is None:
                if one.face.content is not None:
                    writer.remember_content(one.face.place.digest, one.face.content)
                added += writer.add(_sample(engine, one, name)) is not None
    return added


def _agree(engine: Engine, faces: Sequence[Meant], name: str) -> None:
    """Take back what was decided of faces that says something else than a name."""
    with engine.store.writing() as writer:
        name = writer.current_name(name) or name
        otherwise = []
        for one in faces:
            known = writer.decisions.known_as(one.face.place, one.face.box)
            state = writer.decisions.faces([known])[known].state if known else UNDECIDED
            # That it is not the one is taken back by enrolling it.
            if state.is_set_aside or state.character not in (None, name):
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


def as_samples(engine: Engine, name: str, faces: Sequence[Sighting]) -> dict[int, NewSample]:
    """Return the samples that seen faces are of a character, by the faces' numbers.

    Those that are gone are left out: labelling in another process may have dropped them.
    """
    crops = engine.store.sightings.crops([one.id for one in faces])
    descriptors = _alone(engine, faces, crops)
    return {
        one.id: NewSample(
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
        if one.id in crops
    }


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
