"""Rejecting a name for one face, and taking that back."""

from __future__ import annotations

from collections.abc import Sequence

from gallery.engine.engine import Engine
from gallery.events import result_of
from gallery.jobs import decide
from gallery.jobs.meant import Given, Which
from gallery.store.rejections import SAME_PLACE, Rejection


def reject(
    engine: Engine, given: Given, name: str, number: int | None = None, *, who: str | None = None
) -> Rejection:
    """Note that a face does not show a character, and return the note.

    Faces of a picture are numbered from 1 in the order in which `identify` answers them. Without a
    number it is the only face, or the only one that is answered with that name. Raises InputError
    where none or several are meant, where nobody has the name, and where the face is enrolled under
    it.
    """
    step = result_of(decide.reject(engine, [given], name, Which(number), who=who))
    (face,) = engine.store.decisions.faces_of(step.id)
    same = engine.store.same_picture(face.moment)
    return next(
        one
        for one in engine.store.rejections.all()
        if one.character == step.character
        and one.digest in same
        and one.box.overlap(face.box) >= SAME_PLACE
    )


def take_back(engine: Engine, rejection_ids: Sequence[int], *, who: str | None = None) -> None:
    """Take rejections back. Raises InputError where one does not exist."""
    with engine.store.writing() as writer:
        writer.take_back(rejection_ids, decide.person(who))
