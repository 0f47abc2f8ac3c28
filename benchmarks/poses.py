"""How well `--portrait` keeps what a reader calls a portrait.

    python -m benchmarks.poses [--data FOLDER] [--cache FOLDER]

A reader looked at 200 faces of the *dev* split, drawn at random, on contact sheets, and sorted
them: a portrait is turned by less than about 30 degrees and leans by less than about 20. Closed
eyes and hands before the face make no difference. measuring/dev_portraits.csv has the answers, in
the order in which they were drawn. The rule's limits were chosen on the first 100 and are
measured on the rest. Each square, in a border of 24 pixels that repeats its edge, stands for a
picture, and its face is the likeliest and largest head that the default detector finds.
"""

from __future__ import annotations

import argparse
import csv
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import SHARED
from gallery.faces import catalog
from gallery.faces.quality import is_portrait
from gallery.settings import DEFAULT_DETECTOR
from gallery.types import Image
from measuring.faces import read_faces, rows_of
from measuring.tables import table

SORTED = Path(__file__).parent.parent / "measuring" / "dev_portraits.csv"
CHOSEN_ON = 100
BORDER = 24
AT_ONCE = 20
NORMAL = 1.96
"""Standard deviations that hold the middle 95 %."""

Marks = NDArray[np.bool_]


def main() -> None:
    """Print precision and recall on the faces that the rule was chosen on, and on others."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cache", type=Path, default=Path("build/openset"))
    chosen = parser.parse_args()
    if not (chosen.data / "faces" / "faces.csv").is_file():
        print(f"{chosen.data} holds no faces; nothing is measured. --data names the folder.")
        return
    with SORTED.open(encoding="utf-8", newline="") as file:
        answers = list(csv.DictReader(file))
    portraits = np.array([row["portrait"] == "1" for row in answers])
    kept = kept_of([row["file"] for row in answers], chosen.data, chosen.cache)
    halves = (("the rule was chosen on", slice(CHOSEN_ON)), ("others", slice(CHOSEN_ON, None)))
    rows = [line(name, portraits[half], kept[half]) for name, half in halves]
    columns = ("faces", "N", "portraits", "kept", "precision (95 %)", "recall (95 %)")
    print(table(columns, rows))


def kept_of(files: list[str], data: Path, cache: Path) -> Marks:
    """Return which faces of the dev split are kept as portraits."""
    row_of = {row["file"]: place for place, row in enumerate(rows_of(data / "faces", "dev"))}
    pixels = read_faces(data / "faces", "dev", cache).pixels
    detector = catalog.detector(DEFAULT_DETECTOR)
    around = ((BORDER, BORDER), (BORDER, BORDER), (0, 0))
    kept: list[bool] = []
    for start in range(0, len(files), AT_ONCE):
        squares = [pixels[row_of[file]] for file in files[start : start + AT_ONCE]]
        images = [Image(np.pad(one, around, "edge"), "", Path("face")) for one in squares]
        for faces in detector.detect(images):
            head = max(faces, key=lambda one: one.score * one.box.area, default=None)
            kept.append(head is not None and is_portrait(head))
    return np.array(kept)


def line(name: str, portraits: Marks, kept: Marks) -> tuple[str, ...]:
    """Return a line of the table."""
    both = int((portraits & kept).sum())
    counts = (len(kept), int(portraits.sum()), int(kept.sum()))
    shares = (share(both, counts[2]), share(both, counts[1]))
    return (name, *(f"{count}" for count in counts), *shares)


def share(hits: int, count: int) -> str:
    """Return a share with Wilson's interval (1927)."""
    value, spread = hits / count, NORMAL**2 / count
    middle = (value + spread / 2) / (1 + spread)
    half = NORMAL * math.sqrt(value * (1 - value) / count + spread / (4 * count)) / (1 + spread)
    return f"{value:.3f} ({middle - half:.3f}-{middle + half:.3f})"


if __name__ == "__main__":
    main()
