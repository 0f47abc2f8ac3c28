"""The shared faces: decoded once into a memory-mapped file, split and drawn for training."""

from __future__ import annotations

import csv
import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.types import CROP_SIDE
from training.config import Config

STORED_SIDE = 160
"""The shared faces are squares of this many pixels."""

FOUND = "found"
"""The source of faces that nobody had named, and the beginning of their groups' names."""

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run reads and writes."""

    faces: Path
    """The folder of faces.csv."""
    cache: Path
    """Decoded faces."""
    run: Path
    """Checkpoints and the log."""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Faces of one split, in the order of the table."""

    pixels: Pixels
    """RGB, shape (n, STORED_SIDE, STORED_SIDE, 3)."""
    identity: NDArray[np.str_]
    series: NDArray[np.str_]
    style: NDArray[np.str_]
    source: NDArray[np.str_]

    def __len__(self) -> int:
        """How many faces there are."""
        return len(self.identity)

    def subset(self, chosen: NDArray[np.bool_]) -> Faces:
        """Return the faces that are marked, shape (n,), with pixels in memory."""
        return Faces(
            np.asarray(self.pixels[chosen]),
            self.identity[chosen],
            self.series[chosen],
            self.style[chosen],
            self.source[chosen],
        )


def rows_of(folder: Path, split: str) -> list[dict[str, str]]:
    """Return the rows of a split in the folder's faces.csv, by the names of its columns."""
    with (folder / "faces.csv").open(encoding="utf-8", newline="") as table:
        return [row for row in csv.DictReader(table) if row["split"] == split]


def read_faces(folder: Path, split: str, cache: Path) -> Faces:
    """Return all faces of a split, decoding them into the cache folder where they are not yet.

    The folder holds faces.csv and SPLIT.zip. The decoded pixels are kept under the digest of the
    list of files, and used as they lie on the disc.
    """
    rows = rows_of(folder, split)
    files = [row["file"] for row in rows]
    digest = hashlib.sha256("\n".join(files).encode()).hexdigest()[:12]
    kept = cache / f"{split}-{digest}.npy"
    if not kept.is_file():
        _decode(folder / f"{split}.zip", files, kept)
    columns = ("identity", "series", "style", "source")
    return Faces(
        np.load(kept, mmap_mode="r"), *(np.array([row[name] for row in rows]) for name in columns)
    )


def _decode(archive_path: Path, files: list[str], kept: Path) -> None:
    """Write the files' pixels as one array."""
    import cv2

    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(".partial")
    shape = (len(files), STORED_SIDE, STORED_SIDE, 3)
    pixels = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
    with zipfile.ZipFile(archive_path) as archive:
        for place, file in enumerate(files):
            data = np.frombuffer(archive.read(file), dtype=np.uint8)
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
            if picture is None or picture.shape != shape[1:]:
                raise ValueError(f"{file} in {archive_path} is no picture of {STORED_SIDE} pixels.")
            pixels[place] = picture[:, :, ::-1]
    pixels.flush()
    partial.replace(kept)


def scaled(faces: Pixels | Sequence[Pixels]) -> Pixels:
    """Return faces of any size as crops, shape (n, CROP_SIDE, CROP_SIDE, 3)."""
    import cv2

    size = (CROP_SIDE, CROP_SIDE)
    crops = [cv2.resize(face, size, interpolation=cv2.INTER_AREA) for face in faces]
    return np.stack(crops).astype(np.uint8, copy=False)


def held_out(
    identity: NDArray[np.str_], count: int, least: int, most: int, seed: int
) -> NDArray[np.bool_]:
    """Mark all faces of some characters, drawn by the seed from those of a size; shape (n,)."""
    names, counts = np.unique(identity, return_counts=True)
    eligible = names[(counts >= least) & (counts <= most)]
    drawn = np.random.default_rng(seed).permutation(eligible)[:count]
    return np.isin(identity, drawn)


def held_faces(config: Config, folder: Path, cache: Path) -> Faces:
    """Return the faces that a recipe keeps out of training."""
    faces = read_faces(folder, "train", cache)
    return faces.subset(held_marks(config, faces))


def held_marks(config: Config, faces: Faces) -> NDArray[np.bool_]:
    """Mark the faces that a recipe keeps out of training, shape (n,).

    They are the same with found faces as without: of those none is kept out.
    """
    named = faces.source != FOUND
    marks = np.zeros(len(faces), dtype=np.bool_)
    marks[named] = held_out(
        faces.identity[named],
        config.held_characters,
        config.held_least,
        config.held_most,
        config.seed,
    )
    return marks


def train_classes(faces: Faces, held: NDArray[np.bool_], least: int) -> Labels:
    """Return each face's class for training, shape (n,), or -1 where it takes no part.

    A character becomes a class when it is not held out and has at least this many faces.
    """
    names, inverse, counts = np.unique(faces.identity, return_inverse=True, return_counts=True)
    taking_part = (counts >= least) & ~np.isin(names, faces.identity[held])
    numbers = np.where(taking_part, np.cumsum(taking_part) - 1, -1)
    return np.asarray(numbers[inverse], dtype=np.int64)


class Sampler:
    """Draws the faces of an epoch: large classes less than by size, sources of a class evenly."""

    def __init__(
        self, classes: Labels, faces: Faces, power: float, shares: dict[str, float], seed: int
    ) -> None:
        """Prepare to draw faces whose class is not -1; a class counts by its size to a power.

        The shares say how much of an epoch each style takes; styles that they leave out come by
        their weight among all.
        """
        self._seed = seed
        self._faces = np.flatnonzero(classes >= 0)
        labels = classes[self._faces]
        sizes = np.bincount(labels)
        _, group = np.unique(faces.source[self._faces], return_inverse=True)
        pairs, pair = np.unique(labels * (group.max() + 1) + group, return_inverse=True)
        sources = np.bincount(pairs // (group.max() + 1))
        # Within a class, every source gets a share by the square root of its number of faces.
        roots = np.sqrt(np.bincount(pair))
        totals = np.bincount(pairs // (group.max() + 1), weights=roots, minlength=len(sources))
        weights = sizes[labels] ** power / totals[labels] / roots[pair]
        weights /= weights.sum()
        style = faces.style[self._faces]
        named = np.isin(style, list(shares))
        weights[~named] *= (1 - sum(shares.values())) / max(weights[~named].sum(), 1e-12)
        for name, share in shares.items():
            weights[style == name] *= share / weights[style == name].sum()
        self._edges = np.cumsum(weights / weights.sum())

    def epoch(self, number: int, count: int) -> Labels:
        """Return `count` indices of faces, shape (count,), the same for the same number.

        The draw is systematic: a face with weight w comes floor or ceil of `count` x w times.
        """
        generator = np.random.default_rng((self._seed, number))
        marks = (np.arange(count) + generator.random()) / count
        drawn = np.searchsorted(self._edges, marks).clip(max=len(self._faces) - 1)
        return np.asarray(self._faces[generator.permutation(drawn)], dtype=np.int64)
