"""Kills commands at random instants and looks at what they leave.

    python -m benchmarks.kills [--kills 1000] [--seed 0] [--only label]

Every command begins from a state of its own, is killed by SIGKILL once or twice, and is then run to
its end. The files and the rows that stand there are compared with those of a run that nobody
killed: what is missing is lost, what is more is doubled, and hidden files, logs of the database
and files that the whole run does not leave are left behind. So is a second run that fails.

Pictures are drawn and are faces as a whole, and a coarse look at their colours stands for a
network, so that thousands of runs take minutes; all else is the command as users run it, in a fork
of this process, which has everything imported.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.kill_states import State, compared, state_of
from benchmarks.timing import ROOT
from gallery.faces import catalog
from gallery.faces.encoders.preprocess import as_crops
from gallery.faces.networks.library import Weights
from gallery.media.images import encode_png
from gallery.types import CROP_SIDE, DIMENSION
from measuring.tables import table

OLD_DATABASE = ROOT / "tests" / "assets" / "gallery-0003.db"

CHARACTERS, SAMPLES, SHOTS = 4, 5, 16
COLOURS = np.random.default_rng(1).integers(30, 226, (CHARACTERS + 3, 3))
"""Of characters, and of people that nobody knows."""

EVERYTHING = (
    "--write", "captions", "--write", "hydrus", "--write", "xmp", "--write", "sorted:sorted",
    "--write", "annotated:annotated", "--write", "jsonl:copy.jsonl", "--write", "csv:copy.csv",
    "--write", "coco:coco.json", "--write", "label-studio:tasks.json", "--write", "html:page.html",
)  # fmt: skip

FIRST, SECOND = ("--encoder", "anime-lite"), ("--encoder", "anime-wide")
ENROLL = (*FIRST, "enroll", "characters", "--cropped")
LABEL = (*FIRST, "label", "shots", "--cropped", "--out", "out.jsonl")
MEMORY = next((one for one in ("/dev/shm",) if os.access(one, os.W_OK)), None)  # noqa: S108
"""Where commits need not wait for a disk: what a process has written outlives it anywhere."""

IMPORTED = "imported.txt"
"""Where a fork writes which modules it had in the end."""

LATE = 1.1
"""A kill comes within so many times the time that the command takes."""


class Coarse:
    """Describes a crop by its colours in a few places."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._matrix = np.random.default_rng(len(name)).normal(size=(5 * 5 * 3, DIMENSION))

    @property
    def id(self) -> str:
        """That of the network that it stands for."""
        return self._name

    def encode(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return descriptors of length 1."""
        cell = CROP_SIDE // 5
        cells = as_crops(crops).reshape(-1, 5, cell, 5, cell, 3).mean(axis=(2, 4))
        projected = (cells.reshape(len(crops), len(self._matrix)) / 128 - 1) @ self._matrix
        lengths = np.linalg.norm(projected, axis=1, keepdims=True)
        return np.asarray(projected / np.maximum(lengths, 1e-9), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Case:
    """A command that is killed."""

    name: str
    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    """Commands that make the state in which it begins."""
    done: str | None = None
    """What the command complains of where it has been done."""
    prepare: Callable[[Path], object] = field(default=lambda _: None)
    """Done after them, in the folder."""


LABELLED = (ENROLL, LABEL)
DONE = "There is no cluster 1"
CASES = (
    Case("enroll", ENROLL),
    Case("label", (*LABEL, *EVERYTHING), (ENROLL,)),
    Case("relabel", (*FIRST, "relabel", "--out", "better.jsonl", *EVERYTHING), LABELLED),
    Case("adopt", (*FIRST, "adopt", "1", "Somebody"), (*LABELLED, (*FIRST, "cluster")), DONE),
    Case(
        "import",
        (*FIRST, "import", "all.zip"),
        (ENROLL, (*FIRST, "export", "all.zip"), (*FIRST, "forget", "character 1", "--yes")),
    ),
    Case("reencode", (*SECOND, "reencode"), LABELLED),
    Case("export", (*FIRST, "export", "all.zip"), (ENROLL,), "exists already"),
    Case("backup", (*FIRST, "backup", "copy.db"), LABELLED, "exists already"),
    Case(
        "restore",
        (*FIRST, "restore", "back.db"),
        (ENROLL, (*FIRST, "backup", "back.db"), (*FIRST, "forget", "character 1", "--yes")),
    ),
    Case(
        "migration",
        (*FIRST, "characters"),
        prepare=lambda folder: shutil.copyfile(OLD_DATABASE, folder / "gallery.db"),
    ),
)


@dataclass
class Tally:
    """What the kills of one command came to."""

    kills: int = 0
    lost: int = 0
    doubled: int = 0
    left: int = 0
    complaints: Counter[str] = field(default_factory=Counter)

    def note(self, expected: State, found: State) -> None:
        """Count what differs."""
        lost, doubled, left = compared(expected, found)
        self.lost += len(lost)
        self.doubled += len(doubled)
        self.left += len(left)
        self.complaints.update(f"lost: {one}" for one in lost)
        self.complaints.update(f"doubled: {one}" for one in doubled)
        self.complaints.update(f"left behind: {one}" for one in left)


def draw(folder: Path) -> None:
    """Write the pictures: a colour for each person, with noise of its own."""
    generator = np.random.default_rng(2)

    def write(path: Path, person: int) -> None:
        noise = generator.integers(-25, 26, (48, 48, 3))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(np.clip(COLOURS[person] + noise, 0, 255).astype(np.uint8)))

    for person in range(CHARACTERS):
        for number in range(SAMPLES):
            write(folder / "characters" / f"character {person}" / f"{number}.png", person)
    for number in range(SHOTS):
        write(folder / "shots" / f"{number % 3}" / f"{number:02}.png", number % len(COLOURS))


def start(folder: Path, words: Sequence[str]) -> int:
    """Begin a command in a fork of this process, and return the fork's id."""
    process = os.fork()
    if process:
        return process
    code = 70
    try:
        os.chdir(folder)
        os.environ["GALLERY_DATABASE"] = "gallery.db"
        said = os.open(folder.with_name("said.txt"), os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.argv = ["gallery", *words]
        code = _run()
        folder.with_name(IMPORTED).write_text("\n".join(sys.modules), encoding="utf-8")
    finally:
        # The rest of this process is none of the command's.
        os._exit(code)


def _run() -> int:
    from gallery.cli import main

    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def finish(process: int) -> int:
    """Wait for a fork and return its exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def run(folder: Path, words: Sequence[str], done: str | None = None) -> None:
    """Run a command to its end. Raises RuntimeError where it fails and was not done before."""
    code = finish(start(folder, words))
    _learn(folder.with_name(IMPORTED))
    said = folder.with_name("said.txt").read_text(encoding="utf-8", errors="replace")
    if code and (done is None or done not in said):
        raise RuntimeError(f"gallery {' '.join(words)} ended with {code}: {said.strip()[-300:]}")


def kill(folder: Path, words: Sequence[str], seconds: float) -> bool:
    """Begin a command, kill it after a while, and say whether it was still at work."""
    end = time.perf_counter() + seconds
    process = start(folder, words)
    while time.perf_counter() < end:
        if os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            break
        time.sleep(min(0.005, max(end - time.perf_counter(), 0)))
    os.kill(process, signal.SIGKILL)
    return finish(process) == -signal.SIGKILL


def measured(case: Case, kills: int, generator: np.random.Generator, place: Path) -> Tally:
    """Kill a command so many times and tell what came of it."""
    begin, work = place / "begin", place / "work"
    begin.mkdir()
    draw(begin)
    work.mkdir()
    shutil.copytree(begin, work, dirs_exist_ok=True)
    for words in case.before:
        run(work, words)
    case.prepare(work)
    shutil.rmtree(begin)
    shutil.copytree(work, begin)
    # The first time, more is imported than later.
    for _ in range(2):
        shutil.rmtree(work)
        shutil.copytree(begin, work)
        started = time.perf_counter()
        run(work, case.words)
        lasts = time.perf_counter() - started
    expected = state_of(work)
    tally = Tally()
    while tally.kills < kills:
        shutil.rmtree(work)
        shutil.copytree(begin, work)
        for _ in range(int(generator.integers(1, 3))):
            tally.kills += kill(work, case.words, generator.uniform(0, lasts * LATE))
        try:
            run(work, case.words, case.done)
            tally.note(expected, state_of(work))
        except (RuntimeError, sqlite3.Error) as error:
            tally.lost += 1
            tally.complaints[str(error)] += 1
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill and print; return 1 where something was lost, doubled or left behind."""
    parser = argparse.ArgumentParser(description="Kill commands at random instants.")
    parser.add_argument("--kills", type=int, default=1000, help="all commands together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help=f"one of {', '.join(case.name for case in CASES)}")
    chosen = parser.parse_args(arguments)
    if not hasattr(os, "fork"):
        print("Skipped: this platform kills no forks.")
        return 0
    cases = [case for case in CASES if chosen.only in (None, case.name)]
    if not cases:
        parser.error(f"there is no command {chosen.only}")
    _stand_in()
    rows, complaints, begun = [], Counter[str](), time.perf_counter()
    for number, case in enumerate(cases):
        kills = chosen.kills // len(cases) + (number < chosen.kills % len(cases))
        generator = np.random.default_rng([chosen.seed, number])
        with tempfile.TemporaryDirectory(dir=MEMORY) as place:
            tally = measured(case, kills, generator, Path(place).resolve())
        rows.append((case.name, *map(str, (tally.kills, tally.lost, tally.doubled, tally.left))))
        print(f"{case.name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
        complaints.update({f"{case.name}: {one}": count for one, count in tally.complaints.items()})
    total = [str(sum(int(row[column]) for row in rows)) for column in range(1, 5)]
    print(table(("command", "kills", "lost", "doubled", "left behind"), [*rows, ("all", *total)]))
    print(f"seed {chosen.seed}, {time.perf_counter() - begun:.0f} s")
    for complaint, count in complaints.most_common(30):
        print(f"{count} x {complaint}")
    return int(any(int(one) for one in total[1:]))


def _learn(imported: Path) -> None:
    """Import what a command has imported, so that later forks need not."""
    for name in imported.read_text(encoding="utf-8").splitlines():
        if name not in sys.modules and not name.startswith("__"):
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def _stand_in() -> None:
    """Put the look at colours in the networks' place."""
    import cv2

    # Threads do not come through a fork.
    cv2.setNumThreads(0)

    def coarse(weights: Weights, _cache: Path, _device: str) -> Coarse:
        return Coarse(weights.encoder_id)

    catalog.RUNTIMES["onnx"] = coarse


if __name__ == "__main__":
    sys.exit(main())
