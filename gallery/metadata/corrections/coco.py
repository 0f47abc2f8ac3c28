"""COCO: pictures, categories, and a box for every face."""

from __future__ import annotations

from typing import Any

from gallery.metadata.corrections.correction import Corrections, Spot, box_at, size_of, text

OWN = "Faces labelled by gallery"
"""What the information of a file says that gallery wrote, see output.coco."""


def read(values: Any, found: Corrections) -> None:
    """Add what the annotations say. Raises one of DAMAGE for other values."""
    is_answer = values.get("info", {}).get("description") == OWN
    names = {one["id"]: text(one["name"]) for one in values["categories"]}
    pictures = {one["id"]: one for one in values["images"]}
    for one in values["annotations"]:
        picture = pictures[one["image_id"]]
        size = None
        if picture.get("width") and picture.get("height"):
            size = size_of(picture["width"], picture["height"])
        spot = Spot(text(picture["file_name"]), box_at(*one["bbox"]), size)
        found.add(names[one["category_id"]], spot, is_answer=is_answer)


def is_ours(value: Any) -> bool:
    """Say whether a value is such a file."""
    return isinstance(value, dict) and {"images", "annotations", "categories"} <= value.keys()
