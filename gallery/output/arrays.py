"""Descriptors of many faces as NumPy arrays in one file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from gallery.errors import BadOutput, UnwritableFile
from gallery.events import Described
from gallery.system.files import absolute, replacing
from gallery.types import Descriptor, width_of

QUALITY = ("score", "size", "sharpness", "roll", "frontal", "cut")
"""The columns of the array `quality`, as Quality in types.py has them."""


def check_target(path: Path) -> None:
    """Raise InputError, before any work is done, for a file that could not be written in the end.

    That is one that does not end in .npz, is a folder, or lies where nothing can be written.
    """
    if path.suffix.lower() != ".npz":
        raise BadOutput(path, "does not end in .npz", remedy="name the output so")
    if path.is_dir():
        raise BadOutput(path, "is a folder", remedy="name a file")
    above = next(folder for folder in absolute(path).parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise UnwritableFile(
            path, f"cannot be written: {above} is no folder that can be written to"
        )


class FaceTable:
    """Collects described faces, a row each."""

    def __init__(self, encoder: str) -> None:
        self._encoder = encoder
        self._paths: list[str] = []
        self._boxes: list[tuple[int, int, int, int]] = []
        self._scores: list[float] = []
        self._quality: list[list[float]] = []
        self._descriptors: list[Descriptor] = []

    def __len__(self) -> int:
        return len(self._paths)

    def add(self, picture: Described) -> None:
        """Add the faces of a picture."""
        for one in picture.faces:
            self._paths.append(str(picture.path))
            self._boxes.append(one.face.box.within(picture.width, picture.height))
            self._scores.append(one.face.score)
            parts = [getattr(one.quality, name) for name in QUALITY]
            self._quality.append([np.nan if part is None else part for part in parts])
            self._descriptors.append(one.descriptor)

    def save(self, path: Path) -> None:
        """Write `path`, `box` (n, 4), `score`, `quality`, `descriptor` and `encoder`.

        `quality` has shape (n, 6), its columns are QUALITY, unknown parts are NaN; `descriptor`
        has shape (n, DIMENSION).
        numpy.load reads them without pickle. Raises InputError for a file that does not end in
        .npz or cannot be written.
        """
        check_target(path)
        try:
            with replacing(path) as unfinished:
                np.savez(
                    unfinished,
                    path=np.array(self._paths, dtype=np.str_),
                    box=np.array(self._boxes, np.int32).reshape(-1, 4),
                    score=np.array(self._scores, np.float32),
                    quality=np.array(self._quality, np.float32).reshape(-1, len(QUALITY)),
                    descriptor=np.array(self._descriptors, np.float32).reshape(
                        len(self._descriptors), width_of(self._encoder)
                    ),
                    encoder=np.array(self._encoder),
                )
        except OSError as error:
            raise UnwritableFile(path, f"cannot be written: {error.strerror or error}") from error
