"""Pictures that were labelled before, answered with the gallery as it is now; none is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gallery.engine.engine import Engine
from gallery.engine.joint import Scoring, alone, answered_apart
from gallery.store.sightings import ObservedPicture, Sighting
from gallery.types import DescribedFace, Record

PICTURES_AT_ONCE = 1000
"""Pictures whose faces are read at once."""


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
    answers = answered_apart(answering, _faces(engine, pictures))
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


def _faces(
    engine: Engine, pictures: Sequence[ObservedPicture]
) -> Iterator[list[tuple[Sighting, DescribedFace]]]:
    """Yield the faces of each picture, best first, reading some pictures' at a time."""
    sightings = engine.store.sightings
    for start in range(0, len(pictures), PICTURES_AT_ONCE):
        some = pictures[start : start + PICTURES_AT_ONCE]
        seen = sightings.in_pictures({one.digest for one in some if one.digest is not None})
        vectors = sightings.vectors_of(
            engine.encoder, [face.id for own in seen.values() for face in own]
        )
        for one in some:
            yield [
                (face, face.described(vectors[face.id]))
                for face in seen.get(one.digest or "", ())
                if face.id in vectors
            ]
