"""`gallery copy`."""

from __future__ import annotations

from typing import Annotated

import typer

from gallery.cli.progress import follow
from gallery.cli.show import Json, json_line, plural, say, settings_of

TOLD = {
    "characters": "character",
    "samples": "sample",
    "sightings": "seen face",
    "decisions": "decision",
}
"""What of the tables' rows is said, by the tables' names."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(copy)


def copy(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", help="A path or URL, as --database.")],
    target: Annotated[
        str, typer.Argument(metavar="TO", help="An empty database, or a file that is not there.")
    ],
    json: Json = False,
) -> None:
    """Copy the whole gallery into another database: from a file to a server, and back.

    A copy that was stopped goes on where it was. The gallery itself stays as it is.
    """
    from gallery.jobs.copy import copy as copying

    done = follow(copying(source, target, exclusive=settings_of(ctx).exclusive))
    if json:
        json_line({"rows": dict(done.rows), "before": done.before})
        return
    said = [plural(done.rows[table], noun) for table, noun in TOLD.items()]
    say(f"{', '.join(said)}; {plural(sum(done.rows.values()), 'row')} in all.")
    if done.before:
        say(f"{plural(done.before, 'row')} of them were there from before.")
