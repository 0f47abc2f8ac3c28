"""What rules answers: the state of every decided face, to be asked by place.

A face is known by what its picture shows and by its box. Another detector draws another box, so
that the best overlap tells; a video's track is known by its video, its times and its box.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gallery.numerics.assignment import pairs_of
from gallery.store.rejections import SAME_PLACE
from gallery.types import UNDECIDED, Box, Decided, FaceState, Place

Times = tuple[float, float, float]
"""Of a video's track: start, end and the moment that its box is of, in seconds."""


class DecidedPlace(NamedTuple):
    """A decided face as answers want it."""

    keys: frozenset[str]
    """The digests of all files that show its picture or video, and that of the pixels."""
    box: Box
    times: Times | None
    """None for a face in a picture."""
    state: FaceState
    face: int
    """The id of the decided face."""


@dataclass(frozen=True, slots=True)
class DecidedFaces:
    """All decided faces of a gallery, by what their files are known by."""

    by_key: dict[str, list[DecidedPlace]]

    @classmethod
    def of(cls, faces: Iterable[DecidedPlace]) -> DecidedFaces:
        """Join them."""
        found: defaultdict[str, list[DecidedPlace]] = defaultdict(list)
        for one in faces:
            for key in one.keys:
                found[key].append(one)
        return cls(dict(found))

    def count(self, *, without: Decided) -> int:
        """Return how many faces are decided, but for those of one state."""
        every = {one.face: one.state for own in self.by_key.values() for one in own}
        return sum(state.decided is not without for state in every.values())

    @property
    def has_videos(self) -> bool:
        """Whether some are of videos."""
        return any(one.times is not None for own in self.by_key.values() for one in own)

    def states(self, places: Sequence[Place], boxes: Sequence[Box]) -> list[FaceState]:
        """Return the states of faces, given by place and box, all faces of a file at once."""
        found = self.matched(places, boxes)
        return [UNDECIDED if one is None else one.state for one in found]

    def matched(self, places: Sequence[Place], boxes: Sequence[Box]) -> list[DecidedPlace | None]:
        """Return which decided faces some faces are, all faces of a file at once.

        Each decided face is one of them: the one that it overlaps most.
        """
        found: list[DecidedPlace | None] = [None] * len(places)
        if not self.by_key:
            return found
        near: dict[int, DecidedPlace] = {}
        fits: list[tuple[float, int, int]] = []
        for row, (place, box) in enumerate(zip(places, boxes, strict=True)):
            for one in self._near(place):
                shared = box.overlap(one.box)
                if shared >= SAME_PLACE and is_same_time(times_of(place), one.times):
                    near[id(one)] = one
                    fits.append((-shared, row, id(one)))
        for row, column in pairs_of(fits).items():
            found[row] = near[column]
        return found

    def state(self, place: Place, box: Box) -> FaceState:
        """Return the state of one face."""
        (found,) = self.states([place], [box])
        return found

    def _near(self, place: Place) -> list[DecidedPlace]:
        found = self.by_key.get(place.digest, [])
        if place.pixels is not None:
            found = found + self.by_key.get(place.pixels, [])
        return found


def times_of(place: Place) -> Times | None:
    """Return the times of a track; None for a face in a picture."""
    track = place.track
    return None if track is None else (track.start, track.end, track.best)


def is_same_time(one: Times | None, other: Times | None) -> bool:
    """Say whether two faces of one file may be one: both of a picture, or at the same time."""
    if one is None or other is None:
        return one is other
    return one[0] <= other[1] and other[0] <= one[1]


def ruled(state: FaceState, known: Mapping[str, bool]) -> FaceState:
    """Return what of a state rules, given the characters and which of them turn faces away.

    A name that nobody in the gallery has rules nothing until somebody has it again; whoever is
    confirmed as a reject class is ignored.
    """
    rejected = tuple(name for name in state.not_these if name in known)
    decided, name = state.decided, state.character
    if name is not None and known.get(name, False):
        decided, name = Decided.IGNORED, None
    elif decided is Decided.NOT_THIS or (name is not None and name not in known):
        decided, name = (Decided.NOT_THIS if rejected else Decided.UNDECIDED), None
    return FaceState(decided, name, rejected)
