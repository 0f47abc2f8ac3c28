"""Heads that a person draws are seen faces, and stay whatever labels their picture again."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from fakes import FakeDetector, Square, enroll_squares, fake_gallery, write_picture
from labelled import identify_files

from gallery.engine.engine import Engine
from gallery.errors import (
    BadArchive,
    BadSetting,
    HeadSeen,
    InputError,
    NoSuchSeenFace,
    NotDrawn,
    NothingToUndo,
    UnreadableFile,
    UnusableFile,
)
from gallery.events import result_of
from gallery.jobs import decide
from gallery.jobs.answers import renew
from gallery.jobs.draw import draw, erase
from gallery.jobs.meant import SeenFace
from gallery.jobs.relabel_pictures import relabel_pictures
from gallery.media.images import encode_png, read_image
from gallery.store import archive
from gallery.store.sightings import DRAWN
from gallery.types import Box, Decided, Face

RED, BLUE, DULL = (220, 20, 20), (20, 20, 220), (120, 60, 60)
MISSED = Square(90, 30, 50, DULL)
BOX = Box(90.0, 30.0, 140.0, 80.0)


@pytest.fixture
def picture(gallery: Engine, tmp_path: Path) -> Path:
    """A labelled picture of a face that is seen, and one too dull for the detector."""
    enroll_squares(gallery, tmp_path / "in", {"Asuka": RED, "Rei": BLUE})
    path = write_picture(tmp_path / "both.png", Square(10, 20, 60, RED), MISSED)
    list(identify_files(gallery, [path], keep=True))
    return path


def boxes(gallery: Engine, path: Path) -> list[Box]:
    return [one.face.box for one in gallery.store.sightings.at(path)]


def test_a_drawn_head_is_a_seen_face_with_an_answer(gallery: Engine, picture: Path) -> None:
    number = draw(gallery, 1, BOX)
    one = gallery.store.sightings.some([number])[number]
    assert (one.face.box, one.face.score, one.detector) == (BOX, 1.0, DRAWN)
    assert one.is_drawn
    assert gallery.store.sightings.vectors(gallery.encoder)[0].tolist() == [1, number]
    answer = gallery.store.answers.of_faces(gallery.encoder, [number])[number]
    assert answer.verdict is not None
    assert not answer.is_stale
    assert len(answer.alternatives) == 2
    crop = gallery.store.sightings.crops([number])[number]
    assert crop.startswith(b"\xff\xd8")


def test_labelling_again_keeps_it_and_says_who_it_is(gallery: Engine, picture: Path) -> None:
    number = draw(gallery, 1, BOX)
    result_of(decide.confirm(gallery, [SeenFace(number)], "Rei"))
    for _ in range(2):
        (record,) = identify_files(gallery, [picture], keep=True)
        assert {one.character for one in record.faces} == {"Asuka", "Rei"}
        (rei,) = [one for one in record.faces if one.character == "Rei"]
        assert (rei.face.box, rei.decided) == (BOX, Decided.CONFIRMED)
        assert sorted(boxes(gallery, picture)) == [Box(10.0, 20.0, 70.0, 80.0), BOX]
        one = gallery.store.sightings.some([number])[number]
        assert (one.face.box, one.is_drawn) == (BOX, True)
        stored = gallery.store.answers.of_faces(gallery.encoder, [number])[number]
        assert (stored.character, stored.decided, stored.is_stale) == (
            "Rei", Decided.CONFIRMED, False,
        )  # fmt: skip
    records = list(relabel_pictures(gallery, gallery.store.sightings.pictures()))
    assert [len(one.faces) for one in records] == [2]


def test_its_crop_is_not_lost_by_labelling_again(gallery: Engine, picture: Path) -> None:
    number = draw(gallery, 1, BOX)
    before = gallery.store.sightings.crops([number])
    list(identify_files(gallery, [picture], keep=True))
    assert gallery.store.sightings.crops([number]) == before


def test_a_moved_picture_takes_it_along(gallery: Engine, picture: Path, tmp_path: Path) -> None:
    number = draw(gallery, 1, BOX)
    moved = picture.rename(tmp_path / "moved.png")
    list(identify_files(gallery, [moved], keep=True))
    assert gallery.store.sightings.some([number])[number].path == moved
    assert sorted(boxes(gallery, moved)) == [Box(10.0, 20.0, 70.0, 80.0), BOX]


def test_a_picture_that_was_written_into_keeps_it(gallery: Engine, picture: Path) -> None:
    number = draw(gallery, 1, BOX)
    picture.write_bytes(picture.read_bytes() + b"a note behind the picture")
    (record,) = identify_files(gallery, [picture], keep=True)
    assert len(record.faces) == 2
    assert gallery.store.sightings.some([number])[number].digest == record.digest
    assert len(boxes(gallery, picture)) == 2


def test_a_picture_in_its_place_does_not(gallery: Engine, picture: Path) -> None:
    number = draw(gallery, 1, BOX)
    write_picture(picture, Square(10, 20, 60, BLUE), seed=7)
    (record,) = identify_files(gallery, [picture], keep=True)
    assert len(record.faces) == 1
    assert gallery.store.sightings.some([number]) == {}


def test_identifying_the_picture_finds_it_too(gallery: Engine, picture: Path) -> None:
    assert len(gallery.identify(read_image(picture)).faces) == 1
    draw(gallery, 1, BOX)
    assert len(gallery.identify(read_image(picture)).faces) == 2


def test_a_copy_with_the_same_pixels_shows_it(
    gallery: Engine, picture: Path, tmp_path: Path
) -> None:
    draw(gallery, 1, BOX)
    copy = tmp_path / "copy.png"
    copy.write_bytes(picture.read_bytes() + b"a note behind the picture")
    (record,) = identify_files(gallery, [copy])
    assert BOX in [one.face.box for one in record.faces]


def test_a_detector_that_sees_it_later_does_not_double_it(database: Path, tmp_path: Path) -> None:
    class Dim(FakeDetector):
        def detect(self, images: object) -> list[list[Face]]:
            return [[one for one in found if one.box.left < 80] for found in super().detect(images)]  # type: ignore[arg-type]

    path = write_picture(tmp_path / "two.png", Square(10, 20, 60, RED), Square(90, 30, 50, BLUE))
    with fake_gallery(database, detector=Dim()) as gallery:
        list(identify_files(gallery, [path], keep=True))
        number = draw(gallery, 1, Box(88.0, 28.0, 142.0, 82.0))
    with fake_gallery(database) as gallery:
        (record,) = identify_files(gallery, [path], keep=True)
        assert len(record.faces) == 2
        assert Box(88.0, 28.0, 142.0, 82.0) in [one.face.box for one in record.faces]
        assert gallery.store.sightings.some([number])[number].is_drawn
    with fake_gallery(database, detector=Dim()) as gallery:
        (record,) = identify_files(gallery, [path], keep=True)
        assert len(record.faces) == 2


def test_another_encoder_describes_it_from_its_crop(gallery: Engine, picture: Path) -> None:
    number = draw(gallery, 1, BOX)
    gallery.encoder = "another"
    (record,) = identify_files(gallery, [picture])
    assert len(record.faces) == 2
    assert number in gallery.store.sightings.unencoded("another")


class NearSighted(FakeDetector):
    """Misses what is small in its picture."""

    def detect(self, images: object) -> list[list[Face]]:
        return [
            [one for one in found if one.box.width > image.width / 2]
            for image, found in zip(images, super().detect(images), strict=True)  # type: ignore[arg-type, call-overload]
        ]


def test_eyes_are_found_where_the_head_is_large(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    from fakes import draw as drawn

    pixels = drawn(Square(10, 20, 200, RED), Square(320, 60, 40, BLUE), width=390, height=240)
    path.write_bytes(encode_png(pixels))
    with fake_gallery(database, detector=NearSighted()) as gallery:
        list(identify_files(gallery, [path], keep=True))
        number = draw(gallery, 1, Box(316.0, 58.0, 362.0, 104.0))
        face = gallery.store.sightings.some([number])[number].face
        assert face.box == Box(316.0, 58.0, 362.0, 104.0)
        assert face.landmarks is not None
        left, right, *_ = face.landmarks
        assert tuple(left) == pytest.approx((332.0, 82.0))
        assert tuple(right) == pytest.approx((348.0, 82.0))


def test_a_head_is_taken_back_and_no_other_face(gallery: Engine, picture: Path) -> None:
    number = draw(gallery, 1, BOX)
    erase(gallery, number)
    assert boxes(gallery, picture) == [Box(10.0, 20.0, 70.0, 80.0)]
    for other in (number, 1):
        with pytest.raises(NotDrawn):
            erase(gallery, other)
    assert gallery.store.answers.counts(gallery.encoder).faces == 1


def test_a_drawn_head_is_a_step_that_is_undone_and_done_again(
    gallery: Engine, picture: Path
) -> None:
    whole = boxes(gallery, picture)
    draw(gallery, 1, BOX, "Mika")
    (step,) = gallery.store.decisions.steps()
    assert step.title.startswith(f"drew a head in {picture.name}")
    assert (step.who, step.faces) == ("Mika", 1)
    assert decide.undo(gallery).restored == 1
    assert boxes(gallery, picture) == whole
    with pytest.raises(NothingToUndo):
        decide.undo(gallery)
    decide.undo(gallery, [2])
    assert sorted(boxes(gallery, picture)) == sorted([*whole, BOX])
    drawn = max(gallery.store.sightings.all(), key=lambda one: one.id)
    assert drawn.is_drawn
    # What a newer step decided of is left alone.
    result_of(decide.confirm(gallery, [SeenFace(drawn.id)], "Rei", new=True))
    undone = decide.undo(gallery, [1])
    assert (undone.restored, len(undone.left)) == (0, 1)
    assert len(boxes(gallery, picture)) == 1 + len(whole)
    decide.undo(gallery)
    decide.undo(gallery)
    newest = gallery.store.decisions.steps()[0]
    assert newest.title == "undid step 1 for 1"
    picture.unlink()
    with pytest.raises(UnreadableFile):
        decide.undo(gallery, [newest.id])
    assert gallery.store.decisions.steps()[0] == newest


def test_a_box_that_reaches_beyond_the_picture_is_cut(gallery: Engine, picture: Path) -> None:
    number = draw(gallery, 1, Box(120.0, 80.0, 400.0, 300.0))
    assert gallery.store.sightings.some([number])[number].face.box == Box(120.0, 80.0, 160.0, 120.0)


@pytest.mark.parametrize(
    "box",
    [
        Box(90.0, 30.0, 95.0, 80.0), Box(140.0, 80.0, 90.0, 30.0), Box(500.0, 500.0, 600.0, 600.0),
        Box(float("nan"), 0.0, 50.0, 50.0), Box(0.0, 0.0, float("inf"), 50.0),
    ],
)  # fmt: skip
def test_a_box_that_is_none_is_refused(gallery: Engine, picture: Path, box: Box) -> None:
    with pytest.raises(BadSetting):
        draw(gallery, 1, box)


def test_where_a_face_was_seen_none_is_drawn(gallery: Engine, picture: Path) -> None:
    with pytest.raises(HeadSeen) as told:
        draw(gallery, 1, Box(12.0, 22.0, 70.0, 80.0))
    assert told.value.face == 1
    draw(gallery, 1, BOX)
    with pytest.raises(HeadSeen):
        draw(gallery, 1, BOX)


def test_a_picture_that_is_gone_or_another_is_told(gallery: Engine, picture: Path) -> None:
    with pytest.raises(NoSuchSeenFace):
        draw(gallery, 99, BOX)
    write_picture(picture, Square(10, 20, 60, BLUE))
    with pytest.raises(UnusableFile, match="another picture than when it was labelled"):
        draw(gallery, 1, BOX)
    picture.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        draw(gallery, 1, BOX)


def test_an_export_carries_it_to_another_gallery(
    gallery: Engine, picture: Path, tmp_path: Path
) -> None:
    number = draw(gallery, 1, BOX)
    result_of(decide.confirm(gallery, [SeenFace(number)], "Rei"))
    before = gallery.store.sightings.some([number])[number]
    archive.export(gallery.store, tmp_path / "whole.zip")
    with fake_gallery(tmp_path / "other.db") as other:
        for _ in range(2):
            archive.restore(other.store, tmp_path / "whole.zip")
        (head,) = other.store.sightings.all()
        assert (head.face, head.quality, head.is_drawn) == (before.face, before.quality, True)
        assert other.store.sightings.crops([head.id])[head.id].startswith(b"\xff\xd8")
        (record,) = identify_files(other, [picture], keep=True)
        assert {one.character for one in record.faces} == {"Asuka", "Rei"}
        assert len(other.store.sightings.all()) == 2
        result_of(renew(other))
        assert other.store.answers.counts(other.encoder).stale == 0


def test_an_export_that_lies_about_it_is_refused(
    gallery: Engine, picture: Path, tmp_path: Path
) -> None:
    draw(gallery, 1, BOX)
    archive.export(gallery.store, tmp_path / "whole.zip")
    for part, content in (
        ("drawn.jsonl", b"{}\n"), ("drawn.jsonl", b"[1]\n"), ("drawn/0.jpg", b"no picture"),
        ("drawn.jsonl", b'{"digest": "../a", "path": "/a", "box": [0, 0, 9, 9], "score": 1}\n'),
    ):  # fmt: skip
        with (
            zipfile.ZipFile(tmp_path / "whole.zip") as whole,
            zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad,
        ):
            for name in whole.namelist():
                bad.writestr(name, content if name == part else whole.read(name))
        with fake_gallery(tmp_path / "bad.db") as other:
            with pytest.raises(BadArchive):
                archive.restore(other.store, tmp_path / "bad.zip")
            assert other.store.sightings.all() == []
