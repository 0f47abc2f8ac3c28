"""Strangers of an enrolled series beside others: one hand drew them, so that they look alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.evaluation_set import EvaluationSet
from gallery.evaluation.figures import Chapter, Figure, missing, rate_of
from gallery.evaluation.verdicts import Answers, JudgedFaces
from gallery.numerics.intervals import Hits, Numbers
from gallery.numerics.neighbours import NOBODY
from gallery.types import Verdict

KINDS = {
    "same": "strangers of an enrolled series",
    "other": "strangers of other series",
    "unknown": "strangers of a series not known",
}

Row = tuple[str | Figure, ...]


def series_chapter(
    evaluation_set: EvaluationSet, said: Answers, weights: Numbers
) -> Iterator[Chapter]:
    """Give how strangers of an enrolled series do, where two characters are known to share one."""
    enrolled = _enrolled(evaluation_set)
    if not any(count > 1 for series, count in enrolled.items() if series is not None):
        return
    count = len({one for one in evaluation_set.series if one is not None})
    yield Chapter(
        "series",
        "Strangers of an enrolled series",
        f"{count} series are known, by names such as `Asuka (Evangelion)` or `evangelion:asuka`, "
        "or by the folders that characters' folders lie in. Whoever is not enrolled is most easily "
        "taken for somebody of the same series.",
        ("faces", "answer", "share (95 %)", "N"),
        (
            *_stranger_rows(evaluation_set, enrolled, said.strangers, weights),
            _mix_up(evaluation_set, said, weights),
        ),
    )


def _enrolled(evaluation_set: EvaluationSet) -> Counter[str | None]:
    """Return how many characters of each series are enrolled."""
    if not evaluation_set.series:
        return Counter()
    members = evaluation_set.references.members
    return Counter(
        evaluation_set.series[one] for one in members[~evaluation_set.rejects[members]].tolist()
    )


def _stranger_rows(
    evaluation_set: EvaluationSet,
    enrolled: Counter[str | None],
    said: JudgedFaces,
    weights: Numbers,
) -> Iterator[Row]:
    kinds = _kinds(evaluation_set, enrolled)[said.labels]
    for key, who in KINDS.items():
        kept = kinds == key
        if key == "unknown" and not kept.any():
            continue
        for what, shown, hits in (
            ("sure", "sure", said.verdicts == Verdict.SURE.value),
            ("named", "sure or unsure", said.verdicts != Verdict.UNKNOWN.value),
        ):
            name = f"series.strangers.{key}.{what}"
            hit = Hits(said.labels[kept], hits[kept])
            figure = rate_of(name, hit, weights, "there are no such strangers")
            yield who, shown, figure, f"{figure.count:,}"


def _kinds(evaluation_set: EvaluationSet, enrolled: Counter[str | None]) -> NDArray[np.str_]:
    """Return each character's kind of stranger, left out of the gallery: one of KINDS."""
    members = set(
        evaluation_set.references.members[
            ~evaluation_set.rejects[evaluation_set.references.members]
        ].tolist()
    )

    def kind(number: int, series: str | None) -> str:
        if series is None:
            return "unknown"
        return "same" if enrolled[series] > (number in members) else "other"

    return np.array([kind(*one) for one in enumerate(evaluation_set.series)], dtype=np.str_)


def _mix_up(evaluation_set: EvaluationSet, said: Answers, weights: Numbers) -> Row:
    """Return how many of the known faces that are named wrongly get a name of their own series."""
    known, name = said.known, "series.known.taken_for.same"
    wrong = (known.named != NOBODY) & ~known.right
    figure = missing(name, "no known face is named wrongly")
    if wrong.any():
        pairs = zip(known.labels[wrong].tolist(), known.named[wrong].tolist(), strict=True)
        series = [
            (evaluation_set.series[one], evaluation_set.series[other]) for one, other in pairs
        ]
        alike = np.array([one is not None and one == other for one, other in series])
        figure = rate_of(name, Hits(known.labels[wrong], alike), weights, "")
    return "known faces named wrongly", "of their own series", figure, f"{figure.count:,}"
