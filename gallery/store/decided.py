"""What rules answers: the state of every decided face, to be asked by place.

A face is known by what its picture shows and by its box. Another detector draws another box, so
that the best overlap tells; a video's track is known by its video, its times and its box.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
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
    """All decided faces of a gallery, by what their files are known by, and by their ids."""

    by_key: Mapping[str, Sequence[DecidedPlace]]
    by_face: Mapping[int, DecidedPlace]

    @classmethod
    def of(cls, faces: Iterable[DecidedPlace]) -> DecidedFaces:
        """Join them."""
        by_face = {one.face: one for one in faces}
        return cls(_keyed(by_face.values()), by_face)

    def renewed(self, faces: Collection[int], now: Iterable[DecidedPlace]) -> DecidedFaces:
        """Return them with some faces as they are now, given by their ids.

        Of those that are not among `now` nothing is decided any more.
        """
        ids, by_key, by_face = set(faces), dict(self.by_key), dict(self.by_face)
        former = [by_face.pop(face) for face in ids if face in by_face]
        for key in {key for one in former for key in one.keys}:
            by_key[key] = [one for one in by_key[key] if one.face not in ids]
        new = {one.face: one for one in now}
        for key, own in _keyed(new.values()).items():
            by_key[key] = [*by_key.get(key, ()), *own]
        return DecidedFaces({key: own for key, own in by_key.items() if own}, by_face | new)

    def count(self, *, without: Decided) -> int:
        """Return how many faces are decided, but for those of one state."""
        return sum(one.state.decided is not without for one in self.by_face.values())

    @property
    def has_videos(self) -> bool:
        """Whether some are of videos."""
        return any(one.times is not None for one in self.by_face.values())

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
        found = [*self.by_key.get(place.digest, ())]
        if place.pixels is not None:
            found += self.by_key.get(place.pixels, ())
        return found


@dataclass(frozen=True, slots=True)
class Ruling:
    """What of all decisions rules answers, and what it was read from."""

    newest: int
    """The newest decision."""
    rejecting: int
    """The newest decision that says of a face whom it does not show, or says so no more."""
    names: Mapping[int, tuple[str, bool | None]]
    """What stands for a name in decisions: the name as it is now, and whether its character turns
    faces away; None where nobody in the gallery has it."""
    faces: DecidedFaces


def _keyed(faces: Iterable[DecidedPlace]) -> dict[str, list[DecidedPlace]]:
    found: defaultdict[str, list[DecidedPlace]] = defaultdict(list)
    for one in faces:
        for key in one.keys:
            found[key].append(one)
    return dict(found)


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
