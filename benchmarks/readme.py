"""Fills README's two tables from the newest results: `python -m benchmarks.readme`.

Each part's results are what it printed last with --keep, see results.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from benchmarks.results import Printed, cell, column, found, newest
from benchmarks.timing import ROOT
from gallery.system.files import replace_file

README = ROOT / "README.md"

BLOCK = re.compile(r"(<!-- results: (\w+) -->\n).*?(<!-- /results -->)", re.DOTALL)

SHARE = re.compile(r"(\d\.\d+|\d+\.\d+%)")
"""A share as a part prints it: 0.941 or 94.1%."""

GALLERY, HISTOGRAM, PHOTOGRAPHS = "anime-ensemble, cut by heads", "HSV histogram", "stand-in, raw"


def main() -> None:
    """Write the tables into README."""
    page = README.read_text(encoding="utf-8")
    replace_file(README, filled(page, newest()).encode())


def filled(page: str, printed: Mapping[str, Printed]) -> str:
    """Return a page with its tables between their marks.

    A table stays as it is while one of its parts was never kept. Raises KeyError for a figure that
    a part did not print.
    """

    def table(block: re.Match[str]) -> str:
        first, parts, rows = TABLES[block[2]]
        if not printed.keys() >= parts:
            return block[0]
        lines = [f"| {first} | gallery | compared with |", "|---|---|---|", *rows(printed)]
        return block[1] + "\n".join(lines) + "\n" + block[3]

    return BLOCK.sub(table, page)


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


def speed_rows(printed: Mapping[str, Printed]) -> list[str]:
    """Return the rows of the table as Markdown."""

    def milliseconds(way: str) -> str:
        return f"{float(cell(printed['detection'], way, 1, below='way')):.3g} ms"

    def alone(name: str) -> str:
        pattern = rf"batch  1: .*?\b{name} ([\d.]+)"
        return f"{float(found(printed, 'encoding', pattern)):.0f}"

    def labelled(way: str) -> str:
        return f"{float(cell(printed['labelling'], way, 1)):.2g}"

    def nearest(title: str) -> str:
        at = column(printed["search"], title)
        return f"{float(cell(printed['search'], '1,000,000', at).split()[0]):.2g} ms"

    def an_hour(way: str) -> str:
        at = column(printed["video"], "minutes an hour")
        return f"{float(cell(printed['video'], way, at)):.1f} minutes"

    def cold(process: str) -> str:
        return f"{float(cell(printed['startup'], process, 1)) / 1000:.2f} s"

    many = found(printed, "memory", r"over ([\d,]+) pictures")
    pace = float(found(printed, "memory", r"([\d.]+) pictures/s"))
    memory = found(printed, "memory", r"peak to the end (\d+) MiB")
    return [
        "| find the heads in a 1920x1080 picture | "
        f"{milliseconds('heads, all cores')} | animeface {milliseconds('animeface')}, "
        f"FaceBoxes {milliseconds('FaceBoxes, all cores')} |",
        f"| descriptors a second, one face at a time | {alone('anime-ensemble')}; "
        f"`anime-lite` {alone('anime-lite')} | dlib {alone('dlib')} |",
        f"| label {many} pictures of 640x360 | {pace:.0f} pictures a second, "
        f"{memory} MiB of memory | - |",
        "| label 1920x1080 JPEGs with the encoder `anime` | "
        f"{labelled('gallery, heads')} pictures a second | "
        f"""the original project's way {labelled("original's way")} |""",
        f"| find the nearest of 1,000,000 descriptors | {nearest('index')} | "
        f"NumPy {nearest('scan')} |",
        f"| an hour of video | {an_hour('label')} | "
        f"decoding and cuts alone {an_hour('decode and cut, as labelling does')} |",
        f"| `gallery identify` of a picture, from a cold start | {cold('gallery identify')} | "
        f"importing what it needs {cold('import all that identify needs')} |",
    ]


TABLES: dict[str, tuple[str, frozenset[str], Callable[[Mapping[str, Printed]], list[str]]]] = {
    "accuracy": (
        "figure",
        frozenset(("accuracy", "openset-joint", "openset-checked", "detection")),
        accuracy_rows,
    ),
    "speed": (
        "what",
        frozenset(("detection", "encoding", "memory", "labelling", "search", "video", "startup")),
        speed_rows,
    ),
}
"""What stands between a pair of marks: the title of its first column, the parts, and its rows."""


def percent(shown: str, digits: int = 0) -> str:
    """Return the first share in a cell as whole per cent, or with so many digits."""
    return f"{_shares(shown)[0]:.{digits}f} %"


def interval(shown: str, digits: int) -> str:
    """Return a share with its interval, all in per cent, of a cell such as 0.68 (0.60-0.76)."""
    value, low, high = _shares(shown)
    return f"{value:.{digits}f} % ({low:.{digits}f}-{high:.{digits}f})"


def _shares(shown: str) -> list[float]:
    """Return the shares in a cell, in per cent."""
    shares = SHARE.findall(shown)
    return [float(one[:-1]) if one.endswith("%") else float(one) * 100 for one in shares]


if __name__ == "__main__":
    main()
