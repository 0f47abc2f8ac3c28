"""What a person looked at in an audit and found right: it is not proposed again."""

from __future__ import annotations

from collections.abc import Sequence

from gallery.audit.audit_set import AuditSet
from gallery.audit.proposals import Kind, Proposal
from gallery.engine.engine import Engine
from gallery.errors import NoSuchSample
from gallery.jobs.decide import person
from gallery.store.steps import Action, FaceMeant, Step
from gallery.types import Place

OF_SAMPLES = (Kind.MISPLACED, Kind.TWINS, Kind.SPLIT, Kind.DUPLICATES, Kind.FEW)
"""What is settled once all samples that a proposal is about are said to be right."""


def say_right(engine: Engine, sample_ids: Sequence[int], *, who: str | None = None) -> Step:
    """Decide that samples show whom they are enrolled as, and return the step.

    It is a decision like any other, and can be undone. Raises InputError for a sample that does not
    exist; nothing is decided then.
    """
    wanted = list(dict.fromkeys(sample_ids))
    known = {one.id: one for one in engine.store.samples(engine.encoder, ids=wanted)}
    for number in wanted:
        if number not in known:
            raise NoSuchSample(number)
    samples = [known[number] for number in wanted]
    faces = [FaceMeant(Place(one.digest), one.path, one.face.box) for one in samples]
    names = {face: one.character for face, one in zip(faces, samples, strict=True)}
    common = samples[0].character if len(set(names.values())) == 1 else None
    with engine.store.writing() as writer:
        step = writer.decisions.begin(Action.CONFIRM, person(who), common)
        writer.decisions.decide(step, faces, lambda state, face: state.confirmed(names[face]))
        return writer.decisions.step(step)


def is_settled(audit_set: AuditSet, proposal: Proposal) -> bool:
    """Say whether a person said that all samples of a proposal are right as they are."""
    if proposal.kind not in OF_SAMPLES or not proposal.samples:
        return False
    states = map(audit_set.state_of, proposal.samples)
    return all(state.character == proposal.characters[0] for state in states)
