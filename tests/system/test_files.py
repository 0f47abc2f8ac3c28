"""What a killed process left unfinished goes, and what a living one writes stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gallery.system import files
from gallery.system.files import dated, remove_unfinished, replace_file, replacing, unfinished

KILLED = """
import os, signal, sys
from pathlib import Path
from gallery.system.files import unfinished
with unfinished(Path(sys.argv[1]), ".txt") as beside:
    beside.write_text("half")
    beside.with_name(beside.name + "-journal").write_text("half")
    print("ready", flush=True)
    if sys.stdin.readline() == "killed\\n":
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def _seen_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_looked", {})


def writing(place: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL")
def test_what_a_killed_process_left_goes_with_the_next_file_written(tmp_path: Path) -> None:
    with writing(tmp_path / "a.txt") as process:
        remove_unfinished(tmp_path)
        assert len(names(tmp_path)) == 2
        process.communicate("killed\n")
    assert len(names(tmp_path)) == 2
    replace_file(tmp_path / "b.txt", b"whole")
    assert names(tmp_path) == ["b.txt"]


def test_what_a_living_process_writes_stays_and_is_removed_by_itself(tmp_path: Path) -> None:
    with writing(tmp_path / "a.txt") as process:
        replace_file(tmp_path / "b.txt", b"whole")
        assert len(names(tmp_path)) == 3
        process.communicate("ended\n")
    assert names(tmp_path) == ["b.txt"]


def test_this_process_leaves_its_own_alone_and_nothing_behind(tmp_path: Path) -> None:
    with unfinished(tmp_path / "a.db", ".db") as first, unfinished(tmp_path / "b") as second:
        first.write_text("half")
        second.mkdir()
        (second / "c").write_text("half")
        first.with_name(first.name + "-wal").write_text("half")
        remove_unfinished(tmp_path)
        assert len(names(tmp_path)) == 3
    assert names(tmp_path) == []


def test_a_number_that_another_process_had_before_is_no_excuse(tmp_path: Path) -> None:
    with unfinished(tmp_path / "a") as mine:
        machine = mine.name.split("-")[1]
    left = tmp_path / f".gallery-{machine}-{os.getpid()}-00000000.tmp.txt"
    left.write_text("half")
    remove_unfinished(tmp_path)
    assert names(tmp_path) == []


def test_what_another_machine_writes_stays_for_a_day(tmp_path: Path) -> None:
    new, old = (tmp_path / f".gallery-0123abcd-1-0000000{one}.tmp" for one in (1, 2))
    for one in (new, old):
        one.write_text("half")
    day = time.time() - 25 * 3600
    os.utime(old, (day, day))
    remove_unfinished(tmp_path)
    assert names(tmp_path) == [new.name]


@pytest.mark.parametrize(
    "name",
    [
        ".0123456789abcdef.tmp",
        ".gallery-0123abcd-1.tmp",
        "gallery-0123abcd-1-00000001.tmp",
        ".gallery-0123abcd-x-00000001.tmp",
        ".hidden",
    ],
)
def test_what_is_somebody_elses_stays(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("precious")
    os.utime(path, (0, 0))
    remove_unfinished(tmp_path)
    assert names(tmp_path) == [name]


def test_a_folder_that_is_not_there_or_cannot_be_listed_is_no_error(tmp_path: Path) -> None:
    remove_unfinished(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    remove_unfinished(tmp_path / "file")


def test_a_writer_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write() -> None:
        with replacing(path) as beside:
            beside.write_text("half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write()
    assert names(tmp_path) == ["a.txt"]
    assert path.read_text() == "old"


def test_names_with_the_time_are_each_another(tmp_path: Path) -> None:
    path = tmp_path / "g.db"
    found = []
    for _ in range(3):
        found.append(dated(path, ".0005-"))
        found[-1].write_text("x")
    assert len(set(found)) == 3
    assert all(one.name.startswith("g.db.0005-2") for one in found)
