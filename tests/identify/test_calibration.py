"""Calibration: from evidence to probabilities and verdicts, on made-up characters."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gallery.errors import InputError, SetupError, StoreError
from gallery.identify.calibration import evidence, fit, model, own_series
from gallery.identify.calibration.calibrate import MOST_FACES, Calibrated, Rejections, calibrate
from gallery.identify.calibration.doubles import LIKELY, centres, doubles
from gallery.identify.calibration.evidence import (
    COLUMNS,
    Evidence,
    Numbers,
    Vectors,
    pooled_spread,
    spread,
)
from gallery.identify.calibration.model import Curve, Tail, from_json
from gallery.identify.calibration.strangers import (
    Strangers,
    nobody,
    read_strangers,
    strangers_file,
    write_strangers,
)
from gallery.identify.calibration.trials import Labels, Protocol, References, Trials, chosen
from gallery.numerics.neighbours import NOBODY
from gallery.settings import bundled
from gallery.types import DIMENSION

NOISE = 0.025
UNKNOWN = 0.434
"""The distance that nobody lies beyond, as of anime-ensemble."""


def faces(characters: int, each: int, seed: int, noise: float = NOISE) -> tuple[Vectors, Labels]:
    """Descriptors around a random place for each character, of length near 0.5."""
    generator = np.random.default_rng(seed)
    # Characters differ in 12 directions alone, so that some resemble each other.
    centres = np.zeros((characters, DIMENSION))
    centres[:, :12] = generator.normal(size=(characters, 12))
    centres *= 0.5 / np.linalg.norm(centres, axis=1, keepdims=True)
    labels = np.repeat(np.arange(characters), each)
    drawn = centres[labels] + generator.normal(scale=noise, size=(len(labels), DIMENSION))
    return drawn.astype(np.float32), labels.astype(np.int64)


def enrolled(characters: int, each: int, seed: int = 1, noise: float = NOISE) -> References:
    descriptors, labels = faces(characters, each, seed, noise)
    return References(
        descriptors, labels, np.full(len(labels), np.nan), np.zeros(characters, np.bool_)
    )


def strangers(count: int = 300, seed: int = 2) -> Strangers:
    descriptors, labels = faces(count, 1, seed)
    return dataclasses.replace(
        nobody(), stored=descriptors.astype(np.float16), characters=labels.astype(np.int16)
    )


def with_trials() -> Strangers:
    """Strangers that say how evidence is weighed, too."""
    other = calibrate(enrolled(20, 5, seed=9), strangers(seed=8), fpir=0.05).asked
    return dataclasses.replace(
        strangers(),
        trials=np.concatenate([other.known.evidence, other.shipped.evidence]),
        right=np.concatenate([other.known.right, np.zeros(len(other.shipped), np.bool_)]),
        known=np.arange(len(other.known) + len(other.shipped)) < len(other.known),
    )


@pytest.fixture(scope="module")
def found() -> Calibrated:
    return calibrate(enrolled(30, 5), strangers(), fpir=0.05)


def weigh(
    face: Vectors, references: Vectors, second: float, *, pool: float, quality: float
) -> Evidence:
    """Weigh one face."""
    (row,) = evidence.weigh_all(
        face[None],
        [evidence.known_by(references)],
        np.zeros(1, np.int64),
        np.array([second]),
        pool=pool,
        qualities=np.array([quality]),
    )
    return Evidence(*row.tolist())


def rows_of(*given: Evidence) -> Numbers:
    return np.array([dataclasses.astuple(one) for one in given])


def test_evidence_says_what_its_numbers_mean() -> None:
    references = np.zeros((3, DIMENSION), np.float32)
    references[1, 0], references[2, 0] = 3, 6
    face = np.zeros(DIMENSION, np.float32)
    face[0], face[1] = 3, 4
    found = weigh(face, references, 10.0, pool=1.0, quality=0.5)
    assert (found.ideal, found.best, found.nearest) == (4, 4, 4)
    assert (found.gap, found.ratio) == (6, 0.4)
    assert (found.references, found.quality) == (3, 0.5)
    # Squares around the mean: 9 + 0 + 9; two degrees of freedom, and two of the pool's 1.
    assert found.spread == pytest.approx(np.sqrt((18 + 2 * 1) / 4))


@pytest.mark.parametrize("at_once", [1, 700, 1 << 18])
def test_evidence_on_many_faces_is_that_on_each(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "DIFFERENCES", at_once)
    sizes = (3, 1, 7, 2)
    known = [evidence.known_by(faces(1, size, size)[0]) for size in sizes]
    asked = faces(9, 1, 5)[0]
    owners = np.array([2, 0, 3, 2, 1, 0, 2, 2, 0])
    seconds, qualities = np.linspace(0.1, 0.9, 9), np.linspace(0, 1, 9)
    found = evidence.weigh_all(asked, known, owners, seconds, pool=0.3, qualities=qualities)
    for row, owner in enumerate(owners):
        references = faces(1, sizes[owner], sizes[owner])[0]
        own = weigh(asked[row], references, seconds[row], pool=0.3, quality=qualities[row])
        assert Evidence(*found[row].tolist()) == own


def test_a_lone_character_has_no_gap_and_one_reference_has_the_pools_spread() -> None:
    one = np.ones((1, DIMENSION), np.float32)
    found = weigh(one[0], one, np.nan, pool=0.25, quality=np.nan)
    assert np.isnan([found.gap, found.ratio, found.quality]).all()
    assert found.spread == 0.25


@given(st.integers(1, 12), st.floats(0.01, 1.0))
def test_a_spread_lies_between_a_characters_own_and_the_pools(count: int, pool: float) -> None:
    references = faces(1, count, count)[0]
    exact = references.astype(np.float64)
    radius = spread(references, pool)
    if count == 1:
        assert radius == pytest.approx(pool)
    else:
        own = np.sqrt(((exact - exact.mean(axis=0)) ** 2).sum() / (count - 1))
        assert min(own, pool) - 1e-9 <= radius <= max(own, pool) + 1e-9


def test_the_pools_spread_is_over_characters_of_two_and_more() -> None:
    descriptors, labels = faces(4, 3, 3)
    assert pooled_spread(descriptors, labels) == pytest.approx(NOISE * np.sqrt(DIMENSION), rel=0.15)
    assert np.isnan(pooled_spread(descriptors[::3], labels[::3]))


def test_leaving_one_out_is_asking_a_gallery_that_never_had_the_face() -> None:
    whole = enrolled(6, 4)
    shipped = strangers(50)
    questions = Protocol(whole, shipped)
    trials = questions.leave_one_out(np.arange(len(whole.labels)))
    assert len(trials) == 24
    for row in (0, 7, 23):
        rest = np.delete(np.arange(24), row)
        without = dataclasses.replace(
            whole,
            descriptors=whole.descriptors[rest],
            labels=whole.labels[rest],
            quality=whole.quality[rest],
        )
        other = Protocol(without, shipped)
        other.pool = questions.pool
        alone = other.about(whole.descriptors[[row]], whole.labels[[row]], whole.labels[[row]])
        np.testing.assert_allclose(alone.evidence[0], trials.evidence[row], atol=1e-6)
        assert alone.right[0] == trials.right[row]


def test_leaving_a_character_out_is_asking_a_gallery_without_it() -> None:
    whole = enrolled(5, 3)
    questions = Protocol(whole, nobody())
    trials = questions.leave_one_character_out(np.arange(15))
    assert not trials.right.any()
    assert (trials.first != whole.labels).all()
    kept = whole.labels != 2
    without = Protocol(
        dataclasses.replace(
            whole,
            descriptors=whole.descriptors[kept],
            labels=whole.labels[kept],
            quality=whole.quality[kept],
        ),
        nobody(),
    )
    without.pool = questions.pool
    rows = np.flatnonzero(~kept)
    alone = without.about(whole.descriptors[rows], np.full(3, NOBODY), np.zeros(3, np.int64))
    np.testing.assert_allclose(alone.evidence, trials.evidence[rows], atol=1e-6)


def test_a_tail_gives_back_its_rates_and_grows_with_the_gallery() -> None:
    tail = Tail(start=2.0, excess=0.5, share=0.1, characters=10)
    assert tail.threshold(0.1, 10) == 2.0
    assert tail.threshold(0.01, 10) == pytest.approx(2 + 0.5 * np.log(10))
    # One in a thousand of ten characters each is one in a hundred of a hundred, or hardly less.
    assert tail.threshold(0.01, 100) == pytest.approx(tail.threshold(0.001, 10), abs=0.01)
    for size in (1, 10, 1000):
        rates = [tail.threshold(rate, size) for rate in (0.4, 0.1, 0.01)]
        assert rates == sorted(rates)
        assert tail.threshold(0.01, size + 1) > tail.threshold(0.01, size)


def test_what_a_gallery_promises_holds_when_it_has_grown() -> None:
    # Every character has a score of its own for every stranger; the best one speaks.
    generator = np.random.default_rng(3)
    scores = generator.exponential(0.5, (4000, 120))
    few, many = scores[:, :10].max(axis=1), scores.max(axis=1)
    trials = Trials(
        np.zeros((4000, len(COLUMNS))),
        np.arange(4000),
        np.zeros(4000, np.bool_),
        np.zeros(4000, np.bool_),
        np.zeros(4000, np.int64),
    )
    none = chosen(trials, np.zeros(4000, np.bool_))

    class Scores(model.Scorer):
        def scores(self, evidence: Numbers) -> Numbers:
            best: Numbers = few[: len(evidence)]
            return best

    scorer = Scores((), (), (), 0.0)
    own = fit.fit_tail(fit.TrialSets(none, trials, none), scorer, 10)
    # Left out of its own gallery, a face meets nine others instead of ten.
    tail = dataclasses.replace(own, share=own.share * 9 / 10)
    for rate in (0.01, 0.05):
        assert (few >= tail.threshold(rate, 10)).mean() == pytest.approx(rate, rel=0.25)
        assert (many >= tail.threshold(rate, 120)).mean() == pytest.approx(rate, rel=0.25)
    # Shipped strangers stand for those of the gallery's own series, which score higher.
    shipped = fit.fit_tail(fit.TrialSets(none, none, trials), scorer, 10)
    assert (shipped.share, shipped.excess) == pytest.approx((tail.share, tail.excess), rel=0.01)
    assert shipped.start == pytest.approx(tail.start + 2 * few.std(), rel=0.01)


def test_the_tail_is_told_from_the_highest_scores() -> None:
    generator = np.random.default_rng(0)
    scores = generator.exponential(0.7, 20_000)
    start = fit.weighted_quantile(scores, np.ones(len(scores)), 0.9)
    assert start == pytest.approx(0.7 * np.log(10), rel=0.03)


def test_asked_rates_hold_for_strangers_that_calibration_never_saw(found: Calibrated) -> None:
    calibration = found.calibration
    whole = enrolled(30, 5)
    descriptors, labels = faces(2000, 1, 77)
    trials = Protocol(whole, strangers()).about(descriptors, np.full(len(labels), NOBODY), labels)
    scores = calibration.scorer.scores(trials.evidence)
    named = float((scores >= calibration.sure(30)).mean())
    assert 0.05 / 3 < named < 0.05 * 2
    unknown = float((scores < calibration.unknown(30)).mean())
    assert unknown > 0.4


def test_probabilities_rise_with_the_score_and_leave_room_for_being_misnamed(
    found: Calibrated,
) -> None:
    calibration = found.calibration
    near = Evidence(0.15, 0.2, 0.2, 0.3, 0.3, 0.28, 5, np.nan)
    far = dataclasses.replace(near, ideal=0.45, best=0.5, nearest=0.5, gap=0.0, ratio=1.0)
    said = calibration.judge(rows_of(near, far), 30)
    assert said.right[0] > 0.9 > 0.1 > said.right[1]
    assert said.is_sure.tolist() == [True, False]
    assert said.is_unknown.tolist() == [False, True]
    assert (said.stranger >= 0).all()
    assert (said.stranger <= 1 - said.right + 1e-9).all()


def test_a_face_that_two_characters_would_surely_be_is_not_sure() -> None:
    # Where the gap is not weighed, the second character's score is all that speaks against it.
    calibration = calibrate(
        enrolled(30, 5), strangers(), fpir=0.05, names=("ideal", "spread", "few")
    ).calibration
    one = Evidence(0.15, 0.2, 0.2, 0.6, 0.2, 0.28, 5, np.nan)
    two = dataclasses.replace(one, gap=0.01)
    last = dataclasses.replace(one, gap=np.nan)
    rows = rows_of(one, two, last)
    assert calibration.scorer.scores(rows[1:2])[0] >= calibration.sure(30)
    assert calibration.judge(rows, 30).passes.tolist() == [True, False, True]
    assert calibration.judge(rows, 30).is_sure.tolist() == [True, False, True]


def test_a_grown_gallery_is_asked_for_more(found: Calibrated) -> None:
    calibration = found.calibration
    assert calibration.sure(300) > calibration.sure(30)
    assert not calibration.is_outgrown(44)
    assert calibration.is_outgrown(45)


def test_trials_that_ship_weigh_the_evidence_and_the_gallery_sets_the_threshold() -> None:
    shipped = with_trials()
    one = calibrate(enrolled(12, 5), shipped, fpir=0.05).calibration
    two = calibrate(enrolled(12, 5, noise=0.04), shipped, fpir=0.05).calibration
    assert one.scorer == two.scorer
    assert one.tail != two.tail
    alone = calibrate(enrolled(8, 1), shipped, fpir=0.05)
    assert alone.expected.nearest.value is None
    assert any("have two references" in note for note in alone.calibration.notes)


def test_a_varied_character_gets_a_wider_radius() -> None:
    # Half of the characters are varied: how far a face may be off differs by character.
    tight, labels = faces(20, 5, 5, noise=0.01)
    varied, others = faces(20, 5, 6, noise=0.035)
    whole = References(
        np.concatenate([tight, varied]),
        np.concatenate([labels, others + 20]),
        np.full(200, np.nan),
        np.zeros(40, np.bool_),
    )
    scorer = calibrate(whole, strangers(), fpir=0.05).calibration.scorer
    (row,) = rows_of(Evidence(0.25, 0.3, 0.3, 0.1, 0.7, 0.15, 5, np.nan))
    wider = row.copy()
    wider[COLUMNS.index("spread")] = 0.35
    assert scorer.scores(wider[None])[0] > scorer.scores(row[None])[0]


def test_what_is_unknown_counts_as_its_mean() -> None:
    values = np.array([[1.0, np.nan, 3.0]])
    standard = model.standardised(values, np.array([1.0, 5.0, 2.0]), np.array([1.0, 1.0, 0.01]))
    assert standard.tolist() == [[0.0, 0.0, model.FARTHEST]]


def test_a_calibration_survives_the_database(found: Calibrated) -> None:
    text = json.dumps(found.calibration.as_json())
    assert from_json(json.loads(text)) == dataclasses.replace(
        found.calibration, expected=json.loads(text)["expected"]
    )


@pytest.mark.parametrize(
    "damage", [{"format": 0}, {"scorer": {"weights": [1]}}, {"tail": {}}, {"pool": "wide"}]
)
def test_a_calibration_of_another_version_is_refused(
    found: Calibrated, damage: dict[str, object]
) -> None:
    with pytest.raises(StoreError, match="calibrate the gallery again"):
        from_json({**found.calibration.as_json(), **damage})


def test_a_reject_class_turns_strangers_away_and_is_nobodys_name() -> None:
    whole = enrolled(10, 5)
    rejects = np.zeros(10, np.bool_)
    rejects[3] = True
    with_reject = dataclasses.replace(whole, rejects=rejects)
    trials = Protocol(with_reject, strangers()).leave_one_out(np.arange(50))
    assert len(trials) == 45
    shipped = Protocol(with_reject, strangers()).about_strangers(np.arange(300))
    assert (shipped.turned_away == (shipped.first == 3)).all()
    found = calibrate(with_reject, strangers(), fpir=0.05)
    assert found.calibration.characters == 10


def twice(whole: References, name: int) -> References:
    """The same with every second reference of a character in a second folder."""
    labels = whole.labels.copy()
    labels[np.flatnonzero(labels == name)[::2]] = len(whole.rejects)
    return dataclasses.replace(
        whole, labels=labels, rejects=np.zeros(len(whole.rejects) + 1, np.bool_)
    )


def knowing(whole: References) -> References:
    found = doubles(centres(whole.descriptors, whole.labels), UNKNOWN, least=LIKELY)
    return dataclasses.replace(whole, doubles=tuple(found))


def test_two_of_one_character_are_known_and_others_are_not() -> None:
    whole = enrolled(12, 6)
    assert knowing(whole).doubles == ()
    (double,) = knowing(twice(whole, 3)).doubles
    assert (double.one, double.other) == (3, 12)
    assert double.likelihood > LIKELY
    one_of_each = dataclasses.replace(whole, labels=np.arange(72), rejects=np.zeros(72, np.bool_))
    assert knowing(one_of_each).doubles == ()


def test_leaving_a_character_out_leaves_its_double_out_and_either_is_right() -> None:
    whole = knowing(twice(enrolled(6, 6), 2))
    questions = Protocol(whole, nobody())
    trials = questions.leave_one_character_out(np.arange(36))
    own = np.isin(whole.labels, (2, 6))
    assert not np.isin(trials.first[own], (2, 6)).any()
    known = questions.leave_one_out(np.arange(36))
    assert set(known.first[own]) == {2, 6}
    assert known.right.all()
    alone = knowing(twice(enrolled(1, 6), 0))
    assert len(Protocol(alone, nobody()).leave_one_character_out(np.arange(6))) == 0
    with pytest.raises(InputError, match="has one character"):
        calibrate(alone, nobody(), fpir=0.01)


def test_a_character_that_is_enrolled_twice_leaves_the_others_sure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Twelve characters that are alike in nothing are enough.
    monkeypatch.setattr(own_series, "FEW", 0)
    monkeypatch.setattr(own_series, "ENOUGH", 12)
    whole, shipped = enrolled(12, 6), with_trials()
    plain = calibrate(whole, shipped, fpir=0.05)
    wrong = twice(whole, 3)
    spoilt = calibrate(wrong, shipped, fpir=0.05)
    found = calibrate(knowing(wrong), shipped, fpir=0.05)
    assert plain.expected.found.value is not None
    assert found.expected.found.value is not None
    assert spoilt.expected.found.value is not None
    assert spoilt.expected.found.value < 0.5 * plain.expected.found.value
    # The two that are one are never sure, and they are two of thirteen.
    assert found.expected.found.value > 0.7 * plain.expected.found.value


def test_a_rejected_face_weighs_as_one_face_and_many_as_one_character() -> None:
    whole, shipped = enrolled(12, 5), with_trials()
    plain = calibrate(whole, shipped, fpir=0.05)
    weights = fit.stranger_weights(plain.asked)
    for count in (1, 6, 500):
        near = whole.descriptors[np.arange(count) % 5] + np.float32(0.002)
        told = calibrate(
            whole, shipped, fpir=0.05, rejected=Rejections(near, np.zeros(count, np.int64))
        )
        rejected = fit.stranger_weights(told.asked)[len(weights) :]
        assert rejected.sum() == pytest.approx(min(count * weights[weights > 0].mean(), 1))
    assert told.calibration.sure(12) > plain.calibration.sure(12)


def test_a_rejected_face_counts_where_it_would_be_mistaken() -> None:
    whole, shipped = enrolled(12, 5), with_trials()
    plain = calibrate(whole, shipped, fpir=0.05)
    near = whole.descriptors[:3] + np.float32(0.002)
    rejected = Rejections(near, np.zeros(3, np.int64))
    told = calibrate(whole, shipped, fpir=0.05, rejected=rejected)
    assert len(told.asked.rejected) == 3
    assert told.calibration.sure(12) > plain.calibration.sure(12)
    elsewhere = Rejections(near, np.full(3, 7))
    same = calibrate(whole, shipped, fpir=0.05, rejected=elsewhere)
    assert same.calibration.tail == plain.calibration.tail


@pytest.mark.parametrize(
    ("whole", "shipped", "sentence"),
    [
        (enrolled(0, 5), strangers(), "Nobody is in the gallery yet"),
        (enrolled(1, 5), nobody(), "has one character"),
        (enrolled(8, 1), nobody(), "No character has two references"),
        (enrolled(8, 1), strangers(), "No character has two references"),
    ],
)
def test_what_teaches_nothing_is_refused_in_a_sentence(
    whole: References, shipped: Strangers, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        calibrate(whole, shipped, fpir=0.01)


def test_a_gallery_of_reject_classes_alone_is_refused() -> None:
    whole = dataclasses.replace(enrolled(2, 3), rejects=np.ones(2, np.bool_))
    with pytest.raises(InputError, match="reject classes alone"):
        calibrate(whole, strangers(), fpir=0.01)


def test_little_data_is_said_to_be_a_guess_and_intervals_are_wide() -> None:
    found = calibrate(enrolled(2, 2), nobody(), fpir=0.01)
    notes = " ".join(found.calibration.notes)
    assert "guess" in notes
    assert "No strangers ship" in notes
    assert found.expected.shipped_strangers.value is None
    assert found.expected.nearest.high - found.expected.nearest.low > 0.5


def test_one_character_is_calibrated_by_strangers_that_ship() -> None:
    found = calibrate(enrolled(1, 5), strangers(), fpir=0.05)
    assert found.expected.own_strangers.value is None
    assert found.expected.shipped_strangers.value is not None
    assert found.expected.shipped_strangers.value <= 0.15
    row = found.asked.known.evidence
    assert np.isnan(row[:, COLUMNS.index("gap")]).all()


def test_identical_pictures_are_pointed_out() -> None:
    found = calibrate(enrolled(12, 4, noise=0.0), strangers(), fpir=0.05)
    assert any("nearly identical" in note for note in found.calibration.notes)
    usual = calibrate(enrolled(25, 4), strangers(), fpir=0.05)
    assert usual.calibration.notes == ()


def test_of_many_faces_some_of_every_character_are_asked_about() -> None:
    whole = enrolled(900, 5)
    found = calibrate(whole, nobody(), fpir=0.05)
    assert found.sampled == MOST_FACES
    assert len(np.unique(found.asked.own_strangers.groups)) == 900


def test_a_curve_of_nothing_and_of_one_kind_is_flat() -> None:
    steep = Curve(2.0, 0.0).at(np.array([-10.0, 0.0, 10.0]))
    assert steep.tolist() == pytest.approx([0.0, 0.5, 1.0], abs=1e-8)
    assert Curve(0.0, -50.0).at(np.array([5.0]))[0] < 1e-20


def logistic_case(seed: int, size: int = 40) -> tuple[Numbers, NDArray[np.bool_], Numbers]:
    """Rows of three features in different units, what is hit, and how much each row counts."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(size, 3)) * [0.3, 1.0, 20.0] + [0.0, 5.0, -10.0]
    hits = values @ [3.0, 1.0, 0.1] + generator.normal(size=size) > 4
    return values, hits, generator.exponential(size=size)


def ridge_loss(model: Numbers, values: Numbers, hits: NDArray[np.bool_], weights: Numbers) -> float:
    """What a fit is to make least, written down once more and row by row."""
    losses = [
        len(weights) * weight / sum(weights) * math.log1p(math.exp(-logit if hit else logit))
        for logit, hit, weight in zip(values @ model[:-1] + model[-1], hits, weights, strict=True)
    ]
    return float(sum(losses) + sum(weight**2 for weight in model[:-1]) / 2)


@pytest.mark.parametrize("seed", range(5))
def test_a_logistic_fit_is_where_the_loss_is_least(seed: int) -> None:
    case = logistic_case(seed)
    found = fit._logistic(*case)
    for direction in np.eye(4):
        # Its derivative is 0 there, and it rises either way.
        before, after = (ridge_loss(found + step * direction, *case) for step in (-1e-6, 1e-6))
        assert (after - before) / 2e-6 == pytest.approx(0, abs=1e-6)
        for step in (-1e-2, 1e-2):
            assert ridge_loss(found + step * direction, *case) > ridge_loss(found, *case)


def test_a_logistic_fit_is_that_of_scikit_learn() -> None:
    values = np.array([[0, 1], [1, 0], [2, 1], [3, 3], [1, 2], [-2, 0.5]])
    hits = np.array([0, 1, 0, 1, 1, 0], np.bool_)
    weights = np.array([1, 2, 1, 3, 0.5, 1])
    # LogisticRegression(solver="newton-cholesky", tol=1e-14) of scikit-learn 1.9, the rows weighed
    # by weights * 6 / sum(weights).
    expected = [0.6577987186164684, 0.11108392106361362, -0.31595659691600797]
    assert fit._logistic(values, hits, weights) == pytest.approx(expected, rel=1e-9)
    assert fit._logistic(values, hits, 100 * weights) == pytest.approx(expected, rel=1e-9)


def test_a_feature_that_says_nothing_leaves_the_share_of_hits() -> None:
    hits, weights = np.array([1, 0, 1, 0], np.bool_), np.array([5.0, 1.0, 1.0, 1.0])
    found = fit._logistic(np.zeros((4, 1)), hits, weights)
    assert found == pytest.approx([0, math.log(6 / 2)])


def test_a_fit_of_what_one_feature_divides_is_finite_and_known() -> None:
    # Of n rows at -1 and 1, all told apart, the slope s is where s (1 + e^s) = n.
    values = np.array([[-1.0], [1.0]] * 50)
    slope, bias = fit._logistic(values, values[:, 0] > 0, np.ones(100))
    assert slope * (1 + math.exp(slope)) == pytest.approx(100)
    assert bias == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 1e3, 1e6])
def test_a_fit_of_tiny_and_huge_features_stays_finite(scale: float) -> None:
    values, hits, weights = logistic_case(7)
    weights[hits] *= 1e-9
    for told in (hits, values[:, 2] > -10):
        assert np.isfinite(fit._logistic(values * scale, told, weights)).all()


def test_rows_that_count_nothing_leave_a_fit_finite() -> None:
    values, hits, weights = logistic_case(8)
    assert np.isfinite(fit._logistic(values, hits, np.where(hits, 0, weights))).all()


def test_strangers_are_read_as_they_were_written(tmp_path: Path) -> None:
    shipped = dataclasses.replace(
        strangers(5),
        trials=np.ones((3, len(COLUMNS))),
        right=np.array([True, False, False]),
        known=np.array([True, True, False]),
    )
    path = strangers_file(tmp_path, "some-encoder")
    write_strangers(path, shipped)
    again = read_strangers(tmp_path, "some-encoder")
    assert (again.stored == shipped.stored).all()
    assert (again.characters == shipped.characters).all()
    assert (again.trials == shipped.trials).all()
    assert (again.right == shipped.right).all()
    assert (again.known == shipped.known).all()
    assert len(read_strangers(tmp_path, "another")) == 0


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_damaged_strangers_are_said_to_be(tmp_path: Path, content: bytes) -> None:
    strangers_file(tmp_path, "some-encoder").write_bytes(content)
    with pytest.raises(SetupError, match="install gallery again"):
        read_strangers(tmp_path, "some-encoder")


def test_strangers_ship_with_every_trained_network() -> None:
    files = sorted(bundled("models").glob("strangers-*.npz"))
    assert len(files) == 5
    for path in files:
        assert path.stat().st_size < 1_500_000
        shipped = read_strangers(path.parent, path.stem.removeprefix("strangers-"))
        assert len(shipped) > 500
        assert shipped.known.any()
        assert not shipped.right[~shipped.known].any()
