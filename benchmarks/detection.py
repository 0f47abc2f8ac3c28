"""Measures detectors on the same pictures: time a picture, and whether all faces are found.

    python -m benchmarks.detection [--rounds 3]

The pictures are the original's, which show one face each, and the drawn screenshots. The detectors
are animeface and, where its file is here, the FaceBoxes network through the detector for ONNX
files; they take turns at every picture. A picture's time is the median of the rounds, without
decoding it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.measuring import (
    DETECTOR_FILE,
    ORIGINAL,
    SCREENSHOTS,
    Times,
    people_in,
    pictures,
    table,
    taking_turns,
)
from gallery import catalog
from gallery.images import read_image
from gallery.interfaces import Detector
from gallery.types import Image


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture and how many faces it shows."""

    group: str
    image: Image
    faces: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a detector made of a picture."""

    group: str
    expected: int
    found: int
    milliseconds: float


def scenes() -> list[Scene]:
    """Return all pictures there are, by origin and size."""
    found = [(path, "original", 1) for path in pictures(ORIGINAL)]
    if SCREENSHOTS.is_dir():
        people = people_in(SCREENSHOTS)
        found += [(path, "drawn", people[path.name]) for path in pictures(SCREENSHOTS)]
    read = [(read_image(path), origin, faces) for path, origin, faces in found]
    return [
        Scene(f"{origin} {size(image.width, image.height)}", image, faces)
        for image, origin, faces in read
    ]


def size(width: int, height: int) -> str:
    """Return what a picture's size is commonly called."""
    return {(1920, 1080): "1080p", (1280, 720): "720p"}.get((width, height), "smaller")


def detectors() -> dict[str, Detector]:
    """Return the detectors that are here, by name."""
    here = {"animeface": catalog.detector("animeface")}
    if DETECTOR_FILE.is_file():
        here["FaceBoxes"] = catalog.detector(str(DETECTOR_FILE))
    return here


def look(scene: Scene, parts: dict[str, Detector], rounds: int) -> dict[str, Seen]:
    """Measure every detector on a picture."""
    counts = {name: len(part.detect([scene.image])[0]) for name, part in parts.items()}
    times = taking_turns(
        {name: partial(part.detect, [scene.image]) for name, part in parts.items()},
        rounds,
        warm_up=False,
    )
    return {
        name: Seen(scene.group, scene.faces, counts[name], times[name].median) for name in parts
    }


def exact_share(seen: Sequence[Seen]) -> float:
    """Return the share of pictures with exactly the expected number of faces."""
    return float(np.mean([one.found == one.expected for one in seen]))


def row(group: str, name: str, seen: Sequence[Seen]) -> tuple[str, ...]:
    """Return a line of the report."""
    times = Times(tuple(one.milliseconds for one in seen))
    exact = sum(one.found == one.expected for one in seen)
    return (
        group,
        name,
        f"{len(seen)}",
        f"{times.median:.0f}",
        f"{times.p90:.0f}",
        f"{exact} ({exact_share(seen):.0%})",
        f"{sum(one.found for one in seen)} of {sum(one.expected for one in seen)}",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Compare detectors on the same pictures.")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args(arguments)
    shown = scenes()
    if not shown:
        print(f"Skipped: neither {ORIGINAL} nor pictures under {SCREENSHOTS} are there.")
        return
    parts = detectors()
    if "FaceBoxes" not in parts:
        print(f"Without FaceBoxes: {DETECTOR_FILE} is not there.")
    seen = [look(scene, parts, chosen.rounds) for scene in shown]
    groups = dict.fromkeys(scene.group for scene in shown)
    rows = [
        row(group, name, [one[name] for one in seen if one[name].group == group])
        for group in groups
        for name in parts
    ]
    rows += [row("all", name, [one[name] for one in seen]) for name in parts]
    print(f"median of {chosen.rounds} rounds a picture; times over pictures, in ms")
    print(table(("pictures", "detector", "N", "median", "p90", "exact", "faces"), rows))
    if "FaceBoxes" in parts:
        ratios = [one["animeface"].milliseconds / one["FaceBoxes"].milliseconds for one in seen]
        print(f"animeface takes {np.median(ratios):.1f} times as long as FaceBoxes (median ratio)")


if __name__ == "__main__":
    main()
