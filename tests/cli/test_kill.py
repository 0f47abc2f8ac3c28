"""A labelling job of 500 pictures that is killed at 20 random instants comes to the same end."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command import run, start

from gallery.media.images import encode_png

PICTURES = 500
KILLS = 20

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL")


def write_pictures(folder: Path, count: int) -> None:
    generator = np.random.default_rng(5)
    for number in range(count):
        path = folder / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(generator.integers(0, 255, (24, 24, 3), np.uint8)))


def records_in(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_a_job_killed_at_random_instants_is_complete_and_says_nothing_twice(
    tmp_path: Path,
) -> None:
    database = tmp_path / "gallery.db"
    write_pictures(tmp_path / "characters" / "Noa", 2)
    write_pictures(tmp_path / "shots", PICTURES)
    out = tmp_path / "labels.jsonl"
    words = ("--encoder", "anime-lite", "label", "shots", "--cropped", "--out", out)
    enrolled = run(
        "--encoder", "anime-lite", "enroll", "characters", "--cropped",
        cwd=tmp_path, database=database,
    )  # fmt: skip
    assert enrolled.code == 0, enrolled.stderr
    instants = np.random.default_rng(7)
    killed = 0
    for _ in range(KILLS):
        before = out.stat().st_size if out.exists() else 0
        process = start(*words, cwd=tmp_path, database=database)
        with process:
            while process.poll() is None and (not out.exists() or out.stat().st_size <= before):
                time.sleep(0.002)
            time.sleep(instants.uniform(0, 0.08))
            killed += process.poll() is None
            process.kill()
    assert killed > KILLS / 2
    assert 0 < len(out.read_bytes().splitlines()) <= PICTURES
    done = run(*words, cwd=tmp_path, database=database)
    assert done.code == 0, done.stderr
    records = records_in(out)
    assert len(records) == PICTURES
    assert len({str(record["path"]) for record in records}) == PICTURES
    whole = tmp_path / "whole.jsonl"
    assert run(*words[:-1], whole, cwd=tmp_path, database=database).code == 0
    assert sorted(out.read_bytes().splitlines()) == sorted(whole.read_bytes().splitlines())
