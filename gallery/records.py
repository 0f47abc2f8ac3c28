"""Records as JSON: the one shape in which answers leave the program."""

from __future__ import annotations

import json
from typing import Any

from gallery.types import Answer, Quality, Record


def as_json(record: Record) -> dict[str, Any]:
    """Return a record as plain JSON values; boxes are whole pixels inside the picture."""
    return {
        "path": str(record.path),
        "width": record.width,
        "height": record.height,
        "encoder": record.encoder,
        "faces": [_face(answer, record.width or 0, record.height or 0) for answer in record.faces],
        "left_out": record.left_out,
        "error": record.error,
    }


def _face(answer: Answer, width: int, height: int) -> dict[str, Any]:
    return {
        "box": list(answer.face.box.within(width, height)),
        "score": _rounded(answer.face.score),
        "quality": quality_json(answer.quality),
        "verdict": answer.verdict.value,
        "character": answer.character,
        "distance": _rounded(answer.distance),
        "matches": [
            {"character": match.character, "distance": _rounded(match.distance)}
            for match in answer.matches
        ],
    }


def quality_json(quality: Quality | None) -> dict[str, float | None] | None:
    """Return the parts of a face's quality and their score; None where it is unknown."""
    if quality is None:
        return None
    return {
        "score": _rounded(quality.score),
        "size": _rounded(quality.size),
        "sharpness": _rounded(quality.sharpness),
        "roll": _rounded(quality.roll),
        "frontal": _rounded(quality.frontal),
        "cut": _rounded(quality.cut),
    }


def _rounded(value: float | None) -> float | None:
    """Six digits are more than any network means, and make files that can be compared."""
    return None if value is None else round(value, 6)


def to_line(values: dict[str, Any]) -> str:
    """Return JSON on one line, in the letters of any language.

    A file name that is no text, as Linux allows, is escaped; json.loads gives it back.
    """
    text = json.dumps(values, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(values)
    return text
