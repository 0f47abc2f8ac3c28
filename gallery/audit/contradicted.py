"""Samples that a person decided otherwise of than they are enrolled."""

from __future__ import annotations

from collections.abc import Iterator

from gallery.audit.audit_set import AuditSet
from gallery.audit.proposals import Kind, Proposal, command


def contradicted(audit_set: AuditSet) -> Iterator[Proposal]:
    """Propose to move samples to whom they were confirmed as, and to forget those set aside."""
    for sample, row in audit_set.enrolled.rows.items():
        state, character = audit_set.state(row), audit_set.enrolled.character(row)
        name = state.character
        if state.is_set_aside:
            said, fix = f"is {state.decided.words}", command("forget", "--sample", sample)
        elif name is not None and name != character:
            said, fix = f"shows {name}", command("move", sample, "--to", name)
        else:
            continue
        yield Proposal(
            Kind.CONTRADICTED,
            1.0,
            (character,) if name is None else (character, name),
            (sample,),
            audit_set.typical(int(audit_set.labels[row])),
            f"A person decided that sample {sample} of {character} {said}.",
            fix,
        )
