"""What it is worth that two faces of one picture are two characters.

    python -m benchmarks.beside [--data FOLDER] [--cache FOLDER] [--encoder NAME]

Random galleries are calibrated, 1 % asked for, and asked about pictures twice: every face by
itself, and with its picture. Two kinds of pictures:

- *drawn together*: two to four faces of different characters of one series, enrolled or not, which
  are no references; of the dev split (labels checked) and of dev-tv;
- *faces-3*: the pictures in which several heads were found, of series that no gallery has a
  character of. Galleries are of the dev split. All heads are strangers.

TPIR is the share of known faces that are surely and rightly named, *named* of those rightly named,
sure or unsure; FPIR the share of strangers that are surely named. *One name twice* is the share of
pictures in which two faces have one name: surely both, or at all.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.openset import Faces, read_dev
from benchmarks.timing import SHARED
from gallery.engine.engine import Engine
from gallery.faces.describe import Describer
from gallery.faces.networks.library import Library, Weights
from gallery.identify.calibration.strangers import read_strangers
from gallery.identify.index_cache import IndexCache
from gallery.media.images import encode_png
from gallery.settings import DEFAULT_ENCODER, Settings, bundled
from gallery.store.reader import Store
from gallery.store.writer import NewSample
from gallery.types import (
    CROP_SIDE,
    Answer,
    Box,
    DescribedFace,
    Face,
    Place,
    Quality,
    Verdict,
)
from measuring.faces import rows_of
from measuring.tables import table

SEED = 41
FPIR = 0.01
PICTURES = 400
"""Pictures that a gallery is asked about."""

MOST_FACES = 4
SIDE = 100.0

Rows = NDArray[np.intp]

BLANK = np.zeros((CROP_SIDE, CROP_SIDE, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Draws:
    """Galleries of one kind, and what they are asked about."""

    name: str
    faces: Faces
    characters: int
    references: int
    count: int
    pictures: Sequence[Rows] | None = None
    """Rows of strangers; None where pictures are drawn together of the faces that are left."""
    strangers: Faces | None = None


@dataclass(slots=True)
class Tally:
    """What was said of the faces of some pictures."""

    known: list[tuple[bool, bool]] = field(default_factory=list)
    """Of each known face whether it is rightly named, and whether surely."""
    strangers: list[bool] = field(default_factory=list)
    """Of each stranger whether it is surely named."""
    twice: list[tuple[bool, bool]] = field(default_factory=list)
    """Of each picture whether two faces have one name, and whether surely."""

    def add(self, names: Sequence[str | None], answers: Sequence[Answer]) -> None:
        """Count a picture, given who is enrolled of its faces; None is a stranger."""
        for name, answer in zip(names, answers, strict=True):
            is_sure = answer.verdict is Verdict.SURE
            if name is None:
                self.strangers.append(is_sure)
            else:
                is_right = answer.character == name
                self.known.append((is_right, is_right and is_sure))
        said = [one.character for one in answers if one.character is not None]
        sure = [one.character for one in answers if one.verdict is Verdict.SURE]
        self.twice.append((len(said) > len(set(said)), len(sure) > len(set(sure))))

    def cells(self) -> Iterator[str]:
        """Yield TPIR, named, FPIR, and one name twice: surely, and at all."""
        known, twice = np.array(self.known), np.array(self.twice)
        for values in (
            known[:, 1] if len(known) else [],
            known[:, 0] if len(known) else [],
            self.strangers,
            twice[:, 1],
            twice[:, 0],
        ):
            yield f"{np.mean(values):.2%}" if len(values) else "-"


def measure(draws: Draws, weights: Weights) -> Iterator[tuple[str, ...]]:
    """Yield a row for faces by themselves, and one for faces with their pictures."""
    generator = np.random.default_rng(SEED)
    alone, beside = Tally(), Tally()
    for _ in range(draws.count):
        members, enrolled = _drawn(draws, generator)
        with _engine(weights, draws.faces, enrolled) as engine:
            engine.calibrate(FPIR)
            asked = draws.strangers or draws.faces
            pictures = draws.pictures or list(_pictures(asked, enrolled, generator))
            described = [
                _described(asked, row, at) for rows in pictures for at, row in enumerate(rows)
            ]
            places = [Place(f"{number}") for number, rows in enumerate(pictures) for _ in rows]
            for tally, own in ((alone, None), (beside, places)):
                answers = iter(engine.answers(described, places=own))
                for rows in pictures:
                    names = [
                        f"{label}" if draws.strangers is None and label in members else None
                        for label in asked.labels[rows].tolist()
                    ]
                    tally.add(names, list(islice(answers, len(rows))))
    for way, tally in (("by itself", alone), ("with its picture", beside)):
        counts = len(tally.twice), len(tally.known), len(tally.strangers)
        yield (draws.name, way, *(f"{one:,}" for one in counts), *tally.cells())


def _drawn(draws: Draws, generator: np.random.Generator) -> tuple[set[int], Rows]:
    """Return the characters of a gallery, and the rows of their references."""
    sizes = np.bincount(draws.faces.labels)
    eligible = np.flatnonzero(sizes > draws.references)
    members = generator.permutation(eligible)[: draws.characters]
    rows = [
        generator.permutation(np.flatnonzero(draws.faces.labels == one))[: draws.references]
        for one in members
    ]
    return set(members.tolist()), np.concatenate(rows)


def _pictures(faces: Faces, enrolled: Rows, generator: np.random.Generator) -> Iterator[Rows]:
    """Yield the faces of pictures: different characters of one series, none of them a reference."""
    rest = np.setdiff1d(np.arange(len(faces.labels)), enrolled)
    labels = faces.labels[rest]
    series = faces.series[labels]
    found = 0
    while found < PICTURES:
        first = int(generator.integers(len(rest)))
        own = generator.permutation(np.flatnonzero(series == series[first]))
        _, places = np.unique(labels[own], return_index=True)
        chosen = generator.permutation(own[places])[: int(generator.integers(2, MOST_FACES + 1))]
        if len(chosen) > 1:
            found += 1
            yield rest[chosen]


def _engine(weights: Weights, faces: Faces, enrolled: Rows) -> Engine:
    """Return a gallery in memory, whose characters are called by their numbers."""
    store = Store("sqlite://", create=True)
    blank = encode_png(BLANK)
    with store.writing() as writer:
        for row in enrolled.tolist():
            name = f"{faces.labels[row]}"
            writer.add(
                NewSample(
                    name,
                    f"{row:064x}",
                    Path(f"/{row}.png"),
                    _face(0),
                    blank,
                    {weights.encoder_id: faces.descriptors[row]},
                    "heads",
                    name,
                    _quality(faces, row),
                )
            )
    return Engine(
        store,
        weights.encoder_id,
        weights.thresholds,
        _no_describer,
        IndexCache(None),
        read_strangers=lambda: read_strangers(bundled("models"), weights.encoder_id),
    )


def _no_describer() -> Describer:
    raise AssertionError("All faces are described.")


def _face(place: int) -> Face:
    """Return a head, beside those of other places."""
    return Face(Box(SIDE * place, 0.0, SIDE * (place + 1), SIDE), 1.0)


def _quality(faces: Faces, row: int) -> Quality:
    return Quality(SIDE, float(faces.quality[row]), None, None, None)


def _described(faces: Faces, row: int, place: int) -> DescribedFace:
    return DescribedFace(_face(place), BLANK, faces.descriptors[row], _quality(faces, row))


def several_heads(data: Path) -> list[Rows]:
    """Return the rows of faces-3 of each picture with several heads."""
    keys = np.array([row["picture"] for row in rows_of(data / "faces", "train-3")])
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return [np.flatnonzero(inverse == one) for one in np.flatnonzero(counts > 1)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cache", type=Path, default=Path("build/openset"))
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    chosen = parser.parse_args()
    weights = Library(Settings().models_folder).locate(chosen.encoder)
    dev = read_dev(chosen.data, weights, chosen.cache, checked=True)
    television = read_dev(chosen.data, weights, chosen.cache, split="dev-tv")
    heads = read_dev(chosen.data, weights, chosen.cache, split="train-3")
    pictures = several_heads(chosen.data)
    rows = [
        row
        for draws in (
            Draws("dev, 50 by 5", dev, 50, 5, 10),
            Draws("dev, 12 by 8", dev, 12, 8, 10),
            Draws("dev-tv, 6 by 8", television, 6, 8, 20),
            Draws("faces-3, dev, 80 by 8", dev, 80, 8, 3, pictures, heads),
        )
        for row in measure(draws, weights)
    ]
    columns = (
        "pictures", "a face", "N", "known", "strangers", "TPIR", "named", "FPIR",
        "one name twice, sure", "at all",
    )  # fmt: skip
    print(table(columns, rows))


if __name__ == "__main__":
    main()
