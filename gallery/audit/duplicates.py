"""Samples that are nearly the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gallery.audit.audit_set import AuditSet, Labels
from gallery.audit.misplaced import Margins
from gallery.audit.proposals import Kind, Proposal, command
from gallery.numerics.neighbours import pairs_within

Pairs = NDArray[np.int64]
"""Rows of samples, the smaller one first, shape (pairs, 2)."""


def near_pairs(audit_set: AuditSet) -> Pairs:
    """Return all pairs of samples that are nearly the same, by their rows."""
    most = audit_set.near**2
    one, other, apart = pairs_within(audit_set.descriptors, np.full(len(audit_set), most))
    return np.stack([one, other], axis=1)[apart < most]


def distinct(audit_set: AuditSet, pairs: Pairs) -> Labels:
    """Return, for each sample, the row of the one that stands for it, shape (n,).

    Of a character's samples, the one that can be seen best stands for those nearly the same as it;
    of the others the best one stands for the next, and so on.
    """
    own = pairs[audit_set.labels[pairs[:, 0]] == audit_set.labels[pairs[:, 1]]]
    near: dict[int, list[int]] = defaultdict(list)
    for one, other in own.tolist():
        near[one].append(other)
        near[other].append(one)
    stands = np.arange(len(audit_set))
    settled: set[int] = set()
    seen = np.nan_to_num(audit_set.enrolled.quality)
    for row in sorted(near, key=lambda row: (-seen[row], row)):
        if row not in settled:
            others = [other for other in near[row] if other not in settled]
            stands[others] = row
            settled.update((row, *others))
    return stands


def duplicates(audit_set: AuditSet, stands: Labels) -> Iterator[Proposal]:
    """Propose to forget all but the best of a character's samples that are nearly the same."""
    order = np.argsort(stands, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(stands[order])) + 1):
        if len(own) < 2:
            continue
        kept = int(stands[own[0]])
        others = own[own != kept]
        apart = audit_set.exact(others) - audit_set.exact(kept)
        mean = float(np.linalg.norm(apart, axis=1).mean())
        ids = audit_set.ids_of(others)
        name = audit_set.enrolled.character(kept)
        yield Proposal(
            Kind.DUPLICATES,
            max(1.0 - mean / audit_set.near, 0.0),
            (name,),
            ids,
            audit_set.ids_of([kept]),
            f"{len(others) + 1} samples of {name} are nearly the same; "
            f"{audit_set.ids[kept]} can be seen best.",
            command("forget", *(word for one in ids for word in ("--sample", one))),
        )


def twins(audit_set: AuditSet, pairs: Pairs, found: Margins) -> Iterator[Proposal]:
    """Propose to forget one of two samples of two characters that are nearly the same.

    It is the one that fits its own character worse.
    """
    across = pairs[audit_set.labels[pairs[:, 0]] != audit_set.labels[pairs[:, 1]]]
    fit = np.nan_to_num(found.values, posinf=9.0, neginf=-9.0)
    for pair in across.tolist():
        wrong, right = sorted(pair, key=lambda row: (-fit[row], -audit_set.ids[row]))
        one, other = (audit_set.enrolled.character(row) for row in (wrong, right))
        # A person said so of the one, or of both: neither is a mistake.
        if other in audit_set.state(wrong).not_these:
            continue
        if audit_set.state(wrong).character == one:
            continue
        apart = float(np.linalg.norm(audit_set.exact(wrong) - audit_set.exact(right)))
        sample, twin = audit_set.ids_of([wrong, right])
        yield Proposal(
            Kind.TWINS,
            max(1.0 - apart / audit_set.near / 2, 0.0),
            (one, other),
            (sample,),
            (twin,),
            f"Sample {sample} of {one} is nearly the same as {twin} of {other}: {apart:.3f} apart.",
            command("forget", "--sample", sample),
        )
