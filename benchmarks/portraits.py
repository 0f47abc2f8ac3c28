"""How many heads of portraits the default detector finds, with and without its portrait pass.

    python -m benchmarks.portraits [--data FOLDER] [--cache FOLDER]

Every shared face that the detector did not learn from (`dev`, `dev-tv`, `train-2`) stands for a
picture: its square in a border of 24 pixels that repeats its edge. A face counts as found if
anything is. The limits of the pass were settled by looking at what it adds to `dev-tv`, `train-2`
and the detector's training pictures. Its wrong heads are counted on the hand-corrected pictures of
data/detection, by which nothing of it was settled.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import truth
from benchmarks.detection import shipped
from benchmarks.scoring import SAME
from benchmarks.timing import SHARED
from gallery.faces.detectors.heads import HeadDetector
from gallery.types import Face, Image, Pixels
from measuring.faces import read_faces
from measuring.tables import table

SPLITS = ("dev", "dev-tv", "train-2")
BORDER = 24
AT_ONCE = 64


def main() -> None:
    """Print what is found by split and style, and what is added where truth is known."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--cache", type=Path, default=Path("build/openset"))
    chosen = parser.parse_args()
    file = shipped("heads")
    if file is None or not (chosen.data / "faces" / "faces.csv").is_file():
        print(f"{chosen.data} holds no faces; nothing is measured. --data names the folder.")
        return
    ways = (HeadDetector(file, portraits=False), HeadDetector(file))
    rows = [row for split in SPLITS for row in squares(split, chosen.data, chosen.cache, *ways)]
    print(table(("squares with a border", "faces", "found without", "found in use"), rows))
    print()
    print(added(chosen.data, *ways))


def squares(
    split: str, data: Path, cache: Path, without: HeadDetector, in_use: HeadDetector
) -> Iterator[tuple[str, ...]]:
    """Return a line for every style of a split."""
    faces = read_faces(data / "faces", split, cache)
    found = [found_in(faces.pixels, one) for one in (without, in_use)]
    for style in sorted(set(faces.style)):
        own = faces.style == style
        counts = [int(marks[own].sum()) for marks in found]
        shares = (f"{count} ({count / own.sum():.1%})" for count in counts)
        yield (f"{split}, {style}", f"{own.sum()}", *shares)


def found_in(pixels: Pixels, detector: HeadDetector) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return in which squares, shape (n, side, side, 3), anything is found."""
    around = ((BORDER, BORDER), (BORDER, BORDER), (0, 0))
    found: list[bool] = []
    for start in range(0, len(pixels), AT_ONCE):
        pictures = [np.pad(one, around, "edge") for one in pixels[start : start + AT_ONCE]]
        found += map(bool, detector.detect([Image(one, "", Path("face")) for one in pictures]))
    return np.array(found)


def added(data: Path, without: HeadDetector, in_use: HeadDetector) -> str:
    """Return in a sentence what the pass adds to the pictures whose heads are known."""
    pictures = empty = right = wrong = 0
    for _, image, heads in truth.scenes(truth.read(), data):
        pictures += 1
        if without.detect([image])[0]:
            continue
        empty += 1
        for face in in_use.detect([image])[0]:
            fits = is_right(face, heads)
            right, wrong = right + fits, wrong + (not fits)
    return (
        f"{pictures} pictures of data/detection, {empty} without a sure head: the portrait pass "
        f"adds {right} right and {wrong} wrong heads."
    )


def is_right(face: Face, heads: list[truth.Head]) -> bool:
    """Tell whether a face is one of the known heads."""
    return any(head.box.overlap(face.box) >= SAME for head in heads)


if __name__ == "__main__":
    main()
