"""Measures how the cost of each command grows with what was seen and with who is enrolled.

    python -m benchmarks.growth [--faces 2500 5000 10000 20000] [--characters 250 500 1000 2000]
                                [--only relabel ...]

Faces and characters are drawn as benchmarks.answers and benchmarks.large draw them: for faces seen,
500 characters of 5 samples are enrolled; for characters enrolled, each has 10 samples and nothing
was seen. Every command is a process of its own, from start to end. Printed are its processor
seconds of all cores and the most memory it had; the exponent of time over size that fits best,
once that of the smallest gallery is taken off: 1 is linear; and how many times the seconds of the
smallest gallery the largest one takes.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.answers import see
from benchmarks.large import Run, drawn, fill, run
from benchmarks.timing import CHARACTERS, SCREENSHOTS
from gallery.engine.assemble import open_gallery
from gallery.settings import Settings
from measuring.tables import table

ENROLLED, SAMPLES = 500, 5
OF_A_CHARACTER = 10

SEEN = (
    ("relabel", "--alone", "--out", "alone.jsonl"),
    ("relabel", "--out", "jointly.jsonl"),
    ("cluster",),
)
"""What answers faces that were seen; the gallery is calibrated before."""

SCREENSHOT = "screenshot.jpg"
"""The sample picture that is asked about."""

PICTURES = "ten"
"""A folder of two characters of five sample pictures each, which are enrolled."""

KNOWN = (
    ("identify", SCREENSHOT),
    ("identify", SCREENSHOT),
    ("enroll", PICTURES),
    ("identify", SCREENSHOT),
    ("calibrate",),
    ("characters",),
    ("audit",),
    ("export", "gallery.tar"),
)
"""What works on all who are enrolled. The first `identify` makes the index, and the last one comes
after `enroll`."""


WRITTEN = ("alone.jsonl", "jointly.jsonl", "gallery.tar")
"""Files that a command writes; each gallery has its own."""


def of_faces(folder: Path, size: int) -> Path:
    """Make a calibrated gallery in which so many faces were seen, two thirds of its characters'."""
    database = folder / f"seen-{size}.db"
    fill(database, ENROLLED, SAMPLES)
    each = 2 * size // (3 * ENROLLED) + 1
    seen = drawn(ENROLLED * 3 // 2, each)
    order = np.random.default_rng(1).permutation(seen.shape[0] * each)[:size]
    with open_gallery(Settings(database=str(database))) as engine:
        see(database, engine.encoder, seen.reshape(-1, seen.shape[2])[order])
    run(("calibrate",), database)
    return database


def of_characters(folder: Path, size: int) -> Path:
    """Make a gallery of so many characters."""
    database = folder / f"known-{size}.db"
    fill(database, size, OF_A_CHARACTER)
    shutil.copyfile(sorted(SCREENSHOTS.glob("*.jpg"))[0], folder / SCREENSHOT)
    for own in sorted(CHARACTERS.iterdir())[:2]:
        shutil.copytree(own, folder / PICTURES / own.name, dirs_exist_ok=True)
    return database


def measured(
    make: Callable[[Path, int], Path],
    sizes: Sequence[int],
    commands: Sequence[Sequence[str]],
) -> Iterator[tuple[int, str, Run]]:
    """Yield the size, the name and the cost of each command on each gallery."""
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            database = make(Path(folder), size)
            names: Counter[str] = Counter()
            for words in commands:
                name = " ".join(one for one in words if one == "--alone" or one == words[0])
                names[name] += 1
                own = [f"{size}-{one}" if one in WRITTEN else one for one in words]
                yield size, f"{name} {names[name]}".removesuffix(" 1"), run(own, database)
            for one in database.parent.glob(f"{database.name}*"):
                if one.is_file():
                    one.unlink()


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the power of the size with which time grows, beyond what the smallest one takes.

    At least three sizes are needed for it; without them it is not a number.
    """
    more = np.array(seconds[1:]) - seconds[0]
    if len(more) < 2 or (more <= 0).any():
        return float("nan")
    grown = np.array(sizes[1:], float) - sizes[0]
    return float(np.polyfit(np.log(grown), np.log(more), 1)[0])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure how costs grow.")
    parser.add_argument("--faces", type=int, nargs="*", default=[2500, 5000, 10_000, 20_000])
    parser.add_argument("--characters", type=int, nargs="*", default=[250, 500, 1000, 2000])
    parser.add_argument("--only", nargs="*", help="these commands")
    chosen = parser.parse_args(arguments)
    for title, make, sizes, commands in (
        ("seen faces", of_faces, chosen.faces, SEEN),
        ("characters enrolled", of_characters, chosen.characters, KNOWN),
    ):
        wanted = [one for one in commands if not chosen.only or one[0] in chosen.only]
        runs: dict[str, list[Run]] = {}
        for size, name, one in measured(make, sizes, wanted):
            runs.setdefault(name, []).append(one)
            print(
                f"{size:,} {title}: {name} {one.processor:.1f} s, {one.memory:.0f} MiB", flush=True
            )
        rows = [
            (
                name,
                *(f"{one.processor:.1f} s, {one.memory:.0f} MiB" for one in own),
                f"{exponent(sizes, [one.processor for one in own]):.2f}",
                f"{own[-1].processor / own[0].processor:.2f}",
            )
            for name, own in runs.items()
        ]
        if rows:
            print(
                table((title, *(f"{size:,}" for size in sizes), "exponent", "times"), rows),
                flush=True,
            )


if __name__ == "__main__":
    main()
