"""Faces that are judged in each other's company: who draws whom, and what that is worth."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from command import call
from fakes import FakeEncoder, fake_gallery, new_sample

from gallery.cli.label_progress import LabelReporter
from gallery.engine import joint
from gallery.engine.engine import Engine
from gallery.events import Started, result_of, steps_of, value_of
from gallery.identify.calibration.calibrate import Rejections
from gallery.identify.calibration.evidence import Vectors
from gallery.identify.calibration.joint import smooth_jointly
from gallery.identify.calibration.strangers import Strangers, nobody
from gallery.identify.calibration.trials import References
from gallery.jobs.answers import renew
from gallery.jobs.relabel_pictures import relabel_pictures
from gallery.jobs.unknown_faces import unknown_faces
from gallery.jobs.worth import Gain, changed_since, gain
from gallery.store.rejections import NewRejection
from gallery.store.sightings import Observation
from gallery.types import (
    DIMENSION,
    Answer,
    Box,
    DescribedFace,
    Face,
    Place,
    Quality,
    Thresholds,
    Verdict,
)

CHARACTERS, EACH = 30, 5
STRANGERS, EACH_SEEN = 15, 8

NOISE = 0.035
"""So much in each direction that a face alone may be as far from its ideal as strangers are."""


def centres(count: int = 100) -> Vectors:
    drawn = np.zeros((count, DIMENSION))
    drawn[:, :12] = np.random.default_rng(3).normal(size=(count, 12))
    return np.asarray(0.35 * drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def near(place: Vectors, count: int, seed: int, noise: float = NOISE) -> Vectors:
    moved = np.random.default_rng(seed).normal(scale=noise, size=(count, DIMENSION))
    return (place + moved).astype(np.float32)


def enrolled(descriptors: Vectors) -> References:
    count = len(descriptors)
    return References(
        descriptors, np.arange(count), np.full(count, np.nan), np.zeros(count, np.bool_)
    )


def strangers(descriptors: Vectors) -> Strangers:
    return dataclasses.replace(
        nobody(),
        stored=descriptors.astype(np.float16),
        characters=np.arange(len(descriptors), dtype=np.int16),
    )


def test_a_face_is_drawn_to_its_like_and_never_to_the_gallery() -> None:
    one, two = centres(2)
    faces = np.concatenate([near(one, 6, 1), near(two, 1, 2)])
    # References lie beside the lone face of the second, and a rejected face beside the first.
    rejected = Rejections(near(one, 1, 3), np.zeros(1, np.int64))
    drawn = value_of(
        smooth_jointly(
            faces,
            enrolled(near(two, 4, 4)),
            strangers(centres()[5:9]),
            unknown=0.44,
            rejected=rejected,
        )
    )

    def off(places: Vectors, centre: Vectors) -> float:
        return float(np.linalg.norm(places - centre, axis=1).mean())

    assert off(drawn.faces[:6], one) < 0.7 * off(faces[:6], one)
    other = value_of(
        smooth_jointly(faces, enrolled(near(one, 4, 9)), strangers(centres()[5:9]), unknown=0.44)
    )
    assert np.array_equal(drawn.faces, other.faces)
    assert drawn.rejected is not None
    assert off(drawn.rejected.descriptors, one) < 0.8 * off(rejected.descriptors, one)
    assert np.array_equal(drawn.enrolled.descriptors, near(two, 4, 4))
    assert drawn.strangers.characters.tolist() == [0, 1, 2, 3]


def test_references_are_asked_about_where_a_face_like_them_would_lie() -> None:
    (one,) = centres(1)
    faces, references = near(one, 6, 1), near(one, 2, 2)
    drawn = value_of(
        smooth_jointly(faces, enrolled(references), strangers(centres()[5:9]), unknown=0.44)
    )
    alone = value_of(
        smooth_jointly(
            np.concatenate([faces, references[:1]]),
            enrolled(references[1:]),
            strangers(centres()[5:9]),
            unknown=0.44,
        )
    )
    assert drawn.enrolled.as_faces is not None
    assert np.allclose(drawn.enrolled.as_faces[0], alone.faces[-1], atol=1e-6)


def test_a_reference_that_was_seen_itself_is_drawn_no_less() -> None:
    (one,) = centres(1)
    faces, reference = near(one, 6, 1), near(one, 1, 2)
    # Kept as JPEG, it is not quite the same.
    copy = near(reference[0], 1, 3, noise=0.003)
    alone, beside = (
        value_of(
            smooth_jointly(seen, enrolled(reference), strangers(centres()[5:9]), unknown=0.44)
        ).enrolled.as_faces
        for seen in (faces, np.concatenate([faces, copy]))
    )
    assert alone is not None
    assert beside is not None
    assert np.array_equal(alone, beside)
    assert np.linalg.norm(alone - reference) > 0.1


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_faces_are_drawn_without_complaint(count: int) -> None:
    faces = near(centres(1)[0], count, 1)
    drawn = value_of(
        smooth_jointly(
            faces,
            enrolled(faces[:1]),
            strangers(np.zeros((0, DIMENSION), np.float32)),
            unknown=0.44,
        )
    )
    assert drawn.faces.shape == faces.shape
    if count == 1:
        assert np.array_equal(drawn.faces, faces)
        # The reference is the face: it is not drawn to itself.
        assert drawn.enrolled.as_faces is not None
        assert np.allclose(drawn.enrolled.as_faces, faces, atol=1e-6)


def test_every_face_advances_once() -> None:
    faces = near(centres(1)[0], 3, 1)
    steps = smooth_jointly(faces, enrolled(faces[:2]), strangers(centres()[5:9]), unknown=0.44)
    assert sum(one.count for one in steps) == 3 + 2 + 4


def digest(number: int) -> str:
    return f"{number:064x}"


def see(gallery: Engine, faces: Vectors) -> None:
    """Note faces, each in a picture of its own."""
    gallery.keep(
        [
            Observation(
                Path(f"/pictures/{row:03}.png"), None, digest(row), 100, 100, (described(face),)
            )
            for row, face in enumerate(faces)
        ]
    )


def described(face: Vectors) -> DescribedFace:
    return DescribedFace(
        Face(Box(10, 10, 60, 60), 1.0),
        np.zeros((150, 150, 3), np.uint8),
        face,
        Quality(50, 1.0, None, None, 0.0),
    )


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a gallery that every test begins with a copy of."""
    file = tmp_path_factory.mktemp("full") / "gallery.db"
    with fake_gallery(file) as gallery:
        with gallery.store.writing() as writer:
            for character, centre in enumerate(centres()[:CHARACTERS]):
                for number, place in enumerate(near(centre, EACH, 100 + character)):
                    seed = 1000 * character + number
                    writer.add(new_sample(f"character {character:02}", seed, {"fake": place}))
        seen = [*range(CHARACTERS), *range(50, 50 + STRANGERS)]
        see(gallery, np.concatenate([near(centres()[one], EACH_SEEN, 500 + one) for one in seen]))
    return file


@pytest.fixture
def full(filled_once: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A gallery, and EACH_SEEN seen faces of all of its characters and of STRANGERS others."""
    monkeypatch.setattr("gallery.store.sightings.is_there", lambda _: True)
    shutil.copy(filled_once, database)
    thresholds = Thresholds(sure=0.4, unknown=0.44, margin=0.02)
    with fake_gallery(database, thresholds=thresholds) as gallery:
        yield gallery


def answers(gallery: Engine, answering: joint.Scoring) -> list[Answer]:
    records = relabel_pictures(gallery, gallery.store.sightings.pictures(), answering)
    return [answer for record in records for answer in record.faces]


def found_where_few_strangers_pass(answers: Sequence[Answer]) -> float:
    """Return the share of known faces nearer to their own than nearly all strangers to anybody."""
    distances = np.array([one.matches[0].distance for one in answers])
    right = [
        answers[row].matches[0].character == f"character {row // EACH_SEEN:02}"
        for row in range(CHARACTERS * EACH_SEEN)
    ]
    least = np.quantile(distances[len(right) :], 0.02)
    return float(np.mean(np.array(right) & (distances[: len(right)] < least)))


def test_more_known_faces_are_told_from_strangers_together(full: Engine) -> None:
    full.calibrate(0.05)
    alone = answers(full, joint.alone(full))
    together = answers(full, value_of(joint.jointly(full)))
    assert found_where_few_strangers_pass(alone) < 0.9
    assert found_where_few_strangers_pass(together) > found_where_few_strangers_pass(alone) + 0.05
    strangers = together[CHARACTERS * EACH_SEEN :]
    assert np.mean([one.verdict is Verdict.SURE for one in strangers]) <= 0.05
    assert np.mean([one.verdict is Verdict.SURE for one in together]) > 0.4
    assert all(one.probability is not None for one in together)
    assert [one.face for one in together] == [one.face for one in alone]


def test_a_gallery_that_is_not_calibrated_answers_every_face_alone(full: Engine) -> None:
    assert list(joint.jointly(full)) == []
    assert answers(full, value_of(joint.jointly(full))) == answers(full, joint.alone(full))


def test_the_gallerys_own_calibration_stays(full: Engine) -> None:
    full.calibrate(0.05)
    before = full.store.calibration("fake")
    answers(full, value_of(joint.jointly(full)))
    assert full.store.calibration("fake") == before


def test_a_rejected_name_is_not_given_in_company_either(full: Engine) -> None:
    full.calibrate(0.05)
    (first, *_) = full.store.sightings.all()
    vector = full.store.sightings.descriptors_of(first.id)["fake"]
    assert answers(full, value_of(joint.jointly(full)))[0].character == "character 00"
    with full.store.writing() as writer:
        writer.reject(
            NewRejection(
                "character 00", first.digest, first.path, first.face.box, b"", {"fake": vector}
            )
        )
    found = answers(full, value_of(joint.jointly(full)))[0]
    assert found.character != "character 00"
    assert all(match.character != "character 00" for match in found.matches)


def test_a_face_that_came_later_is_answered_alone(full: Engine) -> None:
    full.calibrate(0.05)
    answering = value_of(joint.jointly(full))
    late = near(centres()[0], 1, 900)[0]
    path = Path("/pictures/999.png")
    full.keep([Observation(path, None, digest(999), 100, 100, (described(late),))])
    (picture,) = [one for one in full.store.sightings.pictures() if one.path == path]
    (record,) = relabel_pictures(full, [picture], answering)
    assert list(record.faces) == full.answers([described(late)], places=[Place(digest(999))])


def test_a_gallery_that_was_emptied_knows_nobody(full: Engine) -> None:
    full.calibrate(0.05)
    for one in full.characters():
        full.forget(one.name)
    assert {one.verdict for one in answers(full, value_of(joint.jointly(full)))} == {
        Verdict.UNKNOWN
    }


def test_fewer_faces_of_known_characters_are_grouped_as_unknown(full: Engine) -> None:
    def known_among(unknown: list[Path]) -> int:
        return sum(int(path.stem) < CHARACTERS * EACH_SEEN for path in unknown)

    def unknown() -> list[Path]:
        return [one.sighting.path for one in value_of(unknown_faces(full))]

    full.calibrate(0.05)
    said = answers(full, value_of(joint.jointly(full)))
    expected = [row for row, one in enumerate(said) if one.verdict is Verdict.UNKNOWN]
    assert [int(path.stem) for path in unknown()] == expected
    alone = [
        row
        for row, one in enumerate(answers(full, joint.alone(full)))
        if one.verdict is Verdict.UNKNOWN
    ]
    assert known_among(unknown()) < sum(row < CHARACTERS * EACH_SEEN for row in alone)


def test_a_face_that_is_not_noise_is_grouped_though_noise_is_nearest(full: Engine) -> None:
    with full.store.writing() as writer:
        for number, place in enumerate(near(centres()[51], EACH, 7)):
            writer.add(new_sample("Noise", 90_000 + number, {"fake": place}))
    full.calibrate(0.05)
    face = full.store.sightings.all()[(CHARACTERS + 1) * EACH_SEEN]
    vector = full.store.sightings.descriptors_of(face.id)["fake"]

    def is_unknown() -> bool:
        return face.id in {one.sighting.id for one in value_of(unknown_faces(full))}

    assert not is_unknown()
    with full.store.writing() as writer:
        writer.reject(
            NewRejection("Noise", "other", face.path, face.face.box, b"", {"fake": vector})
        )
    assert is_unknown()


def test_faces_of_files_that_are_gone_move_nobody(
    full: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    full.calibrate(0.05)
    alone = answers(full, joint.alone(full))
    together = answers(full, value_of(joint.jointly(full)))
    monkeypatch.setattr("gallery.store.sightings.is_there", lambda path: int(path.stem) != 3)
    assert full.store.sightings.gone() == {4}
    without = answers(full, value_of(joint.jointly(full)))
    assert without[3] == alone[3] != together[3]
    # The others of its character had it for a neighbour.
    assert any(one != other for one, other in zip(without[:8], together[:8], strict=True))
    assert answers(full, value_of(joint.jointly(full, gone=True))) == together


def test_every_face_that_is_moved_is_a_step(full: Engine) -> None:
    full.calibrate(0.05)
    started, *steps = joint.jointly(full)
    assert isinstance(started, Started)
    assert started.total == CHARACTERS * EACH + (CHARACTERS + STRANGERS) * EACH_SEEN
    assert sum(map(steps_of, steps)) == started.total


def test_what_another_encoder_described_is_not_mixed_in(full: Engine, database: Path) -> None:
    full.calibrate(0.05)
    with fake_gallery(database, encoder=FakeEncoder("another")) as other:
        assert other.judging.calibration() is None
        assert list(joint.jointly(other)) == []


@pytest.mark.slow
def test_the_command_judges_together_unless_told_not_to(tmp_path: Path, database: Path) -> None:
    root = Path(__file__).parents[2] / "data"

    def records(name: str) -> list[dict[str, object]]:
        lines = (tmp_path / name).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    for words in (
        ("enroll", root / "characters"),
        ("calibrate",),
        ("label", root / "screenshots", "--out", "first.jsonl"),
        ("relabel", "--alone", "--out", "alone.jsonl"),
    ):
        assert call(*words, cwd=tmp_path, database=database).code == 0
    assert records("alone.jsonl") == records("first.jsonl")
    done = call("relabel", "--out", "together.jsonl", cwd=tmp_path, database=database)
    assert "8 pictures with 18 faces: " in done.stderr
    assert " sure, " in done.stderr
    together = records("together.jsonl")
    assert together != records("first.jsonl")
    for one, other in zip(together, records("first.jsonl"), strict=True):
        assert one["path"] == other["path"]
        assert len(one["faces"]) == len(other["faces"])  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_command_writes_other_formats_and_says_what_it_could_not(
    tmp_path: Path, database: Path
) -> None:
    root = Path(__file__).parents[2] / "data"
    shots = tmp_path / "shots"
    shots.mkdir()
    (shots / "05-picnic.jpg").write_bytes((root / "screenshots/05-picnic.jpg").read_bytes())

    def run(*words: str | Path, code: int = 0) -> str:
        done = call(*words, cwd=tmp_path, database=database)
        assert done.code == code, done.stderr
        return done.stderr

    run("enroll", root / "characters")
    run("label", "shots", "--out", "first.jsonl")
    run("relabel", "--out", "again.jsonl", "--write", "captions", "--prefix", "who:")
    assert "who:Pim" in (shots / "05-picnic.txt").read_text(encoding="utf-8")
    # A caption needs its picture's folder alone, an annotated picture the picture.
    (shots / "05-picnic.jpg").unlink()
    told = run("relabel", "--out", "more.jsonl", "--write", "annotated:drawn", code=1)
    assert "05-picnic.jpg" in told
    assert "There is no output format nothing" in run(
        "relabel", "--out", "x.jsonl", "--write", "nothing", code=1
    )


def test_labelling_tells_of_relabel_where_a_trial_shows_that_it_pays(tmp_path: Path) -> None:
    for tried, expected in ((Gain(0.6, 0.68), 1), (Gain(0.6, 0.6), 0), (None, 0)):
        told = StringIO()
        with redirect_stderr(told):
            reporter = LabelReporter(tmp_path / "out.jsonl", is_asked_anew=False)
            reporter.gain = tried
            reporter.finish()
        assert told.getvalue().count("`gallery relabel`") == expected
    assert told.getvalue() == ""


def test_a_trial_says_what_joint_scoring_gains(full: Engine) -> None:
    assert result_of(gain(full)) is None
    found = full.calibrate(0.05)
    tried = result_of(gain(full))
    assert tried is not None
    assert tried.alone == found.expected.found.value
    drawn = value_of(joint.smoothed(full, full.store.sightings.vectors("fake")[1]))
    assert drawn is not None
    expected = drawn.calibration.expected
    assert expected is not None
    assert tried.jointly == expected["found"]["value"]


def test_it_is_known_whether_a_decision_is_newer_than_records(full: Engine, tmp_path: Path) -> None:
    records = tmp_path / "records.jsonl"
    assert not changed_since(full, records)
    records.touch()
    assert not changed_since(full, records)
    full.calibrate(0.05)
    os.utime(records, (0, 0))
    assert changed_since(full, records)


def test_stored_answers_are_the_joint_ones_unless_they_are_to_be_quick(full: Engine) -> None:
    full.calibrate(0.05)
    faces = [one.id for one in full.store.sightings.all()]

    def stored() -> list[tuple[object, ...]]:
        found = full.store.answers.of_faces("fake", faces)
        return [(one.verdict, one.character, one.likelihood) for one in found.values()]

    def said(answering: joint.Scoring) -> list[tuple[object, ...]]:
        return [(one.verdict, one.character, one.probability) for one in answers(full, answering)]

    result_of(renew(full, alone=True))
    assert stored() == said(joint.alone(full))
    counts = full.store.answers.counts("fake")
    assert (counts.stale, counts.alone) == (0, len(faces))
    assert result_of(renew(full)).renewed == len(faces)
    assert stored() == said(value_of(joint.jointly(full)))
    counts = full.store.answers.counts("fake")
    assert (counts.stale, counts.alone) == (0, 0)
    assert result_of(renew(full)).renewed == 0
