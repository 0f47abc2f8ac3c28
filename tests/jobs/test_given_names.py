"""Whom names mean: those that differ by case, composition or width alone are one character."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from fakes import Square, enroll_squares, write_picture

from gallery.engine.engine import Engine
from gallery.events import EnrolmentStarted, Event, PassedOver, Refused
from gallery.faces.quality import NO_GATES
from gallery.jobs.enroll import enroll, named_in
from gallery.jobs.given_names import GivenNames
from gallery.store.names import folded
from gallery.types import Enrolled, Source


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nami", "nami"),
        ("Ｎａｍｉ", "nami"),
        ("ｶﾞｲ", "ガイ"),
        (unicodedata.normalize("NFD", "ガイ"), "ガイ"),
        ("STRASSE", "Straße"),
        ("Rei　Ayanami", "rei ayanami"),
    ],
)
def test_names_that_differ_by_case_composition_or_width_are_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("Sora", "Sora²"), ("ハ", "バ"), ("Nami", "Namy")])
def test_names_that_differ_otherwise_stay_apart(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def enrolled(gallery: Engine, folder: Path) -> list[Event[object]]:
    named = named_in([folder], Source.FOLDERS)
    assert named is not None
    return list(enroll(gallery, named, gates=NO_GATES))


def pictures(folder: Path, *names: str) -> Path:
    for seed, name in enumerate(names):
        write_picture(folder / name / "1.png", Square(10, 10, 60), seed=seed)
    return folder


def counts(gallery: Engine) -> dict[str, int]:
    return {one.name: one.samples for one in gallery.characters()}


def test_two_folders_of_one_spelling_make_one_character_and_it_is_said(
    gallery: Engine, tmp_path: Path
) -> None:
    folder = pictures(tmp_path / "a", "Nami", "nami", "Ｎａｍｉ", "Namy")
    started = enrolled(gallery, folder)[0]
    assert isinstance(started, EnrolmentStarted)
    assert started.taken_as == {"nami": "Nami", "Ｎａｍｉ": "Nami"}
    assert counts(gallery) == {"Nami": 3, "Namy": 1}
    # Run again, nothing moves.
    outcomes = {one.outcome.value for one in enrolled(gallery, folder) if isinstance(one, Enrolled)}
    assert outcomes == {"unchanged"}


def test_characters_that_are_apart_stay_apart(gallery: Engine, tmp_path: Path) -> None:
    enroll_squares(gallery, tmp_path / "a", {"Rei": (200, 0, 0), "REI": (0, 200, 0)})
    given = GivenNames(gallery.store)
    assert [given.meant_by(name) for name in ("Rei", "REI", "rei")] == ["Rei", "REI", "REI"]
    assert given.taken_as == {"rei": "REI"}


def test_a_former_name_in_another_case_means_who_had_it(gallery: Engine, tmp_path: Path) -> None:
    enroll_squares(gallery, tmp_path / "a", {"Asuka": (200, 0, 0)})
    gallery.rename("Asuka", "Soryu")
    assert GivenNames(gallery.store).character("ASUKA") == "Soryu"


def test_a_name_that_nobody_can_have_is_left_for_enrolment_to_refuse(gallery: Engine) -> None:
    assert GivenNames(gallery.store).meant_by("a\x07") == "a\x07"


def test_reject_classes_are_said_aloud_by_what_they_are(gallery: Engine, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "a", "Noise", "Noisette", "Rei")
    started = enrolled(gallery, folder)[0]
    assert isinstance(started, EnrolmentStarted)
    assert started.rejects == ("Noise", "Noisette")
    gallery.rename("Noisette", "Hazel")
    started = enrolled(gallery, folder)[0]
    assert isinstance(started, EnrolmentStarted)
    assert started.rejects == ("Noise",)


def test_folders_of_faces_without_a_name_are_no_characters(gallery: Engine, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "a", "Rei", "unknown", "no face", "%75nsure")
    events = enrolled(gallery, folder)
    # The escaped one is of a character that is called so.
    assert counts(gallery) == {"Rei": 1, "unsure": 1}
    root = folder.resolve()
    refused = [one for one in events if isinstance(one, Refused)]
    assert [one.path for one in refused] == [root / "no face", root / "unknown"]
    assert "rename it" in refused[0].reason


def test_what_is_not_enrolled_is_told(gallery: Engine, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "a", "Rei", "#recycle", "Rei/@eaDir")
    loose = write_picture(folder / "loose.png", Square(10, 10, 60))
    (folder / "Rei" / "2.psd").touch()
    events = enrolled(gallery, folder)
    assert [one.path for one in events if isinstance(one, Refused)] == [loose.resolve()]
    assert [one for one in events if isinstance(one, PassedOver)] == [PassedOver({".psd": 1})]
    assert counts(gallery) == {"Rei": 1}
