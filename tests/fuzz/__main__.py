"""Runs damaged inputs of all kinds and prints a table: `python -m tests.fuzz --help`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from .watch import PATIENCE, Tally, folder_in_memory, make_sources, tried

COUNTS = {
    "pictures": 10_000,
    "exports": 1_000,
    "sidecars": 1_000,
    "records": 1_000,
    "captions": 1_000,
    "corrections": 1_000,
    "models": 1_000,
    "databases": 1_000,
    "videos": 300,
}
"""How many inputs of each kind are used unless asked otherwise."""

MOST_MEMORY = 2 * 2**30
"""No process holds as much."""


def main() -> int:
    """Run, print, and return 1 where something happened that may not."""
    asked = _arguments()
    wanted = {kind: getattr(asked, kind) for kind in COUNTS}
    if asked.only:
        wanted = {kind: wanted[kind] for kind in asked.only}
    with folder_in_memory() as temporary:
        folder = (asked.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        print(f"seed {asked.seed}")
        print(f"{'kind':10} {'inputs':>7} {'tracebacks':>10} {'signals':>8} {'hangs':>6} {'MB':>6}")
        tallies = []
        for kind, count in wanted.items():
            tallies.append(_tally(kind, count, asked, folder))
    for tally in tallies:
        for line in tally.lines():
            print(line)
    is_fine = all(one.is_clean and one.peak < MOST_MEMORY for one in tallies)
    return 0 if is_fine else 1


def _tally(kind: str, count: int, asked: argparse.Namespace, folder: Path) -> Tally:
    begin = time.monotonic()
    if not (folder / "sources" / kind).exists():
        make_sources(kind, folder)
    tally = tried(
        kind, count, seed=asked.seed, folder=folder, first=asked.first, patience=asked.patience
    )
    print(
        f"{kind:10} {tally.inputs:7} {len(tally.faults):10} {len(tally.signals):8} "
        f"{len(tally.hangs):6} {tally.peak / 2**20:6.0f}  in {time.monotonic() - begin:.0f} s",
        flush=True,
    )
    return tally


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=COUNTS, help="these kinds alone")
    parser.add_argument("--first", type=int, default=0, help="the number of the first input")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds for an input")
    parser.add_argument(
        "--folder", type=Path, help="where sound files, and inputs that failed, are kept"
    )
    for kind, count in COUNTS.items():
        parser.add_argument(f"--{kind}", type=int, default=count, metavar="N")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
