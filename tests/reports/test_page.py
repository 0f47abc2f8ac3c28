"""Reports are one file that can be believed: all text escaped, all pictures inside."""

from __future__ import annotations

import base64
import io
import itertools
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as pillow

from gallery.errors import InputError
from gallery.reports.line_chart import Line, Plot, draw
from gallery.reports.page import (
    Picture,
    PictureRow,
    Pictures,
    Report,
    Section,
    Table,
    as_html,
    check_report_path,
    write_report,
)

CROP = np.full((150, 150, 3), (200, 30, 60), dtype=np.uint8)
EVIL = "<script>alert(1)</script> \"a\" & 'b'"


class Tags(HTMLParser):
    """Collects a page's tags with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(*blocks: Table | Pictures | Plot, text: str = "") -> Tags:
    return Tags(as_html(Report("A report", (Section("A section", text, blocks),))))


def test_all_text_is_shown_as_it_is_and_nothing_of_it_runs() -> None:
    picture = Picture(EVIL, CROP)
    page = Tags(
        as_html(
            Report(
                EVIL,
                (
                    Section(
                        EVIL,
                        EVIL,
                        (
                            Table((EVIL,), ((EVIL,),), EVIL),
                            Pictures((PictureRow((picture,), EVIL, EVIL),)),
                            Plot(EVIL, EVIL, EVIL, (Line(EVIL, [1.0, 2.0], [1.0, 2.0]),)),
                        ),
                    ),
                ),
            )
        )
    )

    assert "script" not in {tag for tag, _ in page.tags}
    # Title and heading of the page, of the section, its text, three of the table, three of the
    # row (the picture's other one is an attribute), and of the plot: two titles, axes and legend.
    assert page.text.count(EVIL) == 2 + 1 + 1 + 3 + 3 + 5
    (shown,) = (attributes for tag, attributes in page.tags if tag == "img")
    assert shown["alt"] == EVIL


def test_a_page_loads_nothing() -> None:
    page = page_of(Pictures((PictureRow((Picture("one", CROP), Picture("two", CROP))),)))

    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    sources = [attributes["src"] or "" for tag, attributes in page.tags if tag == "img"]
    assert len(sources) == 2
    data = [source.removeprefix("data:image/jpeg;base64,") for source in sources]
    picture = pillow.open(io.BytesIO(base64.b64decode(data[0])))
    assert picture.size == (150, 150)
    assert np.abs(np.asarray(picture).astype(int) - CROP).max() < 8
    (policy,) = (one["content"] for tag, one in page.tags if "http-equiv" in one)
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_tables_keep_their_rows_and_sides() -> None:
    page = page_of(Table(("who", "count"), (("Rin", "3"), ("Mio", "12")), right=("count",)))

    assert [tag for tag, _ in page.tags].count("tr") == 3
    assert [one.get("class") for tag, one in page.tags if tag == "td"] == [None, "right"] * 2


def test_paragraphs_are_divided_by_empty_lines() -> None:
    page = page_of(text="One.\n\nTwo.\n\n")

    assert [tag for tag, _ in page.tags].count("p") == 2


def test_a_report_is_written_whole_with_names_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "new" / "レポート.html"
    write_report(Report("bad\udcff name", ()), path)

    assert "bad\\udcff name" in path.read_text(encoding="utf-8")
    assert [one.name for one in path.parent.iterdir()] == ["レポート.html"]


def test_a_report_wants_a_file_that_can_be_one(tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match=r"does not end in \.html; name the report so"):
        check_report_path(tmp_path / "report.pdf")
    with pytest.raises(InputError, match="is a folder"):
        check_report_path(tmp_path / "folder.html")
    with pytest.raises(InputError, match="cannot be written"):
        write_report(Report("A", ()), tmp_path / "file" / "report.html")


def points_of(svg: str) -> list[tuple[float, float]]:
    (way,) = re.findall(r'<g class="line-0"><path class="line" d="M([^"Zh]+)"/>', svg)
    return [(float(x), float(y)) for x, y in (place.split() for place in way.split("L"))]


def test_points_lie_in_order_and_a_log_axis_spaces_decades_alike() -> None:
    line = Line("one", [0.001, 0.01, 0.1, 1.0], [0.0, 0.5, 0.75, 1.0])
    points = points_of(draw(Plot("t", "x", "y", (line,), log_x=True, y_range=(0, 1))))

    gaps = np.diff([x for x, _ in points])
    assert gaps == pytest.approx([gaps[0]] * 3, abs=0.2)
    assert all(upper < lower for (_, lower), (_, upper) in itertools.pairwise(points))


def test_points_without_a_place_are_left_out() -> None:
    line = Line("one", [0.0, 0.1, math.nan, 1.0], [0.2, 0.4, 0.5, math.inf])

    assert len(points_of(draw(Plot("t", "x", "y", (line,), log_x=True)))) == 1
    assert "nothing to draw" in draw(Plot("t", "x", "y", (Line("one", [], []),)))


@pytest.mark.parametrize("log_x", [False, True])
@pytest.mark.parametrize("values", [[3.0], [0.2, 0.2], [1e-9, 5e5], [5.0, 5.001]])
def test_axes_have_round_numbers_inside(values: list[float], log_x: bool) -> None:
    svg = draw(Plot("t", "x", "y", (Line("one", values, values),), log_x=log_x))

    ticks = [float(text) for text in re.findall(r'"middle">([^<]+)</text>', svg)[:-2]]
    assert 2 <= len(ticks) <= 17
    assert ticks == sorted(ticks)
    assert all(min(values) / 2 - 1 <= tick <= max(values) * 2 + 1 for tick in ticks)


def test_a_band_lies_around_its_line() -> None:
    line = Line("one", [1.0, 2.0], [0.5, 0.6], [0.4, 0.5], [0.6, 0.7], marked=True)
    svg = draw(Plot("t", "x", "y", (line,)))

    assert svg.count('class="band"') == 1
    assert svg.count("<circle") == 2
