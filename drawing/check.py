"""Measures the sample pictures: ``python -m drawing.check``.

The product's own detector, aligner and encoder look at every picture. The command prints what was
found and how far apart the characters lie, and ends with code 1 if a face is missed, a face is
found where there is none, the eyes are misplaced, or a known character lies nearer to another one.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.engine.assemble import describer
from gallery.faces.describe import Describer
from gallery.media.images import read_image
from gallery.settings import Settings
from gallery.types import Face, Point

ROOT = Path(__file__).resolve().parent.parent
EYE_TOLERANCE = 0.15

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """A drawn head: who it is, whether it was seen, how the eyes fit and its description."""

    picture: str
    name: str | None
    seen: bool
    eye_error: float
    vector: Vector | None


def look(
    parts: Describer, path: Path, name: str, people: list[dict[str, Any]]
) -> tuple[list[Head], int]:
    """Return the drawn heads with what was seen of them, and the number of false boxes."""
    faces = parts.describe_all(read_image(path))
    found = []
    for person in people:
        inside = [one for one in faces if is_inside(one.face.box.centre, person["head"])]
        if not inside:
            found.append(Head(name, person["name"], False, 9.0, None))
            continue
        one = min(inside, key=lambda other: eye_error(other.face, person["eyes"]))
        faces.remove(one)
        error = eye_error(one.face, person["eyes"])
        found.append(Head(name, person["name"], True, error, one.descriptor))
    return found, len(faces)


def is_inside(point: Point, box: list[float]) -> bool:
    """Say whether a point lies in a box given as left, top, right, bottom."""
    left, top, right, bottom = box
    return left < point.x < right and top < point.y < bottom


def eye_error(face: Face, eyes: list[list[float]]) -> float:
    """Return the larger error of the two eyes as a share of the distance between them."""
    if face.landmarks is None:
        return math.inf
    pairs = zip(face.landmarks[:2], eyes, strict=True)
    return max(math.dist(found, true) for found, true in pairs) / math.dist(*eyes)


def survey(parts: Describer, folder: Path, truth: Path) -> tuple[list[Head], int]:
    """Look at all pictures of a truth file and print a line for each."""
    heads: list[Head] = []
    wrong = 0
    for name, known in json.loads(truth.read_text(encoding="utf-8")).items():
        found, extra = look(parts, folder / name, name, known["people"])
        heads += found
        seen = sum(head.seen for head in found)
        errors = ", ".join(f"{head.eye_error:.2f}" for head in found if head.seen)
        bad = seen < len(found) or extra or any(h.eye_error > EYE_TOLERANCE for h in found)
        wrong += bool(bad)
        print(
            f"{'BAD ' if bad else 'good'} {name}: {seen} of {len(found)} faces, "
            f"{extra} false, eyes off by {errors}"
        )
    return heads, wrong


def means(heads: list[Head]) -> dict[str, Vector]:
    """Return the mean description of every named character."""
    names = sorted({head.name for head in heads if head.name})
    return {
        name: np.mean([h.vector for h in heads if h.name == name and h.vector is not None], axis=0)
        for name in names
    }


def nearest(vector: Vector, references: dict[str, Vector]) -> list[tuple[float, str]]:
    """Return the distances to all references, the nearest first."""
    return sorted((float(np.linalg.norm(vector - mean)), name) for name, mean in references.items())


def compare_left_out(heads: list[Head]) -> int:
    """Compare each enrolled picture with means that leave it out; return the misses."""
    own, margins, missed = [], [], 0
    for head in heads:
        if head.vector is None or head.name is None:
            continue
        ranked = nearest(head.vector, means([other for other in heads if other is not head]))
        mine = next(distance for distance, name in ranked if name == head.name)
        other, rival = next(pair for pair in ranked if pair[1] != head.name)
        own.append(mine)
        margins.append(other - mine)
        if other <= mine:
            missed += 1
            print(f"BAD  {head.picture}: {rival} at {other:.3f}, itself at {mine:.3f}")
    print(
        f"left out: N={len(own)}, wrong {missed}, own {summary(own)}, "
        f"gap to second {summary(margins)}"
    )
    return missed


def compare_screenshots(heads: list[Head], references: dict[str, Vector]) -> int:
    """Compare the people of the screenshots with the means; return the misses."""
    own, margins, strange, missed = [], [], [], 0
    for head in heads:
        if head.vector is None:
            continue
        ranked = nearest(head.vector, references)
        text = ", ".join(f"{name} {distance:.3f}" for distance, name in ranked[:2])
        print(f"     {head.picture}: {head.name or 'stranger'}: {text}")
        if head.name is None:
            strange.append(ranked[0][0])
            continue
        own.append(next(distance for distance, name in ranked if name == head.name))
        margins.append(next(d for d, name in ranked if name != head.name) - own[-1])
        missed += ranked[0][1] != head.name
    print(
        f"screenshots: N={len(own)}, wrong {missed}, own {summary(own)}, "
        f"gap to second {summary(margins)}"
    )
    apart = min(strange) - max(own)
    print(
        f"strangers: N={len(strange)}, nearest {summary(strange)}; "
        f"nearest stranger minus farthest known {apart:+.3f}"
    )
    return missed + (apart <= 0)


def summary(values: list[float]) -> str:
    """Return the least, the median and the largest of some values."""
    return f"{min(values):.3f} / {float(np.median(values)):.3f} / {max(values):.3f}"


def main() -> int:
    """Measure the pictures and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m drawing.check")
    parser.add_argument("--data", type=Path, default=ROOT / "data")
    data: Path = parser.parse_args().data
    parts = describer(Settings())
    enrolled, wrong = survey(parts, data / "characters", data / "characters.json")
    shots, more = survey(parts, data / "screenshots", data / "screenshots" / "truth.json")
    seen = sum(head.seen for head in enrolled + shots)
    print(f"detector: {seen} of {len(enrolled + shots)} faces, {wrong + more} bad pictures")
    print("distances as least / median / largest")
    missed = compare_left_out(enrolled)
    missed += compare_screenshots(shots, means(enrolled))
    return 1 if wrong + more + missed else 0


if __name__ == "__main__":
    sys.exit(main())
