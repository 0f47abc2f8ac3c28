"""What a scripted newcomer has and does: pictures in folders, commands that are typed, a look.

Nothing here knows a story; benchmarks.first_hour tells one.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.timing import ROOT
from gallery.types import Pixels
from measuring.faces import Faces

BORDER = 24
"""Pixels around a face in its picture, as a detector wants to see more than a face."""

GROUND = (127, 127, 127)

WARNINGS = ("look like one", "gallery audit", "fell ")
"""A line with one of these on a terminal warns of what was just done. That a small gallery is
calibrated from little is said each time, and no warning."""


@dataclass(frozen=True, slots=True)
class Cast:
    """A random gallery, and what it is asked: rows of faces."""

    names: tuple[str, ...]
    """Of the characters to enroll."""
    references: Mapping[str, tuple[int, ...]]
    """Pictures to enroll, by name."""
    probes: Mapping[str, tuple[int, ...]]
    """Other pictures of them."""
    strangers: tuple[int, ...]


def cast(
    faces: Faces,
    usable: Sequence[int],
    generator: np.random.Generator,
    *,
    characters: int,
    references: int,
    probes: int,
    strangers: int,
) -> Cast:
    """Draw a gallery from the usable rows of faces; most characters have fewer probes."""
    rows: dict[str, list[int]] = {}
    for row in usable:
        rows.setdefault(str(faces.identity[row]), []).append(row)
    able = sorted(one for one, own in rows.items() if len(own) >= references + 4)
    chosen = sorted(generator.permutation(able)[:characters].tolist())
    names = called(chosen)
    drawn = {one: generator.permutation(rows[one]).tolist() for one in chosen}
    others = [row for one, own in rows.items() if one not in drawn for row in own]
    return Cast(
        tuple(names[one] for one in chosen),
        {names[one]: tuple(drawn[one][:references]) for one in chosen},
        {names[one]: tuple(drawn[one][references : references + probes]) for one in chosen},
        tuple(generator.permutation(others)[:strangers].tolist()),
    )


def called(identities: Sequence[str]) -> dict[str, str]:
    """Return what a person calls each of some characters, every one otherwise."""
    found: dict[str, str] = {}
    for one in identities:
        name = one.partition(":")[2].replace("_", " ").title()
        found[one] = name if name not in found.values() else f"{name} of {one.partition(':')[0]}"
    return found


def write_picture(face: Pixels, path: Path) -> None:
    """Write a face as a picture of its own."""
    from PIL import Image as pillow

    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = face.shape[:2]
    picture = pillow.new("RGB", (width + 2 * BORDER, height + 2 * BORDER), GROUND)
    picture.paste(pillow.fromarray(np.asarray(face)), (BORDER, BORDER))
    picture.save(path)


class Newcomer:
    """A person with a folder, a gallery and a terminal. All that is typed is counted."""

    def __init__(self, folder: Path, *, aloud: bool = False) -> None:
        self.folder, self._aloud = folder, aloud
        self.typed = 0
        """Letters, with an Enter for each line."""
        self.warned: list[str] = []
        """Lines on the terminal that warn of something."""

    @property
    def database(self) -> Path:
        """Where the gallery lies."""
        return self.folder / "gallery.db"

    def copied(self, folder: Path) -> Newcomer:
        """Return another person who has come as far, with the same files in another folder."""
        shutil.copytree(self.folder, folder)
        return Newcomer(folder, aloud=self._aloud)

    def types(self, *words: str | int | Path) -> str:
        """Run a command of gallery's in the folder, and return its standard output.

        Raises RuntimeError where it ends in another way than with 0 or 1.
        """
        line = ["gallery", *map(str, words)]
        self._enter(shlex.join(line))
        environment = {**os.environ, "GALLERY_DATABASE": str(self.database)}
        done = subprocess.run(
            [sys.executable, "-m", *line],
            cwd=self.folder,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{shlex.join(line)} ended with {done.returncode}: {done.stderr}")
        if self._aloud:
            print(done.stderr, end="", flush=True)
        shown = (done.stderr + done.stdout).splitlines()
        self.warned += [one for one in shown if any(word in one for word in WARNINGS)]
        return done.stdout

    def sees(self, *words: str | int) -> list[dict[str, object]]:
        """Run a command for what it prints; a program reads it here, so --json is not typed."""
        typed = self.typed
        lines = self.types(*words, "--json").splitlines()
        self.typed = typed + len(shlex.join(["gallery", *map(str, words)])) + 1
        return [json.loads(line) for line in lines]

    def moves(self, one: str, to: str) -> None:
        """Move a file or a folder."""
        self._enter(shlex.join(["mv", one, to]))
        target = self.folder / to
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.folder / one).rename(target)

    def _enter(self, line: str) -> None:
        self.typed += len(line) + 1
        if self._aloud:
            print(f"$ {line}", flush=True)


@dataclass(frozen=True, slots=True)
class Said:
    """What the gallery says of a picture's largest face."""

    verdict: str
    character: str | None


def said_in(records: Path) -> dict[str, Said]:
    """Return what a file of records says, by the pictures' names; pictures without a face lack."""
    found: dict[str, Said] = {}
    for line in records.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        largest = max(record["faces"], key=lambda one: _area(one["box"]), default=None)
        if largest is not None:
            name = Path(record["path"]).name
            found[name] = Said(largest["verdict"], largest["character"])
    return found


def _area(box: Sequence[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
