"""What was decided, for a look: decided faces, and seen ones that nobody decided of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.engine.engine import Engine
from gallery.store.decided import Times, times_of
from gallery.system.files import absolute
from gallery.types import UNDECIDED, Box, FaceState


@dataclass(frozen=True, slots=True)
class ListedFace:
    """A face with what was decided of it."""

    seen: int | None
    """Its number among seen faces; None for one that is not seen now."""
    path: Path
    digest: str
    """Of the picture's or the video's file."""
    box: Box
    times: Times | None
    """Of a video's track: start, end and best moment, in seconds; None for a picture."""
    state: FaceState
    step: int | None
    """The step that decided it; None where nothing is decided."""


def listed_faces(
    engine: Engine, paths: Sequence[Path] = (), *, undecided: bool = False
) -> list[ListedFace]:
    """Return the decided faces, and where wanted seen ones that nothing is decided of.

    All, or those of some files and folders; ordered by path, time and place.
    """
    decisions, sightings = engine.store.decisions, engine.store.sightings.all()
    known = decisions.decided().matched(
        [one.place for one in sightings], [one.face.box for one in sightings]
    )
    seen = {
        one.face: sighting
        for one, sighting in zip(known, sightings, strict=True)
        if one is not None
    }
    steps = decisions.owners()
    found = [
        ListedFace(
            seen[one.id].id if one.id in seen else None,
            seen[one.id].path if one.id in seen else one.path,
            one.digest,
            one.box,
            one.times,
            one.state,
            steps.get(one.id),
        )
        for one in decisions.faces()
        if one.state != UNDECIDED
    ]
    if undecided:
        found += [
            ListedFace(
                one.id,
                one.path,
                one.place.digest,
                one.face.box,
                times_of(one.place),
                UNDECIDED,
                None,
            )
            for one, decided in zip(sightings, known, strict=True)
            if decided is None
        ]
    wanted = {absolute(path) for path in paths}
    kept = [
        one for one in found if not wanted or not wanted.isdisjoint((one.path, *one.path.parents))
    ]
    return sorted(kept, key=lambda one: (str(one.path), one.times or (0.0, 0.0, 0.0), one.box))
