"""A job that watches folders labels what comes to rest in them, once, and survives a kill."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from command import INTERRUPTED, PATIENCE, Done, finish, run, start
from fakes import FakeDetector, Square, enroll_squares, fake_gallery, write_picture
from labelled import label

from gallery.engine.engine import Engine
from gallery.errors import InputError
from gallery.jobs.watch import REST, RETRY_AFTER, Arrivals, arriving
from gallery.media.images import digest_of, encode_png
from gallery.output.format import OutputOptions
from gallery.output.outputs import Outputs, open_outputs
from gallery.output.registry import OutputSpec
from gallery.output.resume import open_writer

RED, BLUE = (210, 20, 20), (20, 20, 210)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "new"
    made.mkdir()
    return made


class TestArrivals:
    """Files that come, change and go, while a clock is told how late it is."""

    def test_a_file_counts_when_it_rests(self, folder: Path) -> None:
        clock = Clock()
        arrivals = Arrivals([folder], clock)
        path = folder / "a.png"
        path.write_bytes(b"1")
        assert arrivals.look() == []
        assert not arrivals.is_at_rest
        clock.now += REST - 0.1
        assert arrivals.look() == []
        path.write_bytes(b"12")
        clock.now += 0.2
        assert arrivals.look() == []
        clock.now += REST + 0.1
        assert arrivals.look() == [path]
        assert arrivals.is_at_rest
        clock.now += 100
        assert arrivals.look() == []

    def test_a_file_that_is_another_counts_again(self, folder: Path) -> None:
        clock = Clock()
        arrivals = Arrivals([folder], clock)
        path = write_picture(folder / "deep" / "a.png")
        (folder / "notes.txt").write_text("no picture")
        (folder / ".hidden.png").write_bytes(b"x")
        arrivals.look()
        clock.now += REST
        assert arrivals.look() == [path]
        content = path.read_bytes()
        path.write_bytes(content + b"more")
        arrivals.look()
        clock.now += REST
        assert arrivals.look() == [path]

    def test_a_drive_that_comes_back_brings_nothing_new(self, folder: Path) -> None:
        clock = Clock()
        arrivals = Arrivals([folder], clock)
        write_picture(folder / "a.png")
        arrivals.look()
        clock.now += REST
        assert len(arrivals.look()) == 1
        folder.rename(folder.with_name("away"))
        clock.now += 100
        assert arrivals.look() == []
        folder.with_name("away").rename(folder)
        for _ in range(3):
            clock.now += REST
            assert arrivals.look() == []

    def test_a_picture_is_named_once_more(self, folder: Path) -> None:
        clock = Clock()
        arrivals = Arrivals([folder], clock)
        path = write_picture(folder / "a.png")
        arrivals.look()
        clock.now += REST
        assert arrivals.look() == [path]
        arrivals.try_again(path)
        clock.now += RETRY_AFTER - 1
        assert arrivals.look() == []
        clock.now += 1
        assert arrivals.look() == [path]
        clock.now += 2 * RETRY_AFTER
        assert arrivals.look() == []

    def test_there_must_be_a_folder(self, folder: Path) -> None:
        path = write_picture(folder / "a.png")
        for paths in ([path], [folder / "missing"]):
            with pytest.raises(InputError, match="No folder is named"):
                Arrivals(paths)


@pytest.fixture
def detector() -> FakeDetector:
    return FakeDetector()


@pytest.fixture
def filled(database: Path, tmp_path: Path, detector: FakeDetector) -> Iterator[Engine]:
    with fake_gallery(database, detector=detector) as gallery:
        enroll_squares(gallery, tmp_path, {"Asuka": RED, "Rei": BLUE})
        detector.seen.clear()
        yield gallery


class Watched:
    """A watch whose time passes with every look."""

    def __init__(self, gallery: Engine, folder: Path, outputs: Outputs) -> None:
        clock = Clock()
        self._gallery, self._outputs, self._clock = gallery, outputs, clock
        self._batches = arriving(gallery, Arrivals([folder], clock), outputs, wait=lambda _: None)

    def looks(self, count: int = 3) -> list[str]:
        """Look so many times, REST after each other, and return what was labelled."""
        names = []
        for _ in range(count):
            self._clock.now += REST
            records = label(self._gallery, next(self._batches), self._outputs, keep=True, workers=1)
            names += [record.path.name for record in records]
        return names


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_each_content_is_labelled_once(
    filled: Engine, folder: Path, tmp_path: Path, detector: FakeDetector, suffix: str
) -> None:
    coco = tmp_path / "coco.json"

    def opened() -> Outputs:
        return open_outputs(
            open_writer(tmp_path / f"out.{suffix}", "fake"),
            [OutputSpec("coco", coco)],
            paths=[folder],
            encoder="fake",
            options=OutputOptions(),
            is_open_end=True,
        )

    write_picture(folder / "1.png", Square(20, 20, 60, RED), seed=1)
    outputs = opened()
    watched = Watched(filled, folder, outputs)
    assert watched.looks() == ["1.png"]
    write_picture(folder / "2.png", Square(20, 20, 60, BLUE), seed=2)
    (folder / "3.png").write_bytes(b"half a picture")
    assert watched.looks() == ["2.png", "3.png"]
    write_picture(folder / "1.png", Square(20, 20, 60, BLUE), seed=3)
    assert watched.looks() == ["1.png"]
    # What could not be read is tried once more, and again when it is another file.
    assert watched.looks(8) == ["3.png"]
    assert watched.looks(12) == []
    write_picture(folder / "3.png", Square(20, 20, 60, RED), seed=4)
    assert watched.looks() == ["3.png"]
    records = {one.path.name: one for one in outputs.records()}
    assert [one.faces[0].character for _, one in sorted(records.items())] == ["Rei", "Rei", "Asuka"]
    assert len(list(outputs.records())) == 3
    outputs.close()
    assert coco.read_text().count('"file_name"') == 3
    detector.seen.clear()
    outputs = opened()
    assert Watched(filled, folder, outputs).looks(5) == []
    outputs.close()
    assert detector.seen == []
    assert coco.read_text().count('"file_name"') == 3


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def paths_in(out: Path) -> list[str]:
    """The pictures of whole lines, in the order of the file."""
    lines = out.read_bytes().split(b"\n")[:-1] if out.exists() else []
    return [Path(json.loads(line)["path"]).name for line in lines]


def digests_in(out: Path) -> list[str]:
    """The digests of the contents that stand in a file."""
    return [json.loads(line)["digest"] for line in out.read_bytes().split(b"\n")[:-1]]


def noise(seed: int) -> bytes:
    return encode_png(np.random.default_rng(seed).integers(0, 255, (90, 90, 3), np.uint8))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL")
def test_a_watch_is_killed_goes_on_and_ends(tmp_path: Path) -> None:
    database, out, shots = tmp_path / "gallery.db", tmp_path / "out.jsonl", tmp_path / "shots"
    for number in range(2):
        path = tmp_path / "characters" / "Noa" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise(number))
    lite = ("--encoder", "anime-lite")
    enrolled = run(*lite, "enroll", "characters", "--cropped", cwd=tmp_path, database=database)
    assert enrolled.code == 0, enrolled.stderr
    shots.mkdir()
    words = (*lite, "label", "--watch", "shots", "--cropped", "--out", out)
    (shots / "0.png").write_bytes(noise(10))
    with start(*words, cwd=tmp_path, database=database) as process:
        until(lambda: paths_in(out) == ["0.png"])
        content = noise(11)
        with (shots / "1.png").open("wb", buffering=0) as file:
            for start_at in range(0, len(content), len(content) // 8 + 1):
                file.write(content[start_at : start_at + len(content) // 8 + 1])
                time.sleep(REST / 8)
        # Whatever a busy machine makes of the pauses, the whole file is what counts at last.
        until(lambda: digest_of(content) in digests_in(out))
        (shots / "2.png").write_bytes(noise(12))
        (shots / "0.png").write_bytes(noise(13))
        until(lambda: sorted(paths_in(out)) in (["1.png", "2.png"], ["0.png", "1.png", "2.png"]))
        process.kill()
    assert all(record["error"] is None for record in map(json.loads, out.read_text().splitlines()))
    assert len(set(paths_in(out))) == len(paths_in(out))
    (shots / "3.png").write_bytes(noise(14))
    done = _until_it_waits(words, tmp_path, database, lambda: "3.png" in paths_in(out))
    assert done.code == 130
    assert "Waiting for pictures; Ctrl-C ends it." in done.stderr
    assert "Run it again to go on." in done.stderr
    assert " 0 could not be read." in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(paths_in(out)) == ["0.png", "1.png", "2.png", "3.png"]
    whole = tmp_path / "whole.jsonl"
    assert run(*lite, "label", "shots", "--cropped", "--out", whole, cwd=tmp_path, database=database).code == 0  # fmt: skip  # noqa: E501
    assert sorted(out.read_bytes().splitlines()) == sorted(whole.read_bytes().splitlines())


def _until_it_waits(
    words: tuple[str | Path, ...], cwd: Path, database: Path, is_done: Callable[[], bool]
) -> Done:
    """Watch until something is so and all is labelled, then press Ctrl-C."""
    process = start(*words, cwd=cwd, database=database, program=INTERRUPTED)
    said = ""
    assert process.stderr is not None
    while "Waiting" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    assert is_done()
    process.send_signal(signal.SIGINT)
    done = finish(process)
    return Done(done.code, done.stdout, said + done.stderr)
