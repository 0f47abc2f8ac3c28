"""A few confirmed faces become references: those that can be seen and stand for others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import call
from fakes import Square, write_picture
from labelled import identify_files

from gallery.engine.engine import Engine
from gallery.errors import NoSuchCharacter, NothingConfirmed, ReferencesUndone
from gallery.events import result_of
from gallery.jobs import decide
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.meant import SeenFace
from gallery.jobs.references import References, references, references_of_all
from gallery.numerics.choosing import chosen
from gallery.types import Decided

RED, BLUE, PURPLE, PINK = (220, 20, 20), (20, 20, 220), (120, 20, 150), (230, 90, 200)


@pytest.fixture
def confirmed(gallery: Engine, tmp_path: Path) -> Engine:
    """Rei is enrolled in blue; confirmed as her are three blue faces, four purple and a pink."""
    write_picture(tmp_path / "in" / "Rei" / "0.png", Square(10, 20, 60, BLUE), seed=1)
    candidates, _ = candidates_in(tmp_path / "in")
    list(enroll_candidates(gallery, candidates))
    for name, colour, count in (("blue", BLUE, 3), ("purple", PURPLE, 4), ("pink", PINK, 1)):
        for number in range(count):
            place = tmp_path / "new" / f"{name}-{number}.png"
            write_picture(place, Square(10, 20, 60, colour), seed=50 + number)
    list(identify_files(gallery, sorted((tmp_path / "new").iterdir()), keep=True))
    faces = [SeenFace(one.id) for one in gallery.store.sightings.all()]
    result_of(decide.confirm(gallery, faces, "Rei"))
    return gallery


def names(found: References) -> list[str]:
    return [one.face.path.stem.partition("-")[0] for one in found.chosen]


def test_what_stands_for_most_comes_first_and_copies_not_at_all(confirmed: Engine) -> None:
    said = result_of(references(confirmed, "Rei", dry_run=True))
    assert (said.character, said.confirmed, said.added) == ("Rei", 8, 0)
    assert names(said)[:2] == ["purple", "pink"]
    assert "blue" not in names(said)
    assert all(one.apart is not None and one.apart > 0.05 for one in said.chosen)
    assert confirmed.store.character("Rei").samples == 1
    done = result_of(references(confirmed, "Rei", 1))
    assert (names(done), done.added) == (["purple"], 1)
    assert confirmed.store.character("Rei").samples == 2
    again = result_of(references(confirmed, "Rei"))
    assert names(again) == ["pink"]
    assert result_of(references(confirmed, "Rei")).chosen == ()


def test_whoever_has_no_sample_begins_with_the_face_that_stands_for_most(
    confirmed: Engine,
) -> None:
    faces = [SeenFace(one.id) for one in confirmed.store.sightings.all()]
    result_of(decide.confirm(confirmed, faces, "Misato", new=True))
    found = result_of(references(confirmed, "Misato"))
    assert names(found)[0] == "purple"
    assert found.chosen[0].apart is None
    assert set(names(found)) == {"purple", "blue", "pink"}
    assert confirmed.store.character("Misato").samples == found.added == len(found.chosen)


def test_without_a_confirmed_face_a_sentence_says_so(gallery: Engine, confirmed: Engine) -> None:
    with confirmed.store.writing() as writer:
        writer.character_id("Asuka")
    with pytest.raises(NothingConfirmed):
        result_of(references(confirmed, "Asuka"))
    with pytest.raises(NoSuchCharacter):
        result_of(references(confirmed, "Nobody"))


def test_what_is_worth_more_is_chosen_among_likes_and_little_worth_is_not_lost() -> None:
    spread = np.array([[0.0], [0.01], [1.0]], np.float32)
    worth = np.array([0.2, 0.9, 0.5])
    none = np.zeros((0, 1), np.float32)
    found = chosen(spread, worth, none, most=5, reach=0.8, apart=0.05)
    assert [one.row for one in found] == [1, 2]
    assert chosen(spread[:0], worth[:0], none, most=5, reach=0.8, apart=0.05) == []
    known = np.array([[0.0]], np.float32)
    assert [one.row for one in chosen(spread, worth, known, most=5, reach=0.8, apart=0.05)] == [2]
    assert chosen(spread, worth, spread, most=5, reach=0.8, apart=0.05) == []


def test_the_command_says_what_it_does(tmp_path: Path, database: Path) -> None:
    done = call("references", "Rei", cwd=tmp_path, database=database)
    assert done.code == 1
    assert "gallery enroll FOLDER" in done.complaint


def test_references_are_a_step_and_undo_takes_them_out(confirmed: Engine) -> None:
    done = result_of(references(confirmed, "Rei", 2))
    assert done.step is not None
    assert done.step.title == "took 2 references of Rei"
    before = {one.face.id for one in done.chosen}
    undone = decide.undo(confirmed)
    assert undone.restored == 2
    assert confirmed.store.character("Rei").samples == 1
    assert confirmed.store.decisions.counts()[Decided.CONFIRMED, "Rei"] == 8
    with pytest.raises(ReferencesUndone, match="take them anew"):
        decide.undo(confirmed, [undone.steps[0].id])
    again = result_of(references(confirmed, "Rei", 2))
    assert {one.face.id for one in again.chosen} == before
    assert confirmed.store.character("Rei").samples == 3


def test_a_reference_that_was_decided_of_since_stays_one(confirmed: Engine) -> None:
    done = result_of(references(confirmed, "Rei", 2))
    assert done.step is not None
    later = done.chosen[0].face.id
    result_of(decide.confirm(confirmed, [SeenFace(later)], "Rei"))
    undone = decide.undo(confirmed, [done.step.id])
    assert (undone.restored, len(undone.left)) == (1, 1)
    assert confirmed.store.character("Rei").samples == 2


def test_references_of_all_are_one_step(confirmed: Engine) -> None:
    pink = next(one for one in confirmed.store.sightings.all() if one.path.stem == "pink-0")
    result_of(decide.confirm(confirmed, [SeenFace(pink.id)], "Misato", new=True))
    with confirmed.store.writing() as writer:
        writer.character_id("Asuka")
    taken = result_of(references_of_all(confirmed, take=1))
    assert [(one.character, len(one.chosen)) for one in taken.of] == [("Rei", 1), ("Misato", 1)]
    assert taken.step is not None
    assert taken.step.title == "took 2 references"
    decide.undo(confirmed, [taken.step.id])
    samples = {one.name: one.samples for one in confirmed.characters()}
    assert samples == {"Asuka": 0, "Misato": 0, "Rei": 1}
    some = result_of(references_of_all(confirmed, ["Misato", "Asuka"]))
    assert [one.character for one in some.of] == ["Misato"]
    assert result_of(references_of_all(confirmed, ["Misato"])).step is None
