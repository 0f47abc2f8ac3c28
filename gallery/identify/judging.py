"""From a face's nearest characters to what is said of it: the one place where verdicts are made.

Before `gallery calibrate` the encoder's thresholds divide verdicts; after it, what it found.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gallery.errors import StaleCalibration
from gallery.identify.calibration.calibrate import Rejections
from gallery.identify.calibration.doubles import (
    LIKELY,
    Double,
    are_told_apart,
    centres,
    doubles,
)
from gallery.identify.calibration.evidence import Known, Numbers, known_by, weigh_all
from gallery.identify.calibration.model import Calibration, from_json
from gallery.identify.calibration.strangers import Strangers
from gallery.identify.calibration.trials import References
from gallery.store.enrolled import EnrolledSamples, read_enrolled
from gallery.store.reader import Store
from gallery.types import (
    UNDECIDED,
    Decided,
    Descriptor,
    FaceState,
    Match,
    MatchMode,
    Quality,
    Thresholds,
    Verdict,
)

MOST_REMEMBERED = 2048
"""Characters whose references are kept in memory."""


class Judgement(NamedTuple):
    """What is said of a face."""

    verdict: Verdict
    character: str | None
    """None when unknown."""
    probability: float | None = None
    """That the first character is right; None before calibration."""
    stranger: float | None = None
    """That it is nobody's of the gallery; None before calibration."""
    decided: Decided | None = None
    """What a person decided, where that is why."""


@dataclass(frozen=True, slots=True)
class _Now:
    """What the gallery held when it was last looked at."""

    change: str
    body: str
    calibration: Calibration


class Judging:
    """A gallery's thresholds, or its calibration, with the references that evidence is made of."""

    def __init__(
        self,
        store: Store,
        encoder: str,
        thresholds: Thresholds,
        read_strangers: Callable[[], Strangers],
        *,
        kept_as: Sequence[str] = (),
    ) -> None:
        """Judge for an encoder, whose strangers are read when they are first needed.

        `kept_as` are the keys of the calibration, the first that is there; the encoder unless told.
        """
        self._store = store
        self._kept_as = kept_as or (encoder,)
        self._encoder = encoder
        self.thresholds = thresholds
        self._read_strangers = read_strangers
        self._now: _Now | None = None
        self._known: dict[str, Known] = {}

    @cached_property
    def strangers(self) -> Strangers:
        """The strangers that ship with the encoder.

        Raises SetupError where their file is missing or damaged.
        """
        return self._read_strangers()

    def calibration(self) -> Calibration | None:
        """Return the calibration as the gallery has it now; None where it has none.

        Raises StoreError for one that cannot be read.
        """
        each = map(self._store.calibration, self._kept_as)
        stored = next((one for one in each if one is not None), None)
        if stored is None:
            self._now = None
            return None
        change, body = self._store.change(), stored[1]
        now = self._now
        if now is None or now.change != change:
            self._known.clear()
        if now is None or now.body != body:
            now = _Now(change, body, _parsed(body))
        self._now = _Now(change, body, now.calibration)
        return now.calibration

    def judge(
        self,
        descriptor: Descriptor,
        quality: Quality | None,
        matches: list[Match],
        *,
        mode: MatchMode,
        calibration: Calibration | None,
        characters: int,
        references: NDArray[np.float32] | None = None,
        state: FaceState = UNDECIDED,
        enrolled: str | None = None,
    ) -> Judgement:
        """Say who a face is whose likeliest characters are known, in a gallery of so many.

        `references` stand for the first one's where a face is asked about that is one of them.
        What a person decided of the face, its `state`, rules; the matches are without the names
        that it does not have. A face that is `enrolled` is surely the character that it is enrolled
        as: somebody said so.
        """
        (said,) = self.judge_all(
            descriptor[None],
            [quality],
            [matches],
            mode=mode,
            calibration=calibration,
            characters=characters,
            references=references,
            states=[state],
            enrolled=[enrolled],
        )
        return said

    def judge_all(
        self,
        descriptors: NDArray[np.float32],
        qualities: Sequence[Quality | None],
        matches: Sequence[list[Match]],
        *,
        mode: MatchMode,
        calibration: Calibration | None,
        characters: int,
        states: Sequence[FaceState],
        enrolled: Sequence[str | None],
        references: NDArray[np.float32] | None = None,
    ) -> list[Judgement]:
        """Say of each face, shape (n, DIMENSION), what judge says; together they take less time."""
        said: dict[int, Judgement] = {}
        scored: list[int] = []
        for row, (own, state, name) in enumerate(zip(matches, states, enrolled, strict=True)):
            decided = decided_by_a_person(state, is_calibrated=calibration is not None)
            if decided is not None:
                said[row] = decided
            elif name is not None:
                right, stranger = (None, None) if calibration is None else (1.0, 0.0)
                said[row] = Judgement(Verdict.SURE, name, right, stranger)
            elif calibration is None or not own or own[0].is_reject:
                said[row] = Judgement(*decide(own, self.thresholds))
            else:
                scored.append(row)
        if calibration is not None and scored:
            evidence = self.evidence(
                descriptors[scored],
                [qualities[row] for row in scored],
                [matches[row] for row in scored],
                mode,
                calibration.pool,
                references=references,
            )
            found = calibration.judge(evidence, characters)
            each = (found.is_sure, found.is_unknown, found.right, found.stranger)
            for row, sure, unknown, *chances in zip(
                scored, *(values.tolist() for values in each), strict=True
            ):
                verdict, who = decide_by_score(matches[row], is_sure=sure, is_unknown=unknown)
                said[row] = Judgement(verdict, who, *chances)
        return [said[row] for row in range(len(matches))]

    def evidence(
        self,
        descriptors: NDArray[np.float32],
        qualities: Sequence[Quality | None],
        matches: Sequence[list[Match]],
        mode: MatchMode,
        pool: float,
        *,
        references: NDArray[np.float32] | None = None,
    ) -> Numbers:
        """Return what speaks for and against faces being the first of their matches.

        Each face, shape (n, DIMENSION), has a match at least. The shape is (n, len(COLUMNS)).
        """
        names = [own[0].character for own in matches]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        known = [self._of(name) if references is None else known_by(references) for name in numbers]
        seconds = [self._second(*one, mode) for one in zip(descriptors, matches, strict=True)]
        return weigh_all(
            descriptors,
            known,
            np.array([numbers[name] for name in names]),
            np.array(seconds),
            pool=pool,
            qualities=np.array([np.nan if one is None else one.score for one in qualities]),
        )

    def _second(self, descriptor: Descriptor, matches: Sequence[Match], mode: MatchMode) -> float:
        """Return the distance from the second character's ideal; NaN where there is none."""
        if len(matches) < 2:
            return float("nan")
        if mode is MatchMode.IDEAL:
            return matches[1].distance
        return float(np.linalg.norm(self._of(matches[1].character).ideal - descriptor))

    def _of(self, name: str) -> Known:
        if name not in self._known:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[name] = known_by(self._store.references(self._encoder, name))
        return self._known[name]


def _parsed(body: str) -> Calibration:
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise StaleCalibration("is damaged") from error
    return from_json(values)


def references_of(
    store: Store, encoder: str, unknown: float, within: Collection[str] | None = None
) -> tuple[References, tuple[str, ...]]:
    """Return the references that count, with the characters' names in the order of their numbers.

    Samples that a person decided otherwise of do not. `unknown` is the encoder's distance that
    nobody lies beyond, by which characters are known that look like one. Two that a person told
    apart do not. Where names are given, only those characters are there.
    """
    enrolled = read_enrolled(store, encoder, within).heeding()
    kept = enrolled.counted
    return References(
        enrolled.descriptors[kept],
        enrolled.labels[kept],
        enrolled.quality[kept],
        enrolled.rejects,
        doubles=likely_doubles(enrolled, unknown),
    ), enrolled.names


def likely_doubles(
    enrolled: EnrolledSamples, unknown: float, pool: float | None = None
) -> tuple[Double, ...]:
    """Return the pairs of characters that likely are one, and were not told apart, likeliest first.

    For `pool` see doubles.centres.
    """
    kept = enrolled.counted
    labels = enrolled.labels[kept]
    sizes = np.bincount(labels, minlength=len(enrolled.names))
    right = np.bincount(labels, enrolled.right[kept], minlength=len(enrolled.names))

    def is_one(double: Double) -> bool:
        smaller = min(double.one, double.other, key=lambda number: (sizes[number], -number))
        return not are_told_apart(int(right[smaller]), int(sizes[smaller]))

    named = ~enrolled.rejects[labels]
    found = centres(enrolled.descriptors[kept][named], labels[named], pool)
    pairs = doubles(found, unknown, least=LIKELY)
    return tuple(sorted(filter(is_one, pairs), key=lambda one: -one.likelihood))


def rejections_of(store: Store, encoder: str, characters: Sequence[str]) -> Rejections:
    """Return the faces that a person said are not one of the characters, by their numbers."""
    rejected = store.rejections.rejected(encoder)
    number = {name: place for place, name in enumerate(characters)}
    names = rejected.names
    kept = [row for row, name in enumerate(names) if name in number]
    return Rejections(
        rejected.descriptors[kept],
        np.array([number[names[row]] for row in kept], dtype=np.int64),
    )


def decided_by_a_person(state: FaceState, *, is_calibrated: bool) -> Judgement | None:
    """Return what a person's decision makes of a face; None where it leaves that to the gallery.

    Whom a person named is sure, and who or what was set aside is nobody.
    """
    if state.decided is Decided.CONFIRMED:
        right, stranger = (1.0, 0.0) if is_calibrated else (None, None)
        return Judgement(Verdict.SURE, state.character, right, stranger, Decided.CONFIRMED)
    if state.is_set_aside:
        return Judgement(Verdict.UNKNOWN, None, decided=state.decided)
    return None


def decide(matches: Sequence[Match], thresholds: Thresholds) -> tuple[Verdict, str | None]:
    """Return the verdict on a face, and who it is: None when unknown.

    Matches come likeliest first. The first is believed when it is near and the second is clearly
    farther; it is doubted when it is only not far. Nobody near, or a reject class first, is
    unknown.
    """
    if not matches or matches[0].is_reject or matches[0].distance > thresholds.unknown:
        return Verdict.UNKNOWN, None
    first, rest = matches[0], matches[1:]
    stands_out = all(match.distance - first.distance >= thresholds.margin for match in rest)
    if first.distance <= thresholds.sure and stands_out:
        return Verdict.SURE, first.character
    return Verdict.UNSURE, first.character


def decide_by_score(
    matches: Sequence[Match], *, is_sure: bool, is_unknown: bool
) -> tuple[Verdict, str | None]:
    """Return the verdict of a calibrated gallery, and who a face is: None when unknown.

    Matches come likeliest first; what is said of the score is about the first of them.
    """
    if not matches or matches[0].is_reject or is_unknown:
        return Verdict.UNKNOWN, None
    return (Verdict.SURE if is_sure else Verdict.UNSURE), matches[0].character
