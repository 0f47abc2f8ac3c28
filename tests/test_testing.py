"""The checks for parts of other packages pass gallery's own parts, and catch what breaks them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeDetector, FakeEncoder, Square, draw
from numpy.typing import NDArray

from gallery.faces.detectors.whole import WholePicture
from gallery.output import registry
from gallery.output.format import Output, OutputWriter
from gallery.testing import check_detector, check_encoder, check_writer
from gallery.types import Box, Face, Image, Landmarks, Point, Record

PICTURES = [draw(Square(10, 10, 60)), draw(Square(5, 5, 40), Square(80, 50, 50, (20, 20, 220)))]


class Broken:
    """A detector that gives what it is told to."""

    name = "broken"

    def __init__(self, answer: Callable[[Sequence[Image]], list[list[Face]]]) -> None:
        self._answer = answer

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        return self._answer(images)


class Off:
    """An encoder that gives what it is told to."""

    id = "off"

    def __init__(self, answer: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> None:
        self._answer = answer

    def encode(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._answer(crops)


def face(score: float = 0.5, box: Box = Box(1, 1, 9, 9)) -> Face:  # noqa: B008 - a tuple
    return Face(box, score)


def same(images: Sequence[Image], faces: list[Face]) -> list[list[Face]]:
    return [list(faces) for _ in images]


@pytest.mark.parametrize("detector", [FakeDetector(), WholePicture()], ids=lambda one: one.name)
def test_detectors_of_our_own_pass(detector: FakeDetector | WholePicture) -> None:
    check_detector(detector, PICTURES)


def painted(images: Sequence[Image]) -> list[list[Face]]:
    for image in images:
        image.pixels[:] = 0
    return same(images, [])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda images: same(images, [face(0.1), face(0.9)]), "best score does not come first"),
        (lambda images: same(images, [face(2.0)]), "not from 0 to 1"),
        (lambda images: same(images, [face(box=Box(5, 5, 5, 9))]), "holds no area"),
        (lambda images: same(images, [face(box=Box(0, 0, float("inf"), 9))]), "not finite"),
        (lambda images: same(images, [])[1:], "not one list for every picture"),
        (lambda images: [[face()] * (len(images) > 1) for _ in images], "among others"),
        (
            lambda images: same(
                images, [Face(Box(1, 1, 9, 9), 0.5, Landmarks(Point(8, 2), Point(2, 2)))]
            ),
            "left eye",
        ),
        (painted, "changes the pictures"),
    ],
)
def test_a_detector_that_breaks_its_word_is_caught(
    answer: Callable[[Sequence[Image]], list[list[Face]]], why: str
) -> None:
    with pytest.raises(AssertionError, match=why):
        check_detector(Broken(answer))


def test_an_encoder_of_our_own_passes() -> None:
    check_encoder(FakeEncoder())


def zeros(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.zeros((len(crops), 128), np.float32)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (zeros, "same descriptor"),
        (lambda crops: zeros(crops)[:, :64], "shape"),
        (lambda crops: zeros(crops).astype(np.float64), "float64"),
        (lambda crops: zeros(crops) + np.float32(np.nan), "not finite"),
        (lambda crops: FakeEncoder().encode(crops) + len(crops), "one by one"),
        (
            lambda crops: np.random.default_rng().random((len(crops), 128), np.float32),
            "encoded otherwise",
        ),
    ],
)
def test_an_encoder_that_breaks_its_word_is_caught(
    answer: Callable[[NDArray[np.uint8]], NDArray[np.float32]], why: str
) -> None:
    with pytest.raises(AssertionError, match=why):
        check_encoder(Off(answer))


@pytest.mark.parametrize("name", ["captions", "hydrus", "xmp", "coco", "jsonl", "sorted"])
def test_formats_of_our_own_pass(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    targets = {"coco": "faces.json", "jsonl": "more.jsonl", "sorted": "sorted"}
    target = tmp_path / targets[name] if name in targets else None
    check_writer(lambda output: registry.open_writer(name, output), folder, target=target)


class Appending:
    """A writer that adds a line each time."""

    name = "appending"
    is_document = False
    takes_videos = False

    def __init__(self, output: Output) -> None:
        self._file = output.base / "lines.txt"

    def write(self, record: Record) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{record.path}\n")

    def close(self) -> None:
        pass


def test_a_writer_that_writes_twice_is_caught(tmp_path: Path) -> None:
    def factory(output: Output) -> OutputWriter:
        return Appending(output)

    with pytest.raises(AssertionError, match="writing a picture again"):
        check_writer(factory, tmp_path)
