"""`python -m training.evaluate`: the dev split's figures of several encoders side by side.

Networks answer through gallery's ONNX Runtime encoder with raw descriptors, as programs on dlib
see them; `normed` columns compare those of dlib's layout brought to length 1, `mirror` columns the
mean of a face's and its mirror image's. Intervals are the middle 95 % of bootstrap samples over
characters; galleries stay as they are, so that intervals of galleries' figures are a little small.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training import metrics
from training.baseline import colour_histograms
from training.data import Faces, read_faces
from training.metrics import Labels, Numbers, PairTable, Probes

HERE = Path(__file__).parent
ROOT = HERE.parent
NETWORKS = tuple(
    ROOT / "models" / name for name in ("anime.dat", "anime-lite.onnx", "anime-pair.npy")
)
DRAWS = 20
SEED = 3
Cell = Callable[[Numbers], Numbers]
"""A figure per sample, as a function of how often each character counts in each sample."""


@dataclass(frozen=True, slots=True)
class Column:
    """One encoder's descriptors of the faces."""

    title: str
    descriptors: Numbers
    threshold: float | None
    """The distance that its own convention calls the same character, if it has one."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, of all columns."""

    title: str
    count: int
    cells: tuple[Cell | None, ...]


def rows(columns: list[Column], labels: Labels, series: Labels) -> list[Row]:
    """Return all figures; series, shape (classes,), are numbered."""
    answers = [_figures(column, labels, series) for column in columns]
    return [
        Row(title, count, tuple(answer[title][1] for answer in answers))
        for title, (count, _) in answers[0].items()
    ]


def _figures(column: Column, labels: Labels, series: Labels) -> dict[str, tuple[int, Cell | None]]:
    """Return one encoder's figures: how many they are taken over, and the figure."""
    described = column.descriptors
    table = PairTable(described, labels, series)
    count = len(labels)
    several = int((np.bincount(labels)[labels] > 1).sum())
    figures: dict[str, tuple[int, Cell | None]] = {}
    own_way = metrics.best_of_class(described, labels, leave_out=False) == labels
    figures["best of class, the original's way"] = count, Probes(labels, own_way).rate
    left_out = metrics.best_of_class(described, labels, leave_out=True)
    figures["best of class, probe left out"] = several, _alone_aside(left_out == labels, labels)
    ranks = metrics.rank_against_ideals(described, labels)
    figures["rank-1 against ideals, probe left out"] = several, _alone_aside(ranks == 0, labels)
    figures["rank-5 against ideals, probe left out"] = several, _alone_aside(ranks < 5, labels)
    figures["pair F1, best threshold"] = table.pairs(), lambda weights: table.best_f1(weights)[0]
    for among in ("all", "one series", "other series"):
        pairs = table.pairs(among)
        figures[f"equal-error rate, {among}"] = pairs, _equal_error(table, among)
        for far in (1e-2, 1e-3):
            figures[f"TAR at FAR {far:.1%}, {among}"] = pairs, _tar(table, far, among)
    for references in (1, 3, 5, 10):
        for rank in (1, 5):
            probes = metrics.few_references(
                described, labels, references, rank, draws=DRAWS, seed=SEED
            )
            title = f"rank-{rank}, {references} reference{'s' * (references > 1)}"
            figures[title] = len(probes.labels) // DRAWS, probes.rate
    for rate in (0.01, 0.1):
        probes = metrics.open_set(described, labels, 5, rate, draws=DRAWS, seed=SEED)
        figures[f"TPIR at FPIR {rate:.0%}, half enrolled with 5"] = (
            len(probes.labels) // DRAWS,
            probes.rate,
        )
    return figures


def _alone_aside(hits: np.ndarray[tuple[int], np.dtype[np.bool_]], labels: Labels) -> Cell:
    """Return the share of hits among faces that are not alone in their class."""
    kept = np.bincount(labels)[labels] > 1
    return Probes(labels[kept], hits[kept]).rate


def _equal_error(table: PairTable, among: str) -> Cell:
    return lambda weights: table.equal_error(weights, among)[0]


def _tar(table: PairTable, far: float, among: str) -> Cell:
    return lambda weights: table.tar_at(far, weights, among)


def print_rows(title: str, columns: list[Column], table: list[Row], samples: Numbers) -> None:
    """Print a Markdown table with intervals."""
    print(f"\n### {title}\n")
    print("| figure | N | " + " | ".join(column.title for column in columns) + " |")
    print("|---|---|" + "---|" * len(columns))
    whole = np.ones((1, samples.shape[1]))
    for row in table:
        cells = []
        for cell in row.cells:
            if cell is None:
                cells.append("-")
                continue
            low, high = metrics.interval(cell(samples))
            cells.append(f"{cell(whole)[0]:.3f} ({low:.3f}-{high:.3f})")
        print(f"| {row.title} | {row.count} | " + " | ".join(cells) + " |", flush=True)


def print_pairs(columns: list[Column], labels: Labels) -> None:
    """Print the original's all-pairs table, its way and the right way, for encoders with 0.6."""
    print("\n### All pairs at the encoder's own threshold\n")
    print("| encoder | way | accuracy | precision | recall | specificity | F1 |")
    print("|---|---|---|---|---|---|---|")
    for column in columns:
        if column.threshold is None:
            continue
        original = metrics.original_pairs(column.descriptors, labels, column.threshold)
        right = metrics.right_pairs(column.descriptors, labels, column.threshold)
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
    from gallery import catalog
    from gallery.align import EyeAligner
    from gallery.detectors.animeface_detector import AnimefaceDetector
    from gallery.images import read_image
    from gallery.settings import default_cache_folder
    from training.export import weights_of

    paths = sorted(path for path in folder.iterdir() if path.suffix in {".jpg", ".png"})
    images = [read_image(path) for path in paths]
    found = AnimefaceDetector().detect(images)
    aligner = EyeAligner()
    crops = [aligner.align(image, faces[0]) for image, faces in zip(images, found, strict=True)]
    encoder = catalog.encoder("onnx", weights_of(network), default_cache_folder())
    described = encoder.encode(np.stack(crops)).astype(np.float64)
    names = np.array([path.stem[:-1] for path in paths])
    apart = metrics.distances(described, described)
    np.fill_diagonal(apart, np.inf)
    nearest = int((names[apart.argmin(axis=1)] == names).sum())
    same = (names[:, None] == names) & np.isfinite(apart)
    return nearest, float(apart[same].max()), float(apart[names[:, None] != names].min())


def columns_of(networks: list[Path], stand_in: Path, faces: Faces, cache: Path) -> list[Column]:
    """Return the columns: of networks in several ways, of the stand-in and of colour."""
    from gallery.weights import CONVENTION

    columns = []
    for network in networks:
        raw = _described(network, faces, cache, mirror=False)
        columns.append(Column(f"{network.stem}, raw", raw, CONVENTION))
        if network.suffix == ".dat":
            columns.append(Column(f"{network.stem}, normed", normed(raw), None))
        mirrored = _described(network, faces, cache, mirror=True)
        columns.append(Column(f"{network.stem}, raw, mirror", mirrored, CONVENTION))
    described = _described(stand_in, faces, cache, mirror=False)
    columns.append(Column("stand-in, raw", described, CONVENTION))
    columns.append(Column("HSV histogram", colour_histograms(faces.pixels), None))
    return columns


def _described(network: Path, faces: Faces, cache: Path, *, mirror: bool) -> Numbers:
    """Return a network's raw descriptors of the faces, from the cache where they are there."""
    from training.export import describe, weights_of

    key = f"{weights_of(network, mirror=mirror).encoder_id}-{len(faces)}"
    kept = cache / f"described-{key}.npy"
    if not kept.is_file():
        np.save(kept, describe(network, faces.pixels, mirror=mirror))
    return np.asarray(np.load(kept), dtype=np.float64)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=main.__doc__)
    parser.add_argument("--network", type=Path, nargs="+", default=list(NETWORKS))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--cache", type=Path, required=True, help="decoded faces")
    parser.add_argument("--bootstrap", type=int, default=200)
    chosen = parser.parse_args()
    from gallery.settings import default_models_folder
    from gallery.weights import Library

    stand_in = Library(default_models_folder()).locate("human").path
    faces = read_faces(chosen.data / "faces", "dev", chosen.cache)
    columns = columns_of(chosen.network, stand_in, faces, chosen.cache)
    seen = set(read_faces(chosen.data / "faces", "train", chosen.cache).series.tolist())
    unseen = ~np.isin(faces.series, sorted(seen))
    for title, kept in (
        ("dev", np.ones(len(faces), dtype=bool)),
        ("dev, series not in train", unseen),
    ):
        _, labels = np.unique(faces.identity[kept], return_inverse=True)
        first = np.unique(labels, return_index=True)[1]
        _, series = np.unique(faces.series[kept][first], return_inverse=True)
        own = [Column(one.title, one.descriptors[kept], one.threshold) for one in columns]
        samples = metrics.resamples(len(first), chosen.bootstrap, SEED)
        name = f"{title}: {kept.sum()} faces, {len(first)} characters, {series.max() + 1} series"
        print_rows(name, own, rows(own, labels, series), samples)
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
