"""`python -m training.evaluate`: figures of several encoders side by side, by split and by style.

Nobody trains on the splits `dev` (games, fan art, illustration) and `dev-tv` (television).

Networks answer through gallery's ONNX Runtime encoder with raw descriptors, as programs on dlib
see them; `normed` columns compare those of dlib's layout brought to length 1, `mirror` columns the
mean of a face's and its mirror image's. Intervals are the middle 95 % of bootstrap samples over
characters; galleries stay as they are, so that intervals of galleries' figures are a little small.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.figures import Figure, rate_of, share
from gallery.evaluation.metrics import Labels, Numbers, original_pairs, right_pairs
from gallery.evaluation.pairs import PairTable, Side, all_pairs
from gallery.evaluation.search import Probes, ranks, references_of
from gallery.evaluation.trials import few_references, half_enrolled, mean_tpir
from gallery.events import value_of
from gallery.numerics.distances import distances
from gallery.numerics.intervals import Hits, weightings
from gallery.types import MatchMode
from measuring.ccip_shape import ccip_figures
from measuring.faces import Faces, read_faces
from measuring.mislabelled import rightly_labelled
from training.baseline import colour_histograms
from training.shipped import TRAINED, file_of

Marks = NDArray[np.bool_]

HERE = Path(__file__).parent
ROOT = HERE.parent
NETWORKS = tuple(file_of(name) for name in TRAINED)
SPLITS = ("dev", "dev-tv")
DRAWS = 20
SEED = 3

ENROLLED = 5
"""References of a character in open galleries."""

LEAST_CHARACTERS = 10
"""A style of a split is looked at alone when it has as many characters of two faces and more."""


@dataclass(frozen=True, slots=True)
class Column:
    """One encoder's descriptors of the faces."""

    title: str
    descriptors: Numbers
    threshold: float | None
    """The distance that its own convention calls the same character, if it has one."""


def figures_of(
    column: Column, labels: Labels, series: Labels, weights: Numbers
) -> dict[str, Figure]:
    """Return one encoder's figures by title.

    Series, shape (classes,), are numbered; weights, shape (1 + samples, classes), say how often
    each character counts, in their first row once.
    """
    described = column.descriptors
    figures: dict[str, Figure] = {}

    def hit_rate(title: str, hits: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
        figures[title] = rate_of(title, Hits(labels, hits), weights, "")

    def of_several(title: str, places: Labels, rank: int) -> None:
        several = places >= 0
        hits = Hits(labels[several], places[several] < rank)
        figures[title] = rate_of(title, hits, weights, "")

    leaky = ranks(described, labels, MatchMode.BEST, leave_out=False)
    hit_rate("best of class, the original's way", leaky == 0)
    left_out = ranks(described, labels, MatchMode.BEST)
    of_several("best of class, probe left out", left_out, 1)
    places = ranks(described, labels, MatchMode.IDEAL)
    of_several("rank-1 against ideals, probe left out", places, 1)
    of_several("rank-5 against ideals, probe left out", places, 5)
    figures |= _pair_figures(described, labels, series, weights)
    for title, figure in ccip_figures(described, labels, weights).items():
        figures[f"pair F1 in the shape of CCIP's test, {title}"] = figure
    figures |= _gallery_figures(described, labels, weights)
    return figures


def _pair_figures(
    described: Numbers, labels: Labels, series: Labels, weights: Numbers
) -> dict[str, Figure]:
    """Return the figures of pairs of faces."""
    figures: dict[str, Figure] = {}
    characters = len(series)
    table = PairTable(all_pairs(Side(described, labels)), series)

    def note(title: str, values: Numbers, among: str) -> None:
        figures[title] = share(title, values, sum(table.pairs(among)), characters)

    for among in ("all", "one series", "other series"):
        curves = table.curves(weights, among)
        if among == "all":
            note("pair F1, best threshold", curves.best_f1()[0], among)
        note(f"equal-error rate, {among}", curves.equal_error()[0], among)
        for far in (1e-2, 1e-3):
            note(f"TAR at FAR {far:.1%}, {among}", curves.tar_at(far)[0], among)
    return figures


def _gallery_figures(described: Numbers, labels: Labels, weights: Numbers) -> dict[str, Figure]:
    """Return the figures of galleries with few references."""
    figures: dict[str, Figure] = {}
    references, _ = references_of(described, labels)
    own = np.arange(len(labels))
    probes = Probes(references.descriptors, references.labels, own)
    for count in (1, 3, 5, 10):
        trial = value_of(
            few_references(
                references,
                probes,
                count,
                (MatchMode.IDEAL,),
                np.random.default_rng((SEED, count)),
                draws=DRAWS,
            )
        )
        for rank in (1, 5) if trial else ():
            title = f"rank-{rank}, {count} reference{'s' * (count > 1)}"
            assert trial is not None
            hits = trial.hits(MatchMode.IDEAL, rank)
            figures[title] = rate_of(title, hits, weights, "", draws=DRAWS)
    enough = (np.unique(labels, return_counts=True)[1] > ENROLLED).sum()
    if enough < 2:
        return figures
    trials = half_enrolled(references, probes, ENROLLED, np.random.default_rng((SEED, 5)), DRAWS)
    known = sum(len(one.labels) for one in trials) // DRAWS
    for rate in (0.01, 0.1):
        title = f"TPIR at FPIR {rate:.0%}, half enrolled with 5"
        values = mean_tpir(trials, rate, weights)
        figures[title] = share(title, values, known, weights.shape[1])
    return figures


def print_rows(
    title: str, columns: list[Column], labels: Labels, series: Labels, samples: int
) -> None:
    """Print a Markdown table with intervals."""
    print(f"\n### {title}\n")
    print("| figure | N | " + " | ".join(column.title for column in columns) + " |")
    print("|---|---|" + "---|" * len(columns))
    weights = weightings(len(series), samples, SEED)
    table = [figures_of(column, labels, series, weights) for column in columns]
    for name, first in table[0].items():
        cells = " | ".join(str(figures[name]) for figures in table)
        print(f"| {name} | {first.count} | {cells} |", flush=True)


def print_pairs(columns: list[Column], labels: Labels) -> None:
    """Print the original's all-pairs table, its way and the right way, for encoders with 0.6."""
    print("\n### All pairs at the encoder's own threshold\n")
    print("| encoder | way | accuracy | precision | recall | specificity | F1 |")
    print("|---|---|---|---|---|---|---|")
    for column in columns:
        if column.threshold is None:
            continue
        original = original_pairs(column.descriptors, labels, column.threshold)
        right = right_pairs(column.descriptors, labels, column.threshold)
        for way, table, accuracy in (
            ("the original's", original, original.original_accuracy),
            ("every pair once, no self pairs", right, right.accuracy),
        ):
            print(
                f"| {column.title} at {column.threshold:g} | {way} | {accuracy:.4f} | "
                f"{table.precision:.4f} | {table.recall:.4f} | {table.specificity:.4f} | "
                f"{table.f1:.4f} |"
            )


def normed(descriptors: Numbers) -> Numbers:
    """Return descriptors of length 1."""
    return np.asarray(descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True))


def partners(folder: Path, network: Path) -> tuple[int, float, float]:
    """Return how many sample pictures are nearest to their partner, and two distances.

    They are the largest of partners and the smallest of strangers. The pictures NAME1 and NAME2
    are two of one character; animeface finds the face and the eyes, EyeAligner cuts it.
    """
    from gallery.faces import catalog
    from gallery.faces.align import EyeAligner
    from gallery.faces.detectors.animeface import AnimefaceDetector
    from gallery.media.images import read_image
    from gallery.settings import default_cache_folder
    from training.running import weights_of

    paths = sorted(path for path in folder.iterdir() if path.suffix in {".jpg", ".png"})
    images = [read_image(path) for path in paths]
    found = AnimefaceDetector().detect(images)
    aligner = EyeAligner()
    crops = [aligner.align(image, faces[0]) for image, faces in zip(images, found, strict=True)]
    encoder = catalog.encoder("onnx", weights_of(network), default_cache_folder())
    described = encoder.encode(np.stack(crops)).astype(np.float64)
    names = np.array([path.stem[:-1] for path in paths])
    apart = distances(described, described)
    np.fill_diagonal(apart, np.inf)
    nearest = int((names[apart.argmin(axis=1)] == names).sum())
    same = (names[:, None] == names) & np.isfinite(apart)
    return nearest, float(apart[same].max()), float(apart[names[:, None] != names].min())


def columns_of(
    networks: list[Path],
    detectors: list[str],
    stand_in: Path,
    faces: Faces,
    cache: Path,
    *,
    mirror: bool,
) -> list[Column]:
    """Return the columns: of networks in several ways, of the stand-in and of colour."""
    from gallery.settings import SAME

    columns = []
    for network in networks:
        raw = _described(network, faces, cache, mirror=False)
        columns.append(Column(f"{network.stem}, raw", raw, SAME))
        if network.suffix == ".dat":
            columns.append(Column(f"{network.stem}, normed", normed(raw), None))
        if mirror:
            mirrored = _described(network, faces, cache, mirror=True)
            columns.append(Column(f"{network.stem}, raw, mirror", mirrored, SAME))
    for detector in detectors:
        columns += _cut_columns(networks, detector, faces)
    described = _described(stand_in, faces, cache, mirror=False)
    columns.append(Column("stand-in, raw", described, SAME))
    columns.append(Column("HSV histogram", colour_histograms(faces.pixels), None))
    return columns


def _cut_columns(networks: list[Path], detector: str, faces: Faces) -> list[Column]:
    """Return a column for each network of the faces as a detector and the aligner cut them."""
    from gallery.faces import catalog
    from gallery.settings import SAME
    from measuring.cutting import cut
    from training.running import describe

    found = cut(faces, catalog.detector(detector))
    print(f"{detector} finds no face in {found.missed} of {len(faces)} pictures; taken whole.")
    return [
        Column(
            f"{network.stem}, cut by {detector}",
            describe(network, found.crops, mirror=False).astype(np.float64),
            SAME,
        )
        for network in networks
    ]


def _described(network: Path, faces: Faces, cache: Path, *, mirror: bool) -> Numbers:
    """Return a network's raw descriptors of the faces, from the cache where they are there."""
    from training.running import describe, weights_of

    key = f"{weights_of(network, mirror=mirror).encoder_id}-{len(faces)}"
    kept = cache / f"described-{key}.npy"
    if not kept.is_file():
        np.save(kept, describe(network, faces.pixels, mirror=mirror))
    return np.asarray(np.load(kept), dtype=np.float64)


def parts_of(split: str, faces: Faces, folder: Path, cache: Path) -> Iterator[tuple[str, Marks]]:
    """Yield parts of a split that are looked at alone, all of it first, with marks of its faces."""
    yield split, np.ones(len(faces), dtype=np.bool_)
    if split == "dev":
        seen = set(read_faces(folder, "train", cache).series.tolist())
        yield f"{split}, series not in train", ~np.isin(faces.series, sorted(seen))
        yield f"{split}, without faces that show somebody else", rightly_labelled(folder)
    yield from styles_of(split, faces)


def styles_of(split: str, faces: Faces) -> Iterator[tuple[str, Marks]]:
    """Yield the styles of a split of several that have characters enough."""
    styles = np.unique(faces.style)
    for style in styles if len(styles) > 1 else ():
        marks = np.asarray(faces.style == style)
        sizes = np.unique(faces.identity[marks], return_counts=True)[1]
        if (sizes > 1).sum() >= LEAST_CHARACTERS:
            yield f"{split}, {style} only", marks


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=main.__doc__)
    parser.add_argument("--network", type=Path, nargs="+", default=list(NETWORKS))
    parser.add_argument(
        "--detector", nargs="*", default=[], help="cut the faces by these detectors as well"
    )
    parser.add_argument("--split", nargs="+", choices=SPLITS, default=list(SPLITS))
    parser.add_argument("--mirror", action="store_true", help="means with mirror images as well")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--cache", type=Path, required=True, help="decoded faces")
    parser.add_argument("--bootstrap", type=int, default=200)
    chosen = parser.parse_args()
    from gallery.faces.networks.library import Library
    from gallery.settings import default_models_folder

    stand_in = Library(default_models_folder()).locate("human").path
    for split in chosen.split:
        faces = read_faces(chosen.data / "faces", split, chosen.cache)
        columns = columns_of(
            chosen.network, chosen.detector, stand_in, faces, chosen.cache, mirror=chosen.mirror
        )
        for title, kept in parts_of(split, faces, chosen.data / "faces", chosen.cache):
            _, labels = np.unique(faces.identity[kept], return_inverse=True)
            first = np.unique(labels, return_index=True)[1]
            _, series = np.unique(faces.series[kept][first], return_inverse=True)
            own = [Column(one.title, one.descriptors[kept], one.threshold) for one in columns]
            size = f"{kept.sum()} faces, {len(first)} characters, {series.max() + 1} series"
            print_rows(f"{title}: {size}", own, labels, series, chosen.bootstrap)
            if kept.all():
                print_pairs(own, labels)
    print("\n### The 16 sample pictures\n")
    for network in (*chosen.network, stand_in):
        nearest, same, strangers = partners(chosen.data / "original", network)
        print(
            f"- {network.stem}: {nearest}/16 have their partner nearest; partners at most "
            f"{same:.2f} apart, strangers at least {strangers:.2f}"
        )


if __name__ == "__main__":
    main()
