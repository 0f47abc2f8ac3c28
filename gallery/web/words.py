"""What the page says in words: how likely a name is, what is left, where a face is."""

from __future__ import annotations

import math
from pathlib import Path

from gallery.media.timecodes import timecode
from gallery.store.answers import StoredAnswer
from gallery.types import Thresholds, Verdict

SCREEN = 100
"""Faces of a sure name on one screen."""

REST = 25
"""Faces more that the last screen of a name may have: so few are worth no screen of their own."""

ROWS = 12
"""Rows of doubtful faces, or clusters, on one screen."""

LONGEST_ROW = 60
"""Faces in a row; the rest comes when these are decided."""

FACES_NEAR = 300
"""Unknown faces on one screen, in rows by the nearest character: long rows have longer runs."""

LOOK = 3000
"""Milliseconds between two looks of the page whether the gallery says something else."""

SIDE = 8
"""Faces, or references, of each side of a pair."""

SCREEN_SECONDS, ROW_SECONDS, CLUSTER_SECONDS = 3.5, 2.0, 5.0
"""What a look takes a person: a screen of a sure name, a doubtful row, a cluster."""

LIKELIHOODS = ((0.99, "almost certain"), (0.95, "very likely"), (0.8, "likely"), (0.5, "perhaps"))
"""From which likelihood on which words stand."""

ODD_LIKELIHOOD = 0.95
"""A sure face below it is not ticked by itself."""

ODD_DISTANCE = 0.9
"""Without a calibration: one that is farther away than this share of the distance allowed."""


ALIKE = 1.2
"""Two faces farther from each other than this many times `unknown` are far: one face is farther
from another than from a character's ideal. Of 50 characters of the dev split with 6 faces each,
four in five pairs of one character are nearer, and one in a hundred others."""


def likelihood(one: StoredAnswer) -> str:
    """Return how likely the name of a face is, in words."""
    return likely(one.likelihood, one.verdict or Verdict.UNKNOWN)


def likely(likelihood: float | None, verdict: Verdict) -> str:
    """Return how likely a name is, in words; without a likelihood by the verdict."""
    if likelihood is None:
        return {Verdict.SURE: "near", Verdict.UNSURE: "not near", Verdict.UNKNOWN: "far"}[verdict]
    return in_words(likelihood)


def in_words(likelihood: float) -> str:
    """Return a likelihood, 0 to 1, in words."""
    return next((words for least, words in LIKELIHOODS if likelihood >= least), "unlikely")


def is_likely(likelihood: float) -> bool:
    """Say whether it is rather so than not; its words are others than unlikely."""
    return likelihood >= LIKELIHOODS[-1][0]


def near(distance: float, thresholds: Thresholds) -> str:
    """Return how near a face is to a character, in words."""
    return _apart(distance, thresholds.sure, thresholds.unknown)


def alike(distance: float, thresholds: Thresholds) -> str:
    """Return how near a face is to another one, in words."""
    return _apart(distance, thresholds.unknown, ALIKE * thresholds.unknown)


def _apart(distance: float, near: float, far: float) -> str:
    return "near" if distance <= near else "not near" if distance <= far else "far"


def is_odd(one: StoredAnswer, sure: float) -> bool:
    """Say whether a sure face wants a look of its own, given the distance of sure faces."""
    if one.verdict is not Verdict.SURE:
        return False
    if one.likelihood is not None:
        return one.likelihood < ODD_LIKELIHOOD
    return one.distance is not None and one.distance > ODD_DISTANCE * sure


def place(one: StoredAnswer) -> str:
    """Return the name of a face's file, with the time in a video."""
    name = file_name(one.path)
    return name if one.times is None else f"{name} {timecode(one.times[2])}"


def file_name(path: Path) -> str:
    """Return the name of a file, which may be no text."""
    return path.name.encode("utf-8", "backslashreplace").decode("utf-8")


def minutes(seconds: float) -> int:
    """Return seconds in minutes, one begun counting as whole."""
    return math.ceil(seconds / 60)


def screens(faces: int) -> int:
    """Return how many screens faces of one name take."""
    return max(-(-(faces - REST) // SCREEN), min(faces, 1))


def rows(faces: int) -> int:
    """Return how many rows faces of one name take."""
    return -(-faces // LONGEST_ROW)
