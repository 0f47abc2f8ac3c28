"""Tables in terminals: whole in wide ones, paragraphs in narrow ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest

from gallery.cli import show

COLUMNS = ("character", "verdict", "nearest")
ROWS = [("Momo Ibuki", "sure", "Momo Ibuki 0.213, Pim 0.874, Rei Ayanami 0.912"), ("Pim", "-", "")]

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")

Shown = Callable[[int, Sequence[str], Sequence[Sequence[str]]], list[str]]


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Print a table in a terminal of so many columns, of a kind that nobody knows."""

    def lines(width: int, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.delenv("TERM", raising=False)
        monkeypatch.setenv("NO_COLOR", "1")
        show.table(columns, rows)
        return [line.rstrip() for line in ESCAPE.sub("", capsys.readouterr().out).splitlines()]

    return lines


def test_in_a_narrow_terminal_each_row_is_a_paragraph(shown: Shown) -> None:
    assert shown(40, COLUMNS, ROWS) == [
        "Momo Ibuki",
        "  verdict  sure",
        "  nearest  Momo Ibuki 0.213, Pim 0.874,",
        "           Rei Ayanami 0.912",
        "Pim",
        "  verdict  -",
        "  nearest",
    ]


def test_in_a_wide_terminal_it_is_a_table(shown: Shown) -> None:
    heading, first, *_ = shown(80, COLUMNS, ROWS)
    assert heading.split() == list(COLUMNS)
    assert first.startswith("Momo Ibuki  sure     Momo Ibuki 0.213")


def test_what_fits_stays_a_table(shown: Shown) -> None:
    assert shown(40, COLUMNS[:2], [row[:2] for row in ROWS])[1] == "Momo Ibuki  sure"
