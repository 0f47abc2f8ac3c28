"""Two faces of one picture are two characters: a name is held by one face of it alone.

So are two faces that are followed through one shot of a video at the same time. Each face by itself
gives every name a probability. Given that no two faces share a name, the probabilities of all faces
together follow by the sum-product algorithm (Williams and Lau 2014, "Approximate evaluation of
marginal association probabilities with belief propagation"). They are exact where one name alone is
shared: of faces with odds o for it, each holds it with the probability o / (1 + the sum of odds).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gallery.types import Box, Place, VideoTrack

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]
Labels = NDArray[np.int64]

ONE_HEAD = 0.6
"""Boxes that share this much of the smaller one's area are one head, which was found twice."""

NOBODY = -1

ROUNDS = 200
"""The probabilities converge sooner, however many faces there are."""

SETTLED = 1e-9

LEAST_REST = 1e-9
"""What is left of all names for nobody, so that a confirmed name can be weighed as others are."""


class Company(NamedTuple):
    """Faces of one picture or of one shot."""

    rows: list[int]
    """Which faces they are."""
    beside: Marks
    """Which of them are two people, shape (n, n)."""


def companies(places: Sequence[Place], boxes: Sequence[Box]) -> Iterator[Company]:
    """Yield the faces that are seen beside each other; a face alone in its picture is in none."""
    files: defaultdict[tuple[str, int | None], list[int]] = defaultdict(list)
    for row, place in enumerate(places):
        files[place.digest, None if place.track is None else place.track.shot].append(row)
    for rows in files.values():
        beside = np.array(
            [
                [one != other and _are_two(places, boxes, one, other) for other in rows]
                for one in rows
            ]
        )
        if beside.any():
            yield Company(rows, beside)


def pairs_beside(places: Sequence[Place], boxes: Sequence[Box]) -> list[tuple[int, int]]:
    """Return the pairs of faces that are two people, since they are seen beside each other."""
    return [
        (company.rows[one], company.rows[other])
        for company in companies(places, boxes)
        for one, other in np.argwhere(np.triu(company.beside)).tolist()
    ]


def _are_two(places: Sequence[Place], boxes: Sequence[Box], one: int, other: int) -> bool:
    track, second = places[one].track, places[other].track
    if track is not None and second is not None and not _meet(track, second):
        return False
    smaller = min(boxes[one].area, boxes[other].area)
    return boxes[one].shared(boxes[other]) < ONE_HEAD * smaller


def _meet(one: VideoTrack, other: VideoTrack) -> bool:
    return one.start <= other.end and other.start <= one.end


def is_contested(names: Sequence[str | None], beside: Marks) -> bool:
    """Say whether two faces that are two people have one name; None is no name."""
    return any(
        names[one] is not None and names[one] == names[other]
        for one, other in np.argwhere(beside).tolist()
    )


def joint_chances(chances: Numbers, beside: Marks) -> Numbers:
    """Return how likely each face has each name where no two people share one.

    Given is how likely that is for each face by itself, shape (faces, names); a row sums up to 1 at
    most, and the rest of it is for nobody.
    """
    rest = np.maximum(1.0 - chances.sum(axis=1, keepdims=True), LEAST_REST)
    free = np.ones_like(chances)
    for _ in range(ROUNDS):
        own = chances * free
        claims = chances / (rest + own.sum(axis=1, keepdims=True) - own)
        before, free = free, 1.0 / (1.0 + beside @ claims)
        if np.abs(free - before).max(initial=0.0) < SETTLED:
            break
    own = chances * free
    return np.asarray(own / (rest + own.sum(axis=1, keepdims=True)))


def holders(worth: Numbers, beside: Marks) -> Labels:
    """Return which name each face holds, shape (faces,): the worthiest first, no two people one.

    `worth` has the shape (faces, names); what is not above 0 is no choice. NOBODY is left where all
    names of a face are held by others. A name of infinite worth is held whoever else holds it.
    """
    found = np.full(len(worth), NOBODY)
    rows, columns = np.nonzero(worth > 0)
    for place in np.argsort(-worth[rows, columns], kind="stable"):
        row, column = rows[place], columns[place]
        is_free = np.isinf(worth[row, column]) or not (found[beside[row]] == column).any()
        if found[row] == NOBODY and is_free:
            found[row] = column
    return found
