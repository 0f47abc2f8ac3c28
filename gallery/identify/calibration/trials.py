"""Asks a gallery about faces whose names are known: what it would have said.

A known face is asked with itself left out of its character (leave-one-out). A stranger is a face
of the gallery with all of its character left out (leave-one-character-out), or one that ships with
the encoder.

Where two characters are likely one, both are left out, and each is right for the other's faces: a
face of a character that is enrolled twice is no stranger.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gallery.identify.calibration.doubles import Double
from gallery.identify.calibration.evidence import (
    COLUMNS,
    Known,
    Numbers,
    Vectors,
    known_by,
    pooled_spread,
    weigh_all,
)
from gallery.identify.calibration.strangers import Strangers
from gallery.numerics.neighbours import NOBODY, Neighbours
from gallery.numerics.profiles import ideals_of, ideals_without

Labels = NDArray[np.int64]
Rows = NDArray[np.intp]

AT_ONCE = 256
"""Faces that are weighed at once; each may want references of its own."""


@dataclass(frozen=True, eq=False)
class References:
    """The references of a gallery: those that count for ideals."""

    descriptors: Vectors
    """Shape (n, dimension)."""
    labels: Labels
    """Whose they are, shape (n,), by number."""
    quality: Numbers
    """How well each can be seen, 0 to 1, shape (n,); NaN where unknown."""
    rejects: NDArray[np.bool_]
    """Which characters turn faces away, shape (characters,)."""
    as_faces: Vectors | None = None
    """Where each lies when it is asked about, shape (n, dimension); None is where it lies when
    others are."""
    doubles: tuple[Double, ...] = ()
    """Pairs of characters that are likely one."""

    @property
    def characters(self) -> int:
        """How many characters have references."""
        return len(np.unique(self.labels))

    @cached_property
    def one_as(self) -> Labels:
        """The lowest number of those that each character is likely one with, shape (characters,).

        It is the character's own number where it has no double.
        """
        numbers = list(range(len(self.rejects)))

        def lowest(number: int) -> int:
            while numbers[number] != number:
                numbers[number] = number = numbers[numbers[number]]
            return number

        for double in self.doubles:
            low, high = sorted((lowest(double.one), lowest(double.other)))
            numbers[high] = low
        return np.array([lowest(number) for number in numbers], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """Faces to ask about."""

    descriptors: Vectors
    """Shape (n, dimension)."""
    labels: Labels
    """Whose they are, shape (n,); NOBODY for nobody's of the gallery."""
    own: Labels
    """Which reference each one is, shape (n,); NOBODY for none."""
    quality: Numbers
    """Shape (n,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """What came of asking: one row a face."""

    evidence: Numbers
    """Shape (n, len(COLUMNS))."""
    groups: Labels
    """Whose face it is, by a number of its kind's own; characters count alike, shape (n,)."""
    right: NDArray[np.bool_]
    """Whether the first character is its own, or likely one with it, shape (n,)."""
    turned_away: NDArray[np.bool_]
    """Whether the first one is a reject class, shape (n,)."""
    first: Labels
    """The first character, shape (n,)."""

    def __len__(self) -> int:
        """How many faces were asked about."""
        return len(self.groups)

    @property
    def weights(self) -> Numbers:
        """How much each row counts, shape (n,): every character 1 in all."""
        if not len(self):
            return np.zeros(0)
        _, inverse, counts = np.unique(self.groups, return_inverse=True, return_counts=True)
        return np.asarray(1.0 / counts[inverse])


NO_TRIALS = Trials(
    np.zeros((0, len(COLUMNS))),
    np.zeros(0, np.int64),
    np.zeros(0, np.bool_),
    np.zeros(0, np.bool_),
    np.zeros(0, np.int64),
)
"""Nobody was asked about."""


class Protocol:
    """A gallery with what is made of it once."""

    def __init__(self, enrolled: References, strangers: Strangers) -> None:
        self._enrolled = enrolled
        self._strangers = strangers
        self._members, places = np.unique(enrolled.labels, return_inverse=True)
        self._one_as = enrolled.one_as[self._members]
        """Of each member; doubles have one number."""
        self._places: Labels = np.asarray(places, dtype=np.int64)
        order = np.argsort(self._places, kind="stable")
        self._ideals, self._counts = ideals_of(enrolled.descriptors, self._places)
        self._rows = np.split(order, np.cumsum(self._counts)[:-1])
        # As the gallery compares: with ideals in single precision.
        self._neighbours = Neighbours(self._ideals.astype(np.float32))
        self.pool = pooled_spread(enrolled.descriptors, enrolled.labels)

    def leave_one_out(self, rows: Rows) -> Trials:
        """Ask about references, each left out of its character; one alone in it is passed over."""
        place = self._places[rows]
        several = (self._counts[place] > 1) & ~self._enrolled.rejects[self._members[place]]
        rows = rows[several]
        return self._ask(self._asked(rows, own=True), self._enrolled.labels[rows])

    def leave_one_character_out(self, rows: Rows) -> Trials:
        """Ask about references with all of their character, and its doubles, left out."""
        if len(np.unique(self._one_as)) < 2:
            rows = rows[:0]
        return self._ask(self._asked(rows, own=False), self._enrolled.labels[rows])

    def about_strangers(self, rows: Rows) -> Trials:
        """Ask about shipped strangers by their rows."""
        shipped = self._strangers
        characters = shipped.characters[rows].astype(np.int64)
        return self.about(shipped.descriptors[rows], np.full(len(rows), NOBODY), characters)

    def about(
        self,
        descriptors: Vectors,
        labels: Labels,
        groups: Labels,
        *,
        quality: Numbers | None = None,
    ) -> Trials:
        """Ask about faces that are no references; labels are NOBODY for strangers."""
        asked = Probes(
            descriptors,
            labels,
            np.full(len(labels), NOBODY),
            np.full(len(labels), np.nan) if quality is None else quality,
        )
        return self._ask(asked, groups)

    def _asked(self, rows: Rows, *, own: bool) -> Probes:
        """Return references as faces to ask about; without own their characters are left out."""
        enrolled = self._enrolled
        places = enrolled.descriptors if enrolled.as_faces is None else enrolled.as_faces
        return Probes(
            places[rows],
            enrolled.labels[rows],
            np.asarray(rows, dtype=np.int64) if own else np.full(len(rows), NOBODY - 1),
            enrolled.quality[rows],
        )

    def _ask(self, asked: Probes, groups: Labels) -> Trials:
        """Return the evidence on every face's first character."""
        places, second = self._first_two(asked)
        evidence = np.zeros((len(asked.labels), len(COLUMNS)))
        for start in range(0, len(places), AT_ONCE):
            rows = slice(start, start + AT_ONCE)
            evidence[rows] = self._weighed(asked, rows, places[rows], second[rows])
        first = self._members[places]
        one_as = self._enrolled.one_as
        right = one_as[first] == one_as[asked.labels]
        right &= (asked.labels != NOBODY) & (asked.own != NOBODY - 1)
        return Trials(evidence, groups, right, self._enrolled.rejects[first], first)

    def _first_two(self, asked: Probes) -> tuple[Rows, Numbers]:
        """Return each face's first character, by its place, and how far the second is.

        The second is NaN where there is none.
        """
        is_own, is_stranger = asked.own >= 0, asked.own == NOBODY - 1
        places = np.searchsorted(self._members, asked.labels)
        near = np.full((len(places), 2), NOBODY)
        apart = np.full((len(places), 2), np.inf)
        for rows, groups in ((is_stranger, self._one_as), (~is_stranger, None)):
            without = np.where(is_own, places, NOBODY)
            if groups is not None:
                without = self._one_as[np.minimum(places, len(self._one_as) - 1)]
            near[rows], squares = self._neighbours.others(
                asked.descriptors[rows], without[rows], 2, groups
            )
            apart[rows] = np.sqrt(squares)
        own = np.flatnonzero(is_own)
        near = np.insert(near, 0, np.where(is_own, places, NOBODY), axis=1)
        apart = np.insert(apart, 0, np.inf, axis=1)
        apart[own, 0] = self._own(asked, own, places[own])
        order = np.argsort(apart, axis=1, kind="stable")[:, :2]
        near, apart = (np.take_along_axis(one, order, 1) for one in (near, apart))
        return near[:, 0], np.where(np.isfinite(apart[:, 1]), apart[:, 1], np.nan)

    def _own(self, asked: Probes, rows: Rows, places: Rows) -> Numbers:
        """Return how far references are from their own ideals, as if they were not there."""
        references = self._enrolled.descriptors[asked.own[rows]].astype(np.float64)
        rest = ideals_without(self._ideals[places], self._counts[places], references)
        return np.asarray(np.linalg.norm(asked.descriptors[rows] - rest, axis=1))

    def _weighed(self, asked: Probes, rows: slice, places: Rows, seconds: Numbers) -> Numbers:
        """Return the evidence on some faces, shape (n, len(COLUMNS)), given their first places."""
        without = list(zip(places.tolist(), asked.own[rows].tolist(), strict=True))
        owners = {key: number for number, key in enumerate(dict.fromkeys(without))}
        return weigh_all(
            asked.descriptors[rows],
            [self._known(*key) for key in owners],
            np.array([owners[key] for key in without]),
            seconds,
            pool=self.pool,
            qualities=asked.quality[rows],
        )

    def _known(self, place: int, own: int) -> Known:
        """Return a character without a reference, where it is any of its own."""
        references = self._rows[place]
        return known_by(self._enrolled.descriptors[references[references != own]])


def chosen(trials: Trials, rows: NDArray[np.bool_]) -> Trials:
    """Return only the trials that are marked, shape (n,)."""
    return Trials(
        trials.evidence[rows],
        trials.groups[rows],
        trials.right[rows],
        trials.turned_away[rows],
        trials.first[rows],
    )
