"""Measures which few of a character's confirmed faces teach a gallery most.

    python -m benchmarks.references [--data FOLDER] [--cache FOLDER] [--repeats 30]

Of each character of the dev split with 16 faces and more, one face is enrolled, half of the others
are confirmed, and the rest is asked about. A few of the confirmed ones are enrolled besides, chosen
in several ways; `none` and `all` say between what they lie. Printed are rank-1 and the share of
probes that are nearest to the right character within the encoder's distance for sure names. Every
repeat draws other faces, the same ones for all ways.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.openset import Faces, read_dev
from benchmarks.timing import SHARED
from gallery.faces.networks.library import locate
from gallery.identify.calibration.joint import COPIES
from gallery.numerics.choosing import chosen
from gallery.numerics.distances import distances
from gallery.settings import DEFAULT_ENCODER, Settings
from gallery.types import Thresholds
from measuring.tables import table

LEAST = 16
"""Faces of a character."""

SEED = 5

Vectors = NDArray[np.float32]
Way = Callable[[Vectors, NDArray[np.float64], Vectors, int], Sequence[int]]
"""Chooses so many of the confirmed faces, by their quality and what is enrolled."""


def ways(thresholds: Thresholds, generator: np.random.Generator) -> dict[str, Way]:
    """Return the ways to choose, by what they are called."""

    def randomly(faces: Vectors, _: object, __: object, take: int) -> Sequence[int]:
        return [*generator.choice(len(faces), min(take, len(faces)), replace=False)]

    def farthest(
        faces: Vectors, quality: NDArray[np.float64], known: Vectors, take: int
    ) -> Sequence[int]:
        nearest, found = distances(faces, known).min(axis=1), []
        for _ in range(min(take, len(faces))):
            found.append(int((nearest * quality).argmax()))
            nearest = np.minimum(nearest, distances(faces, faces[found[-1:]])[:, 0])
        return found

    def covering(
        faces: Vectors, quality: NDArray[np.float64], known: Vectors, take: int
    ) -> Sequence[int]:
        reach = thresholds.unknown
        best = chosen(faces, quality, known, most=take, reach=reach, apart=COPIES * reach)
        return [one.row for one in best]

    return {
        "none": lambda *_: [],
        "by chance": randomly,
        "best quality": lambda _, quality, __, take: [*np.argsort(-quality)[:take]],
        "farthest, by quality": farthest,
        "standing for most, by quality (the command)": covering,
        "all": lambda faces, *_: range(len(faces)),
    }


def trial(
    faces: Faces, names: Sequence[int], way: Way, take: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return, of all probes, whether the nearest character is right, and how far it is."""
    generator = np.random.default_rng((SEED, seed))
    ideals, probes, truth = [], [], []
    for place, name in enumerate(names):
        rows = generator.permutation(np.flatnonzero(faces.labels == name))
        half = len(rows) // 2
        known, confirmed = rows[:1], rows[1:half]
        some = way(
            faces.descriptors[confirmed], faces.quality[confirmed], faces.descriptors[known], take
        )
        enrolled = np.concatenate([known, confirmed[np.array(some, np.int64)]])
        ideals.append(faces.descriptors[enrolled].mean(axis=0))
        probes.append(rows[half:])
        truth += [place] * len(rows[half:])
    apart = distances(faces.descriptors[np.concatenate(probes)], np.stack(ideals))
    return (apart.argmin(axis=1) == np.array(truth)).astype(np.int64), apart.min(axis=1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure which confirmed faces teach most.")
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cache", type=Path, default=Path("build/openset"))
    parser.add_argument("--repeats", type=int, default=30)
    asked = parser.parse_args(arguments)
    weights = locate(DEFAULT_ENCODER, Settings().models_folder)
    faces = read_dev(asked.data, weights, asked.cache, checked=True)
    counts = np.bincount(faces.labels)
    names = np.flatnonzero(counts >= LEAST).tolist()
    rows = []
    probes = 0
    for take in (3, 5):
        for called, way in ways(weights.thresholds, np.random.default_rng(SEED)).items():
            right, sure = [], []
            for seed in range(asked.repeats):
                is_right, apart = trial(faces, names, way, take, seed)
                probes = len(is_right)
                right.append(is_right.mean())
                sure.append((is_right * (apart <= weights.thresholds.sure)).mean())
            rows.append((str(take), called, f"{np.mean(right):.3f}", f"{np.mean(sure):.3f}"))
    print(f"{len(names)} characters, {probes} probes, {asked.repeats} times")
    print(table(("enrolled besides", "chosen", "rank-1", "right and within sure"), rows))


if __name__ == "__main__":
    main()
