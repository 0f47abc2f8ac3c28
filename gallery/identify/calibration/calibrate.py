"""Calibrates a gallery: asks, learns, and says what is to be expected and what to beware of."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gallery.errors import EmptyGallery, TooFewFaces
from gallery.identify.calibration.evidence import Vectors
from gallery.identify.calibration.figures import Expected, expected
from gallery.identify.calibration.fit import TrialSets, fit_curves, fit_scorer, fit_tail
from gallery.identify.calibration.model import FEATURES, Calibration
from gallery.identify.calibration.strangers import Strangers
from gallery.identify.calibration.trials import (
    NO_TRIALS,
    Labels,
    Protocol,
    References,
    Rows,
    Trials,
    chosen,
)
from gallery.numerics.neighbours import NOBODY

MOST_FACES = 4000
"""So many faces of a gallery are asked about at most, of all characters alike."""

SEED = 4

ENOUGH_CHARACTERS = 25
"""With fewer characters of two references and more, thresholds are guesses, see
docs/calibration.md."""

ENOUGH_STRANGERS = 3.0
"""So many strangers times the asked rate make a threshold more than a guess."""

ALIKE = 0.25
"""References nearer to each other than this share of the pool's spread show one picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """A calibration and what it was found from."""

    calibration: Calibration
    asked: TrialSets
    expected: Expected
    sampled: int | None
    """How many faces were drawn where not all were asked about."""


@dataclass(frozen=True, slots=True, eq=False)
class Rejections:
    """Faces that a person said do not show a character."""

    descriptors: Vectors
    """Shape (n, dimension)."""
    labels: Labels
    """Whom they do not show, by number, shape (n,)."""


def calibrate(
    enrolled: References,
    strangers: Strangers,
    *,
    fpir: float,
    rejected: Rejections | None = None,
    names: Sequence[str] = FEATURES,
) -> Calibrated:
    """Return the calibration of a gallery for a share of strangers that may be surely named.

    Faces that a person rejected count where they would be taken for the rejected character now.
    `names` are the features that are weighed.
    Raises InputError where nothing can be learnt: nobody is enrolled, or there are no strangers, or
    no character has two references and none are shipped.
    """
    _check(enrolled, strangers)
    questions = Protocol(enrolled, strangers)
    rows, sampled = _drawn(enrolled)
    asked = TrialSets(
        known=questions.leave_one_out(rows),
        own_strangers=questions.leave_one_character_out(rows),
        shipped=questions.about_strangers(np.arange(len(strangers))),
        rejected=_mistaken(questions, rejected),
    )
    scorer = fit_scorer(asked, strangers, names)
    right, misnamed = fit_curves(asked, scorer, strangers)
    calibration = Calibration(
        fpir=fpir,
        scorer=scorer,
        tail=fit_tail(asked, scorer, enrolled.characters),
        right=right,
        misnamed=misnamed,
        pool=questions.pool,
        characters=enrolled.characters,
        samples=len(enrolled.labels),
        strangers=len(strangers),
    )
    found = expected(asked, calibration)
    calibration = dataclasses.replace(
        calibration,
        notes=tuple(_notes(enrolled, asked, fpir, questions.pool)),
        expected=found.as_json(),
    )
    return Calibrated(calibration, asked, found, sampled)


def _mistaken(questions: Protocol, rejected: Rejections | None) -> Trials:
    """Return the trials of rejected faces that are nearest to the very character rejected."""
    if rejected is None or not len(rejected.labels):
        return NO_TRIALS
    nobody = np.full(len(rejected.labels), NOBODY)
    trials = questions.about(rejected.descriptors, nobody, rejected.labels)
    return chosen(trials, trials.first == rejected.labels)


def _check(enrolled: References, strangers: Strangers) -> None:
    if not len(enrolled.labels):
        raise EmptyGallery
    own = ~enrolled.rejects[enrolled.labels]
    if not own.any():
        raise TooFewFaces(
            "The gallery holds reject classes alone, which name nobody", "enroll characters"
        )
    _, counts = np.unique(enrolled.labels[own], return_counts=True)
    if counts.max() < 2 and not strangers.known.any():
        raise TooFewFaces(
            "No character has two references, so that nothing shows how alike a character's faces "
            "are",
            "enroll more faces of some",
        )
    if len(np.unique(enrolled.one_as[enrolled.labels])) < 2 and not len(strangers):
        raise TooFewFaces(
            "The gallery has one character and no strangers ship with this encoder, so that "
            "nothing shows how alike strangers are",
            "enroll more characters",
        )


def _drawn(enrolled: References) -> tuple[Rows, int | None]:
    """Return the references to ask about: all, or as many of each as there is room for."""
    rows = np.arange(len(enrolled.labels))
    if len(rows) <= MOST_FACES:
        return rows, None
    generator = np.random.default_rng(SEED)
    order = generator.permutation(rows)
    # The first of every character come first, in random order; then the second ones.
    labels = enrolled.labels[order]
    by_label = np.argsort(labels, kind="stable")
    turns = np.empty(len(rows), dtype=np.int64)
    starts = np.searchsorted(labels[by_label], labels[by_label])
    turns[by_label] = np.arange(len(rows)) - starts
    chosen = order[np.argsort(turns, kind="stable")][:MOST_FACES]
    return np.sort(chosen), MOST_FACES


def _notes(enrolled: References, asked: TrialSets, fpir: float, pool: float) -> list[str]:
    """Return what to beware of, each a sentence."""
    notes = []
    several = len(np.unique(asked.known.groups))
    if several < ENOUGH_CHARACTERS:
        notes.append(
            f"Only {several} characters have two references or more: "
            "they show little of strangers of their own series, so that fewer faces are sure, and "
            "more of such strangers than asked for may still be."
            if len(asked.shipped)
            else f"Only {several} characters have two references or more: "
            "the thresholds are guesses."
        )
    strangers = len(asked.own_strangers) + len(asked.shipped)
    if strangers * fpir < ENOUGH_STRANGERS:
        notes.append(
            f"{strangers} strangers are too few to see a rate of {fpir:.2%}: the threshold is a "
            "guess from those that score highest."
        )
    if not len(asked.shipped):
        notes.append(
            "No strangers ship with this encoder: the gallery's own characters are all there is to "
            "tell strangers by."
        )
    alike = _alike(enrolled, pool)
    if alike:
        notes.append(
            f"{alike} of the characters have nearly identical references alone, which makes known "
            "faces look easier than new pictures will be."
        )
    return notes


def _alike(enrolled: References, pool: float) -> int:
    """Return how many characters of two references and more have no two different ones.

    The pool's spread is 0 where all are so.
    """
    order = np.argsort(enrolled.labels, kind="stable")
    labels = enrolled.labels[order]
    count = 0
    for rows in np.split(order, np.flatnonzero(np.diff(labels)) + 1):
        if len(rows) > 1:
            exact = enrolled.descriptors[rows].astype(np.float64)
            deviation = np.sqrt(((exact - exact.mean(axis=0)) ** 2).sum() / (len(rows) - 1))
            count += bool(deviation <= max(ALIKE * pool, 1e-6))
    return count
