"""Calibrating: where verdicts divide, learnt from the gallery's own faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gallery.engine.figures import fallen, kept_figure
from gallery.events import Advanced, Finished, Job, Noticed, Started

if TYPE_CHECKING:
    from gallery.engine.engine import Engine
    from gallery.identify.calibration.calibrate import Calibrated


def calibrate(engine: Engine, fpir: float) -> Job[Calibrated]:
    """Learn from the gallery's own faces where verdicts divide, and keep it, as one step.

    Where far fewer of these are surely named than by the calibration before, that is told.

    Raises what Engine.calibrate does.
    """
    yield Started("calibrating", 1, "gallery")
    before = kept_figure(engine)
    found = engine.calibrate(fpir)
    yield Advanced()
    fall = fallen(before, kept_figure(engine))
    if fall is not None:
        yield Noticed(fall)
    alike = engine.look_alikes()
    if alike is not None:
        yield Noticed(alike)
    yield Finished(found)
