"""How often a gallery is right where a person decided: its own answers beside what was said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Engine
from gallery.engine.joint import Scoring, alone, jointly
from gallery.evaluation.figures import Chapter, Figure, rate_of
from gallery.events import Advanced, Finished, Job, Started
from gallery.jobs.reencode import encode_kept
from gallery.numerics.intervals import SAMPLES, Hits, weightings
from gallery.store.sightings import Sighting
from gallery.types import Answer, Decided, FaceState, Verdict

AT_ONCE = 1000
"""Faces answered together."""

COLUMNS = ("faces", "answer", "share (95 %)", "N")


@dataclass(frozen=True, slots=True)
class DecidedProbe:
    """A seen face that a person decided of, with what the gallery would answer by itself."""

    sighting: Sighting
    state: FaceState
    answer: Answer

    @property
    def is_right(self) -> bool:
        """Whether the gallery names the one that was confirmed."""
        return self.answer.character is not None and self.answer.character == self.state.character

    @property
    def is_wrong(self) -> bool:
        """Whether the gallery is sure of a name that a person said it is not."""
        answer, state = self.answer, self.state
        if answer.verdict is not Verdict.SURE or answer.character is None:
            return False
        return not self.is_right and (
            state.decided is not Decided.NOT_THIS or answer.character in state.not_these
        )


@dataclass(frozen=True, slots=True)
class DecidedEvaluation:
    """What a gallery is worth on the faces that a person decided of."""

    probes: tuple[DecidedProbe, ...]
    """Confirmed, rejected and no faces; those that are ignored may be anybody's."""
    chapters: tuple[Chapter, ...]
    """Each face answered alone, and in a calibrated gallery all jointly."""
    enrolled: int
    """Faces more that were decided of and are enrolled; they say nothing."""
    unseen: int
    """Faces more that were decided of and are not among those that labelling keeps."""

    @property
    def confirmed(self) -> list[DecidedProbe]:
        """The confirmed ones."""
        return [one for one in self.probes if one.state.decided is Decided.CONFIRMED]

    @property
    def wrong(self) -> list[DecidedProbe]:
        """Those that the gallery would surely name wrongly, nearest first."""
        return sorted(
            (one for one in self.probes if one.is_wrong),
            key=lambda one: (one.answer.distance or 0.0, one.sighting.id),
        )

    @property
    def figures(self) -> list[Figure]:
        """All figures, in the order of the tables."""
        return [figure for chapter in self.chapters for figure in chapter.figures]


def evaluate_decisions(engine: Engine, *, seed: int = 0) -> Job[DecidedEvaluation]:
    """Measure how often a gallery is right by itself, on the seen faces that a person decided of.

    Enrolled faces are left out, since they would be compared with themselves. The same seed gives
    the same intervals. Raises StoreError where samples lack the encoder in use.
    """
    engine.require_encoded()
    yield from encode_kept(engine)
    asked, descriptors, enrolled, unseen = _asked(engine)
    scorings = [("decided", alone(engine, heed=False))]
    if engine.judging.calibration() is not None:
        together = yield from jointly(engine, heed=False)
        scorings.append(("decided.together", together))
    yield Started("answering", len(asked) * len(scorings), "face")
    chapters: list[Chapter] = []
    probes: list[DecidedProbe] = []
    for key, scoring in scorings:
        found = []
        for some in _answered(asked, descriptors, scoring):
            found += some
            yield Advanced(len(some))
        chapters.append(_chapter(key, found, seed))
        probes = probes or found
    yield Finished(DecidedEvaluation(tuple(probes), tuple(chapters), enrolled, unseen))


Asked = list[tuple[Sighting, FaceState]]


def _asked(engine: Engine) -> tuple[Asked, NDArray[np.float32], int, int]:
    """Return what is asked about, its descriptors, and how many are enrolled and not seen."""
    sightings = engine.store.sightings
    ids, vectors = sightings.vectors(engine.encoder)
    places = {int(one): row for row, one in enumerate(ids)}
    seen, samples = [one for one in sightings.all() if one.id in places], sightings.enrolled()
    decided = engine.decided()
    known = decided.matched([one.place for one in seen], [one.face.box for one in seen])
    found: Asked = [
        (sighting, one.state)
        for sighting, one in zip(seen, known, strict=True)
        if one is not None and one.state.decided is not Decided.IGNORED
    ]
    kept = [one for one in found if one[0].id not in samples]
    rows = [places[one.id] for one, _ in kept]
    unseen = decided.count(without=Decided.IGNORED) - len(found)
    return kept, vectors[rows], len(found) - len(kept), unseen


def _answered(
    asked: Asked, descriptors: NDArray[np.float32], scoring: Scoring
) -> Iterator[list[DecidedProbe]]:
    """Yield the faces with the gallery's own answers, AT_ONCE at a time."""
    for start in range(0, len(asked), AT_ONCE):
        some = asked[start : start + AT_ONCE]
        described = [
            one.described(descriptor)
            for (one, _), descriptor in zip(some, descriptors[start:], strict=False)
        ]
        answers = scoring([one for one, _ in some], described)
        yield [DecidedProbe(*one, answer) for one, answer in zip(some, answers, strict=True)]


def _chapter(key: str, probes: Sequence[DecidedProbe], seed: int) -> Chapter:
    numbers: dict[str | None, int] = {}
    for one in probes:
        numbers.setdefault(one.state.character, len(numbers))
    weights = weightings(max(len(numbers), 1), SAMPLES, seed)
    confirmed = [one for one in probes if one.state.decided is Decided.CONFIRMED]
    rejected = [one for one in probes if one.state.decided is Decided.NOT_THIS]
    none = [one for one in probes if one.state.decided is Decided.NO_FACE]
    rows: list[tuple[str | Figure, ...]] = []

    def add(name: str, who: str, what: str, of: Sequence[DecidedProbe], hits: list[bool]) -> None:
        labels = np.array([numbers[one.state.character] for one in of], np.int64)
        figure = rate_of(
            f"{key}.{name}", Hits(labels, np.array(hits, np.bool_)), weights, f"there are no {who}"
        )
        rows.append((who, what, figure, f"{figure.count:,}"))

    for verdict in (Verdict.SURE, Verdict.UNSURE):
        for is_right, word in ((True, "right"), (False, "wrong")):
            hits = [one.answer.verdict is verdict and one.is_right is is_right for one in confirmed]
            what = f"{verdict.value} and {word}"
            add(f"{verdict.value}.{word}", "confirmed faces", what, confirmed, hits)
    unknown = [one.answer.verdict is Verdict.UNKNOWN for one in confirmed]
    add("unknown", "confirmed faces", "unknown", confirmed, unknown)
    wrong = [one.is_wrong for one in rejected]
    add("rejected.sure", "rejected faces", "sure of the rejected name", rejected, wrong)
    add("no_face.sure", "no faces", "sure", none, [one.is_wrong for one in none])
    alone_or = "all faces scored jointly" if key.endswith("together") else "each face alone"
    return Chapter(
        key,
        f"What the gallery would answer by itself, {alone_or}",
        "Faces that a person decided of, with nothing of it heeded. Faces that were confirmed "
        "because the gallery named them are easier than others.",
        COLUMNS,
        tuple(rows),
    )
