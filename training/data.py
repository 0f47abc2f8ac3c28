"""The shared faces, split and drawn for training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from measuring.faces import Faces, Labels, read_faces
from training.config import Config

FOUND = "found"
"""The source and the split of faces that nobody had named, and the beginning of their groups'
names."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run reads and writes."""

    faces: Path
    """The folder of faces.csv."""
    cache: Path
    """Decoded faces."""
    run: Path
    """Checkpoints and the log."""


def held_out(
    identity: NDArray[np.str_], count: int, least: int, most: int, seed: int
) -> NDArray[np.bool_]:
    """Mark all faces of some characters, drawn by the seed from those of a size; shape (n,)."""
    names, counts = np.unique(identity, return_counts=True)
    eligible = names[(counts >= least) & (counts <= most)]
    drawn = np.random.default_rng(seed).permutation(eligible)[:count]
    return np.isin(identity, drawn)


def held_faces(config: Config, folder: Path, cache: Path) -> Faces:
    """Return the faces that a recipe keeps out of training."""
    faces = read_faces(folder, "train", cache)
    return faces.subset(held_marks(config, faces))


def held_marks(config: Config, faces: Faces) -> NDArray[np.bool_]:
    """Mark the faces that a recipe keeps out of training, shape (n,).

    They are the same whatever takes part beside the train split: of that none is kept out.
    """
    named = faces.split == "train"
    marks = np.zeros(len(faces), dtype=np.bool_)
    marks[named] = held_out(
        faces.identity[named],
        config.held_characters,
        config.held_least,
        config.held_most,
        config.seed,
    )
    return marks


def train_classes(faces: Faces, held: NDArray[np.bool_], least: int) -> Labels:
    """Return each face's class for training, shape (n,), or -1 where it takes no part.

    A character becomes a class when it is not held out and has at least this many faces.
    """
    names, inverse, counts = np.unique(faces.identity, return_inverse=True, return_counts=True)
    taking_part = (counts >= least) & ~np.isin(names, faces.identity[held])
    numbers = np.where(taking_part, np.cumsum(taking_part) - 1, -1)
    return np.asarray(numbers[inverse], dtype=np.int64)


class Sampler:
    """Draws the faces of an epoch: large classes less than by size, sources of a class evenly."""

    def __init__(
        self, classes: Labels, faces: Faces, power: float, shares: dict[str, float], seed: int
    ) -> None:
        """Prepare to draw faces whose class is not -1; a class counts by its size to a power.

        The shares say how much of an epoch each style takes; styles that they leave out come by
        their weight among all.
        """
        self._seed = seed
        self._faces = np.flatnonzero(classes >= 0)
        labels = classes[self._faces]
        sizes = np.bincount(labels)
        _, group = np.unique(faces.source[self._faces], return_inverse=True)
        pairs, pair = np.unique(labels * (group.max() + 1) + group, return_inverse=True)
        sources = np.bincount(pairs // (group.max() + 1))
        # Within a class, every source gets a share by the square root of its number of faces.
        roots = np.sqrt(np.bincount(pair))
        totals = np.bincount(pairs // (group.max() + 1), weights=roots, minlength=len(sources))
        weights = sizes[labels] ** power / totals[labels] / roots[pair]
        weights /= weights.sum()
        style = faces.style[self._faces]
        named = np.isin(style, list(shares))
        weights[~named] *= (1 - sum(shares.values())) / max(weights[~named].sum(), 1e-12)
        for name, share in shares.items():
            weights[style == name] *= share / weights[style == name].sum()
        self._edges = np.cumsum(weights / weights.sum())

    def epoch(self, number: int, count: int) -> Labels:
        """Return `count` indices of faces, shape (count,), the same for the same number.

        The draw is systematic: a face with weight w comes floor or ceil of `count` x w times.
        """
        generator = np.random.default_rng((self._seed, number))
        marks = (np.arange(count) + generator.random()) / count
        drawn = np.searchsorted(self._edges, marks).clip(max=len(self._faces) - 1)
        return np.asarray(self._faces[generator.permutation(drawn)], dtype=np.int64)
