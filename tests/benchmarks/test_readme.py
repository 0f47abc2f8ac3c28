"""README's table of accuracy is what the newest results say."""

from __future__ import annotations

from benchmarks import readme, results
from benchmarks.results import Printed


def test_readme_says_what_was_measured_last() -> None:
    page = readme.README.read_text(encoding="utf-8")
    assert readme.filled(page, results.newest()) == page


def test_a_share_and_its_interval_are_read_as_they_are_printed() -> None:
    assert readme.percent("0.941 (0.917-0.961)") == "94 %"
    assert readme.percent("95.2% (92.7%-97.4%)") == "95 %"
    assert readme.interval("0.0060 (0.0028-0.0103)", 1) == "0.6 % (0.3-1.0)"


def test_a_column_is_found_by_its_title() -> None:
    line = f"| figure | N | one | {readme.GALLERY} |"
    printed = Printed("2026-01-01", "x", (line, "|---|---|---|---|", "| rank-1 | 7 | 0.1 | 0.9 |"))
    assert results.cell(printed, "rank-1", results.column(printed, readme.GALLERY)) == "0.9"
