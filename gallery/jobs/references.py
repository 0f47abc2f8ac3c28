"""Confirmed faces that teach most become references: confirming is not enrolling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Engine
from gallery.errors import NothingConfirmed
from gallery.events import Finished, Job, Started
from gallery.faces.quality import is_poor
from gallery.identify.calibration.joint import COPIES
from gallery.jobs.adopt import enroll_as
from gallery.jobs.meant import seen
from gallery.numerics.choosing import chosen
from gallery.store.sightings import Sighting
from gallery.types import DIMENSION, Decided, Verdict

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
    added: int
    """How many of them are samples since."""


def references(
    engine: Engine, name: str, take: int = TAKE, *, dry_run: bool = False
) -> Job[References]:
    """Enroll the few confirmed faces of a character that teach most, or say which these are.

    Those are chosen by their quality, and by how much nearer the confirmed faces come to a
    reference: what is like a sample that is there teaches nothing, and neither does a face that is
    like no other. Raises InputError for a name that nobody has, and where no face is confirmed as
    the character; StoreError where samples lack the encoder in use.
    """
    engine.require_encoded()
    name = engine.store.character(name).name
    yield Started("choosing", 0, "face")
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
    added = 0
    if not dry_run:
        added = enroll_as(engine, name, seen(engine, [one.face for one in taken]))
    yield Finished(References(name, len(faces), taken, added))


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
    return faces, np.array(rows, np.float32).reshape(-1, DIMENSION)
