"""Heads whose series is known and whose character is not: groups that the default encoder makes.

Within a series, heads are joined by average linkage while they are nearer than TOGETHER. Two heads
of one picture are two characters; frames of one moving picture mostly show one, and count as
NEARER. A group that is nearer than APART to a larger one of its series may be the same character,
unless some picture shows both: it takes no part, for it would teach that one is two. So does a head
without a group.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.metrics import Numbers
from gallery.numerics.distances import distances
from gallery.settings import DEFAULT_ENCODER
from gallery.system.files import replace_file
from measuring.cutting import read_cut
from measuring.faces import rows_of
from training.data import Place
from training.found import HEADS
from training.running import describe
from training.shipped import file_of

TOGETHER = 0.48
APART = 0.56
NEARER = 0.08
"""Distances of descriptors whose equal-error point lies at 0.6. On the television faces of the
dev-tv split 0.46 makes groups of 274 of 378 faces, and 98 % of these are of the group's character;
0.50 makes them of 321, and 94 % are."""

DIGEST = 12
"""The names of frames of one moving picture begin with as many letters alike."""

Marks = NDArray[np.bool_]


def write_groups(place: Place, path: Path) -> int:
    """Write the table of the heads that have a group; return how many these are."""
    rows = rows_of(place.faces, HEADS)
    faces = read_cut(place.faces, HEADS, place.cache)
    described = describe(file_of(DEFAULT_ENCODER), faces.pixels)
    pictures = np.array([row["picture"] for row in rows])
    names: dict[int, str] = {}
    for series in np.unique(faces.series):
        own = np.flatnonzero(faces.series == series)
        for number, group in enumerate(groups_of(described[own], pictures[own])):
            names |= {int(own[member]): f"head:{series}:{number}" for member in group}
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("file", "identity"))
    writer.writerows((rows[row]["file"], names[row]) for row in sorted(names))
    replace_file(path, table.getvalue().encode("utf-8"))
    return len(names)


def groups_of(described: Numbers, pictures: NDArray[np.str_]) -> list[list[int]]:
    """Return groups of two heads and more of one series, the largest first.

    Descriptors have the shape (n, DIMENSION); pictures, shape (n,), say which picture a head is of.
    """
    apart = distances(described, described)
    never = pictures[:, None] == pictures
    moving = np.array([picture[:DIGEST] for picture in pictures])
    nearer = np.where((moving[:, None] == moving) & ~never, apart - NEARER, apart)
    kept: list[list[int]] = []
    for group in sorted(_joined(nearer, never), key=len, reverse=True):
        if len(group) > 1 and not any(_alike(apart, never, group, other) for other in kept):
            kept.append(group)
    return kept


def _alike(apart: Numbers, never: Marks, one: list[int], other: list[int]) -> bool:
    """Say whether two groups may be one character."""
    places = np.ix_(one, other)
    return bool(apart[places].mean() < APART and not never[places].any())


def _joined(apart: Numbers, never: Marks) -> list[list[int]]:
    """Return all groups of average linkage that keeps apart what is never together."""
    groups = {place: [place] for place in range(len(apart))}
    left = np.where(never, np.inf, apart)
    sizes = np.ones(len(apart))
    while True:
        one, other = np.unravel_index(int(left.argmin()), left.shape)
        if left[one, other] > TOGETHER:
            return list(groups.values())
        both = sizes[one] + sizes[other]
        mean = (left[one] * sizes[one] + left[other] * sizes[other]) / both
        left[one], left[:, one] = mean, mean
        left[other], left[:, other] = np.inf, np.inf
        sizes[one] = both
        groups[int(one)] += groups.pop(int(other))
