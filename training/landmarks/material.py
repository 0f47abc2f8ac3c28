"""What the eyes' network learns from: heads cut from the shared faces and pictures, with eyes.

Boxes and eyes are those that `python -m training.detector label` has asked for: the boxes that the
detector `heads` learnt, and animeface's eyes where it sees the head.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.distances import overlaps
from gallery.system.files import replacing
from gallery.types import Pixels
from measuring.faces import STORED_SIDE, read_faces
from training.detector.labels import (
    SAME,
    Heads,
    believed,
    believed_faces,
    believed_pictures,
    digests_in,
    is_held,
    read_lines,
)

Numbers = NDArray[np.float64]

AROUND_HEAD = 1.7
"""Side of what is kept of a picture around a head, over the longer side of its box."""

HEADS = "eye-heads.npz"
PATCHES = "eye-patches.npy"
OWN = "eye-own.npy"
"""Files of the cache: heads and their eyes, heads cut from pictures, the network's own labels."""

Row: TypeAlias = dict[str, Any]
"""The fields of `Material` of one head."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Heads to learn from; places are in pixels of their patch, the beholder's left eye first."""

    faces: Pixels
    """RGB, shape (n, STORED_SIDE, STORED_SIDE, 3)."""
    patches: Pixels
    """The same of pictures; patch i of all is a face below the number of faces."""
    patch: NDArray[np.int64]
    """Shape (m,): the patch of every head."""
    native: Numbers
    """Shape (m,): pixels of the picture over those of its patch, at most 1."""
    boxes: Numbers
    """Shape (m, 4)."""
    eyes: Numbers
    """Shape (m, 2, 2): animeface's eyes, NaN where it has none."""
    held: NDArray[np.bool_]
    """Shape (m,): kept out of training, all heads of a character or picture alike."""

    def __len__(self) -> int:
        """How many heads there are."""
        return len(self.patch)

    def pixels(self, head: int) -> Pixels:
        """Return the patch of a head, shape (STORED_SIDE, STORED_SIDE, 3)."""
        place = int(self.patch[head])
        count = len(self.faces)
        return np.asarray(self.faces[place] if place < count else self.patches[place - count])


def read_material(shared: Path, cache: Path) -> Material:
    """Return the heads that `write_material` has written. Raises FileNotFoundError before."""
    faces = read_faces(shared / "faces", "train", cache).pixels
    with np.load(cache / HEADS) as kept:
        parts = {name: kept[name] for name in kept.files}
    return Material(faces, np.load(cache / PATCHES, mmap_mode="r"), **parts)


def write_material(shared: Path, cache: Path, validation: Path, held_share: float) -> None:
    """Cut out the heads that the detector's labels know of and write them into the cache.

    Pictures that the validation file names, and their likes, take no part.
    """
    rows = [*_face_rows(shared, cache, held_share)]
    count = len(read_faces(shared / "faces", "train", cache).pixels)
    patches: list[Pixels] = []
    for row, patch in _picture_rows(shared, cache, validation, held_share):
        rows.append({**row, "patch": count + len(patches)})
        patches.append(patch)
    with replacing(cache / PATCHES) as partial, partial.open("wb") as file:
        np.save(file, np.stack(patches))
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    with replacing(cache / HEADS) as partial, partial.open("wb") as file:
        np.savez(
            file,
            patch=columns["patch"],
            native=columns["native"],
            boxes=columns["boxes"],
            eyes=columns["eyes"],
            held=columns["held"],
        )
    known = int(np.isfinite(columns["eyes"]).all(axis=(1, 2)).sum())
    print(f"{len(rows)} heads, {len(patches)} of pictures; animeface's eyes of {known}")


def _face_rows(shared: Path, cache: Path, held_share: float) -> Iterator[Row]:
    """Yield every face of the train split in which two detectors see one head."""
    faces = read_faces(shared / "faces", "train", cache)
    labels = believed_faces(cache)
    for place, box, eyes in zip(labels.index, labels.boxes, labels.eyes, strict=True):
        yield {
            "patch": place,
            "native": 1.0,
            "boxes": box,
            "eyes": eyes,
            "held": is_held(f"eyes {faces.identity[place]}", held_share),
        }


def _picture_rows(
    shared: Path, cache: Path, validation: Path, held_share: float
) -> Iterator[tuple[Row, Pixels]]:
    """Yield all heads of the pictures to train with, and what is cut out around each."""
    asked = {line["sha256"]: line for line in read_lines(cache / "pictures.jsonl")}
    pictures = believed_pictures(shared, cache, digests_in(validation))
    for digest, picture in sorted(pictures.items()):
        if not len(picture.heads):
            continue
        pixels = picture.pixels()
        others = believed(asked[digest])
        for box in picture.heads.boxes:
            row, patch = _cut_out(pixels, box, _eyes_of(box, others))
            yield {**row, "held": is_held(f"eyes {digest}", held_share)}, patch


def _eyes_of(box: Numbers, others: Heads) -> Numbers:
    """Return the eyes that animeface sees in a box, NaN where it sees none there."""
    same = overlaps(box[None], others.boxes)[0]
    if not len(same) or same.max() < SAME:
        return np.full((2, 2), np.nan)
    return np.asarray(others.eyes[int(same.argmax())])


def _cut_out(pixels: Pixels, box: Numbers, eyes: Numbers) -> tuple[Row, Pixels]:
    """Return a head's place in its patch, and the patch."""
    import cv2

    sides = box[2:] - box[:2]
    corner = np.floor((box[:2] + box[2:] - AROUND_HEAD * sides.max()) / 2).astype(np.int64)
    side = max(round(AROUND_HEAD * float(sides.max())), 1)
    ratio = STORED_SIDE / side
    way = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    left, top = corner.tolist()
    window = _window(pixels, left, top, side)
    patch = cv2.resize(window, (STORED_SIDE, STORED_SIDE), interpolation=way)
    row: Row = {
        "native": min(1 / ratio, 1.0),
        "boxes": (box - np.tile(corner, 2)) * ratio,
        "eyes": (eyes - corner) * ratio,
    }
    return row, np.asarray(patch, np.uint8)


def _window(pixels: Pixels, left: int, top: int, side: int) -> Pixels:
    """Return a square of a picture, beyond which its edge is repeated."""
    rows = np.clip(np.arange(top, top + side), 0, pixels.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, pixels.shape[1] - 1)
    return np.asarray(pixels[rows[:, None], columns[None]])
