"""Heads that no detector saw, drawn by a person; and taken back."""

from __future__ import annotations

import math

from gallery.engine.engine import Engine
from gallery.errors import BadSetting, HeadSeen, NoSuchSeenFace, NotDrawn, UnusableFile
from gallery.faces.drawn import drawn_face
from gallery.media.images import read_image
from gallery.store.answers import MOST_ALTERNATIVES
from gallery.store.rejections import SAME_PLACE
from gallery.store.sightings import Sighting
from gallery.types import Answer, Box, DescribedFace, Image

LEAST_SIDE = 12
"""Pixels of a drawn head's shorter side: less shows nobody."""


def draw(engine: Engine, beside: int, box: Box) -> int:
    """Note a head in the picture of a seen face, and return its number among seen faces.

    It is described as detected ones are, answered, and stays when the picture is labelled again. A
    box that reaches beyond the picture is cut. Raises InputError for no such face, for one of a
    video, for a picture that is gone or shows something else by now, for a box that is none, and
    where a face was seen at the same place; StoreError where samples lack the encoder in use.
    """
    engine.require_encoded()
    one = engine.store.sightings.some([beside]).get(beside)
    if one is None:
        raise NoSuchSeenFace(beside)
    if one.track is not None:
        raise UnusableFile(one.path, "is a video", remedy="heads are drawn in pictures alone")
    image = read_image(one.path)
    _check_same(one, image)
    box = _inside(box, image)
    for other in engine.store.sightings.at(one.path):
        if other.digest == one.digest and other.face.box.overlap(box) >= SAME_PLACE:
            raise HeadSeen(other.id)
    described = _described(engine, image, box)
    return _keep(engine, one, described)


def erase(engine: Engine, number: int) -> None:
    """Take back a head that a person drew. Raises InputError where it is none of those."""
    with engine.store.writing() as writer:
        if not writer.sightings.erase(number):
            raise NotDrawn(number)


def _check_same(one: Sighting, image: Image) -> None:
    shown = None if image.content is None else image.content.pixels
    if image.digest != one.digest and (shown is None or shown != one.place.pixels):
        raise UnusableFile(
            one.path, "shows another picture than when it was labelled", remedy="label it again"
        )


def _inside(box: Box, image: Image) -> Box:
    if not all(map(math.isfinite, box)):
        raise BadSetting("box", "A box has four finite edges")
    inside = Box(
        min(max(box.left, 0.0), image.width),
        min(max(box.top, 0.0), image.height),
        min(max(box.right, 0.0), image.width),
        min(max(box.bottom, 0.0), image.height),
    )
    if min(inside.width, inside.height) < LEAST_SIDE:
        raise BadSetting(
            "box", f"A head has at least {LEAST_SIDE} pixels", "draw a larger box in the picture"
        )
    return inside


def _described(engine: Engine, image: Image, box: Box) -> DescribedFace:
    face = drawn_face(engine.describer.detector, image, box)
    (described,) = engine.describer.describe([(image, face)])
    return described


def _keep(engine: Engine, beside: Sighting, head: DescribedFace) -> int:
    now = engine.store.answers.now(engine.encoder)
    (answer,) = engine.answers([head], top=MOST_ALTERNATIVES, places=[beside.place], heed=False)
    with engine.store.writing() as writer:
        number = writer.sightings.draw(beside.digest, beside.path, head, engine.encoder)
        if number is None:
            raise HeadSeen(beside.id)
        writer.answers.put(now, {number: answer}, {beside.digest})
        # It may hold a name that another face of the picture had.
        rivals = _of_one_name(engine, answer, beside)
        writer.answers.doubt([number, *rivals] if rivals else [])
    return number


def _of_one_name(engine: Engine, answer: Answer, beside: Sighting) -> list[int]:
    """Return the faces of a picture that have the name of an answer."""
    stored = engine.store.answers.in_picture(engine.encoder, beside.path)
    return [one.face for one in stored if one.character == answer.character is not None]
