"""What stands in a record that was read from a file: taken for what it is to be, or refused.

Each function raises ValueError for anything else than it returns.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from gallery.system.file_names import path_of

HIGHEST = 1e12
"""No number in a record is higher: neither a place in a picture, nor a time, nor a count."""


def path(value: Any) -> Path:
    """Return a path; on Linux it may have bytes that are no text, see file_names.path_text."""
    return path_of(text(value))


def text(value: Any) -> str:
    """Return a text that a file may be called by."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("a text is none")
    return value


def text_or_none(value: Any) -> str | None:
    """Return a text, or None."""
    return None if value is None else text(value)


def number(value: Any) -> float:
    """Return a number that counts or measures something."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_known(value):
        raise ValueError("a number is none")
    return value


def number_or_none(value: Any) -> float | None:
    """Return a number, or None."""
    return None if value is None else number(value)


def whole(value: Any) -> int:
    """Return a whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < HIGHEST:
        raise ValueError("a number is not whole")
    return value


def whole_or_none(value: Any) -> int | None:
    """Return a whole number from 0 on, or None."""
    return None if value is None else whole(value)


def number_in(letters: str) -> float:
    """Return the number that a text says."""
    return number(float(letters))


def whole_in(letters: str) -> int:
    """Return the whole number that a text says."""
    return whole(int(letters))


def _is_known(value: float) -> bool:
    # Of whole numbers that are too long for it, isfinite raises something else.
    return -HIGHEST < value < HIGHEST and math.isfinite(value)
