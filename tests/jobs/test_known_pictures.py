"""A picture stays the picture that it is, and what a person forgot stays forgotten."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from fakes import Square, fake_gallery, new_sample, write_picture
from rewritten import replace_picture, touch, turn, write_into

from gallery.engine.engine import Engine
from gallery.errors import SamePicture
from gallery.jobs.add import add
from gallery.jobs.enroll_folders import Enrolment, candidates_in
from gallery.jobs.enroll_regions import RegionEnrolment
from gallery.media.images import read_image
from gallery.metadata.named_regions import NamedFaces, NamedRegion
from gallery.store.archive import export, restore
from gallery.store.reader import Store
from gallery.types import Box, Content, Enrolled, Outcome, Retired

ONE = Square(20, 20, 60)
TWO = (Square(10, 10, 40), Square(90, 20, 40, (20, 20, 220)))
UNCHANGED, ADDED, FORGOTTEN = Outcome.UNCHANGED, Outcome.ADDED, Outcome.FORGOTTEN


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pictures"


def run(gallery: Engine, folder: Path, *, again: bool = False) -> list[Enrolled | Retired]:
    candidates, _ = candidates_in(folder)
    enrolment = Enrolment(gallery.store, gallery.describer, again=again)
    found = list(enrolment.run(candidates))
    return [*found, *enrolment.retired]


def enroll(gallery: Engine, folder: Path, *, again: bool = False) -> dict[str, Outcome]:
    """What became of each picture, by its file's name."""
    found = run(gallery, folder, again=again)
    return {one.candidate.path.name: one.outcome for one in found if isinstance(one, Enrolled)}


def counts(gallery: Engine) -> dict[str, int]:
    return {one.name: one.samples for one in gallery.characters()}


def forget_contents(database: Path) -> None:
    """Make a gallery one of the time before it was noted what files show."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DELETE FROM contents")
        connection.commit()


def test_what_is_written_into_a_file_leaves_it_the_same_picture(
    gallery: Engine, folder: Path
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    write_into(path)
    assert enroll(gallery, folder) == {"1.png": UNCHANGED}
    write_into(path, content=b"Keyword\0blue")
    assert enroll(gallery, folder) == {"1.png": UNCHANGED}
    (sample,) = gallery.samples("Rei")
    assert sample.digest == read_image(path).digest


@pytest.mark.parametrize("orientation", [3, 6])
def test_an_orientation_leaves_it_the_same_picture(
    gallery: Engine, folder: Path, orientation: int
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    turn(path, orientation)
    assert enroll(gallery, folder) == {"1.png": UNCHANGED}
    assert enroll(gallery, folder) == {"1.png": UNCHANGED}
    assert counts(gallery) == {"Rei": 1}


def test_the_pixels_are_those_before_the_picture_is_turned(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "1.png", ONE)
    before = read_image(path)
    turn(path, 6)
    after = read_image(path)
    assert before.content is not None
    assert after.content is not None
    assert before.content.pixels == after.content.pixels
    assert (before.content.orientation, after.content.orientation) == (1, 6)
    assert (after.width, after.height) == (before.height, before.width)
    other = read_image(write_picture(tmp_path / "2.png", ONE, seed=2)).content
    assert other is not None
    assert other.pixels != before.content.pixels


def test_files_gain_the_digest_of_their_pixels_as_they_are_met(
    database: Path, gallery: Engine, folder: Path
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    forget_contents(database)
    assert gallery.store.contents() == {}
    assert enroll(gallery, folder) == {"1.png": UNCHANGED}
    image = read_image(path)
    assert gallery.store.contents() == {image.digest: image.content}


def test_a_file_that_was_written_into_before_its_pixels_were_known_is_told_by_its_face(
    database: Path, gallery: Engine, folder: Path
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    (sample,) = gallery.samples("Rei")
    gallery.move([sample.id], "Asuka", new=True)
    forget_contents(database)
    write_into(path)
    assert enroll(gallery, folder) == {"1.png": UNCHANGED}
    assert counts(gallery) == {"Asuka": 1, "Rei": 0}


def test_a_file_that_was_renamed_and_written_into_has_moved(gallery: Engine, folder: Path) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    path = path.rename(path.with_name("new.png"))
    write_into(path)
    assert enroll(gallery, folder) == {"new.png": Outcome.MOVED}
    assert enroll(gallery, folder) == {"new.png": UNCHANGED}
    assert counts(gallery) == {"Rei": 1}


def test_a_copy_that_was_written_into_is_a_copy(gallery: Engine, folder: Path) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    copy = path.with_name("0 copy.png")
    copy.write_bytes(path.read_bytes())
    write_into(copy)
    assert enroll(gallery, folder) == {"0 copy.png": Outcome.DUPLICATE, "1.png": UNCHANGED}


def test_writing_into_both_files_of_a_riddle_solves_it_for_nobody(
    gallery: Engine, folder: Path
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    twin = folder / "Asuka" / "1.png"
    twin.parent.mkdir()
    twin.write_bytes(path.read_bytes())
    for one in (path, twin):
        write_into(one, content=b"Rating\0" + str(one).encode())
    found = [one for one in run(gallery, folder) if isinstance(one, Enrolled)]
    assert [one.outcome for one in found] == [Outcome.REFUSED, UNCHANGED]
    assert isinstance(found[0].error, SamePicture)
    assert counts(gallery) == {"Rei": 1}


def test_a_picture_that_took_the_place_of_another_takes_its_samples_place(
    gallery: Engine, folder: Path
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    enroll(gallery, folder)
    (before,) = gallery.samples("Rei")
    replace_picture(path, 2, ONE)
    added, gone = run(gallery, folder)
    assert isinstance(added, Enrolled)
    assert added.outcome is ADDED
    assert gone == Retired(before.id, "Rei", path.resolve())
    (now,) = gallery.samples("Rei")
    assert now.digest == read_image(path).digest
    assert enroll(gallery, folder) == {"1.png": UNCHANGED}


def test_what_a_person_moved_stays_where_its_file_is_replaced(
    gallery: Engine, folder: Path
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    enroll(gallery, folder)
    gallery.move([gallery.samples("Rei")[0].id], "Asuka", new=True)
    replace_picture(path, 2, ONE)
    assert enroll(gallery, folder) == {"1.png": ADDED}
    assert counts(gallery) == {"Asuka": 1, "Rei": 1}


@pytest.mark.parametrize("name", ["0.png", "2.png"])
def test_a_picture_that_was_renamed_before_its_place_was_taken_keeps_its_sample(
    gallery: Engine, folder: Path, name: str
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    enroll(gallery, folder)
    (before,) = gallery.samples("Rei")
    path.rename(path.with_name(name))
    replace_picture(path, 2, ONE)
    assert enroll(gallery, folder) == {name: Outcome.MOVED, "1.png": ADDED}
    assert {one.id for one in gallery.samples("Rei")} > {before.id}
    assert {one.path.name for one in gallery.samples("Rei")} == {name, "1.png"}


def test_pictures_that_change_places_keep_their_samples(gallery: Engine, folder: Path) -> None:
    first = write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    second = write_picture(folder / "Rei" / "2.png", ONE, seed=2)
    enroll(gallery, folder)
    before = {one.path.name: one.id for one in gallery.samples("Rei")}
    spare = first.rename(first.with_suffix(".spare"))
    second.rename(first)
    spare.rename(second)
    for path in (first, second):
        touch(path)
    assert set(enroll(gallery, folder).values()) == {Outcome.MOVED}
    after = {one.path.name: one.id for one in gallery.samples("Rei")}
    assert after == {"1.png": before["2.png"], "2.png": before["1.png"]}


@pytest.mark.parametrize("squares", [(), TWO])
def test_a_file_that_holds_nothing_to_enroll_now_leaves_its_sample(
    gallery: Engine, folder: Path, squares: tuple[Square, ...]
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    enroll(gallery, folder)
    replace_picture(path, 2, *squares)
    assert enroll(gallery, folder) == {"1.png": Outcome.REFUSED}
    assert counts(gallery) == {"Rei": 1}


def test_a_run_that_was_stopped_leaves_the_rest_to_the_next(gallery: Engine, folder: Path) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    enroll(gallery, folder)
    replace_picture(path, 2, ONE)
    candidates, _ = candidates_in(folder)
    (only,) = islice(Enrolment(gallery.store, gallery.describer).run(candidates), 1)
    assert only.outcome is ADDED
    assert counts(gallery) == {"Rei": 2}
    assert enroll(gallery, folder) == {"1.png": UNCHANGED}
    assert counts(gallery) == {"Rei": 1}


def test_a_picture_that_came_back_after_a_stopped_run_stays(gallery: Engine, folder: Path) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    content = path.read_bytes()
    enroll(gallery, folder)
    (before,) = gallery.samples("Rei")
    replace_picture(path, 2, ONE)
    candidates, _ = candidates_in(folder)
    list(islice(Enrolment(gallery.store, gallery.describer).run(candidates), 1))
    path.write_bytes(content)
    touch(path)
    assert enroll(gallery, folder) == {"1.png": UNCHANGED}
    assert [one.id for one in gallery.samples("Rei")] == [before.id]


def test_a_sample_of_another_machine_stays_where_a_path_of_its_own_is_replaced(
    gallery: Engine, folder: Path, tmp_path: Path
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    with fake_gallery(tmp_path / "other.db") as other:
        write_picture(path, ONE, seed=5)
        enroll(other, folder)
        export(other.store, tmp_path / "other.zip")
    replace_picture(path, 1, ONE)
    enroll(gallery, folder)
    restore(gallery.store, tmp_path / "other.zip")
    assert counts(gallery) == {"Rei": 2}
    replace_picture(path, 2, ONE)
    assert enroll(gallery, folder) == {"1.png": ADDED}
    assert counts(gallery) == {"Rei": 2}


def regions(path: Path, *, names: tuple[str, str] = ("Rei", "Asuka")) -> NamedFaces:
    boxes = (Box(10, 10, 50, 50), Box(90, 20, 130, 60))
    return NamedFaces(path, tuple(map(NamedRegion, names, boxes)))


def enroll_regions(gallery: Engine, *named: NamedFaces, again: bool = False) -> Counter[str]:
    enrolment = RegionEnrolment(gallery.store, gallery.describer, again=again)
    counted = Counter(one.outcome.value for one in enrolment.run(named))
    return counted + Counter(retired=len(enrolment.retired))


def test_named_faces_of_a_file_that_is_written_into_stay_the_same(
    gallery: Engine, tmp_path: Path
) -> None:
    path = write_picture(tmp_path / "1.png", *TWO)
    assert enroll_regions(gallery, regions(path)) == {"added": 2}
    write_into(path)
    assert enroll_regions(gallery, regions(path)) == {"unchanged": 2}
    assert {one.digest for one in gallery.store.samples("fake")} == {read_image(path).digest}
    turn(path, 3)
    shown = NamedFaces(
        path,
        (NamedRegion("Asuka", Box(30, 60, 70, 100)), NamedRegion("Rei", Box(110, 70, 150, 110))),
    )
    for _ in range(2):
        assert enroll_regions(gallery, shown) == {"unchanged": 2}
    assert counts(gallery) == {"Asuka": 1, "Rei": 1}


def test_named_faces_of_a_picture_that_was_replaced_go(gallery: Engine, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "1.png", *TWO)
    enroll_regions(gallery, regions(path))
    replace_picture(path, 2, *TWO)
    assert enroll_regions(gallery, regions(path)) == {"added": 2, "retired": 2}
    assert counts(gallery) == {"Asuka": 1, "Rei": 1}


def test_a_named_face_stays_forgotten_and_its_neighbour_is_none_the_worse(
    gallery: Engine, tmp_path: Path
) -> None:
    path = write_picture(tmp_path / "1.png", *TWO)
    enroll_regions(gallery, regions(path))
    gallery.forget_samples([gallery.samples("Rei")[0].id])
    write_into(path)
    assert enroll_regions(gallery, regions(path)) == {"forgotten": 1, "unchanged": 1}
    assert enroll_regions(gallery, regions(path, names=("Mana", "Asuka"))) == {
        "added": 1,
        "unchanged": 1,
    }
    gallery.forget("Mana")
    assert enroll_regions(gallery, regions(path), again=True) == {"added": 1, "unchanged": 1}
    assert enroll_regions(gallery, regions(path)) == {"unchanged": 2}


@pytest.mark.parametrize("whole", [True, False])
def test_what_was_forgotten_stays_so_until_it_is_asked_for(
    gallery: Engine, folder: Path, whole: bool
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    if whole:
        assert gallery.forget("Rei") == 1
    else:
        gallery.forget_samples([gallery.samples("Rei")[0].id])
    for _ in range(2):
        assert enroll(gallery, folder) == {"1.png": FORGOTTEN}
    write_into(path)
    path = path.rename(path.with_name("new.png"))
    for _ in range(2):
        assert enroll(gallery, folder) == {"new.png": FORGOTTEN}
    assert sum(counts(gallery).values()) == 0
    assert enroll(gallery, folder, again=True) == {"new.png": ADDED}
    assert enroll(gallery, folder) == {"new.png": UNCHANGED}
    assert gallery.store.forgotten() == []


def test_what_was_forgotten_is_a_new_label_in_the_folder_of_another(
    gallery: Engine, folder: Path
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    gallery.rename("Rei", "Ayanami")
    gallery.forget_samples([gallery.samples("Rei")[0].id])
    for name in ("Rei", "Ayanami"):
        path.parent.rename(folder / name)
        path = folder / name / "1.png"
        assert enroll(gallery, folder) == {"1.png": FORGOTTEN}
    path.parent.rename(folder / "Asuka")
    assert enroll(gallery, folder) == {"1.png": ADDED}
    assert counts(gallery) == {"Asuka": 1, "Ayanami": 0}


def test_what_was_forgotten_comes_back_where_a_person_adds_it(
    gallery: Engine, folder: Path
) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    gallery.forget("Rei")
    add(gallery, read_image(path), "Rei")
    assert enroll(gallery, folder) == {"1.png": UNCHANGED}


def test_a_picture_is_added_once_from_a_file_and_from_memory(gallery: Engine, folder: Path) -> None:
    path = write_picture(folder / "Rei" / "1.png", ONE)
    enroll(gallery, folder)
    (sample,) = gallery.samples("Rei")
    write_into(path)
    assert add(gallery, read_image(path), "Rei").id == sample.id
    assert counts(gallery) == {"Rei": 1}


def test_a_copy_of_one_file_under_two_digests_has_one_owner(store: Store) -> None:
    image_of = {number: new_sample("Rei", number) for number in (1, 2)}
    with store.writing() as writer:
        assert writer.add(image_of[1]) is not None
        for one in image_of.values():
            writer.remember_content(one.digest, Content("p" * 64))
        assert writer.owner_of(image_of[2].digest) == "Rei"
        assert writer.owner_of("p" * 64) == "Rei"
        assert writer.add(image_of[2]) is None


def test_another_machine_knows_the_pictures_and_what_was_forgotten(
    gallery: Engine, folder: Path, tmp_path: Path
) -> None:
    kept = write_picture(folder / "Rei" / "kept.png", ONE, seed=1)
    gone = write_picture(folder / "Rei" / "gone.png", ONE, seed=2)
    enroll(gallery, folder)
    gallery.forget_samples(
        [one.id for one in gallery.samples("Rei") if one.path.name == "gone.png"]
    )
    export(gallery.store, tmp_path / "whole.zip")
    with fake_gallery(tmp_path / "other.db") as other:
        restore(other.store, tmp_path / "whole.zip")
        write_into(kept)
        assert enroll(other, folder) == {"kept.png": UNCHANGED, "gone.png": FORGOTTEN}
        write_into(gone)
        assert enroll(other, folder) == {"kept.png": UNCHANGED, "gone.png": FORGOTTEN}


def test_an_import_brings_back_what_was_forgotten_here_and_forgets_nothing(
    gallery: Engine, folder: Path, tmp_path: Path
) -> None:
    write_picture(folder / "Rei" / "1.png", ONE, seed=1)
    enroll(gallery, folder)
    export(gallery.store, tmp_path / "with.zip")
    gallery.forget("Rei")
    export(gallery.store, tmp_path / "without.zip")
    restore(gallery.store, tmp_path / "with.zip")
    restore(gallery.store, tmp_path / "without.zip")
    assert enroll(gallery, folder) == {"1.png": UNCHANGED}
    assert gallery.store.forgotten() == []
