"""The whole audit."""

from __future__ import annotations

from gallery.audit.audit_set import AuditSet, audit_set_of
from gallery.audit.characters import few, merge, split
from gallery.audit.contradicted import contradicted
from gallery.audit.duplicates import distinct, duplicates, near_pairs, twins
from gallery.audit.misplaced import margins, misplaced
from gallery.audit.proposals import Proposal, ranked
from gallery.audit.right import is_settled
from gallery.engine.engine import Engine
from gallery.events import Advanced, Finished, Job, Started


def audit(engine: Engine) -> Job[list[Proposal]]:
    """Look for all that may be wrong in a gallery, and return it, likeliest first, as one step.

    Where the engine is kept to a series, only what is about its characters is returned. Nothing is
    changed. Raises StoreError where samples lack the encoder in use.
    """
    yield Started("auditing", 1, "gallery")
    found = proposals(audit_set_of(engine))
    within = engine.within()
    if within is not None:
        found = [one for one in found if not within.isdisjoint(one.characters)]
    yield Advanced()
    yield Finished(found)


def proposals(audit_set: AuditSet) -> list[Proposal]:
    """Return all that may be wrong, likeliest first; nothing is changed.

    A sample that is proposed to be moved is not proposed to be forgotten as a twin as well. What a
    person said to be right is not doubted.
    """
    if not len(audit_set):
        return []
    found = margins(audit_set)
    pairs = near_pairs(audit_set)
    stands = distinct(audit_set, pairs)
    moved = list(misplaced(audit_set, found))
    named = {sample for one in moved for sample in one.samples}
    found_all = [
        *contradicted(audit_set),
        *moved,
        *(one for one in twins(audit_set, pairs, found) if not named & set(one.samples)),
        *split(audit_set),
        *merge(audit_set),
        *duplicates(audit_set, stands),
        *few(audit_set, stands),
    ]
    return ranked([one for one in found_all if not is_settled(audit_set, one)])
