"""What usual mistakes do to a calibrated gallery: a character enrolled twice, and rejections.

    python -m benchmarks.mistakes [--data FOLDER] [--cache FOLDER] [--encoder NAME]

Random galleries of the dev split (labels checked) and of dev-tv are calibrated as
`gallery calibrate` does it, 1 % asked for, and asked about all other faces of their characters and
of those that are not enrolled. Rows of three:

- *as it is*: nothing is wrong;
- *doubled*: half of one character's references lie in a second folder. The figures are of the other
  characters; *doubles unknown* calibrates as if nobody knew that the two look like one;
- *rejected*: the six strangers that are most surely named are rejected, as a person would do who
  looks through the answers. FPIR is of the other strangers.

TPIR is the share of known faces that are surely and rightly named, *calibrate says* what the
command prints for it, FPIR the share of strangers that are surely named. At the end stands how many
characters that are cut in two are known to be one, and how many pairs of others are taken for one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.openset import Faces, read_dev
from benchmarks.timing import SHARED
from gallery.faces.networks.library import Library
from gallery.identify.calibration.calibrate import Rejections, calibrate
from gallery.identify.calibration.doubles import LIKELY, centres, doubles
from gallery.identify.calibration.strangers import Strangers, nobody, read_strangers
from gallery.identify.calibration.trials import Protocol, References
from gallery.settings import DEFAULT_ENCODER, Settings, bundled
from measuring.galleries import ask, references_of
from measuring.tables import table

SEED = 19
FPIR = 0.01
REJECTED = 6

Rows = NDArray[np.intp]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Draws:
    """Galleries of one kind."""

    name: str
    faces: Faces
    characters: int
    references: int
    count: int
    is_of_one_series: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What a gallery is worth."""

    tpir: float
    said: float
    fpir: float


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One gallery and whom it is asked about."""

    faces: Faces
    enrolled: References
    members: Labels
    known: Rows
    strangers: Rows
    shipped: Strangers

    def figures(self, rejected: Rejections | None = None, spared: Rows | None = None) -> Figures:
        """Calibrate and ask; `spared` are known faces and strangers that do not count."""
        found = calibrate(self.enrolled, self.shipped, fpir=FPIR, rejected=rejected)
        gallery = Protocol(self.enrolled, self.shipped)
        size = found.calibration.characters
        shares = []
        for rows, is_known in ((self.known, True), (self.strangers, False)):
            kept = rows if spared is None else np.setdiff1d(rows, spared)
            trials = ask(gallery, self.faces, kept, known=is_known)
            sure = found.calibration.judge(trials.evidence, size).is_sure
            shares.append(float((sure & trials.right if is_known else sure).mean()))
        return Figures(shares[0], found.expected.found.value or 0.0, shares[1])

    def mistaken(self) -> tuple[Rejections, Rows]:
        """Return the strangers that score highest, as a person rejects them, and their rows."""
        found = calibrate(self.enrolled, self.shipped, fpir=FPIR).calibration
        trials = ask(Protocol(self.enrolled, self.shipped), self.faces, self.strangers, known=False)
        worst = np.argsort(-found.scorer.scores(trials.evidence), kind="stable")[:REJECTED]
        rows = self.strangers[worst]
        return Rejections(self.faces.descriptors[rows], trials.first[worst]), rows


def drawn(kind: Draws, unknown: float, shipped: Strangers) -> Iterator[tuple[Asked, int]]:
    """Yield random galleries, and of each the character that is to be doubled."""
    faces = kind.faces
    sizes = np.bincount(faces.labels)
    able = np.flatnonzero(sizes > kind.references)
    for number in range(kind.count):
        generator = np.random.default_rng([SEED, number])
        some = able
        if kind.is_of_one_series:
            series, counts = np.unique(faces.series[able], return_counts=True)
            large = series[counts > kind.characters]
            some = able[faces.series[able] == generator.choice(large)]
        members = np.sort(generator.permutation(some)[: kind.characters])
        own = [generator.permutation(np.flatnonzero(faces.labels == one)) for one in members]
        rows = np.concatenate([one[: kind.references] for one in own])
        known = np.setdiff1d(np.flatnonzero(np.isin(faces.labels, members)), rows)
        strangers = np.flatnonzero(~np.isin(faces.labels, members))
        enrolled = references_of(faces, rows, unknown)
        yield (
            Asked(faces, enrolled, members, known, strangers, shipped),
            int(generator.choice(members)),
        )


def doubled(asked: Asked, name: int, unknown: float) -> Asked:
    """Return a gallery in which every second reference of a character has a new name."""
    enrolled = asked.enrolled
    labels = enrolled.labels.copy()
    labels[np.flatnonzero(labels == name)[::2]] = len(enrolled.rejects)
    faces = Faces(enrolled.descriptors, labels, asked.faces.series, enrolled.quality)
    twice = references_of(faces, np.arange(len(labels)), unknown)
    return replace(asked, enrolled=twice)


def rows_of(kind: Draws, unknown: float, shipped: Strangers) -> Iterator[tuple[str, ...]]:
    """Yield the figures of one kind of galleries, means over them."""
    found: dict[str, list[Figures]] = {}
    pairs: list[int] = []
    hits: list[bool] = []
    for asked, name in drawn(kind, unknown, shipped):
        pairs.append(len(asked.enrolled.doubles))
        alone = replace(asked, enrolled=replace(asked.enrolled, doubles=()))
        twice = doubled(asked, name, unknown)
        new = len(asked.enrolled.rejects)
        hits.append(any({one.one, one.other} == {name, new} for one in twice.enrolled.doubles))
        own = np.flatnonzero(asked.faces.labels == name)
        ignorant = replace(twice, enrolled=replace(twice.enrolled, doubles=()))
        rejected, rows = asked.mistaken()
        for what, figures in (
            ("as it is, doubles unknown", alone.figures()),
            ("as it is", asked.figures()),
            ("as it is, the others", asked.figures(spared=own)),
            ("doubled, doubles unknown", ignorant.figures(spared=own)),
            ("doubled", twice.figures(spared=own)),
            ("as it is, other strangers", asked.figures(spared=rows)),
            (f"{len(rows)} rejected", asked.figures(rejected, spared=rows)),
        ):
            found.setdefault(what, []).append(figures)
    yield (
        f"{kind.name}: {kind.characters} x {kind.references}, {kind.count} galleries",
        "TPIR",
        "calibrate says",
        "FPIR",
    )
    for what, own_figures in found.items():
        values = [(one.tpir, one.said, one.fpir) for one in own_figures]
        mean = np.mean(np.array(values), axis=0)
        yield f"  {what}", f"{mean[0]:.3f}", f"{mean[1]:.3f}", f"{mean[2]:.4f}"
    yield f"  doubled characters known: {np.mean(hits):.0%}", "", "", ""
    yield f"  pairs of others that look like one, a gallery: {np.mean(pairs):.2f}", "", "", ""


def pair_rows(kind: Draws, each: int, unknown: float) -> Iterator[tuple[str, ...]]:
    """Yield how many characters cut in two halves of so many references are known to be one."""
    hits: list[float] = []
    wrong: list[float] = []
    halved = replace(kind, references=2 * each)
    for asked, _ in drawn(halved, unknown, nobody()):
        enrolled = asked.enrolled
        halves = 2 * enrolled.labels + np.arange(len(enrolled.labels)) % 2
        found = list(doubles(centres(enrolled.descriptors, halves), unknown, least=LIKELY))
        same = sum(one.one // 2 == one.other // 2 for one in found)
        count = len(asked.members)
        hits.append(same / count)
        wrong.append((len(found) - same) / (2 * count * (count - 1)))
    yield (
        f"{kind.name}: {kind.characters} cut into {each} and {each}",
        f"known {np.mean(hits):.2f}",
        f"other pairs {np.mean(wrong):.2%}",
        "",
    )


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description="Measure what mistakes do to a gallery.")
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--cache", type=Path, default=Path("build/openset"))
    chosen = parser.parse_args()
    if not (chosen.data / "faces").is_dir():
        print(f"{chosen.data} is not here; nothing is measured.")
        return
    weights = Library(Settings().models_folder).locate(chosen.encoder)
    shipped = read_strangers(bundled("models"), weights.encoder_id)
    dev = read_dev(chosen.data, weights, chosen.cache, checked=True)
    television = read_dev(chosen.data, weights, chosen.cache, split="dev-tv")
    kinds = (
        Draws("dev-tv", television, 6, 8, 20),
        Draws("dev, one series", dev, 6, 8, 20, is_of_one_series=True),
        Draws("dev", dev, 12, 8, 20),
        Draws("dev", dev, 50, 5, 20),
    )
    unknown = weights.thresholds.unknown
    rows = [row for kind in kinds for row in rows_of(kind, unknown, shipped)]
    rows += [
        row for kind in kinds[:3] for each in (2, 3, 4) for row in pair_rows(kind, each, unknown)
    ]
    print(table(("", "", "", ""), rows))


if __name__ == "__main__":
    main()
