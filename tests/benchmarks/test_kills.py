"""The benchmark that kills commands sees what is wrong, and a few kills leave nothing wrong."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from command import ROOT, environment

from benchmarks.kill_states import compared, rows, state_of
from gallery.store.reader import Store

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform kills no forks")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a command may have left."""
    with Store(str(tmp_path / "gallery.db"), create=True) as store, store.writing() as writer:
        writer.character_id("Rei")
    (tmp_path / "out.jsonl").write_text('{"path": "1.png"}\n{"path": "2.png"}\n')
    (tmp_path / "shots").mkdir()
    (tmp_path / "shots" / "1.xmp").write_bytes(b"<x/>")
    shutil.copyfile(tmp_path / "gallery.db", tmp_path / "gallery.db.0005-20260101-000000")
    return tmp_path


def test_what_is_as_it_was_is_not_counted(folder: Path) -> None:
    expected = state_of(folder)
    shutil.copyfile(folder / "gallery.db", folder / "gallery.db.0005-20260101-000001")
    (folder / "gallery.db-index").mkdir()
    (folder / "gallery.db-index" / "x.faiss").write_bytes(b"x")
    assert compared(expected, state_of(folder)) == ([], [], [])


def test_what_is_lost_doubled_or_left_behind_is_seen(folder: Path) -> None:
    expected = state_of(folder)
    (folder / "out.jsonl").write_text('{"path": "1.png"}\n' * 2)
    (folder / "shots" / ".gallery-0123abcd-1-00000001.tmp.xmp").write_text("half")
    (folder / "gallery.db-journal").write_bytes(b"")
    (folder / "other.txt").write_text("")
    (folder / "gallery.db.0005-20260101-000000").unlink()
    lost, doubled, left = compared(expected, state_of(folder))
    assert Counter(one.split(" ")[0] for one in lost) == {
        "gallery.db": len(lost) - 1,
        "out.jsonl:": 1,
    }
    assert len(lost) > 2
    assert [one.split(" ")[0] for one in doubled] == ["out.jsonl:"]
    assert left == ["file other.txt", "gallery.db-journal", "shots/.gallery-*.tmp.xmp"]


def test_a_row_that_is_gone_and_one_that_is_new_are_seen(folder: Path) -> None:
    expected = state_of(folder)
    with closing(sqlite3.connect(folder / "gallery.db")) as connection:
        connection.execute("UPDATE characters SET name = 'Asuka'")
        connection.commit()
    lost, doubled, left = compared(expected, state_of(folder))
    assert ["Rei" in one for one in lost] == [True]
    assert ["Asuka" in one for one in doubled] == [True]
    assert left == []


def test_a_count_of_answers_that_is_not_true_is_seen(folder: Path) -> None:
    expected = state_of(folder)
    with closing(sqlite3.connect(folder / "gallery.db")) as connection:
        connection.execute("INSERT INTO answer_counts VALUES (0, 'undecided', '', 0, 0)")
        connection.commit()
    assert compared(expected, state_of(folder)) == ([], [], [])
    with closing(sqlite3.connect(folder / "gallery.db")) as connection:
        connection.execute("UPDATE answer_counts SET faces = 1")
        connection.commit()
    lost, doubled, _ = compared(expected, state_of(folder))
    assert lost == []
    assert ["miscounted" in one for one in doubled] == [True]


def test_a_damaged_database_is_an_error(folder: Path) -> None:
    path = folder / "gallery.db"
    content = bytearray(path.read_bytes())
    content[8192:20480] = bytes(12288)
    path.write_bytes(content)
    with pytest.raises(sqlite3.Error):
        list(rows(path, "gallery.db"))


@pytest.mark.slow
def test_a_few_kills_of_every_command_come_to_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kills", "--kills", "20", "--seed", "3"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (last,) = (line for line in done.stdout.splitlines() if line.startswith("all "))
    assert last.split()[2:] == ["0", "0", "0"]
