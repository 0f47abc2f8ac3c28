"""What the measurements share: pictures, times, the first lines of a report."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import numpy as np

from gallery.media.images import SUFFIXES
from gallery.system.threads import available_cores

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
ORIGINAL = SHARED / "original"
DETECTOR_FILE = SHARED / "detector" / "faceboxes.onnx"
CHARACTERS = ROOT / "data" / "characters"
SCREENSHOTS = ROOT / "data" / "screenshots"

FULL_HD = (1920, 1080)

PACKAGES = (
    "animeface", "dlib-bin", "faiss-cpu", "numpy", "onnxruntime", "opencv-python-headless",
    "pillow", "sqlalchemy", "typer",
)  # fmt: skip

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Times:
    """Durations of one action, in milliseconds."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one, in milliseconds."""
        return float(np.median(self.values))

    @property
    def p90(self) -> float:
        """What nine in ten stay below, in milliseconds, interpolated between neighbours."""
        return float(np.quantile(self.values, 0.9))

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures of one character."""

    name: str
    first: Path
    second: Path


def milliseconds(action: Callable[[], object]) -> float:
    """Return how long an action takes, in milliseconds of the clock on the wall."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def repeated(action: Callable[[], object], seconds: float, most: int = 200) -> Times:
    """Measure an action once to warm it up, then for about so many seconds, at least three times.

    Where one time alone takes longer than all of these seconds, that one is the result.
    """
    once = milliseconds(action)
    if once > seconds * 1000:
        return Times((once,))
    count = min(max(int(seconds * 1000 / max(once, 1e-3)), 3), most)
    return Times(tuple(milliseconds(action) for _ in range(count)))


def taking_turns(
    actions: dict[str, Callable[[], object]], rounds: int, *, warm_up: bool = True
) -> dict[str, Times]:
    """Measure actions in rounds, so that other work on the machine hits all of them."""
    if warm_up:
        for action in actions.values():
            action()
    measured: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            measured[name].append(milliseconds(action))
    return {name: Times(tuple(values)) for name, values in measured.items()}


def pairs(folder: Path) -> list[Pair]:
    """Return the characters of whom a folder holds name1 and name2, whatever the suffixes.

    A folder that does not exist has none.
    """
    files = {path.stem: path for path in pictures(folder)}
    names = sorted(stem[:-1] for stem in files if stem.endswith("1"))
    return [
        Pair(name, files[f"{name}1"], files[f"{name}2"]) for name in names if f"{name}2" in files
    ]


def pictures(folder: Path) -> list[Path]:
    """Return the pictures in a folder itself by name; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def people_in(screenshots: Path) -> dict[str, int]:
    """Return how many people are in each drawn screenshot, by file name."""
    truth = json.loads((screenshots / "truth.json").read_text(encoding="utf-8"))
    return {name: len(one["people"]) for name, one in truth.items()}


def heading() -> str:
    """Return what was measured on: versions, processor, cores."""
    versions = ", ".join(f"{name} {_version(name)}" for name in ("gallery", *PACKAGES))
    return (
        f"Python {platform.python_version()}, {versions}\n"
        f"{platform.system()} {platform.machine()}, {_processor()}, {available_cores()} cores, "
        f"{_load()} at the start; all ratios are of one run"
    )


def peak_memory() -> float:
    """Return the most memory this process has had, in MiB, as Linux and macOS count it."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10


def _version(package: str) -> str:
    if package == "gallery":
        from gallery import __version__

        return __version__
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed under this name"


def _load() -> str:
    """Say how many processes wanted a core in the last minute: a busy machine is a slow one."""
    if not hasattr(os, "getloadavg"):
        return "load unknown"
    return f"load {os.getloadavg()[0]:.1f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "unknown processor")
