"""Pipes, devices and folders where files are looked for: one sentence, and nothing waited for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import Done, call
from fakes import Square, write_picture
from patience import at_most

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs pipes")

PLACES: dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": Path.mkdir,
}


@pytest.fixture(autouse=True)
def impatience() -> Iterator[None]:
    """End a test that waits."""
    with at_most(60):
        yield


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a gallery of one face."""
    folder = tmp_path_factory.mktemp("enrolled")
    write_picture(folder / "album" / "Rei" / "good.png", Square(20, 8, 100))
    done = call("enroll", "album", "--cropped", cwd=folder, database=folder / "gallery.db")
    assert done.code == 0, done.stderr
    return folder


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, enrolled: Path, tmp_path: Path) -> tuple[Path, str]:
    """A folder with that gallery, and what makes something in a file's place."""
    shutil.copytree(enrolled, tmp_path, dirs_exist_ok=True)
    return tmp_path, request.param


def ask(folder: Path, *words: str) -> Done:
    return call(*words, cwd=folder, database=folder / "gallery.db")


def refused(done: Done, kind: str) -> None:
    """Check that a command said of something what it is, and no more than that."""
    assert done.code in (1, 2), done
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if f"is a {kind}" in line]
    assert len(said) == 1, done.stderr


def test_pictures(place: tuple[Path, str]) -> None:
    folder, kind = place
    other = folder / "album" / "Rei" / "other.png"
    PLACES[kind](other)
    if kind == "folder":
        pytest.skip("a folder may be called as it likes")
    refused(ask(folder, "identify", str(other), "--cropped"), kind)
    done = ask(folder, "enroll", "album", "--cropped")
    refused(done, kind)
    assert "1 duplicate, 1 refused" in done.stderr
    refused(ask(folder, "enroll", "--from", "xmp", "album", "--cropped"), kind)
    other.with_suffix(".txt").write_text("a:Rei", encoding="utf-8")
    refused(ask(folder, "enroll", "--from", "captions", "--tag-prefix", "a:", "album"), kind)
    done = ask(folder, "label", "album", "--out", "out.jsonl", "--cropped")
    refused(done, kind)
    assert len((folder / "out.jsonl").read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize("suffix", [".png.xmp", ".xmp"])
def test_sidecars(place: tuple[Path, str], suffix: str) -> None:
    folder, kind = place
    PLACES[kind](folder / "album" / "Rei" / f"good{suffix}")
    refused(ask(folder, "enroll", "--from", "xmp", "album", "--cropped"), kind)


@pytest.mark.parametrize("ending", ["-wal", "-journal", "-shm"])
def test_logs_of_the_database(place: tuple[Path, str], ending: str) -> None:
    folder, kind = place
    log = folder / f"gallery.db{ending}"
    log.unlink(missing_ok=True)
    PLACES[kind](log)
    for words in (("characters",), ("doctor",), ("restore", "gallery.db")):
        done = ask(folder, *words)
        assert done.code == 1, words
        assert "Traceback" not in done.stderr
    done = ask(folder, "forget", "Rei", "--yes")
    assert done.code == 1
    assert f"{log.name} beside it is no file; take that away" in done.complaint
    log.rmdir() if kind == "folder" else log.unlink()
    assert ask(folder, "characters").code == 0


@pytest.mark.parametrize("suffix", [".txt", ".caption", ".png.txt"])
def test_captions(place: tuple[Path, str], suffix: str) -> None:
    folder, kind = place
    PLACES[kind](folder / "album" / "Rei" / f"good{suffix}")
    refused(ask(folder, "enroll", "--from", "captions", "--tag-prefix", "a:", "album"), kind)


@pytest.mark.parametrize(
    "words",
    [
        ("enroll", "--from", "captions", "--names", "PLACE", "album", "--cropped"),
        ("import", "PLACE"),
        ("--database", "PLACE", "characters"),
        ("label", "album", "--out", "out.jsonl", "--write", "coco:PLACE.json", "--cropped"),
        ("label", "album", "--out", "out.jsonl", "--write", "label-studio:PLACE.json", "--cropped"),
        ("label", "PLACE.mp4", "--out", "out.jsonl", "--cropped"),
    ],
    ids=" ".join,
)
def test_files_that_are_named(place: tuple[Path, str], words: tuple[str, ...]) -> None:
    folder, kind = place
    suffix = next(word.partition("PLACE")[2] for word in words if "PLACE" in word)
    if kind == "folder" and suffix == ".mp4":
        pytest.skip("a folder may be called as it likes")
    PLACES[kind](folder / f"place{suffix}")
    refused(ask(folder, *(word.replace("PLACE", "place") for word in words)), kind)


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_files_of_records(place: tuple[Path, str], name: str) -> None:
    folder, kind = place
    PLACES[kind](folder / name)
    done = ask(folder, "label", "album", "--out", name, "--cropped")
    assert done.code == 1
    assert name in done.complaint


@pytest.mark.parametrize("words", [("--detector", "place.onnx", "identify", "album")])
def test_networks(place: tuple[Path, str], words: tuple[str, ...]) -> None:
    folder, kind = place
    PLACES[kind](folder / "place.onnx")
    done = ask(folder, *words)
    assert done.code == 1
    assert "place.onnx" in done.complaint
    done = ask(folder, "models", "add", "place.onnx", "--name", "other")
    assert done.code == 1
    assert "place.onnx" in done.complaint
