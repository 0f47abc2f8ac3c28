"""Shells complete commands and options, as `gallery --show-completion` tells them to ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import run


def completed(words: str, place: int, folder: Path) -> list[str]:
    asked = {
        "_GALLERY_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(place),
    }
    return run(cwd=folder, database=folder / "gallery.db", extra=asked).stdout.split()


@pytest.mark.parametrize(
    ("words", "place", "expected"),
    [
        ("gallery rel", 1, ["relabel"]),
        ("gallery identify --min-", 2, ["--min-face", "--min-quality"]),
        ("gallery identify --match v", 3, ["vote"]),
    ],
)
def test_a_shell_is_told_what_may_come_next(
    words: str, place: int, expected: list[str], tmp_path: Path
) -> None:
    assert completed(words, place, tmp_path) == expected


def test_the_script_for_a_shell_asks_the_command(tmp_path: Path) -> None:
    # Otherwise the shell that the tests run in is asked about.
    extra = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    for shell in ("bash", "zsh", "fish"):
        words = ("--show-completion", shell)
        done = run(*words, cwd=tmp_path, database=tmp_path / "gallery.db", extra=extra)
        assert "_GALLERY_COMPLETE" in done.stdout
        assert not (tmp_path / "gallery.db").exists()
