"""`python -m training.detector`: label pictures and faces, train the detector, export it."""

from __future__ import annotations

import argparse
import dataclasses
import os
from pathlib import Path

from training.detector.supply import Place

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main() -> None:
    """Ask two detectors for labels, train ours with them, or write it as a file."""
    parser = argparse.ArgumentParser(prog="python -m training.detector", description=main.__doc__)
    parser.add_argument("action", choices=("label", "train", "export", "look"))
    parser.add_argument("--config", type=Path, default=HERE / "configs" / "heads.toml")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoints and log")
    parser.add_argument("--cache", type=Path, help="labels and faces; RUN/cache if left out")
    parser.add_argument(
        "--validation",
        type=Path,
        default=ROOT / "data" / "detection" / "validation.json",
        help="file whose pictures, named by digest, are kept out of training",
    )
    parser.add_argument(
        "--start", type=Path, help="checkpoint whose averaged weights a new run begins with"
    )
    parser.add_argument("--workers", type=int, help="processes; 1 with a GPU, else one a core")
    parser.add_argument("--steps", type=int, help="end after so many steps, to try it out")
    parser.add_argument("--out", type=Path, help="file to write; models/heads.onnx if left out")
    chosen = parser.parse_args()
    # Every process has one core; threads of its own would only get in the others' way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cache = chosen.cache or chosen.run / "cache"
    if chosen.action == "label":
        from training.detector.labels import label

        label(chosen.shared, cache, chosen.workers or os.cpu_count() or 1)
    elif chosen.action == "export":
        from training.detector.export import averaged_network, export

        path = chosen.out or ROOT / "models" / "heads.onnx"
        difference = export(averaged_network(chosen.run / "last.pt"), path)
        megabytes = path.stat().st_size / 1e6
        print(f"{path}: {megabytes:.1f} MB; ONNX Runtime differs by at most {difference:.1e}")
    else:
        if not chosen.validation.is_file():
            parser.error(
                f"{chosen.validation} is not there; without it the pictures that the detector is "
                "to be judged by would be trained on. Give its path with --validation."
            )
        if chosen.start is not None and not chosen.start.is_file():
            parser.error(f"{chosen.start} is not there; give a checkpoint of a run with --start.")
        place = Place(chosen.shared, cache, chosen.run, chosen.validation, chosen.start)
        if chosen.action == "look":
            _look(chosen.config, place, chosen.out or chosen.run / "scenes")
        else:
            _train(chosen.config, place, chosen.workers, chosen.steps)


def _train(path: Path, place: Place, workers: int | None, steps: int | None) -> None:
    """Train, or go on from the last checkpoint; with steps no more than an epoch of so many.

    On the way the pictures are labelled anew by what has been learnt so far.
    """
    import torch

    from training.detector.config import read_config
    from training.detector.export import averaged_network, export
    from training.detector.labels import label_with, own_labels
    from training.detector.train import train

    config = read_config(path)
    count = workers or (1 if torch.cuda.is_available() else os.cpu_count() or 1)
    if steps is not None:
        scenes = steps * config.batch * count
        config = dataclasses.replace(
            config, epochs=1, label_again=1, epoch_scenes=scenes, warm_up_steps=10
        )
    train(config, place, count)
    if steps is None and not own_labels(place.cache).is_file():
        so_far = place.run / "so-far.onnx"
        export(averaged_network(place.run / "last.pt"), so_far)
        label_with(so_far, place.shared, place.cache)
        train(config, place, count)


def _look(path: Path, place: Place, folder: Path) -> None:
    """Paint scenes with boxes and eyes drawn over them, to be looked at."""
    from training.detector.config import read_config
    from training.detector.look import write_scenes
    from training.detector.supply import supply

    config = read_config(path)
    write_scenes(supply(config, place).trained, config, folder)


if __name__ == "__main__":
    main()
