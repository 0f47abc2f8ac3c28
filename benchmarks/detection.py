"""Measures detectors side by side on the hand-corrected validation set.

    python -m benchmarks.detection [--pictures N] [--heads FILE] [--eyes FILE] [--rounds 5]

The detectors are `heads`, animeface, and the FaceBoxes network that proposed boxes for the training
of `heads`, through the detector for ONNX files. All see the same pictures: upright, and turned by
30 and by 45 degrees, every second one to the left, on a canvas that holds all of them. Scores come
without the detectors' own limits where they have one to turn down, so that recalls are read off at
one wrong box per ten pictures. Intervals hold 95 of 100 resamples of the pictures.

Where the pictures are not here nothing is measured. The cascade of nagadomi is left out: the OpenCV
that gallery uses runs none.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from benchmarks import truth
from benchmarks.scoring import (
    LARGE,
    LEAST_SIDE,
    MOST_ROLL,
    Interval,
    Matched,
    Scored,
    eye_errors,
    matched,
    side,
    turned,
)
from benchmarks.timing import DETECTOR_FILE, FULL_HD, SHARED, Times, taking_turns
from gallery.errors import SetupError
from gallery.faces.detectors.animeface import AnimefaceDetector
from gallery.faces.detectors.heads import HeadDetector
from gallery.faces.detectors.landmarks import EyeFinder
from gallery.faces.detectors.onnx_file import OnnxFileDetector
from gallery.faces.interfaces import Detector
from gallery.faces.networks.library import shipped_detector
from gallery.types import Box, Image
from measuring.tables import table

ANGLES = (0, 30, 45)
"""Degrees by which pictures are turned."""

LEAST_SCORE = 0.02
"""Boxes below this score are not looked at."""

NEAR = 0.1
"""Eyes off by at most this share of their distance are near."""

AtAngles: TypeAlias = dict[tuple[str, int], Scored]
"""What became of every detector at every angle."""


def detectors(heads: Path | None, eyes: Path | None) -> dict[str, Detector]:
    """Return the detectors that are here by name, with scores down to LEAST_SCORE."""
    here: dict[str, Detector] = {}
    if heads is not None:
        here["heads"] = HeadDetector(heads, eyes=eyes, least_score=LEAST_SCORE)
    here["animeface"] = AnimefaceDetector()
    if DETECTOR_FILE.is_file():
        here["FaceBoxes"] = OnnxFileDetector(DETECTOR_FILE, least_score=LEAST_SCORE)
    return here


def shipped(name: str) -> Path | None:
    """Return a file of `heads` that ships with gallery, None where it has none."""
    try:
        return shipped_detector(name)[0]
    except SetupError:
        return None


def look(scenes: Sequence[truth.Scene], parts: dict[str, Detector]) -> AtAngles:
    """Return what every detector makes of the pictures at every angle."""
    answers: dict[tuple[str, int], list[Matched]] = {
        (name, angle): [] for name in parts for angle in ANGLES
    }
    for place, (_, image, heads) in enumerate(scenes):
        sides = [side(head.box) for head in heads]
        for angle in ANGLES:
            shown, known = turned(image, heads, angle if place % 2 else -angle)
            for name, part in parts.items():
                (faces,) = part.detect([shown])
                size = (shown.width, shown.height)
                answers[name, angle].append(matched(faces, known, *size, sides))
    return {key: Scored(pictures) for key, pictures in answers.items()}


def shown(figure: Interval) -> str:
    """Return a share with its bounds, in per cent."""
    if math.isnan(figure.value):
        return "-"
    return f"{figure.value:.1%} ({figure.low:.1%}-{figure.high:.1%})"


def recall_rows(scored: AtAngles) -> list[tuple[str, ...]]:
    """Return recalls and average precision, a line for every detector and angle.

    Recalls come twice: of all heads, and of those that lean by at most MOST_ROLL as they are shown.
    """
    return [
        (
            f"{name}, {f'turned by {angle}' if angle else 'upright'}",
            shown(one.recall(LARGE)),
            shown(one.recall(LEAST_SIDE, LARGE)),
            shown(one.recall(LARGE, most_roll=MOST_ROLL)),
            shown(one.recall(LEAST_SIDE, LARGE, MOST_ROLL)),
            shown(one.precision_area()),
            f"{one.bar:.2f}",
        )
        for (name, angle), one in scored.items()
    ]


def place_rows(scored: AtAngles) -> list[tuple[str, ...]]:
    """Return how boxes of found upright heads lie, a line for every detector."""
    return [_place_row(name, one) for (name, angle), one in scored.items() if not angle]


def _place_row(name: str, one: Scored) -> tuple[str, ...]:
    if not one.pairs:
        return (name, "0", "-", "-")
    boxes = [(pair.face.box, pair.head.box) for pair in one.pairs]
    sides = [_longer(found) / _longer(known) for found, known in boxes]
    lower = [(found.centre.y - known.centre.y) / _longer(known) for found, known in boxes]
    return (name, f"{len(boxes)}", f"{np.median(sides):.3f}", f"{np.median(lower):+.3f}")


def eye_rows(scored: AtAngles) -> list[tuple[str, ...]]:
    """Return how eyes of found heads lie, lines for every detector, angle and size of heads."""
    rows = []
    for (name, angle), one in scored.items():
        large = [pair for pair in one.pairs if side(pair.head.box) >= LARGE]
        small = [pair for pair in one.pairs if side(pair.head.box) < LARGE]
        turn = f"turned by {angle}" if angle else "upright"
        for size, pairs in (
            ("all", one.pairs),
            (f">= {LARGE:g} px", large),
            (f"< {LARGE:g} px", small),
        ):
            rows.append((f"{name}, {turn}, {size}", *_eye_figures(eye_errors(pairs))))
    return rows


def _eye_figures(errors: Sequence[float]) -> tuple[str, ...]:
    """Return the number of eyes, their median error, that of the worst tenth, and who is near."""
    if not errors:
        return ("0", "-", "-", "-")
    near = np.mean(np.array(errors) <= NEAR)
    off = [f"{np.quantile(errors, share):.3f}" for share in (0.5, 0.9)]
    return (f"{len(errors)}", *off, f"{near:.1%}")


def _longer(box: Box) -> float:
    return max(box.width, box.height)


def times(
    images: Sequence[Image], heads: Path | None, eyes: Path | None, rounds: int
) -> dict[str, Times]:
    """Return how long each way takes for a picture; all take turns at every picture."""
    import cv2

    ways: dict[str, Detector] = {"animeface": AnimefaceDetector()}
    for cores, threads in (("one core", 1), ("all cores", 0)):
        if heads is not None:
            ways[f"heads, {cores}"] = HeadDetector(heads, eyes=eyes, threads=threads)
        if DETECTOR_FILE.is_file():
            ways[f"FaceBoxes, {cores}"] = OnnxFileDetector(DETECTOR_FILE, threads=threads)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    all_threads = cv2.getNumThreads()

    def run(name: str, image: Image) -> None:
        cv2.setNumThreads(1 if name.endswith("one core") else all_threads)
        ways[name].detect([image])

    for image in images:
        actions: dict[str, Callable[[], object]] = {
            name: partial(run, name, image) for name in ways
        }
        for name, one in taking_turns(actions, rounds).items():
            taken[name] += one.values
    cv2.setNumThreads(all_threads)
    return {name: Times(tuple(values)) for name, values in taken.items()}


def second_look(images: Sequence[Image], heads: Path, eyes: Path, rounds: int) -> tuple[Times, int]:
    """Return how long the second look at the eyes takes for a head on one core, and at how many."""
    import cv2

    faces = HeadDetector(heads, threads=1).detect(images)
    count = sum(face.landmarks is not None for one in faces for face in one)
    finder = EyeFinder(eyes, threads=1)
    all_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    taken = taking_turns({"eyes": lambda: finder.placed(images, faces)}, rounds)["eyes"].values
    cv2.setNumThreads(all_threads)
    return Times(tuple(one / max(count, 1) for one in taken)), count


def time_rows(measured: dict[str, Times]) -> list[tuple[str, ...]]:
    """Return a line for every way, with how many times as long animeface takes."""
    slow = measured["animeface"].median
    return [
        (name, f"{one.median:.1f}", f"{one.p90:.1f}", f"{slow / one.median:.1f}")
        for name, one in measured.items()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Compare detectors on labelled pictures.")
    parser.add_argument("--pictures", type=int, help="only so many of them, drawn at random")
    parser.add_argument("--heads", type=Path, help="another file for the detector `heads`")
    parser.add_argument("--eyes", type=Path, help="another file for its second look at the eyes")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    if not truth.are_here(SHARED):
        print(f"Skipped: the labelled pictures are not under {SHARED}.")
        return
    known = truth.read()
    if chosen.pictures:
        some = np.random.default_rng(0).permutation(len(known))[: chosen.pictures]
        known = [known[place] for place in sorted(some)]
    scenes = list(truth.scenes(known, SHARED))
    heads, eyes = chosen.heads or shipped("heads"), chosen.eyes or shipped("eyes")
    parts = detectors(heads, eyes)
    for name in ("heads", "FaceBoxes"):
        if name not in parts:
            print(f"Without {name}: its file is not here.")
    report(look(scenes, parts), len(scenes))
    full = [image for _, image, _ in scenes if (image.width, image.height) == FULL_HD]
    if full:
        print(
            f"\n{len(full)} pictures of 1920x1080, {chosen.rounds} rounds, not decoding them; ms\n"
        )
        ways = time_rows(times(full, heads, eyes, chosen.rounds))
        print(table(("way", "median", "p90", "animeface takes, times"), ways))
        if heads is not None and eyes is not None:
            one, count = second_look(full, heads, eyes, chosen.rounds)
            print(
                f"\nof it the second look at the eyes, one core: {one.median:.2f} ms a head, "
                f"{count} heads"
            )


def report(scored: AtAngles, pictures: int) -> None:
    """Print what is found, and how well it lies."""
    first = next(iter(scored.values()))
    sides = [side for one in first.pictures for side in one.sides]
    large = sum(side >= LARGE for side in sides)
    print(
        f"{pictures} pictures, {large} heads of {LARGE:g} pixels and more, {len(sides) - large} of "
        f"{LEAST_SIDE:g} to {LARGE:g}; recall at one wrong box per ten pictures, and the score "
        "that gives it\n"
    )
    small = f"{LEAST_SIDE:g}-{LARGE:g} px"
    above = f">= {LARGE:g} px"
    within = f"leaning up to {MOST_ROLL:g}"
    columns = ("detector", f"recall {above}", small, f"{above} {within}", f"{small} {within}")
    print(table((*columns, "AP50", "score"), recall_rows(scored)))
    print("\nheads found upright: side and place of boxes in sides of the labelled one\n")
    print(table(("detector", "found", "side", "lower by"), place_rows(scored)))
    print("\neyes of heads found whose two eyes are labelled, off in shares of their distance\n")
    columns = ("detector", "eyes", "off, median", "off, 90 %", f"within {NEAR:g}")
    print(table(columns, eye_rows(scored)))


if __name__ == "__main__":
    main()
