"""An evaluation as a report: tables, curves, and the faces of the worst mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gallery.engine.engine import Engine
from gallery.evaluation.evaluate import Evaluation, tpir_curve
from gallery.evaluation.evaluation_set import crop_of
from gallery.evaluation.figures import Chapter, Figure
from gallery.evaluation.identification import MODES
from gallery.evaluation.verdicts import Mistake
from gallery.reports.line_chart import Line, Plot
from gallery.reports.page import Picture, PictureRow, Pictures, Report, Section, Table
from gallery.types import Crop, MatchMode

MOST_CONFUSED = 20
POINTS = 60
HISTOGRAM_BINS = 80


def report_of(evaluation: Evaluation, engine: Engine) -> Report:
    """Return a report; crops come from the gallery and, of a folder, from its pictures."""
    evaluation_set = evaluation.evaluation_set
    what = "a folder" if evaluation_set.of_folder else "the gallery itself, each face left out"
    plots = _plots(evaluation)
    sections = [
        Section(
            "What was asked",
            "\n\n".join(
                (
                    f"{evaluation.asked:,} faces of {what}, against {evaluation_set.enrolled:,} "
                    f"characters with {len(evaluation_set.references.labels):,} samples, encoded "
                    f"by {engine.encoder}. Intervals are the middle 95 % of bootstrap samples "
                    f"over characters; seed {evaluation.seed}.",
                    *evaluation.notes,
                )
            ),
        ),
        *(_section(chapter, plots.get(chapter.key, [])) for chapter in evaluation.chapters),
        _confused(evaluation),
        _mistakes(evaluation, engine),
    ]
    return Report("How often this gallery is right", tuple(sections))


def _section(chapter: Chapter, plots: Sequence[Plot]) -> Section:
    reasons = "".join(f"\n\n- stands where {reason}." for reason in chapter.reasons)
    rows = tuple(tuple(str(cell) for cell in row) for row in chapter.rows)
    return Section(chapter.title, chapter.text + reasons, (Table(chapter.columns, rows), *plots))


def _plots(evaluation: Evaluation) -> dict[str, list[Plot]]:
    """Return the plots by the key of the chapter that they belong to."""
    return {
        "open": list(_open_plot(evaluation)),
        "closed_1": list(_reference_plot(evaluation)),
        "verification": list(_pair_plots(evaluation)),
    }


def _open_plot(evaluation: Evaluation) -> Iterator[Plot]:
    """Give TPIR against FPIR."""
    searches = evaluation.searches
    ideal = searches[MatchMode.IDEAL]
    if not len(ideal.labels) or len(ideal.stranger_labels) < 2:
        return
    rates = np.geomspace(max(1 / len(ideal.stranger_labels), 1e-4), 1.0, POINTS)
    weights = np.ones((1, len(evaluation.evaluation_set.names)))
    yield Plot(
        "Known faces named rightly (TPIR) where strangers are named (FPIR), by matcher",
        "strangers that are named (FPIR)",
        "known faces named rightly (TPIR)",
        tuple(
            Line(mode.value, rates.tolist(), tpir_curve(searches[mode], weights, rates).tolist())
            for mode in MODES
        ),
        log_x=True,
        y_range=(0.0, 1.0),
    )


def _reference_plot(evaluation: Evaluation) -> Iterator[Plot]:
    """Give rank-1 against the number of references."""
    by_references = evaluation.closed.by_references
    lines = []
    for mode in MODES:
        known = {count: row[mode] for count, row in by_references.items() if mode in row}
        if known:
            lines.append(_of_figures(mode.value, known))
    if lines:
        yield Plot(
            "Rank-1 against the number of references, by matcher",
            "references of each character",
            "rank-1",
            tuple(lines),
        )


def _of_figures(name: str, known: Mapping[int, Figure]) -> Line:
    def numbers(part: str) -> list[float]:
        return [float(getattr(figure, part) or 0.0) for figure in known.values()]

    counts = [float(count) for count in known]
    # One band is read, four over each other are not.
    low, high = (numbers("low"), numbers("high")) if name == MatchMode.IDEAL else (None, None)
    return Line(name, counts, numbers("value"), low, high, marked=True)


def _pair_plots(evaluation: Evaluation) -> Iterator[Plot]:
    """Give TAR against FAR, and the distances of pairs of one character and of two."""
    table, curves = evaluation.verification.table, evaluation.verification.whole
    same, different = table.pairs()
    if not same or not different:
        return
    far, tar = curves.far[0], curves.tar[0]
    # Where FAR stays the same, TAR at its highest is what counts.
    last = np.append(np.flatnonzero(np.diff(far) > 0), len(far) - 1)
    yield Plot(
        "TAR against FAR",
        "FAR: pairs of two characters that are accepted",
        "TAR: pairs of one",
        (Line("pairs", far[last].tolist(), tar[last].tolist()),),
        log_x=True,
        y_range=(0.0, 1.0),
    )
    step = -(-len(table.thresholds) // HISTOGRAM_BINS)
    edges = table.thresholds[step - 1 :: step]
    lines = []
    for name, counts in zip(("one character", "two characters"), table.histogram(), strict=True):
        whole = counts[: len(edges) * step].reshape(-1, step).sum(axis=1)
        lines.append(Line(name, edges.tolist(), whole.tolist()))
    yield Plot("Distances of pairs", "distance", "share of the pairs", tuple(lines))


def confused_rows(evaluation: Evaluation, most: int) -> list[tuple[str, ...]]:
    """Return the characters that are mixed up most, as rows of a table."""
    names = evaluation.evaluation_set.names
    return [
        (
            names[pair.one],
            names[pair.other],
            f"{pair.count} of {pair.faces}",
            str(pair.one_as_other),
            str(pair.other_as_one),
        )
        for pair in evaluation.confused[:most]
    ]


CONFUSED_COLUMNS = ("character", "and", "faces mixed up", "first as second", "second as first")


def _confused(evaluation: Evaluation) -> Section:
    rows = tuple(confused_rows(evaluation, MOST_CONFUSED))
    title = "Who is mixed up with whom"
    if not rows:
        return Section(title, "Nobody: every face's nearest ideal is its own character's.")
    return Section(title, "By the nearest ideal.", (Table(CONFUSED_COLUMNS, rows),))


def _mistakes(evaluation: Evaluation, engine: Engine) -> Section:
    title = "The worst mistakes"
    if not evaluation.mistakes:
        return Section(title, "There is none.")
    bests = _Bests(evaluation, engine)
    rows = tuple(_mistake(evaluation, engine, bests, one) for one in evaluation.mistakes)
    return Section(
        title,
        "Surely named wrongly first, then those farthest off: the face, the best sample of whom it "
        "is taken for, and that of who it is.",
        (Pictures(rows),),
    )


class _Bests:
    """The crops of characters' best samples, read once each."""

    def __init__(self, evaluation: Evaluation, engine: Engine) -> None:
        self._names = evaluation.evaluation_set.names
        self._engine = engine
        self._crops: dict[int, Crop | None] = {}

    def __getitem__(self, character: int) -> Crop | None:
        if character not in self._crops:
            samples = self._engine.samples(self._names[character])
            best = next((one.id for one in samples if one.is_best), samples[0].id)
            self._crops[character] = self._engine.crops([best]).get(best)
        return self._crops[character]


def _mistake(evaluation: Evaluation, engine: Engine, bests: _Bests, one: Mistake) -> PictureRow:
    """Return a mistake's faces side by side; what cannot be read any more is left out."""
    evaluation_set = evaluation.evaluation_set
    origin = evaluation_set.origins[one.probe]
    actual = int(evaluation_set.probes.labels[one.probe])
    name, taken = evaluation_set.names[actual], evaluation_set.names[one.taken_for]
    own = "is not in the gallery" if one.own_distance is None else f"at {one.own_distance:.3f}"
    pictures = [
        (f"{origin.path.name}\n{one.verdict.value}", crop_of(engine, origin)),
        (f"taken for {taken}\nat {one.distance:.3f}", bests[one.taken_for]),
    ]
    if one.own_distance is not None:
        pictures.append((f"is {name}\n{own}", bests[actual]))
    sample = "" if origin.sample_id is None else f" (sample {origin.sample_id})"
    return PictureRow(
        tuple(Picture(caption, crop) for caption, crop in pictures if crop is not None),
        f"{origin.path}{sample} is {name}"
        + (", who is not in the gallery." if one.own_distance is None else "."),
    )
