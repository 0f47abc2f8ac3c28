"""Labelling into a file: whatever cuts it short, the rest is done and nothing twice."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import Square, write_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import label

from gallery.engine.engine import Engine
from gallery.errors import InputError
from gallery.output.csv_table import COLUMNS
from gallery.output.records import as_json, to_line
from gallery.output.resume import open_writer, remaining
from gallery.types import Answer, Box, Face, Match, Quality, Record, Verdict

SUFFIXES = ("jsonl", "csv")

KNOWN = Answer(
    Face(Box(-3.2, 4.6, 50.2, 500.0), 0.98765432),
    Verdict.SURE,
    '綾波, "レイ"',
    0.123456789,
    (Match('綾波, "レイ"', 0.123456789), Match("Asuka", 0.5)),
    Quality(size=53.4, sharpness=0.8, roll=-18.0, frontal=0.5, cut=0.25),
)
UNKNOWN = Answer(Face(Box(1, 2, 3, 4), 1.0), Verdict.UNKNOWN, None, None, ())

ODD_NAMES = [
    "plain.png",
    "two\nlines.png",
    "carriage\rreturn.png",
    "both\r\nends.png",
    "a,b;c.png",
    "'single' and \"double\".png",
    '"',
    "綾波 レイ.png",
    "e\u0301 😀 \u2028 \x85 \x0b.png",
    " leading and trailing ",
    os.fsdecode(b"\xff\xfe no text.png"),
    "tab\tand\x1bescape.png",
]


def record(path: str, *answers: Answer, error: str | None = None) -> Record:
    if error is not None:
        return Record(Path(path), None, None, "fake", error=error)
    return Record(Path(path), 100, 80, "fake", answers)


RECORDS = [
    record("/p/1.png", KNOWN),
    record("/p/綾\n波.png", KNOWN, UNKNOWN, KNOWN),
    record("/p/none.png"),
    record('/p/a,"b".png', error='/p/a,"b".png is damaged:\nsecond line.'),
    record("/p/5.png", UNKNOWN, KNOWN),
    record("/p/6.png"),
]


SHORT = [
    record("/p/綾\n.png", UNKNOWN, UNKNOWN),
    record('/p/a,".png', error="is\nbad."),
    record("/p/3.png"),
]


def write(path: Path, records: list[Record]) -> None:
    writer = open_writer(path, "fake")
    for one in records:
        writer.write(one)
    writer.close()


def go_on(path: Path, records: list[Record]) -> None:
    """Do what a job that is run again does."""
    writer = open_writer(path, "fake")
    left = set(remaining([one.path for one in records], writer))
    for one in records:
        if one.path in left:
            writer.write(one)
    writer.close()


@pytest.fixture(params=SUFFIXES)
def output(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / "出力" / f"out.{request.param}"


def test_records_are_written_and_read_back(output: Path) -> None:
    write(output, RECORDS)
    writer = open_writer(output, "fake")
    assert writer.done == {str(one.path) for one in RECORDS}
    writer.close()
    assert output.read_bytes().endswith(b"\n")
    text = output.read_text(encoding="utf-8")
    if output.suffix == ".jsonl":
        assert [json.loads(line) for line in text.split("\n")[:-1]] == [
            as_json(one) for one in RECORDS
        ]
        assert "綾波" in text
    else:
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
        assert list(rows[0]) == list(COLUMNS)
        assert [row["path"] for row in rows[:4]] == ["/p/1.png"] + ["/p/綾\n波.png"] * 3
        assert [row["face"] for row in rows[1:4]] == ["1", "2", "3"]
        assert {row["faces"] for row in rows[1:4]} == {"3"}
        assert rows[0]["character"] == '綾波, "レイ"'
        assert [rows[0][side] for side in ("left", "top", "right", "bottom")] == [
            "0", "5", "50", "80",
        ]  # fmt: skip
        assert [row["quality"] for row in rows[:3]] == ["0.405", "0.405", ""]
        assert rows[4]["faces"] == "0"
        assert rows[5]["error"].endswith("second line.")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_cut_at_any_byte_is_gone_on_with_as_if_it_never_was(
    suffix: str, tmp_path: Path
) -> None:
    whole = tmp_path / f"whole.{suffix}"
    write(whole, SHORT)
    content = whole.read_bytes()
    path = tmp_path / f"cut.{suffix}"
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        go_on(path, SHORT)
        assert path.read_bytes() == content, length


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=40)
@given(cuts=st.lists(st.floats(0, 1), max_size=4))
def test_a_job_cut_short_again_and_again_comes_to_the_same_end(
    suffix: str, tmp_path_factory: pytest.TempPathFactory, cuts: list[float]
) -> None:
    folder = tmp_path_factory.mktemp("cuts")
    write(folder / f"whole.{suffix}", RECORDS)
    path = folder / f"cut.{suffix}"
    for cut in cuts:
        go_on(path, RECORDS)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * cut)])
    go_on(path, RECORDS)
    assert path.read_bytes() == (folder / f"whole.{suffix}").read_bytes()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_picture_is_known_again_whatever_its_name(output: Path, name: str) -> None:
    paths = [Path(f"/p/{name}"), Path("/p/next.png")]
    records = [record(str(paths[0]), KNOWN, KNOWN), record(str(paths[1]), error=f"{name} is bad.")]
    write(output, records)
    content = output.read_bytes()
    writer = open_writer(output, "fake")
    assert writer.done == {str(path) for path in paths}
    assert remaining(paths, writer) == []
    writer.close()
    assert output.read_bytes() == content


@settings(max_examples=60)
@given(
    names=st.lists(
        st.text(st.characters(exclude_characters="\0/"), min_size=1), min_size=1, max_size=4,
        unique=True,
    ),
    cut=st.floats(0, 1),
    suffix=st.sampled_from(SUFFIXES),
)  # fmt: skip
def test_names_of_any_letters_survive_a_cut(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], cut: float, suffix: str
) -> None:
    names = [name for name in names if os.fsencode(name.encode("utf-8", "replace").decode())]
    records = [record(f"/p/{row}{name}", KNOWN, UNKNOWN) for row, name in enumerate(names)]
    folder = tmp_path_factory.mktemp("names")
    write(folder / f"whole.{suffix}", records)
    content = (folder / f"whole.{suffix}").read_bytes()
    path = folder / f"cut.{suffix}"
    path.write_bytes(content[: int(len(content) * cut)])
    go_on(path, records)
    assert path.read_bytes() == content


FOREIGN = [
    b"Dear diary,\n",
    b"no line end",
    b"\n",
    b"a,b,c\n1,2,3\n",
    b'{"some": "json"}\n',
    b"[1, 2]\n",
    b'"text"\n',
    b"3\n",
    b"\xff\xfe\x00binary\x00\n\x00",
    b'{"path": "/p/1.png", "encoder": "fake"}\nDear diary\n',
    b'{"path": "/p/1.png", "encoder": "fake"}\nDear diary',
    ",".join(COLUMNS).encode() + b"\nDear diary\n",
    ",".join(COLUMNS).encode() + b"\n" + b",".join([b"x"] * len(COLUMNS)) + b"\n",
    ",".join(COLUMNS).encode() + b'\n/p/1.png,1,1,fake,0,,,,,,,,,,,\n"a"b,1\n/p/2.png,more\n',
    b"\xef\xbb\xbf" + ";".join(COLUMNS).encode() + b"\n",
]


@pytest.mark.parametrize("content", FOREIGN, ids=range(len(FOREIGN)))
def test_a_file_of_somebody_elses_is_refused_and_stays(output: Path, content: bytes) -> None:
    output.parent.mkdir()
    output.write_bytes(content)
    with pytest.raises(InputError, match="name another output file"):
        open_writer(output, "fake")
    assert output.read_bytes() == content
    # It is let go of, too.
    with output.open("rb+") as file:
        pytest.importorskip("fcntl").flock(file, 6)


def test_a_table_of_an_older_version_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    older = [column for column in COLUMNS if column != "quality"]
    (tmp_path / "out.csv").write_text(",".join(older) + "\n")
    with pytest.raises(InputError, match="another version of gallery, without the column quality"):
        open_writer(tmp_path / "out.csv", "fake")


def test_another_encoders_records_are_refused_and_stay(output: Path) -> None:
    write(output, RECORDS)
    content = output.read_bytes()
    with pytest.raises(InputError, match="records of the encoder fake, not another"):
        open_writer(output, "another")
    assert output.read_bytes() == content


def test_a_file_that_is_being_written_is_refused(output: Path) -> None:
    pytest.importorskip("fcntl")
    writer = open_writer(output, "fake")
    writer.write(RECORDS[0])
    with pytest.raises(InputError, match="being written by another process"):
        open_writer(output, "fake")
    writer.write(RECORDS[1])
    writer.close()
    again = open_writer(output, "fake")
    assert len(again.done) == 2
    again.close()


def test_outputs_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ends in none of \.jsonl, \.csv"):
        open_writer(tmp_path / "out.txt", "fake")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        open_writer(tmp_path / "folder.csv", "fake")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        open_writer(tmp_path / "file" / "out.csv", "fake")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_device_is_no_file_to_go_on_with(tmp_path: Path) -> None:
    link = tmp_path / "labels.jsonl"
    link.symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"labels\.jsonl is a device or a pipe; give the path"):
        open_writer(link, "fake")
    assert link.is_symlink()


def test_a_suffix_in_capitals_is_one_too(tmp_path: Path) -> None:
    write(tmp_path / "OUT.CSV", RECORDS)
    assert (tmp_path / "OUT.CSV").read_bytes().startswith(b"\xef\xbb\xbfpath,width")


@pytest.fixture
def limited() -> Iterator[Callable[[int], None]]:
    """Limits the size of files as a full disk would, until the test ends."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 1, 30, 100])
def test_a_full_disk_is_an_error_and_what_was_written_stays(
    output: Path, limited: Callable[[int], None], room: int
) -> None:
    write(output, RECORDS[:2])
    kept = output.read_bytes()
    writer = open_writer(output, "fake")
    limited(len(kept) + room)
    with pytest.raises(InputError, match="what is in it stays, run it again"):
        writer.write(RECORDS[4])
    # Nothing of it is there, and nothing comes when there is room again.
    assert output.read_bytes() == kept
    limited(10**9)
    writer.close()
    assert output.read_bytes() == kept
    go_on(output, RECORDS)
    write(output.with_name(f"whole{output.suffix}"), RECORDS)
    assert output.read_bytes() == output.with_name(f"whole{output.suffix}").read_bytes()


def test_paths_are_the_same_however_they_are_written(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(output, [record("pictures/1.png"), record(str(tmp_path / "2.png"))])
    writer = open_writer(output, "fake")
    asked = [tmp_path / "pictures" / "1.png", Path("2.png"), Path("./x/../2.png"), Path("3.png")]
    assert remaining(asked, writer) == [Path("3.png")]
    writer.close()


def test_a_job_labels_what_it_can_and_notes_what_it_cannot(
    filled: Engine, output: Path, tmp_path: Path
) -> None:
    paths = [
        write_picture(tmp_path / "new" / "asuka.png", Square(40, 30, 70, (210, 20, 20)), seed=5),
        write_picture(
            tmp_path / "new" / "both.png",
            Square(5, 5, 60, (210, 20, 20)), Square(90, 40, 50, (20, 20, 210)), seed=6,
        ),
        write_picture(tmp_path / "new" / "nobody.png", seed=7),
        tmp_path / "new" / "missing.png",
        tmp_path / "new" / "text.png",
    ]  # fmt: skip
    paths[-1].write_text("This is text.")
    writer = open_writer(output, "fake")
    records = []
    for one in label(filled, paths, writer):
        records.append(one)
        # What was yielded is in the file.
        assert str(one.path).encode() in output.read_bytes()
        if len(records) == 2:
            break
    writer.close()
    writer = open_writer(output, "fake")
    records += label(filled, remaining(paths, writer), writer)
    writer.close()
    assert [one.path for one in records] == paths
    assert [[face.character for face in one.faces] for one in records] == [
        ["Asuka"], ["Asuka", "Rei"], [], [], [],
    ]  # fmt: skip
    assert [one.error is None for one in records] == [True, True, True, False, False]
    writer = open_writer(output, "fake")
    assert remaining(paths, writer) == []
    writer.close()


@given(text=st.text())
def test_a_record_is_one_line_that_is_text_and_comes_back(text: str) -> None:
    values = as_json(record("/p/x.png", KNOWN)) | {"path": text}
    line = to_line(values)
    line.encode("utf-8")
    assert "\n" not in line
    assert "\r" not in line
    assert json.loads(line) == values
