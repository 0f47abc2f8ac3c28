"""Confirmed faces that teach most become references: confirming is not enrolling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Engine
from gallery.errors import NothingConfirmed
from gallery.events import Advanced, Finished, Job, Started
from gallery.faces.quality import is_poor
from gallery.identify.calibration.joint import COPIES
from gallery.jobs.adopt import as_samples
from gallery.jobs.decide import person
from gallery.jobs.meant import seen
from gallery.numerics.choosing import chosen
from gallery.store.sightings import Sighting
from gallery.store.steps import Action, Step
from gallery.types import Decided, Verdict, width_of

TAKE = 5
"""Faces that are taken unless another number is asked for."""

LOOKED_AT = 2000
"""Confirmed faces that are compared at most, those that can be seen best: each with each other."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A confirmed face that teaches."""

    face: Sighting
    apart: float | None
    """How far it is from the nearest reference before it; None for the first of all."""


@dataclass(frozen=True, slots=True)
class References:
    """What came of it."""

    character: str
    confirmed: int
    """How many confirmed faces there were to choose from, without poor ones."""
    chosen: tuple[Reference, ...]
    """The one that teaches most comes first."""
    step: Step | None
    """Of those that are samples since, which `undo` takes out; None where none is."""

    @property
    def added(self) -> int:
        """How many of them are samples since."""
        return 0 if self.step is None else self.step.faces


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of several characters, in one step."""

    of: tuple[References, ...]
    """Of those with confirmed faces."""
    step: Step | None
    """None where no face is a new sample."""


def references(
    engine: Engine, name: str, take: int = TAKE, *, dry_run: bool = False, who: str | None = None
) -> Job[References]:
    """Enroll the few confirmed faces of a character that teach most, or say which these are.

    That is a step, which can be undone.

    Those are chosen by their quality, and by how much nearer the confirmed faces come to a
    reference: what is like a sample that is there teaches nothing, and neither does a face that is
    like no other. Raises InputError for a name that nobody has, and where no face is confirmed as
    the character; StoreError where samples lack the encoder in use.
    """
    engine.require_encoded()
    name = engine.store.character(name).name
    yield Started("choosing", 0, "face")
    found = _chosen(engine, name, take)
    if not dry_run:
        found = replace(found, step=_enrolled(engine, [found], who))
    yield Finished(found)


def references_of_all(
    engine: Engine,
    names: Sequence[str] = (),
    take: int = TAKE,
    *,
    dry_run: bool = False,
    who: str | None = None,
) -> Job[Taken]:
    """Enroll what teaches most of several characters, or of all, in one step; see references.

    Those of whom no face is confirmed are passed over. Raises InputError for a name that nobody
    has, StoreError where samples lack the encoder in use.
    """
    engine.require_encoded()
    able = engine.store.answers.counts(engine.encoder).names(
        Verdict.SURE, decided=Decided.CONFIRMED
    )
    asked = {engine.store.character(name).name for name in names}
    wanted = [name for name in able if not names or name in asked]
    yield Started("choosing", len(wanted), "character")
    found = []
    for name in wanted:
        found.append(_chosen(engine, name, take))
        yield Advanced(1)
    yield Finished(Taken(tuple(found), None if dry_run else _enrolled(engine, found, who)))


def _chosen(engine: Engine, name: str, take: int) -> References:
    """Return the confirmed faces of a character that teach most."""
    faces, descriptors = _confirmed(engine, name)
    found = chosen(
        descriptors,
        np.array([one.quality.score if one.quality else 1.0 for one in faces]),
        engine.store.references(engine.encoder, name),
        most=take,
        reach=engine.thresholds.unknown,
        apart=COPIES * engine.thresholds.unknown,
    )
    taken = tuple(
        Reference(faces[one.row], one.apart if np.isfinite(one.apart) else None) for one in found
    )
    return References(name, len(faces), taken, None)


def _enrolled(engine: Engine, found: Sequence[References], who: str | None) -> Step | None:
    """Enroll chosen faces in one step, and return it; None where none is a new sample."""
    faces = {one.character: [reference.face for reference in one.chosen] for one in found}
    meant = {
        one.sighting.id: one.face
        for own in faces.values()
        for one in seen(engine, own)
        if one.sighting is not None
    }
    samples = {
        face: sample
        for name, own in faces.items()
        for face, sample in as_samples(engine, name, own).items()
    }
    with engine.store.writing() as writer:
        # Somebody may have decided otherwise since they were chosen.
        now = engine.store.answers.of_faces(engine.encoder, samples)
        added = [
            face
            for face, sample in samples.items()
            if now[face].decided is Decided.CONFIRMED
            and now[face].character == sample.character
            and writer.add(sample) is not None
        ]
        if not added:
            return None
        names = {samples[face].character for face in added}
        name = writer.current_name(names.pop()) if len(names) == 1 else None
        step = writer.decisions.begin(Action.REFERENCES, person(who), name)
        # They stay what they are; that this step owns them lets undo find them.
        writer.decisions.decide(step, [meant[face] for face in added], lambda state, _: state)
        return writer.decisions.step(step)


def _confirmed(engine: Engine, name: str) -> tuple[list[Sighting], NDArray[np.float32]]:
    """Return the confirmed faces of a character that are not poor, and their descriptors."""
    store = engine.store
    numbers: list[int] = []
    after: str | None = None
    while True:
        page = store.answers.page(
            engine.encoder, Verdict.SURE, name, decided=Decided.CONFIRMED, after=after
        )
        numbers += [one.face for one in page.faces]
        after = page.after
        if after is None:
            break
    if not numbers:
        raise NothingConfirmed(name)
    vectors = store.sightings.vectors_of(engine.encoder, numbers)
    faces = [
        one
        for one in store.sightings.some(numbers).values()
        if one.id in vectors and not (one.quality and is_poor(one.quality))
    ]
    faces.sort(key=lambda one: (-(one.quality.score if one.quality else 1.0), one.id))
    faces = faces[:LOOKED_AT]
    rows = [vectors[one.id] for one in faces]
    return faces, np.array(rows, np.float32).reshape(len(rows), width_of(engine.encoder))
