"""What a command does not need it does not load: nothing is timed here, only looked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import environment
from fakes import FakeDetector, FakeEncoder, Square, draw, write_picture

from gallery.faces.align import EyeAligner
from gallery.faces.describe import Describer, LateEncoder
from gallery.faces.interfaces import Encoder
from gallery.types import DIMENSION, Image

LOOK = "import atexit, sys; atexit.register(lambda: print(*sys.modules)); "
RUN = "from gallery.cli import main; main()"
HEAVY = frozenset(
    ("PIL", "alembic", "animeface", "cv2", "dlib", "faiss", "onnx", "onnxruntime", "sqlalchemy")
)


def loaded(*words: str | Path, database: Path) -> set[str]:
    """Run a command in a process of its own and return the top-level modules it has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK + RUN, *map(str, words)],
        env=environment(database),
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["enroll", "--help"]])
def test_help_loads_no_library_that_works_on_pictures(words: list[str], tmp_path: Path) -> None:
    modules = loaded(*words, database=tmp_path / "gallery.db")
    assert "typer" in modules
    assert modules & (HEAVY | {"numpy", "rich"}) == set()


def test_a_file_loads_no_module_of_servers() -> None:
    """An index said for PostgreSQL in tables.py would load all its drivers' modules."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK + "import gallery.engine.assemble, gallery.store.writer"],
        capture_output=True,
        text=True,
        check=True,
    )
    modules = set(done.stdout.splitlines()[-1].split())
    assert "sqlalchemy.dialects.sqlite" in modules
    assert not modules & {"sqlalchemy.dialects.postgresql", "psycopg", "gallery.store.server"}


@pytest.mark.slow
def test_names_are_looked_after_without_a_network(tmp_path: Path) -> None:
    database = tmp_path / "gallery.db"
    write_picture(tmp_path / "folder" / "Rin" / "1.png", Square(10, 10, 60))
    assert loaded("enroll", tmp_path / "folder", "--cropped", database=database) >= {"onnxruntime"}
    for words in (["characters", "--json"], ["enroll", tmp_path / "folder", "--cropped"]):
        modules = loaded(*words, database=database)
        assert "sqlalchemy" in modules
        assert modules & (HEAVY - {"sqlalchemy"}) == set(), words


def test_a_late_encoder_is_opened_once_and_for_a_face() -> None:
    opened: list[Encoder] = []

    def open_encoder() -> Encoder:
        opened.append(FakeEncoder())
        return opened[-1]

    describer = Describer(FakeDetector(), EyeAligner(), LateEncoder("fake", open_encoder))
    assert describer.encoder.id == "fake"
    assert describer.describe_all(Image(draw(), "nobody", Path("nobody.png"))) == []
    assert opened == []
    image = Image(draw(Square(10, 10, 60)), "face", Path("face.png"))
    (first,), (second,) = describer.describe_all(image), describer.describe_all(image)
    assert first.descriptor.shape == (DIMENSION,)
    np.testing.assert_array_equal(first.descriptor, second.descriptor)
    assert len(opened) == 1
