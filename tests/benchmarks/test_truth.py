"""The hand-corrected truth for detection: its numbers make sense, and its pictures are the ones."""

from __future__ import annotations

import hashlib
import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as pillow

from benchmarks import truth
from benchmarks.truth import Head, Picture
from gallery.errors import InputError, SetupError
from gallery.types import Box, Point

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"

MOST_BEYOND = 0.3
"""How far a box may reach over the picture's edge, in its own longer sides."""


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return truth.read()


@pytest.fixture(scope="module")
def heads(pictures: list[Picture]) -> list[tuple[Picture, Head]]:
    return [(picture, head) for picture in pictures for head in picture.heads]


def test_there_are_enough_pictures_and_each_is_another(pictures: list[Picture]) -> None:
    assert len(pictures) >= 300
    assert len({picture.digest for picture in pictures}) == len(pictures)
    assert len({picture.file for picture in pictures}) == len(pictures)
    assert all(len(picture.digest) == 64 for picture in pictures)
    assert all(int(picture.digest, 16) >= 0 for picture in pictures)


def test_pictures_are_of_many_series_some_empty_some_full(pictures: list[Picture]) -> None:
    counts = [sum(not head.ignore for head in picture.heads) for picture in pictures]
    assert min(counts) == 0
    assert max(counts) >= 6
    assert len({picture.series for picture in pictures if picture.kind == "series"}) >= 16


def test_boxes_are_finite_and_reach_little_beyond_the_picture(
    heads: list[tuple[Picture, Head]],
) -> None:
    for picture, head in heads:
        box = head.box
        assert all(math.isfinite(value) for value in box), picture.file
        assert box.width > 0, picture.file
        assert box.height > 0, picture.file
        beyond = max(
            -box.left, -box.top, box.right - picture.width, box.bottom - picture.height, 0.0
        )
        assert beyond <= MOST_BEYOND * max(box.width, box.height), picture.file
        left, top, right, bottom = box.within(picture.width, picture.height)
        assert right > left, picture.file
        assert bottom > top, picture.file


def test_heads_that_count_have_the_shape_of_heads(heads: list[tuple[Picture, Head]]) -> None:
    for picture, head in heads:
        if not head.ignore:
            assert 0.5 <= head.box.width / head.box.height <= 2.0, picture.file
            assert max(head.box.width, head.box.height) >= 12, picture.file


def test_eyes_lie_inside_their_box_and_apart(heads: list[tuple[Picture, Head]]) -> None:
    for picture, head in heads:
        eyes = [eye for eye in (head.left_eye, head.right_eye) if eye is not None]
        for eye in eyes:
            assert head.box.left <= eye.x <= head.box.right, picture.file
            assert head.box.top <= eye.y <= head.box.bottom, picture.file
        if len(eyes) == 2:
            apart = math.dist(eyes[0], eyes[1])
            assert 0.08 <= apart / max(head.box.width, head.box.height) <= 0.6, picture.file


def test_most_heads_that_count_show_both_eyes_and_none_is_ignored_with_eyes(
    heads: list[tuple[Picture, Head]],
) -> None:
    counted = [head for _, head in heads if not head.ignore]
    both = [head for head in counted if head.left_eye and head.right_eye]
    assert len(counted) >= 500
    assert len(both) >= 0.75 * len(counted)
    assert not any(head.left_eye or head.right_eye for _, head in heads if head.ignore)


def test_tags_are_of_the_list_and_backs_and_photographs_are_ignored(
    heads: list[tuple[Picture, Head]],
) -> None:
    known = set(json.loads(truth.FILE.read_text(encoding="utf-8"))["tags"])
    assert set().union(*(head.tags for _, head in heads)) <= known
    for picture, head in heads:
        if head.tags & {"back", "creature", "photo"}:
            assert head.ignore, picture.file


def test_near_duplicates_are_other_pictures(pictures: list[Picture]) -> None:
    others = truth.near_duplicates()
    assert len(set(others)) == len(others)
    assert not set(others) & {picture.file for picture in pictures}


def test_the_pictures_are_those_that_were_labelled(pictures: list[Picture]) -> None:
    if not truth.are_here(SHARED):
        pytest.skip("the shared pictures are not here")
    seen = 0
    for (name, image, heads), picture in zip(truth.scenes(pictures, SHARED), pictures, strict=True):
        assert name == picture.file
        assert (image.width, image.height) == (picture.width, picture.height)
        assert heads == list(picture.heads)
        seen += 1
    assert seen == len(pictures)
    with zipfile.ZipFile(SHARED / truth.ARCHIVE) as archive:
        assert set(truth.near_duplicates()) <= set(archive.namelist())


def shared_folder(folder: Path) -> tuple[Path, list[Picture]]:
    """A folder of shared data with one picture in the archive and one beside it."""
    pixels = np.full((6, 8, 3), (10, 200, 30), np.uint8)
    loose = folder / "original" / "one.png"
    loose.parent.mkdir(parents=True)
    pillow.fromarray(pixels).save(loose)
    (folder / "pictures").mkdir()
    with zipfile.ZipFile(folder / truth.ARCHIVE, "w") as archive:
        archive.write(loose, "series/two.png")
    digest = hashlib.sha256(loose.read_bytes()).hexdigest()
    head = Head(Box(1.0, 1.0, 5.0, 5.0), Point(2.0, 3.0), None, frozenset({"profile"}), False)
    return folder, [
        Picture(name, "series", "Series", 8, 6, digest, (head,))
        for name in ("original/one.png", "series/two.png")
    ]


def test_scenes_come_from_the_archive_and_from_beside_it(tmp_path: Path) -> None:
    shared, pictures = shared_folder(tmp_path)
    assert truth.are_here(shared)
    found = list(truth.scenes(pictures, shared))
    assert [name for name, _, _ in found] == ["original/one.png", "series/two.png"]
    for _, image, heads in found:
        assert image.pixels.shape == (6, 8, 3)
        assert tuple(image.pixels[0, 0]) == (10, 200, 30)
        assert [head.box for head in heads] == [Box(1.0, 1.0, 5.0, 5.0)]


def test_another_picture_under_the_name_is_refused(tmp_path: Path) -> None:
    shared, pictures = shared_folder(tmp_path)
    pillow.new("RGB", (8, 6)).save(shared / "original" / "one.png")
    with pytest.raises(SetupError, match="is not the picture that was labelled"):
        list(truth.scenes(pictures, shared))


def test_a_missing_picture_is_said(tmp_path: Path) -> None:
    shared, pictures = shared_folder(tmp_path)
    (shared / "original" / "one.png").unlink()
    with pytest.raises(SetupError, match="cannot be read from"):
        list(truth.scenes(pictures, shared))
    assert not truth.are_here(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "not json",
        "{}",
        '{"pictures": [{"file": "a"}], "near_duplicates": 3}',
        '{"pictures": 7, "near_duplicates": 7}',
    ],
)
def test_a_file_that_is_no_truth_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "validation.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is not a truth file"):
        truth.read(file)
    with pytest.raises(InputError, match="is not a truth file"):
        truth.near_duplicates(file)


def test_a_missing_truth_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        truth.read(tmp_path / "validation.json")
