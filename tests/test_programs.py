"""The nine programs of docs/python.md do what the page says."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from command import ROOT, finish, start

from drawing.episode import draw_episode

pytestmark = pytest.mark.slow

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROGRAMS = BLOCK.findall((ROOT / "docs" / "python.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two characters, three screenshots, one of them damaged, and an episode."""
    folder = tmp_path_factory.mktemp("programs")
    for name in ("Chloé Marchand", "Pim"):
        shutil.copytree(ROOT / "data" / "characters" / name, folder / "characters" / name)
    (folder / "characters" / "Pim" / "broken.png").write_text("no picture")
    shutil.copytree(ROOT / "data" / "screenshots", folder / "screenshots")
    (folder / "screenshots" / "broken.png").write_text("no picture")
    draw_episode(folder / "episode.mkv")
    return folder


def output(number: int, place: Path) -> list[str]:
    """What a program prints; those before it have run in the same folder."""
    words = (sys.executable, "-W", "error", "-c", PROGRAMS[number])
    done = finish(start(cwd=place, program=words))
    assert (done.code, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_there_are_nine() -> None:
    assert len(PROGRAMS) == 9


def test_enroll_and_identify(place: Path) -> None:
    assert output(0, place) == [
        "10 pictures added", "sure Chloé Marchand", "sure Pim", "unknown -", "unknown -",
    ]  # fmt: skip


def test_add_one_picture_from_memory(place: Path) -> None:
    assert output(1, place) == ["Pim has sample 1", "True"]


def test_label_with_events(place: Path) -> None:
    started, error = output(2, place)
    assert started == "9 pictures to label, 0 done before"
    assert re.fullmatch(r".*/screenshots/broken\.png is not a picture .*", error)
    assert len((place / "labels.jsonl").read_text(encoding="utf-8").splitlines()) == 9
    caption = place / "captions" / "05-picnic.txt"
    assert caption.read_text(encoding="utf-8").strip() == "Chloé Marchand, Pim"


def test_cluster_and_adopt(place: Path) -> None:
    found, adopted, names = output(3, place)
    assert re.fullmatch(r"cluster \d+ has \d+ faces", found)
    assert adopted.split()[0] == found.split()[3]
    assert names == "['Pim', 'Somebody']"


def test_evaluate(place: Path) -> None:
    assert output(4, place) == ["surely known: 100% (16%-100%) of 10 faces"]


def test_the_program_of_the_guide_to_evaluation(place: Path) -> None:
    guide = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    (program,) = BLOCK.findall(guide)
    words = (sys.executable, "-W", "error", "-c", program)
    done = finish(start(cwd=place, database=place / "my.db", program=words))
    assert (done.code, done.stderr) == (0, "")
    assert any(line.startswith("verdict.known.sure ") for line in done.stdout.splitlines())


def test_harvest_an_episode(place: Path) -> None:
    (said,) = output(5, place)
    clusters = int(said.split()[0])
    assert clusters == len([one for one in (place / "new").iterdir() if one.is_dir()]) > 1


def test_a_plug_in(place: Path) -> None:
    assert output(6, place) == ["kept"]


def test_decide(place: Path) -> None:
    assert output(7, place) == ["confirmed 1 as Chloé Marchand confirmed", "1 face is as before"]


def test_stored_answers(place: Path) -> None:
    doubtful, *rest = output(8, place)
    assert re.fullmatch(r"\d+ of \d+ faces are doubtful", doubtful)
    assert len(rest) <= int(doubtful.split()[0])
