"""What a calibration was worth, kept beside it, so that the next one is compared with it.

Whatever a person changes may make all answers worse. The share of the gallery's own faces that are
surely named tells of it, before anybody meets it in his pictures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from gallery.engine.engine import Engine
from gallery.errors import FallenFigure
from gallery.identify.calibration.model import Calibration

FALL = 0.1
"""A figure that loses more than this share of itself has fallen."""

JOINTLY = " jointly"
"""Behind an encoder's id: what joint scoring with it was worth, among the calibrations."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a calibration found, and of what."""

    found: float
    """The share of the gallery's own faces that are surely and rightly named, 0 to 1."""
    fpir: float
    characters: int
    samples: int
    rejections: int


def kept_figure(engine: Engine, *, jointly: bool = False) -> Figure | None:
    """Return what the last calibration was worth, or the last joint scoring; None where none was.

    Of one that an older version of gallery made nothing is known.
    """
    stored = engine.store.calibration(engine.calibrated_as + (JOINTLY if jointly else ""))
    if stored is None:
        return None
    try:
        body = json.loads(stored[1])
        return Figure(
            float(body["expected"]["found"]["value"]),
            float(body["fpir"]),
            int(body["characters"]),
            int(body["samples"]),
            int(body["rejections"]),
        )
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def keep_joint_figure(engine: Engine, calibration: Calibration) -> None:
    """Keep what joint scoring is worth, where the gallery can be written."""
    if not engine.store.is_writable:
        return
    body = {
        "expected": calibration.expected,
        "fpir": calibration.fpir,
        "characters": calibration.characters,
        "samples": calibration.samples,
        "rejections": len(engine.rejected().rejections),
    }
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    with engine.store.writing() as writer:
        writer.calibrate(engine.calibrated_as + JOINTLY, made_at, json.dumps(body))


def fallen(before: Figure | None, now: Figure | None) -> FallenFigure | None:
    """Return that a figure fell by more than a tenth, and what has changed; else None."""
    if before is None or now is None or now.found >= (1 - FALL) * before.found:
        return None
    return FallenFigure(
        before.found,
        now.found,
        now.rejections - before.rejections,
        now.characters - before.characters,
        now.samples - before.samples,
        before.fpir,
        now.fpir,
    )
