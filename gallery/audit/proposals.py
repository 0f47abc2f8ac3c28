"""What an audit says."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What may be wrong."""

    CONTRADICTED = "decided otherwise"
    """A person decided that a sample shows somebody else, or nobody."""
    MISPLACED = "misplaced"
    """A sample is nearer to another character than to its own."""
    TWINS = "twins"
    """Nearly the same face is enrolled as two characters."""
    SPLIT = "two in one"
    """A character's samples fall into two groups as far apart as two characters."""
    MERGE = "one in two"
    """Two characters' ideals are as near as those of one."""
    DUPLICATES = "duplicates"
    """A character has samples that are nearly the same; they count several times."""
    FEW = "too few"
    """A character has too few samples, or too few that differ, to be known by."""


ADVICE = (Kind.DUPLICATES, Kind.FEW)
"""These are no mistakes, and come last."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing that may be wrong."""

    kind: Kind
    likelihood: float | None
    """That it is so, 0 to 1; None for what is counted, not guessed."""
    characters: tuple[str, ...]
    """The character it is about; behind it the other one, where there is one."""
    samples: tuple[int, ...]
    """Those that the command moves or removes, or the ones to look at."""
    beside: tuple[int, ...]
    """Samples to compare them with."""
    reason: str
    """A sentence."""
    command: str
    """What puts it right, as it is typed in a shell; empty where there is none."""


def command(*words: str | int) -> str:
    """Return a command as it is typed, whatever letters a name has."""
    return shlex.join(["gallery", *map(str, words)])


def logistic(value: float) -> float:
    """Return 1 / (1 + exp(-value)), 0 to 1."""
    return 1.0 / (1.0 + math.exp(-min(max(value, -60.0), 60.0)))


def ranked(proposals: list[Proposal]) -> list[Proposal]:
    """Return proposals likeliest first, and advice behind them; equal ones by their samples."""
    return sorted(
        proposals,
        key=lambda one: (one.kind in ADVICE, -(one.likelihood or 0.0), one.characters, one.samples),
    )
