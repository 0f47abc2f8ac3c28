"""Records as JSON: the one shape in which answers leave the program."""

from __future__ import annotations

import json
from typing import Any

from gallery.types import Answer, Record


def as_json(record: Record) -> dict[str, Any]:
    """Return a record as plain JSON values; boxes are whole pixels inside the picture."""
    return {
        "path": str(record.path),
        "width": record.width,
        "height": record.height,
        "encoder": record.encoder,
        "faces": [_face(answer, record.width or 0, record.height or 0) for answer in record.faces],
        "error": record.error,
    }


def _face(answer: Answer, width: int, height: int) -> dict[str, Any]:
    return {
        "box": list(answer.face.box.within(width, height)),
        "score": _rounded(answer.face.score),
        "verdict": answer.verdict.value,
        "character": answer.character,
        "distance": _rounded(answer.distance),
        "matches": [
            {"character": match.character, "distance": _rounded(match.distance)}
            for match in answer.matches
        ],
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
