"""Identification figures: closed set, open set, and thresholds carried to other characters.

Closed set: rank-k is the share of probes with fewer than k characters before their own. Open set,
after ISO/IEC 19795-1 and NIST FRTE 1:N: FPIR is the share of strangers' searches that name somebody
at a threshold, TPIR the share of enrolled characters' searches that name the right one at it
(1 - FNIR at rank 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.metrics import Labels, Numbers
from gallery.evaluation.search import Candidates, Probes, References, Rows, search
from gallery.events import Advanced, Steps
from gallery.numerics.intervals import Hits, ratio
from gallery.numerics.neighbours import NOBODY
from gallery.types import MatchMode


@dataclass(frozen=True, slots=True, eq=False)
class OpenSet:
    """Searches of enrolled characters and of strangers, each with the distance that names.

    A search names somebody when its score is at most the threshold; infinite is never.
    """

    scores: Numbers
    """Of enrolled characters' faces: the distance where the right one is nearest, else infinite."""
    labels: Labels
    """Whose these faces are."""
    stranger_scores: Numbers
    """Of strangers' faces: the distance of the nearest character, infinite for a reject class."""
    stranger_labels: Labels
    """Whose these faces are."""

    def cuts(self, rate: float, weights: Numbers) -> Numbers:
        """Return the largest threshold of FPIR `rate` at most, per sample of characters.

        Weights, shape (samples, classes), say how often each character counts. NaN for a sample
        without strangers.
        """
        order = np.argsort(self.stranger_scores, kind="stable")
        scores = np.append(self.stranger_scores[order], np.inf)
        whose = self.stranger_labels[order]
        cuts = np.empty(len(weights))
        for row, weight in enumerate(weights):
            within = np.cumsum(weight[whose])
            total = within[-1] if len(within) else 0.0
            first = np.searchsorted(within, rate * total * (1 + 1e-12), "right")
            # The first stranger too many is just beyond the threshold.
            cuts[row] = np.nextafter(scores[first], -np.inf) if total else np.nan
        return cuts

    def tpir(self, cuts: Numbers, weights: Numbers) -> Numbers:
        """Return the share of enrolled characters' faces that are named rightly, per sample."""
        return _weighed_within(self.scores, self.labels, cuts, weights)

    def fpir(self, cuts: Numbers, weights: Numbers) -> Numbers:
        """Return the share of strangers' faces that are named at all, per sample."""
        return _weighed_within(self.stranger_scores, self.stranger_labels, cuts, weights)


def _weighed_within(scores: Numbers, labels: Labels, cuts: Numbers, weights: Numbers) -> Numbers:
    """Return the share of scores within a threshold, one threshold a sample."""
    shares = np.empty(len(weights))
    for row, (cut, weight) in enumerate(zip(cuts, weights, strict=True)):
        each = weight[labels]
        total = each.sum()
        shares[row] = each[scores <= cut].sum() / total if total else np.nan
    return shares


def open_set_of(
    candidates: Candidates, labels: Labels, strangers: Rows, rejects: NDArray[np.bool_]
) -> OpenSet:
    """Return the open-set searches in what one matcher said of probes with these labels.

    `strangers` are the rows that are searched with all of their own character taken out; rows
    whose character is enrolled count as searches of their own. `rejects`, shape (classes,), are
    the classes that turn faces away.
    """
    mated = np.flatnonzero(np.isfinite(candidates.own))
    scores = np.where(candidates.rank[mated] == 0, candidates.own[mated], np.inf)
    nearest = candidates.others[strangers, 0]
    turned_away = (nearest == NOBODY) | rejects[nearest]
    return OpenSet(
        scores,
        labels[mated],
        np.where(turned_away, np.inf, candidates.distances[strangers, 0]),
        labels[strangers],
    )


def ranked_within(candidates: Candidates, labels: Labels, rank: int) -> Hits:
    """Return which probes of enrolled characters have theirs among the first `rank`."""
    mated = np.flatnonzero(np.isfinite(candidates.own))
    return Hits(labels[mated], candidates.rank[mated] < rank)


@dataclass(frozen=True, slots=True, eq=False)
class FewReferences:
    """What every matcher makes of galleries with this many references for each character."""

    members: int
    """How many characters are enrolled."""
    labels: Labels
    """Whose the probes of all draws are."""
    ranks: dict[MatchMode, Labels]
    """How many characters each matcher puts before a probe's own, in the same order."""

    def hits(self, mode: MatchMode, rank: int) -> Hits:
        """Return which probes of all draws have their character among the first `rank`."""
        return Hits(self.labels, self.ranks[mode] < rank)


def few_references(
    references: References,
    probes: Probes,
    count: int,
    modes: Sequence[MatchMode],
    generator: np.random.Generator,
    *,
    draws: int,
    most_probes: int | None = None,
) -> Steps[FewReferences | None]:
    """Enrol `count` random references of every character, and ask about its other faces.

    Left out are characters without so many references, and those that have no other face to ask
    about. Above `most_probes` in a draw, probes are drawn at random. None where fewer than two
    characters are left. Every draw is a step.
    """
    members = _with_enough(references, probes, count)
    if len(members) < 2:
        yield Advanced(draws)
        return None
    labels: list[Labels] = []
    ranks: dict[MatchMode, list[Labels]] = {mode: [] for mode in modes}
    for _ in range(draws):
        enrolled, asked = _drawn_gallery(references, probes, members, count, generator)
        if most_probes is not None and len(asked.labels) > most_probes:
            some = generator.choice(len(asked.labels), most_probes, replace=False)
            asked = asked.chosen(np.sort(some))
        for mode, candidates in search(enrolled, asked, modes).items():
            ranks[mode].append(candidates.rank)
        labels.append(asked.labels)
        yield Advanced()
    return FewReferences(
        len(members),
        np.concatenate(labels),
        {mode: np.concatenate(parts) for mode, parts in ranks.items()},
    )


def _with_enough(references: References, probes: Probes, count: int) -> Labels:
    """Return the characters that have this many references, and a face to ask about besides."""
    members, sizes = np.unique(references.labels, return_counts=True)
    inside = probes.labels[probes.own != NOBODY]
    # A probe that is a reference is one only in draws that leave it out.
    spare = np.isin(members, inside) & ~np.isin(members, probes.labels[probes.own == NOBODY])
    return np.asarray(members[sizes >= count + spare])


def _drawn_gallery(
    references: References,
    probes: Probes,
    members: Labels,
    count: int,
    generator: np.random.Generator,
) -> tuple[References, Probes]:
    """Enrol random references of the members, and return them with the probes that are left."""
    rows = np.concatenate(
        [generator.permutation(references.rows_of(int(label)))[:count] for label in members]
    )
    asked = np.flatnonzero(np.isin(probes.labels, members) & ~np.isin(probes.own, rows))
    chosen = probes.chosen(asked)
    nowhere = np.full(len(asked), NOBODY)
    return references.chosen(rows), Probes(chosen.descriptors, chosen.labels, nowhere)


def half_enrolled(
    references: References, probes: Probes, count: int, generator: np.random.Generator, draws: int
) -> list[OpenSet]:
    """Enrol half of the characters at random with `count` references; the others are strangers.

    Searches are by the ideal. Characters with fewer references, or without a face besides, are
    never enrolled.
    """
    eligible = _with_enough(references, probes, count)
    rejects = np.zeros(int(probes.labels.max()) + 1, dtype=np.bool_)
    found = []
    for _ in range(draws):
        members = np.sort(generator.permutation(eligible)[: len(eligible) // 2])
        enrolled, asked = _drawn_gallery(references, probes, members, count, generator)
        outside = probes.chosen(np.flatnonzero(~np.isin(probes.labels, members)))
        both = Probes(
            np.concatenate([asked.descriptors, outside.descriptors]),
            np.concatenate([asked.labels, outside.labels]),
            np.full(len(asked.labels) + len(outside.labels), NOBODY),
        )
        candidates = search(enrolled, both, (MatchMode.IDEAL,))[MatchMode.IDEAL]
        strangers = np.arange(len(asked.labels), len(both.labels))
        found.append(open_set_of(candidates, both.labels, strangers, rejects))
    return found


def mean_tpir(trials: Sequence[OpenSet], rate: float, weights: Numbers) -> Numbers:
    """Return TPIR at an FPIR, thresholds chosen on the same strangers, over all draws' probes."""
    return _pooled([(one, one.cuts(rate, weights)) for one in trials], weights)[0]


def _pooled(judged: Sequence[tuple[OpenSet, Numbers]], weights: Numbers) -> tuple[Numbers, Numbers]:
    """Return TPIR and FPIR over the searches of several galleries, each at its own thresholds."""
    named, known, false, strangers = (np.zeros(len(weights)) for _ in range(4))
    for one, cuts in judged:
        mated, unmated = weights[:, one.labels].sum(axis=1), weights[:, one.stranger_labels].sum(1)
        # A gallery whose sample of characters gave no threshold says nothing.
        usable = np.isfinite(cuts)
        named += np.where(usable, np.nan_to_num(one.tpir(cuts, weights)) * mated, 0)
        false += np.where(usable, np.nan_to_num(one.fpir(cuts, weights)) * unmated, 0)
        known += np.where(usable, mated, 0)
        strangers += np.where(usable, unmated, 0)
    return ratio(named, known), ratio(false, strangers)


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """Two galleries of halves of the characters, by what one asks thresholds for."""

    chosen_on: OpenSet
    judged_on: OpenSet


def halves(
    references: References,
    probes: Probes,
    strangers: Rows,
    rejects: NDArray[np.bool_],
    generator: np.random.Generator,
    *,
    draws: int,
    most_probes: int,
) -> Steps[list[Halves]]:
    """Divide the characters at random into two galleries, so that one can judge the other.

    No character, enrolled or stranger, is in both; reject classes are in none. Each draw gives
    both ways round. `strangers` are the probes searched with their own character taken out. Above
    `most_probes` in a half, probes are drawn at random. Every half is a step.
    """
    found: list[Halves] = []
    enrolled = references.members[~rejects[references.members]]
    outside = np.setdiff1d(np.unique(probes.labels), references.members)
    is_stranger = np.zeros(len(probes.labels), dtype=np.bool_)
    is_stranger[strangers] = True

    def open_set(characters: Labels) -> OpenSet:
        kept, asked = _side(references, probes, characters)
        if len(asked) > most_probes:
            asked = np.sort(generator.choice(asked, most_probes, replace=False))
        there = probes.chosen(asked).among(kept, len(references.labels))
        said = search(references.chosen(kept), there, (MatchMode.IDEAL,))[MatchMode.IDEAL]
        return open_set_of(said, there.labels, np.flatnonzero(is_stranger[asked]), rejects)

    for _ in range(draws):
        members, others = _halved(enrolled, generator), _halved(outside, generator)
        sides = [np.concatenate(side) for side in zip(members, others, strict=True)]
        one = open_set(sides[0])
        yield Advanced()
        other = open_set(sides[1])
        yield Advanced()
        found += [Halves(one, other), Halves(other, one)]
    return found


def _halved(labels: Labels, generator: np.random.Generator) -> tuple[Labels, Labels]:
    """Return labels divided at random, as evenly as can be."""
    mixed = generator.permutation(labels)
    return mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]


def _side(references: References, probes: Probes, characters: Labels) -> tuple[Rows, Rows]:
    """Return the rows of references and of probes that are of these characters."""
    kept = np.flatnonzero(np.isin(references.labels, characters))
    return kept, np.flatnonzero(np.isin(probes.labels, characters))


def transferred(trials: Sequence[Halves], rate: float, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Return TPIR and FPIR reached with thresholds that promise an FPIR on other characters."""
    return _pooled([(one.judged_on, one.chosen_on.cuts(rate, weights)) for one in trials], weights)
