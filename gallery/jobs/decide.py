"""What a person decides of faces: who they are, or that nobody wants to know, and back again."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from gallery.engine.engine import Engine
from gallery.errors import (
    DecidedMeanwhile,
    NoNameToConfirm,
    NoSuchCharacter,
    NothingToUndo,
    ReferencesUndone,
)
from gallery.events import Finished, Job
from gallery.jobs.draw import draw_again, drawn_again
from gallery.jobs.meant import ANY, Given, Meant, Which, faces_meant, places_meant
from gallery.store.sightings import Sighting
from gallery.store.steps import Action, DecidedFace, FaceMeant, LeftAlone, Step, Undone
from gallery.store.writer import Writer
from gallery.types import UNDECIDED, Decided, DescribedFace, FaceState

BECOMES: dict[Action, Callable[[FaceState, FaceMeant], FaceState]] = {
    Action.IGNORE: lambda state, _: state.set_aside(Decided.IGNORED),
    Action.NO_FACE: lambda state, _: state.set_aside(Decided.NO_FACE),
    Action.CLEAR: lambda _, __: UNDECIDED,
}
"""What a face's state becomes by decisions that name nobody."""

USER_NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")
"""Variables of the environment that name the user, the first that does first."""

Looked: TypeAlias = "Mapping[int, int]"
"""By number of a seen face, the decision that its state was of when a person looked at it, 0 where
nothing was decided; see StoredAnswer.decision."""

NOT_LOOKED: Looked = {}


def confirm(
    engine: Engine,
    given: Sequence[Given],
    name: str | None = None,
    which: Which = ANY,
    *,
    new: bool = False,
    who: str | None = None,
    looked: Looked = NOT_LOOKED,
) -> Job[Step]:
    """Decide that faces show a character, and return the step; no face is enrolled.

    Without a name each shows whom the gallery answers. Raises InputError for faces that are not
    there, for one that the gallery has no name for, and for a name that nobody has, unless it is
    new, and where somebody decided of faces since they were looked at; nothing is decided then.
    """
    engine.require_encoded()
    if name is not None:
        name = engine.called(name, new=new)
    if name is None:
        found = yield from faces_meant(engine, given, which)
        names = _answered(engine, found)
    else:
        names = dict.fromkeys((yield from places_meant(engine, given, which, name)), name)
    faces = [*names]
    with engine.store.writing() as writer:
        _check_looked(writer, looked)
        current = {one: current_name(writer, one, new=new) for one in dict.fromkeys(names.values())}
        common = next(iter(current.values())) if len(current) == 1 else None
        step = writer.decisions.begin(Action.CONFIRM, person(who), common)
        writer.decisions.decide(
            step, faces, lambda state, face: state.confirmed(current[names[face]])
        )
        done = writer.decisions.step(step)
    yield Finished(done)


def reject(
    engine: Engine,
    given: Sequence[Given],
    name: str,
    which: Which = ANY,
    *,
    who: str | None = None,
    looked: Looked = NOT_LOOKED,
) -> Job[Step]:
    """Decide that faces do not show a character, and return the step.

    Neither they nor faces nearly the same are answered so again. Raises InputError for faces that
    are not there, for a name that nobody has, for a face that is enrolled under it, and where
    somebody decided of faces since they were looked at.
    """
    character = engine.store.character(name).name
    found = yield from faces_meant(engine, given, which, character)
    with engine.store.writing() as writer:
        _check_looked(writer, looked)
        for one in found:
            writer.check_not_enrolled(character, one.face.place.digest, one.face.box)
        step = writer.decisions.begin(Action.REJECT, person(who), character)
        faces = [one.face for one in found]
        writer.decisions.decide(step, faces, lambda state, _: state.rejected(character))
        done = writer.decisions.step(step)
    yield Finished(done)


def set_aside(
    engine: Engine,
    given: Sequence[Given],
    action: Action,
    which: Which = ANY,
    *,
    who: str | None = None,
    looked: Looked = NOT_LOOKED,
) -> Job[Step]:
    """Decide that nobody wants to know faces, that they are none, or nothing; return the step.

    `action` is IGNORE, NO_FACE or CLEAR. Raises InputError for faces that are not there, and where
    somebody decided of faces since they were looked at.
    """
    found = yield from places_meant(engine, given, which)
    with engine.store.writing() as writer:
        _check_looked(writer, looked)
        step = writer.decisions.begin(action, person(who))
        writer.decisions.decide(step, found, BECOMES[action])
        done = writer.decisions.step(step)
    yield Finished(done)


def undo(engine: Engine, steps: Sequence[int] = (), *, who: str | None = None) -> Undone:
    """Restore what was before steps, or before the last one that is not undone.

    What a newer decision owns is left alone, and told. A character that only an undone name had
    made is gone, references that a step took are none any more, and so is a head that a step drew;
    undoing the latter draws it again. Raises InputError where there is no such step, where there is
    nothing left to undo, for a step that undid references, which are taken anew instead, and where
    the picture of a head that is to be drawn again is gone.
    """
    made: list[Step] = []
    left: list[LeftAlone] = []
    gone: list[str] = []
    restored = kept = 0
    heads = {number: drawn_again(engine, number) for number in steps}
    with engine.store.writing() as writer:
        wanted = sorted(dict.fromkeys(steps), reverse=True)
        if not wanted:
            newest = writer.decisions.newest()
            if newest is None:
                raise NothingToUndo
            wanted = [newest]
        for number in wanted:
            taken = _references_of(engine, writer, number)
            one = writer.undo(number, person(who))
            if taken and one.steps:
                left_alone = {other.face.id for other in one.left}
                _take_out(writer, [face for face in taken if face.id not in left_alone])
            head = heads.get(number)
            if head is not None and one.restored:
                draw_again(writer, one.steps[0].id, head, engine.encoder)
            made += one.steps
            restored += one.restored
            left += one.left
            kept += one.kept
            gone += one.gone
    return Undone(tuple(made), restored, tuple(left), kept, tuple(gone))


def _references_of(engine: Engine, writer: Writer, number: int) -> list[DecidedFace]:
    """Return the faces that a step took as references.

    Raises InputError for a step that undid such a one.
    """
    step = writer.decisions.step(number)
    if step.undoes is not None:
        former = writer.decisions.step(step.undoes)
        if former.action is Action.REFERENCES:
            raise ReferencesUndone(number)
    if step.action is not Action.REFERENCES:
        return []
    return engine.store.decisions.faces_of(number)


def _take_out(writer: Writer, faces: Sequence[DecidedFace]) -> None:
    """Let confirmed faces be no samples of whom they show."""
    samples = [
        sample
        for face in faces
        for sample, owner in writer.samples_at(face.moment, face.box).items()
        if owner == face.state.character
    ]
    writer.remove_samples(samples)


def still_enrolled(engine: Engine, undone: Undone) -> dict[int, str]:
    """Return the samples that faces are of although their names were undone, and whose they are.

    Undoing a name takes no sample out of the gallery.
    """
    former = {one.id: one for one in engine.store.decisions.steps()}
    found: dict[int, str] = {}
    with engine.store.writing() as writer:
        for one in undone.steps:
            taken_back = former[one.undoes or 0]
            if taken_back.action is not Action.CONFIRM:
                continue
            for face in engine.store.decisions.faces_of(one.id):
                owners = writer.samples_at(face.moment, face.box)
                found |= {
                    sample: owner
                    for sample, owner in owners.items()
                    if taken_back.character in (None, owner)
                }
    return found


def person(who: str | None) -> str:
    """Return who decides: as it is said, else the user's name, else the user's number, else ""."""
    if who is not None:
        return who
    found = next(filter(None, map(os.environ.get, USER_NAMES)), None)
    if found is not None:
        return found
    # The system's list of users is not asked: it may be on another machine.
    return f"uid {os.getuid()}" if hasattr(os, "getuid") else ""


def _check_looked(writer: Writer, looked: Looked) -> None:
    """Raise InputError where faces have another state than a person looked at, or are gone.

    In the transaction of the decision, so that nobody decides in between.
    """
    now = writer.answers.owners(looked)
    late = tuple(sorted(face for face, owner in looked.items() if now.get(face) != owner))
    if late:
        raise DecidedMeanwhile(late)


def current_name(writer: Writer, name: str, *, new: bool) -> str:
    """Return what a character is called now; a new one is made."""
    if new:
        writer.character_id(name)
    current = writer.current_name(name)
    if current is None:
        # Somebody may have forgotten the character meanwhile.
        raise NoSuchCharacter(name)
    return current


def _answered(engine: Engine, found: Sequence[Meant]) -> dict[FaceMeant, str]:
    """Return whom the gallery answers for each face. Raises InputError where it has no name."""
    beside = _beside(engine, found)
    answers = engine.answers(
        [*(one.described for one in found), *(face for _, face in beside)],
        places=[*(one.face.place for one in found), *(one.place for one, _ in beside)],
    )
    names = {}
    for one, answer in zip(found, answers, strict=False):
        if answer.character is None:
            raise NoNameToConfirm(one.face.path, one.face.box)
        names[one.face] = answer.character
    return names


def _beside(engine: Engine, found: Sequence[Meant]) -> list[tuple[Sighting, DescribedFace]]:
    """Return the other seen faces of pictures and shots that faces are of, with whom they share."""
    sightings = engine.store.sightings
    meant = {one.sighting.id for one in found if one.sighting is not None}
    asked = {(one.face.place.digest, one.face.box) for one in found}
    unlabelled = {one.face.path for one in found if one.sighting is None}
    known = meant | {one.id for path in unlabelled for one in sightings.at(path)}
    vectors = sightings.vectors_of(engine.encoder, sightings.beside(known) - meant)
    return [
        (one, one.described(vectors[one.id]))
        for one in sightings.some(vectors).values()
        if (one.place.digest, one.face.box) not in asked
    ]
