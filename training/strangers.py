"""`python -m training strangers`: the strangers that ship with an encoder, for `gallery calibrate`.

Strangers are faces that training never saw, since an encoder knows the characters it was trained on
too well: FACES of each of the recipe's held-out characters, and all faces that are alone in their
character, which take no part in training. They are cut as the product cuts them. Random galleries
of the held-out characters are asked about their other faces and about strangers; these trials stand
beside those of small galleries.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.faces import catalog
from gallery.faces.networks.library import Library
from gallery.faces.quality import sharpness
from gallery.identify.calibration.evidence import COLUMNS
from gallery.identify.calibration.strangers import Strangers, strangers_file, write_strangers
from gallery.identify.calibration.trials import Protocol
from gallery.settings import Settings, bundled
from measuring.cutting import read_aligned
from measuring.galleries import ask, references_of
from training.config import Config
from training.data import Place, held_marks
from training.found import read_training_faces

FACES = 8
"""Faces of a held-out character among the strangers."""

GALLERIES = 60
SIZES = (3, 6, 10, 20, 40)
REFERENCES = (1, 2, 3, 5, 8, 12)
ASKED = 60
"""Known faces that a random gallery is asked about, and as many strangers'."""

SEED = 23

Numbers = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """Faces that training never saw, described."""

    descriptors: NDArray[np.float32]
    """Shape (n, DIMENSION)."""
    labels: Labels
    """Whose they are, shape (n,): held-out characters first, by number."""
    held: int
    """How many characters are held out; the others have one face each."""
    quality: Numbers
    """How well each face can be seen, 0 to 1, shape (n,)."""
    series: NDArray[np.str_]
    """What each face's character is from, shape (n,)."""

    def chosen(self, series: NDArray[np.str_]) -> Unseen:
        """Return only the characters of some series, numbered anew."""
        rows = np.flatnonzero(np.isin(self.series, series))
        _, labels = np.unique(self.labels[rows], return_inverse=True)
        held = len(np.unique(self.labels[rows][self.labels[rows] < self.held]))
        return Unseen(
            self.descriptors[rows],
            labels.astype(np.int64),
            held,
            self.quality[rows],
            self.series[rows],
        )


def make_all(config: Config, place: Place, names: tuple[str, ...]) -> None:
    """Write the strangers of networks by name, and say how many bytes they take."""
    for encoder, unseen in described(config, place, names):
        path = strangers_file(bundled("models"), encoder)
        write(unseen, path)
        print(f"{path}: {path.stat().st_size} bytes", flush=True)


def described(config: Config, place: Place, names: tuple[str, ...]) -> Iterator[tuple[str, Unseen]]:
    """Give the id of each network by name, with the faces that training never saw."""
    faces = read_training_faces(place, with_found=True)
    rows, labels, held = unseen_rows(faces.identity, held_marks(config, faces))
    crops = read_aligned(faces, place.cache)[rows]
    quality = np.array([sharpness(crop) for crop in crops])
    for name in names:
        weights = Library(Settings().models_folder).locate(name)
        encoder = catalog.encoder("onnx", weights, Settings().cache_folder)
        parts = [encoder.encode(crops[at : at + 256]) for at in range(0, len(crops), 256)]
        yield encoder.id, Unseen(np.concatenate(parts), labels, held, quality, faces.series[rows])


def unseen_rows(
    identity: NDArray[np.str_], held: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], Labels, int]:
    """Return which faces training never saw, whose they are, and how many characters are held out.

    Identities and marks of the held-out ones have the shape (n,).
    """
    _, inverse, counts = np.unique(identity, return_inverse=True, return_counts=True)
    first = np.flatnonzero(held)
    alone = np.flatnonzero(~held & (counts[inverse] == 1))
    names, labels = np.unique(identity[first], return_inverse=True)
    return (
        np.concatenate([first, alone]),
        np.concatenate([labels, len(names) + np.arange(len(alone))]).astype(np.int64),
        len(names),
    )


def write(unseen: Unseen, path: Path) -> None:
    """Write the strangers and trials of an encoder."""
    write_strangers(path, make(unseen))


def make(unseen: Unseen) -> Strangers:
    """Return the strangers and trials of an encoder."""
    generator = np.random.default_rng(SEED)
    singles = np.flatnonzero(unseen.labels >= unseen.held)
    drawn = [
        generator.permutation(np.flatnonzero(unseen.labels == one))[:FACES]
        for one in range(unseen.held)
    ]
    rows = np.concatenate([singles, *drawn])
    shipped = Strangers(
        unseen.descriptors[rows].astype(np.float16),
        unseen.labels[rows].astype(np.int16),
        np.zeros((0, len(COLUMNS))),
        np.zeros(0, np.bool_),
        np.zeros(0, np.bool_),
    )
    evidence, right, known = zip(
        *(_trials(unseen, shipped, generator) for _ in range(GALLERIES)), strict=True
    )
    return dataclasses.replace(
        shipped,
        trials=np.concatenate(evidence),
        right=np.concatenate(right),
        known=np.concatenate(known),
    )


def _trials(
    unseen: Unseen, shipped: Strangers, generator: np.random.Generator
) -> tuple[Numbers, NDArray[np.bool_], NDArray[np.bool_]]:
    """Enrol random held-out characters and ask about their other faces and about the others'."""
    members = generator.permutation(unseen.held)[: int(generator.choice(SIZES))]
    references: list[int] = []
    rest: list[int] = []
    for member in members:
        own = generator.permutation(np.flatnonzero(unseen.labels == member))
        count = min(int(generator.choice(REFERENCES)), len(own) - 1)
        references += own[:count].tolist()
        rest += own[count:].tolist()
    of_held = unseen.labels < unseen.held
    strangers = np.flatnonzero(of_held & ~np.isin(unseen.labels, members))
    questions = Protocol(references_of(unseen, np.array(references)), shipped)
    evidence, right, known = [], [], []
    for rows, is_known in ((np.array(rest), True), (strangers, False)):
        if not len(rows):
            continue
        some = generator.permutation(rows)[:ASKED]
        trials = ask(questions, unseen, some, known=is_known)
        evidence.append(trials.evidence)
        right.append(trials.right)
        known.append(np.full(len(some), is_known))
    return np.concatenate(evidence), np.concatenate(right), np.concatenate(known)
