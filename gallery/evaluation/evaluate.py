"""Puts the tables together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gallery.evaluation import identification
from gallery.evaluation.figures import FEW_CHARACTERS, Chapter, Figure
from gallery.evaluation.hard_strangers import series_chapter
from gallery.evaluation.identification import (
    MODES,
    REFERENCES,
    Asked,
    ClosedSet,
    closed_set,
    open_set,
    transfer,
)
from gallery.evaluation.search import Rows, blocks, search, without
from gallery.evaluation.subject import Subject
from gallery.evaluation.trials import OpenSet
from gallery.evaluation.verdicts import (
    Answers,
    Company,
    Confused,
    Judge,
    Mistake,
    answers,
    confused,
    mistakes,
    together_chapter,
    verdict_chapter,
)
from gallery.evaluation.verification import Verification, original, verification
from gallery.numerics.intervals import SAMPLES, Numbers, weightings
from gallery.types import MatchMode

MOST_ASKED = 50_000
"""Above it, the probes that are searched for are drawn at random."""

PARTS = 3
"""How many parts of the work are one step each."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Everything that is said of a gallery."""

    subject: Subject
    seed: int
    asked: int
    """How many faces were asked about."""
    chapters: tuple[Chapter, ...]
    confused: tuple[Confused, ...]
    """The characters that are mixed up, most often first."""
    mistakes: tuple[Mistake, ...]
    notes: tuple[str, ...]
    verification: Verification
    closed: ClosedSet
    searches: dict[MatchMode, OpenSet]

    @property
    def figures(self) -> list[Figure]:
        """All figures, in the order of the tables."""
        return [figure for chapter in self.chapters for figure in chapter.figures]


def steps(subject: Subject, *, in_company: bool = False) -> int:
    """Return how often `evaluate` ticks."""
    asked = min(len(subject.asked), MOST_ASKED)
    enrolled = len(subject.references.labels)
    searched = blocks(asked, enrolled) + blocks(len(subject.turned_away), enrolled)
    searched *= 1 + in_company
    return searched + (len(REFERENCES) + 2) * identification.DRAWS + PARTS


def evaluate(
    subject: Subject,
    judge: Judge,
    *,
    company: Company | None = None,
    seed: int = 0,
    samples: int = SAMPLES,
    tick: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Return all tables of a subject. The same seed gives the same figures.

    Company, where there is one, is judged beside the subject as it is.
    """
    weights = weightings(len(subject.names), samples, seed)
    asked, said = _answered(subject, judge, seed, tick)
    verified = verification(subject, weights, _generator(seed, 1))
    tick()
    closed = closed_set(asked, weights, _generator(seed, 2), tick)
    opened, searches = open_set(asked, weights)
    tick()
    carried = transfer(asked, weights, _generator(seed, 3), tick)
    beside = []
    if company is not None:
        _, together = _answered(company.subject, company.judge, seed, tick)
        beside.append(together_chapter(together, weights))
    originals = original(subject, weights, _generator(seed, 4))
    tick()
    return Evaluation(
        subject,
        seed,
        len(asked.rows),
        (
            verdict_chapter(asked, said, weights, is_calibrated=judge.is_calibrated),
            *beside,
            *series_chapter(subject, said, weights),
            opened,
            carried,
            *closed.chapters,
            verified.chapter,
            originals,
        ),
        tuple(confused(asked)),
        tuple(mistakes(asked, judge)),
        (*subject.notes, *_notes(subject, len(asked.rows))),
        verified,
        closed,
        searches,
    )


def _answered(
    subject: Subject, judge: Judge, seed: int, tick: Callable[[], None]
) -> tuple[Asked, Answers]:
    """Ask about a subject's probes, and return what a gallery says of them."""
    asked = _asked(subject, _drawn(subject.asked, seed), tick)
    turned_away = _asked(subject, subject.turned_away, tick)
    return asked, answers(asked, turned_away, judge, _generator(seed, 5))


def _generator(seed: int, part: int) -> np.random.Generator:
    """Return a part's own generator, so that no part's figures hang on another's."""
    return np.random.default_rng((seed, part))


def _drawn(rows: Rows, seed: int) -> Rows:
    if len(rows) <= MOST_ASKED:
        return rows
    return np.sort(_generator(seed, 0).choice(rows, MOST_ASKED, replace=False))


def _asked(subject: Subject, rows: Rows, tick: Callable[[], None]) -> Asked:
    probes = subject.probes.chosen(rows)
    found = search(subject.references, probes, MODES, tick)
    struck = {
        row: subject.struck[one] for row, one in enumerate(rows.tolist()) if one in subject.struck
    }
    return Asked(
        subject, rows, {mode: without(one, probes.labels, struck) for mode, one in found.items()}
    )


def _notes(subject: Subject, asked: int) -> list[str]:
    """Say what makes figures doubtful."""
    notes = []
    if asked < len(subject.asked):
        notes.append(f"{asked:,} of {len(subject.asked):,} faces were drawn to be asked about.")
    if subject.struck:
        notes.append(
            f"For {len(subject.struck):,} face{'s' * (len(subject.struck) > 1)} a person rejected "
            "names; these are struck out, but not in random galleries and halves."
        )
    if len(np.unique(subject.probes.labels[subject.asked])) < FEW_CHARACTERS:
        notes.append(
            f"Figures of fewer than {FEW_CHARACTERS} characters are guesses; so are their "
            "intervals."
        )
    return notes


def tpir_curve(one: OpenSet, weights: Numbers, rates: Numbers) -> Numbers:
    """Return TPIR at each FPIR, every character counted by one row of weights."""
    return np.array([one.tpir(one.cuts(float(rate), weights), weights)[0] for rate in rates])
