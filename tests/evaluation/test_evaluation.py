"""Figures on hand-made numbers, against the gallery's own matcher, and as a user meets them."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from command import Done, call, environment
from fakes import FakeEncoder, Square, fake_gallery, new_sample, write_picture
from hypothesis import given
from hypothesis import strategies as st
from labelled import identify_files
from rewritten import write_into

from gallery.engine.engine import Engine
from gallery.engine.joint import jointly
from gallery.errors import InputError, StoreError, UnnamedFolders
from gallery.evaluation import metrics, plain, trials
from gallery.evaluation.evaluate import Evaluation, evaluate, steps
from gallery.evaluation.evaluation_set import EvaluationSet, set_of_folder, set_of_gallery
from gallery.evaluation.identification import Protocol
from gallery.evaluation.metrics import Confusion
from gallery.evaluation.page import report_of
from gallery.evaluation.pairs import Pairs, PairTable, Side, all_pairs, pairs_between, pairs_of
from gallery.evaluation.run import evaluate as evaluate_folder
from gallery.evaluation.search import (
    DEPTH,
    Candidates,
    Probes,
    References,
    ranks,
    references_of,
    search,
    search_in_steps,
    without,
)
from gallery.evaluation.series import folder_above, known_series, series_in_name, series_of_stranger
from gallery.evaluation.trials import OpenSet, few_references, half_enrolled, halves, transferred
from gallery.evaluation.verdicts import Judge, Question, joint_scoring_of, judge_of, question
from gallery.events import Finished, Noticed, Refused, result_of, steps_of, value_of
from gallery.faces.networks.library import locate
from gallery.identify.index_cache import IndexCache
from gallery.identify.judging import decide
from gallery.identify.matching import Matcher
from gallery.jobs import review
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.relabel_pictures import relabel_pictures
from gallery.media.images import encode_jpeg, encode_png, read_image
from gallery.numerics.distances import distances
from gallery.numerics.intervals import share_interval, weightings
from gallery.numerics.neighbours import NOBODY
from gallery.reports.line_chart import Plot
from gallery.reports.page import Pictures
from gallery.settings import DEFAULT_ENCODER, default_models_folder
from gallery.store.rejections import NewRejection
from gallery.types import (
    DIMENSION,
    Box,
    Candidate,
    DescribedFace,
    Face,
    Match,
    MatchMode,
    Quality,
    Thresholds,
    Verdict,
)

# Two characters on a line: 0 at 0, 1 and 5, 1 at 6 and 7.
LINE = np.array([[0.0], [1.0], [5.0], [6.0], [7.0]])
OWNERS = np.array([0, 0, 0, 1, 1])
IDEAL = (MatchMode.IDEAL,)


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two random galleries instead of ten say as much about the code."""
    monkeypatch.setattr("gallery.evaluation.identification.DRAWS", 2)


def clouds(
    characters: int, faces: int, apart: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors of characters that lie `apart` times their own width from each other."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(characters), faces)
    centres = generator.normal(size=(characters, DIMENSION)) * apart
    noise = generator.normal(size=(characters * faces, DIMENSION))
    return ((centres[labels] + noise) / 20).astype(np.float32), labels


def themselves(descriptors: np.ndarray, labels: np.ndarray) -> tuple[References, Probes]:
    """References that are asked about themselves."""
    references, _ = references_of(descriptors, labels)
    own = np.arange(len(labels))
    return references, Probes(references.descriptors, references.labels, own)


class TestPairs:
    """Two faces."""

    def test_the_originals_pairs_count_every_face_with_itself_and_both_orders(self) -> None:
        table = metrics.original_pairs(LINE, OWNERS, 1.0)

        assert table == Confusion(
            true_accepts=5 + 2 + 2, false_accepts=2, true_rejects=10, false_rejects=4
        )
        assert table.original_accuracy == pytest.approx(19 / 21)
        assert table.accuracy == pytest.approx(19 / 25)

    def test_the_right_pairs_count_each_pair_once(self) -> None:
        table = metrics.right_pairs(LINE, OWNERS, 1.0)

        assert table == Confusion(true_accepts=2, false_accepts=1, true_rejects=5, false_rejects=2)
        assert table.pairs == 10
        assert table.precision == pytest.approx(2 / 3)
        assert table.recall == pytest.approx(2 / 4)
        assert table.specificity == pytest.approx(5 / 6)
        assert table.f1 == pytest.approx(4 / 7)

    def test_pairs_are_counted_alike_in_blocks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        described, labels = clouds(5, 7, 1.0)
        mixed = np.random.default_rng(1).permutation(len(labels))
        whole = metrics.right_pairs(described[mixed], labels[mixed], 1.1)
        monkeypatch.setattr(metrics, "BLOCK", 4)

        assert metrics.right_pairs(described[mixed], labels[mixed], 1.1) == whole
        assert 0 < whole.true_accepts < whole.pairs

    def test_the_table_agrees_with_counting_pairs(self) -> None:
        generator = np.random.default_rng(0)
        labels = np.repeat(np.arange(8), 6)
        described = generator.normal(size=(48, 5)) + 1.5 * generator.normal(size=(8, 5))[labels]
        table = PairTable(all_pairs(Side(described, labels)), np.arange(8) % 2, bins=20_000)
        curves = table.curves(np.ones((1, 8)))

        (f1,), (threshold,) = curves.best_f1()
        counted = metrics.right_pairs(described, labels, threshold)
        assert f1 == pytest.approx(counted.f1, abs=1e-6)
        (rate,), (cut,) = curves.equal_error()
        counted = metrics.right_pairs(described, labels, cut)
        assert 1 - counted.recall == pytest.approx(rate, abs=0.01)
        assert 1 - counted.specificity == pytest.approx(rate, abs=0.01)
        (tar,), (cut,) = curves.tar_at(0.05)
        counted = metrics.right_pairs(described, labels, cut)
        assert counted.recall == pytest.approx(tar)
        assert 1 - counted.specificity <= 0.05
        assert table.pairs() == (8 * 15, 28 * 36)

    def test_pairs_of_one_series_and_of_others_make_up_all(self) -> None:
        generator = np.random.default_rng(1)
        labels = np.repeat(np.arange(6), 4)
        faces = Side(generator.normal(size=(24, 3)), labels)
        table = PairTable(all_pairs(faces), np.arange(6) // 3)
        even = np.ones((2, 6))

        # 2 x 3 of 15 pairs of characters are within a series.
        inside, outside, both = (
            table.curves(even, among).far for among in ("one series", "other series", "all")
        )
        assert both == pytest.approx(inside * 6 / 15 + outside * 9 / 15)
        assert table.pairs("one series")[1] == 6 * 16

    def test_a_character_drawn_twice_counts_as_if_it_stood_there_twice(self) -> None:
        faces = Side(np.array([[0.0], [1.0], [1.5], [4.0]]), np.array([0, 0, 1, 1]))
        table = PairTable(all_pairs(faces), np.zeros(2, dtype=np.int64), bins=4000)

        curves = table.curves(np.array([[1.0, 1.0], [2.0, 1.0], [2.0, 0.0]]))

        at = int(np.searchsorted(table.thresholds, 1.2))
        assert curves.tar[1, at] == pytest.approx(2 / 3)
        assert curves.far[1, at] == pytest.approx(1 / 4)
        # With one character alone there are no pairs of two, and no share of them.
        assert np.isnan(curves.far[2]).all()
        assert np.isnan(curves.tar_at(0.1)[0][2])
        assert np.isnan(curves.equal_error()[0][2])

    def test_drawn_pairs_stand_for_all(self) -> None:
        described, labels = clouds(30, 8, 0.7)
        faces = Side(described, labels)
        groups = np.zeros(30, dtype=np.int64)
        drawn = pairs_of(faces, 10_000, np.random.default_rng(0))
        whole = all_pairs(faces)
        even = np.ones((1, 30))

        assert len(drawn.distances) < len(whole.distances)
        assert (drawn.total_same, drawn.total_different) == (30 * 28, 240 * 239 // 2 - 30 * 28)
        one, all_of_them = (PairTable(some, groups).curves(even) for some in (drawn, whole))
        # All pairs of one character are there; of two a third.
        assert one.equal_error()[0][0] == pytest.approx(all_of_them.equal_error()[0][0], abs=0.02)
        assert one.best_f1()[0][0] == pytest.approx(all_of_them.best_f1()[0][0], abs=0.05)

    def test_drawn_pairs_are_of_two_different_faces_and_none_is_there_twice(self) -> None:
        described, labels = clouds(3, 30, 0.5)
        drawn = pairs_of(Side(described, labels), 200, np.random.default_rng(0))

        # Distances of random points tell pairs apart.
        assert len(np.unique(drawn.distances)) == len(drawn.distances)
        assert drawn.distances.min() > 0

    @pytest.mark.parametrize("limit", [10_000, 60])
    def test_a_probe_is_not_compared_with_itself(self, limit: int) -> None:
        described, labels = clouds(4, 5, 1.0)
        faces = Side(described, labels)
        own = np.arange(20)

        found = pairs_between(faces, faces, own, limit, np.random.default_rng(0))

        assert found.distances.min() > 0
        assert found.total_same == 4 * 5 * 4
        assert found.total_different == 20 * 15

    def test_faces_in_one_place_have_figures(self) -> None:
        table = PairTable(
            Pairs(np.zeros(4), np.array([0, 1, 0, 0]), np.array([0, 1, 1, 1]), 2, 2),
            np.zeros(2, dtype=np.int64),
        )
        curves = table.curves(np.ones((1, 2)))

        assert curves.equal_error()[0][0] == pytest.approx(0.5)
        assert curves.tar_at(0.01)[0][0] == 0.0


class TestSearch:
    """A face among characters."""

    def test_a_face_probes_its_class_without_itself_only_where_that_is_asked(self) -> None:
        # The class's mean is 2, its best 1; 5 is nearer to the other class's best 6 than to that.
        leaky = ranks(LINE, OWNERS, MatchMode.BEST, leave_out=False)
        assert leaky.tolist() == [0, 0, 1, 0, 0]
        # 5 without itself: the mean of {0, 1}, both as near, the first is best.
        assert ranks(LINE, OWNERS, MatchMode.BEST).tolist()[2] == 1
        # 0 against {1, 5} (3 away) and {6, 7} (6.5); 5 against {0, 1} (4.5) and {6, 7} (1.5);
        # 6 against {7} (1) and the ideal 2 (4).
        assert ranks(LINE, OWNERS, MatchMode.IDEAL).tolist() == [0, 0, 1, 0, 0]

    def test_a_face_alone_in_its_class_has_no_rank(self) -> None:
        assert ranks(LINE[:4], OWNERS[:4], MatchMode.IDEAL)[3] == -1

    def test_what_cannot_be_told_apart_is_no_hit(self) -> None:
        labels = np.repeat(np.arange(3), 4)
        for mode in MatchMode:
            assert (ranks(np.ones((12, 8)), labels, mode) > 0).all()

    @pytest.mark.parametrize("seed", range(2))
    def test_it_says_what_the_gallery_says_without_the_face(
        self, seed: int, gallery: Engine
    ) -> None:
        """Each face is taken out of a real database, which is asked about it then."""
        described, labels = clouds(5, 5, 0.2, seed)
        poor = np.random.default_rng(seed).random(len(labels)) < 0.3
        names = [f"Number {label}" for label in range(5)]
        references, order = references_of(described, labels, poor)
        probes = Probes(references.descriptors, references.labels, np.arange(len(labels)))
        said = search(references, probes, tuple(MatchMode))

        def add(row: int) -> None:
            sample = new_sample(names[labels[row]], row, {"fake": described[row]})
            with gallery.store.writing() as writer:
                writer.add(dataclasses.replace(sample, is_poor=bool(poor[row])))

        for row in range(len(labels)):
            add(row)
        for place in range(0, len(labels), 2):
            row = int(order[place])
            label = gallery.store.labels()[new_sample("", row).digest]
            gallery.forget_samples([label.sample_id])
            for mode in MatchMode:
                if (
                    mode is MatchMode.BEST
                    and len(references.counted(int(labels[row]), without=place)) == 2
                ):
                    # Two are as near to their mean; which one is best hangs on their order.
                    continue
                (matches,) = _matcher(gallery).match(described[row][None], mode, 5)
                self.compare(matches, said[mode], place, names[labels[row]], names)
            add(row)
        # And as a stranger, with all of its character taken out.
        gallery.forget(names[0])
        for place in range(5):
            for mode in MatchMode:
                (matches,) = _matcher(gallery).match(references.descriptors[place][None], mode, 5)
                count = len(matches)
                assert [names[label] for label in said[mode].others[place, :count]] == [
                    match.character for match in matches
                ], mode
                assert said[mode].others[place, count] == NOBODY

    @staticmethod
    def compare(
        matches: Sequence[Match], said: Candidates, place: int, own: str, names: Sequence[str]
    ) -> None:
        found = {match.character: match.distance for match in matches}
        assert [match.character for match in matches].index(own) == said.rank[place]
        assert found[own] == pytest.approx(said.own[place], abs=1e-5)
        if said.others[place, 0] != NOBODY and len(said.others[place]) >= len(matches) - 1:
            near = dict(zip(said.others[place], said.distances[place], strict=True))
            for label, distance in near.items():
                if label != NOBODY:
                    assert found[names[label]] == pytest.approx(distance, abs=1e-5)

    def test_more_characters_than_are_kept(self) -> None:
        described, labels = clouds(DEPTH + 8, 3, 0.1)
        references, probes = themselves(described, labels)
        said = search(references, probes, tuple(MatchMode))
        apart = distances(described.astype(float), described.astype(float))
        np.fill_diagonal(apart, np.inf)
        nearest = np.array([apart[:, labels == one].min(axis=1) for one in range(DEPTH + 8)]).T
        own = nearest[np.arange(len(labels)), labels]
        expected = np.minimum((nearest < own[:, None]).sum(axis=1), DEPTH)

        assert said[MatchMode.NEAREST].rank.tolist() == expected.tolist()
        for one in said.values():
            assert (np.diff(one.distances, axis=1)[:, :1] >= 0).all() or one is said[MatchMode.VOTE]
            assert (one.others != labels[:, None]).all()

    def test_a_search_in_blocks_is_one_search(self) -> None:
        described, labels = clouds(20, 15, 0.2)
        references, probes = themselves(described, labels)
        said = search(references, probes, IDEAL)[MatchMode.IDEAL]
        half = search(references, probes.chosen(np.arange(200, 300)), IDEAL)[MatchMode.IDEAL]

        assert len(list(search_in_steps(references, probes, IDEAL))) == 2
        assert half.rank.tolist() == said.rank[200:].tolist()
        assert half.own == pytest.approx(said.own[200:])


class TestTrials:
    """Closed sets, open sets, and thresholds carried over."""

    def test_far_apart_characters_all_hit_and_those_of_one_place_do_not(self) -> None:
        labels = np.repeat(np.arange(6), 8)
        even = np.ones((1, 6))
        for described, low, high in (
            (np.eye(6)[labels] * 10.0, 1.0, 1.0),
            (np.random.default_rng(2).normal(size=(48, 4)), 0.0, 0.4),
        ):
            asked = themselves(described, labels)
            trial = value_of(few_references(*asked, 3, IDEAL, np.random.default_rng(0), draws=2))
            assert trial is not None
            assert trial.members == 6
            assert low <= trial.hits(MatchMode.IDEAL, 1).rate(even)[0] <= high
            found = half_enrolled(*asked, 5, np.random.default_rng(0), 4)
            assert low <= trials.mean_tpir(found, 0.01, even)[0] <= high

    def test_references_are_no_probes_and_who_has_none_to_spare_is_left_out(self) -> None:
        described, labels = clouds(4, 5, 3.0)
        kept = np.ones(20, dtype=np.bool_)
        kept[:2] = False
        references, probes = themselves(described[kept], labels[kept])
        trial = value_of(
            few_references(references, probes, 3, IDEAL, np.random.default_rng(0), draws=3)
        )

        assert trial is not None
        assert trial.members == 3
        assert len(trial.labels) == 3 * 3 * 2
        # Faces of a folder are asked about whoever is enrolled with enough.
        outside = Probes(probes.descriptors, probes.labels, np.full(18, NOBODY))
        trial = value_of(
            few_references(references, outside, 3, IDEAL, np.random.default_rng(0), draws=1)
        )
        assert trial is not None
        assert trial.members == 4
        assert len(trial.labels) == 18
        for count in (5, 10):
            assert (
                value_of(
                    few_references(
                        references, probes, count, IDEAL, np.random.default_rng(0), draws=1
                    )
                )
                is None
            )

    def test_probes_of_a_draw_are_bounded(self) -> None:
        references, probes = themselves(*clouds(10, 10, 1.0))
        trial = value_of(
            few_references(
                references, probes, 1, IDEAL, np.random.default_rng(0), draws=2, most_probes=7
            )
        )
        assert trial is not None
        assert len(trial.labels) == 14

    def test_a_threshold_keeps_its_rate_and_the_next_would_not(self) -> None:
        generator = np.random.default_rng(0)
        one = OpenSet(
            generator.random(50), np.arange(50) % 5, generator.random(200), np.arange(200) % 5
        )
        even = np.ones((1, 5))
        for rate in (0.005, 0.01, 0.1, 0.5, 1.0):
            cuts = one.cuts(rate, even)
            assert one.fpir(cuts, even)[0] == pytest.approx(rate)
            beyond = one.stranger_scores[one.stranger_scores > cuts[0]].min(initial=np.inf)
            if rate < 1:
                assert one.fpir(np.array([beyond]), even)[0] > rate
        assert one.tpir(np.array([0.25]), even)[0] == (one.scores <= 0.25).mean()

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0, 1))
    def test_no_threshold_lets_more_strangers_in(self, scores: list[float], rate: float) -> None:
        whose = np.arange(len(scores)) % 3
        one = OpenSet(np.array(scores), whose, np.array(scores), whose)
        weights = weightings(3, 10, 0)
        shares = one.fpir(one.cuts(rate, weights), weights)
        assert (shares[np.isfinite(shares)] <= rate + 1e-9).all()

    def test_strangers_that_a_reject_class_is_nearest_to_are_not_named(self) -> None:
        described = np.array([[0.0], [0.1], [5.0], [5.1], [9.0]])
        references, _ = references_of(described[:4], np.array([0, 0, 1, 1]))
        probes = Probes(described, np.array([0, 0, 1, 1, 2]), np.array([0, 1, 2, 3, NOBODY]))
        said = search(references, probes, IDEAL)[MatchMode.IDEAL]
        rejects = np.array([False, True, False])

        one = trials.open_set_of(said, probes.labels, np.array([4]), rejects)

        assert one.labels.tolist() == [0, 0, 1, 1]
        assert one.stranger_scores.tolist() == [np.inf]
        assert one.fpir(np.array([1e9]), np.ones((1, 3)))[0] == 0.0

    def test_halves_share_nobody_and_carry_the_rate_over(self) -> None:
        described, labels = clouds(60, 8, 0.35)
        references, probes = themselves(described, labels)
        found = value_of(
            halves(
                references,
                probes,
                np.arange(len(labels)),
                np.zeros(60, dtype=np.bool_),
                np.random.default_rng(0),
                draws=4,
                most_probes=1000,
            )
        )

        assert len(found) == 8
        for one in found:
            sides = [set(side.labels.tolist()) for side in (one.chosen_on, one.judged_on)]
            assert sides[0] | sides[1] == set(range(60))
            assert not sides[0] & sides[1]
        tpir, fpir = transferred(found, 0.1, weightings(60, 20, 0))
        assert fpir[0] == pytest.approx(0.1, abs=0.04)
        assert 0.1 < tpir[0] < 1.0
        low, high = share_interval(fpir, 60)
        assert low < 0.1 < high


def fill(
    gallery: Engine, vectors: np.ndarray, labels: Sequence[str], encoder: str, *, first: int = 0
) -> None:
    """Enroll descriptors under names, each with a crop of its own colour."""
    with gallery.store.writing() as writer:
        for row, (vector, name) in enumerate(zip(vectors, labels, strict=True), first):
            crop = np.full((150, 150, 3), row % 250, dtype=np.uint8)
            writer.add(
                dataclasses.replace(
                    new_sample(name, row, {encoder: vector.astype(np.float32)}),
                    crop_png=encode_png(crop),
                )
            )


def named(labels: np.ndarray) -> list[str]:
    return [f"Number {label:03d}" for label in labels]


def judge(thresholds: Thresholds) -> Judge:
    return Judge(lambda question: decide(question.matches, thresholds))


def saying(verdict: Verdict) -> Judge:
    """One that says the same of everybody."""
    return Judge(lambda _: (verdict, None))


def evaluated(gallery: Engine, evaluation_set: EvaluationSet | None = None) -> Evaluation:
    """An evaluation with few bootstrap samples."""
    evaluation_set = evaluation_set or set_of_gallery(gallery)
    return value_of(evaluate(evaluation_set, judge(gallery.thresholds), samples=20))


def values(evaluation: Evaluation) -> dict[str, float | None]:
    return {figure.name: figure.value for figure in evaluation.figures}


def reason(evaluation: Evaluation, name: str) -> str:
    (figure,) = (one for one in evaluation.figures if one.name == name)
    assert figure.value is None
    return figure.reason


class TestGallery:
    """A gallery judged by its own faces."""

    def test_far_apart_characters_leave_nothing_to_complain_of(self, gallery: Engine) -> None:
        described, labels = clouds(12, 12, 2.0)
        fill(gallery, described / 10, named(labels), "fake")
        evaluation = evaluated(gallery)
        found = values(evaluation)

        assert found["verification.eer"] == pytest.approx(0.0, abs=0.001)
        assert found["verification.tar.far_0.001"] == pytest.approx(1.0, abs=0.01)
        assert all(found[f"closed.rank_1.{mode}.all"] == 1.0 for mode in MatchMode)
        assert found["closed.rank_1.ideal.references_10"] == 1.0
        assert found["open.tpir.ideal.fpir_0.01"] == 1.0
        assert found["original.best.left_out"] == 1.0
        assert evaluation.confused == ()
        assert evaluation.mistakes == ()
        # Twelve characters without a mistake do not show that there is none.
        (rank,) = (one for one in evaluation.figures if one.name == "closed.rank_1.ideal.all")
        assert rank.low == pytest.approx(0.025 ** (1 / 12))
        assert rank.count == 144

    def test_two_that_look_like_one_are_found(self, gallery: Engine) -> None:
        described, labels = clouds(10, 6, 2.0)
        described[labels == 7] = described[labels == 3] + 0.001
        fill(gallery, described, named(labels), "fake")
        evaluation = evaluated(gallery)
        evaluation_set = evaluation.evaluation_set

        (pair,) = evaluation.confused
        assert {evaluation_set.names[pair.one], evaluation_set.names[pair.other]} == {
            "Number 003",
            "Number 007",
        }
        assert pair.faces == 12
        assert pair.count == len(evaluation.mistakes) > 0
        for one in evaluation.mistakes:
            actual = evaluation_set.names[evaluation_set.probes.labels[one.probe]]
            assert {actual, evaluation_set.names[one.taken_for]} == {"Number 003", "Number 007"}
            assert one.own_distance is not None
            assert one.distance <= one.own_distance

    def test_verdicts_are_those_of_the_gallery(self, gallery: Engine) -> None:
        described, labels = clouds(8, 5, 0.5)
        fill(gallery, described, named(labels), "fake")
        evaluation_set = set_of_gallery(gallery)
        for verdict in Verdict:
            found = values(value_of(evaluate(evaluation_set, saying(verdict), samples=5)))
            for who in ("known", "strangers"):
                assert found[f"verdict.{who}.{verdict.value}"] == 1.0
        asked: list[Question] = []

        def listening(question: Question) -> tuple[Verdict, str | None]:
            asked.append(question)
            return decide(question.matches, Thresholds(1e9, 1e9, 0.0))

        found = values(value_of(evaluate(evaluation_set, Judge(listening), samples=5)))
        # As if everybody were near enough, whom it names is the closed set's first rank.
        assert found["verdict.known.sure"] == 1.0
        assert found["verdict.sure.right"] == found["closed.rank_1.ideal.all"]
        known, stranger = asked[0], asked[40]
        own = np.flatnonzero(labels == 0)[1:]
        assert known.matches[0].distance == pytest.approx(
            np.linalg.norm(known.references.mean(axis=0) - known.descriptor)
        )
        assert {tuple(one) for one in known.references} <= {tuple(one) for one in described}
        if known.matches[0].character == "Number 000":
            assert len(known.references) == len(own)
        assert "Number 000" not in {match.character for match in stranger.matches}

    def test_a_calibrated_gallery_is_judged_as_it_answers_new_faces(self, gallery: Engine) -> None:
        """What is said of a face that is left out is what is said of it when it is not there."""
        described, labels = clouds(12, 6, 0.35)
        fill(gallery, described[1:], named(labels[1:]), "fake")
        gallery.calibrate(0.05)
        missing = DescribedFace(
            Face(Box(0, 0, 9, 9), 1.0),
            np.zeros((150, 150, 3), np.uint8),
            described[0],
            Quality(50.0, 0.8, 0.0, 1.0, 0.0),
        )
        (answer,) = gallery.answers([missing])
        assert answer.probability is not None
        calibration = gallery.judging.calibration()
        fill(gallery, described[:1], [named(labels)[0]], "fake", first=100)
        evaluation_set = set_of_gallery(gallery)
        place = int(
            np.flatnonzero((evaluation_set.probes.descriptors == described[0]).all(axis=1))[0]
        )
        found = search(
            evaluation_set.references,
            evaluation_set.probes.chosen(np.array([place])),
            tuple(MatchMode),
        )
        asked = question(Protocol(evaluation_set, np.array([place]), found), 0, 0)
        said = gallery.judging.judge(
            asked.descriptor,
            missing.quality,
            list(asked.matches),
            mode=MatchMode.IDEAL,
            calibration=calibration,
            characters=asked.characters,
            references=asked.references,
        )
        assert (said.verdict, said.character) == (answer.verdict, answer.character)
        assert said.probability == pytest.approx(answer.probability, abs=1e-4)
        judge = judge_of(gallery)
        assert judge.is_calibrated
        chapter = value_of(evaluate(evaluation_set, judge, samples=5)).chapters[0]
        assert "learnt from these same faces" in chapter.text

    def test_reject_classes_turn_away_and_are_nobody_to_be_right_about(
        self, gallery: Engine
    ) -> None:
        described, labels = clouds(9, 6, 2.0)
        names = ["Noise" if label == 4 else f"Number {label:03d}" for label in labels]
        fill(gallery, described, names, "fake")
        evaluation = evaluated(gallery)
        found = values(evaluation)

        assert evaluation.evaluation_set.enrolled == 8
        assert evaluation.asked == 48
        assert found["verdict.rejects.unknown"] == 1.0
        figures = {one.name: one for one in evaluation.figures}
        assert figures["verification.eer"].count == 48 * 47 // 2
        assert figures["closed.rank_1.ideal.references_3"].count == 8 * 3

    def test_the_same_seed_gives_the_same_and_another_draws_anew(self, gallery: Engine) -> None:
        described, labels = clouds(15, 6, 0.4)
        fill(gallery, described, named(labels), "fake")
        evaluation_set = set_of_gallery(gallery)
        one, same, other = (
            plain.as_json(
                value_of(
                    evaluate(evaluation_set, judge(gallery.thresholds), seed=seed, samples=20)
                ),
                "x",
            )
            for seed in (1, 1, 2)
        )
        assert one == same
        assert one["figures"] != other["figures"]

    def test_progress_comes_to_its_end(self, gallery: Engine) -> None:
        for characters, faces in ((12, 4), (2, 1)):
            described, labels = clouds(characters, faces, 1.0, seed=faces)
            fill(gallery, described, [f"{faces} {name}" for name in named(labels)], "fake")
            evaluation_set = set_of_gallery(gallery)
            told = evaluate(evaluation_set, judge(gallery.thresholds), samples=5)
            assert sum(one.count for one in told) == steps(evaluation_set)

    def test_what_is_drawn_is_said(self, gallery: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        described, labels = clouds(12, 5, 0.6)
        fill(gallery, described, named(labels), "fake")
        whole = values(evaluated(gallery))
        monkeypatch.setattr("gallery.evaluation.evaluate.MOST_ASKED", 40)
        monkeypatch.setattr("gallery.evaluation.verification.MOST_PAIRS", 500)
        monkeypatch.setattr("gallery.evaluation.verification.MOST_PAIRED", 30)
        drawn = evaluated(gallery)

        assert "40 of 60 faces were drawn to be asked about." in drawn.notes
        texts = " ".join(chapter.text for chapter in drawn.chapters)
        assert "drawn from 120 and 1,650" in texts
        assert "Pairs are of 30 faces drawn at random" in texts
        found = values(drawn)
        assert found["closed.rank_1.ideal.all"] == pytest.approx(
            whole["closed.rank_1.ideal.all"], abs=0.15
        )
        assert found["verification.eer"] == pytest.approx(whole["verification.eer"], abs=0.05)

    def test_a_report_shows_the_faces_of_the_worst_mistakes(self, gallery: Engine) -> None:
        described, labels = clouds(10, 6, 2.0)
        described[labels == 7] = described[labels == 3] + 0.001
        fill(gallery, described, named(labels), "fake")
        evaluation = evaluated(gallery)
        report = report_of(evaluation, gallery)

        last = report.sections[-1]
        (pictures,) = last.blocks
        assert isinstance(pictures, Pictures)
        assert len(pictures.rows) == len(evaluation.mistakes)
        assert all(len(row.pictures) == 3 for row in pictures.rows)
        row, mistake = pictures.rows[0], evaluation.mistakes[0]
        sample = evaluation.evaluation_set.origins[mistake.probe].sample_id
        assert sample is not None
        assert np.array_equal(row.pictures[0].crop, gallery.crops([sample])[sample])
        plots = [
            block for one in report.sections for block in one.blocks if isinstance(block, Plot)
        ]
        assert len(plots) == 4


class TestLittle:
    """Galleries that figures cannot be taken of."""

    def test_nobody(self, gallery: Engine) -> None:
        with pytest.raises(InputError, match="Nobody is in the gallery yet"):
            set_of_gallery(gallery)

    def test_one_character(self, gallery: Engine) -> None:
        described, labels = clouds(1, 6, 1.0)
        fill(gallery, described, named(labels), "fake")
        evaluation = evaluated(gallery)

        for name in (
            "verification.eer",
            "closed.rank_1.ideal.all",
            "open.tpir.ideal.fpir_0.1",
            "verdict.strangers.sure",
            "original.best.left_out",
        ):
            assert reason(evaluation, name) == "there are no two characters to tell apart"
        assert values(evaluation)["verdict.known.sure"] is not None
        assert "fewer than 10 characters" in evaluation.notes[-1]

    def test_one_sample_each(self, gallery: Engine) -> None:
        described, labels = clouds(30, 1, 1.0)
        fill(gallery, described, named(labels), "fake")
        evaluation = evaluated(gallery)

        for name in (
            "verification.eer",
            "closed.rank_1.vote.all",
            "open.tpir.best.fpir_0.1",
            "verdict.known.sure",
            "original.best.left_out",
        ):
            assert reason(evaluation, name) == "no character has two faces to compare"
        # Strangers can be asked about all the same.
        assert values(evaluation)["verdict.strangers.unknown"] is not None

    def test_pictures_that_are_all_the_same(self, gallery: Engine) -> None:
        labels = np.repeat(np.arange(12), 4)
        fill(gallery, np.full((48, DIMENSION), 0.05), named(labels), "fake")
        evaluation = evaluated(gallery)
        found = values(evaluation)

        assert found["closed.rank_1.nearest.all"] == 0.0
        assert found["verification.eer"] == pytest.approx(0.5)
        assert found["open.tpir.ideal.fpir_0.1"] == 0.0
        assert report_of(evaluation, gallery).sections

    def test_too_few_strangers_for_a_rate(self, gallery: Engine) -> None:
        described, labels = clouds(6, 5, 1.0)
        fill(gallery, described, named(labels), "fake")
        evaluation = evaluated(gallery)

        assert "needs 100 strangers' faces" in reason(evaluation, "open.tpir.ideal.fpir_0.01")
        assert values(evaluation)["open.tpir.ideal.fpir_0.05"] is not None
        assert "pairs of two characters" in reason(evaluation, "verification.tar.far_0.001")
        assert "more than 5 faces" in reason(evaluation, "closed.rank_1.ideal.references_5")
        assert "all are among the first 5" not in evaluation.chapters[4].reasons

    def test_samples_of_another_encoder_are_refused(self, gallery: Engine) -> None:
        described, labels = clouds(3, 2, 1.0)
        fill(gallery, described, named(labels), "fake")
        fill_more = dataclasses.replace(new_sample("Rin", 99), descriptors={"other": described[0]})
        with gallery.store.writing() as writer:
            writer.add(fill_more)

        with pytest.raises(StoreError, match="1 of 7 samples are not encoded by fake"):
            set_of_gallery(gallery)

    def test_five_characters_have_every_face_among_the_first_five(self, gallery: Engine) -> None:
        described, labels = clouds(5, 3, 1.0)
        fill(gallery, described, named(labels), "fake")

        assert "all are among the first 5" in reason(evaluated(gallery), "closed.rank_5.ideal.all")


def album(folder: Path, faces: dict[str, tuple[int, int, int]], seeds: range) -> Path:
    """Pictures of squares in a colour for each character."""
    for name, colour in faces.items():
        for seed in seeds:
            square = Square(20 + seed % 7, 8 + seed % 3, 100, colour)
            write_picture(folder / name / f"{seed}.png", square, seed=seed)
    return folder


COLOURS = {
    "Rin": (220, 20, 20),
    "Mio": (20, 20, 220),
    "Aoi": (20, 220, 20),
    "Noise": (220, 220, 20),
}


class TestSeries:
    """Strangers of an enrolled series."""

    @pytest.mark.parametrize(
        ("name", "series"),
        [
            ("Asuka (Evangelion)", "evangelion"),
            ("asuka_(neon_genesis)", "neon genesis"),
            ("凛\uff08東方\uff09", "東方"),
            ("evangelion:asuka", "evangelion"),
            ("Asuka", None),
            ("(what)", None),
            ("Rin: Daughters", None),
        ],
    )
    def test_names_say_a_series(self, name: str, series: str | None) -> None:
        assert series_in_name(name) == series

    def test_folders_say_it_where_there_are_several(self) -> None:
        path = Path("/pictures/K-On/Mio/1.png")
        assert folder_above(path, "Mio") == "K-On"
        assert folder_above(path, "Rin") is None
        one, other = ["K-On", "K-On", None], ["Lain", "K-On", "Lain"]
        assert known_series(["Mio", "Lain"], [one, other]) == ("k-on", "lain")
        assert known_series(["Mio", "Yui"], [one, one]) == (None, None)
        assert known_series(["Mio (A)", "Yui", "Rin"], [one, other, [None]]) == ("a", "lain", None)
        assert series_of_stranger("Ritsu", "K-on", {"k-on", None}) == "k-on"
        assert series_of_stranger("Ritsu", "asked", {"k-on", None}) is None

    def test_portraits_and_other_faces_have_rows_of_their_own(self, gallery: Engine) -> None:
        described, labels = clouds(12, 6, 2.0)
        names = [f"Number {label:03d}" for label in labels]
        fill(gallery, described, names, "fake")
        judge = Judge(lambda question: decide(question.matches, Thresholds(0.9, 1.2, 0.0)))
        of_gallery = set_of_gallery(gallery)
        assert "poses.portraits.sure" not in {
            one.name for one in value_of(evaluate(of_gallery, judge, samples=20)).figures
        }
        # Every sixth face leans, and looks like nobody: it stands on the other side.
        leaning = np.arange(len(labels)) % 6 == 5
        probes = dataclasses.replace(
            of_gallery.probes,
            descriptors=of_gallery.probes.descriptors * np.where(leaning, -1, 1)[:, None],
        )
        mixed = dataclasses.replace(of_gallery, portraits=~leaning, probes=probes)
        evaluation = value_of(evaluate(mixed, judge, samples=20))
        figures = {one.name: one for one in evaluation.figures}
        of_both = [figures[f"poses.{key}.rank_1"] for key in ("portraits", "others")]
        assert [one.count for one in of_both] == [60, 12]
        assert of_both[0].value is not None
        assert of_both[0].value > 0.9
        assert of_both[1].value == 0.0
        assert figures["poses.others.sure.right"].value is None
        strangers = [figures[f"poses.{key}.strangers.sure"] for key in ("portraits", "others")]
        assert [one.count for one in strangers] == [60, 12]

    def test_strangers_of_an_enrolled_series_have_rows_of_their_own(self, gallery: Engine) -> None:
        described, labels = clouds(12, 6, 2.0)
        # Numbers 0 to 5 are of one series and look alike, 6 to 10 are of one each.
        described[labels < 6] *= 0.5
        series = ["Hard"] * 6 + [f"Other {number}" for number in range(5)] + [""]
        names = [
            f"Number {label:03d} ({series[label]})" if series[label] else f"Number {label:03d}"
            for label in labels
        ]
        fill(gallery, described, names, "fake")
        wide = Judge(lambda question: decide(question.matches, Thresholds(0.9, 1.2, 0.0)))
        evaluation = value_of(evaluate(set_of_gallery(gallery), wide, samples=20))
        figures = {one.name: one for one in evaluation.figures}
        assert figures["series.strangers.same.sure"].count == 36
        assert figures["series.strangers.other.sure"].count == 30
        assert figures["series.strangers.unknown.sure"].count == 6
        assert figures["series.strangers.same.sure"].value == 1.0
        assert figures["series.strangers.other.sure"].value == 0.0
        whole = figures["verdict.strangers.sure"].value
        assert whole == pytest.approx(36 / 72)

    def test_without_a_series_there_is_no_table(self, gallery: Engine) -> None:
        described, labels = clouds(5, 3, 2.0)
        fill(gallery, described, named(labels), "fake")
        assert "series" not in {one.key for one in evaluated(gallery).chapters}


class TestRejections:
    """Names that a person rejected for a face."""

    def test_a_rejected_name_is_excluded_as_identify_does(self, gallery: Engine) -> None:
        described, labels = clouds(6, 5, 2.0)
        # One face of 0 lies among those of 3.
        described[0] = described[labels == 3].mean(axis=0)
        fill(gallery, described, named(labels), "fake")
        before = evaluated(gallery)
        (mistake,) = before.mistakes
        assert before.evaluation_set.names[mistake.taken_for] == "Number 003"
        sample = next(one for one in gallery.samples("Number 000") if one.id == 1)
        crop = encode_jpeg(np.full((150, 150, 3), 9, np.uint8))
        with gallery.store.writing() as writer:
            writer.reject(
                NewRejection("Number 003", sample.digest, sample.path, sample.face.box, crop, {})
            )
        after = evaluated(gallery)
        assert after.evaluation_set.excluded == {0: frozenset({3})}
        assert any("a person rejected names" in note for note in after.notes)
        taken = {after.evaluation_set.names[one.taken_for] for one in after.mistakes}
        assert "Number 003" not in taken
        whole = sum(len(one.labels) for one in after.searches.values())
        assert whole == sum(len(one.labels) for one in before.searches.values())

    def test_what_is_struck_is_gone_from_every_matcher(self) -> None:
        references, probes = themselves(*clouds(DEPTH + 5, 4, 0.1))
        found = search(references, probes, tuple(MatchMode))
        for one in found.values():
            first = int(one.others[7, 0])
            left = without(one, probes.labels, {7: frozenset({first})})
            assert first not in left.others[7]
            assert left.others[7, : DEPTH - 1].tolist() == one.others[7, 1:].tolist()
            rank = int(one.rank[7])
            assert left.rank[7] == (rank - 1 if 0 < rank < DEPTH else rank)
            assert (left.others[8] == one.others[8]).all()
            own = int(probes.labels[7])
            assert without(one, probes.labels, {7: frozenset({own})}).rank[7] == DEPTH


class TestFolder:
    """A gallery judged by a folder."""

    @pytest.fixture
    def filled(self, gallery: Engine, tmp_path: Path) -> Engine:
        candidates, _ = candidates_in(album(tmp_path / "enrolled", COLOURS, range(4)))
        assert all(one.outcome == "added" for one in enroll_candidates(gallery, candidates))
        return gallery

    def evaluation_set(self, gallery: Engine, folder: Path) -> tuple[EvaluationSet, list[str]]:
        candidates, _ = candidates_in(folder)
        refused: list[str] = []
        steps, told = set_of_folder(gallery, candidates), 0
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                assert told == len(candidates)
                found: EvaluationSet = end.value
                return found, refused
            told += steps_of(event)
            if isinstance(event, Refused):
                refused.append(event.reason)

    def test_folders_that_nobody_named_are_left_out(self, filled: Engine, tmp_path: Path) -> None:
        folder = album(tmp_path / "asked", COLOURS, range(10, 13))
        for name in ("unknown-001", "unknown-002"):
            (folder / name).mkdir()
            shutil.copy(next((folder / "Rin").iterdir()), folder / name)
        notices: list[str] = []
        steps = evaluate_folder(filled, folder)
        while not isinstance(event := next(steps), Finished):
            if isinstance(event, Noticed):
                notices.append(str(event.notice))
        assert event.result.asked == 9
        assert notices == [
            "2 pictures in 2 folders still called unknown-NNN left out; give the folders the "
            "characters' names to have them taken in."
        ]
        for name in COLOURS:
            shutil.rmtree(folder / name)
        with pytest.raises(UnnamedFolders):
            result_of(evaluate_folder(filled, folder))

    def test_every_picture_is_asked_about(self, filled: Engine, tmp_path: Path) -> None:
        filled.rename("Mio", "Mio Akiyama")
        strange = {"Somebody": (20, 220, 220), **COLOURS}
        evaluation_set, refused = self.evaluation_set(
            filled, album(tmp_path / "asked", strange, range(10, 13))
        )
        evaluation = evaluated(filled, evaluation_set)
        found = values(evaluation)

        assert refused == []
        assert evaluation_set.names == ("Aoi", "Mio Akiyama", "Noise", "Rin", "Somebody")
        assert evaluation.asked == 12
        assert evaluation_set.notes == (
            "1 folder is named after nobody in the gallery and holds strangers: Somebody.",
        )
        assert found["closed.rank_1.ideal.all"] == 1.0
        assert found["verdict.rejects.unknown"] == 1.0
        counts = {figure.name: figure.count for figure in evaluation.figures}
        assert counts["verdict.known.sure"] == 9
        assert counts["verdict.strangers.unknown"] == 3
        assert counts["verification.eer"] == 12 * 12

    def test_a_calibrated_gallery_is_judged_as_relabel_answers_too(
        self, filled: Engine, tmp_path: Path
    ) -> None:
        strange = {"Somebody": (20, 220, 220), **COLOURS}
        folder = album(tmp_path / "asked", strange, range(10, 16))
        evaluation_set, _ = self.evaluation_set(filled, folder)
        assert value_of(joint_scoring_of(filled, evaluation_set)) is None
        filled.calibrate(0.05)
        assert value_of(joint_scoring_of(filled, set_of_gallery(filled))) is None
        joint = value_of(joint_scoring_of(filled, evaluation_set))
        assert joint is not None
        assert joint.judge.is_calibrated
        told = list(evaluate(evaluation_set, judge_of(filled), joint=joint, samples=5))
        assert sum(one.count for one in told) == steps(evaluation_set, is_joint=True)
        evaluation = value_of(evaluate(evaluation_set, judge_of(filled), joint=joint, samples=5))
        chapter = evaluation.chapters[1]
        assert chapter.key == "together"
        found = {figure.name: figure.value for figure in chapter.figures}

        # The same faces, labelled and answered anew.
        pictures = sorted(folder.rglob("*.png"))
        list(identify_files(filled, pictures, keep=True))
        records = relabel_pictures(
            filled, filled.store.sightings.pictures(), value_of(jointly(filled))
        )
        said = [
            (record.path.parent.name, answer.verdict)
            for record in records
            for answer in record.faces
        ]
        for key, names in (("known", {"Aoi", "Mio", "Rin"}), ("strangers", {"Somebody"})):
            of_kind = [verdict for name, verdict in said if name in names]
            assert len(of_kind) == 6 * len(names)
            for verdict in Verdict:
                share = np.mean([one is verdict for one in of_kind])
                assert found[f"together.{key}.{verdict.value}"] == pytest.approx(share)

    def test_rejected_names_are_excluded_as_identify_does(
        self, filled: Engine, tmp_path: Path
    ) -> None:
        folder = album(tmp_path / "asked", COLOURS, range(10, 12))
        album(folder, {"Somebody": COLOURS["Rin"]}, range(20, 22))
        for path in (folder / "Somebody").iterdir():
            review.reject(filled, path, "Rin")
        evaluation_set, _ = self.evaluation_set(filled, folder)
        said: dict[bytes, tuple[Verdict, str | None]] = {}
        judge = judge_of(filled)

        def listening(question: Question) -> tuple[Verdict, str | None]:
            answer = said[question.descriptor.tobytes()] = judge.answer(question)
            return answer

        value_of(evaluate(evaluation_set, Judge(listening), samples=5))
        assert evaluation_set.excluded
        assert len(said) == len(evaluation_set.origins) == 10
        for origin, descriptor in zip(
            evaluation_set.origins, evaluation_set.probes.descriptors, strict=True
        ):
            (answer,) = filled.identify(read_image(origin.path)).faces
            assert said[descriptor.tobytes()] == (answer.verdict, answer.character), origin.path

    def test_without_strangers_known_ones_stand_in(self, filled: Engine, tmp_path: Path) -> None:
        evaluation_set, _ = self.evaluation_set(
            filled, album(tmp_path / "asked", COLOURS, range(10, 14))
        )
        evaluation = evaluated(filled, evaluation_set)

        counts = {figure.name: figure.count for figure in evaluation.figures}
        assert counts["verdict.strangers.unknown"] == 12
        assert evaluation_set.notes == ()

    def test_pictures_that_are_enrolled_are_left_out_of_what_they_meet(
        self, filled: Engine, tmp_path: Path
    ) -> None:
        # Another program wrote a rating into one of them meanwhile.
        write_into(next((tmp_path / "enrolled").rglob("*.png")))
        evaluation_set, _ = self.evaluation_set(filled, tmp_path / "enrolled")

        assert evaluation_set.notes == (
            "16 of 16 pictures are enrolled themselves; each is left out of what it is compared "
            "with.",
        )
        inside, outside = (
            values(evaluated(filled, one)) for one in (set_of_gallery(filled), evaluation_set)
        )
        for name, value in inside.items():
            if not name.startswith(("verification", "transfer")):
                assert outside[name] == pytest.approx(value), name

    def test_what_cannot_be_used_is_refused(self, filled: Engine, tmp_path: Path) -> None:
        folder = album(tmp_path / "asked", {"Rin": COLOURS["Rin"]}, range(10, 12))
        (folder / "Rin" / "empty.png").write_bytes(b"")
        write_picture(folder / "Rin" / "nobody.png")
        (folder / "Rin" / "copy.png").write_bytes((folder / "Rin" / "10.png").read_bytes())
        (folder / "Mio").mkdir()
        (folder / "Mio" / "same.png").write_bytes((folder / "Rin" / "11.png").read_bytes())
        enrolled = tmp_path / "enrolled" / "Rin" / "1.png"
        (folder / "Mio" / "Rin.png").write_bytes(enrolled.read_bytes())
        evaluation_set, refused = self.evaluation_set(filled, folder)

        assert len(evaluation_set.origins) == 2
        assert "1 second copy of a picture left out." in evaluation_set.notes
        said = "\n".join(sorted(refused))
        for part in (
            "empty.png",
            "nobody.png shows no face",
            "Rin.png is enrolled as Rin",
            "is the same picture as one in Mio's folder",
        ):
            assert part in said, part

    def test_a_strangers_name_is_a_mistake_with_its_faces(
        self, filled: Engine, tmp_path: Path
    ) -> None:
        faces = {"Rin": COLOURS["Rin"], "Double": (215, 22, 22)}
        evaluation_set, _ = self.evaluation_set(
            filled, album(tmp_path / "asked", faces, range(10, 12))
        )
        evaluation = evaluated(filled, evaluation_set)
        (first, *_) = evaluation.mistakes

        assert evaluation_set.names[first.taken_for] == "Rin"
        assert first.own_distance is None
        (pictures,) = report_of(evaluation, filled).sections[-1].blocks
        assert isinstance(pictures, Pictures)
        assert len(pictures.rows[0].pictures) == 2
        assert "who is not in the gallery" in pictures.rows[0].text

    def test_a_folder_of_nobody_is_told_before_a_picture_is_read(self, filled: Engine) -> None:
        with pytest.raises(InputError, match="None of the folders is named after a character"):
            value_of(
                set_of_folder(filled, [Candidate(Path("/nowhere/Somebody/1.png"), "Somebody")])
            )

    def test_a_folder_without_a_face(self, filled: Engine, tmp_path: Path) -> None:
        write_picture(tmp_path / "asked" / "Rin" / "nobody.png")
        with pytest.raises(InputError, match="No picture of the folder can be used"):
            self.evaluation_set(filled, tmp_path / "asked")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a gallery that the default encoder has described, as far as it is told."""
    folder = tmp_path_factory.mktemp("place")
    encoder = locate(DEFAULT_ENCODER, default_models_folder()).encoder_id
    with fake_gallery(folder / "gallery.db", encoder=FakeEncoder(encoder)) as gallery:
        described, labels = clouds(12, 4, 0.4)
        fill(gallery, described, named(labels), encoder)
    return folder


def ask(folder: Path, *words: str | Path) -> Done:
    return call("evaluate", *words, cwd=folder, database=folder / "gallery.db")


class TestCommand:
    """As a user meets it."""

    def test_tables_go_to_standard_output(self, place: Path) -> None:
        done = ask(place)

        assert done.code == 0
        assert done.stderr == "48 faces asked about, against 12 characters with 48 samples.\n"
        for title in (
            "The gallery's own verdicts",
            "Open set",
            "Thresholds on other characters",
            "Closed set",
            "Verification",
            "The original's two tables",
            "Who is mixed up with whom",
        ):
            assert title in done.stdout
        assert "- stands where FPIR 1% needs 100 strangers' faces." in done.stdout

    def test_json_is_one_object_with_stable_keys(self, place: Path) -> None:
        done = ask(place, "--json", "--seed", "3")
        (line,) = done.stdout.splitlines()
        said = json.loads(line)

        assert list(said) == [
            "schema", "encoder", "seed", "characters", "samples", "asked", "of_folder",
            "strangers", "notes", "figures", "confused", "mistakes",
        ]  # fmt: skip
        assert (said["seed"], said["characters"], said["asked"]) == (3, 12, 48)
        assert list(said["figures"][0]) == [
            "name", "value", "low", "high", "n", "characters", "threshold", "reason",
        ]  # fmt: skip
        names = [figure["name"] for figure in said["figures"]]
        assert len(set(names)) == len(names)
        for figure in said["figures"]:
            assert (figure["value"] is None) == (figure["reason"] is not None)
            if figure["value"] is not None:
                assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
                assert figure["n"] > 0

    def test_figures_are_lines_of_five_words(self, place: Path) -> None:
        said = json.loads(ask(place, "--json").stdout)
        lines = [line.split(" ") for line in ask(place, "--figures").stdout.splitlines()]

        assert [line[0] for line in lines] == [figure["name"] for figure in said["figures"]]
        for (_, value, low, high, count), figure in zip(lines, said["figures"], strict=True):
            assert count == str(figure["n"])
            if figure["value"] is None:
                assert (value, low, high) == ("-", "-", "-")
            else:
                assert float(value) == pytest.approx(figure["value"])

    def test_a_report_is_written(self, place: Path) -> None:
        done = ask(place, "--figures", "--report", "out.html")

        assert done.code == 0
        page = (place / "out.html").read_text(encoding="utf-8")
        assert done.stderr.endswith("out.html\n")
        assert page.count("<svg") == 4
        assert "data:image/jpeg" in page
        assert "http://" not in page
        assert "https://" not in page

    def test_a_report_with_another_name_is_refused_before_the_work(self, place: Path) -> None:
        assert ask(place, "--report", "out.pdf").complaint.endswith("name the report so.")
        done = ask(place, "--json", "--figures")
        assert done.code == 2
        assert "Choose --figures or --json" in done.stderr

    def test_wrong_folders_are_one_sentence(self, place: Path, tmp_path: Path) -> None:
        album(tmp_path, {"Nobody": (220, 20, 20)}, range(1))
        done = ask(place, tmp_path)
        assert done.code == 1
        assert done.complaint.startswith("None of the folders is named after a character")
        assert "does not exist" in ask(place, "nowhere").complaint
        empty = call("evaluate", cwd=place, database=place / "none.db")
        assert empty.code == 1
        assert empty.complaint

    def test_no_network_is_opened_for_the_gallery_itself(self, place: Path) -> None:
        code = (
            "import sys; from gallery.cli import app\n"
            "app(['evaluate', '--figures'], standalone_mode=False)\n"
            "heavy = {'onnxruntime', 'dlib', 'animeface', 'onnx'} & set(sys.modules)\n"
            "print('loaded', *heavy)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment(place / "gallery.db"),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == "loaded"


def _matcher(gallery: Engine) -> Matcher:
    """A matcher of its own, so that nothing is remembered."""
    return Matcher(gallery.store, "fake", IndexCache(None))
