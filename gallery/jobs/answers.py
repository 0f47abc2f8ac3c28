"""Stored answers, renewed: what the gallery says now of the faces whose answers are stale."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gallery.engine import joint
from gallery.engine.engine import Engine
from gallery.errors import BadSetting
from gallery.events import Advanced, Finished, Job, Stage, Started
from gallery.jobs.reencode import encode_kept
from gallery.jobs.stored_answers import AT_ONCE, AnswersStored
from gallery.store.answers import MOST_ALTERNATIVES, GalleryState
from gallery.store.rejections import NEARLY

LOOKED_AT_ONCE = 2000
"""Descriptors that are compared with rejected faces in one part."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What became of it."""

    renewed: int
    """How many faces have a new answer."""
    is_outdated: bool
    """The gallery changed meanwhile, so that answers are stale again: do it again."""


def renew(engine: Engine, *, alone: bool = False, at_once: int = AT_ONCE) -> Job[Renewal]:
    """Answer the faces whose stored answers are stale, and store what is said of them.

    What an event tells is stored, so many answers at once, so that a job may be closed after any of
    them, and the next one goes on there. Unless every face is answered alone, those of a calibrated
    gallery are answered jointly, as `relabel` does; so are those then that were answered alone. The
    job ends early where the gallery changes meanwhile. Raises StoreError where samples lack the
    encoder in use, and InputError where the engine is kept to a series.
    """
    if engine.series is not None:
        raise BadSetting(
            "series", "Stored answers are of all characters", "open the gallery without a series"
        )
    engine.require_encoded()
    yield from encode_kept(engine)
    stored, encoder = engine.store.answers, engine.encoder
    now = stored.now(encoder)
    jointly = not alone and now.calibration != ""
    yield from _doubt_near_rejections(engine)
    wanted = stored.wanted(encoder, jointly=jointly)
    scoring = joint.alone(engine, top=MOST_ALTERNATIVES)
    if wanted and jointly:
        scoring = yield from joint.jointly(engine, top=MOST_ALTERNATIVES)
    storing = AnswersStored(engine, scoring, now, top=MOST_ALTERNATIVES, jointly=jointly)
    yield Finished((yield from _renewed(engine, wanted, storing, now, at_once)))


def renew_doubted(engine: Engine, *, at_once: int = AT_ONCE) -> Job[Renewal]:
    """Answer the few faces whose answers single decisions put in doubt, each alone.

    That is done at once, where joint scoring wants a look at all faces; `renew` does that later.
    Otherwise it is as `renew`.
    """
    engine.require_encoded()
    now = engine.store.answers.now(engine.encoder)
    yield from _doubt_near_rejections(engine)
    wanted = engine.store.answers.doubted(engine.encoder)
    scoring = joint.alone(engine, top=MOST_ALTERNATIVES)
    storing = AnswersStored(engine, scoring, now, top=MOST_ALTERNATIVES, jointly=False)
    yield Finished((yield from _renewed(engine, wanted, storing, now, at_once)))


def _renewed(
    engine: Engine, faces: Sequence[int], storing: AnswersStored, now: GalleryState, at_once: int
) -> Stage[Renewal]:
    """Answer and store faces for as long as the gallery is what it was."""
    stored, encoder = engine.store.answers, engine.encoder
    yield Started("answering", len(faces), "face")
    renewed = 0
    for some in _portions(faces, at_once):
        if stored.now(encoder) != now:
            break
        renewed += _answer(engine, some, storing)
        yield Advanced(len(some))
    return Renewal(renewed, stored.now(encoder) != now)


def renew_faces(engine: Engine, faces: Collection[int]) -> None:
    """Answer some faces at once, each alone: after a name was rejected for them, for a look.

    Those that are gone, or that the encoder in use has not described, are passed over. Raises
    StoreError where samples lack the encoder in use.
    """
    engine.require_encoded()
    now = engine.store.answers.now(engine.encoder)
    scoring = joint.alone(engine, top=MOST_ALTERNATIVES)
    storing = AnswersStored(engine, scoring, now, top=MOST_ALTERNATIVES, jointly=False)
    _answer(engine, sorted(faces), storing)


def _answer(engine: Engine, faces: Sequence[int], storing: AnswersStored) -> int:
    """Answer and store faces by their numbers, and return how many they were.

    The others of their pictures are answered with them, since no two are one character.
    """
    sightings = engine.store.sightings
    beside = sightings.beside(faces)
    vectors = sightings.vectors_of(engine.encoder, beside)
    # Somebody may have removed one meanwhile.
    seen = [one for one in sightings.some(beside).values() if one.id in vectors]
    storing(seen, [one.described(vectors[one.id]) for one in seen])
    storing.flush()
    wanted = set(faces)
    return sum(one.id in wanted for one in seen)


def _portions(faces: Sequence[int], at_once: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(faces), at_once):
        yield faces[start : start + at_once]


def _doubt_near_rejections(engine: Engine) -> Stage[None]:
    """Let answers of faces be made anew that are nearly the same as one with a rejected name."""
    store = engine.store
    waiting = store.answers.unheeded()
    if not waiting:
        return
    found = [store.rejections.descriptors_of(one).get(engine.encoder) for one in waiting]
    described = [one for one in found if one is not None]
    yield Started("comparing", store.sightings.count(), "face")
    near: set[int] = set()
    after = 0
    while True:
        ids, vectors = store.sightings.vectors(engine.encoder, after=after, limit=LOOKED_AT_ONCE)
        if not len(ids):
            break
        for descriptor in described:
            apart = np.linalg.norm(vectors - descriptor, axis=1)
            near |= set(ids[apart < NEARLY * engine.thresholds.sure].tolist())
        after = int(ids[-1])
        yield Advanced(len(ids))
    with store.writing() as writer:
        writer.answers.doubt(near)
        writer.rejections.heeded(waiting)
