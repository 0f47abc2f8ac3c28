"""The doctor sees what works, and what does not."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from command import ROOT, Done, call, run
from fakes import Square, write_picture
from yolo import yolo_file

OF_NOBODY = ".gallery-00000000-1-00000000.tmp"
"""Left unfinished by a process of another machine."""

LOOKS = ["versions", "machine", "device", "detector", "encoder", "outputs", "database", "index"]


def examine(folder: Path, *words: str | Path) -> tuple[Done, dict[str, str]]:
    """Return what the doctor says and, by what it looked at, what is not well."""
    done = call("doctor", "--json", *words, cwd=folder, database=folder / "gallery.db")
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert [finding["what"] for finding in findings] == LOOKS
    assert done.stderr == ""
    return done, {one["what"]: one["text"] for one in findings if not one["well"]}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a gallery of two characters."""
    for number, colour in enumerate([(220, 20, 20), (20, 20, 220)]):
        path = tmp_path / "album" / f"Number {number}" / "1.png"
        write_picture(path, Square(20, 8, 100, colour), seed=number)
    done = call("enroll", "album", "--cropped", cwd=tmp_path, database=tmp_path / "gallery.db")
    assert done.code == 0
    return tmp_path


def test_all_is_well_before_there_is_a_gallery(tmp_path: Path) -> None:
    done, wrong = examine(tmp_path)
    assert (done.code, wrong) == (0, {})
    assert "none yet at" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_all_is_well_with_one(place: Path) -> None:
    done = call("doctor", cwd=place, database=place / "gallery.db")
    assert done.code == 0
    assert [line[:5] for line in done.stdout.splitlines()] == ["ok   "] * len(LOOKS)
    assert "2 characters, 2 samples" in done.stdout
    assert "STAND-IN" not in done.stdout
    # Whether the new characters look like others was asked of it.
    assert "gallery.db-index is fresh" in done.stdout
    shutil.rmtree(place / "gallery.db-index")
    assert "missing or stale" in examine(place)[0].stdout
    call("identify", "album", "--cropped", cwd=place, database=place / "gallery.db")
    assert "gallery.db-index is fresh" in examine(place)[0].stdout


def test_a_stand_in_is_called_one(tmp_path: Path) -> None:
    done = call("doctor", "--encoder", "human", cwd=tmp_path, database=tmp_path / "gallery.db")
    assert "STAND-IN" in done.stdout


@pytest.mark.slow
def test_output_formats_of_other_packages_are_listed_and_loaded(tmp_path: Path) -> None:
    site, about = tmp_path / "site", tmp_path / "site" / "more-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "more.py").write_text("class Names: pass\n", encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: more\nVersion: 1.0\n")
    entries = about / "entry_points.txt"
    for broken in (False, True):
        lines = ["[gallery.writers]", "names = more:Names", *(["bad = more:Bad"] if broken else [])]
        entries.write_text("\n".join(lines) + "\n")
        extra = {"PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}
        done = run("doctor", "--json", cwd=tmp_path, database=tmp_path / "gallery.db", extra=extra)
        (found,) = [
            one for one in map(json.loads, done.stdout.splitlines()) if one["what"] == "outputs"
        ]
        assert found["well"] is not broken
        if broken:
            assert "bad of the package more cannot be loaded (AttributeError" in found["text"]
        else:
            assert found["text"].startswith("captions, hydrus, xmp")
            assert found["text"].endswith("; plug-ins here: names")


def test_a_detector_that_sees_nobody_is_found_out_alone(place: Path) -> None:
    blind = yolo_file(place / "blind.onnx", 0)
    done, wrong = examine(place, "--detector", blind)
    assert (done.code, list(wrong)) == (1, ["detector"])
    assert "finds 0 faces in the self-test picture" in wrong["detector"]
    done, wrong = examine(place, "--detector", place / "missing.onnx")
    assert (done.code, list(wrong)) == (1, ["detector"])


def test_an_encoder_that_is_not_here(place: Path) -> None:
    done, wrong = examine(place, "--encoder", "original")
    assert (done.code, sorted(wrong)) == (1, ["database", "detector", "device", "encoder", "index"])
    assert "gallery models fetch original" in wrong["encoder"]


def test_samples_without_descriptors_want_the_encoder_to_run(place: Path) -> None:
    with closing(sqlite3.connect(place / "gallery.db")) as database:
        database.execute(
            "INSERT INTO descriptors SELECT sample_id, 'another', vector FROM descriptors"
        )
        database.execute("DELETE FROM descriptors WHERE encoder <> 'another'")
        database.execute("DELETE FROM profiles")
        database.commit()
    done, wrong = examine(place)
    assert (done.code, list(wrong)) == (1, ["database"])
    assert "`gallery reencode`" in wrong["database"]


def test_a_damaged_database_is_one_line(place: Path) -> None:
    with closing(sqlite3.connect(place / "gallery.db")) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("DELETE FROM characters WHERE name = 'Number 1'")
        database.commit()
    done, wrong = examine(place)
    assert (done.code, list(wrong)) == (1, ["database"])
    assert "is damaged (a row of" in wrong["database"]

    (place / "gallery.db").write_bytes(b"SQLite format 3\0" + bytes(5000))
    for left in place.glob("gallery.db-*"):
        if left.is_file():
            left.unlink()
    done, wrong = examine(place)
    assert sorted(wrong) == ["database", "index"]
    assert len(call("doctor", cwd=place, database="gallery.db").stdout.splitlines()) == len(LOOKS)


def test_what_is_safe_is_put_right(place: Path) -> None:
    database = place / "gallery.db"
    # A process that is killed leaves its log beside the database, with what it had written.
    script = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        "c.execute(\"UPDATE characters SET series = 'Sky'\"); c.commit(); os._exit(9)"
    )
    left = subprocess.run([sys.executable, "-c", script, database], check=False)
    assert left.returncode == 9
    assert (place / "gallery.db-wal").stat().st_size > 0
    unfinished = [place / name for name in (OF_NOBODY, f"gallery.db-index/{OF_NOBODY}")]
    for one in unfinished:
        one.write_bytes(b"half")
        os.utime(one, (0, 0))
    kept = place / f"album/{OF_NOBODY}"
    kept.write_bytes(b"not gallery's folder")
    for stamp in (place / "gallery.db-index").glob("*.json"):
        stamp.unlink()
    done = call("doctor", "--fix", cwd=place, database=database)
    assert done.code == 0, done.stdout
    assert done.stdout.splitlines()[:3] == [
        "done unfinished files: 2 files removed that killed processes had left",
        "done log: what a killed process left in it is in the database now",
        "done index: made fresh",
    ]
    assert [one.exists() for one in (*unfinished, kept)] == [False, False, True]
    assert not (place / "gallery.db-wal").exists()
    assert "Sky" in call("series", cwd=place, database=database).stdout
    again = call("doctor", "--fix", "--json", cwd=place, database=database)
    found = [json.loads(line) for line in again.stdout.splitlines()]
    assert [one["text"] for one in found[:3]] == [
        "0 files removed that killed processes had left",
        "nothing is left in it",
        "fresh as it is",
    ]


def test_nothing_is_put_right_where_nothing_is_and_what_is_damaged_stays(tmp_path: Path) -> None:
    done = call("doctor", "--fix", cwd=tmp_path, database=tmp_path / "gallery.db")
    assert done.code == 0
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "gallery.db").write_bytes(b"no database, but long enough to be looked at" * 20)
    before = (tmp_path / "gallery.db").read_bytes()
    done = call("doctor", "--fix", cwd=tmp_path, database=tmp_path / "gallery.db")
    assert done.code == 1
    assert "FAIL log: " in done.stdout
    assert (tmp_path / "gallery.db").read_bytes() == before
