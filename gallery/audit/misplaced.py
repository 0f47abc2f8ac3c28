"""Samples that likely lie in the wrong folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gallery.audit.audit_set import AuditSet, Labels, Numbers
from gallery.audit.proposals import Kind, Proposal, command, logistic
from gallery.numerics.neighbours import Neighbours
from gallery.types import Decided

ROWS_AT_ONCE = 1 << 14

STEEPNESS, START = 15.9, -5.4
"""How sure it is that a label is wrong, from the margin in units of the encoder's `unknown`
distance: a logistic regression on 60 characters held out of the training of anime-pair, in
galleries of 50 by 5, 10 and 20 samples of which 5 % had another's name. There each of them lies
nearer to another character, as do 2 % of the others."""


NOBODY = 1.2
"""Farther than this many times the `unknown` distance from every ideal is hardly any character's:
of those held-out samples, 10 a character, 1.5 % are so far from their own."""


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """How much nearer each sample is to another character than to its own."""

    own: Numbers
    """Distance from its own character's ideal without it, shape (n,); NaN for one alone."""
    other: Numbers
    """Distance from the nearest other ideal, shape (n,); infinite where there is none."""
    nearest: Labels
    """Which character that is."""

    @property
    def values(self) -> Numbers:
        """Own less other: above 0 for what is nearer to another; lowest for what is alone."""
        return np.where(np.isnan(self.own), -np.inf, self.own - self.other)


def margins(audit_set: AuditSet) -> Margins:
    """Compare every sample with all ideals, its own one without it."""
    count = len(audit_set)
    own = np.full(count, np.nan)
    refused = _refused(audit_set)
    # So many of the nearest may be left out besides: those that a sample is known not to show.
    wanted = 1 + max((len(some) for some in refused.values()), default=0)
    ideals = Neighbours(audit_set.ideals)
    near, squares = ideals.others(audit_set.descriptors, audit_set.labels, wanted)
    for row, names in refused.items():
        squares[row, np.isin(near[row], names)] = np.inf
    first = squares.argmin(axis=1)[:, None]
    nearest = np.maximum(np.take_along_axis(near, first, 1)[:, 0], 0)
    other = np.sqrt(np.take_along_axis(squares, first, 1)[:, 0])
    for start in range(0, count, ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, count))
        own[rows] = _own(audit_set, rows)
    return Margins(own, other, nearest)


def _refused(audit_set: AuditSet) -> dict[int, list[int]]:
    """Return the characters that samples are known not to show, by row."""
    numbers = {name: number for number, name in enumerate(audit_set.names)}
    found: dict[int, list[int]] = {}
    for row in audit_set.enrolled.rows.values():
        for name in audit_set.state(row).not_these:
            if name in numbers:
                found.setdefault(row, []).append(numbers[name])
    return found


def _own(audit_set: AuditSet, rows: Labels) -> Numbers:
    """Return the distances of samples from their own ideals without them; NaN for one alone."""
    labels, counts = audit_set.labels[rows], audit_set.counts[rows]
    sizes = audit_set.sizes[labels] - counts
    left = audit_set.ideals[labels] * audit_set.sizes[labels][:, None]
    left = left - np.where(counts[:, None], audit_set.exact(rows), 0.0)
    apart = audit_set.exact(rows) - left / np.maximum(sizes, 1)[:, None]
    return np.where(sizes > 0, np.linalg.norm(apart, axis=1), np.nan)


def misplaced(audit_set: AuditSet, found: Margins) -> Iterator[Proposal]:
    """Propose to move samples that are nearer to another character, or to forget strangers.

    Those that a person decided of are not guessed at.
    """
    for row in np.flatnonzero(found.values > 0).tolist():
        if audit_set.state(row).decided not in (Decided.UNDECIDED, Decided.NOT_THIS):
            continue
        own, other = float(found.own[row]), float(found.other[row])
        sample, character = int(audit_set.ids[row]), audit_set.enrolled.character(row)
        name = audit_set.names[found.nearest[row]]
        if other <= NOBODY * audit_set.unknown:
            fix = command("move", sample, "--to", name)
            rest = ""
        else:
            fix = command("forget", "--sample", sample)
            rest = " Neither is near: it may be somebody else, or no face."
        yield Proposal(
            Kind.MISPLACED,
            logistic(STEEPNESS * (own - other) / audit_set.unknown + START),
            (character, name),
            (sample,),
            (
                *audit_set.typical(int(audit_set.labels[row])),
                *audit_set.typical(found.nearest[row]),
            ),
            f"Sample {sample} of {character} is {own:.3f} from its own character and "
            f"{other:.3f} from {name}.{rest}",
            fix,
        )
