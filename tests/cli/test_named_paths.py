"""A file is one, whichever way a command names it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command import Done, call
from fakes import Square, write_picture

from gallery.system.files import absolute

RED, BLUE = (210, 20, 20), (20, 20, 210)
QUICK = ("--encoder", "anime-lite")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a gallery of one character, and pictures in `a/b`."""
    write_picture(tmp_path / "known" / "Rei" / "1.png", Square(10, 10, 60, BLUE))
    for number, colour in enumerate((RED, BLUE)):
        write_picture(
            tmp_path / "a" / "b" / f"{number}.png", Square(20, 20, 60, colour), seed=number
        )
    assert ask(tmp_path, "enroll", "known", "--cropped").code == 0
    return tmp_path


def ask(folder: Path, *words: str | Path) -> Done:
    return call(*QUICK, *words, cwd=folder, database=folder / "gallery.db")


def paths_of(folder: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(folder / "gallery.db")) as connection:
        return [path for (path,) in connection.execute(f"SELECT path FROM {table} ORDER BY path")]  # noqa: S608


def label(folder: Path, *paths: str | Path) -> None:
    assert ask(folder, "label", *paths, "--cropped", "--out", folder / "l.jsonl").code == 0


def test_pictures_that_were_named_with_dots_are_kept_once_and_answered_by_any_name(
    folder: Path,
) -> None:
    label(folder, "a/../a/./b")
    (folder / "l.jsonl").unlink()
    label(folder, "a/b")
    pictures = [str(folder / "a" / "b" / f"{number}.png") for number in range(2)]
    assert paths_of(folder, "pictures") == pictures
    assert paths_of(folder, "sightings") == pictures
    for number, name in enumerate(("a/b", "a/../a/b", "known/../a", f"{folder}/a/b/../b")):
        done = ask(folder, "relabel", name, "--out", f"{number}.jsonl")
        assert (done.code, done.stderr.splitlines()[0][:10]) == (0, "2 pictures"), done
        lines = (folder / f"{number}.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["path"] for line in lines] == pictures


def test_relabel_says_where_nothing_was_labelled_and_writes_no_file(folder: Path) -> None:
    done = ask(folder, "relabel", "--out", "r.jsonl")
    assert done.code == 1
    assert done.complaint == (
        "The gallery has seen nothing yet; run `gallery label` first, without --no-keep."
    )
    label(folder, "a")
    for names in (["known"], ["nowhere", "known"]):
        done = ask(folder, "relabel", *names, "--out", "r.jsonl")
        assert done.code == 1
        assert done.complaint == (
            f"The gallery has seen nothing at {names[0]}; run `gallery label` on it first, "
            "or name it as it was named then."
        )
    assert not (folder / "r.jsonl").exists()


def test_relabel_answers_the_rest_where_one_of_the_paths_names_nothing(folder: Path) -> None:
    label(folder, "a")
    done = ask(folder, "relabel", "a/b/0.png", "known", "--out", "r.jsonl")
    assert done.code == 1
    assert "gallery: The gallery has seen nothing at known; " in done.stderr
    assert "\n1 picture with 1 face: " in done.stderr
    assert len((folder / "r.jsonl").read_bytes().splitlines()) == 1


def test_what_a_person_rejects_is_noted_without_dots(folder: Path) -> None:
    done = ask(folder, "--detector", "whole", "reject", "a/../a/b/0.png", "Rei")
    assert done.code == 0, done.stderr
    assert paths_of(folder, "rejections") == [str(folder / "a" / "b" / "0.png")]


def test_a_database_that_is_named_with_dots_is_where_it_is(folder: Path) -> None:
    label(folder, "a")
    done = call(*QUICK, "--database", "a/../gallery.db", "characters", "--json", cwd=folder)
    assert (done.code, '"Rei"' in done.stdout) == (0, True), done


def test_absolute_takes_dots_as_the_system_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real" / "deep").mkdir(parents=True)
    for name in ("1.png", "real/1.png"):
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("real/deep")
    (tmp_path / "circle").symlink_to("circle")
    for name in ("1.png", "./1.png", "real/../1.png", "real/deep/../../1.png", "nowhere/../1.png"):
        assert absolute(name) == tmp_path / "1.png"
    assert absolute("link/../1.png") == tmp_path / "real" / "1.png"
    assert absolute("link/../1.png").samefile("link/../1.png")
    assert absolute("link/1.png") == tmp_path / "link" / "1.png"
    assert absolute("circle/../1.png") == tmp_path / "1.png"
    assert absolute("/../..") == Path("/")
    assert absolute("") == absolute(".") == tmp_path
