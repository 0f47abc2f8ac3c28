"""Calibrating: where verdicts divide, learnt from the gallery's own faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.events import Advanced, Finished, Job, Started

if TYPE_CHECKING:
    from gallery.engine.engine import Gallery
    from gallery.identify.calibration.calibrate import Calibrated


def calibrate(gallery: Gallery, fpir: float) -> Job[Calibrated]:
    """Learn from the gallery's own faces where verdicts divide, and keep it, as one step.

    Raises what Engine.calibrate does.
    """
    yield Started("calibrating", 1, "gallery")
    found = gallery.calibrate(fpir)
    yield Advanced()
    yield Finished(found)
