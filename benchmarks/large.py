"""Measures `calibrate`, `evaluate` and `audit` on a gallery of many characters.

    python -m benchmarks.large [--characters 5000] [--samples 5]

Descriptors are drawn at random around a place for each character, in so few directions that many
characters look alike. Every command is a process of its own, from start to end, on one gallery in a
temporary folder; memory is the most that it had.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import ROOT
from gallery.engine.assemble import open_gallery
from gallery.media.images import encode_png
from gallery.settings import Settings
from gallery.store.writer import NewSample
from gallery.types import CROP_SIDE, DIMENSION, Box, Face, Quality
from measuring.tables import table

APART, SPREAD = 0.45, 0.3
"""How far characters' places are from the middle, and faces from their character's place."""

DIRECTIONS = 24
"""Characters differ in so many of DIMENSION directions."""

COMMANDS = (
    ("calibrate",),
    ("evaluate",),
    ("evaluate", "--report", "evaluation.html"),
    ("audit",),
    ("audit", "--report", "audit.html"),
)

RUN = "from gallery.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Run:
    """One command, from start to end."""

    wall: float
    """In seconds."""
    processor: float
    """Of all cores, in seconds."""
    memory: float
    """The most that it had, in MiB."""


def drawn(characters: int, samples: int) -> NDArray[np.float32]:
    """Return descriptors, shape (characters, samples, DIMENSION)."""
    generator = np.random.default_rng(0)
    places = np.zeros((characters, 1, DIMENSION))
    places[:, :, :DIRECTIONS] = generator.normal(size=(characters, 1, DIRECTIONS))
    places *= APART / np.linalg.norm(places, axis=2, keepdims=True)
    noise = generator.normal(size=(characters, samples, DIMENSION)) * SPREAD / np.sqrt(DIMENSION)
    return np.asarray(places + noise, dtype=np.float32)


def fill(database: Path, characters: int, samples: int) -> None:
    """Make a gallery of so many characters."""
    png = encode_png(np.zeros((CROP_SIDE, CROP_SIDE, 3), np.uint8))
    face, quality = Face(Box(0.0, 0.0, 150.0, 150.0), 1.0), Quality(150.0, 0.8, 0.0, 1.0, 0.0)
    with (
        open_gallery(Settings(database=str(database)), create=True) as gallery,
        gallery.store.writing() as writer,
    ):
        for number, vectors in enumerate(drawn(characters, samples)):
            name = f"character {number:05}"
            for place, vector in enumerate(vectors):
                writer.add(
                    NewSample(
                        character=name,
                        digest=f"{number:032x}{place:032x}",
                        path=Path(f"/{name}/{place}.png"),
                        face=face,
                        crop_png=png,
                        descriptors={gallery.encoder: vector},
                        detector="heads",
                        enrolled_as=name,
                        quality=quality,
                    )
                )


def run(words: Sequence[str], database: Path) -> Run:
    """Run a command in the gallery's folder. Raises RuntimeError where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GALLERY_DATABASE": str(database)}
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", RUN, *words],
        cwd=database.parent,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        # Only the system knows what a child used at most; Popen does not ask for it.
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"gallery {' '.join(words)} failed with {process.returncode}.")
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return Run(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / scale)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure commands on a large gallery.")
    parser.add_argument("--characters", type=int, default=5000)
    parser.add_argument("--samples", type=int, default=5, help="of each character")
    chosen = parser.parse_args(arguments)
    print(f"{chosen.characters:,} characters with {chosen.samples} samples each", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "large.db"
        fill(database, chosen.characters, chosen.samples)
        for words in COMMANDS:
            one = run(words, database)
            name = " ".join(word for word in words if not word.endswith(".html"))
            rows.append(
                (f"gallery {name}", f"{one.wall:.1f}", f"{one.processor:.1f}", f"{one.memory:.0f}")
            )
    print(table(("command", "seconds", "processor", "MiB"), rows))


if __name__ == "__main__":
    main()
