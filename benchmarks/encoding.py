"""Compares the runtimes on one network, and the shipped networks, on the same faces in one run.

    python -m benchmarks.encoding [--encoder human]

Prints descriptors per second one by one and in batches of 16, each beside dlib's, and the largest
difference between the descriptors of the runtimes. Each figure is the best of several rounds in
which all take turns, so that other work on the machine hits all.
"""

from __future__ import annotations

import argparse
import time
import zipfile
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gallery.faces import catalog
from gallery.faces.encoders.dlib_network import DlibNetwork
from gallery.faces.encoders.onnx_network import OnnxNetwork
from gallery.faces.interfaces import Encoder
from gallery.faces.networks.library import Library
from gallery.settings import Settings
from gallery.system.threads import available_cores
from gallery.types import CROP_SIDE

ROOT = Path(__file__).parents[1]
SHARED_FACES = ROOT.parent / "shared" / "data" / "faces" / "dev.zip"
DRAWN_FACES = ROOT / "data" / "characters"
COUNT = 48
ROUNDS = 3
OTHERS = ("anime-lite", "anime-wide", "anime-fine", "anime-ensemble")
BATCHES = (1, 16)

Item = TypeVar("Item")


def pictures() -> tuple[list[bytes], str]:
    """Return COUNT encoded pictures, evenly spread, and where they are from."""
    if SHARED_FACES.is_file():
        with zipfile.ZipFile(SHARED_FACES) as archive:
            names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
            return [archive.read(name) for name in _spread(names)], "faces of the dev split"
    files = sorted(path for path in DRAWN_FACES.rglob("*") if path.suffix in {".png", ".jpg"})
    return [file.read_bytes() for file in _spread(files)], "drawn pictures"


def crops(encoded: list[bytes]) -> NDArray[np.uint8]:
    """Return the pictures' middles as crops, shape (n, CROP_SIDE, CROP_SIDE, 3)."""
    import cv2

    made = np.empty((len(encoded), CROP_SIDE, CROP_SIDE, 3), dtype=np.uint8)
    for row, data in enumerate(encoded):
        picture = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None, "a picture cannot be decoded"
        side = min(picture.shape[:2])
        top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
        square = picture[top : top + side, left : left + side]
        size = (CROP_SIDE, CROP_SIDE)
        made[row] = cv2.resize(square, size, interpolation=cv2.INTER_AREA)[:, :, ::-1]
    return made


def seconds(encoder: Encoder, faces: NDArray[np.uint8], batch: int) -> float:
    """Return how long the encoder takes for all faces in batches of this size."""
    start = time.perf_counter()
    for first in range(0, len(faces), batch):
        encoder.encode(faces[first : first + batch])
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Compare runtimes and networks.")
    parser.add_argument("--encoder", default="anime", help="a network that dlib runs too")
    chosen = parser.parse_args()
    settings = Settings()
    library = Library(settings.models_folder)
    weights = library.locate(chosen.encoder)
    encoded, origin = pictures()
    assert encoded, f"neither {SHARED_FACES} nor pictures under {DRAWN_FACES} are there"
    faces = crops(encoded)
    runtimes: dict[str, Encoder] = {
        "dlib": DlibNetwork(weights),
        "ONNX Runtime": OnnxNetwork(weights, settings.cache_folder),
    }
    others: dict[str, Encoder] = {
        name: catalog.encoder("onnx", library.locate(name), settings.cache_folder)
        for name in OTHERS
    }
    encoders = {**runtimes, **others}
    print(
        f"{weights.encoder_id}, {len(faces)} {origin}, {available_cores()} cores, best of {ROUNDS}"
    )
    answers = [encoder.encode(faces) for encoder in runtimes.values()]
    for batch in BATCHES:
        best = dict.fromkeys(encoders, float("inf"))
        for _ in range(ROUNDS):
            for name, encoder in encoders.items():
                best[name] = min(best[name], seconds(encoder, faces, batch))
        told = ", ".join(
            f"{name} {len(faces) / spent:.1f} ({best['dlib'] / spent:.1f}x)"
            for name, spent in best.items()
        )
        print(f"batch {batch:2d}: descriptors/s {told}")
    difference = float(np.abs(answers[0] - answers[1]).max())
    print(f"largest difference between descriptors over {len(faces)} faces: {difference:.2g}")


def _spread(items: list[Item]) -> list[Item]:
    """Return COUNT of the items, evenly spread, or all of fewer."""
    step = max(1, len(items) // COUNT)
    return items[::step][:COUNT]


if __name__ == "__main__":
    main()
