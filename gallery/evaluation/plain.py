"""An evaluation as JSON and as lines for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gallery.evaluation.decided import DecidedEvaluation
from gallery.evaluation.evaluate import Evaluation
from gallery.evaluation.figures import Figure

SCHEMA = 1
"""Grows when a key changes its meaning or goes."""


def as_json(evaluation: Evaluation, encoder: str) -> dict[str, Any]:
    """Return an evaluation as plain JSON values; shares and distances have six digits."""
    evaluation_set = evaluation.evaluation_set
    names = evaluation_set.names
    return {
        "schema": SCHEMA,
        "encoder": encoder,
        "seed": evaluation.seed,
        "characters": evaluation_set.enrolled,
        "samples": int((~evaluation_set.rejects[evaluation_set.references.labels]).sum()),
        "asked": evaluation.asked,
        "of_folder": evaluation_set.of_folder,
        "strangers": sorted(
            {names[evaluation_set.probes.labels[row]] for row in evaluation_set.outsiders}
        ),
        "notes": list(evaluation.notes),
        "figures": [_figure(figure) for figure in evaluation.figures],
        "confused": [
            {
                "characters": [names[pair.one], names[pair.other]],
                "first_as_second": pair.one_as_other,
                "second_as_first": pair.other_as_one,
                "faces": pair.faces,
            }
            for pair in evaluation.confused
        ],
        "mistakes": [
            {
                "path": str(evaluation_set.origins[one.probe].path),
                "sample": evaluation_set.origins[one.probe].sample_id,
                "character": names[evaluation_set.probes.labels[one.probe]],
                "taken_for": names[one.taken_for],
                "verdict": one.verdict.value,
                "distance": _rounded(one.distance),
                "own_distance": _rounded(one.own_distance),
            }
            for one in evaluation.mistakes
        ],
    }


def decided_json(evaluation: DecidedEvaluation, encoder: str) -> dict[str, Any]:
    """Return what a gallery is worth on decided faces as plain JSON values."""
    return {
        "schema": SCHEMA,
        "encoder": encoder,
        "confirmed": len(evaluation.confirmed),
        "wrong": sum(one.is_wrong for one in evaluation.confirmed),
        "enrolled": evaluation.enrolled,
        "unseen": evaluation.unseen,
        "figures": [_figure(figure) for figure in evaluation.figures],
        "mistakes": [
            {
                "face": one.sighting.id,
                "path": str(one.sighting.path),
                "box": [round(edge, 2) for edge in one.sighting.face.box],
                "decided": one.state.decided.value,
                "character": one.state.character,
                "taken_for": one.answer.character,
                "distance": _rounded(one.answer.distance),
            }
            for one in evaluation.wrong
        ],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "value": _rounded(figure.value),
        "low": _rounded(figure.low),
        "high": _rounded(figure.high),
        "n": figure.count,
        "characters": figure.characters,
        "threshold": _rounded(figure.threshold),
        "reason": figure.reason or None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def lines(evaluation: Evaluation | DecidedEvaluation) -> Iterator[str]:
    """Give `name value low high n` for every figure, with - for what cannot be said."""
    for figure in evaluation.figures:
        numbers = (figure.value, figure.low, figure.high)
        said = ["-" if number is None else f"{number:.6f}" for number in numbers]
        yield " ".join((figure.name, *said, str(figure.count)))
