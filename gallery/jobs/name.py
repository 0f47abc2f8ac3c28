"""Saying whom a face shows, right or wrong as it was answered, and taking it in where wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gallery.engine.engine import Engine
from gallery.events import Advanced, Finished, Job, Started
from gallery.jobs.adopt import enroll_as
from gallery.jobs.decide import person
from gallery.jobs.meant import ANY, Given, Meant, Which, faces_meant
from gallery.store.steps import Action, Step
from gallery.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Named:
    """What came of naming faces."""

    character: str
    """As it is called now."""
    step: Step
    """The decision."""
    added: int
    """How many faces are samples since."""
    moved: tuple[int, ...]
    """Samples of others that are the character's since."""
    others: dict[int, str]
    """Samples that stay what they are, and whose they are: faces that were not to be used."""


def name_faces(
    engine: Engine,
    given: Sequence[Given],
    name: str,
    which: Which = ANY,
    *,
    use: bool = False,
    new: bool = False,
    who: str | None = None,
) -> Job[Named]:
    """Decide that faces show a character, and where they are to be used, enroll them as it.

    A face that is enrolled as somebody else is moved then. A box where the detector sees no face
    is taken as one where faces are to be used. Raises InputError for faces that are not there and
    for a name that nobody has, unless it is new; nothing is changed then.
    """
    engine.require_encoded()
    name = engine.called(name, new=new)
    found = yield from faces_meant(engine, given, replace(which, is_cut=use), name)
    yield Started("naming", len(found), "face")
    moved: list[int] = []
    others: dict[int, str] = {}
    with engine.store.writing() as writer:
        writer.character_id(name)
        step = writer.decisions.begin(Action.CONFIRM, person(who), name)
        faces = [one.face for one in found]
        writer.decisions.decide(step, faces, lambda state, _: state.confirmed(name))
        for one in found:
            others.update(_others(writer, one, name))
        if use:
            moved = sorted(others)
            writer.move(moved, name)
            others = {}
        done = writer.decisions.step(step)
    added = enroll_as(engine, name, found) if use else 0
    yield Advanced(len(found))
    yield Finished(Named(name, done, added, tuple(moved), others))


def _others(writer: Writer, one: Meant, name: str) -> dict[int, str]:
    """Return the samples that a face is of other characters, and whose they are."""
    digest = one.face.place.digest if one.sighting is None else one.sighting.digest
    owners = writer.samples_at(digest, one.face.box)
    return {sample: owner for sample, owner in owners.items() if owner != name}
