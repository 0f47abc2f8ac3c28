"""How well boxes that a detector found fit heads that a person labelled: pure functions of numbers.

A box is right where it overlaps a head that no better box has, by at least SAME as intersection
over union. Boxes that lie for half in a region to be ignored, or are the same as one, are neither
right nor wrong; so are heads below LEAST_SIDE.
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
    pairs: tuple[Pair, ...]


class Interval(NamedTuple):
    """A figure with the bounds between which 95 of 100 resamples of the pictures lie."""

    value: float
    low: float
    high: float


def matched(faces: Sequence[Face], heads: Sequence[Head], width: int, height: int) -> Matched:
    """Match faces, best first, with the heads of a picture; boxes end at the picture for that."""
    known = [head for head in heads if not head.ignore and side(head.box) >= LEAST_SIDE]
    ignored = [clipped(head.box, width, height) for head in heads if head not in known]
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
        tuple(side(head.box) for head in known),
        tuple(reached),
        tuple(pairs),
    )


def side(box: Box) -> float:
    """Return the square root of a box's area, in pixels."""
    return math.sqrt(max(box.width, 0.0) * max(box.height, 0.0))


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

    A head is round: its box becomes the one around the ellipse that fills it.
    """
    import cv2

    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    width = math.ceil(image.width * abs(cosine) + image.height * abs(sine))
    height = math.ceil(image.width * abs(sine) + image.height * abs(cosine))

    def place(point: Point) -> Point:
        x, y = point.x - image.width / 2, point.y - image.height / 2
        return Point(x * cosine - y * sine + width / 2, x * sine + y * cosine + height / 2)

    def box(known: Box) -> Box:
        middle = place(known.centre)
        across = math.hypot(known.width * cosine, known.height * sine) / 2
        down = math.hypot(known.width * sine, known.height * cosine) / 2
        return Box(middle.x - across, middle.y - down, middle.x + across, middle.y + down)

    def head(known: Head) -> Head:
        inside = clipped(known.box, image.width, image.height)
        eyes = (
            known.left_eye and place(known.left_eye),
            known.right_eye and place(known.right_eye),
        )
        return replace(known, box=box(inside), left_eye=eyes[0], right_eye=eyes[1])

    # OpenCV counts from the middle of the first pixel.
    middle = place(Point(0.5, 0.5))
    matrix = np.array([[cosine, -sine, middle.x - 0.5], [sine, cosine, middle.y - 0.5]])
    pixels = cv2.warpAffine(
        image.pixels,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=GROUND,
    )
    upright = replace(image, pixels=np.asarray(pixels, np.uint8))
    return upright, [head(known) for known in heads]


class Scored:
    """A detector's matches in all pictures, and what is read off them."""

    def __init__(self, pictures: Sequence[Matched]) -> None:
        self.pictures = pictures
        self._scores, self._right, self._owner = _flat(pictures)
        reached = [
            (side, score, place)
            for place, one in enumerate(pictures)
            for side, score in zip(one.sides, one.reached, strict=True)
        ]
        table = np.array(reached, np.float64).reshape(-1, 3)
        self._sides, self._reached = table[:, 0], table[:, 1]
        self._head_owner = table[:, 2].astype(np.int64)

    @property
    def bar(self) -> float:
        """The score that boxes must exceed so that FALSE_A_PICTURE are wrong."""
        return self._bar(np.ones(len(self.pictures)))

    def recall(self, least: float, most: float = math.inf) -> Interval:
        """Return the share of heads of these sides found above the bar."""
        chosen = (self._sides >= least) & (self._sides < most)
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
