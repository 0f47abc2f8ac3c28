"""Label Studio's export: tasks with annotations, or JSON-MIN."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from gallery.metadata.corrections.correction import Corrections, Spot, box_at, number, text

UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the names of files that are uploaded."""

PERCENT = (100.0, 100.0)
"""Boxes are counted in percent of the picture."""

KINDS = ("rectanglelabels", "labels")


def read(tasks: Any, found: Corrections) -> None:
    """Add what people labelled; predictions say nothing. Raises one of DAMAGE for other values.

    Of several annotations of a task the last one counts that was not cancelled.
    """
    for task in tasks:
        data = task.get("data", task)
        picture = picture_of(data)
        for region in _regions(task):
            value = region.get("value", region)
            labels = next((value[kind] for kind in KINDS if value.get(kind)), None)
            if labels is None or "width" not in value:
                continue
            if number(value.get("rotation", 0)) % 360 != 0:
                raise ValueError("a box is turned")
            box = box_at(value["x"], value["y"], value["width"], value["height"])
            found.add(text(labels[0]), Spot(picture, box, PERCENT))


def is_ours(value: Any) -> bool:
    """Say whether a value is such an export."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) for one in value)
        and any({"annotations", "predictions"} & one.keys() or _listed(one) for one in value)
    )


def picture_of(data: dict[str, Any]) -> str:
    """Return the path of a task's picture: of a local file, an upload or an address."""
    named = [data[key] for key in ("image", "img", *data) if isinstance(data.get(key), str)]
    address = text(named[0])
    parts = urlsplit(address)
    local = parse_qs(parts.query).get("d")
    if local:
        return local[0]
    path = unquote(parts.path) if parts.scheme in ("http", "https", "file", "s3") else address
    if "/data/upload/" in path:
        folder, _, name = path.rpartition("/")
        return UPLOADED.sub("", name) if folder else name
    return path


def _regions(task: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "data" not in task:
        yield from _listed(task)
        return
    kept = [one for one in task.get("annotations", ()) if not one.get("was_cancelled")]
    if kept:
        yield from kept[-1]["result"]


def _listed(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the regions of a task of JSON-MIN: a list under the name of the control."""
    return [
        one
        for value in task.values()
        if isinstance(value, list)
        for one in value
        if isinstance(one, dict) and any(kind in one for kind in KINDS)
    ]
