"""Samples that a person decided otherwise of than they are enrolled."""

from __future__ import annotations

from collections.abc import Iterator

from gallery.audit.audit_set import AuditSet
from gallery.audit.proposals import Kind, Proposal, command


def contradicted(audit_set: AuditSet) -> Iterator[Proposal]:
    """Propose to move samples to whom they were confirmed as, and to forget those set aside."""
    for row, sample in enumerate(audit_set.samples):
        state = audit_set.state(row)
        name = state.character
        if state.is_set_aside:
            said, fix = f"is {state.decided.words}", command("forget", "--sample", sample.id)
        elif name is not None and name != sample.character:
            said, fix = f"shows {name}", command("move", sample.id, "--to", name)
        else:
            continue
        yield Proposal(
            Kind.CONTRADICTED,
            1.0,
            (sample.character,) if name is None else (sample.character, name),
            (sample.id,),
            audit_set.typical(int(audit_set.labels[row])),
            f"A person decided that sample {sample.id} of {sample.character} {said}.",
            fix,
        )
