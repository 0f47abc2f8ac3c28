"""A job that is run again labels what could not be read, and files that are others now, anew."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import FakeDetector, Square, write_picture
from rewritten import replace_picture, turn, write_into

from gallery.engine.engine import Engine
from gallery.errors import InputError
from gallery.events import Labelled, LabellingStarted, Refused
from gallery.faces.video import VideoOptions
from gallery.jobs import changes
from gallery.jobs.enroll_folders import enroll_candidates
from gallery.jobs.label import LabelChoices, planned
from gallery.jobs.label import label as run
from gallery.jobs.relabel import RelabelChoices, relabel
from gallery.media.images import read_image
from gallery.output.format import OutputOptions
from gallery.output.resume import open_writer
from gallery.types import Candidate, MatchMode, Record, VideoEnd, VideoRecord

RED, BLUE = (220, 20, 20), (20, 20, 220)
SUFFIXES = ("jsonl", "csv")


@pytest.fixture(params=SUFFIXES)
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"out.{request.param}"


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = tmp_path / "shots"
    for number, colour in enumerate((RED, BLUE, RED)):
        write_picture(folder / f"{number}.png", Square(20, 20, 60, colour), seed=number)
    (folder / "bad.png").write_bytes(b"no picture")
    return folder


def job(
    gallery: Engine, folder: Path, out: Path, *write: str, keep: bool = True
) -> tuple[LabellingStarted, list[Record]]:
    """Run a job to its end, and return what it says."""
    plan = planned([folder], out, write, OutputOptions())
    choices = LabelChoices(MatchMode.IDEAL, 3, keep, VideoOptions())
    started, *rest = run(gallery, plan, choices)
    assert isinstance(started, LabellingStarted)
    return started, [one.record for one in rest if isinstance(one, Labelled)]


def records_in(out: Path) -> dict[str, Record]:
    """The records of a file by the names of their pictures; fails where one is there twice."""
    records = read_back(out)
    found = {one.path.name: one for one in records}
    assert len(found) == len(records)
    return found


def test_what_could_not_be_read_is_tried_again(
    filled: Engine, shots: Path, out: Path, detector: FakeDetector
) -> None:
    started, records = job(filled, shots, out)
    assert (started.pictures, started.failed_before, len(records)) == (4, 0, 4)
    detector.seen.clear()
    started, (again,) = job(filled, shots, out)
    assert (started.pictures, started.pictures_done, started.failed_before) == (1, 3, 1)
    assert (again.path.name, again.error is None, detector.seen) == ("bad.png", False, [])
    write_picture(shots / "bad.png", Square(20, 20, 60, BLUE))
    started, (mended,) = job(filled, shots, out)
    assert (started.failed_before, started.changed, mended.error) == (1, 0, None)
    found = records_in(out)
    assert [answer.character for answer in found["bad.png"].faces] == ["Rei"]
    assert sorted(found) == ["0.png", "1.png", "2.png", "bad.png"]
    assert job(filled, shots, out)[0].pictures == 0


@pytest.mark.parametrize("keep", [True, False])
def test_a_file_with_other_content_is_labelled_anew(
    filled: Engine, shots: Path, out: Path, detector: FakeDetector, keep: bool
) -> None:
    (shots / "bad.png").unlink()
    job(filled, shots, out, keep=keep)
    before = records_in(out)
    write_picture(shots / "0.png", Square(20, 20, 60, BLUE), seed=0)
    # Neither a file that was touched nor one that is gone is another.
    os.utime(shots / "1.png", ns=(1, 1))
    (shots / "2.png").unlink()
    detector.seen.clear()
    started, (anew,) = job(filled, shots, out, keep=keep)
    assert (started.pictures_done, started.changed, started.failed_before) == (1, 1, 0)
    assert [path.name for path in detector.seen] == ["0.png"]
    after = records_in(out)
    assert [answer.character for answer in after["0.png"].faces] == ["Rei"]
    assert after["0.png"].digest == anew.digest != before["0.png"].digest
    assert {name: after[name] for name in ("1.png", "2.png")} == {
        name: before[name] for name in ("1.png", "2.png")
    }
    assert job(filled, shots, out, keep=keep)[0].pictures == 0


def test_a_file_that_was_written_into_keeps_its_record_and_is_read_once(
    filled: Engine, shots: Path, out: Path, detector: FakeDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shots / "bad.png").unlink()
    job(filled, shots, out)
    before, seen = records_in(out), filled.store.sightings.all()
    write_into(shots / "0.png")
    detector.seen.clear()
    started, _ = job(filled, shots, out)
    assert (started.pictures_done, started.changed, detector.seen) == (3, 0, [])
    assert records_in(out) == before
    # It is known now, so that nothing is left to look at.
    digests = {one.path.name: one.digest for one in filled.store.sightings.pictures()}
    assert digests["0.png"] == read_image(shots / "0.png").digest
    monkeypatch.setattr(changes, "read_bytes", None)
    assert job(filled, shots, out)[0].pictures == 0
    after = filled.store.sightings.all()
    assert [one.id for one in after] == [one.id for one in seen]
    assert {one.digest for one in after} == set(digests.values())


def test_a_picture_that_is_turned_is_labelled_anew(filled: Engine, shots: Path, out: Path) -> None:
    (shots / "bad.png").unlink()
    job(filled, shots, out)
    turn(shots / "0.png", 6)
    started, (anew,) = job(filled, shots, out)
    assert started.changed == 1
    assert (anew.width, anew.height) == (120, 160)
    assert filled.store.sightings.count() == 3


def test_faces_of_what_a_file_held_before_go_and_those_of_other_files_stay(
    filled: Engine, shots: Path, out: Path
) -> None:
    (shots / "bad.png").unlink()
    shutil.copyfile(shots / "1.png", shots / "copy.png")
    job(filled, shots, out)
    assert filled.store.sightings.count() == 3
    for name, seed in (("0.png", 20), ("1.png", 21)):
        replace_picture(shots / name, seed, Square(20, 20, 60, RED))
    job(filled, shots, out)
    pictures = {one.digest for one in filled.store.sightings.pictures()}
    assert {one.digest for one in filled.store.sightings.all()} == pictures
    assert filled.store.sightings.count() == len(pictures) == 4


def test_relabelling_takes_a_file_that_was_written_into(
    filled: Engine, shots: Path, tmp_path: Path
) -> None:
    job(filled, shots, tmp_path / "first.jsonl")
    write_into(shots / "0.png")
    replace_picture(shots / "1.png", 9, Square(20, 20, 60, RED))
    turn(shots / "2.png", 3)
    refused = [
        one.path.name
        for one in relabel(filled, RelabelChoices(tmp_path / "again.jsonl"))
        if isinstance(one, Refused)
    ]
    assert refused == ["1.png", "2.png"]
    assert set(records_in(tmp_path / "again.jsonl")) == {"0.png", "bad.png"}


def test_a_seen_face_is_enrolled_whichever_file_shows_it(
    filled: Engine, shots: Path, out: Path, tmp_path: Path
) -> None:
    (shots / "bad.png").unlink()
    write_into(shots / "0.png")
    job(filled, shots, out)
    album = tmp_path / "album" / "Asuka"
    album.mkdir(parents=True)
    shutil.copyfile(shots / "0.png", album / "0.png")
    write_into(album / "0.png", content=b"Keyword\0blue")
    list(enroll_candidates(filled, [Candidate(album / "0.png", "Asuka")]))
    seen = {one.id: one.path.name for one in filled.store.sightings.all()}
    assert [seen[one] for one in filled.store.sightings.enrolled()] == ["0.png"]


def test_other_formats_follow(filled: Engine, shots: Path, out: Path, tmp_path: Path) -> None:
    other = tmp_path / ("copy.csv" if out.suffix == ".jsonl" else "copy.jsonl")
    coco = tmp_path / "coco.json"
    words = (f"{other.suffix[1:]}:{other}", f"coco:{coco}")
    job(filled, shots, out, *words)
    write_picture(shots / "0.png", Square(20, 20, 60, BLUE), seed=0)
    write_picture(shots / "bad.png", Square(20, 20, 60, RED), seed=9)
    job(filled, shots, out, *words)
    names = {name: one.faces[0].character for name, one in records_in(out).items()}
    assert names == {"0.png": "Rei", "1.png": "Rei", "2.png": "Asuka", "bad.png": "Asuka"}
    assert {name: one.faces[0].character for name, one in records_in(other).items()} == names
    assert coco.read_text().count('"file_name"') == 4


@pytest.mark.parametrize("name", ["plain.png", 'two\nlines, "quoted".png', "綾波.png"])
def test_dropping_takes_these_pictures_alone_and_holds_the_file(out: Path, name: str) -> None:
    pytest.importorskip("fcntl")
    end = VideoRecord(Path(f"/p/{name}"), 1, 1, "fake", part=VideoEnd(1, 0, 2.0))
    pictures = [Record(Path(f"/p/{one}"), 1, 1, "fake") for one in ("a.png", name, "b.png")]
    writer = open_writer(out, "fake")
    for one in (*pictures, end):
        writer.write(one)
    writer.drop([f"/p/{name}"])
    kept = [one.path for one in writer.records()]
    assert kept == [pictures[0].path, pictures[2].path, end.path]
    with pytest.raises(InputError, match="being written by another process"):
        open_writer(out, "fake")
    writer.write(pictures[1])
    writer.close()
    assert [one.path for one in read_back(out)] == [*kept, pictures[1].path]
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def read_back(out: Path) -> list[Record]:
    writer = open_writer(out, "fake")
    records = list(writer.records())
    writer.close()
    return records


def test_a_full_disk_takes_nothing_away(out: Path) -> None:
    resource = pytest.importorskip("resource")
    writer = open_writer(out, "fake")
    for number in range(50):
        writer.write(Record(Path(f"/p/{number}.png"), 1, 1, "fake"))
    content = out.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) // 2, before[1]))
    try:
        with pytest.raises(InputError, match="what is in it stays"):
            writer.drop(["/p/3.png"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert out.read_bytes() == content
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    writer.drop(["/p/3.png"])
    writer.close()
    assert len(read_back(out)) == 49


def test_a_job_resumes_from_another_folder(
    filled: Engine, shots: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "c.json"
    (shots / "bad.png").unlink()
    monkeypatch.chdir(tmp_path)
    job(filled, Path("shots"), out, f"coco:{document}")
    monkeypatch.chdir(tmp_path / "known")
    started, records = job(filled, Path("../shots"), out, f"coco:{document}")
    assert (started.pictures, records) == (0, [])
    assert sorted(one.path for one in read_back(out)) == [shots / f"{n}.png" for n in range(3)]
    images = json.loads(document.read_bytes())["images"]
    assert [shots / one["file_name"] for one in images] == [shots / f"{n}.png" for n in range(3)]


def test_a_job_begun_with_relative_paths_resumes_in_the_same_folder(
    filled: Engine, shots: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job(filled, Path("shots"), out)
    content = out.read_bytes()
    # So stood paths in files of earlier versions.
    out.write_bytes(content.replace(os.fsencode(f"{tmp_path}/"), b""))
    assert out.stat().st_size < len(content)
    started, _ = job(filled, Path("shots"), out)
    assert (started.pictures_done, started.failed_before) == (3, 1)


def by_excel(content: bytes) -> bytes:
    """As Excel saves a table: its mark, its line ends, nothing for empty cells at a row's end."""
    lines = [line.rstrip(b",") for line in content.splitlines()]
    return b"\r\n".join(lines) + b"\r\n"


def by_libreoffice(content: bytes) -> bytes:
    """As LibreOffice saves one: no mark, and every text in quotes."""
    table = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(table)
    return text.getvalue().encode()


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def table_of(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def with_empty_cells(content: bytes) -> bytes:
    """As spreadsheets save one where somebody was in the cells around it."""
    rows = [[*row, "", ""] for row in rows_of(content)]
    return table_of([*rows, [""] * len(rows[0]), []])


def sorted_by_name(content: bytes) -> bytes:
    header, *rows = rows_of(content)
    return table_of([header, *sorted(rows, key=lambda row: (row[13], row[5], row[0]))])


@pytest.mark.parametrize(
    "spreadsheet", [by_excel, by_libreoffice, with_empty_cells, sorted_by_name]
)
def test_a_job_resumes_in_a_table_that_a_spreadsheet_saved(
    filled: Engine, shots: Path, tmp_path: Path, spreadsheet: Callable[[bytes], bytes]
) -> None:
    out = tmp_path / "out.csv"
    job(filled, shots, out)
    content = out.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfpath,")
    before = records_in(out)
    out.write_bytes(spreadsheet(content))
    assert out.read_bytes() != content
    assert records_in(out) == before
    write_picture(shots / "new.png", Square(20, 20, 60, BLUE))
    started, _ = job(filled, shots, out)
    assert (started.pictures_done, started.pictures) == (3, 2)
    assert records_in(out).keys() == before.keys() | {"new.png"}


def test_a_picture_whose_row_somebody_took_away_is_labelled_again_and_stands_once(
    filled: Engine, shots: Path, tmp_path: Path
) -> None:
    write_picture(shots / "both.png", Square(10, 10, 50, BLUE), Square(90, 30, 50, RED))
    out = tmp_path / "out.csv"
    job(filled, shots, out)
    before = sorted(map(tuple, rows_of(out.read_bytes())))
    header, *rows = rows_of(out.read_bytes())
    first = next(row for row in rows if row[0].endswith("both.png"))
    assert first[4] == "2"
    kept = [row for row in rows if row is not first]
    # One order has its other row at the end, as if a kill had cut it short.
    for order in (kept, sorted(kept, key=lambda row: row[0].endswith("both.png"))):
        out.write_bytes(table_of([header, *order]))
        job(filled, shots, out)
        assert sorted(map(tuple, rows_of(out.read_bytes()))) == before


def test_a_table_in_another_encoding_is_refused_with_the_cure(
    filled: Engine, shots: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    job(filled, shots, out)
    content = out.read_bytes().decode("utf-8-sig").replace("1.png", "é.png")
    for encoding in ("cp1252", "utf-16"):
        saved = content.encode(encoding)
        out.write_bytes(saved)
        with pytest.raises(InputError, match="is not in UTF-8; save it with commas and in UTF-8"):
            job(filled, shots, out)
        assert out.read_bytes() == saved
    out.write_bytes(content.replace(",", "\t").encode())
    with pytest.raises(InputError, match="has tabs between its columns"):
        job(filled, shots, out)


def test_a_table_with_semicolons_is_refused_with_the_cure(
    filled: Engine, shots: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    job(filled, shots, out)
    out.write_bytes(out.read_bytes().replace(b",", b";"))
    with pytest.raises(InputError, match="has semicolons between its columns; save it with commas"):
        job(filled, shots, out)
