"""A gallery's verdicts before and after calibration, over fakes: in the database and by command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command import call
from fakes import FakeEncoder, fake_gallery, new_sample

from gallery.engine.engine import Engine
from gallery.errors import InputError, SetupError, StaleCalibration, StoreError
from gallery.identify.calibration.evidence import Vectors
from gallery.identify.calibration.strangers import read_strangers
from gallery.identify.calibration.trials import Protocol
from gallery.identify.judging import decide, decide_by_score, references_of
from gallery.store.steps import Action, FaceMeant
from gallery.types import (
    DIMENSION,
    UNDECIDED,
    Answer,
    Box,
    Decided,
    DescribedFace,
    Face,
    FaceState,
    MatchMode,
    Place,
    Quality,
    Verdict,
)

CHARACTERS, EACH = 14, 4


def described(vector: Vectors) -> DescribedFace:
    return DescribedFace(
        Face(Box(0, 0, 50, 50), 1.0),
        np.zeros((150, 150, 3), np.uint8),
        vector,
        Quality(50, 1.0, None, None, 0.0),
    )


def places(count: int, seed: int = 0) -> Vectors:
    drawn = np.zeros((count, DIMENSION))
    drawn[:, :12] = np.random.default_rng(seed).normal(size=(count, 12))
    lengths = np.linalg.norm(drawn, axis=1, keepdims=True)
    return np.asarray(drawn / lengths, dtype=np.float32)


def near(place: Vectors, seed: int) -> Vectors:
    drawn = np.random.default_rng(seed).normal(scale=0.05, size=DIMENSION)
    return np.asarray(place + drawn, dtype=np.float32)


def fill(gallery: Engine, first: int, last: int) -> None:
    centres = places(60)
    with gallery.store.writing() as writer:
        for character in range(first, last):
            for number in range(EACH):
                seed = 1000 * character + number
                vectors = {"fake": near(centres[character], seed)}
                writer.add(new_sample(f"character {character:02}", seed, vectors))


@pytest.fixture
def known(database: Path) -> Iterator[Engine]:
    with fake_gallery(database) as gallery:
        fill(gallery, 0, CHARACTERS)
        yield gallery


def test_before_calibration_the_encoders_thresholds_decide(known: Engine) -> None:
    (answer,) = known.answers([described(near(places(60)[3], 5))])
    assert (answer.probability, answer.stranger) == (None, None)
    assert (answer.verdict, answer.character) == decide(answer.matches, known.thresholds)
    assert known.calibration_note() is None


def test_after_calibration_known_faces_are_named_and_strangers_unknown(known: Engine) -> None:
    known.calibrate(0.05)
    centres = places(60)
    own = known.answers([described(near(centres[row], 7)) for row in range(CHARACTERS)])
    assert [one.character for one in own] == [f"character {row:02}" for row in range(CHARACTERS)]
    assert {one.verdict for one in own} == {Verdict.SURE}
    assert np.mean([one.probability or 0 for one in own]) > 0.5
    others = known.answers([described(near(centres[row], 8)) for row in range(30, 60)])
    assert np.mean([one.verdict is Verdict.UNKNOWN for one in others]) > 0.5
    assert np.mean([one.stranger or 0 for one in others]) > 0.5


@pytest.mark.parametrize("mode", list(MatchMode))
def test_every_way_to_match_is_judged_by_the_same_evidence(known: Engine, mode: MatchMode) -> None:
    known.calibrate(0.05)
    faces = [described(near(places(60)[2], 9))]
    (by_ideal,), (other,) = known.answers(faces), known.answers(faces, mode=mode)
    assert other.character == by_ideal.character
    # The second character, and with it the gap, may be another one.
    assert other.probability == pytest.approx(by_ideal.probability, abs=0.1)


@pytest.mark.parametrize("is_calibrated", [False, True])
def test_faces_that_are_answered_at_once_are_answered_as_one_after_the_other(
    known: Engine, is_calibrated: bool
) -> None:
    if is_calibrated:
        known.calibrate(0.05)
    centres = places(60)
    faces = [described(near(centres[row % 20], 50 + row)) for row in range(45)]
    at_once = known.answers(faces)
    alone = [known.answers([one])[0] for one in faces]
    assert len({one.verdict for one in at_once}) > 1
    for one, other in zip(at_once, alone, strict=True):
        assert (one.verdict, one.character, one.matches) == (
            other.verdict, other.character, other.matches
        )  # fmt: skip
        assert one.probability == pytest.approx(other.probability, abs=1e-12)
        assert one.stranger == pytest.approx(other.stranger, abs=1e-12)


def test_an_answer_has_the_evidence_that_calibration_learnt_from(known: Engine) -> None:
    found = known.calibrate(0.05)
    enrolled, _ = references_of(known.store, "fake", 0.6)
    vector = near(places(60)[4], 11)
    questions = Protocol(enrolled, known.judging.strangers)
    trials = questions.about(vector[None], np.array([4]), np.array([4]), quality=np.array([1.0]))
    matches = known._matcher.match(vector[None], MatchMode.IDEAL, 2)[0]
    quality = described(vector).quality
    pool = found.calibration.pool
    evidence = known.judging.evidence(vector[None], [quality], [matches], MatchMode.IDEAL, pool)
    np.testing.assert_allclose(evidence, trials.evidence, atol=1e-5)


def test_a_calibration_is_of_one_encoder(known: Engine, database: Path) -> None:
    known.calibrate(0.05)
    with fake_gallery(database, encoder=FakeEncoder("another")) as other:
        assert other.judging.calibration() is None
        with pytest.raises(StoreError, match="not encoded by another"):
            other.calibrate(0.05)
    assert known.judging.calibration() is not None


def test_calibrating_again_takes_the_place_of_the_first(known: Engine) -> None:
    first = known.calibrate(0.05).calibration
    second = known.calibrate(0.2).calibration
    kept = known.judging.calibration()
    assert kept is not None
    assert replace(kept, expected=None) == replace(second, expected=None)
    assert second.sure(CHARACTERS) < first.sure(CHARACTERS)


def test_a_gallery_grown_by_half_says_so_until_it_is_calibrated_again(known: Engine) -> None:
    known.calibrate(0.05)
    fill(known, CHARACTERS, 20)
    assert known.calibration_note() is None
    fill(known, 20, 21)
    note = known.calibration_note()
    assert note is not None
    assert "14 characters and has 21 now" in str(note)
    known.calibrate(0.05)
    assert known.calibration_note() is None


def test_strangers_that_ship_and_are_missing_are_said_to_be_missing(
    known: Engine, database: Path, tmp_path: Path
) -> None:
    known.calibrate(0.05)
    with fake_gallery(database) as other:
        other.judging._read_strangers = lambda: read_strangers(tmp_path, "fake", do_ship=True)
        with pytest.raises(SetupError, match="of strangers is missing; install gallery again"):
            other.calibrate(0.05)
        note = other.calibration_note()
        assert "strangers-fake.npz of strangers is missing" in str(note)
        # Calibrated galleries answer without them.
        assert other.answers([described(near(places(60)[3], 5))])
    assert len(read_strangers(tmp_path, "fake")) == 0


def test_answers_follow_a_change_after_calibration(known: Engine) -> None:
    known.calibrate(0.05)
    face = [described(near(places(60)[5], 3))]
    assert known.answers(face)[0].character == "character 05"
    known.merge("character 05", "character 06")
    merged = known.answers(face)[0]
    assert merged.character in {"character 06", None}
    known.rename("character 06", "Noise")
    assert known.answers(face)[0].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("fpir", [0.0, -0.1, 0.5, 1.0, float("nan")])
def test_a_rate_without_meaning_is_refused(known: Engine, fpir: float) -> None:
    with pytest.raises(InputError, match="has no meaning"):
        known.calibrate(fpir)


def test_an_empty_gallery_cannot_be_calibrated(gallery: Engine) -> None:
    with pytest.raises(InputError, match="Nobody is in the gallery yet"):
        gallery.calibrate()


def test_a_damaged_calibration_is_said_to_be(known: Engine) -> None:
    for body in ("no JSON", '{"format": 99}'):
        with known.store.writing() as writer:
            writer.calibrate("fake", "2026-01-01T00:00:00+00:00", body)
        with pytest.raises(StaleCalibration, match="calibrate the gallery again"):
            known.answers([described(places(1)[0])])


def test_a_score_decides_unless_a_reject_class_is_first() -> None:
    from gallery.types import Match

    rei, noise = Match("Rei", 0.3), Match("Noise", 0.1, is_reject=True)
    assert decide_by_score([rei], is_sure=True, is_unknown=False) == (Verdict.SURE, "Rei")
    assert decide_by_score([rei], is_sure=False, is_unknown=False) == (Verdict.UNSURE, "Rei")
    assert decide_by_score([rei], is_sure=False, is_unknown=True) == (Verdict.UNKNOWN, None)
    assert decide_by_score([noise, rei], is_sure=True, is_unknown=False)[0] is Verdict.UNKNOWN
    assert decide_by_score([], is_sure=True, is_unknown=False) == (Verdict.UNKNOWN, None)


@pytest.fixture
def shipped_gallery(database: Path) -> Path:
    """A gallery of the default encoder's id, so that its strangers are there."""
    from gallery.faces.networks.library import locate
    from gallery.settings import Settings

    settings = Settings()
    encoder = locate(settings.encoder, settings.models_folder).encoder_id
    centres = places(60) * np.float32(0.5)
    with (
        fake_gallery(database, encoder=FakeEncoder(encoder)) as gallery,
        gallery.store.writing() as writer,
    ):
        for character in range(5):
            for number in range(3):
                seed = 1000 * character + number
                vectors = {encoder: near(centres[character], seed)}
                writer.add(new_sample(f"character {character}", seed, vectors))
    return database


def test_the_command_prints_what_was_found(shipped_gallery: Path, tmp_path: Path) -> None:
    done = call("calibrate", cwd=tmp_path, database=shipped_gallery)
    assert done.code == 0, done.stderr
    assert "5 characters with 15 references" in done.stdout
    assert "shipped strangers: surely named" in done.stdout
    assert "Beware: Only 5 characters have two references or more" in done.stderr


def test_the_command_prints_json_for_programs(shipped_gallery: Path, tmp_path: Path) -> None:
    done = call("calibrate", "--fpir", "0.02", "--json", cwd=tmp_path, database=shipped_gallery)
    said = json.loads(done.stdout)
    assert (said["characters"], said["references"], said["fpir"]) == (5, 15, 0.02)
    assert said["shipped_strangers"]["faces"] > 500
    assert said["own_strangers"]["characters"] == 5
    assert said["notes"]


def test_the_command_refuses_what_teaches_nothing(database: Path, tmp_path: Path) -> None:
    with fake_gallery(database):
        pass
    done = call("calibrate", cwd=tmp_path, database=database)
    assert done.code == 1
    assert "Nobody is in the gallery yet" in done.complaint


@pytest.mark.parametrize("is_calibrated", [False, True])
def test_what_a_person_decided_is_said_before_anything_is_weighed(
    known: Engine, is_calibrated: bool
) -> None:
    if is_calibrated:
        known.calibrate(0.05)
    face, place = described(near(places(60)[3], 5)), Place("f" * 64)

    def said(change: Callable[[FaceState], FaceState]) -> Answer:
        with known.store.writing() as writer:
            step = writer.decisions.begin(Action.CONFIRM, "")
            meant = FaceMeant(place, Path("/f.png"), face.face.box)
            writer.decisions.decide(step, [meant], lambda state, _: change(state))
        (answer,) = known.answers([face], places=[place])
        return answer

    confirmed = said(lambda state: state.confirmed("character 05"))
    assert (confirmed.verdict, confirmed.character) == (Verdict.SURE, "character 05")
    assert (confirmed.probability, confirmed.stranger) == (
        (1.0, 0.0) if is_calibrated else (None, None)
    )
    ignored = said(lambda state: state.set_aside(Decided.IGNORED))
    assert (ignored.verdict, ignored.character) == (Verdict.UNKNOWN, None)
    assert (ignored.probability, ignored.decided) == (None, Decided.IGNORED)
    assert known.answers([face], places=[place], heed=False)[0].character == "character 03"
    assert said(lambda state: UNDECIDED).character == "character 03"


def test_samples_that_a_person_decided_otherwise_of_are_not_learnt_from(known: Engine) -> None:
    before, _ = references_of(known.store, "fake", 0.6)
    sample = known.samples("character 05")[0]
    meant = FaceMeant(Place(sample.digest), sample.path, sample.face.box)
    with known.store.writing() as writer:
        step = writer.decisions.begin(Action.NO_FACE, "")
        writer.decisions.decide(step, [meant], lambda state, _: state.set_aside(Decided.NO_FACE))
    after, names = references_of(known.store, "fake", 0.6)
    assert len(before.labels) - len(after.labels) == 1
    assert np.bincount(after.labels)[names.index("character 05")] == EACH - 1
    assert known.calibrate(0.05).calibration is not None
