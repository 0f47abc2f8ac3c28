"""Reports as HTML: one file that needs no other, no script and no network."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import BadOutput, UnwritableFile
from gallery.reports import line_chart
from gallery.reports.line_chart import Plot
from gallery.system.files import absolute, replace_file

if TYPE_CHECKING:
    from gallery.types import Crop

SUFFIXES = (".html", ".htm")
JPEG_QUALITY = 85

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1f2328; --faint: #59636e;
  --rule: #d1d9e0; --raised: #f6f8fa; --line-0: #0969da; --line-1: #bc4c00; --line-2: #1a7f37;
  --line-3: #8250df; --line-4: #bf3989; --line-5: #57606a; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0d1117; --ink: #e6edf3; --faint: #9198a1; --rule: #3d444d;
    --raised: #151b23; --line-0: #58a6ff; --line-1: #f0883e; --line-2: #56d364;
    --line-3: #bc8cff; --line-4: #f778ba; --line-5: #9198a1; } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
p { overflow-wrap: anywhere; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }
caption { color: var(--faint); text-align: left; padding-bottom: .3rem; }
th, td { border-bottom: 1px solid var(--rule); padding: .25rem .75rem .25rem 0; text-align: left;
  vertical-align: top; }
th.right, td.right { text-align: right; }
.row { background: var(--raised); border: 1px solid var(--rule); border-radius: 6px;
  margin: 1rem 0; padding: .75rem; }
.row p { margin: 0 0 .5rem; } .faces { display: flex; flex-wrap: wrap; gap: .75rem; }
figure { margin: 0; } .faces figure { width: 150px; }
.faces img { border-radius: 4px; display: block; height: auto; width: 150px; }
figcaption { color: var(--faint); font-size: .8rem; overflow-wrap: anywhere;
  white-space: pre-line; }
code { background: var(--raised); border: 1px solid var(--rule); border-radius: 4px;
  font-size: .9em; overflow-wrap: anywhere; padding: .1rem .3rem; }
.faces code { display: block; font-size: .75rem; user-select: all; }
.row code { background: var(--paper); display: inline-block; margin-top: .5rem; }
svg.plot { display: block; height: auto; max-width: 100%; width: 640px; }
.plot text { fill: var(--ink); font-size: 12px; } .plot .grid { stroke: var(--rule); }
.plot .line { fill: none; stroke: currentColor; stroke-width: 2; }
.plot .band { fill: currentColor; opacity: .15; } .plot .dot { fill: currentColor; }
.plot .dashed .line { stroke-dasharray: 6 4; }
""" + "\n".join(
    f".plot .line-{number} {{ color: var(--line-{number}); }}"
    for number in range(line_chart.COLOURS)
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under headings; columns named in right are set to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    right: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A face with what is written under it, which may have several lines."""

    caption: str
    crop: Crop | bytes
    """The face, or the JPEG file that `jpeg_of` made of it, which takes a tenth of the memory."""
    command: str = ""
    """What one may run about it."""
    file: Path | None = None
    """The picture or video that it is of, which a click opens."""


@dataclass(frozen=True, slots=True, eq=False)
class PictureRow:
    """Faces side by side, with a sentence over them and, under them, what one may run."""

    pictures: tuple[Picture, ...]
    text: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Rows of faces."""

    rows: tuple[PictureRow, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A part of a report: its heading, what there is to say, and what is to be seen, in order."""

    title: str
    text: str = ""
    """Paragraphs, divided by empty lines."""
    blocks: tuple[Table | Pictures | Plot, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """A page."""

    title: str
    sections: tuple[Section, ...]


def check_report_path(path: Path) -> None:
    """Raise InputError for a file that no report can be written to, before the work for it."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadOutput(path, "does not end in .html", remedy="name the report so")
    if path.is_dir():
        raise BadOutput(path, "is a folder", remedy="name a file for the report")


def write_report(report: Report, path: Path) -> None:
    """Write a report, whole or not at all. Raises InputError where it cannot be written."""
    check_report_path(path)
    try:
        # A file name may be no text; then its bytes are spelt out.
        replace_file(path, as_html(report).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UnwritableFile(path, f"cannot be written: {error.strerror or error}") from error


def as_html(report: Report) -> str:
    """Return a report as an HTML page. Every text is escaped; pictures stand in the page."""
    head = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        # Nothing a name or path holds could load or run anything, even if it got through.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>"
    )
    parts = [head, f"<h1>{escape(report.title)}</h1>"]
    for section in report.sections:
        parts.extend(_section(section))
    return "\n".join((*parts, "</body>\n</html>\n"))


def _section(section: Section) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(section.title)}</h2>"
    for paragraph in section.text.split("\n\n"):
        if paragraph.strip():
            yield f"<p>{escape(paragraph.strip())}</p>"
    for block in section.blocks:
        if isinstance(block, Table):
            yield _table(block)
        elif isinstance(block, Pictures):
            yield from (_row(row) for row in block.rows)
        else:
            yield f"<figure>\n<p>{escape(block.title)}</p>\n{line_chart.draw(block)}\n</figure>"
    yield "</section>"


def _table(table: Table) -> str:
    looks = [' class="right"' if name in table.right else "" for name in table.columns]

    def row(cells: tuple[str, ...], tag: str) -> str:
        filled = zip(cells, looks, strict=True)
        inside = "".join(f"<{tag}{look}>{escape(cell)}</{tag}>" for cell, look in filled)
        return f"<tr>{inside}</tr>"

    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    body = "\n".join(row(cells, "td") for cells in table.rows)
    return (
        f'<div class="scroll"><table>{caption}<thead>{row(table.columns, "th")}</thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(row: PictureRow) -> str:
    text = f"<p>{escape(row.text)}</p>" if row.text else ""
    command = f"<code>{escape(row.command)}</code>" if row.command else ""
    faces = "".join(_figure(picture) for picture in row.pictures)
    return f'<div class="row">{text}<div class="faces">{faces}</div>{command}</div>'


def _figure(picture: Picture) -> str:
    caption = escape(picture.caption)
    face = f'<img src="{_data_uri(picture.crop)}" alt="{caption}">'
    if picture.file is not None:
        face = f'<a href="{escape(absolute(picture.file).as_uri())}">{face}</a>'
    command = f"<code>{escape(picture.command)}</code>" if picture.command else ""
    return f"<figure>{face}<figcaption>{caption}</figcaption>{command}</figure>"


def jpeg_of(crop: Crop) -> bytes:
    """Return a crop as the JPEG file that stands in a page."""
    from PIL import Image as pillow

    file = io.BytesIO()
    pillow.fromarray(crop).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def _data_uri(crop: Crop | bytes) -> str:
    """Return a crop as a JPEG inside an address."""
    content = crop if isinstance(crop, bytes) else jpeg_of(crop)
    return "data:image/jpeg;base64," + base64.b64encode(content).decode("ascii")
