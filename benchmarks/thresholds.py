"""Measures where the verdicts of a network divide, and how much of the crop it should see.

    python -m benchmarks.thresholds [--encoder human] [--cache FOLDER]

It takes the *train* split of the shared faces and nothing else: thresholds that were chosen on the
dev split would flatter every figure measured there. Galleries of 50 characters with 5 references
each (of two thirds of the characters where there are fewer than 75) are drawn at random; the other
faces of those characters are known probes, all faces of all other characters are strangers. FPIR is
the share of strangers that are nearer to somebody's ideal than the threshold; TPIR the share of
known probes whose own character is the nearest and within it.
"""

from __future__ import annotations

import argparse
import hashlib
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.faces.encoders.onnx_network import OnnxNetwork
from gallery.faces.networks.library import Library, Weights
from gallery.numerics.distances import distances
from gallery.settings import DEFAULT_ENCODER, Settings
from gallery.types import CROP_SIDE
from measuring.faces import Labels, rows_of, scaled
from measuring.thresholds import GALLERIES, SEED, Numbers, report, trial

SHARED_FACES = Path(__file__).parents[2] / "shared" / "data" / "faces"
LEAST_FACES = 8
MOST_FACES = 14
ZOOMS = (0.7, 0.75, 0.8, 0.86, 0.9, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Sample:
    """Faces drawn from the train split: crops and the number of each one's character."""

    crops: NDArray[np.uint8]
    characters: Labels
    key: str
    """Names the choice, so that cached descriptors of another one are not taken for it."""


def draw(folder: Path) -> Sample:
    """Draw the same up to MOST_FACES faces of every character with LEAST_FACES or more."""
    import cv2

    files: dict[str, list[str]] = {}
    for row in rows_of(folder, "train"):
        files.setdefault(row["identity"], []).append(row["file"])
    generator = np.random.default_rng(SEED)
    names = sorted(name for name, own in files.items() if len(own) >= LEAST_FACES)
    chosen = [
        (number, str(file))
        for number, name in enumerate(names)
        for file in generator.permutation(np.array(sorted(files[name])))[:MOST_FACES]
    ]
    crops = np.empty((len(chosen), CROP_SIDE, CROP_SIDE, 3), dtype=np.uint8)
    with zipfile.ZipFile(folder / "train.zip") as archive:
        for place, (_, file) in enumerate(chosen):
            data = np.frombuffer(archive.read(file), dtype=np.uint8)
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
            assert picture is not None, f"{file} is no picture"
            crops[place] = scaled(np.asarray(picture, np.uint8)[None, :, :, ::-1])[0]
    key = hashlib.sha256("\n".join(file for _, file in chosen).encode()).hexdigest()[:12]
    return Sample(crops, np.array([number for number, _ in chosen]), key)


def describe(sample: Sample, weights: Weights, cache: Path | None) -> Numbers:
    """Return the sample's descriptors, from the cache where they are there."""
    kept = cache / f"{weights.encoder_id}-{sample.key}.npy" if cache else None
    if kept is not None and kept.is_file():
        return np.asarray(np.load(kept), dtype=np.float64)
    encoder = OnnxNetwork(weights, Settings().cache_folder)
    descriptors = encoder.encode(sample.crops)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, descriptors)
    return descriptors.astype(np.float64)


def rank_one(descriptors: Numbers, characters: Labels) -> float:
    """Return the share of faces nearest to their own ideal, from which they are left out."""
    names, counts = np.unique(characters, return_counts=True)
    sums = np.stack([descriptors[characters == name].sum(axis=0) for name in names])
    apart = distances(descriptors, sums / counts[:, None])
    own = (sums[characters] - descriptors) / (counts[characters] - 1)[:, None]
    apart[np.arange(len(characters)), characters] = np.linalg.norm(descriptors - own, axis=1)
    return float((apart.argmin(axis=1) == characters).mean())


def main() -> None:
    """Measure zooms, then thresholds."""
    parser = argparse.ArgumentParser(description="Measure a network's zoom and thresholds.")
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--faces", type=Path, default=SHARED_FACES)
    parser.add_argument("--cache", type=Path, help="a folder to keep descriptors in")
    parser.add_argument("--no-zooms", action="store_true", help="measure the manifest's zoom only")
    chosen = parser.parse_args()
    weights = Library(Settings().models_folder).locate(chosen.encoder)
    sample = draw(chosen.faces)
    print(
        f"{weights.encoder_id}: {len(sample.crops)} faces, {sample.characters.max() + 1} characters"
    )
    for zoom in () if chosen.no_zooms else ZOOMS:
        described = describe(sample, replace(weights, zoom=zoom), chosen.cache)
        print(f"zoom {zoom:.2f}: rank-1 {rank_one(described, sample.characters):.4f}", flush=True)
    descriptors = describe(sample, weights, chosen.cache)
    lengths = np.linalg.norm(descriptors, axis=1)
    print(f"lengths of descriptors {lengths.mean():.2f} +- {lengths.std():.2f}")
    generator = np.random.default_rng(SEED)
    report([trial(descriptors, sample.characters, generator) for _ in range(GALLERIES)])


if __name__ == "__main__":
    main()
