"""What a person says of a face in another program, and how files that say so are read."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from typing import Any

from gallery.metadata.tags import spelling
from gallery.types import Box, Decided

DAMAGE = (
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    csv.Error,
)
"""What reading a file raises that holds something else."""

HIGHEST = 1e9
"""No number of a place or a size is higher; a higher one is damage."""

NOBODY = frozenset(("", "unknown", "unsure", "face", "head", "person", "character"))
"""Labels that say nothing of who it is."""

ASIDE = {
    "ignore": Decided.IGNORED,
    "ignored": Decided.IGNORED,
    "no face": Decided.NO_FACE,
    "not a face": Decided.NO_FACE,
}
"""Labels of faces that nobody wants to know, and of what is no face."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a file says that a face is."""

    picture: str
    """The picture's path as the file has it, which may be of another machine or folder."""
    box: Box | None
    """None where the file says only who is in the picture."""
    size: tuple[float, float] | None = None
    """Width and height of the picture that the box is counted in; None for its own pixels."""
    digest: str | None = None
    """SHA-256 of the picture's file, where the file says it."""
    time: float | None = None
    """Seconds of a video; None for a picture."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a file says of one face."""

    spot: Spot
    decided: Decided
    """CONFIRMED, IGNORED or NO_FACE."""
    name: str | None
    """Whom a confirmed face shows."""
    is_answer: bool = False
    """It may be the gallery's own answer, which nobody looked at."""


@dataclass(slots=True)
class Corrections:
    """What a file says."""

    faces: list[Correction] = field(default_factory=list)
    nameless: int = 0
    """How many boxes more it has that say nothing."""

    def add(self, label: str, spot: Spot, *, is_answer: bool = False) -> None:
        """Add a face by its label: a name, a word for nobody, or one of ASIDE."""
        plain = spelling(label)
        if plain in NOBODY:
            self.nameless += 1
        elif plain in ASIDE:
            self.faces.append(Correction(spot, ASIDE[plain], None, is_answer))
        else:
            self.faces.append(Correction(spot, Decided.CONFIRMED, label.strip(), is_answer))


def json_of(content: bytes) -> Any:
    """Return the value of a JSON file. Raises ValueError for what is none."""
    return json.loads(content.decode("utf-8-sig"))


def box_at(left: object, top: object, width: object, height: object) -> Box:
    """Return a box by its corner and its size. Raises ValueError for what is no place."""
    x, y, wide, high = (number(one) for one in (left, top, width, height))
    return Box(x, y, x + wide, y + high)


def size_of(width: object, height: object) -> tuple[float, float]:
    """Return the size of a picture. Raises ValueError for what is none."""
    wide, high = number(width), number(height)
    if wide <= 0 or high <= 0:
        raise ValueError("a picture has no size")
    return wide, high


def number(value: object) -> float:
    """Return a number, or a text of one. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{value!r} is no number")
    found = float(value)
    if not abs(found) < HIGHEST:
        raise ValueError("a number is too high")
    return found


def text(value: object) -> str:
    """Return a text. Raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value
