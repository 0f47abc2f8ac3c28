"""The newcomer's own arithmetic: what is drawn, typed, counted and called a silent loss."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import first_hour, newcomer
from benchmarks.first_hour import Done, Mistakes, Step
from benchmarks.newcomer import Newcomer, Said
from measuring.faces import Faces


def faces(counts: dict[str, int]) -> Faces:
    identity = np.array([name for name, count in counts.items() for _ in range(count)])
    same = np.array([""] * len(identity))
    pixels = np.zeros((len(identity), 160, 160, 3), np.uint8)
    return Faces(pixels, identity, same, same, same, same)


def test_a_gallery_is_drawn_and_who_is_left_is_a_stranger() -> None:
    some = faces({"a:rei": 12, "b:rei": 12, "a:asuka_langley": 12, "a:extra": 3})
    drawn = newcomer.cast(
        some, range(39), np.random.default_rng(0), characters=3, references=4, probes=5,
        strangers=9,
    )  # fmt: skip
    assert drawn.names == ("Asuka Langley", "Rei", "Rei of b")
    for name, identity in zip(drawn.names, ("a:asuka_langley", "a:rei", "b:rei"), strict=True):
        rows = [*drawn.references[name], *drawn.probes[name]]
        assert len(set(rows)) == 9
        assert {some.identity[row] for row in rows} == {identity}
    assert sorted(drawn.strangers) == [36, 37, 38]


def step(name: str, verdicts: str, *warnings: str) -> Step:
    """A step of four pictures of Rei and two of strangers, a letter of a verdict each."""
    said = {
        "R": Said("sure", "Rei"), "r": Said("sure", "Rey"), "w": Said("sure", "Asuka"),
        "?": Said("unsure", "Asuka"), "-": Said("unknown", None),
    }  # fmt: skip
    return Step(
        name, {f"{row}.png": said[one] for row, one in enumerate(verdicts)}, 10, [*warnings]
    )


def done(*steps: Step) -> Done:
    truth: dict[str, str | None] = {f"{row}.png": "Rei" for row in range(4)}
    truth |= {"4.png": None, "5.png": None}
    return Done(steps, (), truth, {"Rey": "Rei"}, frozenset({"3.png"}), True, 2)


def test_names_that_stand_for_a_character_are_right_and_decided_pictures_do_not_count() -> None:
    found = done(step("labelled", "RrwR?-"))
    counts = first_hour.counted(found, found.steps[0])
    assert counts == {"right": 2, "wrong": 1, "unsure ": 1, "unknown ": 1}
    assert first_hour.known(counts) == 3
    (row,) = first_hour.rows_of([found])
    assert row == ("labelled", "2", "1", "0", "0", "0", "1", "1", "10", "0/1")


def test_a_report_speaks_of_moves_where_something_was_moved() -> None:
    moved = done(step("labelled", "RRRR--"), step("relabelled", "RRRR--"))
    assert "stayed: 1 of 1. Proposals followed: 2." in first_hour.report("dev-tv", [moved], 1.0)
    rejected = Done(moved.steps, (), moved.truth, {}, frozenset())
    said = first_hour.report("dev-tv", [rejected], 1.0)
    assert "4 faces of known characters and 2 of strangers" in said
    assert "moved" not in said


def test_a_loss_without_a_word_is_told() -> None:
    before, after = step("labelled", "RRRR--"), step("relabelled", "RRRR--")
    fell = step("doubled", "R??R--")
    assert first_hour.silent([done(before, after, fell)]) == ["gallery 1, doubled: 2 of 3"]
    warned = step("doubled", "R??R--", "Rei and Rey look like one character")
    assert first_hour.silent([done(before, after, warned)]) == []


def test_a_person_types_commands_and_moves_files(tmp_path: Path) -> None:
    person = Newcomer(tmp_path)
    (tmp_path / "a.png").touch()
    person.moves("a.png", "characters/Rei/a.png")
    assert (tmp_path / "characters" / "Rei" / "a.png").exists()
    assert person.typed == len("mv a.png characters/Rei/a.png") + 1
    assert "gallery" in person.types("doctor", "--help")
    with pytest.raises(RuntimeError, match="ended with 2"):
        person.types("nothing")


def test_mistakes_have_names_of_their_own() -> None:
    assert Mistakes("Nami", "Zoro", "Usopp").misspelt == "Namy"
    assert Mistakes("Amy", "Zoro", "Usopp").misspelt == "Ami"
    assert Mistakes("Nami", "Zoro", "Usopp").new == "Usopp (TV)"


def test_records_are_read_by_the_largest_face(tmp_path: Path) -> None:
    small = {"box": [0, 0, 9, 9], "verdict": "sure", "character": "Rei"}
    large = {"box": [0, 0, 90, 90], "verdict": "unknown", "character": None}
    records = [{"path": "/x/1.png", "faces": [small, large]}, {"path": "/x/2.png", "faces": []}]
    (tmp_path / "r.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records))
    assert newcomer.said_in(tmp_path / "r.jsonl") == {"1.png": Said("unknown", None)}
