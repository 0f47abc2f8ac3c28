"""The whole audit."""

from __future__ import annotations

from gallery.audit.characters import few, merge, split
from gallery.audit.duplicates import distinct, duplicates, near_pairs, twins
from gallery.audit.misplaced import margins, misplaced
from gallery.audit.proposals import Proposal, ranked
from gallery.audit.subject import Subject


def audit(subject: Subject) -> list[Proposal]:
    """Return all that may be wrong, likeliest first; nothing is changed.

    A sample that is proposed to be moved is not proposed to be forgotten as a twin as well.
    """
    if not subject.samples:
        return []
    found = margins(subject)
    pairs = near_pairs(subject)
    stands = distinct(subject, pairs)
    moved = list(misplaced(subject, found))
    named = {sample for one in moved for sample in one.samples}
    return ranked(
        [
            *moved,
            *(one for one in twins(subject, pairs, found) if not named & set(one.samples)),
            *split(subject),
            *merge(subject),
            *duplicates(subject, stands),
            *few(subject, stands),
        ]
    )
