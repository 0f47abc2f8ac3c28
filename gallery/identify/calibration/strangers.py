"""Faces of characters in nobody's gallery, as the networks that ship with gallery describe them.

They stand in for the strangers that a small gallery cannot show: nobody trained on them, see
training/strangers.py.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.errors import SetupError
from gallery.identify.calibration.evidence import COLUMNS, Numbers, Vectors
from gallery.system.files import replacing
from gallery.system.reading import read_file
from gallery.types import DIMENSION, width_of

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Strangers:
    """What ships with an encoder; of another one it is empty."""

    stored: NDArray[np.float16]
    """Descriptors, shape (n, DIMENSION)."""
    characters: NDArray[np.int16]
    """Whose they are, by number, shape (n,)."""
    trials: Numbers
    """Evidence from galleries of characters that nobody trained on, shape (m, len(COLUMNS))."""
    right: NDArray[np.bool_]
    """Whether the first character of a trial was the right one, shape (m,)."""
    known: NDArray[np.bool_]
    """Whether the face's character was enrolled at all, shape (m,)."""

    @cached_property
    def descriptors(self) -> Vectors:
        """Return the descriptors to compute with, shape (n, DIMENSION)."""
        return self.stored.astype(np.float32)

    def __len__(self) -> int:
        """How many faces there are."""
        return len(self.stored)


def nobody(width: int = DIMENSION) -> Strangers:
    """Return no strangers, whose descriptors are so wide: what an encoder of one's own has."""
    return Strangers(
        np.zeros((0, width), np.float16),
        np.zeros(0, np.int16),
        np.zeros((0, len(COLUMNS))),
        np.zeros(0, np.bool_),
        np.zeros(0, np.bool_),
    )


def strangers_file(folder: Path, encoder: str) -> Path:
    """Return where the strangers of an encoder's id lie in a folder, whether or not they do."""
    return folder / f"strangers-{encoder}.npz"


def read_strangers(folder: Path, encoder: str, *, do_ship: bool = False) -> Strangers:
    """Return the strangers of an encoder; nobody where none ship with it.

    Raises SetupError for a file that is damaged, and for one that is missing although it does ship.
    """
    path = strangers_file(folder, encoder)
    if not path.is_file():
        if do_ship:
            raise SetupError(f"The file {path} of strangers is missing; install gallery again.")
        return nobody(width_of(encoder))
    try:
        # NumPy would leave a damaged file open.
        with np.load(io.BytesIO(read_file(path)), allow_pickle=False) as file:
            if int(file["format"]) != FORMAT or tuple(file["columns"].tolist()) != COLUMNS:
                raise ValueError("format")
            found = Strangers(
                file["descriptors"],
                file["characters"],
                file["trials"].astype(np.float64),
                file["right"],
                file["known"],
            )
    # NumPy raises anything at all of a damaged array, and of a shape that fills the memory.
    except Exception as error:
        raise SetupError(
            f"The file {path} is damaged or of another version; install gallery again."
        ) from error
    fits = found.stored.shape == (len(found.characters), DIMENSION)
    if not fits or not np.isfinite(found.stored).all():
        raise SetupError(f"The file {path} is damaged; install gallery again.")
    return found


def write_strangers(path: Path, strangers: Strangers) -> None:
    """Write a file that read_strangers reads, all at once."""
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file,
            format=np.array(FORMAT),
            columns=np.array(COLUMNS),
            descriptors=strangers.stored,
            characters=strangers.characters,
            trials=strangers.trials.astype(np.float32),
            right=strangers.right,
            known=strangers.known,
        )
