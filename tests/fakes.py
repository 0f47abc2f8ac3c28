"""Simple parts that satisfy the interfaces."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Engine
from gallery.faces.align import EyeAligner
from gallery.faces.describe import Describer
from gallery.faces.encoders.preprocess import as_crops
from gallery.faces.interfaces import Detector, Encoder
from gallery.identify.index_cache import IndexCache
from gallery.jobs.enroll_folders import enroll_candidates
from gallery.media.images import encode_png
from gallery.store.reader import Store
from gallery.store.writer import NewSample
from gallery.types import (
    CROP_SIDE,
    DIMENSION,
    Box,
    Candidate,
    Descriptor,
    Face,
    Image,
    Landmarks,
    Outcome,
    Pixels,
    Point,
    Thresholds,
)


class FakeEncoder:
    """A fixed random projection of the crop at 10x10 pixels, of length 1.

    Crops that look alike get descriptors that lie near each other.
    """

    def __init__(self, name: str = "fake") -> None:
        self._name = name
        side = 10
        self._side = side
        self._matrix = np.random.default_rng(0).normal(size=(side * side * 3, DIMENSION))

    @property
    def id(self) -> str:
        return self._name

    def encode(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        crops = as_crops(crops)
        cell = CROP_SIDE // self._side
        cells = crops.reshape(-1, self._side, cell, self._side, cell, 3).mean(axis=(2, 4))
        projected = (cells.reshape(len(crops), len(self._matrix)) / 128 - 1) @ self._matrix
        lengths = np.linalg.norm(projected, axis=1, keepdims=True)
        return np.asarray(projected / np.maximum(lengths, 1e-9), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Square:
    """A face to draw: a square of one strong colour with two black eyes."""

    left: int
    top: int
    side: int
    colour: tuple[int, int, int] = (220, 20, 20)


def draw(*squares: Square, width: int = 160, height: int = 120, seed: int = 0) -> Pixels:
    """Return a picture with faces that FakeDetector finds, on grey noise that differs by seed."""
    noise = np.random.default_rng(seed).integers(110, 130, size=(height, width, 1))
    pixels = np.repeat(noise.astype(np.uint8), 3, axis=2)
    for square in squares:
        pixels[square.top : square.top + square.side, square.left : square.left + square.side] = (
            square.colour
        )
        for eye in eyes_of(square):
            half = max(square.side // 20, 1)
            pixels[int(eye.y) - half : int(eye.y) + half, int(eye.x) - half : int(eye.x) + half] = 0
    return pixels


def eyes_of(square: Square) -> tuple[Point, Point]:
    """Return where a drawn face has its eyes: level, at 55 % of its height."""
    y = square.top + 0.55 * square.side
    return Point(square.left + 0.3 * square.side, y), Point(square.left + 0.7 * square.side, y)


class FakeDetector:
    """Finds squares of one strong colour, as `draw` paints them, and where their eyes are."""

    def __init__(self, name: str = "fake") -> None:
        self.name = name
        self.seen: list[Path] = []

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Image) -> list[Face]:
        import cv2

        self.seen.append(image.path)
        strong = (np.ptp(image.pixels.astype(np.int16), axis=2) > 100).astype(np.uint8)
        count, _, areas, _ = cv2.connectedComponentsWithStats(strong)
        faces = []
        for left, top, width, height, area in areas[1:count].tolist():
            square = Square(left, top, max(width, height))
            score = min(area / (image.width * image.height), 1.0)
            box = Box(float(left), float(top), float(left + width), float(top + height))
            faces.append(Face(box, score, Landmarks(*eyes_of(square))))
        return sorted(faces, key=lambda face: -face.score)


class ScanIndex:
    """Compares a query with every row, in plain NumPy and double precision."""

    def __init__(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        self._ids = ids
        self._vectors = vectors.astype(np.float64)

    def __len__(self) -> int:
        return len(self._ids)

    def search(
        self, queries: NDArray[np.float32], count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        apart = queries[:, None, :].astype(np.float64) - self._vectors[None]
        distances = np.sqrt((apart**2).sum(axis=2))
        order = np.argsort(distances, axis=1, kind="stable")[:, : min(count, len(self))]
        nearest = np.take_along_axis(distances, order, axis=1).astype(np.float32)
        return nearest, self._ids[order]


def new_sample(
    character: str, number: int, vectors: Mapping[str, Descriptor] | None = None
) -> NewSample:
    """Return a sample of its own picture for a character, by default described as `vector` does."""
    return NewSample(
        character=character,
        digest=hashlib.sha256(str(number).encode()).hexdigest(),
        path=Path(f"/pictures/{character}/{number}.png"),
        face=Face(Box(1.0, 2.0, 31.0, 32.0), 0.5, Landmarks(Point(8.0, 18.0), Point(22.0, 18.0))),
        crop_png=b"png %d" % number,
        descriptors={"fake": vector(number)} if vectors is None else vectors,
        detector="fake",
        enrolled_as=character,
    )


def vector(seed: int) -> Descriptor:
    """Return a random descriptor of length 1."""
    drawn = np.random.default_rng(seed).normal(size=DIMENSION)
    return np.asarray(drawn / np.linalg.norm(drawn), dtype=np.float32)


def fake_gallery(
    database: Path | str,
    *,
    detector: Detector | None = None,
    encoder: Encoder | None = None,
    thresholds: Thresholds | None = None,
    series: str | None = None,
) -> Engine:
    """Open a gallery over fakes, made where none is; its index cache lies beside the database."""
    store = Store(str(database), create=True)
    folder = store.path.with_name(f"{store.path.name}-index") if store.path else None
    encoder = encoder or FakeEncoder()
    describer = Describer(detector or FakeDetector(), EyeAligner(), encoder)
    return Engine(
        store,
        encoder.id,
        thresholds or Thresholds(sure=0.3, unknown=0.6, margin=0.05),
        lambda: describer,
        IndexCache(folder),
        series=series,
    )


def write_picture(path: Path, *squares: Square, seed: int = 0) -> Path:
    """Save a drawn picture without loss, with its folders, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(draw(*squares, seed=seed)))
    return path


def enroll_squares(
    gallery: Engine, folder: Path, colours: Mapping[str, tuple[int, int, int]]
) -> None:
    """Enroll a drawn face of its own colour for each character, by name, in this order."""
    candidates = [
        Candidate(write_picture(folder / name / "1.png", Square(10, 10, 60, colour)), name)
        for name, colour in colours.items()
    ]
    assert all(one.outcome == Outcome.ADDED for one in enroll_candidates(gallery, candidates))


def memory() -> Path | None:
    """Return a folder in memory where there is one: commits, which wait for the disk, are quick."""
    folder = Path("/dev/shm")  # noqa: S108 - what is made in it gets a private name
    return folder if os.access(folder, os.W_OK) else None
