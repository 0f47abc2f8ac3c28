"""Portraits beside all other faces, which the original project calls its wild data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.figures import Chapter, Figure, missing, rate_of
from gallery.evaluation.identification import Protocol
from gallery.evaluation.verdicts import MODE, Answers, JudgedFaces, known_rows
from gallery.numerics.intervals import Hits, Numbers
from gallery.types import Verdict

Row = tuple[str | Figure, ...]
Marks = NDArray[np.bool_]


def poses_chapter(asked: Protocol, said: Answers, weights: Numbers) -> Iterator[Chapter]:
    """Give how portraits do, and other faces, where a gallery is asked about both."""
    portraits = asked.evaluation_set.portraits
    if len(set(portraits[said.known.probes].tolist())) < 2:
        return
    yield Chapter(
        "poses",
        "Portraits, and other faces",
        "A portrait is upright and seen from the front, or nearly so. "
        "The gallery's own faces are of both kinds alike.",
        ("faces", "answer", "share (95 %)", "N"),
        tuple(
            row
            for kind in (
                ("portraits", "portraits", portraits),
                ("others", "other faces", ~portraits),
            )
            for row in _rows(kind, asked, said, weights)
        ),
    )


def _rows(
    kind: tuple[str, str, Marks], asked: Protocol, said: Answers, weights: Numbers
) -> Iterator[Row]:
    key, who, of_these = kind
    known, strangers = _some(said.known, of_these), _some(said.strangers, of_these)
    there = np.array(known_rows(asked), np.intp)
    there = there[of_these[asked.rows[there]]]
    nearest = Hits(asked.labels[there], asked.candidates[MODE].rank[there] == 0)
    yield _row(f"poses.{key}.rank_1", who, "nearest to their own ideal", nearest, weights)
    sure = known.verdicts == Verdict.SURE.value
    yield _row(f"poses.{key}.sure", who, "sure", Hits(known.labels, sure), weights)
    right = Hits(known.labels[sure], known.right[sure])
    yield _row(f"poses.{key}.sure.right", who, "of these, right", right, weights)
    taken = Hits(strangers.labels, strangers.verdicts == Verdict.SURE.value)
    yield _row(f"poses.{key}.strangers.sure", f"{who} of strangers", "sure", taken, weights)


def _row(name: str, who: str, what: str, hits: Hits, weights: Numbers) -> Row:
    reason = f"there are no {who}, or none is sure"
    figure = rate_of(name, hits, weights, reason) if len(hits.labels) else missing(name, reason)
    return who, what, figure, f"{figure.count:,}"


def _some(said: JudgedFaces, of_these: Marks) -> JudgedFaces:
    kept = of_these[said.probes]
    return JudgedFaces(
        said.labels[kept],
        said.verdicts[kept],
        said.right[kept],
        said.named[kept],
        said.probes[kept],
    )
