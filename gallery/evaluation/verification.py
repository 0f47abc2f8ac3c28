"""The tables of pairs of faces: verification, and the original's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gallery.evaluation.evaluation_set import EvaluationSet
from gallery.evaluation.figures import Chapter, Figure, missing, rate_of, share
from gallery.evaluation.metrics import Confusion, as_original, right_pairs
from gallery.evaluation.pairs import Curves, PairTable, Side, pairs_between, pairs_of
from gallery.evaluation.search import Probes, References, references_of, search
from gallery.evaluation.trials import ranked_within
from gallery.numerics.intervals import Numbers
from gallery.numerics.neighbours import NOBODY
from gallery.settings import SAME
from gallery.types import MatchMode

MOST_PAIRS = 1_000_000
"""Above it, pairs are drawn: so many of one character and of two at most."""

MOST_PAIRED = 20_000
"""Above it, the faces that all pairs are made of are drawn."""

BINS = 2000
RATES = (0.01, 0.001)

ALONE = "no character has two faces to compare"
NOBODY_ELSE = "there are no two characters to tell apart"


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """What pairs of faces say."""

    chapter: Chapter
    table: PairTable
    whole: Curves
    """Every character counted once."""


def verification(
    evaluation_set: EvaluationSet, weights: Numbers, generator: np.random.Generator
) -> Verification:
    """Return the figures of pairs: of samples with each other, or of probes with samples.

    Faces of reject classes take no part: two of them need not be of one character.
    """
    asked = evaluation_set.probes.chosen(evaluation_set.asked)
    kept = np.flatnonzero(~evaluation_set.rejects[evaluation_set.references.labels])
    if evaluation_set.of_folder:
        enrolled = evaluation_set.references.chosen(kept)
        pairs = pairs_between(
            Side(asked.descriptors, asked.labels),
            Side(enrolled.descriptors, enrolled.labels),
            asked.among(kept, len(evaluation_set.references.labels)).own,
            MOST_PAIRS,
            generator,
        )
    else:
        pairs = pairs_of(Side(asked.descriptors, asked.labels), MOST_PAIRS, generator)
    groups = np.zeros(len(evaluation_set.names), dtype=np.int64)
    table = PairTable(pairs, groups, BINS)
    same, different = table.pairs()
    whose = pairs.one[pairs.one == pairs.other]
    figures = _figures(table.curves(weights), same, different, len(np.unique(whose)))
    drawn = same + different < pairs.total_same + pairs.total_different
    text = (
        f"Pairs of {'a picture and an enrolled face' if evaluation_set.of_folder else 'faces'}: "
        f"{same:,} of one character, {different:,} of two"
        + (f", drawn from {pairs.total_same:,} and {pairs.total_different:,}." if drawn else ".")
        + " TAR is the share of one character's pairs that a threshold accepts, FAR that of two "
        "characters'; at the equal-error rate FAR and 1 - TAR are the same."
    )
    rows = tuple(
        (title, figure, f"{figure.count:,}", _distance(figure.threshold))
        for title, figure in figures.items()
    )
    chapter = Chapter(
        "verification",
        "Verification: are two faces one character?",
        text,
        ("figure", "value (95 %)", "pairs", "at distance"),
        rows,
    )
    return Verification(chapter, table, table.curves(np.ones((1, len(evaluation_set.names)))))


def _distance(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _figures(curves: Curves, same: int, different: int, characters: int) -> dict[str, Figure]:
    """Return the figures of pairs by their titles."""
    names = {"equal-error rate": "verification.eer"}
    names |= {f"TAR at FAR {rate:.1%}": f"verification.tar.far_{rate:g}" for rate in RATES}
    names["best F1"] = "verification.f1"
    count = same + different
    if not same or not different:
        reason = NOBODY_ELSE if same else ALONE
        return {title: missing(name, reason, count) for title, name in names.items()}

    def said(title: str, values: tuple[Numbers, Numbers]) -> Figure:
        return share(names[title], values[0], count, characters, float(values[1][0]))

    figures = {"equal-error rate": said("equal-error rate", curves.equal_error())}
    for rate in RATES:
        title = f"TAR at FAR {rate:.1%}"
        if different * rate < 1:
            reason = f"FAR {rate:.1%} needs {round(1 / rate):,} pairs of two characters"
            figures[title] = missing(names[title], reason, count)
        else:
            figures[title] = said(title, curves.tar_at(rate))
    figures["best F1"] = said("best F1", curves.best_f1())
    return figures


@dataclass(frozen=True, slots=True, eq=False)
class _Faces:
    """One set of faces against itself, in the order of their characters."""

    references: References
    probes: Probes
    """All of them, or drawn ones, that are left out of what they are compared with."""
    paired: Side
    """All of them, or drawn ones, that pairs are made of."""


def original(
    evaluation_set: EvaluationSet, weights: Numbers, generator: np.random.Generator
) -> Chapter:
    """Return the original's two tables, its own way and the right way.

    They are of one set of faces against itself: the samples, or a folder's pictures.
    """
    faces = _faces(evaluation_set, generator)
    drawn = len(faces.paired.labels) < len(faces.references.labels)
    return Chapter(
        "original",
        "The original's two tables, its own way and the right way",
        "Nearest best: the share of faces whose nearest best sample is of their own character. All "
        f"pairs: how pairs of faces are judged at distance {SAME:g}; the original counts "
        "every face with itself and every pair twice, and leaves false rejects out of the "
        "denominator of accuracy."
        + (f" Pairs are of {MOST_PAIRED:,} faces drawn at random." if drawn else ""),
        ("table", "way", "figure", "value (95 %)", "N"),
        (*_best_rows(faces, weights), *_pair_rows(faces.paired, weights, generator)),
    )


def _faces(evaluation_set: EvaluationSet, generator: np.random.Generator) -> _Faces:
    asked = evaluation_set.probes.chosen(evaluation_set.asked)
    references, _ = references_of(asked.descriptors, asked.labels)
    rows = np.arange(len(references.labels))
    if len(rows) > MOST_PAIRED:
        rows = np.sort(generator.choice(rows, MOST_PAIRED, replace=False))
    descriptors, labels = references.descriptors[rows], references.labels[rows]
    return _Faces(references, Probes(descriptors, labels, rows), Side(descriptors, labels))


def _best_rows(faces: _Faces, weights: Numbers) -> Iterator[tuple[str | Figure, ...]]:
    """Return the share of faces nearest to their own character's best sample, both ways."""
    mode, probes = MatchMode.BEST, faces.probes
    nowhere = np.full(len(probes.labels), NOBODY)
    leaky = Probes(probes.descriptors, probes.labels, nowhere)
    several = len(faces.references.members) > 1
    for way, name, asked in (
        ("a face counts in its own best", "original.best.leaky", leaky),
        ("a face is left out of it", "original.best.left_out", probes),
    ):
        hits = ranked_within(search(faces.references, asked, (mode,))[mode], probes.labels, 1)
        figure = rate_of(name, hits, weights, ALONE) if several else missing(name, NOBODY_ELSE)
        yield "nearest best", way, "rank-1", figure, f"{figure.count:,}"


def _pair_rows(
    faces: Side, weights: Numbers, generator: np.random.Generator
) -> Iterator[tuple[str | Figure, ...]]:
    """Return the all-pairs table, both ways."""
    exact = right_pairs(faces.descriptors, faces.labels, SAME)
    drawn = _sampled(faces, weights, generator) if exact.pairs else []
    sizes = weights @ np.bincount(faces.labels, minlength=weights.shape[1])
    for way, key in (("the original's", "original"), ("every pair once", "once")):
        is_original = key == "original"
        tables = [exact, *drawn]
        if is_original:
            counts = [len(faces.labels), *sizes[1:]]
            tables = [
                as_original(table, count) for table, count in zip(tables, counts, strict=False)
            ]
        for title in ("accuracy", "precision", "recall", "specificity", "F1"):
            name = f"original.pairs.{key}.{title.lower()}"
            attribute = "original_accuracy" if is_original else "accuracy"
            attribute = attribute if title == "accuracy" else title.lower()
            values = np.array([getattr(table, attribute) for table in tables])
            figure = _of_pairs(name, values, tables[0].pairs, len(np.unique(faces.labels)))
            yield "all pairs", way, title, figure, f"{figure.count:,}"


def _of_pairs(name: str, values: Numbers, pairs: int, characters: int) -> Figure:
    if not pairs:
        return missing(name, "there is one face and no pair")
    return share(name, values, pairs, characters, SAME)


def _sampled(faces: Side, weights: Numbers, generator: np.random.Generator) -> list[Confusion]:
    """Return the right table at SAME for every bootstrap sample of characters."""
    groups = np.zeros(weights.shape[1], dtype=np.int64)
    table = PairTable(pairs_of(faces, MOST_PAIRS, generator), groups, BINS)
    curves = table.curves(weights[1:])
    at = max(int(np.searchsorted(table.thresholds, SAME, "right")) - 1, 0)
    return [
        Confusion(same[at], different[at], different[-1] - different[at], same[-1] - same[at])
        for same, different in zip(curves.same, curves.different, strict=True)
    ]
