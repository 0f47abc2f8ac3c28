"""Google Takeout: a JSON file beside each picture, which says who is in it, but not where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gallery.metadata.corrections.correction import Corrections, Spot, text


def read(values: Any, folder: Path, found: Corrections) -> None:
    """Add who is in a picture. Raises one of DAMAGE for other values."""
    picture = str(folder / text(values["title"]))
    for one in values["people"]:
        found.add(text(one["name"]), Spot(picture, None))


def is_ours(value: Any) -> bool:
    """Say whether a value is of such a file that names people."""
    return isinstance(value, dict) and {"title", "people"} <= value.keys()
