"""How well boxes that a detector found fit heads that a person labelled: pure functions of numbers.

A box is right where it overlaps a head that no better box has, by at least SAME as intersection
over union. Boxes that lie for half in a region to be ignored, or are the same as one, are neither
right nor wrong; so are heads below LEAST_SIDE.

Turned pictures are to show what turning does, and nothing else. So all detectors get the same
picture, as sharp as upright (`turned`), and a head counts as large or small by its upright size. A
head that leaned before may lean by more than MOST_ROLL then, for which no detector here is made:
recalls are given with and without those. An edge that cuts a head runs aslant in a turned picture;
its box is that of the part that is seen. The canvas that holds a turned picture is larger than the
picture, so that a detector that scales pictures to one size sees smaller heads: 0.95 and 0.97 times
as large at 30 and 45 degrees in the mean of data/detection. That is left as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth import Head
from gallery.types import Box, Face, Image, Point

SAME = 0.5
LEAST_SIDE = 16.0
"""Smaller heads than this, in pixels as the square root of the area, are ignored."""

LARGE = 40.0
"""Heads from this side on are large."""

MOST_ROLL = 60.0
"""Degrees that a head may lean by to either side, by its eyes, to be one that has to be found."""

FALSE_A_PICTURE = 0.1
"""How many wrong boxes a picture may have where recalls are read off."""

RESAMPLES = 500
GROUND = (127, 127, 127)
"""What fills the corners of a turned picture."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """A head and the face that was found for it."""

    head: Head
    face: Face


@dataclass(frozen=True, slots=True)
class Matched:
    """What a detector made of one picture."""

    scores: tuple[float, ...]
    """Of boxes that are right or wrong, best first."""
    right: tuple[bool, ...]
    sides: tuple[float, ...]
    """Of the heads that count, in pixels."""
    reached: tuple[float, ...]
    """The score of each head's box, 0 where it has none."""
    rolls: tuple[float, ...]
    """How far each of them leans, in degrees from 0 to 180; 0 where an eye is hidden."""
    pairs: tuple[Pair, ...]


class Interval(NamedTuple):
    """A figure with the bounds between which 95 of 100 resamples of the pictures lie."""

    value: float
    low: float
    high: float


def matched(
    faces: Sequence[Face],
    heads: Sequence[Head],
    width: int,
    height: int,
    sides: Sequence[float] | None = None,
) -> Matched:
    """Match faces, best first, with the heads of a picture; boxes end at the picture for that.

    sides are those of the heads in pixels, where not their boxes here say them best.
    """
    sides = [side(head.box) for head in heads] if sides is None else sides
    counts = [not head.ignore and one >= LEAST_SIDE for head, one in zip(heads, sides, strict=True)]
    known = [head for head, is_known in zip(heads, counts, strict=True) if is_known]
    ignored = [
        clipped(head.box, width, height)
        for head, is_known in zip(heads, counts, strict=True)
        if not is_known
    ]
    places = [clipped(head.box, width, height) for head in known]
    reached = [0.0] * len(known)
    scores, right, pairs = [], [], []
    free = set(range(len(known)))
    for face in faces:
        box = clipped(face.box, width, height)
        best = max(free, key=lambda place: box.overlap(places[place]), default=None)
        if best is not None and box.overlap(places[best]) >= SAME:
            free.remove(best)
            reached[best] = face.score
            pairs.append(Pair(known[best], face))
        elif any(is_in(box, region) for region in ignored):
            continue
        else:
            best = None
        scores.append(face.score)
        right.append(best is not None)
    return Matched(
        tuple(scores),
        tuple(right),
        tuple(one for one, is_known in zip(sides, counts, strict=True) if is_known),
        tuple(reached),
        tuple(roll(head) for head in known),
        tuple(pairs),
    )


def side(box: Box) -> float:
    """Return the square root of a box's area, in pixels."""
    return math.sqrt(max(box.width, 0.0) * max(box.height, 0.0))


def roll(head: Head) -> float:
    """Return how far a head leans to either side by its eyes, in degrees; 0 where one is hidden."""
    if head.left_eye is None or head.right_eye is None:
        return 0.0
    across, down = (right - left for left, right in zip(head.left_eye, head.right_eye, strict=True))
    return abs(math.degrees(math.atan2(down, across)))


def clipped(box: Box, width: int, height: int) -> Box:
    """Return the part of a box inside a picture."""
    left, right = (min(max(edge, 0.0), float(width)) for edge in (box.left, box.right))
    top, bottom = (min(max(edge, 0.0), float(height)) for edge in (box.top, box.bottom))
    return Box(left, top, right, bottom)


def is_in(box: Box, region: Box) -> bool:
    """Say whether a box lies for half in a region, or is the same."""
    return box.shared(region) >= 0.5 * box.area > 0 or box.overlap(region) >= SAME


def turned(image: Image, heads: Sequence[Head], degrees: float) -> tuple[Image, list[Head]]:
    """Turn a picture clockwise on a canvas that holds all of it, and its heads with it.

    A head is round: its box becomes the one around the ellipse that fills it, or around what an
    edge of the picture leaves of that. Linear interpolation would blur the small pictures that
    small heads come from, which pictures of leaning heads are not; so Lanczos' is used.
    """
    import cv2

    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    width, height = canvas(image, degrees)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    shift = np.array([width, height]) / 2 - turn @ (np.array([image.width, image.height]) / 2)

    def place(point: Point) -> Point:
        return Point(*(turn @ point + shift).tolist())

    def head(known: Head) -> Head:
        seen = _seen(known.box, image) @ turn.T + shift
        return replace(
            known,
            box=Box(*seen.min(axis=0).tolist(), *seen.max(axis=0).tolist()),
            left_eye=known.left_eye and place(known.left_eye),
            right_eye=known.right_eye and place(known.right_eye),
        )

    # OpenCV counts from the middle of the first pixel.
    offset = shift + turn.sum(axis=1) / 2 - 0.5
    pixels = cv2.warpAffine(
        image.pixels,
        np.column_stack([turn, offset]),
        (width, height),
        flags=cv2.INTER_LANCZOS4,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=GROUND,
    )
    return replace(image, pixels=np.asarray(pixels, np.uint8)), [head(known) for known in heads]


def canvas(image: Image, degrees: float) -> tuple[int, int]:
    """Return width and height of the canvas that holds all of a turned picture."""
    angle = math.radians(degrees)
    cosine, sine = abs(math.cos(angle)), abs(math.sin(angle))
    # A pixel more for a rounding error would shift the picture by half of one.
    return (
        math.ceil(image.width * cosine + image.height * sine - 1e-6),
        math.ceil(image.width * sine + image.height * cosine - 1e-6),
    )


def _seen(box: Box, image: Image) -> Numbers:
    """Return places, shape (n, 2), around the part of a box's ellipse that is in a picture."""
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    middle, half = np.array(box.centre), np.array([box.width, box.height]) / 2
    places = np.clip(middle + circle * half, 0, [image.width, image.height])
    # What the picture's edge moves out of the ellipse is none of its points.
    inside = (((places - middle) / np.maximum(half, 1e-9)) ** 2).sum(axis=1) <= 1 + 1e-9
    return places[inside] if inside.any() else places


class Scored:
    """A detector's matches in all pictures, and what is read off them."""

    def __init__(self, pictures: Sequence[Matched]) -> None:
        self.pictures = pictures
        self._scores, self._right, self._owner = _flat(pictures)
        reached = [
            (side, score, roll, place)
            for place, one in enumerate(pictures)
            for side, score, roll in zip(one.sides, one.reached, one.rolls, strict=True)
        ]
        table = np.array(reached, np.float64).reshape(-1, 4)
        self._sides, self._reached, self._rolls = table[:, 0], table[:, 1], table[:, 2]
        self._head_owner = table[:, 3].astype(np.int64)

    @property
    def bar(self) -> float:
        """The score that boxes must exceed so that FALSE_A_PICTURE are wrong."""
        return self._bar(np.ones(len(self.pictures)))

    def recall(self, least: float, most: float = math.inf, most_roll: float = 180.0) -> Interval:
        """Return the share of heads found above the bar, of those of these sides and rolls."""
        chosen = (self._sides >= least) & (self._sides < most) & (self._rolls <= most_roll)
        reached, owner = self._reached[chosen], self._head_owner[chosen]

        def share(weights: Numbers) -> float:
            own = weights[owner]
            found = reached > self._bar(weights)
            return float((own * found).sum() / own.sum()) if own.sum() else math.nan

        return self._interval(share)

    def precision_area(self) -> Interval:
        """Return the average precision: the area below precision over recall, made to fall.

        Everingham et al., "The PASCAL Visual Object Classes Challenge", 2010, with all points.
        """

        def area(weights: Numbers) -> float:
            own = weights[self._owner]
            hits = np.cumsum(own * self._right)
            precision = hits / np.maximum(np.cumsum(own), 1e-9)
            falling = np.maximum.accumulate(precision[::-1])[::-1]
            heads = weights[self._head_owner].sum()
            return float((falling * own * self._right).sum() / heads) if heads else math.nan

        return self._interval(area)

    @cached_property
    def pairs(self) -> list[Pair]:
        """All heads that were found, at whatever score."""
        return [pair for one in self.pictures for pair in one.pairs]

    def _bar(self, weights: Numbers) -> float:
        wrong = ~self._right
        count = np.cumsum(weights[self._owner[wrong]])
        too_many = np.flatnonzero(count > FALSE_A_PICTURE * weights.sum())
        return float(self._scores[wrong][too_many[0]]) if len(too_many) else 0.0

    def _interval(self, figure: Callable[[Numbers], float]) -> Interval:
        generator = np.random.default_rng(0)
        count = len(self.pictures)
        values = [
            figure(np.bincount(generator.integers(0, count, count), minlength=count).astype(float))
            for _ in range(RESAMPLES)
        ]
        known = [value for value in values if not math.isnan(value)] or [math.nan]
        low, high = np.quantile(known, (0.025, 0.975))
        return Interval(figure(np.ones(count)), float(low), float(high))


def eye_errors(pairs: Sequence[Pair]) -> list[float]:
    """Return how far found eyes are from labelled ones, in distances between the labelled eyes.

    Heads whose two eyes are labelled and found count; the left eye is the one further left.
    """
    errors = []
    for pair in pairs:
        head, landmarks = pair.head, pair.face.landmarks
        if head.left_eye is None or head.right_eye is None or landmarks is None:
            continue
        known = sorted((head.left_eye, head.right_eye))
        found = sorted((landmarks.left_eye, landmarks.right_eye))
        apart = max(math.dist(*known), 1.0)
        errors += [math.dist(*two) / apart for two in zip(known, found, strict=True)]
    return errors


def _flat(
    pictures: Sequence[Matched],
) -> tuple[Numbers, NDArray[np.bool_], NDArray[np.int64]]:
    """Return scores, whether they are right, and their pictures of all boxes, best first."""
    rows = [
        (score, is_right, place)
        for place, one in enumerate(pictures)
        for score, is_right in zip(one.scores, one.right, strict=True)
    ]
    table = np.array(rows, np.float64).reshape(-1, 3)
    table = table[np.argsort(-table[:, 0], kind="stable")]
    return table[:, 0], table[:, 1].astype(np.bool_), table[:, 2].astype(np.int64)
