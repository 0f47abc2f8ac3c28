"""The committed sample pictures agree with the code that draws them and with their truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from drawing.album import Picture, portraits, screenshots
from drawing.cast import ENROLLED, STRANGERS
from drawing.design import Pose
from drawing.person import draw_person
from drawing.studio import draw_picture, store, truth
from gallery.faces import catalog
from gallery.faces.detectors.animeface import AnimefaceDetector
from gallery.media.images import from_pillow, read_image
from gallery.settings import DEFAULT_DETECTOR

DATA = Path(__file__).resolve().parent.parent / "data"
TRUTHS = (
    (DATA / "characters", DATA / "characters.json"),
    (DATA / "screenshots", DATA / "screenshots" / "truth.json"),
)


def pixels(path: Path) -> np.ndarray[Any, Any]:
    """Return the upright pixels of a stored picture."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image)).astype(np.int16)


def picture(path: str) -> Picture:
    """Return the album's picture of a path."""
    return next(one for one in portraits() + screenshots() if one.path == path)


@pytest.mark.parametrize(
    "path",
    [
        f"characters/{ENROLLED[0].name}/01.jpg",
        next(one.path for one in portraits() if one.transparent),
        next(one.path for one in portraits() if one.rotated),
    ],
)
def test_redrawing_gives_the_committed_pixels(path: str, tmp_path: Path) -> None:
    wanted = picture(path)
    image, people = draw_picture(wanted)
    store(image, wanted, tmp_path / wanted.path)
    fresh, committed = pixels(tmp_path / wanted.path), pixels(DATA / wanted.path)
    assert fresh.shape == committed.shape
    # Another build of an image library may round a few pixels differently.
    assert np.abs(fresh - committed).mean() < 0.5
    known = json.loads((DATA / "characters.json").read_text(encoding="utf-8"))
    assert known[path.removeprefix("characters/")] == json.loads(json.dumps(truth(wanted, people)))


@pytest.mark.parametrize(("folder", "file"), TRUTHS)
def test_truth_names_the_pictures_that_exist(folder: Path, file: Path) -> None:
    known = json.loads(file.read_text(encoding="utf-8"))
    present = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix in (".png", ".jpg", ".webp")
    }
    assert set(known) == present


@pytest.mark.parametrize(("folder", "file"), TRUTHS)
def test_truth_lies_inside_the_pictures(folder: Path, file: Path) -> None:
    for name, entry in json.loads(file.read_text(encoding="utf-8")).items():
        with Image.open(folder / name) as image:
            width, height = ImageOps.exif_transpose(image).size
        assert entry["size"] == [width, height]
        assert entry["people"]
        for person in entry["people"]:
            left, top, right, bottom = person["head"]
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            for x, y in person["eyes"]:
                assert left < x < right
                assert top < y < bottom


def test_every_character_has_five_pictures_of_itself() -> None:
    known = json.loads((DATA / "characters.json").read_text(encoding="utf-8"))
    for character in ENROLLED:
        own = [entry for name, entry in known.items() if name.startswith(f"{character.name}/")]
        assert len(own) == 5
        assert all([p["name"] for p in entry["people"]] == [character.name] for entry in own)


def test_screenshots_hold_strangers_without_a_name() -> None:
    text = (DATA / "screenshots" / "truth.json").read_text(encoding="utf-8")
    groups = [[p["name"] for p in entry["people"]] for entry in json.loads(text).values()]
    names = {name for group in groups for name in group}
    assert None in names
    assert names - {None} <= {character.name for character in ENROLLED}
    assert not names & {stranger.name for stranger in STRANGERS}
    assert max(len(group) for group in groups) == 4


def test_detector_finds_a_drawn_face() -> None:
    page = Image.new("RGB", (320, 320), (214, 226, 232))
    drawn = draw_person(ENROLLED[0], Pose(160, 165, 72), page.size)
    page.paste(drawn.layer, drawn.offset, drawn.layer)
    ((face,),) = AnimefaceDetector().detect([from_pillow(page, Path("page.png"))])
    left, top, right, bottom = drawn.head
    assert left < face.box.centre.x < right
    assert top < face.box.centre.y < bottom


def test_mirrored_person_keeps_the_left_eye_first() -> None:
    drawn = draw_person(
        ENROLLED[1], Pose(100, 100, 30, roll=8, yaw=10, mirrored=True), (200, 200), supersample=1
    )
    assert drawn.eyes[0][0] < drawn.eyes[1][0]
    # The roll is clockwise in the picture, mirrored or not.
    assert drawn.eyes[0][1] < drawn.eyes[1][1]


def test_nobody_is_seen_in_a_screenshot_who_is_not_drawn() -> None:
    detector = catalog.detector(DEFAULT_DETECTOR)
    known = json.loads((DATA / "screenshots" / "truth.json").read_text(encoding="utf-8"))
    images = [read_image(DATA / "screenshots" / name) for name in known]
    found = [len(faces) for faces in detector.detect(images)]
    assert dict(zip(known, found, strict=True)) == {
        name: len(one["people"]) for name, one in known.items()
    }
