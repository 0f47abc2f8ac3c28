"""Records of gallery's own, JSON Lines and CSV, which somebody edited."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from gallery.media.timecodes import seconds_of
from gallery.metadata.corrections.correction import Corrections, Spot, number, size_of, text
from gallery.system.escapes import unquoted
from gallery.system.file_names import path_of
from gallery.types import Box

DECIDED = {"confirmed": "", "ignored": "ignored", "no_face": "no face"}
"""What of a record is a person's; the label that stands for it, empty for the character's name."""


def read_lines(content: bytes, found: Corrections) -> None:
    """Add what the lines of JSON say. Raises one of DAMAGE for anything else."""
    for line in content.decode("utf-8-sig").splitlines():
        if not line.strip():
            continue
        record = json.loads(line)
        part = record.get("video")
        time = number(part["best"]) if part and part["part"] == "track" else None
        size = None
        if record.get("width") and record.get("height"):
            size = size_of(record["width"], record["height"])
        for face in record["faces"]:
            box = Box(*(number(side) for side in face["box"]))
            picture = str(path_of(text(record["path"])))
            digest = record.get("digest")
            spot = Spot(picture, box, size, None if digest is None else text(digest), time)
            _add(found, face.get("character"), face.get("decided"), spot)


def read_table(content: bytes, found: Corrections) -> None:
    """Add what the rows of a table say, between commas, semicolons or tabs.

    Raises one of DAMAGE for anything else.
    """
    lines = content.decode("utf-8-sig")
    head = lines.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    for row in csv.DictReader(io.StringIO(lines, newline=""), delimiter=separator):
        if row.get("video") in ("shot", "end") or not row["left"]:
            continue
        box = Box(*(number(row[side]) for side in ("left", "top", "right", "bottom")))
        size = None
        if row.get("width") and row.get("height"):
            size = size_of(row["width"], row["height"])
        time = seconds_of(row["best"]) if row.get("video") == "track" else None
        picture = str(path_of(row["path"]))
        spot = Spot(picture, box, size, row.get("digest") or None, time)
        _add(found, unquoted(row["character"] or ""), row.get("decided") or None, spot)


def _add(found: Corrections, name: str | None, decided: str | None, spot: Spot) -> None:
    label = (name or "") if decided is None else DECIDED[decided] or (name or "")
    found.add(text(label), spot, is_answer=decided is None)


def is_table(content: bytes) -> bool:
    """Say whether a file is such a table."""
    head = content[:1000].decode("utf-8-sig", "replace").partition("\n")[0]
    return {"path", "left", "character"} <= {one.strip(' "\r') for one in _split(head)}


def _split(head: str) -> list[str]:
    return head.split(max(",;\t", key=head.count))


def is_line(value: Any) -> bool:
    """Say whether a value is a record."""
    return isinstance(value, dict) and {"path", "faces"} <= value.keys()
