"""Groups of unknown faces that look like one, or like a character: what a person is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Engine
from gallery.identify.calibration.doubles import TOGETHER, likelihood_at
from gallery.numerics.distances import squared_distances
from gallery.types import Descriptor

Numbers = NDArray[np.float64]

ROWS_AT_ONCE = 512

CHARACTERS = 3
"""The nearest of them that a group is asked for."""

MOST = 60
"""Pairs: who has answered so many asks again."""


@dataclass(frozen=True, slots=True)
class LikelyPair:
    """A group of unknown faces, and what it is likely the same as."""

    group: int
    """A cluster's number."""
    other: int | str
    """Another cluster's number, or a character's name."""
    likelihood: float
    """0 to 1, as the audit has it of two characters."""


Members: TypeAlias = "Mapping[int, Mapping[int, int]]"
"""See AnswerReader.unknown_members."""


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    numbers: list[int]
    centres: Numbers
    """Shape (groups, DIMENSION)."""
    noise: Numbers
    """Expected squared distance of each centre from the true one, shape (groups,)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Centre:
    faces: tuple[int, ...]
    """Those that the group had, described or not."""
    mean: Numbers | None
    """Shape (DIMENSION,); None where no face is described."""
    spread: float
    """The sum of the faces' squared distances from it."""
    size: int


class GroupCentres:
    """The centres of one gallery's groups, kept: of each look only changed groups are read."""

    def __init__(self) -> None:
        self._known: dict[int, _Centre] = {}

    def of(self, engine: Engine, members: Members) -> _Groups:
        """Return the groups of which some face is described."""
        known = self._known
        new = {
            number: faces
            for number, faces in members.items()
            if number not in known or known[number].faces != (*faces,)
        }
        vectors = engine.store.sightings.vectors_of(
            engine.encoder, [face for faces in new.values() for face in faces]
        )
        found = {number: _centre(faces, vectors) for number, faces in new.items()}
        self._known = {number: found.get(number) or known[number] for number in members}
        described = [(one, own) for one, own in self._known.items() if own.mean is not None]
        counts = np.array([own.size for _, own in described])
        sums = np.array([own.spread for _, own in described])
        # The mean of one face is as far from the true centre as faces are.
        usual = sums.sum() / max((counts - 1).sum(), 1)
        variance = np.where(counts > 1, sums / np.maximum(counts - 1, 1), usual)
        return _Groups(
            [number for number, _ in described],
            np.array([own.mean for _, own in described]),
            variance / np.maximum(counts, 1),
        )


def _centre(faces: Mapping[int, int], vectors: Mapping[int, Descriptor]) -> _Centre:
    own = np.array([vectors[face] for face in faces if face in vectors], np.float64)
    if not len(own):
        return _Centre((*faces,), None, 0.0, 0)
    mean = own.mean(axis=0)
    return _Centre((*faces,), mean, float(((own - mean) ** 2).sum()), len(own))


def likely_pairs(
    engine: Engine, members: Members, centres: GroupCentres | None = None, *, most: int = MOST
) -> list[LikelyPair]:
    """Return the pairs that are likely the same, likeliest first, at most so many.

    `members` are the faces of the groups. A pair that a person said is not the same is left out,
    see still_likely. Raises StoreError where samples lack the encoder in use.
    """
    engine.require_encoded()
    groups = (centres or GroupCentres()).of(engine, members)
    if not groups.numbers:
        return []
    found = _of_groups(engine, groups) + _of_characters(engine, groups)
    found.sort(key=lambda one: (-one.likelihood, one.group, str(one.other)))
    return still_likely(engine, found, members)[:most]


def still_likely(engine: Engine, pairs: Sequence[LikelyPair], members: Members) -> list[LikelyPair]:
    """Return those of the pairs of which nobody said meanwhile whether they are the same.

    Left out are groups that have no face to decide of, two groups of which faces are told apart,
    and a group with a name that was rejected for one of its faces.
    """
    where = {face: number for number, faces in members.items() for face in faces}
    apart = {
        frozenset((where.get(one), where.get(other)))
        for one, other in engine.store.groups.told_apart()
    }
    named = [one for one in pairs if isinstance(one.other, str) and one.group in members]
    rejected = _rejected(engine, {one.group: members[one.group] for one in named})

    def stands(pair: LikelyPair) -> bool:
        if pair.group not in members:
            return False
        if isinstance(pair.other, str):
            return pair.other not in rejected[pair.group]
        return pair.other in members and frozenset((pair.group, pair.other)) not in apart

    return [one for one in pairs if stands(one)]


def _of_groups(engine: Engine, groups: _Groups) -> list[LikelyPair]:
    found = []
    most = (TOGETHER * engine.thresholds.unknown) ** 2
    for start in range(0, len(groups.numbers), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        squares = squared_distances(groups.centres[rows], groups.centres[start:])
        squares -= groups.noise[rows][:, None] + groups.noise[start:]
        for row, column in np.argwhere(np.triu(squares <= most, 1)).tolist():
            one, other = groups.numbers[start + row], groups.numbers[start + column]
            found.append(LikelyPair(one, other, _likelihood(engine, squares[row, column])))
    return found


def _of_characters(engine: Engine, groups: _Groups) -> list[LikelyPair]:
    near = engine.near_ideals(groups.centres.astype(np.float32), CHARACTERS)
    return [
        LikelyPair(number, one.character, _likelihood(engine, one.distance**2 - noise))
        for number, noise, matches in zip(groups.numbers, groups.noise, near, strict=True)
        for one in matches
        if not one.is_reject
        and one.distance**2 - noise <= (TOGETHER * engine.thresholds.unknown) ** 2
    ]


def _rejected(engine: Engine, members: Members) -> dict[int, set[str]]:
    """Return the names that were rejected for some face of each group."""
    owners = {number: {one for one in faces.values() if one} for number, faces in members.items()}
    names = engine.store.decisions.rejected(set().union(*owners.values()))
    return {
        number: {name for one in own for name in names.get(one, ())}
        for number, own in owners.items()
    }


def _likelihood(engine: Engine, square: float) -> float:
    return likelihood_at(max(float(square), 0.0) ** 0.5 / engine.thresholds.unknown)
