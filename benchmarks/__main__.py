"""Runs all measurements and prints one report: `python -m benchmarks`.

Every part is a process of its own, so that none is measured in the memory of another; a part that
fails says so and the others go on.
"""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.timing import ROOT, heading

PARTS = {
    "encoding": "Descriptors a second: ONNX Runtime beside dlib",
    "original": "The original's sample pictures: who is nearest",
    "detection": "Detectors",
    "labelling": "Labelling, from file to record",
    "video": "Labelling a video, from file to record",
    "openset": "Verdicts, on characters that nobody trained on",
    "audit": "Wrong labels and clusters",
    "large": "Evaluation, calibration and audit of 5,000 characters",
    "search": "Nearest-neighbour search",
    "startup": "Cold start",
}


def main() -> int:
    """Run every part, print its report, and return how many failed."""
    print(heading(), flush=True)
    failed = 0
    begun = time.perf_counter()
    for name, title in PARTS.items():
        print(f"\n## {title} (python -m benchmarks.{name})\n", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, check=False)
        if done.returncode != 0:
            failed += 1
            print(f"This part failed with exit code {done.returncode}.", flush=True)
    print(f"\n{len(PARTS)} parts in {time.perf_counter() - begun:.0f} s, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(min(main(), 1))
