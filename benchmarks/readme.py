"""Fills README's table of accuracy from the newest results: `python -m benchmarks.readme`.

Each part's results are what it printed last with --keep, see results.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from benchmarks.results import Printed, cell, column, newest
from benchmarks.timing import ROOT
from gallery.system.files import replace_file

README = ROOT / "README.md"

BLOCK = re.compile(r"(<!-- results: accuracy -->\n).*?(<!-- /results -->)", re.DOTALL)

SHARE = re.compile(r"(\d\.\d+|\d+\.\d+%)")
"""A share as a part prints it: 0.941 or 94.1%."""

GALLERY, HISTOGRAM, PHOTOGRAPHS = "anime-ensemble, cut by heads", "HSV histogram", "stand-in, raw"


def main() -> None:
    """Write the table into README."""
    page = README.read_text(encoding="utf-8")
    replace_file(README, filled(page, newest()).encode())


def filled(page: str, printed: Mapping[str, Printed]) -> str:
    """Return a page with the table between its marks. Raises KeyError where a figure is missing."""
    rows = ["| figure | gallery | compared with |", "|---|---|---|", *accuracy_rows(printed)]
    return BLOCK.sub(lambda found: found[1] + "\n".join(rows) + "\n" + found[2], page)


def accuracy_rows(printed: Mapping[str, Printed]) -> list[str]:
    """Return the rows of the table as Markdown."""
    encoders = [
        (
            "the right character is nearest (rank-1 against ideals)",
            "rank-1 against ideals, probe left out",
        ),
        ("the same with 5 reference pictures per character", "rank-1, 5 references"),
        (
            "known faces named where 1 % of strangers get a name (TPIR at FPIR 1 %)",
            "TPIR at FPIR 1%, half enrolled with 5",
        ),
    ]
    verdicts = [
        (
            "50 characters, 5 references each, calibrated: known faces `sure` and right",
            "TPIR, calibrated, as asked for",
            0,
        ),
        ("the same: known faces right, `sure` or `unsure`", "TPIR, calibrated, sure or unsure", 0),
        ("the same: strangers that get a `sure` name", "FPIR, all strangers, calibrated", 1),
    ]
    rows = []
    for title, row in encoders:
        own, histogram, photographs = (
            percent(cell(printed["accuracy"], row, column(printed["accuracy"], name)))
            for name in (GALLERY, HISTOGRAM, PHOTOGRAPHS)
        )
        other = f"colour histogram {histogram}, network for photographs of people {photographs}"
        rows.append(f"| {title} | {own} | {other} |")
    for title, row, digits in verdicts:
        joint, alone = (
            interval(cell(printed[name], row, 1), digits)
            for name in ("openset-joint", "openset-checked")
        )
        rows.append(f"| {title} | `relabel` {joint} | `label` {alone} |")
    heads, animeface, faceboxes = (
        percent(cell(printed["detection"], f"{name}, upright", 1))
        for name in ("heads", "animeface", "FaceBoxes")
    )
    rows.append(
        "| heads of 40 pixels and more found, at one wrong box per ten pictures | "
        f"{heads} | animeface {animeface}, FaceBoxes {faceboxes} |"
    )
    return rows


def percent(shown: str, digits: int = 0) -> str:
    """Return the first share in a cell as whole per cent, or with so many digits."""
    return f"{_shares(shown)[0]:.{digits}f} %"


def interval(shown: str, digits: int) -> str:
    """Return a share with its interval, all in per cent, of a cell such as 0.68 (0.60-0.76)."""
    value, low, high = _shares(shown)
    return f"{value:.{digits}f} % ({low:.{digits}f}-{high:.{digits}f})"


def _shares(shown: str) -> list[float]:
    """Return the shares in a cell, in per cent."""
    found = SHARE.findall(shown)
    return [float(one[:-1]) if one.endswith("%") else float(one) * 100 for one in found]


if __name__ == "__main__":
    main()
