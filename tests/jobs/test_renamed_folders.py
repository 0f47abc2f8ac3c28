"""A folder that was renamed is followed as one, with all that a person did."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from fakes import Square, write_picture

from gallery.engine.engine import Engine
from gallery.errors import EmptyCharacter, GalleryError, RenamedFolder
from gallery.events import Noticed
from gallery.faces.quality import NO_GATES
from gallery.jobs.enroll import enroll, named_in
from gallery.jobs.review import reject
from gallery.media import images
from gallery.types import Enrolled, Outcome, Source

COLOURS = {"Asuka": (220, 20, 20), "Mana": (20, 200, 20), "Rei": (20, 20, 220)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three characters by three pictures, which nothing but noise tells apart within one."""
    root = tmp_path / "pictures"
    for place, (name, colour) in enumerate(COLOURS.items()):
        for seed in range(3):
            path = root / name / "album" / f"{seed}.png"
            write_picture(path, Square(10, 10, 60, colour), seed=10 * place + seed)
    return root


class Told:
    """What one run told."""

    def __init__(self, gallery: Engine, folder: Path) -> None:
        named = named_in([folder], Source.FOLDERS)
        assert named is not None
        self.notices: list[GalleryError] = []
        self.enrolled: list[Enrolled] = []
        for event in enroll(gallery, named, gates=NO_GATES):
            if isinstance(event, Noticed):
                self.notices.append(event.notice)
            elif isinstance(event, Enrolled):
                self.enrolled.append(event)

    @property
    def outcomes(self) -> set[Outcome]:
        return {one.outcome for one in self.enrolled}


def counts(gallery: Engine) -> dict[str, int]:
    return {one.name: one.samples for one in gallery.characters()}


def test_a_renamed_folder_takes_its_character_with_it(gallery: Engine, folder: Path) -> None:
    Told(gallery, folder)
    stranger = write_picture(folder.parent / "x.png", Square(10, 10, 60, (230, 30, 200)), seed=77)
    rejection = reject(gallery, stranger, "Rei")
    moved = gallery.samples("Asuka")[0].id
    gallery.move([moved], "Mana")
    away = gallery.samples("Rei")[0].id
    gallery.move([away], "Asuka")
    (folder / "Rei").rename(folder / "Rei Ayanami")
    (folder / "Asuka").rename(folder / "Soryu")
    told = Told(gallery, folder)
    assert {str(one) for one in told.notices} == {
        "Rei is called Rei Ayanami now, since its folder is.",
        "Asuka is called Soryu now, since its folder is.",
    }
    assert told.outcomes == {Outcome.MOVED, Outcome.UNCHANGED}
    assert counts(gallery) == {"Mana": 4, "Rei Ayanami": 2, "Soryu": 3}
    assert {one.id for one in gallery.samples("Mana")} >= {moved}
    assert {one.id for one in gallery.samples("Soryu")} >= {away}
    assert [(one.id, one.character) for one in gallery.store.rejections.all()] == [
        (rejection.id, "Rei Ayanami")
    ]
    again = Told(gallery, folder)
    assert (again.notices, again.outcomes) == ([], {Outcome.UNCHANGED})


def test_a_name_goes_there_and_back_again(gallery: Engine, folder: Path) -> None:
    Told(gallery, folder)
    before = {one.id for one in gallery.samples("Rei")}
    for old, new in (("Rei", "Rey"), ("Rey", "Rei"), ("Rei", "rei"), ("rei", "綾波レイ")):
        (folder / old).rename(folder / new)
        (notice,) = Told(gallery, folder).notices
        assert isinstance(notice, RenamedFolder)
        assert (notice.former, notice.name, notice.character) == (old, new, new)
        assert {one.id for one in gallery.samples(new)} == before
        assert len(counts(gallery)) == 3


def test_a_name_that_a_person_gave_stays(gallery: Engine, folder: Path) -> None:
    Told(gallery, folder)
    gallery.rename("Rei", "First Child")
    (folder / "Rei").rename(folder / "Ayanami")
    (notice,) = Told(gallery, folder).notices
    assert str(notice) == "The folder Ayanami was Rei and means First Child, as it did."
    assert counts(gallery) == {"Asuka": 3, "First Child": 3, "Mana": 3}
    write_picture(folder / "Ayanami" / "new.png", Square(10, 10, 60, COLOURS["Rei"]), seed=99)
    Told(gallery, folder)
    assert counts(gallery)["First Child"] == 4


def test_a_copied_folder_that_lost_some_pictures_is_followed(gallery: Engine, folder: Path) -> None:
    Told(gallery, folder)
    shutil.copytree(folder / "Rei", folder / "Rey", copy_function=shutil.copyfile)
    shutil.rmtree(folder / "Rei")
    (folder / "Rey" / "album" / "2.png").unlink()
    for path in (folder / "Rey").rglob("*.png"):
        os.utime(path, (5, 5))
    told = Told(gallery, folder)
    assert [type(one) for one in told.notices] == [RenamedFolder]
    assert counts(gallery) == {"Asuka": 3, "Mana": 3, "Rey": 3}


def test_a_folder_of_the_same_files_is_known_without_reading_them(
    gallery: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Told(gallery, folder)
    (folder / "Rei").rename(folder / "Rey")
    read: list[Path] = []
    plain = images.read_bytes

    def counted(path: Path) -> bytes:
        read.append(path)
        return plain(path)

    monkeypatch.setattr("gallery.jobs.known_pictures.read_bytes", counted)
    assert len(Told(gallery, folder).notices) == 1
    # Once each, when they are followed.
    assert len(read) == len(set(read)) == 3


def test_pictures_that_go_to_somebody_else_are_new_labels(gallery: Engine, folder: Path) -> None:
    Told(gallery, folder)
    for path in (folder / "Rei" / "album").iterdir():
        path.rename(folder / "Asuka" / f"{path.stem}-{path.parent.parent.name}.png")
    shutil.rmtree(folder / "Rei")
    told = Told(gallery, folder)
    assert [str(one) for one in told.notices] == [
        "Rei has no samples left; make it one with whom its pictures went to, or forget it."
    ]
    assert isinstance(told.notices[0], EmptyCharacter)
    assert counts(gallery) == {"Asuka": 6, "Mana": 3, "Rei": 0}


def test_a_folder_that_fell_apart_is_no_renamed_one(gallery: Engine, folder: Path) -> None:
    Told(gallery, folder)
    for number, new in enumerate(("One", "Two", "Three")):
        target = folder / new / "album"
        target.mkdir(parents=True)
        (folder / "Rei" / "album" / f"{number}.png").rename(target / f"{number}.png")
    shutil.rmtree(folder / "Rei")
    told = Told(gallery, folder)
    assert [type(one) for one in told.notices] == [EmptyCharacter]
    assert counts(gallery) == {"Asuka": 3, "Mana": 3, "One": 1, "Rei": 0, "Three": 1, "Two": 1}


def test_a_name_that_can_be_none_is_refused_as_ever(gallery: Engine, folder: Path) -> None:
    Told(gallery, folder)
    (folder / "Rei").rename(folder / "a\tb")
    told = Told(gallery, folder)
    assert told.notices == []
    assert told.outcomes == {Outcome.REFUSED, Outcome.UNCHANGED}
    assert counts(gallery) == {"Asuka": 3, "Mana": 3, "Rei": 3}


def test_a_sample_moved_by_hand_stays_in_whatever_folder_its_file_is_put(
    gallery: Engine, folder: Path
) -> None:
    Told(gallery, folder)
    sample = gallery.samples("Rei")[0]
    gallery.move([sample.id], "Asuka")
    (folder / "Rei" / "album" / "0.png").rename(folder / "Mana" / "9.png")
    told = Told(gallery, folder)
    (one,) = [one for one in told.enrolled if one.stays_with is not None]
    assert (one.candidate.path.name, one.stays_with) == ("9.png", "Asuka")
    assert counts(gallery) == {"Asuka": 4, "Mana": 3, "Rei": 2}
    assert all(one.stays_with is None for one in Told(gallery, folder).enrolled)


def test_a_second_root_of_the_same_name_keeps_it(
    gallery: Engine, folder: Path, tmp_path: Path
) -> None:
    Told(gallery, folder)
    other = tmp_path / "more"
    write_picture(other / "Rei" / "1.png", Square(10, 10, 60, COLOURS["Rei"]), seed=50)
    Told(gallery, other)
    (folder / "Rei").rename(folder / "Rey")
    assert Told(gallery, folder).notices == []
    assert counts(gallery) == {"Asuka": 3, "Mana": 3, "Rei": 1, "Rey": 3}
