"""Two jobs that write to the same folder at the same time take nothing from each other."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from command import environment, finish, run, start

from gallery.errors import InputError
from gallery.media.images import encode_png
from gallery.output import sidecars
from gallery.output.format import Output
from gallery.system import locks
from gallery.system.locks import folder_lock

TAGS = 40

ADD = """
import sys
import tempfile
from pathlib import Path
from gallery.output import sidecars
from gallery.output.captions import with_tags
from gallery.output.format import CaptionPlace, Output
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    for file in ("a.txt", "b.txt"):
        def change(before):
            tags = [f"{name} {number}", "both"]
            return with_tags(before, tags, CaptionPlace.END)

        sidecars.update_text(Output(None, folder, "fake"), folder / file, change)
"""


def test_no_tag_of_two_processes_is_lost(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("made by hand")
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", ADD, tmp_path, name, str(TAGS)],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two", "three")
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [finish(process).code for process in processes] == [0, 0, 0]
    wanted = {f"{name} {number}" for name in ("one", "two", "three") for number in range(TAGS)}
    for file in ("a.txt", "b.txt"):
        tags = (tmp_path / file).read_text().strip().split(", ")
        assert len(tags) == len(set(tags))
        assert set(tags) - {"made by hand"} == wanted | {"both"}
    assert (tmp_path / "a.txt").read_text().startswith("made by hand, ")
    # Nothing else is left in a user's folder.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]


@pytest.mark.slow
def test_two_jobs_write_captions_and_regions_of_the_same_pictures(tmp_path: Path) -> None:
    database, shots = tmp_path / "gallery.db", tmp_path / "shots"
    generator = np.random.default_rng(3)
    for folder, count in ((tmp_path / "characters" / "Noa", 1), (shots, 12)):
        folder.mkdir(parents=True)
        for number in range(count):
            same = np.random.default_rng(1).integers(0, 255, (60, 60, 3), np.uint8)
            same[:2, :2] = generator.integers(0, 255, 3)
            (folder / f"{number}.png").write_bytes(encode_png(same))
    lite = ("--encoder", "anime-lite")
    enrolled = run(*lite, "enroll", "characters", "--cropped", cwd=tmp_path, database=database)
    assert enrolled.code == 0, enrolled.stderr
    (shots / "3.txt").write_text("made by hand")
    jobs = [
        start(
            *lite, "label", "shots", "--cropped", "--out", f"{name}.jsonl", "--write", "captions",
            "--write", "xmp", "--prefix", f"{name}:", "--unsure",
            cwd=tmp_path, database=database,
        )
        for name in ("one", "two")
    ]  # fmt: skip
    for done in map(finish, jobs):
        assert done.code == 0, done.stderr
    for number in range(12):
        tags = (shots / f"{number}.txt").read_text().split(", ")
        own = ["made by hand"] if number == 3 else []
        assert tags[: len(own)] == own
        assert sorted(tags[len(own) :]) == ["one:Noa", "two:Noa"]
        regions = (shots / f"{number}.png.xmp").read_text(encoding="utf-8")
        assert regions.count("<mwg-rs:Name>Noa<") + regions.count('mwg-rs:Name="Noa"') == 1
    kinds = {path.suffix for path in shots.iterdir()}
    assert kinds == {".png", ".txt", ".xmp"}


@pytest.mark.parametrize("locks_folders", [True, False])
def test_one_at_a_time_is_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locks_folders: bool
) -> None:
    if not locks_folders:
        monkeypatch.setattr(locks, "_opened", locks._stand_in)
        monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(20):
            with folder_lock(tmp_path):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.0005)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(most) == 80
    assert max(most) == 1


def test_a_lock_ends_with_its_process_and_waiting_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import sys, time; from pathlib import Path; from gallery.system.locks import folder_lock"
        "\nwith folder_lock(Path(sys.argv[1])):\n    print('in', flush=True)\n    time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        monkeypatch.setattr(locks, "PATIENCE", 0.05)
        with pytest.raises(InputError, match="does not come to an end"), folder_lock(tmp_path):
            pass
        process.kill()
    with folder_lock(tmp_path):
        pass


def test_what_another_program_writes_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"before")
    output = Output(None, tmp_path, "fake")
    rounds: list[bytes | None] = []

    def change(before: bytes | None) -> bytes:
        rounds.append(before)
        if len(rounds) == 1:
            path.write_bytes(b"theirs")
        return (before or b"") + b", ours"

    sidecars.update(output, path, change)
    assert rounds == [b"before", b"theirs"]
    assert path.read_bytes() == b"theirs, ours"

    def busy(before: bytes | None) -> bytes:
        path.write_bytes((before or b"") + b"x")
        return b"ours"

    with pytest.raises(InputError, match="is being written by another program"):
        sidecars.update(output, path, busy)
