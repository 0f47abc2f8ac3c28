"""Identification (1:N): how near a face is to its own character and to the nearest others.

A probe that is itself a reference is left out of what it is compared with: its character's ideal,
best, nearest samples and votes are made of the others (leave-one-out). So the search of a face
whose character is enrolled ("mated" in ISO/IEC 19795-1) and that of a stranger, the same face with
all of its character taken out, come from one pass.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.metrics import Labels, Numbers, Vectors
from gallery.events import Advanced, Steps, value_of
from gallery.identify.matching import VOTERS, by_votes, first_of_each
from gallery.numerics.distances import squared_distances
from gallery.numerics.neighbours import NOBODY, Neighbours
from gallery.numerics.profiles import counting
from gallery.types import MatchMode

Rows = NDArray[np.intp]

BLOCK = 256
"""Probes that are compared with all references at once, unless these are very many."""

MOST_AT_ONCE = 1 << 22
"""Distances that are in memory at once."""

DEPTH = 10
"""How many other characters are kept for a probe."""


@dataclass(frozen=True, eq=False)
class References:
    """The enrolled faces, one or more, in the order of their characters."""

    descriptors: Vectors
    """Shape (n, dimension)."""
    labels: Labels
    """Whose they are, shape (n,), ascending."""
    poor: NDArray[np.bool_]
    """Which ones ideal and best leave out while there are others, shape (n,)."""

    @cached_property
    def members(self) -> Labels:
        """The characters that are enrolled, ascending."""
        return np.unique(self.labels)

    def rows_of(self, label: int) -> Rows:
        """Return a character's rows; none where it is not enrolled."""
        first, last = np.searchsorted(self.labels, [label, label + 1])
        return np.arange(first, last)

    def counted(self, label: int, without: int = NOBODY) -> Rows:
        """Return the rows that a character's ideal is made of, as if one row were not there.

        None where it has no other; see profiles.counting.
        """
        rows = self.rows_of(label)
        rows = rows[rows != without]
        return np.asarray(rows[counting(self.poor[rows].tolist())] if len(rows) else rows)

    def chosen(self, rows: Rows) -> References:
        """Return only these references, in their order here."""
        rows = np.sort(rows)
        return References(self.descriptors[rows], self.labels[rows], self.poor[rows])


def references_of(
    descriptors: Vectors, labels: Labels, poor: NDArray[np.bool_] | None = None
) -> tuple[References, Rows]:
    """Return references in the order of their characters, and which row each one was."""
    order = np.argsort(labels, kind="stable")
    marks = np.zeros(len(labels), dtype=np.bool_) if poor is None else poor
    return References(descriptors[order], labels[order], marks[order]), order


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """Faces to ask about."""

    descriptors: Vectors
    """Shape (n, dimension)."""
    labels: Labels
    """Who they are, shape (n,)."""
    own: Rows
    """Which reference the probe itself is, shape (n,); NOBODY for none."""

    def chosen(self, rows: Rows) -> Probes:
        """Return only these probes."""
        return Probes(self.descriptors[rows], self.labels[rows], self.own[rows])

    def among(self, kept: Rows, count: int) -> Probes:
        """Return probes that find themselves where of `count` references only some are kept."""
        # NOBODY is the table's last place, which holds NOBODY.
        places = np.full(count + 1, NOBODY)
        places[kept] = np.arange(len(kept))
        return Probes(self.descriptors, self.labels, places[self.own])


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What one matcher says of each probe. Where there are fewer characters, NOBODY at infinity."""

    own: Numbers
    """Distance from its own character, shape (n,); infinite where no other face of it is enrolled.
    """
    others: Labels
    """The nearest other characters, shape (n, DEPTH)."""
    distances: Numbers
    """Their distances, ascending, shape (n, DEPTH)."""
    rank: Labels
    """How many others come before its own character, 0 to DEPTH. One that is as far comes before
    it: what cannot be told apart is no hit."""


def search(
    references: References, probes: Probes, modes: Sequence[MatchMode]
) -> dict[MatchMode, Candidates]:
    """Compare probes with references in several modes.

    The same as gallery.matching does, with each probe left out. Distances are Euclidean, taken in
    double precision for what is kept. In memory is a part of the table of all distances.
    """
    return value_of(search_in_steps(references, probes, modes))


def search_in_steps(
    references: References, probes: Probes, modes: Sequence[MatchMode]
) -> Steps[dict[MatchMode, Candidates]]:
    """Do what search does, in as many steps as `blocks` says."""
    searcher = _Searcher(references, modes)
    parts: list[dict[MatchMode, Candidates]] = []
    at_once = _at_once(len(references.labels))
    for start in range(0, len(probes.labels), at_once):
        rows = np.arange(start, min(start + at_once, len(probes.labels)))
        parts.append(searcher.block(probes.chosen(rows)))
        yield Advanced()
    return {mode: _joined([part[mode] for part in parts]) for mode in modes}


def without(
    candidates: Candidates, labels: Labels, excluded: Mapping[int, Collection[int]]
) -> Candidates:
    """Return candidates without the characters that a probe is known not to show.

    `excluded` names them for some rows; labels, shape (n,), say whose the probes are. Whoever's own
    character is excluded is never right, however near it is. Fewer than DEPTH others are left
    then: those that would follow were not kept.
    """
    if not excluded:
        return candidates
    others, distances = candidates.others.copy(), candidates.distances.copy()
    rank = candidates.rank.copy()
    for row, names in excluded.items():
        gone = np.isin(others[row], list(names))
        # From DEPTH on nobody knows how many come before it.
        rank[row] -= gone[: rank[row]].sum() if rank[row] < DEPTH else 0
        if int(labels[row]) in names:
            rank[row] = DEPTH
        kept = int((~gone).sum())
        others[row] = np.append(others[row][~gone], np.full(DEPTH - kept, NOBODY))
        distances[row] = np.append(distances[row][~gone], np.full(DEPTH - kept, np.inf))
    return Candidates(candidates.own, others, distances, rank)


def blocks(probes: int, references: int) -> int:
    """Return how many steps a search of so many probes among so many references has."""
    return -(-probes // _at_once(references))


def _at_once(references: int) -> int:
    return max(min(BLOCK, MOST_AT_ONCE // max(references, 1)), 1)


def _joined(parts: Sequence[Candidates]) -> Candidates:
    """Return what was said block by block as one."""
    if not parts:
        nothing = np.zeros((0, DEPTH))
        nobody = np.zeros((0, DEPTH), dtype=np.int64)
        return Candidates(nothing[:, 0], nobody, nothing, nobody[:, 0])
    return Candidates(
        np.concatenate([part.own for part in parts]),
        np.concatenate([part.others for part in parts]),
        np.concatenate([part.distances for part in parts]),
        np.concatenate([part.rank for part in parts]),
    )


class _Searcher:
    """References with what is made of them once."""

    def __init__(self, references: References, modes: Sequence[MatchMode]) -> None:
        self._references = references
        self._modes = modes
        self._members = references.members
        self._starts = np.searchsorted(references.labels, self._members)
        self._ends = np.append(self._starts[1:], len(references.labels))
        exact = references.descriptors.astype(np.float64)
        self._exact = exact
        self._most = int((self._ends - self._starts).max(initial=1))
        counted = [references.counted(int(label)) for label in self._members]
        self._counted = counted
        dimension = exact.shape[1]
        self._ideals = np.array([exact[rows].mean(axis=0) for rows in counted])
        bests = [
            rows[np.linalg.norm(exact[rows] - ideal, axis=1).argmin()]
            for rows, ideal in zip(counted, self._ideals, strict=True)
        ]
        self._bests = exact[np.array(bests, dtype=np.intp)].reshape(-1, dimension)
        self._ideals = self._ideals.reshape(-1, dimension)
        self._near_ideals, self._near_bests = Neighbours(self._ideals), Neighbours(self._bests)

    def block(self, probes: Probes) -> dict[MatchMode, Candidates]:
        """Return what each mode says of a block of probes."""
        exact = probes.descriptors.astype(np.float64)
        places = self._places(probes.labels)
        said: dict[MatchMode, Candidates] = {}
        for mode, centres in (
            (MatchMode.IDEAL, self._near_ideals),
            (MatchMode.BEST, self._near_bests),
        ):
            if mode in self._modes:
                own = self._own_centres(exact, probes.own, places, mode)
                near, squares = centres.others(exact, places, DEPTH)
                said[mode] = _ordered(self._members[near], np.sqrt(squares), own)
        if MatchMode.NEAREST in self._modes or MatchMode.VOTE in self._modes:
            nearest, vote = self._by_samples(probes, exact, places)
            said[MatchMode.NEAREST], said[MatchMode.VOTE] = nearest, vote
        return said

    def _places(self, labels: Labels) -> Rows:
        """Return each label's place among the members; NOBODY for one that is not enrolled."""
        places = np.minimum(np.searchsorted(self._members, labels), len(self._members) - 1)
        return np.where(self._members[places] == labels, places, NOBODY)

    def _own_centres(self, exact: Numbers, own: Rows, places: Rows, mode: MatchMode) -> Numbers:
        """Return each probe's distance from its own ideal or best, made without the probe."""
        centres = self._ideals if mode is MatchMode.IDEAL else self._bests
        apart = np.where(places == NOBODY, np.inf, np.linalg.norm(exact - centres[places], axis=1))
        for row in np.flatnonzero((places != NOBODY) & (own != NOBODY)):
            rest = self._exact[self._rest(int(own[row]), int(places[row]))]
            if not len(rest):
                apart[row] = np.inf
                continue
            centre = rest.mean(axis=0)
            if mode is MatchMode.BEST:
                centre = rest[np.linalg.norm(rest - centre, axis=1).argmin()]
            apart[row] = np.linalg.norm(exact[row] - centre)
        return apart

    def _rest(self, reference: int, place: int) -> Rows:
        """Return what a character's ideal is made of when one of its samples is not there.

        The same as profiles.counting says of the others.
        """
        counted = self._counted[place]
        if len(counted) > 1 or counted[0] != reference:
            return np.asarray(counted[counted != reference])
        rows = np.arange(self._starts[place], self._ends[place])
        return np.asarray(rows[rows != reference])

    def _by_samples(
        self, probes: Probes, exact: Numbers, places: Rows
    ) -> tuple[Candidates, Candidates]:
        """Return candidates by the nearest sample, and by the votes of the nearest samples."""
        near = squared_distances(probes.descriptors, self._references.descriptors)
        known = np.flatnonzero(probes.own != NOBODY)
        near[known, probes.own[known]] = np.inf
        of_each = np.minimum.reduceat(near, self._starts, axis=1)
        known = np.flatnonzero(places != NOBODY)
        of_each[known, places[known]] = np.inf
        columns = np.sort(_smallest(of_each, DEPTH + 1), axis=1)
        several = max(MOST_AT_ONCE // (self._most * (columns.shape[1] + 1)), 1)
        parts = [
            self._exactly(exact, near, columns, places, np.arange(start, end))
            for start in range(0, len(exact), several)
            for end in (min(start + several, len(exact)),)
        ]
        apart = np.concatenate(parts) if parts else np.zeros((0, columns.shape[1] + 1, 1))
        apart[:, :-1][~np.isfinite(np.take_along_axis(of_each, columns, axis=1))] = np.inf
        labels = self._members[columns]
        nearest = _ordered(labels, apart[:, :-1, 0], apart[:, -1, 0])
        own = np.where(places == NOBODY, NOBODY, self._members[places])
        votes = [_vote_row(*one) for one in zip(labels, apart, own, strict=True)]
        return nearest, _stacked(votes)

    def _exactly(
        self, exact: Numbers, near: Vectors, columns: Rows, places: Rows, rows: Rows
    ) -> Numbers:
        """Return exact distances of some probes from their nearest samples, ascending.

        Of each of the characters in `columns` and, last, of the probe's own, VOTERS at most: shape
        (rows, columns + 1, up to VOTERS), infinite where there is none.
        """
        some = np.concatenate([columns[rows], places[rows, None]], axis=1)
        samples = self._starts[some][:, :, None] + np.arange(self._most)
        there = (samples < self._ends[some][:, :, None]) & (some != NOBODY)[:, :, None]
        samples = np.where(there, samples, 0)
        about = np.where(there, near[rows[:, None, None], samples], np.inf)
        if about.shape[2] > VOTERS:
            kept = np.argpartition(about, VOTERS - 1, axis=2)[:, :, :VOTERS]
            about, samples = (np.take_along_axis(one, kept, axis=2) for one in (about, samples))
        apart = np.linalg.norm(self._exact[samples] - exact[rows][:, None, None], axis=3)
        apart[~np.isfinite(about)] = np.inf
        return np.sort(apart, axis=2)


def _smallest(values: Vectors, count: int) -> Rows:
    """Return the columns of each row's smallest values, in no order."""
    if values.shape[1] <= count:
        return np.tile(np.arange(values.shape[1]), (len(values), 1))
    return np.argpartition(values, count - 1, axis=1)[:, :count]


def _ordered(labels: Labels, apart: Numbers, own: Numbers) -> Candidates:
    """Return candidates from others' distances in no order."""
    order = np.argsort(apart, axis=1, kind="stable")[:, :DEPTH]
    distances = np.take_along_axis(apart, order, axis=1)
    others = np.take_along_axis(labels, order, axis=1)
    missing = DEPTH - distances.shape[1]
    distances = np.pad(distances, ((0, 0), (0, missing)), constant_values=np.inf)
    others = np.pad(others, ((0, 0), (0, missing)), constant_values=NOBODY)
    others = np.where(np.isfinite(distances), others, NOBODY)
    before = (distances <= own[:, None]) & np.isfinite(distances)
    rank = np.where(np.isfinite(own), before.sum(axis=1), DEPTH)
    return Candidates(own, others, distances, rank)


_Ranked = list[tuple[int, float]]


def _vote_row(labels: Labels, apart: Numbers, own: int) -> tuple[float, _Ranked, int]:
    """Return a row of candidates by votes; a stranger's voters are samples of others alone.

    Given are other characters and the distances of their nearest samples, ascending, shape
    (characters + 1, samples), the last ones the probe's own, if it has any.
    """
    # Every sample among the VOTERS nearest is of one of the VOTERS nearest characters.
    pairs = [
        [(label, distance) for distance in distances if distance < np.inf]
        for label, distances in zip([*labels.tolist(), own], apart.tolist(), strict=True)
    ]
    *others, mine = pairs
    nearest = sorted((one[0] for one in others if one), key=lambda one: (one[1], one[0]))
    samples = sorted((one for some in others for one in some), key=lambda one: one[1])
    as_stranger = by_votes(samples[:VOTERS], nearest)
    if not mine:
        return np.inf, as_stranger[:DEPTH], DEPTH
    # In a tie the others come first: what cannot be told apart is no hit.
    mixed = sorted((*samples, *mine), key=lambda one: one[1])
    ranked = by_votes(mixed[:VOTERS], first_of_each([*nearest, mine[0]]))
    rank = [label for label, _ in ranked].index(own)
    return mine[0][1], as_stranger[:DEPTH], min(rank, DEPTH)


def _stacked(rows: Sequence[tuple[float, _Ranked, int]]) -> Candidates:
    """Return rows as arrays."""
    others = np.full((len(rows), DEPTH), NOBODY, dtype=np.int64)
    distances = np.full((len(rows), DEPTH), np.inf)
    for place, (_, ranked, _) in enumerate(rows):
        for column, (label, distance) in enumerate(ranked):
            others[place, column], distances[place, column] = label, distance
    own = np.array([row[0] for row in rows], dtype=np.float64)
    return Candidates(own, others, distances, np.array([row[2] for row in rows], dtype=np.int64))


def ranks(
    descriptors: Vectors, labels: Labels, mode: MatchMode, *, leave_out: bool = True
) -> Labels:
    """Return how many characters come before each face's own one, shape (n,), DEPTH at most.

    With `leave_out` a face takes no part in its own character; -1 for one that is alone in it.
    """
    references, order = references_of(descriptors, labels)
    own = np.arange(len(order)) if leave_out else np.full(len(order), NOBODY)
    probes = Probes(references.descriptors, references.labels, own)
    said = search(references, probes, (mode,))[mode]
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.where(np.isfinite(said.own), said.rank, -1)
    return found
