"""What `unknown`, `unsure` and `sure` are worth: the dev split, whose characters nobody trained on.

    python -m benchmarks.openset [--checked] [--together [N|series]] [--data FOLDER]
        [--cache FOLDER] [--plot FILE.svg]

Descriptors and the reliability diagram, reliability.svg, are kept in the cache folder,
build/openset unless named.

Random galleries of 50 characters by 5 references are calibrated as `gallery calibrate` does it,
from their own references and the strangers that ship; nothing else chooses a threshold. They are
judged on the other faces of their characters and on strangers: all faces of all characters that
are not enrolled, of an enrolled one's series and of other series apart, and places of pictures
where no head is known. Faces are found and cut as in use; with --checked, without those that show
somebody else than their label says (measuring/mislabelled.py). With --together, faces are judged in
each other's joint as `gallery relabel` does it: all that a gallery is asked about at once, random
batches of about N, or one series at a time. Intervals are 95 %, over characters; galleries stay as
they are.

A row group is one function from what was found to rows of text.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import SHARED
from gallery.events import value_of
from gallery.faces.networks.library import Library, Weights
from gallery.identify.calibration.calibrate import calibrate
from gallery.identify.calibration.evidence import COLUMNS
from gallery.identify.calibration.joint import smooth_jointly
from gallery.identify.calibration.model import FEATURES, JOINT_FEATURES, Calibration
from gallery.identify.calibration.strangers import Strangers, read_strangers
from gallery.identify.calibration.trials import Protocol, References, Trials
from gallery.numerics.intervals import Hits, interval, ratio, weightings
from gallery.settings import DEFAULT_ENCODER, Settings, bundled
from gallery.types import Thresholds
from measuring.galleries import ask, references_of
from measuring.tables import table

SEED = 31
GALLERIES = 20
CHARACTERS = 50
REFERENCES = 5
FPIR = 0.01
FIXED = 0.6
SMALL, LARGE = 10, 100
SAMPLES = 200
FALSE_DETECTIONS = 200
LEAST_CLAIM = 0.05
"""The teacher detector's score from which on a place may hold a head."""

BINS = 10

Numbers = NDArray[np.float64]
Labels = NDArray[np.int64]
Marks = NDArray[np.bool_]
Row = tuple[str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Described faces."""

    descriptors: NDArray[np.float32]
    """Shape (n, DIMENSION)."""
    labels: Labels
    """Whose they are, shape (n,)."""
    series: Labels
    """By character, shape (characters,)."""
    quality: Numbers
    """Shape (n,)."""


@dataclass(frozen=True, slots=True, eq=False)
class JointScoring:
    """A gallery with everything that it may be asked about."""

    faces: Faces
    false: Faces
    """Places without a head."""
    enrolled: References
    shipped: Strangers


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What galleries said of some faces: one row a face and gallery."""

    labels: Labels
    """Whose they are, shape (n,)."""
    draws: Labels
    """Which gallery was asked, shape (n,)."""
    right: Marks
    """Whether the nearest ideal is their own."""
    ideal: Numbers
    """Distance from it."""
    gap: Numbers
    """How much farther the second is."""
    score: Numbers
    """The calibrated score, from 0 on where a face may be sure."""
    doubt: Numbers
    """The score below which a face is unknown."""
    probability: Numbers
    sure: Marks
    """Which ones are surely named after calibration."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Everything that the rows are made of."""

    known: Said
    same_series: Said
    other_series: Said
    false: Said
    characters: int
    thresholds: Thresholds

    @property
    def strangers(self) -> Said:
        """All strangers with a face."""
        return joined([self.same_series, self.other_series])


def joined(parts: Sequence[Said]) -> Said:
    """Return what was said of several groups of faces together."""
    names = [one.name for one in dataclasses.fields(Said)]
    return Said(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def read_dev(
    data: Path, weights: Weights, cache: Path, *, checked: bool = False, split: str = "dev"
) -> Faces:
    """Return the described faces of the dev split, or another, found and cut as in use.

    Those of dev that show somebody else than their label says are left out where it is to be
    checked.
    """
    from measuring.cutting import read_cut
    from measuring.mislabelled import rightly_labelled

    faces = read_cut(data / "faces", split, cache)
    _, first, labels = np.unique(faces.identity, return_index=True, return_inverse=True)
    _, series = np.unique(faces.series[first], return_inverse=True)
    descriptors, quality = _described(
        lambda: np.asarray(faces.pixels), weights, cache / f"{split}-cut-{len(faces)}"
    )
    kept = rightly_labelled(data / "faces") if checked else np.ones(len(faces), dtype=np.bool_)
    return Faces(
        descriptors[kept], labels[kept].astype(np.int64), series.astype(np.int64), quality[kept]
    )


def _described(
    crops_of: Callable[[], NDArray[np.uint8]], weights: Weights, kept: Path
) -> tuple[NDArray[np.float32], Numbers]:
    """Return descriptors and sharpness of crops, from a file where they are there."""
    from gallery.faces import catalog
    from gallery.faces.quality import sharpness

    path = kept.with_name(f"openset-{kept.name}-{weights.encoder_id}.npz")
    if not path.is_file():
        crops = crops_of()
        encoder = catalog.encoder("onnx", weights, Settings().cache_folder)
        parts = [encoder.encode(crops[at : at + 128]) for at in range(0, len(crops), 128)]
        quality = np.array([sharpness(crop) for crop in crops])
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, descriptors=np.concatenate(parts), quality=quality)
    with np.load(path, allow_pickle=False) as file:
        return file["descriptors"], file["quality"]


def read_false_detections(data: Path, weights: Weights, cache: Path) -> Faces:
    """Return random squares of pictures, none of which touches what may be a head."""
    descriptors, quality = _described(
        lambda: np.stack(list(background(data))), weights, cache / f"no-head-{FALSE_DETECTIONS}"
    )
    labels = np.arange(len(descriptors), dtype=np.int64)
    return Faces(descriptors, labels, labels, quality)


def background(data: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield squares of a quarter to three quarters of the pictures' shorter sides, scaled."""
    from gallery.faces.detectors.onnx_file import OnnxFileDetector
    from gallery.media.images import decode
    from gallery.types import Box
    from measuring.faces import scaled

    detector = OnnxFileDetector(data / "detector" / "faceboxes.onnx", least_score=LEAST_CLAIM)
    generator = np.random.default_rng(SEED)
    with (data / "pictures" / "pictures.csv").open(encoding="utf-8", newline="") as file:
        names = sorted(row["file"] for row in csv.DictReader(file) if row["kind"] == "series")
    found = 0
    with zipfile.ZipFile(data / "pictures" / "pictures.zip") as archive:
        for name in generator.permutation(np.array(names)):
            image = decode(archive.read(str(name)), Path(str(name)))
            heads = [face.box for face in detector.detect([image])[0]]
            side = int(generator.uniform(0.25, 0.75) * min(image.width, image.height))
            left = int(generator.integers(image.width - side + 1))
            top = int(generator.integers(image.height - side + 1))
            square = Box(left, top, left + side, top + side)
            if any(_touch(square, head) for head in heads):
                continue
            yield scaled(image.pixels[None, top : top + side, left : left + side])[0]
            found += 1
            if found == FALSE_DETECTIONS:
                return


def _touch(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return min(one[2], other[2]) > max(one[0], other[0]) and min(one[3], other[3]) > max(
        one[1], other[1]
    )


def run(
    faces: Faces,
    false: Faces,
    shipped: Strangers,
    thresholds: Thresholds,
    galleries: int,
    *,
    together: str | None = None,
) -> Found:
    """Ask random galleries, calibrated each, about all other faces.

    About every face by itself, or about all of them, a series' or a number's worth together.
    """
    generator = np.random.default_rng(SEED)
    parts: dict[str, list[Said]] = {"known": [], "same": [], "other": [], "false": []}
    sizes = np.bincount(faces.labels)
    eligible = np.flatnonzero(sizes > REFERENCES)
    for draw in range(galleries):
        members = np.sort(generator.permutation(eligible)[:CHARACTERS])
        rows = enrol(faces, members, REFERENCES, generator)
        rest = np.setdiff1d(np.arange(len(faces.labels)), rows)
        alone = JointScoring(faces, false, references_of(faces, rows, thresholds.unknown), shipped)
        for batch, holes in _batches(alone, rest, together or "all", draw):
            one, names = alone, FEATURES
            if together is not None:
                one = drawn_together(alone, batch, holes, thresholds.unknown)
                names = JOINT_FEATURES
            calibration = calibrate(one.enrolled, one.shipped, fpir=FPIR, names=names).calibration
            say = speaker(one.enrolled, one.shipped, calibration, len(members), draw)
            is_known = np.isin(faces.labels[batch], members)
            strangers = batch[~is_known]
            near = np.isin(faces.series[faces.labels[strangers]], faces.series[members])
            parts["known"].append(say(one.faces, batch[is_known], True))
            parts["same"].append(say(one.faces, strangers[near], False))
            parts["other"].append(say(one.faces, strangers[~near], False))
            parts["false"].append(say(one.false, holes, False))
    return Found(
        known=joined(parts["known"]),
        same_series=joined(parts["same"]),
        other_series=joined(parts["other"]),
        false=joined(parts["false"]),
        characters=len(sizes),
        thresholds=thresholds,
    )


def _batches(
    asked: JointScoring, rest: NDArray[np.intp], together: str, draw: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield rows of faces, and of places without one, that are asked about at a time."""
    generator = np.random.default_rng([SEED, draw])
    if together == "series":
        series = asked.faces.series[asked.faces.labels[rest]]
        batches = [rest[series == one] for one in np.unique(series)]
    else:
        count = 1 if together == "all" else max(round(len(rest) / int(together)), 1)
        batches = np.array_split(generator.permutation(rest), count)
    holes = generator.permutation(len(asked.false.labels))
    yield from zip(batches, np.array_split(holes, len(batches)), strict=True)


def drawn_together(
    alone: JointScoring, batch: NDArray[np.intp], holes: NDArray[np.intp], unknown: float
) -> JointScoring:
    """Return a gallery and a batch of what it is asked about as `gallery relabel` sees them."""
    drawn = value_of(
        smooth_jointly(
            np.concatenate([alone.faces.descriptors[batch], alone.false.descriptors[holes]]),
            alone.enrolled,
            alone.shipped,
            unknown=unknown,
        )
    )
    faces, false = alone.faces.descriptors.copy(), alone.false.descriptors.copy()
    faces[batch], false[holes] = np.split(drawn.faces, [len(batch)])
    return JointScoring(
        dataclasses.replace(alone.faces, descriptors=faces),
        dataclasses.replace(alone.false, descriptors=false),
        drawn.enrolled,
        drawn.strangers,
    )


def enrol(
    faces: Faces, members: Labels, references: int, generator: np.random.Generator
) -> NDArray[np.intp]:
    """Return so many random faces of each character, or all but one."""
    rows = []
    for member in members:
        own = generator.permutation(np.flatnonzero(faces.labels == member))
        rows.append(own[: min(references, len(own) - 1)])
    return np.concatenate(rows)


Speaker = Callable[[Faces, NDArray[np.intp], bool], Said]


def speaker(
    enrolled: References,
    shipped: Strangers,
    calibration: Calibration,
    characters: int,
    draw: int,
) -> Speaker:
    """Return what asks a calibrated gallery about rows of faces, whether known or not."""
    questions = Protocol(enrolled, shipped)
    questions.pool = calibration.pool

    def say(faces: Faces, rows: NDArray[np.intp], known: bool) -> Said:
        trials = ask(questions, faces, rows, known=known)
        return said_of(trials, calibration, characters, draw)

    return say


def said_of(trials: Trials, calibration: Calibration, characters: int, draw: int) -> Said:
    """Return what a calibration says of evidence."""
    said = calibration.judge(trials.evidence, characters)
    column = dict(zip(COLUMNS, trials.evidence.T, strict=True))
    sure, unknown = calibration.sure(characters), calibration.unknown(characters)
    return Said(
        labels=trials.groups,
        draws=np.full(len(trials), draw),
        right=trials.right,
        ideal=column["ideal"],
        gap=column["gap"],
        score=said.score - sure,
        doubt=np.full(len(trials), unknown - sure),
        probability=said.right,
        sure=said.passes,
    )


def rate(said: Said, hits: Marks, weights: Numbers) -> str:
    """Return a share of faces with its interval over characters; a dash where there is none."""
    if not len(hits):
        return "-"
    values = Hits(said.labels, hits).rate(weights)
    low, high = interval(values[1:])
    return f"{values[0]:.4f} ({low:.4f}-{high:.4f})"


def by_threshold(said: Said, thresholds: Thresholds) -> Marks:
    """Return which faces an uncalibrated gallery surely names."""
    return (said.ideal <= thresholds.sure) & (said.gap >= thresholds.margin)


def false_positive_rows(found: Found, weights: Numbers) -> list[Row]:
    """Return FPIR where 1 % is asked for, of each kind of strangers."""
    rows: list[Row] = []
    kinds = {
        "all strangers": found.strangers,
        "of an enrolled series": found.same_series,
        "of other series": found.other_series,
        "no head at all": found.false,
    }
    for kind, said in kinds.items():
        own = weights
        if said is found.false:
            own = weightings(int(said.labels.max()) + 1, SAMPLES, SEED)
        for way, hits in (
            (f"fixed {FIXED:g}", said.ideal <= FIXED),
            ("the manifest's thresholds", by_threshold(said, found.thresholds)),
            ("calibrated", said.sure),
        ):
            rows.append((f"FPIR, {kind}, {way}", rate(said, hits, own), _count(said)))
    return rows


def found_rows(found: Found, weights: Numbers) -> list[Row]:
    """Return TPIR as galleries are set up, and where 1 % of other strangers pass."""
    known = found.known
    rows: list[Row] = [
        (f"TPIR, {way}", rate(known, hits & known.right, weights), _count(known))
        for way, hits in (
            (f"fixed {FIXED:g}", known.ideal <= FIXED),
            ("the manifest's thresholds", by_threshold(known, found.thresholds)),
            ("calibrated, as asked for", known.sure),
            ("calibrated, sure or unsure", known.score >= known.doubt),
        )
    ]
    for way, column in (("plain distance to ideal", "ideal"), ("evidence", "score")):
        sign = -1.0 if column == "ideal" else 1.0
        asked, others = (sign * getattr(one, column) for one in (known, found.strangers))
        everybody = [_cut(found.strangers, others, np.ones(len(others), np.bool_))]
        halves = [
            _cut(found.strangers, others, found.strangers.labels % 2 == one) for one in (0, 1)
        ]
        for kind, cuts, judged in (
            ("these", everybody, FPIR),
            ("other", halves, _transferred(found.strangers, others, halves)),
        ):
            hits = np.mean([known.right & (asked >= cut[known.draws]) for cut in cuts], axis=0)
            name = f"TPIR at FPIR 1 % of {kind} strangers, {way}"
            rows.append((name, rate(known, hits, weights), f"FPIR {judged:.4f}"))
    return rows


def _cut(said: Said, scores: Numbers, some: Marks) -> Numbers:
    """Return, for each gallery, the score that FPIR of some of the strangers reach."""
    return np.array(
        [
            np.quantile(scores[(said.draws == draw) & some], 1 - FPIR)
            for draw in np.unique(said.draws)
        ]
    )


def _transferred(said: Said, scores: Numbers, cuts: list[Numbers]) -> float:
    """Return the share of each half of strangers that passes the other half's cut."""
    return float(
        np.mean(
            [
                (scores >= cut[said.draws])[said.labels % 2 != half].mean()
                for half, cut in enumerate(cuts)
            ]
        )
    )


def sure_rows(found: Found, weights: Numbers) -> list[Row]:
    """Return the share of sure answers that are right."""
    known, strangers = found.known, found.strangers
    rows: list[Row] = []
    for way, one, other in (
        (f"fixed {FIXED:g}", known.ideal <= FIXED, strangers.ideal <= FIXED),
        (
            "the manifest's thresholds",
            by_threshold(known, found.thresholds),
            by_threshold(strangers, found.thresholds),
        ),
        ("calibrated", known.sure, strangers.sure),
    ):
        right = Hits(known.labels, one & known.right).rate(weights)
        named = Hits(known.labels, one).rate(weights)
        fooled = Hits(strangers.labels, other).rate(weights)
        for kind, part, whole in (
            ("all faces known", right, named),
            ("half of all faces strangers'", right, named + fooled),
        ):
            shown = "-"
            if whole[0] > 0:
                values = ratio(part, whole)
                low, high = interval(values[1:])
                shown = f"{values[0]:.4f} ({low:.4f}-{high:.4f})"
            rows.append(
                (f"sure answers right, {kind}, {way}", shown, str(int(one.sum() + other.sum())))
            )
    return rows


def reliability(found: Found) -> tuple[Numbers, Numbers, Numbers]:
    """Return mean probability, share that is right and weight of each bin of probabilities.

    Strangers weigh as much as known faces.
    """
    known, strangers = found.known, found.strangers
    said = np.concatenate([known.probability, strangers.probability])
    right = np.concatenate([known.right, np.zeros(len(strangers.labels), np.bool_)])
    weight = np.concatenate(
        [
            np.full(len(known.labels), 0.5 / len(known.labels)),
            np.full(len(strangers.labels), 0.5 / len(strangers.labels)),
        ]
    )
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    total = np.bincount(place, weights=weight, minlength=BINS).astype(np.float64)
    safe = np.where(total > 0, total, np.nan)
    return (
        np.bincount(place, weights=weight * said, minlength=BINS) / safe,
        np.bincount(place, weights=weight * right, minlength=BINS) / safe,
        total,
    )


def reliability_rows(found: Found, _weights: Numbers) -> list[Row]:
    """Return the expected calibration error (Naeini et al. 2015) and all bins of probabilities."""
    said, right, weight = reliability(found)
    error = float(np.nansum(np.abs(said - right) * weight))
    rows = [("expected calibration error", f"{error:.4f}", "")]
    for one, share, much in zip(said, right, weight, strict=True):
        if much > 0:
            rows.append((f"said {one:.3f}", f"right {share:.3f}", f"{much:.1%} of faces"))
    return rows


def growth_rows(faces: Faces, shipped: Strangers, galleries: int) -> list[Row]:
    """Return FPIR of a calibration made with 10 characters in a gallery that has grown to 100."""
    generator = np.random.default_rng(SEED + 1)
    sizes = np.bincount(faces.labels)
    eligible = np.flatnonzero(sizes > REFERENCES)
    before: list[Said] = []
    kept: list[Said] = []
    plain: list[Said] = []
    for draw in range(galleries):
        first = generator.permutation(eligible)[:SMALL]
        rest = generator.permutation(np.setdiff1d(np.flatnonzero(sizes > 1), first))
        members = np.concatenate([first, rest[: LARGE - SMALL]])
        rows = enrol(faces, members, REFERENCES, generator)
        small = references_of(faces, rows[np.isin(faces.labels[rows], first)])
        calibration = calibrate(small, shipped, fpir=FPIR).calibration
        strangers = np.flatnonzero(~np.isin(faces.labels, members))
        grown = references_of(faces, rows)
        for enrolled, size, into in (
            (small, SMALL, before),
            (grown, LARGE, kept),
            (grown, SMALL, plain),
        ):
            say = speaker(enrolled, shipped, calibration, size, draw)
            into.append(say(faces, strangers, False))
    weights = weightings(len(sizes), SAMPLES, SEED)
    return [
        (f"FPIR, calibrated at {SMALL}, {way}", rate(said, said.sure, weights), _count(said))
        for way, said in (
            ("not grown yet", joined(before)),
            (f"grown to {LARGE}, size taken into account", joined(kept)),
            (f"grown to {LARGE}, size left out of account", joined(plain)),
        )
    ]


def _count(said: Said) -> str:
    galleries = max(len(np.unique(said.draws)), 1)
    return f"{len(said.labels) // galleries} x {galleries}"


LOOK = (
    "svg{font:12px sans-serif;background:#fff;--ink:#222;--grid:#ddd}"
    "path,polyline,line{fill:none;stroke:#888}.line-0{stroke:#bbb}.line-1{stroke:#1f6fb4}"
    "circle.line-1{fill:#1f6fb4}"
)


def plot(found: Found, path: Path) -> None:
    """Write the reliability diagram as SVG."""
    from gallery.reports.line_chart import Line, Plot, draw

    said, right, weight = reliability(found)
    kept = weight > 0
    chart = draw(
        Plot(
            "Reliability on the dev split, half of all faces strangers'",
            "probability said",
            "share that is right",
            (
                Line("as said", (0.0, 1.0), (0.0, 1.0)),
                Line("as found", said[kept].tolist(), right[kept].tolist(), marked=True),
            ),
            y_range=(0.0, 1.0),
        )
    )
    head, rest = chart.split(">", 1)
    if "xmlns=" not in head:
        head = head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    path.write_text(f"{head}><style>{LOOK}</style>{rest}\n", encoding="utf-8")


def _amount(text: str) -> str:
    """Return how many faces are scored jointly as it was named."""
    if text not in {"all", "series"} and (not text.isdecimal() or int(text) < 1):
        raise argparse.ArgumentTypeError("give a number of faces, or series")
    return text


def _how(together: str | None) -> str:
    ways = {None: "", "all": ", all faces together", "series": ", a series at a time together"}
    return ways.get(together, f", about {together} faces together")


def main() -> None:
    """Print all rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.openset", description=main.__doc__)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cache", type=Path, default=Path("build/openset"))
    parser.add_argument("--galleries", type=int, default=GALLERIES)
    parser.add_argument(
        "--checked", action="store_true", help="leave out faces that show somebody else"
    )
    parser.add_argument(
        "--together",
        type=_amount,
        nargs="?",
        const="all",
        metavar="N|series",
        help="judge faces in each other's joint: all at once, about N or a series at a time",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="the reliability diagram")
    chosen = parser.parse_args()
    if not (chosen.data / "faces" / "faces.csv").is_file():
        print(f"{chosen.data} holds no faces; nothing is measured. --data names the folder.")
        return
    weights = Library(Settings().models_folder).locate(chosen.encoder)
    shipped = read_strangers(bundled("models"), weights.encoder_id)
    faces = read_dev(chosen.data, weights, chosen.cache, checked=chosen.checked)
    false = read_false_detections(chosen.data, weights, chosen.cache)
    found = run(
        faces, false, shipped, weights.thresholds, chosen.galleries, together=chosen.together
    )
    over = weightings(found.characters, SAMPLES, SEED)
    print(
        f"{weights.encoder_id}: {len(faces.labels)} faces, {chosen.galleries} galleries of "
        f"{CHARACTERS} characters by {REFERENCES} references, {len(shipped)} shipped strangers, "
        f"asked for FPIR {FPIR:.0%}{_how(chosen.together)}\n"
    )
    rows: list[Row] = []
    for group in (false_positive_rows, found_rows, sure_rows, reliability_rows):
        rows += group(found, over)
    if chosen.together is None:
        rows += growth_rows(faces, shipped, chosen.galleries)
    print(table(("figure", "dev (95 %)", "N"), rows))
    path = chosen.plot or chosen.cache / "reliability.svg"
    path.parent.mkdir(parents=True, exist_ok=True)
    plot(found, path)
    print(f"\nThe reliability diagram is {path}.")


if __name__ == "__main__":
    main()
