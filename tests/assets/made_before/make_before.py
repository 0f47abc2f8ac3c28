"""Makes what tests/test_made_before.py opens: run once, with the code that is to have made it.

PYTHONPATH=CHECKOUT CHECKOUT/.venv/bin/python tests/assets/made_before/make_before.py, where
CHECKOUT has that code. The folder PLACE is made anew; paths in the database are those in it. Jobs
are killed, so that files are as a kill leaves them: how far a job comes differs every time.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from drawing.episode import SHOTS, draw_episode

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "data"
PLACE = Path("/tmp/made-before")  # noqa: S108 - a name that means the same everywhere
MOMENT = 1_767_225_600
"""When every picture was changed last, in seconds: the tests give theirs the same time."""

CHARACTERS = ("Chloé Marchand", "Mio Tachibana", "Momo Ibuki", "Pim", "日向ソラ")
PICTURES = 2
LABEL = ("label", "shots", "--workers", "1")
FILM = ("label", "clip.mkv", "--every", "0.25")


def main() -> None:
    """Make everything."""
    shutil.rmtree(PLACE, ignore_errors=True)
    for name in CHARACTERS:
        for path in sorted((DATA / "characters" / name).iterdir())[:PICTURES]:
            copy(path, PLACE / "characters" / name / path.name)
    for path in sorted((DATA / "screenshots").glob("*.jpg")):
        copy(path, PLACE / "shots" / path.name)
    parts = [replace(SHOTS[number], seconds=1.0) for number in (0, 4, 3)]
    draw_episode(PLACE / "clip.mkv", tuple(parts))
    copy(PLACE / "clip.mkv", HERE / "clip.mkv")
    os.utime(PLACE / "clip.mkv", (MOMENT, MOMENT))

    run("enroll", "characters")
    run("rename", "Momo Ibuki", "Momo")
    run("calibrate")
    run("reject", "shots/05-picnic.jpg", "Pim")
    kill(*FILM, "--out", "clip.jsonl", "--write", "csv:clip.csv", when=lines("clip.jsonl", 2, 5))
    kill(
        *LABEL, "--out", "shots.jsonl", "--write", "csv:shots.csv", when=lines("shots.jsonl", 3, 6)
    )
    keep_database()
    for name in ("clip.jsonl", "clip.csv", "shots.jsonl", "shots.csv"):
        shutil.copy(PLACE / name, HERE / name)

    run("export", "gallery.zip")
    shutil.copy(PLACE / "gallery.zip", HERE / "gallery.zip")
    for name, words in {
        "characters": ("characters", "--json"),
        "show": ("show", "Momo", "--json"),
        "rejections": ("reject", "--list", "--json"),
        "identified": ("identify", "shots", "--json"),
    }.items():
        keep(f"{name}.jsonl", run(*words))
    run(*FILM, "--out", "clip.jsonl", "--write", "csv:clip.csv")
    run(*LABEL, "--out", "shots.jsonl", "--write", "csv:shots.csv")
    run("relabel", "--out", "relabelled.jsonl")
    run("relabel", "--alone", "--out", "alone.jsonl")
    for name in ("clip.jsonl", "clip.csv", "shots.jsonl", "shots.csv"):
        shutil.copy(PLACE / name, HERE / f"whole-{name}")
    for name in ("relabelled.jsonl", "alone.jsonl"):
        shutil.copy(PLACE / name, HERE / name)


def copy(source: Path, target: Path) -> None:
    """Copy a file, and give the copy the time that all have."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    os.utime(target, (MOMENT, MOMENT))


def start(*words: str) -> subprocess.Popen[str]:
    """Start a command in PLACE."""
    return subprocess.Popen(
        [sys.executable, "-c", "from gallery.cli import main; main()", *words],
        cwd=PLACE,
        env={**os.environ, "GALLERY_DATABASE": str(PLACE / "gallery.db")},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def run(*words: str) -> str:
    """Run a command, which has to go well, and return what it prints."""
    process = start(*words)
    said, _ = process.communicate()
    assert process.returncode == 0, words
    return said


def kill(*words: str, when: Callable[[], bool]) -> None:
    """Start a job and kill it as soon as something is the case."""
    with start(*words) as process:
        while not when():
            assert process.poll() is None, f"{words} came to its end; run this again."
            time.sleep(0.001)
        process.kill()


def lines(name: str, least: int, most: int) -> Callable[[], bool]:
    """Return what says whether a file has so many lines; most is for a look at it at the end."""

    def are_there() -> bool:
        path = PLACE / name
        count = path.read_bytes().count(b"\n") if path.exists() else 0
        assert count <= most, f"{name} got too long before the kill; run this again."
        return count >= least

    return are_there


def keep_database() -> None:
    """Copy the database as it stands, with what a kill left in its log."""
    target = HERE / "gallery.db"
    target.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(PLACE / "gallery.db")) as source,
        closing(sqlite3.connect(target)) as kept,
    ):
        source.backup(kept)
        # Kept without a log beside it, so that it is one file.
        kept.execute("PRAGMA journal_mode = DELETE")


def keep(name: str, text: str) -> None:
    """Keep what a command printed."""
    (HERE / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
