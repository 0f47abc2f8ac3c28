"""Detectors of other packages: found by name, and told apart from those that fail."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from command import ROOT, Done, environment, run
from fakes import Square, draw, write_picture

from gallery.errors import SetupError
from gallery.faces import catalog
from gallery.system import plugins
from gallery.types import Box, Image

PAGE = ROOT / "docs" / "detectors.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)

Install = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder in which packages are installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def put(site: Path, package: str, code: str, **detectors: str) -> None:
    """Install a package of one module as pip does: its code, and what it says of itself."""
    (site / f"{package}.py").write_text(code, encoding="utf-8")
    about = site / f"{package}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"{name} = {package}:{factory}" for name, factory in detectors.items()]
    (about / "entry_points.txt").write_text("\n".join(["[gallery.detectors]", *lines, ""]))


@pytest.fixture
def install(site: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs packages where this process sees them; they are forgotten after the test."""
    monkeypatch.syspath_prepend(site)

    def installed(package: str, code: str, **detectors: str) -> None:
        put(site, package, code, **detectors)
        monkeypatch.delitem(sys.modules, package, raising=False)

    return installed


def image() -> Image:
    return Image(draw(Square(5, 5, 70)), "", Path("x.png"))


FACTORY = """
from gallery.types import Box, Face, Landmarks, Point


class Detector:
    name = "theirs@1"

    def detect(self, images):
        {body}
"""


def detector_that(body: str) -> str:
    return FACTORY.format(body=body)


def test_the_package_of_the_documentation_works(install: Install) -> None:
    (code,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    install("gallery_centre", code, centre="CentreDetector")
    assert "centre" in plugins.names("gallery.detectors")
    detector = catalog.detector("centre")
    assert detector.name == "centre@1"
    ((face,),) = detector.detect([image()])
    assert face.box == Box(50, 30, 110, 90)
    assert detector.detect([]) == []


@pytest.mark.slow
def test_it_works_from_the_command_line_and_is_listed(site: Path, tmp_path: Path) -> None:
    code = BLOCK.findall(PAGE.read_text(encoding="utf-8"))[0]
    put(site, "gallery_centre", code, centre="CentreDetector")
    path = write_picture(tmp_path / "album" / "Rin" / "1.png", Square(40, 20, 80))
    database = tmp_path / "gallery.db"
    extra = {"PYTHONPATH": f"{ROOT}:{site}"}
    done = run(
        "enroll", "album", "--detector", "centre", cwd=tmp_path, database=database, extra=extra
    )
    assert (done.code, done.stderr) == (0, "1 picture of 1 character: 1 added.\n")
    done = run("show", "Rin", "--json", cwd=tmp_path, database=database)
    assert json.loads(done.stdout)["box"] == [50, 30, 110, 90]
    words = ("identify", path, "--detector", "centres")
    done = run(*words, cwd=tmp_path, database=database, extra=extra)
    assert done.code == 1
    assert done.complaint == (
        "There is no detector centres; choose heads, animeface, whole, centre or the path of an "
        "ONNX file."
    )
    done = run("doctor", cwd=tmp_path, database=database, extra=extra)
    assert "plug-ins here: centre" in done.stdout


def test_detectors_of_gallery_itself_come_first(install: Install) -> None:
    install("usurper", detector_that("raise RuntimeError"), whole="Detector")
    (faces,) = catalog.detector("whole").detect([image()])
    assert len(faces) == 1


def test_a_name_that_two_packages_bring_is_nobodys(install: Install) -> None:
    for package in ("one_package", "other_package"):
        install(package, detector_that("return [[] for _ in images]"), theirs="Detector")
    with pytest.raises(SetupError, match="one_package and other_package both bring a detector the"):
        catalog.detector("theirs")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import a_module_that_is_not_here", "ModuleNotFoundError: No module named"),
        ("this is no Python", "SyntaxError"),
        (
            "from gallery.detectors.boxes import head_around",
            r"'gallery\.detectors'; gallery\.detectors is gallery\.faces\.detectors now",
        ),
        (
            "from gallery.labelling.output import names_in",
            r"No module named 'gallery\.labelling'; gallery\.labelling is gallery\.output now",
        ),
        ("Other = 1", "AttributeError"),
        ("Detector = 1", "TypeError"),
        ("def Detector():\n    raise ValueError('two\\nlines')", r"\(ValueError: two lines\)"),
        ("def Detector():\n    raise ValueError", r"\(ValueError\)"),
        ("class Detector:\n    name = 'x'", "but is a Detector"),
        ("class Detector:\n    name = 1\n    def detect(self, images): ...", "but is a Detector"),
        ("def Detector(): return None", "but is a NoneType"),
    ],
)
def test_one_that_cannot_be_opened_is_one_sentence(install: Install, code: str, why: str) -> None:
    install("broken_package", code, theirs="Detector")
    with pytest.raises(SetupError, match=why) as raised:
        catalog.detector("theirs")
    assert "The detector theirs of the package broken_package" in str(raised.value)
    assert "\n" not in str(raised.value)
    # The others work, and its name is known.
    assert catalog.detector("whole").name == "whole"
    assert "theirs" in plugins.names("gallery.detectors")


def test_its_own_sentence_is_left_as_it_is(install: Install) -> None:
    code = "from gallery.errors import SetupError\ndef Detector(): raise SetupError('Fetch it.')"
    install("careful_package", code, theirs="Detector")
    with pytest.raises(SetupError, match=r"^Fetch it\.$"):
        catalog.detector("theirs")


@pytest.mark.parametrize(
    "body",
    [
        "raise KeyError('weights')",
        "return None",
        "return []",
        "return [None for _ in images]",
        "return [[(0, 0, 1, 1)] for _ in images]",
        "return [[Face(Box(5, 5, 5, 9), 1.0)] for _ in images]",
        "return [[Face(Box(0, 0, float('nan'), 9), 1.0)] for _ in images]",
        "return [[Face(Box(0, 0, 9, 9), float('inf'))] for _ in images]",
        "return [[Face(Box(0, 0, 9, 9), 'high')] for _ in images]",
        "return [[Face((0, 0, 9, 9), 1.0)] for _ in images]",
        "return [[Face(Box(0, 0, 9, 9), 1.0, Landmarks(Point(1, 1), Point(float('nan'), 1)))]]",
    ],
)
def test_one_that_fails_or_answers_nonsense_is_one_sentence(install: Install, body: str) -> None:
    install("wrong_package", detector_that(body), theirs="Detector")
    detector = catalog.detector("theirs")
    with pytest.raises(SetupError, match=r"theirs of the package wrong_package (failed|gave)"):
        detector.detect([image()])


def test_faces_come_best_first_however_they_were_given(install: Install) -> None:
    body = "return [[Face(Box(0, 0, 9, 9), score) for score in (0.2, 0.9, 0.5)] for _ in images]"
    install("unsorted_package", detector_that(body), theirs="Detector")
    (faces,) = catalog.detector("theirs").detect([image()])
    assert [face.score for face in faces] == [0.9, 0.5, 0.2]


HANGS = """
import threading


def wait(*_):
    threading.Event().wait()


class Encoder:
    from gallery import EncoderCard, Thresholds
    card = EncoderCard("1", 8, Thresholds(0.3, 0.6, 0.05), "MIT")

    def encode(self, heads):
        # Python waits for such a thread before it ends.
        threading.Thread(target=wait).start()
        wait()


class Writer:
    name = "theirs"

    def __init__(self, output): ...

    def write(self, record):
        if record.path.parent.name != "Mai":
            wait()

    close = wait
"""
SAID = r"of the package hanging_package took longer than (0\.5|10) seconds; if it needs longer, set"


def contents(database: Path) -> list[str]:
    """All that a gallery knows of its characters."""
    known = re.compile(r'INSERT INTO "(characters|samples|crops|descriptors|profiles|files)"')
    with closing(sqlite3.connect(database)) as opened:
        return [line for line in opened.iterdump() if known.match(line)]


def test_one_that_never_answers_ends_the_command_and_changes_nothing(
    site: Path, tmp_path: Path
) -> None:
    put(site, "hanging_package", HANGS)
    about = site / "hanging_package-1.0.dist-info" / "entry_points.txt"
    parts = {"detectors": "wait", "encoders": "Encoder", "writers": "Writer"}
    lines = (f"[gallery.{kind}]\ntheirs = hanging_package:{it}\n" for kind, it in parts.items())
    about.write_text("".join(lines))
    write_picture(tmp_path / "album" / "Rin" / "1.png", Square(40, 20, 80))
    write_picture(tmp_path / "album" / "Mai" / "1.png", Square(40, 20, 80, (20, 20, 220)))
    extra = {"PYTHONPATH": f"{ROOT}:{site}", "GALLERY_PLUGIN_SECONDS": "0.5"}
    database = tmp_path / "gallery.db"

    def typed(*words: str) -> Done:
        return run(*words, cwd=tmp_path, database=database, extra=extra)

    assert typed("--detector", "whole", "enroll", "album").code == 0
    before = contents(database)
    assert len(before) == 12
    for words, part in (
        (("--detector", "theirs", "enroll", "album"), "The detector theirs"),
        (("--detector", "theirs", "identify", "album/Rin/1.png"), "The detector theirs"),
        (("--encoder", "theirs", "reencode"), "The encoder theirs"),
        (
            ("--detector", "whole", "--encoder", "theirs", "describe", "album", "--out", "all.npz"),
            "The encoder theirs",
        ),
        (
            ("--detector", "whole", "label", "album", "--out", "all.jsonl", "--write", "theirs"),
            "The output format theirs",
        ),
        (
            ("--detector", "whole", "label", "album/Mai", "--out", "m.jsonl", "--write", "theirs"),
            "The output format theirs",
        ),
    ):
        done = typed(*words)
        assert done.code == 1, (words, done)
        assert re.search(f"{part} {SAID}", done.stderr.splitlines()[-1]), done.stderr
        assert "Traceback" not in done.stderr
    assert contents(database) == before
    assert not (tmp_path / "all.npz").exists()


def test_nothing_is_looked_up_before_a_name_is_asked_for() -> None:
    code = (
        "import sys, gallery.faces.catalog; gallery.faces.catalog.detector('whole'); "
        "print('gallery.system.plugins' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
