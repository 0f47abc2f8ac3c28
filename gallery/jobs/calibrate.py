"""Calibrating: where verdicts divide, learnt from the gallery's own faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.events import Advanced, Finished, Job, Noticed, Started

if TYPE_CHECKING:
    from gallery.engine.engine import Engine
    from gallery.identify.calibration.calibrate import Calibrated


def calibrate(engine: Engine, fpir: float) -> Job[Calibrated]:
    """Learn from the gallery's own faces where verdicts divide, and keep it, as one step.

    Raises what Engine.calibrate does.
    """
    yield Started("calibrating", 1, "gallery")
    found = engine.calibrate(fpir)
    yield Advanced()
    alike = engine.look_alikes()
    if alike is not None:
        yield Noticed(alike)
    yield Finished(found)
