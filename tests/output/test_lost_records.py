"""A file of records that goes while it is written: nothing that is lost is called done."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gallery.errors import LostFile
from gallery.output.record_file import AppendedFile

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there, a file that is open stays where it is"
)


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.touch()
    other.replace(path)


@pytest.mark.parametrize(
    "lose",
    [
        Path.unlink,
        replaced,
        lambda path: shutil.rmtree(path.parent),
        lambda path: path.parent.rename(path.parent.with_name("elsewhere")),
    ],
)
def test_a_file_that_goes_while_it_is_written_is_said(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    path = tmp_path / "out" / "l.jsonl"
    file = AppendedFile(path)
    file.append("one\n")
    lose(path)
    with pytest.raises(LostFile, match="was deleted or replaced while it was in use"):
        file.append("two\n")
    file.close()
