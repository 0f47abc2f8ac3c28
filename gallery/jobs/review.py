"""What a person says of answers: this face is not that character; and describing faces anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from gallery.engine.engine import REENCODE_AT_ONCE, Gallery
from gallery.errors import NoFace, NoSuchFace, WhichFace
from gallery.media.images import decode_crop, encode_jpeg, read_image
from gallery.store.rejections import NewRejection, Rejection
from gallery.types import CROP_SIDE, DescribedFace, Descriptor, Image


def reject(gallery: Gallery, path: Path, name: str, number: int | None = None) -> Rejection:
    """Note that a face of a picture does not show a character, and return the note.

    Faces are numbered from 1 in the order in which `identify` answers them. Without a number it is
    the only face, or the only one that is answered with that name. Raises InputError where none
    or several are meant, where nobody has the name, and where the face is enrolled under it.
    """
    character = gallery.store.character(name).name
    image = read_image(path)
    described = _face_meant(gallery, image, character, number)
    with gallery.store.writing() as writer:
        writer.reject(
            NewRejection(
                character=character,
                digest=image.digest,
                path=path.absolute(),
                box=described.face.box,
                crop_jpeg=encode_jpeg(described.crop),
                descriptors={gallery.encoder: described.descriptor},
            )
        )
    return next(
        one
        for one in gallery.store.rejections.all()
        if (one.character, one.digest, one.box) == (character, image.digest, described.face.box)
    )


def _face_meant(
    gallery: Gallery, image: Image, character: str, number: int | None
) -> DescribedFace:
    faces = gallery.describer.describe_all(image)
    if not faces:
        raise NoFace(image.path)
    if number is not None:
        if not 1 <= number <= len(faces):
            raise NoSuchFace(image.path, len(faces), number)
        return faces[number - 1]
    if len(faces) == 1:
        return faces[0]
    answers = gallery.identify(image).faces
    meant = [row for row, answer in enumerate(answers) if answer.character == character]
    if len(meant) != 1:
        raise WhichFace(image.path, len(faces), character, len(meant))
    return faces[meant[0]]


def take_back(gallery: Gallery, rejection_ids: Sequence[int]) -> None:
    """Take rejections back. Raises InputError where one does not exist."""
    with gallery.store.writing() as writer:
        writer.take_back(rejection_ids)


def waiting(gallery: Gallery) -> int:
    """Return how many rejected and seen faces the encoder in use has not described."""
    store = gallery.store
    return sum(
        len(reader.unencoded(gallery.encoder)) for reader in (store.rejections, store.sightings)
    )


def describe_anew(gallery: Gallery, *, everything: bool = False) -> Iterator[int]:
    """Describe rejected and seen faces from their crops with the encoder in use.

    Those that it has described are passed over, unless everything is asked for. Yields, after
    every commit, how many are done.
    """
    store, encoder = gallery.store, gallery.encoder
    rejected = store.rejections.unencoded("" if everything else encoder)
    seen = store.sightings.unencoded("" if everything else encoder)
    done = 0
    for some in _portions(rejected):
        crops = {one: store.rejections.crop(one) for one in some}
        with_crop = {one: crop for one, crop in crops.items() if crop is not None}
        described = _encoded(gallery, with_crop)
        with store.writing() as writer:
            for one, vector in described.items():
                writer.describe_rejection(one, encoder, vector)
        done += len(some)
        yield done
    for some in _portions(seen):
        described = _encoded(gallery, store.sightings.crops(some))
        with store.writing() as writer:
            for one, vector in described.items():
                writer.sightings.describe(one, encoder, vector)
        done += len(some)
        yield done


def _encoded(gallery: Gallery, crops: Mapping[int, bytes]) -> dict[int, Descriptor]:
    pixels = [decode_crop(crop) for crop in crops.values()]
    batch = np.array(pixels, np.uint8).reshape(-1, CROP_SIDE, CROP_SIDE, 3)
    return dict(zip(crops, gallery.describer.encoder.encode(batch), strict=True))


def _portions(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), REENCODE_AT_ONCE):
        yield ids[start : start + REENCODE_AT_ONCE]
