"""Unknown faces are gathered whole or not at all; known ones are left where they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeDetector, Square, fake_gallery, write_picture
from videos import at_rate, scene, write_video

from gallery.engine.engine import Engine
from gallery.errors import InputError
from gallery.events import Advanced, Gathered, Refused, VideoStarted
from gallery.faces.quality import Gates
from gallery.faces.video import VideoOptions
from gallery.jobs.enroll_folders import enroll_candidates
from gallery.jobs.harvest import LIST, Harvest, Harvested, refuse_inside
from gallery.jobs.harvest_page import PAGE
from gallery.types import Candidate, Face, Image, Landmarks, Point

RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 220, 20)
ALL = VideoOptions()


@pytest.fixture
def filled(database: Path, tmp_path: Path) -> Iterator[Engine]:
    """A gallery that knows Asuka, who is red."""
    with fake_gallery(database) as gallery:
        known = write_picture(tmp_path / "known" / "Asuka" / "1.png", Square(10, 10, 60, RED))
        list(enroll_candidates(gallery, [Candidate(known, "Asuka")]))
        yield gallery


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Two of somebody green, one of somebody blue beside Asuka, and one that is none."""
    folder = tmp_path / "pictures"
    text = folder / "text.png"
    folder.mkdir()
    text.write_text("This is text.")
    return [
        write_picture(folder / "a.png", Square(10, 10, 60, GREEN), seed=1),
        write_picture(folder / "b.png", Square(5, 5, 60, RED), Square(90, 40, 50, BLUE), seed=2),
        write_picture(folder / "c: 綾.png", Square(30, 20, 70, GREEN), seed=3),
        text,
    ]


def test_unknown_faces_of_pictures_are_grouped(
    filled: Engine, pictures: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "new"
    with Harvest(filled, out) as harvest:
        looked = list(harvest.pictures(pictures, ALL))
        assert not out.exists()
        assert harvest.finish() == Harvested(clusters=2, faces=3, crops=3, left_out=0)
    assert [one.unknown for one in looked if isinstance(one, Gathered)] == [1, 1, 1]
    assert [type(one) for one in looked[3:]] == [Refused, Advanced]
    first, second = sorted(path for path in out.iterdir() if path.is_dir())
    assert (first.name, second.name) == ("unknown-001", "unknown-002")
    assert sorted(path.name.split("_", 2)[2] for path in first.iterdir()) == ["a.png", "c_ 綾.png"]
    (lone,) = second.iterdir()
    listed = [json.loads(line) for line in (out / LIST).read_text(encoding="utf-8").splitlines()]
    assert [one["path"] for one in listed if one["file"].endswith(lone.name)] == [str(pictures[1])]
    assert [one["box"] for one in listed if one["file"].endswith(lone.name)] == [[90, 40, 140, 90]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["known", "new", "pictures"]


def test_a_contact_sheet_shows_every_folder(
    filled: Engine, pictures: list[Path], tmp_path: Path
) -> None:
    with Harvest(filled, tmp_path / "new") as harvest:
        list(harvest.pictures(pictures, ALL))
        harvest.finish()
    page = (tmp_path / "new" / PAGE).read_text(encoding="utf-8")
    assert page.count("<img") == 3
    assert "unknown-001: 2 faces; nearest in the gallery is Asuka" in page
    assert "unknown-002: 1 face;" in page
    assert "mv unknown-002 NAME" in page
    for path in pictures[:3]:
        assert f'<a href="{path.as_uri()}">' in page


def test_small_clusters_and_faces_are_left_out_when_asked(
    filled: Engine, pictures: list[Path], tmp_path: Path
) -> None:
    with Harvest(filled, tmp_path / "new") as harvest:
        list(harvest.pictures(pictures, ALL))
        assert harvest.finish(at_least=2) == Harvested(1, 2, 2, 1)
    with Harvest(filled, tmp_path / "large") as harvest:
        looked = list(harvest.pictures(pictures, VideoOptions(gates=Gates(min_face=65))))
    assert [one.unknown for one in looked if isinstance(one, Gathered)] == [0, 0, 1]


class Turning(FakeDetector):
    """Sees heads by their squares; green ones lean."""

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        return [
            [self._turned(image, face) for face in faces]
            for image, faces in zip(images, super().detect(images), strict=True)
        ]

    def _turned(self, image: Image, face: Face) -> Face:
        left, top, _, _ = (round(edge) for edge in face.box)
        assert face.landmarks is not None
        if image.pixels[top + 1, left + 1].argmax() != 1:
            return face
        left_eye, right_eye = face.landmarks.left_eye, face.landmarks.right_eye
        lower = Point(right_eye.x, right_eye.y + face.box.height / 3)
        return replace(face, landmarks=Landmarks(left_eye, lower))


def test_portraits_alone_are_gathered_when_asked(
    database: Path, pictures: list[Path], tmp_path: Path
) -> None:
    with fake_gallery(database, detector=Turning()) as gallery:
        for number, portrait in enumerate((False, True)):
            options = VideoOptions(gates=Gates(portrait=portrait))
            with Harvest(gallery, tmp_path / str(number)) as harvest:
                looked = list(harvest.pictures(pictures, options))
            seen = [one.unknown for one in looked if isinstance(one, Gathered)]
            assert seen == ([0, 2, 0] if portrait else [1, 2, 1])


def test_a_picture_and_a_video_of_one_face_are_one_cluster(
    filled: Engine, pictures: list[Path], tmp_path: Path
) -> None:
    moving = [scene(Square(10 + n, 20, 50, GREEN)) for n in range(48)]
    video = write_video(tmp_path / "v.mkv", at_rate(moving))
    with Harvest(filled, tmp_path / "new") as harvest:
        list(harvest.pictures(pictures[:1], ALL))
        started, shot, passed = harvest.video(video, ALL)
        assert isinstance(started, VideoStarted)
        assert isinstance(shot, Gathered)
        assert (shot.unknown, shot.time is None, passed) == (1, False, Advanced(1))
        assert harvest.finish() == Harvested(clusters=1, faces=2, crops=4, left_out=0)


def test_a_video_that_is_none_is_told_and_the_others_are_gathered(
    filled: Engine, pictures: list[Path], tmp_path: Path
) -> None:
    text = tmp_path / "text.mkv"
    text.write_text("This is text.")
    with Harvest(filled, tmp_path / "new") as harvest:
        _, refused = harvest.video(text, ALL)
        assert isinstance(refused, Refused)
        assert "is not a video" in refused.reason
        list(harvest.pictures(pictures, ALL))
        assert harvest.finish().faces == 3


def test_without_unknown_faces_nothing_is_written(filled: Engine, tmp_path: Path) -> None:
    known = write_picture(tmp_path / "asuka.png", Square(20, 20, 60, RED), seed=4)
    out = tmp_path / "new"
    with Harvest(filled, out) as harvest:
        list(harvest.pictures([known], ALL))
        assert harvest.finish() == Harvested(0, 0, 0, 0)
    with Harvest(filled, out) as harvest:
        list(harvest.pictures([known], ALL))
        assert harvest.finish(at_least=5) == Harvested(0, 0, 0, 0)
    assert not out.exists()


def test_clusters_that_are_all_too_small_leave_no_folder(
    filled: Engine, pictures: list[Path], tmp_path: Path
) -> None:
    with Harvest(filled, tmp_path / "new") as harvest:
        list(harvest.pictures(pictures, ALL))
        assert harvest.finish(at_least=9) == Harvested(0, 0, 0, 3)
    assert not (tmp_path / "new").exists()


def test_what_is_stopped_leaves_nothing(
    filled: Engine, pictures: list[Path], tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())

    def stopped() -> None:
        with Harvest(filled, tmp_path / "new") as harvest:
            list(harvest.pictures(pictures, ALL))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert sorted(tmp_path.iterdir()) == before


def test_folders_that_hold_something_or_are_looked_through_are_refused(
    filled: Engine, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thing").touch()
    with pytest.raises(InputError, match="is there already"):
        Harvest(filled, tmp_path / "full")
    with pytest.raises(InputError, match="is there already"):
        Harvest(filled, tmp_path / "full" / "thing")
    with pytest.raises(InputError, match="which is looked through"):
        refuse_inside(tmp_path / "full" / "new", [tmp_path / "full"])
    refuse_inside(tmp_path / "fuller", [tmp_path / "full"])
    (tmp_path / "empty").mkdir()
    with Harvest(filled, tmp_path / "empty"):
        pass
