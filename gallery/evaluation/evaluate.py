"""Puts the tables together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gallery.evaluation import identification
from gallery.evaluation.evaluation_set import EvaluationSet
from gallery.evaluation.figures import FEW_CHARACTERS, Chapter, Figure
from gallery.evaluation.hard_strangers import series_chapter
from gallery.evaluation.identification import (
    MODES,
    REFERENCES,
    ClosedSet,
    Protocol,
    closed_set,
    open_set,
    transfer,
)
from gallery.evaluation.poses import poses_chapter
from gallery.evaluation.search import Rows, blocks, search_in_steps, without
from gallery.evaluation.trials import OpenSet
from gallery.evaluation.verdicts import (
    Answers,
    Confused,
    JointScoring,
    Judge,
    Mistake,
    answers,
    confused,
    mistakes,
    together_chapter,
    verdict_chapter,
)
from gallery.evaluation.verification import Verification, original, verification
from gallery.events import Advanced, Steps
from gallery.numerics.intervals import SAMPLES, Numbers, weightings
from gallery.types import MatchMode

MOST_ASKED = 50_000
"""Above it, the probes that are searched for are drawn at random."""

PARTS = 3
"""How many parts of the work are one step each."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Everything that is said of a gallery."""

    evaluation_set: EvaluationSet
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


def steps(evaluation_set: EvaluationSet, *, is_joint: bool = False) -> int:
    """Return how many steps `evaluate` has."""
    asked = min(len(evaluation_set.asked), MOST_ASKED)
    enrolled = len(evaluation_set.references.labels)
    searched = blocks(asked, enrolled) + blocks(len(evaluation_set.turned_away), enrolled)
    searched *= 1 + is_joint
    return searched + (len(REFERENCES) + 2) * identification.DRAWS + PARTS


def evaluate(
    evaluation_set: EvaluationSet,
    judge: Judge,
    *,
    joint: JointScoring | None = None,
    seed: int = 0,
    samples: int = SAMPLES,
) -> Steps[Evaluation]:
    """Return all tables of an evaluation set. The same seed gives the same figures.

    JointScoring, where there is one, is judged beside the evaluation set as it is.
    """
    weights = weightings(len(evaluation_set.names), samples, seed)
    asked, said = yield from _answered(evaluation_set, judge, seed)
    verified = verification(evaluation_set, weights, _generator(seed, 1))
    yield Advanced()
    closed = yield from closed_set(asked, weights, _generator(seed, 2))
    opened, searches = open_set(asked, weights)
    yield Advanced()
    carried = yield from transfer(asked, weights, _generator(seed, 3))
    beside = []
    if joint is not None:
        _, together = yield from _answered(joint.evaluation_set, joint.judge, seed)
        beside.append(together_chapter(together, weights))
    originals = original(evaluation_set, weights, _generator(seed, 4))
    yield Advanced()
    return Evaluation(
        evaluation_set,
        seed,
        len(asked.rows),
        (
            verdict_chapter(asked, said, weights, is_calibrated=judge.is_calibrated),
            *beside,
            *series_chapter(evaluation_set, said, weights),
            *poses_chapter(asked, said, weights),
            opened,
            carried,
            *closed.chapters,
            verified.chapter,
            originals,
        ),
        tuple(confused(asked)),
        tuple(mistakes(asked, judge)),
        (*evaluation_set.notes, *_notes(evaluation_set, len(asked.rows))),
        verified,
        closed,
        searches,
    )


def _answered(
    evaluation_set: EvaluationSet, judge: Judge, seed: int
) -> Steps[tuple[Protocol, Answers]]:
    """Ask about an evaluation set's probes, and return what a gallery says of them."""
    asked = yield from _asked(evaluation_set, _drawn(evaluation_set.asked, seed))
    turned_away = yield from _asked(evaluation_set, evaluation_set.turned_away)
    return asked, answers(asked, turned_away, judge, _generator(seed, 5))


def _generator(seed: int, part: int) -> np.random.Generator:
    """Return a part's own generator, so that no part's figures hang on another's."""
    return np.random.default_rng((seed, part))


def _drawn(rows: Rows, seed: int) -> Rows:
    if len(rows) <= MOST_ASKED:
        return rows
    return np.sort(_generator(seed, 0).choice(rows, MOST_ASKED, replace=False))


def _asked(evaluation_set: EvaluationSet, rows: Rows) -> Steps[Protocol]:
    probes = evaluation_set.probes.chosen(rows)
    found = yield from search_in_steps(evaluation_set.references, probes, MODES)
    excluded = {
        row: evaluation_set.excluded[one]
        for row, one in enumerate(rows.tolist())
        if one in evaluation_set.excluded
    }
    return Protocol(
        evaluation_set,
        rows,
        {mode: without(one, probes.labels, excluded) for mode, one in found.items()},
    )


def _notes(evaluation_set: EvaluationSet, asked: int) -> list[str]:
    """Say what makes figures doubtful."""
    notes = []
    if asked < len(evaluation_set.asked):
        notes.append(
            f"{asked:,} of {len(evaluation_set.asked):,} faces were drawn to be asked about."
        )
    if evaluation_set.excluded:
        notes.append(
            f"For {len(evaluation_set.excluded):,} face{'s' * (len(evaluation_set.excluded) > 1)} "
            "a person rejected names; these are excluded, but not in random galleries and halves."
        )
    if len(np.unique(evaluation_set.probes.labels[evaluation_set.asked])) < FEW_CHARACTERS:
        notes.append(
            f"Figures of fewer than {FEW_CHARACTERS} characters are guesses; so are their "
            "intervals."
        )
    return notes


def tpir_curve(one: OpenSet, weights: Numbers, rates: Numbers) -> Numbers:
    """Return TPIR at each FPIR, every character counted by one row of weights."""
    return np.array([one.tpir(one.cuts(float(rate), weights), weights)[0] for rate in rates])
