"""Carrying out what an audit proposes, for those who do not type its commands."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from gallery.audit.proposals import Kind, Proposal
from gallery.audit.right import OF_SAMPLES, say_right
from gallery.engine.engine import Engine
from gallery.errors import ChangedProposal, InputError
from gallery.jobs.decide import person
from gallery.store.steps import Step

DOUBTED = (Kind.CONTRADICTED, *OF_SAMPLES)
"""What one may say of that the enrolment is right: a decision, which later audits heed."""


@dataclass(frozen=True, slots=True)
class Fix:
    """What a proposal's command does."""

    verb: str
    """`move`, `forget`, `split` or `merge`."""
    text: str
    """In words, as a button says it."""
    samples: tuple[int, ...] = ()
    """Which it moves, forgets or splits off."""
    name: str = ""
    """Whom it gives them to."""

    @property
    def can_be_undone(self) -> bool:
        """Whether `take_back` restores what was."""
        return self.verb == "move"


def fix_of(proposal: Proposal) -> Fix | None:
    """Return what a proposal's command does; None where it is advice that takes new pictures."""
    match shlex.split(proposal.command):
        case ["gallery", "move", sample, "--to", name]:
            return Fix("move", f"Move to {name}", (int(sample),), name)
        case ["gallery", "forget", *options]:
            samples = tuple(map(int, options[1::2]))
            many = "this sample" if len(samples) == 1 else f"{len(samples)} samples"
            return Fix("forget", f"Forget {many}", samples)
        case ["gallery", "split", _, new, *samples]:
            return Fix("split", f"Make {new} of {len(samples)}", tuple(map(int, samples)), new)
        case ["gallery", "merge", source, target]:
            return Fix("merge", f"Merge {source} into {target}", (), target)
    return None


def carry_out(engine: Engine, proposal: Proposal) -> None:
    """Do what a proposal's command does.

    Raises InputError where it is advice, and where what it is about changed since it was made.
    """
    fix = fix_of(proposal)
    if fix is None:
        raise InputError("This wants other pictures; there is nothing to carry out.")
    owner = proposal.characters[0]
    _check(engine, fix.samples, owner)
    if fix.verb == "move":
        engine.move(fix.samples, fix.name)
    elif fix.verb == "forget":
        engine.forget_samples(fix.samples)
    elif fix.verb == "split":
        engine.split(owner, fix.name, fix.samples)
    else:
        engine.merge(owner, fix.name, person(None))


def take_back(engine: Engine, proposal: Proposal) -> None:
    """Give samples that were moved back to whom they were enrolled as.

    Raises InputError for what is no move, and where they were moved again since.
    """
    fix = fix_of(proposal)
    if fix is None or not fix.can_be_undone:
        raise InputError("This cannot be undone.")
    _check(engine, fix.samples, fix.name)
    engine.move(fix.samples, proposal.characters[0])


def call_right(engine: Engine, proposal: Proposal, *, who: str | None = None) -> Step:
    """Decide that a proposal's samples show whom they are enrolled as, and return the step.

    Raises InputError where nothing is doubted, and where they were moved or forgotten since.
    """
    if proposal.kind not in DOUBTED:
        raise InputError("Nobody doubts whom this shows.")
    _check(engine, proposal.samples, proposal.characters[0])
    return say_right(engine, proposal.samples, who=who)


def _check(engine: Engine, samples: tuple[int, ...], owner: str) -> None:
    """Raise InputError unless samples are there and enrolled as a character."""
    if not set(samples) <= {one.id for one in engine.samples(owner)}:
        raise ChangedProposal(owner)
