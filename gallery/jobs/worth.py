"""Whether it is worth it to answer anew: what joint scoring gains, and what was changed since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gallery.engine.engine import Engine
from gallery.engine.joint import smoothed
from gallery.events import Finished, Job

MOST_FACES = 20_000
"""Of more seen faces no trial is made: it would take as long as answering them anew."""

LEAST_GAIN = 0.01
"""From this share of the gallery's own faces on, joint scoring pays."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What of the gallery's own faces would be surely and rightly named, as shares of 1."""

    alone: float
    jointly: float

    @property
    def pays(self) -> bool:
        """Whether joint scoring is sure of clearly more."""
        return self.jointly - self.alone >= LEAST_GAIN


def gain(engine: Engine) -> Job[Gain | None]:
    """Try joint scoring on the gallery's own faces among those that were seen.

    None where the gallery is not calibrated, where too many faces were seen for a trial, and where
    nothing can be learnt.
    """
    stored = engine.judging.calibration()
    found: Gain | None = None
    if stored is not None and engine.store.sightings.count() <= MOST_FACES:
        _, seen = engine.store.sightings.vectors(engine.encoder)
        drawn = yield from smoothed(engine, seen)
        if drawn is not None:
            shares = [_found(one.expected) for one in (stored, drawn.calibration)]
            found = None if None in shares else Gain(shares[0] or 0.0, shares[1] or 0.0)
    yield Finished(found)


def _found(expected: dict[str, object] | None) -> float | None:
    """Return the share of known faces that a calibration surely and rightly names."""
    share = (expected or {}).get("found")
    value = share.get("value") if isinstance(share, dict) else None
    return value if isinstance(value, float) else None


def changed_since(engine: Engine, records: Path) -> bool:
    """Say whether a decision or a calibration is newer than a file of records."""
    try:
        written = datetime.fromtimestamp(records.stat().st_mtime, UTC)
    except OSError:
        return False
    steps = engine.store.decisions.steps()
    kept = engine.store.calibration(engine.calibrated_as)
    times = [steps[0].made_at if steps else None, kept and kept[0]]
    return any(datetime.fromisoformat(one) > written for one in times if one)
