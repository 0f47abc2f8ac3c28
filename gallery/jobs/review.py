"""What a person says of answers: this face is not that character."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gallery.engine.engine import Engine
from gallery.errors import NoFace, NoSuchFace, WhichFace
from gallery.media.images import encode_jpeg, read_image
from gallery.store.rejections import NewRejection, Rejection
from gallery.system.files import absolute
from gallery.types import DescribedFace, Image


def reject(engine: Engine, path: Path, name: str, number: int | None = None) -> Rejection:
    """Note that a face of a picture does not show a character, and return the note.

    Faces are numbered from 1 in the order in which `identify` answers them. Without a number it is
    the only face, or the only one that is answered with that name. Raises InputError where none
    or several are meant, where nobody has the name, and where the face is enrolled under it.
    """
    character = engine.store.character(name).name
    image = read_image(path)
    described = _face_meant(engine, image, character, number)
    with engine.store.writing() as writer:
        writer.reject(
            NewRejection(
                character=character,
                digest=image.digest,
                path=absolute(path),
                box=described.face.box,
                crop_jpeg=encode_jpeg(described.crop),
                descriptors={engine.encoder: described.descriptor},
            )
        )
    return next(
        one
        for one in engine.store.rejections.all()
        if (one.character, one.digest, one.box) == (character, image.digest, described.face.box)
    )


def _face_meant(engine: Engine, image: Image, character: str, number: int | None) -> DescribedFace:
    faces = engine.describer.describe_all(image)
    if not faces:
        raise NoFace(image.path)
    if number is not None:
        if not 1 <= number <= len(faces):
            raise NoSuchFace(image.path, len(faces), number)
        return faces[number - 1]
    if len(faces) == 1:
        return faces[0]
    answers = engine.identify(image).faces
    meant = [row for row, answer in enumerate(answers) if answer.character == character]
    if len(meant) != 1:
        raise WhichFace(image.path, len(faces), character, len(meant))
    return faces[meant[0]]


def take_back(engine: Engine, rejection_ids: Sequence[int]) -> None:
    """Take rejections back. Raises InputError where one does not exist."""
    with engine.store.writing() as writer:
        writer.take_back(rejection_ids)
