"""What the gallery's own verdicts are worth, whom it mixes up, and the worst mistakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Engine
from gallery.engine.joint import smoothed
from gallery.evaluation.evaluation_set import EvaluationSet
from gallery.evaluation.figures import Chapter, Figure, missing, rate_of
from gallery.evaluation.identification import Protocol
from gallery.evaluation.metrics import Labels, Vectors
from gallery.evaluation.search import Rows
from gallery.evaluation.verification import ALONE, NOBODY_ELSE
from gallery.events import Stage
from gallery.identify.calibration.model import Calibration
from gallery.numerics.intervals import Hits, Numbers
from gallery.numerics.neighbours import NOBODY
from gallery.types import Match, MatchMode, Quality, Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What a gallery knows of a face when it is to say who it is."""

    matches: Sequence[Match]
    """The nearest characters, nearest first."""
    descriptor: Vectors
    """Shape (dimension,)."""
    references: Vectors
    """What the first one's ideal is made of, without the face itself, shape (n, dimension)."""
    quality: Quality | None
    characters: int
    """How many characters it can be."""


@dataclass(frozen=True, slots=True)
class Judge:
    """What a gallery answers."""

    answer: Callable[[Question], tuple[Verdict, str | None]]
    """Return the verdict and whom it names."""
    is_calibrated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class JointScoring:
    """An evaluation set's faces with smoothed descriptors, and the gallery's answers."""

    evaluation_set: EvaluationSet
    judge: Judge


def judge_of(engine: Engine) -> Judge:
    """Return how a gallery answers now: by its calibration, or by the encoder's thresholds."""
    return _judge(engine, engine.judging.calibration())


def joint_scoring_of(engine: Engine, evaluation_set: EvaluationSet) -> Stage[JointScoring | None]:
    """Return how a gallery answers when it scores a folder's faces jointly, as `relabel` does.

    None for its own faces, and where it is not calibrated.
    """
    if not evaluation_set.of_folder:
        return None
    drawn = yield from smoothed(engine, evaluation_set.probes.descriptors)
    if drawn is None:
        return None
    probes = replace(evaluation_set.probes, descriptors=drawn.descriptors)
    return JointScoring(replace(evaluation_set, probes=probes), _judge(engine, drawn.calibration))


def _judge(engine: Engine, calibration: Calibration | None) -> Judge:
    judging = engine.judging

    def answer(question: Question) -> tuple[Verdict, str | None]:
        said = judging.judge(
            question.descriptor.astype(np.float32),
            question.quality,
            list(question.matches),
            mode=MODE,
            calibration=calibration,
            characters=question.characters,
            references=question.references.astype(np.float32),
        )
        return said.verdict, said.character

    return Judge(answer, calibration is not None)


MODE = MatchMode.IDEAL
"""How a gallery compares unless it is told otherwise."""

MOST_MISTAKES = 24

MOST_JUDGED = 10_000
"""Above it, the faces that verdicts are asked about are drawn at random."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A face that is taken for somebody else."""

    probe: int
    """Which of the evaluation set's probes."""
    verdict: Verdict
    taken_for: int
    """The number of the character it is taken for."""
    distance: float
    """From that character."""
    own_distance: float | None
    """From its own; None for a stranger."""


@dataclass(frozen=True, slots=True)
class Confused:
    """Two characters that are mixed up."""

    one: int
    other: int
    one_as_other: int
    """Faces of `one` that are nearest to `other`."""
    other_as_one: int
    faces: int
    """All faces that were asked about, of both."""

    @property
    def count(self) -> int:
        """All faces that are mixed up."""
        return self.one_as_other + self.other_as_one


@dataclass(frozen=True, slots=True, eq=False)
class JudgedFaces:
    """Verdicts on some faces."""

    labels: Labels
    """Whose they are, shape (n,)."""
    verdicts: NDArray[np.str_]
    right: NDArray[np.bool_]
    """Whether the name that was said is right."""
    named: Labels
    """The number of the character that was named, NOBODY for none."""
    probes: Rows
    """Which of the evaluation set's probes they are, shape (n,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a gallery says of faces."""

    known: JudgedFaces
    """Of enrolled characters' faces."""
    strangers: JudgedFaces
    rejects: JudgedFaces
    """Of reject classes' faces."""


def question(asked: Protocol, row: int, own: int | None) -> Question:
    """Return what is known of a probe.

    `own` is its own character's number, or None where it is searched as a stranger.
    """
    evaluation_set, candidates = asked.evaluation_set, asked.candidates[MODE]
    near = [
        (int(label), float(distance))
        for label, distance in zip(candidates.others[row], candidates.distances[row], strict=True)
        if label != NOBODY
    ]
    probe = int(asked.rows[row])
    is_near = own is not None and np.isfinite(candidates.own[row])
    if own is not None and is_near and own not in evaluation_set.excluded.get(probe, ()):
        near.insert(int(candidates.rank[row]), (own, float(candidates.own[row])))
    probe_is_member = evaluation_set.probes.labels[probe] in evaluation_set.references.members
    rows: Rows = np.zeros(0, dtype=np.intp)
    if near:
        rows = evaluation_set.references.counted(near[0][0], int(evaluation_set.probes.own[probe]))
    return Question(
        [
            Match(evaluation_set.names[one], far, bool(evaluation_set.rejects[one]))
            for one, far in near
        ],
        evaluation_set.probes.descriptors[probe],
        evaluation_set.references.descriptors[rows],
        evaluation_set.qualities[probe],
        len(evaluation_set.references.members) - int(own is None and probe_is_member),
    )


def judge_faces(
    asked: Protocol, rows: Sequence[int], judge: Judge, *, as_strangers: bool
) -> JudgedFaces:
    """Return the verdicts on probes, with their own character enrolled or taken out."""
    evaluation_set = asked.evaluation_set
    verdicts: list[str] = []
    right: list[bool] = []
    named: list[int] = []
    labels = asked.labels
    number = {name: place for place, name in enumerate(evaluation_set.names)}
    for row in rows:
        own = None if as_strangers else int(labels[row])
        verdict, name = judge.answer(question(asked, row, own))
        verdicts.append(verdict.value)
        right.append(not as_strangers and name == evaluation_set.names[labels[row]])
        named.append(NOBODY if name is None else number[name])
    there = np.array(rows, dtype=np.intp)
    return JudgedFaces(
        labels[there],
        np.array(verdicts, dtype=np.str_),
        np.array(right, dtype=np.bool_),
        np.array(named, dtype=np.int64),
        asked.rows[there],
    )


def answers(
    asked: Protocol, turned_away: Protocol, judge: Judge, generator: np.random.Generator
) -> Answers:
    """Return what the gallery says of known faces, of strangers and of what it is to turn away."""
    alone = asked.evaluation_set.enrolled < 2 and not len(asked.evaluation_set.outsiders)
    known = _some(known_rows(asked), generator)
    strange = [] if alone else _some(asked.strangers.tolist(), generator)
    return Answers(
        judge_faces(asked, known, judge, as_strangers=False),
        judge_faces(asked, strange, judge, as_strangers=True),
        judge_faces(turned_away, range(len(turned_away.rows)), judge, as_strangers=False),
    )


def verdict_chapter(
    asked: Protocol, said: Answers, weights: Numbers, *, is_calibrated: bool
) -> Chapter:
    """Return how often each verdict is said, and how often it is right."""
    text = (
        "What this gallery answers, as it is set up now: `sure` and `unsure` name a character, "
        "`unknown` names nobody. "
    )
    if asked.evaluation_set.of_folder:
        text += "The faces of the folder are asked."
    else:
        text += "Each face is left out of its own character."
        if is_calibrated:
            text += " The calibration learnt from these same faces; a folder of others says more."
    return Chapter(
        "verdicts", "The gallery's own verdicts", text, COLUMNS, _rows("verdict", said, weights)
    )


def together_chapter(said: Answers, weights: Numbers) -> Chapter:
    """Return how often each verdict is given where all faces are scored jointly."""
    return Chapter(
        "together",
        "The gallery's verdicts, all faces scored jointly",
        "What `gallery relabel` would answer, had it seen the faces of the folder and no others.",
        COLUMNS,
        _rows("together", said, weights),
    )


COLUMNS = ("faces", "answer", "share (95 %)", "N")


def _rows(key: str, said: Answers, weights: Numbers) -> tuple[tuple[str | Figure, ...], ...]:
    known, strangers = said.known, said.strangers
    rows = [
        *_shares(f"{key}.known", "known characters' faces", known, weights, ALONE),
        _right(key, "sure", "of these, sure and right", known, weights),
        _right(key, "unsure", "of these, unsure and right", known, weights),
        *_shares(f"{key}.strangers", "strangers' faces", strangers, weights, NOBODY_ELSE),
    ]
    if len(said.rejects.labels):
        rows += _shares(f"{key}.rejects", "reject classes' faces", said.rejects, weights, ALONE)
    return tuple(rows)


def _some(rows: list[int], generator: np.random.Generator) -> list[int]:
    """Return the rows, or drawn ones where there are more than are judged."""
    if len(rows) <= MOST_JUDGED:
        return rows
    return sorted(generator.choice(rows, MOST_JUDGED, replace=False).tolist())


def known_rows(asked: Protocol) -> list[int]:
    """Return the rows whose character is enrolled with other faces."""
    return np.flatnonzero(np.isfinite(asked.candidates[MODE].own)).tolist()


def _shares(
    key: str, who: str, said: JudgedFaces, weights: Numbers, reason: str
) -> list[tuple[str | Figure, ...]]:
    """Return how often each verdict is said."""
    rows: list[tuple[str | Figure, ...]] = []
    for verdict in Verdict:
        name = f"{key}.{verdict.value}"
        figure = rate_of(name, Hits(said.labels, said.verdicts == verdict.value), weights, reason)
        rows.append((who, verdict.value, figure, f"{figure.count:,}"))
    return rows


def _right(
    key: str, verdict: str, who: str, said: JudgedFaces, weights: Numbers
) -> tuple[str | Figure, ...]:
    """Return how often a name that is said with a verdict is right."""
    kept = said.verdicts == verdict
    name = f"{key}.{verdict}.right"
    if not kept.any():
        figure = missing(name, f"no known face is `{verdict}`")
    else:
        figure = rate_of(name, Hits(said.labels[kept], said.right[kept]), weights, "")
    return who, "right", figure, f"{figure.count:,}"


def confused(asked: Protocol) -> list[Confused]:
    """Return the pairs of characters that are mixed up by the ideal, most often first."""
    candidates = asked.candidates[MODE]
    taken: Counter[tuple[int, int]] = Counter()
    for row in known_rows(asked):
        if candidates.rank[row] > 0:
            taken[int(asked.labels[row]), int(candidates.others[row, 0])] += 1
    faces = np.bincount(asked.labels, minlength=len(asked.evaluation_set.names))
    pairs = sorted({(min(pair), max(pair)) for pair in taken})
    found = [
        Confused(one, other, taken[one, other], taken[other, one], int(faces[one] + faces[other]))
        for one, other in pairs
    ]
    return sorted(found, key=lambda pair: (-pair.count, pair.faces, pair.one, pair.other))


def mistakes(asked: Protocol, judge: Judge) -> list[Mistake]:
    """Return the worst mistakes: surely named wrongly first, then those farthest off.

    Known faces whose own character is not the nearest; and of a folder's strangers those that are
    named.
    """
    candidates = asked.candidates[MODE]
    wrong = np.array([row for row in known_rows(asked) if candidates.rank[row] > 0], dtype=np.intp)
    gaps = candidates.distances[wrong, 0] - candidates.own[wrong]
    rows = wrong[np.argsort(gaps, kind="stable")][:MOST_JUDGED].tolist()
    said = judge_faces(asked, rows, judge, as_strangers=False)
    found = [
        _mistake(asked, row, Verdict(str(verdict)), float(candidates.own[row]))
        for row, verdict in zip(rows, said.verdicts, strict=True)
    ]
    outsiders = asked.strangers.tolist() if len(asked.evaluation_set.outsiders) else []
    said = judge_faces(asked, outsiders, judge, as_strangers=True)
    found += [
        _mistake(asked, row, Verdict(str(verdict)), None)
        for row, verdict in zip(outsiders, said.verdicts, strict=True)
        if verdict != Verdict.UNKNOWN.value
    ]
    order = {Verdict.SURE: 0, Verdict.UNSURE: 1, Verdict.UNKNOWN: 2}

    def badness(one: Mistake) -> tuple[int, float, int]:
        # A stranger has no distance of its own: the nearer it is to somebody, the worse.
        gap = one.distance - (one.own_distance if one.own_distance is not None else 0.0)
        return order[one.verdict], gap, one.probe

    return sorted(found, key=badness)[:MOST_MISTAKES]


def _mistake(asked: Protocol, row: int, verdict: Verdict, own: float | None) -> Mistake:
    candidates = asked.candidates[MODE]
    return Mistake(
        int(asked.rows[row]),
        verdict,
        int(candidates.others[row, 0]),
        float(candidates.distances[row, 0]),
        own,
    )
