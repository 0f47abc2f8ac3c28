"""Measures the sample pictures: ``python -m drawing.check``.

A face detector for anime looks at every picture, and a face network for photographs describes
every head it finds.  The command prints what was found and how far apart the characters lie,
and ends with code 1 if a face is missed, a face is found where there is none, the eyes are
misplaced, or a known character lies nearer to another one.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parent.parent
EYE_TOLERANCE = 0.15
HEAD_PER_FACE = 1.55
CHIP = 150

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """A drawn head: who it is, whether it was seen, how the eyes fit and its description."""

    picture: str
    name: str | None
    seen: bool
    eye_error: float
    vector: Vector | None


class Eye:
    """The detector and the descriptor."""

    def __init__(self) -> None:
        self.detector: Any = importlib.import_module("animeface")
        dlib: Any = importlib.import_module("dlib")
        package = importlib.util.find_spec("face_recognition_models")
        if package is None or package.origin is None:
            raise SystemExit("The package face_recognition_models is missing.")
        model = Path(package.origin).parent / "models" / "dlib_face_recognition_resnet_model_v1.dat"
        self.network: Any = dlib.face_recognition_model_v1(str(model))

    def heads(
        self, name: str, image: Image.Image, people: list[dict[str, Any]]
    ) -> tuple[list[Head], int]:
        """Return the drawn heads with what was seen of them, and the number of false boxes."""
        faces = list(self.detector.detect(image))
        found = []
        for person in people:
            left, top, right, bottom = person["head"]
            inside = [
                face
                for face in faces
                if left < centre(face.face.pos)[0] < right
                and top < centre(face.face.pos)[1] < bottom
            ]
            if not inside:
                found.append(Head(name, person["name"], False, 9.0, None))
                continue
            face = min(inside, key=lambda one: eye_error(one, person["eyes"]))
            faces.remove(face)
            found.append(
                Head(
                    name,
                    person["name"],
                    True,
                    eye_error(face, person["eyes"]),
                    self.describe(image, face),
                )
            )
        return found, len(faces)

    def describe(self, image: Image.Image, face: Any) -> Vector:
        """Return the description of a found face from a level chip of its head."""
        pixels = np.ascontiguousarray(np.asarray(chip(image, face)))
        return np.array(self.network.compute_face_descriptor(pixels, 0))


def centre(box: Any) -> tuple[float, float]:
    """Return the middle of a detector's box."""
    return box.x + box.width / 2, box.y + box.height / 2


def found_eyes(face: Any) -> list[tuple[float, float]]:
    """Return the eyes that the detector found, from left to right."""
    return sorted([centre(face.left_eye.pos), centre(face.right_eye.pos)])


def eye_error(face: Any, eyes: list[list[float]]) -> float:
    """Return the larger error of the two eyes as a share of the distance between them."""
    apart = math.dist(eyes[0], eyes[1])
    pairs = zip(found_eyes(face), eyes, strict=True)
    return max(math.dist(found, true) for found, true in pairs) / apart


def chip(image: Image.Image, face: Any) -> Image.Image:
    """Return the head of a found face, turned level by its eyes."""
    (x0, y0), (x1, y1) = found_eyes(face)
    angle = math.atan2(y1 - y0, x1 - x0)
    x, y = centre(face.face.pos)
    step = face.face.pos.width * HEAD_PER_FACE / CHIP
    a, b = step * math.cos(angle), -step * math.sin(angle)
    c, d = step * math.sin(angle), step * math.cos(angle)
    half = CHIP / 2
    matrix = (a, b, x - (a + b) * half, c, d, y - (c + d) * half)
    return image.transform((CHIP, CHIP), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)


def opened(path: Path) -> Image.Image:
    """Return a picture upright and on white."""
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode != "RGBA":
            return upright.convert("RGB")
        page = Image.new("RGBA", upright.size, (255, 255, 255, 255))
        page.alpha_composite(upright)
        return page.convert("RGB")


def survey(eye: Eye, folder: Path, truth: Path) -> tuple[list[Head], int]:
    """Look at all pictures of a truth file and print a line for each."""
    heads: list[Head] = []
    wrong = 0
    for name, known in json.loads(truth.read_text(encoding="utf-8")).items():
        found, extra = eye.heads(name, opened(folder / name), known["people"])
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
    eye = Eye()
    enrolled, wrong = survey(eye, data / "characters", data / "characters.json")
    shots, more = survey(eye, data / "screenshots", data / "screenshots" / "truth.json")
    seen = sum(head.seen for head in enrolled + shots)
    print(f"detector: {seen} of {len(enrolled + shots)} faces, {wrong + more} bad pictures")
    print("distances as least / median / largest")
    missed = compare_left_out(enrolled)
    missed += compare_screenshots(shots, means(enrolled))
    return 1 if wrong + more + missed else 0


if __name__ == "__main__":
    sys.exit(main())
