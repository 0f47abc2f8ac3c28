"""Faces followed from frame to frame within one shot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.assignment import pairs_of
from gallery.types import Box, DescribedFace, Descriptor, Thresholds

BEST = 5
"""How many glimpses, those of the best quality, make a track's descriptor."""

OVERLAP = 0.2
"""Heads of two frames that overlap less, as intersection over union, are one face only if they look
alike."""

STRETCH = 1.3
"""Heads that overlap are two faces where they differ by more than the threshold for unknown times
this: the same face turns and blinks, and the threshold is one for whole tracks."""

PATIENCE = 3
"""Sampled frames in a row that may miss a face, behind a hand or with its eyes shut."""


class Glimpse(NamedTuple):
    """A face at one moment."""

    time: float
    """Seconds of the video."""
    described: DescribedFace
    """Box and landmarks are in pixels of the video as it is shown."""


@dataclass(slots=True, eq=False)
class Track:
    """One face through the sampled frames of a shot."""

    start: float
    """Seconds of the video at which it was seen first."""
    end: float
    """Seconds at which it was seen last."""
    last: DescribedFace
    looks: int = 0
    """In how many sampled frames the face was found."""
    best: list[Glimpse] = field(default_factory=list)
    """At most BEST glimpses, the one of the best quality first; of equal ones the earlier."""
    missed: int = 0
    """Sampled frames in a row without the face."""
    path: list[tuple[float, Box]] = field(default_factory=list)
    """Where it was at which seconds of the video, frame by sampled frame."""

    def see(self, time: float, described: DescribedFace) -> None:
        """Add a sampled frame."""
        self.path.append((time, described.face.box))
        self.end, self.last, self.missed = time, described, 0
        self.looks += 1
        self.best.append(Glimpse(time, described))
        self.best.sort(key=lambda one: (-one.described.quality.score, one.time))
        del self.best[BEST:]

    def stay(self, time: float) -> None:
        """Add a frame in which it stands where it stood."""
        self.end = time
        self.path.append((time, self.last.face.box))

    @property
    def descriptor(self) -> Descriptor:
        """Return the mean of its best glimpses' descriptors, weighted by their quality."""
        weights = np.array([one.described.quality.score for one in self.best], np.float64)
        rows = np.stack([one.described.descriptor for one in self.best]).astype(np.float64)
        total = weights.sum()
        mean = weights @ rows / total if total > 0 else rows.mean(axis=0)
        return np.asarray(mean, np.float32)


class Tracker:
    """Joins the faces of a shot's sampled frames into tracks."""

    def __init__(self, thresholds: Thresholds) -> None:
        """Begin a shot; thresholds are the encoder's."""
        self._thresholds = thresholds
        self._running: list[Track] = []
        self._ended: list[Track] = []

    def add(self, time: float, faces: Sequence[DescribedFace]) -> None:
        """Take the faces of the next sampled frame."""
        taken: set[int] = set()
        for row, column in self._pairs(faces).items():
            self._running[row].see(time, faces[column])
            taken.add(column)
        for track in self._running:
            track.missed += track.end < time
        self._ended += [track for track in self._running if track.missed > PATIENCE]
        self._running = [track for track in self._running if track.missed <= PATIENCE]
        for number, face in enumerate(faces):
            if number not in taken:
                track = Track(time, time, face)
                track.see(time, face)
                self._running.append(track)

    def stay(self, time: float) -> None:
        """Take a frame that shows the same as the last sampled one."""
        for track in self._running:
            if track.missed == 0:
                track.stay(time)

    def tracks(self) -> list[Track]:
        """Return all tracks, in the order in which they begin, then from left to right."""
        found = [*self._ended, *self._running]
        return sorted(found, key=lambda track: (track.start, track.best[0].described.face.box.left))

    def _pairs(self, faces: Sequence[DescribedFace]) -> dict[int, int]:
        """Return which running track continues with which face: the nearest pair first."""
        return pairs_of(
            (cost, row, column)
            for row, track in enumerate(self._running)
            for column, face in enumerate(faces)
            if (cost := self._cost(track, face)) < math.inf
        )

    def _cost(self, track: Track, face: DescribedFace) -> float:
        apart = _distance(track.descriptor, face.descriptor)
        shared = track.last.face.box.overlap(face.face.box)
        same_place = shared >= OVERLAP and apart <= STRETCH * self._thresholds.unknown
        if not same_place and apart > self._thresholds.sure:
            return math.inf
        return (1.0 - shared) + apart / max(self._thresholds.unknown, 1e-9)


def _distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(one.astype(np.float64) - other.astype(np.float64)))
