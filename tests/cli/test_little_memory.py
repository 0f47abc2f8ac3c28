"""With little memory a command ends by a sentence: not by a traceback, and not by a signal."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from command import Done, run
from fakes import Square, write_picture

from gallery.system import memory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="other systems hold to no such limit"),
]


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a gallery of one face."""
    folder = tmp_path_factory.mktemp("enrolled")
    write_picture(folder / "album" / "Rei" / "good.png", Square(20, 8, 100))
    done = run("enroll", "album", "--cropped", cwd=folder, database=folder / "gallery.db")
    assert done.code == 0, done.stderr
    return folder


def within(megabytes: int, folder: Path, *words: str) -> Done:
    """Run a command that may take so many addresses."""
    limit = shutil.which("prlimit")
    if limit is None:
        pytest.skip("prlimit of util-linux is not here")
    prefix = [limit, f"--as={megabytes * 10**6}"]
    # Coverage would take memory of its own.
    extra = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}
    return run(*words, cwd=folder, database=folder / "gallery.db", prefix=prefix, extra=extra)


@pytest.mark.parametrize("megabytes", [160, 300, 450, 600])
@pytest.mark.parametrize("command", ["identify", "label"])
def test_a_command_that_wants_more_ends_by_a_sentence(
    enrolled: Path, command: str, megabytes: int
) -> None:
    words = ["--out", f"out-{megabytes}.jsonl"] if command == "label" else []
    done = within(megabytes, enrolled, command, "album", *words)
    assert done.code == 1
    assert done.complaint == memory.SENTENCE


def test_a_command_that_wants_little_works_with_little(enrolled: Path) -> None:
    done = within(300, enrolled, "characters")
    assert (done.code, done.stderr) == (0, "")
    assert "Rei" in done.stdout
