"""The tables of a face among characters: closed set, open set, thresholds carried over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gallery.evaluation.evaluation_set import EvaluationSet
from gallery.evaluation.figures import Chapter, Figure, missing, rate_of, share
from gallery.evaluation.search import Candidates, Probes, References, Rows
from gallery.evaluation.trials import (
    FewReferences,
    OpenSet,
    few_references,
    halves,
    open_set_of,
    ranked_within,
    transferred,
)
from gallery.evaluation.verification import ALONE, NOBODY_ELSE
from gallery.events import Advanced, Steps
from gallery.numerics.intervals import Numbers
from gallery.types import MatchMode

MODES = tuple(MatchMode)
REFERENCES = (1, 3, 5, 10)
RANKS = (1, 5)
RATES = (0.01, 0.05, 0.1)

DRAWS = 10
"""Random galleries for each number of references, and random halves of the characters."""

MOST_PROBES = 2000
"""Faces asked about in one of these galleries."""


@dataclass(frozen=True, slots=True, eq=False)
class Protocol:
    """The probes of all characters but reject classes, and what every matcher said of them."""

    evaluation_set: EvaluationSet
    rows: Rows
    """Which of the evaluation set's probes they are."""
    candidates: Mapping[MatchMode, Candidates]

    @property
    def labels(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Whose they are."""
        return self.evaluation_set.probes.labels[self.rows]

    @property
    def strangers(self) -> Rows:
        """Which of them are searched as strangers: a folder's own where it has some, else all."""
        outside = np.flatnonzero(np.isin(self.rows, self.evaluation_set.outsiders))
        return outside if len(outside) else np.arange(len(self.rows))

    def open_set(self, mode: MatchMode) -> OpenSet:
        """Return the open-set searches of one matcher."""
        return open_set_of(
            self.candidates[mode], self.labels, self.strangers, self.evaluation_set.rejects
        )


@dataclass(frozen=True, slots=True, eq=False)
class ClosedSet:
    """Rank-k by number of references and matcher."""

    chapters: tuple[Chapter, ...]
    by_references: dict[int, dict[MatchMode, Figure]]
    """Rank-1 for each number of references that there is enough for."""


def closed_set(
    asked: Protocol, weights: Numbers, generator: np.random.Generator
) -> Steps[ClosedSet]:
    """Return rank-1 and rank-5, in DRAWS steps for each of REFERENCES."""
    trials: dict[int, FewReferences | None] = {}
    references, probes = _without_rejects(asked)
    for count in REFERENCES:
        trials[count] = yield from few_references(
            references,
            probes,
            count,
            MODES,
            generator,
            draws=DRAWS,
            most_probes=MOST_PROBES,
        )
    chapters = tuple(_ranks(asked, trials, rank, weights) for rank in RANKS)
    first = chapters[0].rows
    by_references = {
        count: {
            mode: figure
            for mode, figure in zip(MODES, first[place][3:], strict=True)
            if isinstance(figure, Figure) and figure.value is not None
        }
        for place, count in enumerate(REFERENCES)
    }
    return ClosedSet(chapters, by_references)


def _without_rejects(asked: Protocol) -> tuple[References, Probes]:
    """Return the enrolled characters' references and the probes, without reject classes."""
    evaluation_set = asked.evaluation_set
    count = len(evaluation_set.references.labels)
    kept = np.flatnonzero(~evaluation_set.rejects[evaluation_set.references.labels])
    probes = evaluation_set.probes.chosen(asked.rows)
    return evaluation_set.references.chosen(kept), probes.among(kept, count)


def _ranks(
    asked: Protocol, trials: Mapping[int, FewReferences | None], rank: int, weights: Numbers
) -> Chapter:
    rows: list[tuple[str | Figure, ...]] = []
    for count, trial in trials.items():
        names = [f"closed.rank_{rank}.{mode.value}.references_{count}" for mode in MODES]
        if trial is None:
            reason = f"no two characters have more than {count} face{'s' * (count > 1)}"
            figures = [missing(name, reason) for name in names]
        else:
            figures = [
                _limited(name, rank, trial.members)
                or rate_of(name, trial.hits(mode, rank), weights, ALONE, draws=DRAWS)
                for name, mode in zip(names, MODES, strict=True)
            ]
        members = 0 if trial is None else trial.members
        rows.append((str(count), f"{members:,}", f"{figures[0].count:,}", *figures))
    names = [f"closed.rank_{rank}.{mode.value}.all" for mode in MODES]
    members = asked.evaluation_set.enrolled
    figures = [
        _limited(name, rank, members)
        or rate_of(name, ranked_within(asked.candidates[mode], asked.labels, rank), weights, ALONE)
        for name, mode in zip(names, MODES, strict=True)
    ]
    rows.append(("all", f"{members:,}", f"{figures[0].count:,}", *figures))
    first = "nearest" if rank == 1 else f"among the first {rank}"
    measured = (
        "whose own character is the nearest"
        if rank == 1
        else f"with fewer than {rank} characters before their own"
    )
    return Chapter(
        f"closed_{rank}",
        f"Closed set: is the right character {first}?",
        f"The share of faces {measured}, of everybody who is enrolled with so many references. "
        f"These are drawn at random, {DRAWS} times; N is the faces asked about in a draw. All: the "
        "gallery as it is, each face left out.",
        ("references", "characters", "N", *(mode.value for mode in MODES)),
        tuple(rows),
    )


def _limited(name: str, rank: int, members: int) -> Figure | None:
    """Return a missing figure where so few characters make every answer right."""
    if members < 2:
        return missing(name, NOBODY_ELSE)
    if members <= rank:
        return missing(name, f"of {rank} characters or fewer all are among the first {rank}")
    return None


def open_set(asked: Protocol, weights: Numbers) -> tuple[Chapter, dict[MatchMode, OpenSet]]:
    """Return TPIR at fixed FPIR by matcher."""
    searches = {mode: asked.open_set(mode) for mode in MODES}
    ideal = searches[MatchMode.IDEAL]
    known, strangers = len(ideal.labels), len(ideal.stranger_labels)
    rows: list[tuple[str | Figure, ...]] = []
    for rate in RATES:
        cells: list[str | Figure] = [f"{rate:.0%}", f"{known:,}", f"{strangers:,}"]
        for mode, one in searches.items():
            name = f"open.tpir.{mode.value}.fpir_{rate:g}"
            lacking = _lacking(asked, one, rate)
            if lacking:
                cells.append(missing(name, lacking, known))
                continue
            cuts = one.cuts(rate, weights)
            characters = len(np.unique(one.labels))
            cells.append(share(name, one.tpir(cuts, weights), known, characters, float(cuts[0])))
        rows.append(tuple(cells))
    outside = len(asked.evaluation_set.outsiders)
    who = (
        "Strangers are the faces of the folders whose names are not in the gallery."
        if outside
        else "Every face is asked about twice: with its character enrolled, and as a stranger with "
        "all of its character taken out."
    )
    chapter = Chapter(
        "open",
        "Open set: are known characters found, and strangers not?",
        f"{who} How many known faces get the right name, where how many strangers get one? TPIR "
        "is the share of known faces whose own character is the nearest and within the threshold; "
        "FPIR the share of strangers that anybody is within the threshold of. The threshold of "
        "each column is the largest that keeps FPIR, on these same strangers.",
        ("FPIR", "known", "strangers", *(f"TPIR {mode.value}" for mode in MODES)),
        tuple(rows),
    )
    return chapter, searches


def _lacking(asked: Protocol, one: OpenSet, rate: float) -> str:
    """Return why there is too little for a figure at an FPIR; nothing where there is enough."""
    if asked.evaluation_set.enrolled < 2 and not len(asked.evaluation_set.outsiders):
        return NOBODY_ELSE
    if not len(one.labels):
        return (
            ALONE
            if not asked.evaluation_set.of_folder
            else "no face of an enrolled character is asked"
        )
    if len(one.stranger_labels) * rate < 1:
        return f"FPIR {rate:.0%} needs {round(1 / rate)} strangers' faces"
    return ""


def transfer(asked: Protocol, weights: Numbers, generator: np.random.Generator) -> Steps[Chapter]:
    """Return what thresholds chosen on half of the characters do on the other half.

    That is twice DRAWS steps.
    """
    evaluation_set = asked.evaluation_set
    probes = evaluation_set.probes.chosen(asked.rows)
    enough = evaluation_set.enrolled >= 4
    trials = []
    if enough:
        trials = yield from halves(
            evaluation_set.references,
            probes,
            asked.strangers,
            evaluation_set.rejects,
            generator,
            draws=DRAWS,
            most_probes=MOST_PROBES,
        )
    else:
        yield Advanced(2 * DRAWS)
    rows: list[tuple[str | Figure, ...]] = []
    for rate in RATES:
        names = f"transfer.fpir.asked_{rate:g}", f"transfer.tpir.asked_{rate:g}"
        strangers = min((len(one.chosen_on.stranger_labels) for one in trials), default=0)
        known = min((len(one.judged_on.labels) for one in trials), default=0)
        lacking = (
            "" if enough else "half of the characters are too few to choose a threshold on"
        ) or _too_few(strangers, known, rate)
        if lacking:
            rows.append((f"{rate:.0%}", "0", "0", *(missing(name, lacking) for name in names)))
            continue
        tpir, fpir = transferred(trials, rate, weights)
        characters = len(np.unique(asked.labels))
        rows.append(
            (
                f"{rate:.0%}",
                f"{known:,}",
                f"{strangers:,}",
                share(names[0], fpir, strangers, characters),
                share(names[1], tpir, known, characters),
            )
        )
    return Chapter(
        "transfer",
        "Thresholds on other characters: is the promise kept?",
        f"The characters are divided at random into two galleries, {DRAWS} times. The threshold "
        "that keeps FPIR in one, by distance to the ideal, is used in the other: what it reaches "
        "there is what a threshold is worth on characters that it was not chosen on.",
        ("FPIR asked", "known", "strangers", "FPIR reached", "TPIR reached"),
        tuple(rows),
    )


def _too_few(strangers: int, known: int, rate: float) -> str:
    if strangers * rate < 1:
        return f"FPIR {rate:.0%} needs {round(1 / rate)} strangers' faces in half of the characters"
    return "" if known else ALONE
