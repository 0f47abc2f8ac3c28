"""A gallery's own answers beside what a person decided; decisions do not make it look better."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import call
from fakes import Square, write_picture
from labelled import identify_files

from gallery.engine.engine import Engine
from gallery.evaluation.decided import DecidedEvaluation, evaluate_decisions
from gallery.evaluation.plain import decided_json, lines
from gallery.evaluation.run import evaluate
from gallery.events import result_of
from gallery.jobs import decide, review
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.store.steps import Action

RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 200, 20)
COLOURS = {"Asuka": RED, "Rei": BLUE}


def picture(path: Path, colour: tuple[int, int, int], seed: int) -> Path:
    return write_picture(path, Square(10, 20, 60, colour), seed=seed)


@pytest.fixture
def shots(gallery: Engine, tmp_path: Path) -> Path:
    """Asuka, red, and Rei, blue, are enrolled; labelled are four of each, and three greens."""
    for name, colour in COLOURS.items():
        for number in range(3):
            picture(tmp_path / "in" / name / f"{number}.png", colour, number)
    candidates, _ = candidates_in(tmp_path / "in")
    list(enroll_candidates(gallery, candidates))
    for name, colour in {**COLOURS, "green": GREEN}.items():
        for number in range(4):
            picture(tmp_path / "new" / f"{name}-{number}.png", colour, 50 + number)
    list(identify_files(gallery, sorted((tmp_path / "new").iterdir()), keep=True))
    return tmp_path / "new"


def measured(gallery: Engine) -> tuple[DecidedEvaluation, dict[str, float | None]]:
    found = result_of(evaluate_decisions(gallery))
    return found, {one.name: one.value for one in found.figures}


def test_the_gallerys_own_answers_are_compared_with_what_was_said(
    gallery: Engine, shots: Path
) -> None:
    red = [shots / f"Asuka-{number}.png" for number in range(4)]
    result_of(decide.confirm(gallery, red[:3], "Asuka"))
    # One of them is somebody else after all: the gallery by itself is sure of a wrong name.
    result_of(decide.confirm(gallery, red[3:], "Rei"))
    result_of(decide.confirm(gallery, [shots / "green-0.png"], "Rei"))
    found, figures = measured(gallery)
    assert len(found.confirmed) == 5
    assert [(one.sighting.path.name, one.answer.character) for one in found.wrong] == [
        ("Asuka-3.png", "Asuka")
    ]
    assert figures["decided.sure.right"] == pytest.approx(3 / 5)
    assert figures["decided.sure.wrong"] == pytest.approx(1 / 5)
    assert figures["decided.unknown"] == pytest.approx(1 / 5)
    assert figures["decided.no_face.sure"] is None
    values = decided_json(found, "fake")
    assert (values["confirmed"], values["wrong"]) == (5, 1)
    assert values["mistakes"][0]["taken_for"] == "Asuka"
    assert any(line.startswith("decided.sure.wrong 0.2") for line in lines(found))


def test_rejected_names_and_no_faces_are_asked_about_as_if_nobody_had_said_so(
    gallery: Engine, shots: Path
) -> None:
    review.reject(gallery, shots / "Rei-0.png", "Rei")
    result_of(decide.set_aside(gallery, [shots / "Rei-1.png"], Action.NO_FACE))
    result_of(decide.set_aside(gallery, [shots / "Rei-2.png"], Action.IGNORE))
    found, figures = measured(gallery)
    assert figures["decided.rejected.sure"] == 1.0
    assert figures["decided.no_face.sure"] == 1.0
    assert len(found.probes) == len(found.wrong) == 2
    assert found.confirmed == []


def test_enrolled_faces_and_those_that_are_not_seen_are_left_out_and_counted(
    gallery: Engine, shots: Path, tmp_path: Path
) -> None:
    sample = tmp_path / "in" / "Asuka" / "0.png"
    list(identify_files(gallery, [sample], keep=True))
    result_of(decide.confirm(gallery, [sample], "Asuka"))
    result_of(decide.confirm(gallery, [picture(tmp_path / "x.png", RED, 99)], "Asuka"))
    found, _ = measured(gallery)
    assert (len(found.probes), found.enrolled, found.unseen) == (0, 1, 1)


def test_samples_that_a_person_decided_otherwise_of_are_nobodys_probes(
    gallery: Engine, tmp_path: Path, shots: Path
) -> None:
    before = result_of(evaluate(gallery))
    assert before.asked == 6
    sample = tmp_path / "in" / "Asuka" / "0.png"
    result_of(decide.confirm(gallery, [sample], "Rei"))
    assert result_of(evaluate(gallery)).asked == 5
    decide.undo(gallery)
    assert result_of(evaluate(gallery)).asked == 6


def test_the_command_says_how_many_were_wrong(tmp_path: Path, database: Path) -> None:
    def run(*words: str, code: int = 0) -> str:
        done = call("--detector", "whole", *words, cwd=tmp_path, database=database)
        assert done.code == code, done.stderr
        return done.stdout

    for name, colour in COLOURS.items():
        picture(tmp_path / "in" / name / "1.png", colour, 1)
        picture(tmp_path / "new" / f"{name}.png", colour, 2)
    run("enroll", "in")
    run("label", "new", "--out", "all.jsonl")
    assert "Of 0 confirmed, 0 were wrong." in run("evaluate", "--decisions")
    run("confirm", "new/Asuka.png", "--as", "Asuka")
    assert "Of 1 confirmed, 0 were wrong: 0.0 %." in run("evaluate", "--decisions")
    assert json.loads(run("evaluate", "--decisions", "--json"))["confirmed"] == 1
    assert "decided.sure.right" in run("evaluate", "--decisions", "--figures")
    run("evaluate", "in", "--decisions", code=2)
