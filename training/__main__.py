"""`python -m training`: train and go on with training, export a network, draw a run's log."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

from gallery.settings import DEFAULT_ENCODER
from training.data import Place
from training.shipped import TRAINED, file_of

ACTIONS = ("train", "export", "places", "fuse", "thresholds", "strangers", "heads", "plot")
FUSED_FACES = 4000
SERIES_LEAST = 6
"""Thresholds are measured within series that have as many characters held out."""

HERE = Path(__file__).parent
ROOT = HERE.parent
SHARED_FACES = ROOT.parent / "shared" / "data" / "faces"


def main() -> None:
    """Train the network of a recipe, export it, or draw its log."""
    parser = argparse.ArgumentParser(prog="python -m training", description=main.__doc__)
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--config", type=Path, default=HERE / "configs" / "anime.toml")
    parser.add_argument("--faces", type=Path, default=SHARED_FACES, help="the folder of faces.csv")
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoints and log")
    parser.add_argument("--cache", type=Path, help="decoded faces; RUN/cache if left out")
    parser.add_argument("--mirror", action="store_true", help="thresholds of mirror averages")
    parser.add_argument(
        "--workers", type=int, help="processes; 1 with a GPU, else up to one a core"
    )
    parser.add_argument("--out", type=Path, help="the file to write or, of thresholds, to read")
    chosen = parser.parse_args()
    place = Place(chosen.faces, chosen.cache or chosen.run / "cache", chosen.run)
    if chosen.action == "train":
        _train(chosen.config, place, chosen.workers)
    elif chosen.action == "export":
        _export(chosen.config, place, chosen.out)
    elif chosen.action == "places":
        _places(chosen.config, place, chosen.out)
    elif chosen.action == "fuse":
        _fuse(chosen.config, place, chosen.out or file_of(DEFAULT_ENCODER))
    elif chosen.action == "thresholds":
        _thresholds(chosen.config, place, chosen.out, mirror=chosen.mirror)
    elif chosen.action == "strangers":
        from training.config import read_config
        from training.strangers import make_all

        make_all(read_config(chosen.config), place, TRAINED)
    elif chosen.action == "heads":
        from training.found import GROUPS
        from training.heads import write_groups

        count = write_groups(place, chosen.out or GROUPS)
        print(f"{chosen.out or GROUPS}: {count} heads have a group")
    else:
        from training.plot import plot

        plot(chosen.run / "log.jsonl", chosen.run / "log.png")


def _train(config: Path, place: Place, workers: int | None) -> None:
    """Train, or go on from the last checkpoint."""
    # Every process has one core; threads of its own would only get in the others' way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch

    from training.config import read_config
    from training.train import train

    recipe = read_config(config)
    cores = 1 if torch.cuda.is_available() else os.cpu_count() or 1
    evenly = max(count for count in range(1, cores + 1) if recipe.batch % count == 0)
    train(recipe, place, workers or evenly)


def _export(config_path: Path, place: Place, out: Path | None) -> None:
    """Write the averaged network of the last checkpoint and compare the runtimes."""
    from gallery.faces.networks.library import ONNX_SUFFIX
    from training.config import read_config
    from training.data import held_faces
    from training.export import export, largest_difference, shipped_file
    from training.train import trained_weights

    config = read_config(config_path)
    path = out or shipped_file(config)
    held = held_faces(config, place.faces, place.cache)
    factor = export(config, trained_weights(config, place.run), held, path)
    print(f"{path}: descriptors times {factor:.4f}, {len(held)} held-out faces")
    if path.suffix == ONNX_SUFFIX:
        return
    for runtime, difference in largest_difference(path, held.pixels[:16]).items():
        print(f"largest difference of {runtime} from dlib: {difference:.1e}")


def _places(config_path: Path, place: Place, out: Path | None) -> None:
    """Let an exported network say what stands where as well."""
    from training.config import read_config
    from training.export import add_places, shipped_file

    config = read_config(config_path)
    path = out or shipped_file(config)
    kept = add_places(config, place, path)
    print(f"{path}: {kept:.1%} of the variance kept")


def _fuse(config_path: Path, place: Place, out: Path) -> None:
    """Join the shipped networks to one encoder."""
    from measuring.cutting import read_aligned
    from training.config import read_config
    from training.data import held_marks, train_classes
    from training.export import fuse
    from training.found import held_as_cut, read_training_faces

    config = read_config(config_path)
    faces = read_training_faces(place, with_found=True)
    seen = np.flatnonzero(train_classes(faces, held_marks(config, faces), config.least_faces) >= 0)
    drawn = np.random.default_rng(config.seed).permutation(seen)[:FUSED_FACES]
    crops = read_aligned(faces, place.cache)[np.sort(drawn)]
    kept = fuse(crops, held_as_cut(config, place), out)
    print(f"{out}: {kept:.1%} of the variance of {len(drawn)} faces kept")


def _thresholds(config_path: Path, place: Place, out: Path | None, *, mirror: bool) -> None:
    """Measure where a network's verdicts divide, on the characters held out of training.

    A gallery is often of one series, and its strangers are, too: galleries are drawn within each
    series that has enough characters, and the series that asks for the least distance decides.
    """
    from measuring.thresholds import GALLERIES, SEED, report, strangers_at, trial
    from training.config import read_config
    from training.export import shipped_file
    from training.found import held_as_cut
    from training.running import describe

    config = read_config(config_path)
    held = held_as_cut(config, place)
    descriptors = describe(out or shipped_file(config), held.pixels, mirror=mirror)
    lengths = np.linalg.norm(descriptors, axis=1)
    print(f"{len(held)} faces; lengths of descriptors {lengths.mean():.3f} +- {lengths.std():.3f}")
    found = {}
    for series in np.unique(held.series):
        own = held.series == series
        _, characters = np.unique(held.identity[own], return_inverse=True)
        if characters.max() + 1 >= SERIES_LEAST:
            generator = np.random.default_rng(SEED)
            found[series] = [
                trial(descriptors[own], characters, generator) for _ in range(GALLERIES)
            ]
    cuts = {series: strangers_at(trials, 0.01).mean() for series, trials in found.items()}
    for series, cut in cuts.items():
        print(f"{series}: FPIR 1 % at {cut:.3f}")
    strictest = min(cuts, key=lambda series: float(cuts[series]))
    print(f"{strictest} decides")
    report(found[strictest])


if __name__ == "__main__":
    main()
