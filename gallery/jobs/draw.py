"""Heads that no detector saw, drawn by a person; and taken back."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path

from gallery.engine.engine import Engine
from gallery.errors import BadSetting, HeadSeen, NoSuchSeenFace, NotDrawn, UnusableFile
from gallery.faces.drawn import drawn_face
from gallery.jobs.answers import renew_faces
from gallery.media.images import read_image
from gallery.store.rejections import SAME_PLACE
from gallery.store.sightings import Sighting
from gallery.store.steps import Action, FaceMeant
from gallery.store.writer import Writer
from gallery.types import Box, DescribedFace, Image, Verdict

LEAST_SIDE = 12
"""Pixels of a drawn head's shorter side: less shows nobody."""


def draw(engine: Engine, beside: int, box: Box, who: str = "") -> int:
    """Note a head in the picture of a seen face, and return its number among seen faces.

    It is a step, as decisions are, which can be undone. It is described as detected ones are,
    answered, and stays when the picture is labelled again. A box that reaches beyond the picture is
    cut. Raises InputError for no such face, for one of a video, for a picture that is gone or shows
    something else by now, for a box that is none, and where a face was seen at the same place;
    StoreError where samples lack the encoder in use.
    """
    engine.require_encoded()
    one = engine.store.sightings.some([beside]).get(beside)
    if one is None:
        raise NoSuchSeenFace(beside)
    if one.track is not None:
        raise UnusableFile(one.path, "is a video", remedy="heads are drawn in pictures alone")
    image = read_image(one.path)
    _check_same(one.path, image, [one.digest, one.place.pixels])
    box = _inside(box, image)
    for other in engine.store.sightings.at(one.path):
        if other.digest == one.digest and other.face.box.overlap(box) >= SAME_PLACE:
            raise HeadSeen(other.id)
    described = _described(engine, image, box)
    return _keep(engine, one, described, who)


def erase(engine: Engine, number: int, who: str = "") -> None:
    """Take back a head that a person drew, which undoes its step.

    Raises InputError where it is none of those.
    """
    one = engine.store.sightings.some([number]).get(number)
    if one is None or not one.is_drawn:
        raise NotDrawn(number)
    with engine.store.writing() as writer:
        step = writer.decisions.drawing(one.place, one.face.box)
        if step is not None:
            writer.undo(step, who)
        else:
            # It was drawn before that was a step, or a person decided of it since.
            writer.sightings.erase(number)


def drawn_again(engine: Engine, step: int) -> DescribedFace | None:
    """Return the head that undoing a step draws again; None where it draws none.

    Raises InputError where its picture is gone or shows something else by now.
    """
    undoing = engine.store.decisions.step(step)
    if undoing is None or undoing.undoes is None:
        return None
    former = engine.store.decisions.step(undoing.undoes)
    if former is None or former.action is not Action.DRAW:
        return None
    (face,) = engine.store.decisions.faces_of(step)
    image = read_image(face.path)
    same = engine.store.same_picture(face.digest)
    _check_same(face.path, image, same)
    return _described(engine, image, face.box)


def draw_again(writer: Writer, step: int, head: DescribedFace, encoder: str) -> None:
    """Note the head of a step that an undo brought back; see drawn_again."""
    (face,) = writer.decisions.faces_of(step)
    writer.sightings.draw(face.digest, face.path, head, encoder)
    writer.answers.decided([face])


def _check_same(path: Path, image: Image, same: Collection[str | None]) -> None:
    """Raise InputError for a picture that is known by none of some digests, its file or pixels."""
    shown = image.digest if image.content is None else image.content.pixels
    if image.digest not in same and shown not in same:
        raise UnusableFile(
            path, "shows another picture than when it was labelled", remedy="label it again"
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


def _keep(engine: Engine, beside: Sighting, head: DescribedFace, who: str) -> int:
    (answer,) = engine.answers([head], places=[beside.place], heed=False)
    name = answer.character if answer.verdict is Verdict.SURE else None
    with engine.store.writing() as writer:
        number = writer.sightings.draw(beside.digest, beside.path, head, engine.encoder)
        if number is None:
            raise HeadSeen(beside.id)
        step = writer.decisions.begin(Action.DRAW, who, name)
        meant = FaceMeant(beside.place, beside.path, head.face.box)
        writer.decisions.decide(step, [meant], lambda state, _: state)
    renew_faces(engine, [number])
    return number
