"""Measures `calibrate`, `evaluate` and `audit` on a gallery of many characters.

    python -m benchmarks.large [--characters 5000] [--samples 5]

Descriptors are drawn at random around a place for each character, in so few directions that many
characters look alike. Every command is a process of its own, from start to end, on one gallery in a
temporary folder; memory is the most that it had.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import ROOT
from gallery.engine.assemble import open_gallery
from gallery.media.images import encode_png
from gallery.settings import Settings
from gallery.types import CROP_SIDE, DIMENSION
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

AT_ONCE = 1000
"""Characters that are inserted at once."""

CROP = encode_png(np.zeros((CROP_SIDE, CROP_SIDE, 3), np.uint8))

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
    """Make a gallery of so many characters, a part of them at a time in each statement."""
    with open_gallery(Settings(database=str(database)), create=True) as gallery:
        encoder = gallery.encoder
    vectors = drawn(characters, samples)
    with closing(sqlite3.connect(database)) as connection:
        # Nothing is lost with it, and many rows come in no order.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -2000000")
        for first in range(0, characters, AT_ONCE):
            _insert(connection, encoder, first, vectors[first : first + AT_ONCE])
        newest = connection.execute("SELECT max(id) FROM changed_vectors").fetchone()
        connection.execute("DELETE FROM changed_vectors WHERE id < ?", newest)
        connection.execute("UPDATE state SET change = 'filled'")
        connection.execute("INSERT INTO changes VALUES ('filled', ?)", newest)
        connection.commit()
        connection.execute("PRAGMA journal_mode = WAL")


def _insert(
    connection: sqlite3.Connection, encoder: str, first: int, vectors: NDArray[np.float32]
) -> None:
    """Insert some characters with their samples, as enrolment does."""
    each = vectors.shape[1]
    names = [f"character {first + row:06}" for row in range(len(vectors))]
    owners = range(first + 1, first + 1 + len(vectors))
    numbers = np.arange(each * first, each * (first + len(vectors))) + 1
    faces = [
        (int(number), owners[place // each], names[place // each])
        for place, number in enumerate(numbers)
    ]
    ideals = vectors.astype(np.float64).mean(axis=1)
    bests = np.linalg.norm(vectors - ideals[:, None], axis=2).argmin(axis=1)
    put = connection.executemany
    put(
        "INSERT INTO characters (id, name, is_reject, spelling) VALUES (?, ?, 0, ?)",
        zip(owners, names, names, strict=True),
    )
    put(
        "INSERT INTO samples (id, character_id, digest, path, enrolled_as, left, top, right,"
        " bottom, score, detector, size, sharpness, roll, frontal, cut)"
        " VALUES (?, ?, ?, ?, ?, 0, 0, 150, 150, 1, 'heads', 150, 0.8, 0, 1, 0)",
        [(one, who, _digest(one), f"/{name}/{one}.png", name) for one, who, name in faces],
    )
    put(
        "INSERT INTO files (path, size, modified_ns, digest) VALUES (?, ?, 0, ?)",
        [(f"/{name}/{one}.png", 10_000 + one, _digest(one)) for one, _, name in faces],
    )
    put(
        "INSERT INTO contents (digest, pixels, orientation) VALUES (?, ?, 1)",
        [(_digest(one), _digest(-one)) for one, _, _ in faces],
    )
    put("INSERT INTO crops VALUES (?, ?)", [(one, CROP) for one, _, _ in faces])
    put(
        "INSERT INTO descriptors VALUES (?, ?, ?)",
        [
            (one, encoder, vector.tobytes())
            for (one, _, _), vector in zip(faces, vectors.reshape(-1, DIMENSION), strict=True)
        ],
    )
    put(
        "INSERT INTO profiles VALUES (?, ?, ?, ?)",
        [
            (who, encoder, ideal.astype("<f4").tobytes(), int(numbers[each * row + best]))
            for row, (who, ideal, best) in enumerate(zip(owners, ideals, bests, strict=True))
        ],
    )


def _digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


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
