"""A video that is labelled by a process killed at random instants comes to the same end."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from command import run, start
from fakes import Square, write_picture
from videos import at_rate, write_video

KILLS = 8
SHOTS = 10

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL")


def draw_episode(path: Path) -> Path:
    """Write shots of a second in which a pattern of their own moves."""
    generator = np.random.default_rng(11)
    frames = []
    for _ in range(SHOTS):
        coarse = generator.integers(0, 255, (12, 16, 3), np.uint8)
        pattern = coarse.repeat(10, axis=0).repeat(10, axis=1)
        frames += [np.roll(pattern, 2 * step, axis=1) for step in range(24)]
    return write_video(path, at_rate(frames))


def words_for(name: str) -> tuple[str, ...]:
    return (
        "--encoder", "anime-lite", "label", "第1話.mkv", "--cropped", "--every", "0.1",
        "--out", f"{name}/out.jsonl", "--write", f"csv:{name}/out.csv",
        "--write", f"html:{name}/out.html", "--write", f"sorted:{name}/heads",
        "--write", f"annotated:{name}/frames",
    )  # fmt: skip


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder but the hidden ones, which a kill leaves half-written."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def count(database: Path, table: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


@pytest.mark.slow
def test_a_video_killed_at_random_instants_is_complete_and_says_nothing_twice(
    tmp_path: Path,
) -> None:
    database = tmp_path / "gallery.db"
    write_picture(tmp_path / "characters" / "Noa" / "1.png", Square(10, 10, 60))
    draw_episode(tmp_path / "第1話.mkv")
    enrolled = run(
        "--encoder", "anime-lite", "enroll", "characters", "--cropped",
        cwd=tmp_path, database=database,
    )  # fmt: skip
    assert enrolled.code == 0, enrolled.stderr
    out = tmp_path / "killed" / "out.jsonl"
    instants = np.random.default_rng(7)
    killed, sizes = 0, set()
    for _ in range(KILLS):
        before = out.stat().st_size if out.exists() else 0
        process = start(*words_for("killed"), cwd=tmp_path, database=database)
        with process:
            while process.poll() is None and (not out.exists() or out.stat().st_size <= before):
                time.sleep(0.002)
            time.sleep(instants.uniform(0, 0.15))
            killed += process.poll() is None
            process.kill()
        sizes.add(out.stat().st_size)
    assert killed > 2
    assert len(sizes) > 2
    done = run(*words_for("killed"), cwd=tmp_path, database=database)
    assert done.code == 0, done.stderr
    records = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    parts = [(one["video"]["part"], one["video"].get("shot"), one["video"].get("track"))
             for one in records]  # fmt: skip
    assert len(set(parts)) == len(parts)
    assert [shot for part, shot, _ in parts if part == "shot"] == list(range(1, SHOTS + 1))
    tracks = sum(part == "track" for part, _, _ in parts)
    assert tracks >= SHOTS
    assert (count(database, "sightings"), count(database, "tracks")) == (tracks, tracks)
    assert count(database, "shots") == SHOTS
    again = run(
        "--encoder", "anime-lite", "relabel", "--out", "again.jsonl", cwd=tmp_path,
        database=database,
    )  # fmt: skip
    assert again.code == 0, again.stderr
    answered = (tmp_path / "again.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(one) for one in answered] == records
    assert run(*words_for("whole"), cwd=tmp_path, database=database).code == 0
    assert tree(tmp_path / "killed") == tree(tmp_path / "whole")
