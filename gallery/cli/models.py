"""`gallery models`: the networks that turn faces into descriptors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.show import Commands, Json, json_line, named_path, settings_of, table

if TYPE_CHECKING:
    from gallery.faces.networks.library import Library, Progress
    from gallery.faces.networks.manifest import Entry

app = typer.Typer(
    name="models",
    cls=Commands,
    help="List, fetch, check and add the networks that turn faces into descriptors.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_networks(ctx: typer.Context, json: Json = False) -> None:
    """Show all known networks, and which are on this machine."""
    library = _library(ctx)
    entries = library.entries().values()
    if json:
        for entry in entries:
            json_line(_described(library, entry))
        return
    table(
        ("name", "here", "made for", "sure", "unknown", "licence", "source"),
        [
            (
                entry.name,
                "no" if library.path(entry) is None else "yes",
                "people; a stand-in" if entry.stand_in else "anime",
                f"{entry.thresholds.sure:g}",
                f"{entry.thresholds.unknown:g}",
                entry.licence,
                entry.source,
            )
            for entry in entries
        ],
        right=("sure", "unknown"),
    )


@app.command()
def fetch(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A name that `gallery models list` shows.")],
) -> None:
    """Download a network, check that it is the right file, and keep it."""
    with _progress(name) as progress:
        weights = _library(ctx).fetch(name, progress)
    typer.echo(f"{weights.name}: {weights.path}")


@app.command()
def verify(ctx: typer.Context) -> None:
    """Read every network on this machine and check that its file is whole."""
    from gallery.errors import SetupError

    checked = _library(ctx).verify()
    for one in checked:
        typer.echo(f"{one.name}: {'intact' if one.intact else 'DAMAGED'} ({one.path})")
    damaged = [str(one.path) for one in checked if not one.intact]
    if damaged:
        raise SetupError(
            f"Damaged or changed: {', '.join(damaged)}; delete it, then fetch, install or add it "
            "again."
        )


@app.command()
def add(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            parser=named_path,
            help="A .dat file of dlib's face recognition network.",
        ),
    ],
    *,
    name: Annotated[
        str | None,
        typer.Option(help="What to call it: letters, digits, - _ and .; the file's name else."),
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="The distance up to which two faces are the same character.")
    ] = 0.6,
    zoom: Annotated[
        float,
        typer.Option(help="The share of the crop's side that the network was trained to see."),
    ] = 1.0,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Average over each face and its mirror image.")
    ] = False,
    licence: Annotated[str, typer.Option(help="The file's licence.")] = "not stated",
    replacing: Annotated[
        bool, typer.Option("--replace", help="Take the name from a network added before.")
    ] = False,
) -> None:
    """Copy a network of your own into the models folder."""
    wanted = name or file.stem
    weights = _library(ctx).add(
        file,
        wanted,
        threshold=threshold,
        zoom=zoom,
        mirror=mirror,
        licence=licence,
        replacing=replacing,
    )
    if weights.name != wanted:
        typer.echo(f"{file} is the network {weights.name!r}; it keeps that name.")
    typer.echo(f"{weights.name}: {weights.path}")


def _library(ctx: typer.Context) -> Library:
    """Return the networks of the user's settings."""
    from gallery.faces.networks.library import Library

    return Library(settings_of(ctx).models_folder)


def _described(library: Library, entry: Entry) -> dict[str, object]:
    """Return an entry as JSON has it."""
    path = library.path(entry)
    return {
        "name": entry.name,
        "here": path is not None,
        "path": None if path is None else str(path),
        "sha256": entry.sha256,
        "size": entry.size,
        "stand_in": entry.stand_in,
        "licence": entry.licence,
        "source": entry.source,
        "zoom": entry.zoom,
        "mirror": entry.mirror,
        "thresholds": {
            "sure": entry.thresholds.sure,
            "unknown": entry.thresholds.unknown,
            "margin": entry.thresholds.margin,
            "measured": entry.measured,
        },
        "metrics": dict(entry.metrics),
    }


@contextmanager
def _progress(name: str) -> Iterator[Progress]:
    """Show a progress bar on stderr, on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)

        def advance(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield advance
