"""The shared faces and their labels, decoded once into a memory-mapped file."""

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

STORED_SIDE = 160
"""The shared faces are squares of this many pixels; the few smaller ones are enlarged to it."""

TABLES = {"train-2": "faces-2.csv", "dev-tv": "faces-2.csv", "train-3": "faces-3.csv"}
"""The tables of splits that faces.csv does not list."""

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Faces of one split, in the order of the table."""

    pixels: Pixels
    """RGB, shape (n, STORED_SIDE, STORED_SIDE, 3)."""
    identity: NDArray[np.str_]
    series: NDArray[np.str_]
    style: NDArray[np.str_]
    source: NDArray[np.str_]
    split: NDArray[np.str_]

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
            self.split[chosen],
        )


def rows_of(folder: Path, split: str) -> list[dict[str, str]]:
    """Return the rows of a split in its table in the folder, by the names of its columns."""
    with (folder / TABLES.get(split, "faces.csv")).open(encoding="utf-8", newline="") as table:
        return [row for row in csv.DictReader(table) if row["split"] == split]


def read_faces(folder: Path, split: str, cache: Path) -> Faces:
    """Return all faces of a split, decoding them into the cache folder where they are not yet.

    The folder holds the split's table and SPLIT.zip. The decoded pixels are kept under the digest
    of the list of files, and used as they lie on the disc.
    """
    rows = rows_of(folder, split)
    files = [row["file"] for row in rows]
    digest = hashlib.sha256("\n".join(files).encode()).hexdigest()[:12]
    kept = cache / f"{split}-{digest}.npy"
    if not kept.is_file():
        _decode(folder / f"{split}.zip", files, kept)
    columns = ("identity", "series", "style", "source", "split")
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
            if picture is None or picture.shape[0] != picture.shape[1]:
                raise ValueError(f"{file} in {archive_path} is no square picture.")
            if picture.shape != shape[1:]:
                size = (STORED_SIDE, STORED_SIDE)
                picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
            pixels[place] = picture[:, :, ::-1]
    pixels.flush()
    partial.replace(kept)


def scaled(faces: Pixels | Sequence[Pixels]) -> Pixels:
    """Return faces of any size as crops, shape (n, CROP_SIDE, CROP_SIDE, 3)."""
    import cv2

    size = (CROP_SIDE, CROP_SIDE)
    crops = [cv2.resize(face, size, interpolation=cv2.INTER_AREA) for face in faces]
    return np.stack(crops).astype(np.uint8, copy=False)
