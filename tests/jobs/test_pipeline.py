"""The fast way from files to records says what the slow way says, and holds little in memory."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeDetector, Square, fake_gallery, write_picture
from labelled import identify_files, label

from gallery.engine.engine import Engine
from gallery.errors import InputError
from gallery.faces.quality import Gates
from gallery.jobs.pipeline import GROUP, Looked, chunks
from gallery.media.images import read_image
from gallery.output.resume import open_writer
from gallery.system.threads import available_cores
from gallery.types import Face, Image, MatchMode, Record

RED, BLUE = (220, 20, 20), (20, 20, 220)


def many(folder: Path, count: int) -> list[Path]:
    """Pictures with none to three faces, and files that are none."""
    squares = [
        Square(5, 5, 40, RED),
        Square(60, 10, 30, BLUE),
        Square(100, 60, 50, (20, 210, 20)),
    ]
    paths = []
    for number in range(count):
        path = folder / f"{number}.png"
        if number % 7 == 3:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"" if number % 2 else b"no picture")
        else:
            write_picture(path, *squares[: number % 4], seed=number)
        paths.append(path)
    paths.insert(count // 2, folder / "missing.png")
    return paths


@pytest.mark.parametrize("mode", MatchMode)
def test_records_are_those_of_one_picture_at_a_time(
    filled: Engine, tmp_path: Path, mode: MatchMode
) -> None:
    paths = many(tmp_path / "new", 6 * GROUP + 2)
    gates = Gates(min_face=35, min_quality=0.1)
    together = list(identify_files(filled, paths, mode=mode, top=2, gates=gates))
    alone = []
    for path in paths:
        try:
            record = filled.identify(read_image(path), mode=mode, top=2, gates=gates)
        except InputError as error:
            record = Record(path, None, None, "fake", error=str(error))
        alone.append(record)
    assert together == alone
    assert [one.path for one in together] == paths
    assert sum(one.error is not None for one in together) == 5
    assert sum(one.left_out for one in together) > 0


def test_no_files_are_no_records(filled: Engine) -> None:
    assert list(identify_files(filled, [])) == []


def test_what_was_done_is_written_when_a_job_is_stopped(filled: Engine, tmp_path: Path) -> None:
    paths = many(tmp_path / "new", 2 * GROUP + 1)
    writer = open_writer(tmp_path / "out.jsonl", "fake")
    stopped_at = GROUP + 2

    def stop() -> None:
        for number, record in enumerate(label(filled, paths, writer), 1):
            assert record.path == paths[number - 1]
            if number == stopped_at:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    writer.close()
    writer = open_writer(tmp_path / "out.jsonl", "fake")
    assert len(writer.done) == stopped_at
    writer.close()


class Refusing(FakeDetector):
    """Does not take pictures of one name, as a detector of another package may."""

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        if any(image.path.name == "5.png" for image in images):
            raise InputError("5.png is too strange.")
        return super().detect(images)


def test_a_picture_that_the_detector_refuses_harms_no_other(database: Path, tmp_path: Path) -> None:
    paths = many(tmp_path / "new", 2 * GROUP)
    with fake_gallery(database, detector=Refusing()) as gallery:
        records = list(identify_files(gallery, paths))
    assert [one.path for one in records] == paths
    wrong = {one.path.name: one.error for one in records if one.error}
    assert sorted(wrong) == ["3.png", "5.png", "missing.png"]
    assert wrong["5.png"] == "5.png is too strange."


class Counting(FakeDetector):
    """Notes how many pictures are alive at once."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: set[int] = set()
        self.most = 0

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        for image in images:
            number = id(image.pixels)
            self.alive.add(number)
            weakref.finalize(image.pixels, self.alive.discard, number)
        self.most = max(self.most, len(self.alive))
        return super().detect(images)


def test_pictures_leave_memory_when_their_records_are_made(database: Path, tmp_path: Path) -> None:
    paths = [
        write_picture(tmp_path / f"{number}.png", Square(10, 10, 50), seed=number)
        for number in range(6 * GROUP)
    ]
    detector = Counting()
    gc.disable()
    try:
        with fake_gallery(database, detector=detector) as gallery:
            records = identify_files(gallery, paths, workers=1)
            assert sum(len(one.faces) for one in records) == len(paths)
    finally:
        gc.enable()
    # One group at a time has been looked at.
    assert detector.most == GROUP


def picture(side: int) -> Looked[None]:
    image = Image(np.zeros((side, side, 3), np.uint8), "0" * 64, Path("x.png"))
    return Looked(image.path, image=image)


def test_large_pictures_are_looked_at_by_fewer() -> None:
    room = 3 * 100 * 100 * 2
    error: Looked[None] = Looked(Path("x"), failure=InputError("is bad."))
    small, large = picture(10), picture(100)

    def sizes(*read: Looked[None]) -> list[int]:
        return [len(chunk) for chunk in chunks(read, room)]

    assert sizes(*[large] * 5) == [2, 2, 1]
    assert sizes(*[small] * 9) == [9]
    assert sizes(error, large, small, large, error) == [4, 1]


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_any_number_of_workers_writes_the_same_file(
    filled: Engine, tmp_path: Path, suffix: str
) -> None:
    paths = many(tmp_path / "new", 5 * GROUP + 3)
    contents = set()
    for workers in (1, 2, 3, 16, None):
        out = tmp_path / f"{workers}.{suffix}"
        writer = open_writer(out, "fake")
        records = list(label(filled, paths, writer, workers=workers))
        writer.close()
        assert [one.path for one in records] == paths
        contents.add(out.read_bytes())
    assert len(contents) == 1


class Noting(FakeDetector):
    """Notes which threads call it, and how many cores they may use."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()
        self.cores: set[int] = set()

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        self.threads.add(threading.get_ident())
        self.cores.add(available_cores())
        return super().detect(images)


def test_a_single_worker_is_the_callers_own_thread(database: Path, tmp_path: Path) -> None:
    paths = many(tmp_path / "new", 2 * GROUP)
    detector = Noting()
    with fake_gallery(database, detector=detector) as gallery:
        records = identify_files(gallery, paths, workers=1)
        next(records)
        assert not [one for one in threading.enumerate() if one.name.startswith("ahead")]
        list(records)
        assert detector.threads == {threading.get_ident()}
        list(identify_files(gallery, paths, workers=3))
    assert 1 < len(detector.threads) <= 4
    # Each worker has one core, whatever there is.
    assert detector.cores == {1}


def test_a_job_that_is_left_leaves_no_thread(filled: Engine, tmp_path: Path) -> None:
    paths = many(tmp_path / "new", 4 * GROUP)
    writer = open_writer(tmp_path / "out.jsonl", "fake")
    records = label(filled, paths, writer, workers=2)
    next(records)
    records.close()
    writer.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("ahead")]
