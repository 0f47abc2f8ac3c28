"""What a run learns from and what it is held against, read from labels, faces and pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gallery.types import Pixels
from measuring.faces import read_faces
from training.detector.labels import Heads, believed_faces, believed_pictures, digests_in, is_held
from training.detector.scenes import Material

if TYPE_CHECKING:
    from training.detector.config import Config


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run reads and writes."""

    shared: Path
    """The folder of faces, pictures and the original's samples."""
    cache: Path
    """Labels and decoded faces."""
    run: Path
    """Checkpoints and the log."""
    validation: Path
    """Names the digests of pictures that are kept out."""
    start: Path | None = None
    """Checkpoint of another run whose averaged weights a new run begins with."""


@dataclass(slots=True, eq=False)
class Supply:
    """What a run learns from, and what it is held against."""

    trained: Material
    held: Material
    held_pictures: list[tuple[Pixels, Heads]] = field(default_factory=list)


def supply(config: Config, place: Place) -> Supply:
    """Read labels, faces and pictures; a share of them, drawn by digest, is held out."""
    faces = read_faces(place.shared / "faces", "train", place.cache).pixels
    labels = believed_faces(place.cache)
    held = np.array([is_held(f"face {row}", config.held_faces) for row in labels.index], np.bool_)
    pictures = believed_pictures(place.shared, place.cache, digests_in(place.validation))
    kept = {digest: is_held(digest, config.held_pictures) for digest in pictures}
    groups = [
        [pictures[digest] for digest in sorted(pictures) if kept[digest] is out]
        for out in (False, True)
    ]
    return Supply(
        Material(faces, labels.subset(~held), groups[0]),
        Material(faces, labels.subset(held), groups[1]),
        [(picture.pixels(), picture.heads) for picture in groups[1]],
    )
