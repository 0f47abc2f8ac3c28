"""Samples that are nearly the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gallery.audit.audit_set import AuditSet, Labels
from gallery.audit.misplaced import Margins
from gallery.audit.proposals import Kind, Proposal, command
from gallery.numerics.distances import squared_distances

ROWS_AT_ONCE = 512

Pairs = NDArray[np.int64]
"""Rows of samples, the smaller one first, shape (pairs, 2)."""


def near_pairs(audit_set: AuditSet) -> Pairs:
    """Return all pairs of samples that are nearly the same, by their rows."""
    found = [np.zeros((0, 2), np.int64)]
    count = len(audit_set.samples)
    for start in range(0, count, ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        apart = squared_distances(audit_set.descriptors[rows], audit_set.descriptors[start:])
        near = np.argwhere(apart < audit_set.near**2) + start
        found.append(near[near[:, 0] < near[:, 1]])
    return np.concatenate(found)


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
    stands = np.arange(len(audit_set.samples))
    settled: set[int] = set()
    for row in sorted(near, key=lambda row: (-_score(audit_set, row), row)):
        if row not in settled:
            others = [other for other in near[row] if other not in settled]
            stands[others] = row
            settled.update((row, *others))
    return stands


def duplicates(audit_set: AuditSet, stands: Labels) -> Iterator[Proposal]:
    """Propose to forget all but the best of a character's samples that are nearly the same."""
    for kept in np.flatnonzero(np.bincount(stands, minlength=len(stands)) > 1).tolist():
        others = np.flatnonzero(stands == kept)
        others = others[others != kept]
        apart = audit_set.descriptors[others] - audit_set.descriptors[kept]
        mean = float(np.linalg.norm(apart, axis=1).mean())
        ids = audit_set.ids_of(others)
        name = audit_set.samples[kept].character
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


def _score(audit_set: AuditSet, row: int) -> float:
    quality = audit_set.samples[row].quality
    return 0.0 if quality is None else quality.score


def twins(audit_set: AuditSet, pairs: Pairs, found: Margins) -> Iterator[Proposal]:
    """Propose to forget one of two samples of two characters that are nearly the same.

    It is the one that fits its own character worse.
    """
    across = pairs[audit_set.labels[pairs[:, 0]] != audit_set.labels[pairs[:, 1]]]
    fit = np.nan_to_num(found.values, posinf=9.0, neginf=-9.0)
    for pair in across:
        wrong, right = sorted((int(row) for row in pair), key=lambda row: (-fit[row], -row))
        one, other = audit_set.samples[wrong], audit_set.samples[right]
        # A person said so of the one, or of both: neither is a mistake.
        if other.character in audit_set.state(wrong).not_these:
            continue
        if audit_set.state(wrong).character == one.character:
            continue
        apart = float(np.linalg.norm(audit_set.descriptors[wrong] - audit_set.descriptors[right]))
        yield Proposal(
            Kind.TWINS,
            max(1.0 - apart / audit_set.near / 2, 0.0),
            (one.character, other.character),
            (one.id,),
            (other.id,),
            f"Sample {one.id} of {one.character} is nearly the same as {other.id} of "
            f"{other.character}: {apart:.3f} apart.",
            command("forget", "--sample", one.id),
        )
