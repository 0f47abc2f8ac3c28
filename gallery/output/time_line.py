"""Who is on screen as one JSON object, for programs and pages."""

from __future__ import annotations

import json
from typing import Any

from gallery.numerics.spans import Span
from gallery.output.records import to_line
from gallery.output.screen_time import Episode, seconds_of
from gallery.system.file_names import path_text

MADE_BY = "gallery: who is on screen"


def time_line(video: Episode) -> str:
    """Return the characters with their times, and every track with whom it was taken for."""
    tracks = [
        {
            "shot": one.part.shot,
            "track": one.part.track,
            "start": round(one.span.start, 3),
            "end": round(one.span.end, 3),
            "best": round(one.part.best, 3),
            "character": one.answer.character,
            "verdict": one.answer.verdict.value,
        }
        for one in video.appearances
    ]
    values = {"made_by": MADE_BY, **summary(video), "tracks": tracks}
    return to_line(values) + "\n"


def summary(video: Episode) -> dict[str, Any]:
    """Return a video's characters as plain JSON values, those who are on screen longest first."""
    return {
        "path": path_text(video.path),
        "seconds": round(video.end, 3),
        "characters": [
            {
                "character": name,
                "seconds": round(seconds_of(spans), 3),
                "spans": [_rounded(one) for one in spans],
            }
            for name, spans in video.cast().items()
        ],
    }


def is_ours(content: bytes) -> bool:
    """Say whether gallery wrote a file."""
    try:
        return bool(json.loads(content)["made_by"] == MADE_BY)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _rounded(span: Span) -> list[float]:
    return [round(span.start, 3), round(span.end, 3)]
