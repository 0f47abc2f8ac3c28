"""Rejecting a name for one face, and taking that back."""

from __future__ import annotations

from collections.abc import Sequence

from gallery.engine.engine import Engine
from gallery.events import Finished, Job, result_of
from gallery.jobs import decide
from gallery.jobs.meant import ANY, Given, Which
from gallery.store.rejections import SAME_PLACE, Rejection


def reject(
    engine: Engine, given: Given, name: str, number: int | None = None, *, who: str | None = None
) -> Rejection:
    """Note that a face does not show a character, and return the note; see reject_all.

    Faces of a picture are numbered from 1 in the order in which `identify` answers them.
    """
    (one,) = result_of(reject_all(engine, [given], name, Which(number), who=who))
    return one


def reject_all(
    engine: Engine,
    given: Sequence[Given],
    name: str,
    which: Which = ANY,
    *,
    who: str | None = None,
) -> Job[list[Rejection]]:
    """Note in one step that faces do not show a character, and return a note for each.

    Where it is not said which face of a picture is meant, it is the only one, or the only one that
    is answered with that name. Raises InputError where none or several are meant, where nobody has
    the name, and where a face is enrolled under it.
    """
    steps = decide.reject(engine, given, name, which, who=who)
    while not isinstance(event := next(steps), Finished):
        yield event
    step = event.result
    notes = engine.store.rejections.all()
    found = []
    for face in engine.store.decisions.faces_of(step.id):
        same = engine.store.same_picture(face.moment)
        found.append(
            next(
                one
                for one in notes
                if one.character == step.character
                and one.digest in same
                and one.box.overlap(face.box) >= SAME_PLACE
            )
        )
    yield Finished(found)


def take_back(engine: Engine, rejection_ids: Sequence[int], *, who: str | None = None) -> None:
    """Take rejections back. Raises InputError where one does not exist."""
    with engine.store.writing() as writer:
        writer.take_back(rejection_ids, decide.person(who))
