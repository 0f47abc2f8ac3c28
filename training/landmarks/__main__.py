"""`python -m training.landmarks`: gather heads, train the eyes' network, export it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.landmarks.config import Config

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main() -> None:
    """Gather heads and eyes, train a network with them, or write it as a file."""
    parser = argparse.ArgumentParser(prog="python -m training.landmarks", description=main.__doc__)
    parser.add_argument("action", choices=("label", "train", "export"))
    parser.add_argument("--config", type=Path, default=HERE / "configs" / "eyes.toml")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoints and log")
    parser.add_argument(
        "--cache",
        type=Path,
        help="labels of `python -m training.detector label`; RUN/cache if left out",
    )
    parser.add_argument(
        "--validation",
        type=Path,
        default=ROOT / "data" / "detection" / "validation.json",
        help="file whose pictures, named by digest, are kept out of training",
    )
    parser.add_argument(
        "--detector",
        type=Path,
        help="checkpoint of the detector whose first stages are taken over, RUN/last.pt of "
        "`python -m training.detector train`",
    )
    parser.add_argument("--out", type=Path, help="file to write; models/eyes.onnx if left out")
    chosen = parser.parse_args()
    # More threads than one gain nothing with a network as small as this.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cache = chosen.cache or chosen.run / "cache"
    from training.landmarks.config import read_config

    config = read_config(chosen.config)
    if chosen.action == "label":
        from training.landmarks.material import write_material

        write_material(chosen.shared, cache, chosen.validation, config.held)
    elif chosen.action == "export":
        from training.landmarks.export import export

        path = chosen.out or ROOT / "models" / "eyes.onnx"
        difference = export(chosen.run / "last.pt", path)
        megabytes = path.stat().st_size / 1e6
        print(f"{path}: {megabytes:.2f} MB; ONNX Runtime differs by at most {difference:.1e} px")
    else:
        if chosen.detector is None or not chosen.detector.is_file():
            parser.error("Give a checkpoint of the head detector with --detector.")
        _train(config, chosen.shared, cache, chosen.run, chosen.detector)


def _train(config: Config, shared: Path, cache: Path, run: Path, detector: Path) -> None:
    """Train, or go on from the last checkpoint; on the way the network labels heads itself."""
    from training.landmarks.material import OWN, read_material
    from training.landmarks.own import own_eyes, write_own
    from training.landmarks.train import Trainer

    material = read_material(shared, cache)
    if config.label_again and not (cache / OWN).is_file():
        Trainer(config, material, material.eyes, run, detector).train(config.label_again)
        write_own(run / "last.pt", material, cache)
    eyes = own_eyes(cache, material) if config.label_again else material.eyes
    Trainer(config, material, eyes, run, detector).train(config.epochs)


if __name__ == "__main__":
    main()
