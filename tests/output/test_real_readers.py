"""What other programs make of what gallery writes, where they are installed."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from fakes import write_picture

from gallery.output import registry
from gallery.output.format import CaptionPlace, OutputOptions
from gallery.output.outputs import open_outputs
from gallery.output.resume import open_writer
from gallery.types import Answer, Box, Face, Match, Record, Verdict

NAMES = ["日向ソラ", 'Rei "00", Ayanami', "=SUM(A1:A9)", "Chloé; Marchand"]


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    return [write_picture(tmp_path / "shots" / f"{row}.png", seed=row) for row in range(len(NAMES))]


def record(path: Path, *names: str) -> Record:
    faces = tuple(
        Answer(Face(Box(10, 10, 50, 60), 0.9), Verdict.SURE, name, 0.25, (Match(name, 0.25),))
        for name in names
    )
    return Record(path, 160, 120, "fake", faces, digest="0" * 64)


def write(pictures: list[Path], out: Path, *wanted: str, options: OutputOptions) -> None:
    outputs = open_outputs(
        open_writer(out, "fake"),
        [registry.output_spec(one) for one in wanted],
        paths=[pictures[0].parent],
        encoder="fake",
        options=options,
    )
    for path, name in zip(pictures, NAMES, strict=True):
        outputs.write(record(path, name))
    assert outputs.not_written == []
    outputs.close()


@pytest.fixture
def table(pictures: list[Path], tmp_path: Path) -> Path:
    write(pictures, tmp_path / "out.csv", options=OutputOptions())
    return tmp_path / "out.csv"


def test_pandas_reads_the_table(table: Path, pictures: list[Path]) -> None:
    pandas = pytest.importorskip("pandas")
    found = pandas.read_csv(table)
    assert [name.removeprefix("'") for name in found["character"]] == NAMES
    assert list(found["path"]) == [str(path) for path in pictures]
    assert found["distance"].tolist() == [0.25] * len(NAMES)


def test_libreoffice_reads_the_table_and_a_job_resumes_in_what_it_saves(
    table: Path, tmp_path: Path
) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed; Debian has it in libreoffice-calc-nogui")
    home = f"-env:UserInstallation={(tmp_path / 'home').as_uri()}"
    subprocess.run(
        [office, home, "--headless", "--convert-to", "csv", "--outdir", tmp_path / "saved", table],
        check=True,
        capture_output=True,
        timeout=120,
    )
    saved = tmp_path / "saved" / "out.csv"
    with saved.open(newline="", encoding="utf-8-sig") as file:
        assert [row["character"].removeprefix("'") for row in csv.DictReader(file)] == NAMES
    writer = open_writer(saved, "fake")
    assert len(writer.done) == len(NAMES)
    assert [one.faces[0].character for one in writer.records()] == NAMES
    writer.close()


def test_label_studio_takes_the_tasks(pictures: list[Path], tmp_path: Path) -> None:
    # No dependency of the tests: it wants an older NumPy than the others take.
    interface = pytest.importorskip("label_studio_sdk.label_interface")
    target = tmp_path / "tasks.json"
    write(pictures, tmp_path / "out.jsonl", f"label-studio:{target}", options=OutputOptions())
    labels = "".join(f"<Label value={quoteattr(name)}/>" for name in NAMES)
    config = interface.LabelInterface(
        '<View><Image name="image" value="$image"/>'
        f'<RectangleLabels name="label" toName="image">{labels}</RectangleLabels></View>'
    )
    tasks = json.loads(target.read_text(encoding="utf-8"))
    assert len(tasks) == len(NAMES)
    for task in tasks:
        (prediction,) = task["predictions"]
        assert config.validate_prediction(prediction, return_errors=True) == []


def first_line_as_kohya_reads_it(path: Path) -> list[str]:
    """As train_util.read_caption does: the first line, stripped; tags are parted by commas."""
    with path.open("rt", encoding="utf-8") as file:
        lines = file.readlines()
    return [tag.strip() for tag in lines[0].strip().split(",")]


@pytest.mark.parametrize("place", list(CaptionPlace))
def test_kohyas_trainer_finds_names_where_it_reads(
    pictures: list[Path], tmp_path: Path, place: CaptionPlace
) -> None:
    for path in pictures:
        path.with_suffix(".txt").write_text("1girl, solo\nblue sky\n", encoding="utf-8")
    options = OutputOptions(caption_place=place)
    write(pictures, tmp_path / "out.jsonl", "captions", options=options)
    tags = first_line_as_kohya_reads_it(pictures[0].with_suffix(".txt"))
    at = 0 if place is CaptionPlace.FRONT else -1
    assert tags[at] == NAMES[0]
    assert set(tags) == {"1girl", "solo", NAMES[0]}
