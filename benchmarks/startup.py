"""Measures how long commands take from a cold start, each in a process of its own.

    python -m benchmarks.startup [--rounds 7] [--samples 10000]

Commands take turns, so that other work on the machine hits all of them; a round before those that
count warms up the system's file cache and converts the network. The processor's time, of all
cores, stands beside the time on the clock, since it moves less when the machine is busy. What
Python and the imports that no command can do without take stands at the top, for scale.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.timing import CHARACTERS, ORIGINAL, ROOT, Times, pairs, pictures
from gallery.engine.assemble import open_gallery
from gallery.media.images import encode_png
from gallery.settings import Settings
from gallery.store.writer import NewSample
from gallery.types import CROP_SIDE, DIMENSION, Box, Face
from measuring.tables import table

RUN = "from gallery.cli import main; main()"
IDENTIFY_IMPORTS = "import typer, numpy, sqlalchemy, PIL.Image, animeface, onnxruntime, cv2, faiss"
SAMPLES_OF_ONE = 20


@dataclass(frozen=True, slots=True)
class Case:
    """A process to start."""

    name: str
    code: str
    arguments: tuple[str, ...] = ()
    before: Callable[[], None] | None = None
    """Done before every start, not measured."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a process took, in milliseconds."""

    wall: float
    processor: float


def start(case: Case, environment: dict[str, str]) -> Run:
    """Run a process to its end; raises RuntimeError when it fails."""
    if case.before is not None:
        case.before()
    before = os.times()
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", case.code, *case.arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - began
    after = os.times()
    if done.returncode != 0:
        raise RuntimeError(f"{case.name} failed: {done.stderr.strip()}")
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    return Run(wall * 1000, used * 1000)


def measure(cases: Sequence[Case], rounds: int) -> dict[str, list[Run]]:
    """Start every case once to warm up, and then once a round."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for case in cases:
        start(case, environment)
    runs: dict[str, list[Run]] = {case.name: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            runs[case.name].append(start(case, environment))
    return runs


def row(name: str, runs: Sequence[Run]) -> tuple[str, ...]:
    """Return a line of the report."""
    wall = Times(tuple(run.wall for run in runs))
    processor = Times(tuple(run.processor for run in runs))
    return (name, f"{wall.median:.0f}", f"{min(wall.values):.0f}", f"{processor.median:.0f}")


def character_folders(folder: Path) -> Path | None:
    """Return a folder of a few characters to enroll, made in a folder; None without pictures."""
    few = folder / "characters"
    found = pairs(ORIGINAL)
    for pair in found:
        target = few / pair.name / pair.first.name
        target.parent.mkdir(parents=True)
        shutil.copyfile(pair.first, target)
    if found:
        return few
    if CHARACTERS.is_dir():
        shutil.copytree(CHARACTERS, few)
        return few
    return None


def enroll_random(database: Path, count: int) -> None:
    """Put random descriptors into a new gallery through its store, SAMPLES_OF_ONE a character."""
    drawn = np.random.default_rng(0).standard_normal((count, DIMENSION), dtype=np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    png = encode_png(np.zeros((CROP_SIDE, CROP_SIDE, 3), np.uint8))
    with (
        open_gallery(Settings(database=str(database)), create=True) as gallery,
        gallery.store.writing() as writer,
    ):
        for number, descriptor in enumerate(drawn):
            name = f"character {number // SAMPLES_OF_ONE}"
            writer.add(
                NewSample(
                    character=name,
                    digest=f"{number:064x}",
                    path=Path(f"/{name}/{number}.png"),
                    face=Face(Box(0.0, 0.0, 150.0, 150.0), 1.0),
                    crop_png=png,
                    descriptors={gallery.encoder: descriptor},
                    detector="animeface",
                    enrolled_as=name,
                )
            )


def cases(folder: Path, samples: int) -> list[Case]:
    """Return everything to measure; what needs pictures only where there are some."""
    small, large = folder / "small.db", folder / "large.db"
    listed = [
        Case("python -c pass", "pass"),
        Case("import numpy", "import numpy"),
        Case("import all that identify needs", IDENTIFY_IMPORTS),
        Case("gallery --help", RUN, ("--help",)),
        Case("gallery --version", RUN, ("--version",)),
    ]
    few = character_folders(folder)
    if few is None:
        return listed
    picture = next(path for one in sorted(few.iterdir()) for path in pictures(one))
    again = ("enroll", str(few), "--largest", "--database", str(small))
    asked = ("identify", str(picture), "--database")
    enroll_random(large, samples)
    index = large.with_name(f"{large.name}-index")
    return [
        *listed,
        Case("gallery enroll, nothing new", RUN, again),
        Case("gallery characters", RUN, ("characters", "--database", str(small))),
        Case("gallery identify", RUN, (*asked, str(small))),
        Case(f"identify, {samples:,} samples", RUN, (*asked, str(large))),
        Case(
            "the same without its index",
            RUN,
            (*asked, str(large)),
            before=partial(shutil.rmtree, index, ignore_errors=True),
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure commands from a cold start.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--samples", type=int, default=10_000)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        listed = cases(Path(folder), chosen.samples)
        if not any(case.arguments[:1] == ("identify",) for case in listed):
            print(f"Without identify: neither {ORIGINAL} nor {CHARACTERS} is there.")
        runs = measure(listed, chosen.rounds)
    print(f"{chosen.rounds} fresh processes each, in ms")
    rows = [row(name, some) for name, some in runs.items()]
    print(table(("process", "median", "fastest", "processor"), rows))


if __name__ == "__main__":
    main()
