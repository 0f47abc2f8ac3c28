"""Faces of TV pictures that nobody had named: groups that an encoder made and a reader corrected.

`found.csv` beside this file says which head of which picture belongs to which group.
"""

from __future__ import annotations

import csv
import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gallery.system.files import replacing
from measuring.cutting import read_aligned
from measuring.faces import STORED_SIDE, Faces, Pixels, read_faces, rows_of
from training.config import Config
from training.data import FOUND, Place, held_marks

TABLE = Path(__file__).with_name("found.csv")

HEADS = "train-3"
"""The split of heads whose series is known and whose character is not."""

GROUPS = Path(__file__).with_name("heads.csv")
"""The groups of HEADS, as `training.heads` made them."""


def read_training_faces(place: Place, *, with_found: bool, splits: Sequence[str] = ()) -> Faces:
    """Return the train split, and after it the found faces and further splits that are wanted."""
    faces = read_faces(place.faces, "train", place.cache)
    if with_found:
        faces = _with_found(faces, place)
    return _with_splits(faces, splits, place) if splits else faces


def _with_splits(faces: Faces, splits: Sequence[str], place: Place) -> Faces:
    """Return faces with those of further splits after them."""
    parts = [faces, *(_read_split(place, split) for split in splits)]
    # Every part is kept under a name that says what it holds.
    names = "\n".join(Path(str(getattr(part.pixels, "filename", ""))).name for part in parts)
    digest = hashlib.sha256(names.encode()).hexdigest()[:12]
    kept = place.cache / f"{'-'.join(('train', *splits))}-{digest}.npy"
    if not kept.is_file():
        with replacing(kept) as partial, partial.open("wb") as file:
            np.save(file, np.concatenate([part.pixels for part in parts]))
    return Faces(
        np.load(kept, mmap_mode="r"),
        *(
            np.concatenate([getattr(part, column) for part in parts])
            for column in ("identity", "series", "style", "source", "split")
        ),
    )


def _read_split(place: Place, split: str) -> Faces:
    """Return the faces of a further split; heads that no group has are a character each."""
    faces = read_faces(place.faces, split, place.cache)
    if split != HEADS:
        return faces
    with GROUPS.open(encoding="utf-8", newline="") as table:
        groups = {row["file"]: row["identity"] for row in csv.DictReader(table)}
    files = [row["file"] for row in rows_of(place.faces, split)]
    return replace(faces, identity=np.array([groups.get(file, file) for file in files]))


def _with_found(faces: Faces, place: Place) -> Faces:
    """Return the train split with the found faces after it."""
    with TABLE.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    digest = hashlib.sha256(TABLE.read_bytes()).hexdigest()[:12]
    kept = place.cache / f"train-found-{digest}-{len(faces)}.npy"
    if not kept.is_file():
        cut = cut_squares(rows, place.faces.parent / "pictures")
        with replacing(kept) as partial, partial.open("wb") as file:
            np.save(file, np.concatenate([faces.pixels, cut]))
    identity = np.array([row["identity"] for row in rows])
    count = len(rows)
    return Faces(
        np.load(kept, mmap_mode="r"),
        np.concatenate([faces.identity, identity]),
        np.concatenate([faces.series, np.array([name.split(":")[1] for name in identity])]),
        np.concatenate([faces.style, np.full(count, "tv")]),
        np.concatenate([faces.source, np.full(count, FOUND)]),
        np.concatenate([faces.split, np.full(count, FOUND)]),
    )


def cut_squares(rows: list[dict[str, str]], folder: Path) -> Pixels:
    """Return the square around every head, shape (n, STORED_SIDE, STORED_SIDE, 3).

    What lies outside of a picture repeats its border.
    """
    import cv2

    squares = np.empty((len(rows), STORED_SIDE, STORED_SIDE, 3), np.uint8)
    with zipfile.ZipFile(folder / "pictures.zip") as archive:
        for place, row in enumerate(rows):
            data = np.frombuffer(archive.read(row["file"]), dtype=np.uint8)
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
            if picture is None:
                raise ValueError(f"{row['file']} in {folder} is no picture.")
            left, top, right, bottom = (float(row[side]) for side in _SIDES)
            scale = max(right - left, bottom - top) / STORED_SIDE
            half = (STORED_SIDE - 1) / 2
            into = np.array(
                [
                    [scale, 0, (left + right - 1) / 2 - scale * half],
                    [0, scale, (top + bottom - 1) / 2 - scale * half],
                ]
            )
            square = cv2.warpAffine(
                picture,
                into,
                (STORED_SIDE, STORED_SIDE),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            squares[place] = square[:, :, ::-1]
    return squares


def held_as_cut(config: Config, place: Place) -> Faces:
    """Return the faces that a recipe keeps out of training as the product cuts them.

    Their pixels have the shape (n, CROP_SIDE, CROP_SIDE, 3).
    """
    faces = read_training_faces(place, with_found=True)
    held = held_marks(config, faces)
    return replace(faces.subset(held), pixels=read_aligned(faces, place.cache)[held])


_SIDES = ("left", "top", "right", "bottom")
