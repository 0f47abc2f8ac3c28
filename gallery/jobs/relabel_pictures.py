"""Pictures that were labelled before, answered with the gallery as it is now; none is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from gallery.engine.engine import Engine
from gallery.engine.joint import Scoring, alone, answered_apart
from gallery.store.sightings import ObservedPicture, Sighting
from gallery.types import Record


def relabel_pictures(
    engine: Engine,
    pictures: Sequence[ObservedPicture],
    answering: Scoring | None = None,
) -> Iterator[Record]:
    """Answer pictures that were labelled before with the gallery as it is now; none is read.

    Every face by itself, unless it is said how, see joint. Faces that the encoder in use has not
    described are left out; reencode.encode_kept comes first.
    """
    engine.require_encoded()
    answering = answering or alone(engine)
    ids, vectors = engine.store.sightings.vectors(engine.encoder)
    places = {int(one): place for place, one in enumerate(ids)}
    faces: dict[str, list[Sighting]] = defaultdict(list)
    for one in engine.store.sightings.all():
        if one.id in places:
            faces[one.digest].append(one)
    own = [
        sorted(faces.get(picture.digest or "", ()), key=lambda one: -one.face.score)
        for picture in pictures
    ]
    answers = answered_apart(
        answering,
        ([(one, one.described(vectors[places[one.id]])) for one in seen] for seen in own),
    )
    for picture, said in zip(pictures, answers, strict=True):
        yield Record(
            picture.path,
            picture.width,
            picture.height,
            engine.encoder,
            tuple(said),
            error=picture.error,
            left_out=picture.left_out,
            digest=picture.digest,
        )
