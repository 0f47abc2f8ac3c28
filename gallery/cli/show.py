"""What commands share: tables, lines for people, JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from typer.core import TyperGroup

from gallery.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

Pictures: TypeAlias = Annotated[
    list[Path], typer.Argument(metavar="PATH", help="Pictures, or folders of pictures.")
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


def settings_of(ctx: typer.Context, *, cropped: bool = False) -> Settings:
    """Return the run's settings; cropped stands for the detector that takes the whole picture."""
    from dataclasses import replace

    settings: Settings = ctx.obj
    return replace(settings, detector="whole") if cropped else settings


def json_line(values: dict[str, Any]) -> None:
    """Print one JSON object on one line."""
    from gallery.output.records import to_line

    typer.echo(to_line(values))


def console(*, error: bool = False) -> Console:
    """Return a console; one that is no terminal never cuts or folds a line."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else 10_000
    return Console(stderr=error, width=width, highlight=False, markup=False, emoji=False)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()
) -> None:
    """Print rows under headings to standard output; columns named in right are set to the right."""
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
    for row in rows:
        shown.add_row(*(Text(str(value), COLOURS.get(str(value), "")) for value in row))
    with console() as paper, paper.capture() as filled:
        paper.print(shown)
    for line in filled.get().splitlines():
        typer.echo(line.rstrip())


def say(text: str) -> None:
    """Print a line for people to standard error."""
    typer.echo(text, err=True)


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: 1 picture, 2 pictures."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
