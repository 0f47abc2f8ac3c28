"""Runs all measurements and prints one report: `python -m benchmarks [PART ...] [--keep]`.

Every part is a process of its own, so that none is measured in the memory of another; a part that
fails says so and the others go on. With --keep, what they print comes into a dated file under
benchmarks/results, which README's tables are made from: `python -m benchmarks.readme`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks import results
from benchmarks.timing import ROOT, heading

PARTS = {
    "encoding": ("benchmarks.encoding", "Descriptors a second: ONNX Runtime beside dlib"),
    "original": ("benchmarks.original", "The original's sample pictures: who is nearest"),
    "detection": ("benchmarks.detection", "Detectors"),
    "labelling": ("benchmarks.labelling", "Labelling, from file to record"),
    "memory": ("benchmarks.label_memory --pictures 2000", "Labelling a large folder"),
    "video": ("benchmarks.video", "Labelling a video, from file to record"),
    "portraits": ("benchmarks.portraits", "Heads of portraits, with and without a look again"),
    "poses": ("benchmarks.poses", "Faces upright and from the front, beside a reader's eye"),
    "accuracy": (
        "training.evaluate --network models/anime-ensemble.npy --detector heads "
        "--cache build/training/cache",
        "Encoders, on characters that nobody trained on",
    ),
    "ccip": ("benchmarks.ccip", "Pairs, in the shape of the test that CCIP was judged by"),
    "openset": ("benchmarks.openset", "Verdicts, on characters that nobody trained on"),
    "plugins": ("benchmarks.plugins", "An encoder of another package beside the default"),
    "openset-checked": ("benchmarks.openset --checked", "The same, labels checked"),
    "openset-joint": (
        "benchmarks.openset --checked --together",
        "The same, labels checked, faces scored jointly",
    ),
    "mistakes": ("benchmarks.mistakes", "What mistakes in a gallery do to its verdicts"),
    "audit": ("benchmarks.audit", "Wrong labels and clusters"),
    "answers": ("benchmarks.answers", "Stored answers of 100,000 seen faces"),
    "page": ("benchmarks.page", "The page in a real browser, with 100,000 seen faces"),
    "large": ("benchmarks.large", "Evaluation, calibration and audit of 5,000 characters"),
    "growth": (
        "benchmarks.growth",
        "Costs over how many faces were seen and characters are enrolled",
    ),
    "search": ("benchmarks.search", "Nearest-neighbour search"),
    "startup": ("benchmarks.startup", "Cold start"),
    "first-hour": ("benchmarks.first_hour", "A newcomer's first hour, with the usual mistakes"),
    "kills": ("benchmarks.kills", "What kills leave: nothing lost, doubled or left behind"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that are asked for, or all, print their reports, and return how many failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("part", nargs="*", help=f"of {', '.join(PARTS)}; all unless named")
    parser.add_argument("--keep", action="store_true", help="write into benchmarks/results, too")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.part if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    machine = heading()
    print(machine, flush=True)
    failed = 0
    begun = time.perf_counter()
    names = chosen.part or list(PARTS)
    for name in names:
        command, title = PARTS[name]
        print(f"\n## {title} (python -m {command})\n", flush=True)
        code, lines = _run(command)
        if code != 0:
            failed += 1
            print(f"This part failed with exit code {code}.", flush=True)
        elif chosen.keep:
            results.keep(name, command, lines, machine)
    print(f"\n{len(names)} parts in {time.perf_counter() - begun:.0f} s, {failed} failed")
    return failed


def _run(command: str) -> tuple[int, list[str]]:
    """Run a part, print what it prints as it comes, and return its exit code and its lines."""
    with subprocess.Popen(
        [sys.executable, "-m", *command.split()],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    return process.returncode, lines


if __name__ == "__main__":
    sys.exit(min(main(), 1))
