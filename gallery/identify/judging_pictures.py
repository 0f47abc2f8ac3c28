"""Verdicts on faces that are seen beside each other: no two of them are one character.

Each face is judged by itself first. Where two people would get one name, all faces of their picture
are weighed anew, see distinct. That takes names and certainty from faces; it makes no face sure
that was not sure by itself, so that no more strangers are surely named than without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gallery.identify.calibration.evidence import Vectors
from gallery.identify.calibration.model import LEAST_PROBABLE, Calibration
from gallery.identify.distinct import (
    NOBODY,
    Company,
    Numbers,
    companies,
    holders,
    is_contested,
    joint_chances,
)
from gallery.identify.judging import Judgement, Judging
from gallery.types import Box, Match, MatchMode, Place, Quality, Thresholds, Verdict

CANDIDATES = 5
"""So many of a face's likeliest characters are weighed."""

CLEARLY = 0.75
"""A contested name is sure from this probability on: three times as likely as not this face's."""

CERTAIN = 1.0 - 1e-9
"""How likely a face has the name that a person gave it."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Faces with what is said of each by itself."""

    descriptors: Vectors
    """Shape (n, DIMENSION)."""
    qualities: Sequence[Quality | None]
    matches: Sequence[Sequence[Match]]
    """The likeliest characters of each, without the names that it does not have."""
    said: Sequence[Judgement]
    is_named: Sequence[bool]
    """Whether a person gave the face its name: it is confirmed, or enrolled."""


def judge_pictures(
    judging: Judging,
    faces: Judged,
    places: Sequence[Place],
    boxes: Sequence[Box],
    *,
    mode: MatchMode,
    calibration: Calibration | None,
    characters: int,
) -> dict[int, Judgement]:
    """Return what is said of the faces that the others of their pictures change, by their rows.

    Faces of a picture, or of a shot of a video, have one place; all of them are given.
    """
    found: dict[int, Judgement] = {}
    for company in companies(places, boxes):
        if not is_contested([faces.said[row].character for row in company.rows], company.beside):
            continue
        if calibration is None:
            found |= _by_distance(faces, company, judging.thresholds)
        else:
            found |= _Weighing(judging, faces, mode, calibration, characters).weigh(company)
    return {row: one for row, one in found.items() if one != faces.said[row]}


def _by_distance(faces: Judged, company: Company, thresholds: Thresholds) -> dict[int, Judgement]:
    """Let the nearest face hold a name; it is sure where the next one is clearly farther."""
    names, worth = _worth_by_distance(faces, company.rows, thresholds)
    held = holders(worth, company.beside)
    found = {}
    for place, (row, name) in enumerate(zip(company.rows, held.tolist(), strict=True)):
        said = faces.said[row]
        if faces.is_named[row] or said.character is None:
            continue
        if name == NOBODY:
            found[row] = said._replace(verdict=Verdict.UNKNOWN, character=None)
        elif names[name] != said.character:
            found[row] = said._replace(verdict=Verdict.UNSURE, character=names[name])
        else:
            # They would have this name, too, if the face had not.
            wanted = np.array([faces.said[one].character == said.character for one in company.rows])
            nearest = worth[wanted & company.beside[place], name].max(initial=0.0)
            if worth[place, name] - nearest < thresholds.margin and nearest > 0:
                found[row] = said._replace(verdict=min(said.verdict, Verdict.UNSURE))
    return found


def _worth_by_distance(
    faces: Judged, rows: Sequence[int], thresholds: Thresholds
) -> tuple[list[str], Numbers]:
    """Return names, and for each face how far within `unknown` each lies, shape (faces, names)."""
    far = np.nextafter(thresholds.unknown, np.inf)
    table: list[dict[str, float]] = []
    for row in rows:
        said = faces.said[row]
        if faces.is_named[row] and said.character is not None:
            table.append({said.character: np.inf})
        elif said.character is None:
            table.append({})
        else:
            near = (one for one in faces.matches[row][:CANDIDATES] if not one.is_reject)
            table.append({one.character: far - one.distance for one in near})
    return _as_array(table)


@dataclass(frozen=True, slots=True, eq=False)
class _Weighing:
    """Weighs names by their probabilities, in a gallery that is calibrated."""

    judging: Judging
    faces: Judged
    mode: MatchMode
    calibration: Calibration
    characters: int

    def weigh(self, company: Company) -> dict[int, Judgement]:
        """Weigh all names of all faces anew, and let the likeliest face hold a name."""
        names, chances = _as_array([self._chances(row) for row in company.rows])
        weighed = joint_chances(chances, company.beside)
        held = holders(np.where(chances >= CERTAIN, np.inf, weighed), company.beside)
        rest = (1 - weighed.sum(axis=1)) / np.maximum(1 - chances.sum(axis=1), 1 - CERTAIN)
        found = {}
        for row, name, likely, share in zip(
            company.rows, held.tolist(), weighed.tolist(), rest.tolist(), strict=True
        ):
            if self._is_weighed(row):
                by_name = dict(zip(names, likely, strict=True))
                holds = None if name == NOBODY else names[name]
                found[row] = self._judgement(row, by_name, holds, share)
        return found

    def _is_weighed(self, row: int) -> bool:
        return not self.faces.is_named[row] and self.faces.said[row].probability is not None

    def _judgement(
        self, row: int, likely: dict[str, float], holds: str | None, rest: float
    ) -> Judgement:
        """Return what is said of a face that holds a name, or none; of the rest nobody has all."""
        said = self.faces.said[row]
        stranger = None if said.stranger is None else min(said.stranger * rest, 1.0)
        new = Judgement(
            Verdict.UNKNOWN, None, likely[self.faces.matches[row][0].character], stranger
        )
        if said.character is None or holds is None:
            return new
        if holds == said.character:
            is_sure = said.verdict is Verdict.SURE and likely[holds] >= CLEARLY
            return new._replace(
                verdict=Verdict.SURE if is_sure else Verdict.UNSURE, character=holds
            )
        if likely[holds] >= max(self._least_unsure, LEAST_PROBABLE):
            return new._replace(verdict=Verdict.UNSURE, character=holds, probability=likely[holds])
        return new

    @property
    def _least_unsure(self) -> float:
        return self._probability_at(self.calibration.unknown(self.characters))

    def _probability_at(self, score: float) -> float:
        return float(self.calibration.right.at(np.array([score]))[0])

    def _chances(self, row: int) -> dict[str, float]:
        """Return how likely a face has each of its names, by itself.

        What the first name leaves for others of the gallery is theirs as their own evidence tells.
        """
        faces, said = self.faces, self.faces.said[row]
        if faces.is_named[row] and said.character is not None:
            return {said.character: CERTAIN}
        if said.probability is None or said.stranger is None:
            return {}
        first, *rest = faces.matches[row][:CANDIDATES]
        found = {first.character: min(said.probability, CERTAIN - 1e-9)}
        others = [one for one in rest if not one.is_reject]
        if others:
            evidence = self.judging.evidence(
                faces.descriptors[[row] * len(others)],
                [faces.qualities[row]] * len(others),
                [[one, first] for one in others],
                self.mode,
                self.calibration.pool,
            )
            likely = self.calibration.right.at(self.calibration.scorer.scores(evidence))
            left = max(1.0 - said.probability - said.stranger, 0.0)
            shares = left * likely / max(likely.sum(), 1e-300)
            found |= dict(zip((one.character for one in others), shares.tolist(), strict=True))
        return found


def _as_array(table: Sequence[dict[str, float]]) -> tuple[list[str], Numbers]:
    """Return all names, and the numbers of each face's, 0 for others, shape (faces, names)."""
    names = sorted({name for own in table for name in own})
    return names, np.array([[own.get(name, 0.0) for name in names] for own in table])
