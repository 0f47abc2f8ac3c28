"""`gallery doctor`."""

from __future__ import annotations

import typer

from gallery.cli.advice import told
from gallery.cli.show import Json, json_line, settings_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(ctx: typer.Context, json: Json = False) -> None:
    """Look at versions, detector, encoder, output formats, database and index; say what to do.

    The exit code is 1 when something is not well.
    """
    from gallery.doctor import examine

    is_well = True
    for finding in examine(settings_of(ctx)):
        is_well = is_well and finding.is_well
        text = told(finding.error) if finding.error else finding.text
        if json:
            json_line({"what": finding.what, "well": finding.is_well, "text": text})
            continue
        sign = typer.style("ok  ", fg="green") if finding.is_well else typer.style("FAIL", fg="red")
        typer.echo(f"{sign} {finding.what}: {text}")
    if not is_well:
        raise typer.Exit(1)
