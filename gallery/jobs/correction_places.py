"""Which seen faces are meant by what files of other programs say, by picture and by place."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from gallery.engine.engine import Engine
from gallery.metadata.corrections.correction import Correction, Spot
from gallery.metadata.regions import Area, area_of, pairs
from gallery.store.sightings import ObservedPicture, Sighting
from gallery.store.videos import ObservedVideo
from gallery.system.files import absolute
from gallery.types import Box

MOMENT = 0.002
"""Seconds by which a time may lie beside a track: tables keep thousandths."""


ROOT = re.compile(r"/|[A-Za-z]:[\\/]|\\\\")
"""How a path begins that is not relative, on any system."""


class Unmatched(StrEnum):
    """Why a correction is of no seen face."""

    PICTURE = "no such picture was labelled"
    PICTURES = "several labelled pictures are called so"
    PLACE = "no face was seen there"
    PEOPLE = "the file does not say which face it is"
    NAME = "no character is called so"
    TWICE = "another correction says otherwise of the same face"


@dataclass(frozen=True, slots=True)
class Missed:
    """A correction that cannot be taken in."""

    correction: Correction
    why: Unmatched


class SeenPlaces:
    """Knows all seen faces by their pictures."""

    def __init__(self, engine: Engine, folder: Path | None = None) -> None:
        """Read what was seen; relative paths are looked for in the folder, where one is given."""
        sightings = engine.store.sightings
        self._folder = folder
        self._by_path: defaultdict[str, list[Sighting]] = defaultdict(list)
        self._by_digest: defaultdict[str, list[Sighting]] = defaultdict(list)
        for one in sightings.all():
            self._by_path[str(one.path)].append(one)
            self._by_digest[one.place.digest].append(one)
        self._sizes: dict[str, tuple[int, int]] = {}
        # A picture without faces is known, too: what is said of it has no face.
        known: dict[str, str] = {}
        files: list[ObservedPicture | ObservedVideo] = [
            *sightings.pictures(),
            *sightings.videos.all(),
        ]
        for seen in files:
            known[str(seen.path)] = seen.digest or ""
            if seen.width and seen.height:
                self._sizes[str(seen.path)] = (seen.width, seen.height)
        self._digest_at = known
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        for path in known:
            self._by_name[Path(path).name].append(path)

    def find(
        self, corrections: Sequence[Correction], source: Path
    ) -> tuple[list[tuple[Correction, Sighting]], list[Missed]]:
        """Return which seen faces the corrections of a file are of, and those of none."""
        found: list[tuple[Correction, Sighting]] = []
        missed: list[Missed] = []
        groups: defaultdict[str, list[Correction]] = defaultdict(list)
        for one in corrections:
            place = self._picture(one.spot, source)
            if isinstance(place, Unmatched):
                missed.append(Missed(one, place))
            else:
                groups[place].append(one)
        for path, own in groups.items():
            there = self._faces(path)
            pairs_found = self._paired(own, there, path)
            for row, one in enumerate(own):
                if row in pairs_found:
                    found.append((one, there[pairs_found[row]]))
                else:
                    why = Unmatched.PLACE if one.spot.box is not None else Unmatched.PEOPLE
                    missed.append(Missed(one, why))
        return found, missed

    def _faces(self, path: str) -> list[Sighting]:
        """Return the faces of a labelled file, also where they were seen in a copy of it."""
        return self._by_path.get(path) or self._by_digest.get(self._digest_at.get(path, ""), [])

    def _picture(self, spot: Spot, source: Path) -> str | Unmatched:
        """Return the labelled file that is meant: by digest, by path, by the end of its path."""
        if spot.digest is not None and spot.digest in self._by_digest:
            own = {str(one.path) for one in self._by_digest[spot.digest]}
            said = str(absolute(spot.picture))
            return said if said in own else min(own)
        folders = [Path(), source if source.is_dir() else source.parent]
        if self._folder is not None:
            folders.insert(0, self._folder)
        for folder in folders:
            path = str(absolute(folder / spot.picture))
            if path in self._digest_at:
                return path
        return self._by_end(spot.picture)

    def _by_end(self, picture: str) -> str | Unmatched:
        """Return the labelled file whose path ends like another one, in most parts.

        All parts of a relative path are wanted, and of one from another root the folder's name.
        """
        parts = PurePosixPath(picture.replace("\\", "/")).parts
        least = 2 if ROOT.match(picture) else len(parts)
        known = self._by_name.get(parts[-1] if parts else "", [])
        alike = [(_common(parts, Path(path).parts), path) for path in known]
        most = max((count for count, _ in alike), default=0)
        best = [path for count, path in alike if count == most >= least]
        if not best:
            return Unmatched.PICTURE
        return best[0] if len(best) == 1 else Unmatched.PICTURES

    def _paired(
        self, corrections: Sequence[Correction], there: Sequence[Sighting], path: str
    ) -> dict[int, int]:
        """Return which correction is of which face, each at most once, by their numbers."""
        if not there:
            return {}
        boxed = [row for row, one in enumerate(corrections) if one.spot.box is not None]
        if not boxed:
            is_plain = len(corrections) == len(there) == 1
            return {0: 0} if is_plain else {}
        found: dict[int, int] = {}
        for time in dict.fromkeys(corrections[row].spot.time for row in boxed):
            rows = [row for row in boxed if corrections[row].spot.time == time]
            columns = [column for column, one in enumerate(there) if _is_then(one, time)]
            size = self._sizes.get(path) or _around(there)
            said = [_area(corrections[row].spot, size) for row in rows]
            seen = [area_of(there[column].face.box, *size) for column in columns]
            if rows and columns:
                for row, column in pairs(said, seen).items():
                    found[rows[row]] = columns[column]
        return found


def _is_then(one: Sighting, time: float | None) -> bool:
    if one.track is None or time is None:
        return (one.track is None) == (time is None)
    return one.track.start - MOMENT <= time <= one.track.end + MOMENT


def _area(spot: Spot, size: tuple[int, int]) -> Area:
    """Return where a box is, in shares of its picture."""
    box, (width, height) = spot.box or Box(0, 0, 0, 0), spot.size or size
    return Area(
        (box.left + box.right) / 2 / width,
        (box.top + box.bottom) / 2 / height,
        box.width / width,
        box.height / height,
    )


def _around(there: Iterable[Sighting]) -> tuple[int, int]:
    """Return a size that holds all faces, of a picture whose own is not known."""
    boxes = [one.face.box for one in there]
    return (
        max(round(max(box.right for box in boxes)), 1),
        max(round(max(box.bottom for box in boxes)), 1),
    )


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many of their last parts two paths have in common."""
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count


def unlike(corrections: Sequence[Correction], original: Sequence[Correction]) -> list[Correction]:
    """Return the corrections that the file as gallery wrote it does not say."""
    before: Mapping[tuple[str, float | None], list[Correction]] = defaultdict(list)
    for one in original:
        before[one.spot.picture, one.spot.time].append(one)
    return [
        one
        for one in corrections
        if not any(
            (one.decided, one.name) == (other.decided, other.name) and _is_there(one, other)
            for other in before[one.spot.picture, one.spot.time]
        )
    ]


def _is_there(one: Correction, other: Correction) -> bool:
    mine, its = one.spot.box, other.spot.box
    return mine == its or (mine is not None and its is not None and mine.overlap(its) >= 0.5)
