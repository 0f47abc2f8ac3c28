"""Two faces of one picture are two characters, however they are asked about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import fake_gallery, new_sample

from gallery.engine.engine import Engine
from gallery.identify.calibration.evidence import Vectors
from gallery.store.steps import Action, FaceMeant
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

CHARACTERS, EACH = 14, 4
LEFT, RIGHT = Box(0, 0, 50, 50), Box(60, 0, 110, 50)
ONE = Place("one")
LIMITS = Thresholds(sure=0.75, unknown=1.1, margin=0.05)


def places(count: int) -> Vectors:
    drawn = np.zeros((count, DIMENSION))
    drawn[:, :12] = np.random.default_rng(0).normal(size=(count, 12))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


def near(place: Vectors, seed: int, scale: float = 0.05) -> Vectors:
    drawn = np.random.default_rng(seed).normal(scale=scale, size=DIMENSION)
    return np.asarray(place + drawn, dtype=np.float32)


def face(vector: Vectors, box: Box) -> DescribedFace:
    pixels = np.zeros((150, 150, 3), np.uint8)
    return DescribedFace(Face(box, 1.0), pixels, vector, Quality(50, 1.0, None, None, 0.0))


@pytest.fixture(params=[False, True], ids=["thresholds", "calibrated"])
def known(database: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    with fake_gallery(database, thresholds=LIMITS) as gallery:
        with gallery.store.writing() as writer:
            for character, centre in enumerate(places(CHARACTERS)):
                for number in range(EACH):
                    seed = 1000 * character + number
                    vectors = {"fake": near(centre, seed)}
                    writer.add(new_sample(f"character {character:02}", seed, vectors))
        if request.param:
            gallery.calibrate(0.05)
        yield gallery


def pair(first: float = 0.05, second: float = 0.05) -> list[DescribedFace]:
    """Two faces of one character, each so far from where that lies."""
    (centre,) = places(1)
    return [face(near(centre, 5, first), LEFT), face(near(centre, 6, second), RIGHT)]


def asked(gallery: Engine, faces: list[DescribedFace], *, beside: bool = True) -> list[Answer]:
    return gallery.answers(faces, places=[ONE, ONE if beside else Place("two")])


def test_the_likelier_face_has_the_name_and_the_other_one_has_not(known: Engine) -> None:
    alone = asked(known, pair(0.02, 0.06), beside=False)
    assert [one.character for one in alone] == ["character 00"] * 2
    first, second = asked(known, pair(0.02, 0.06))
    assert first.character == "character 00"
    assert second.character != "character 00"
    assert second.verdict < Verdict.SURE
    assert first.verdict <= alone[0].verdict
    # What is nearest is still said.
    assert "character 00" in [one.character for one in second.matches]
    if alone[0].probability is not None:
        assert (first.probability or 0) <= alone[0].probability
        assert (second.stranger or 0) > (alone[1].stranger or 0)


def test_of_two_that_are_alike_none_is_sure(known: Engine) -> None:
    vector = near(places(1)[0], 5)
    twins = [face(vector, LEFT), face(vector, RIGHT)]
    assert {one.verdict for one in asked(known, twins, beside=False)} == {Verdict.SURE}
    assert Verdict.SURE not in {one.verdict for one in asked(known, twins)}


def test_faces_of_two_characters_are_answered_as_each_alone(known: Engine) -> None:
    centres = places(3)
    faces = [face(near(centres[1], 5), LEFT), face(near(centres[2], 6), RIGHT)]
    assert asked(known, faces) == asked(known, faces, beside=False)


def test_one_head_that_was_found_twice_is_one_person(known: Engine) -> None:
    one, other = pair()
    other = replace(other, face=replace(other.face, box=Box(3, 3, 47, 47)))
    assert asked(known, [one, other]) == asked(known, [one, other], beside=False)


def test_without_places_each_face_is_answered_alone(known: Engine) -> None:
    assert known.answers(pair()) == asked(known, pair(), beside=False)


def test_whom_a_person_confirmed_is_fixed(known: Engine) -> None:
    faces = pair(0.02, 0.06)
    with known.store.writing() as writer:
        step = writer.decisions.begin(Action.CONFIRM, "", "character 00")
        meant = FaceMeant(ONE, Path("one.png"), RIGHT)
        writer.decisions.decide(step, [meant], lambda state, _: state.confirmed("character 00"))
    first, second = asked(known, faces)
    assert (second.verdict, second.character) == (Verdict.SURE, "character 00")
    assert first.character != "character 00"
    assert first.verdict < Verdict.SURE
    # The gallery's own answer heeds no person.
    first, second = known.answers(faces, places=[ONE, ONE], heed=False)
    assert first.character == "character 00"
    assert second.character != "character 00"


def test_in_a_collage_several_faces_have_one_name(database: Path, known: Engine) -> None:
    known._collage = True
    assert asked(known, pair()) == asked(known, pair(), beside=False)
