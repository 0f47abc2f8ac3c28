"""Files of records that hold something else: refused by one sentence, whatever it is."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gallery.errors import BadOutput, InputError
from gallery.output import registry
from gallery.output.csv_table import COLUMNS
from gallery.output.format import Output
from gallery.output.resume import open_writer
from gallery.types import Answer, Box, Face, Match, Quality, Record, Verdict, VideoEnd, VideoRecord

PICTURE = Record(
    Path("a.png"),
    160,
    120,
    "fake",
    (
        Answer(
            Face(Box(30.0, 20.0, 80.0, 70.0), 0.9),
            verdict=Verdict.SURE,
            character="Rei",
            distance=0.1,
            matches=(Match("Rei", 0.1),),
            quality=Quality(50.0, 0.5, None, 0.5, 0.0),
        ),
    ),
    digest="a" * 64,
)
VIDEO = VideoRecord(
    Path("b.mkv"), 160, 120, "fake", part=VideoEnd(1, 1, 2.5), asked=(0.0, None, 1.0)
)

Edit = Callable[[dict[str, Any]], object]


def written(path: Path) -> Path:
    with closing(open_writer(path, "fake")) as records:
        records.write(PICTURE)
        records.write(VIDEO)
    return path


def use(path: Path) -> None:
    """Do what labelling does with a file that it goes on with."""
    with closing(open_writer(path, "fake")) as records:
        list(records.records())
        records.drop(["a.png"])


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_what_is_sound_is_gone_on_with(tmp_path: Path, name: str) -> None:
    use(written(tmp_path / name))


@pytest.mark.parametrize(
    "edit",
    [
        lambda one: one.update(path=["a"]),
        lambda one: one.update(path=None),
        lambda one: one.update(path="a\0b"),
        lambda one: one.update(encoder=["fake"]),
        lambda one: one.update(digest={}),
        lambda one: one.update(error=[1]),
        lambda one: one.update(width="wide"),
        lambda one: one.update(width=True),
        lambda one: one.update(width=-1),
        lambda one: one.update(height=10**400),
        lambda one: one.update(left_out=1.5),
        lambda one: one.update(faces=7),
        lambda one: one.update(faces=[[]]),
        lambda one: one["faces"][0].update(box=["a", "b", "c", "d"]),
        lambda one: one["faces"][0].update(box=[1, 2, 3]),
        lambda one: one["faces"][0].update(box=[1, 2, 3, float("inf")]),
        lambda one: one["faces"][0].update(box=[1, 2, 3, 10**400]),
        lambda one: one["faces"][0].update(score=float("nan")),
        lambda one: one["faces"][0].update(verdict=["sure"]),
        lambda one: one["faces"][0].update(character=7),
        lambda one: one["faces"][0].update(matches=[None]),
        lambda one: one["faces"][0].update(quality={}),
        lambda one: one["faces"][0].update(quality="good"),
        lambda one: one.pop("faces"),
    ],
)
def test_a_line_with_a_value_of_another_kind(tmp_path: Path, edit: Edit) -> None:
    path = written(tmp_path / "out.jsonl")
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    values = json.loads(first)
    edit(values)
    path.write_text("\n".join([json.dumps(values), *rest]) + "\n", encoding="utf-8")
    with pytest.raises(BadOutput, match="in line 1; name another output file"):
        use(path)


@pytest.mark.parametrize(
    "edit",
    [
        lambda one: one["video"].update(part=["end"]),
        lambda one: one["video"].update(part="middle"),
        lambda one: one["video"].update(shots="many"),
        lambda one: one["video"].update(end=[1]),
        lambda one: one["video"].update(asked=None),
        lambda one: one["video"]["asked"].update(to="end"),
        lambda one: one.update(video=7),
    ],
)
def test_a_line_of_a_video_with_a_value_of_another_kind(tmp_path: Path, edit: Edit) -> None:
    path = written(tmp_path / "out.jsonl")
    first, second = path.read_text(encoding="utf-8").splitlines()
    values = json.loads(second)
    edit(values)
    path.write_text(f"{first}\n{json.dumps(values)}\n", encoding="utf-8")
    with pytest.raises(BadOutput, match="in line 2; name another output file"):
        use(path)


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"path": ' * 100_000, "9" * 5000, "7", "null", '"a"', "[1]", "\0"]
)
def test_a_line_that_is_no_record(tmp_path: Path, line: str) -> None:
    path = written(tmp_path / "out.jsonl")
    path.write_text(f"{line}\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(BadOutput, match="something other than records in line 1"):
        use(path)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("path", "a\0b"),
        ("width", "wide"),
        ("width", "9" * 5000),
        ("height", "-5"),
        ("faces", "9" * 5000),
        ("faces", "9999999"),
        ("faces", "²"),
        ("left", "nan"),
        ("right", "1e999"),
        ("score", "inf"),
        ("verdict", "perhaps"),
        ("distance", "far"),
    ],
)
def test_a_row_with_a_value_of_another_kind(tmp_path: Path, column: str, value: str) -> None:
    path = written(tmp_path / "out.csv")
    with path.open(encoding="utf-8", newline="") as file:
        header, row, *rest = csv.reader(file)
    row[COLUMNS.index(column)] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, row, *rest])
    with pytest.raises(InputError, match=r"^.*out\.csv holds [^\n]*; name another output file\.$"):
        use(path)


@pytest.mark.parametrize("name", ["coco", "label-studio"])
@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b"9" * 5000,
        b"7",
        b"\xff",
        b'{"info": []}',
        b'{"info": {"description": ["Faces labelled by gallery"]}}',
        b'[{"predictions": [{"model_version": 7}]}]',
        b'[{"predictions": [{"model_version": null}]}]',
        b'[{"predictions": 7}]',
    ],
)
def test_a_document_that_gallery_did_not_write_is_kept(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(content)
    with pytest.raises(BadOutput, match="holds something else than gallery wrote"):
        registry.open_writer(name, Output(path, tmp_path, "fake"))
    assert path.read_bytes() == content
