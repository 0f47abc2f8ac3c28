"""What commands share: tables, lines for people, JSON lines."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from typer.core import TyperGroup

from gallery.errors import plural as plural  # noqa: PLC0414 - commands take it from here
from gallery.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console


def named_path(text: str) -> Path:
    """Return the path that is typed; an empty one would be the folder that one stands in."""
    if not text:
        raise typer.BadParameter("An empty path names nothing; `.` is the folder you are in.")
    return Path(text)


Pictures: TypeAlias = Annotated[
    list[Path],
    # The job says of each what cannot be read, and goes on with the others.
    typer.Argument(metavar="PATH", parser=named_path, help="Pictures, or folders of pictures."),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Cropped: TypeAlias = Annotated[
    bool, typer.Option("--cropped", help="Every picture is a face already: no detection.")
]
Largest: TypeAlias = Annotated[
    bool, typer.Option("--largest", help="Of several faces in a picture take the largest.")
]

MinFace: TypeAlias = Annotated[
    float,
    typer.Option(
        "--min-face",
        metavar="PIXELS",
        min=0.0,
        show_default=False,
        help="Leave out heads whose shorter side is below this.",
    ),
]
Portrait: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--portrait",
        help="Keep faces alone that are upright and seen from the front, or nearly so.",
    ),
]
MinQuality: TypeAlias = Annotated[
    float,
    typer.Option(
        "--min-quality",
        metavar="SCORE",
        min=0.0,
        max=1.0,
        show_default=False,
        help="Leave out faces that can be seen worse than this, 0 to 1.",
    ),
]

UNBROKEN = ("box", "verdict")
"""Columns that stay on one line where a terminal is narrow."""

NARROW = 60
"""Below so many columns a table that does not fit is printed as paragraphs."""

COLOURS = {
    "sure": "green",
    "confirmed": "green",
    "unsure": "yellow",
    "unknown": "bright_black",
    "ignored": "bright_black",
    "no face": "bright_black",
}


class Commands(TyperGroup):
    """A group of commands whose help shows all of each one's first sentence."""

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        """List the commands; without this they would be cut at the end of a line."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, command.get_short_help_str(limit=200))
                    for name, command in self.commands.items()
                ]
            )


def settings_of(
    ctx: typer.Context, *, cropped: bool = False, series: str | None = None
) -> Settings:
    """Return the run's settings; cropped stands for the detector that takes the whole picture.

    With a series, its characters alone are asked for.
    """
    from dataclasses import replace

    settings: Settings = replace(ctx.obj, series=series)
    return replace(settings, detector="whole") if cropped else settings


def json_line(values: dict[str, Any]) -> None:
    """Print one JSON object on one line."""
    from gallery.output.records import to_line

    typer.echo(to_line(values))


def console(*, error: bool = False) -> Console:
    """Return a console; one that is no terminal never cuts or folds a line."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    # Rich takes a terminal of a kind that it does not know for one of 80 columns, unless told both.
    size = shutil.get_terminal_size()
    width = size.columns if stream.isatty() else 10_000
    return Console(
        stderr=error, width=width, height=size.lines, highlight=False, markup=False, emoji=False
    )


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()
) -> None:
    """Print rows under headings to standard output; columns named in right are set to the right.

    In a narrow terminal each row is a paragraph of its own, so that no cell is squeezed away.
    """
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            no_wrap=column in (*right, *UNBROKEN),
        )
    rows = list(rows)
    for row in rows:
        shown.add_row(*(Text(str(value), COLOURS.get(str(value), "")) for value in row))
    paper = console()
    whole = paper.options.update(max_width=10_000)
    if paper.width < NARROW and paper.measure(shown, options=whole).maximum > paper.width:
        for row in rows:
            _paragraph(columns, row, paper.width)
        return
    with paper, paper.capture() as filled:
        paper.print(shown)
    for line in filled.get().splitlines():
        typer.echo(line.rstrip())


def _paragraph(columns: Sequence[str], row: Sequence[object], width: int) -> None:
    """Print a row's first cell, and under it the others, each behind its heading."""
    cells = [(name, str(value)) for name, value in zip(columns, row, strict=True) if name]
    margin = max(len(name) for name, _ in cells[1:]) + 4 if len(cells) > 1 else 2
    room = max(width - margin, 8)
    typer.echo(cells[0][1])
    for name, value in cells[1:]:
        first, *others = textwrap.wrap(value, room) or [""]
        typer.echo((f"  {name}".ljust(margin) + first).rstrip())
        for line in others:
            typer.echo(" " * margin + line)


def say(text: str) -> None:
    """Print a line for people to standard error."""
    typer.echo(text, err=True)
