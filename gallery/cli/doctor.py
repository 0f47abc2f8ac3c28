"""`gallery doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gallery.cli.advice import told
from gallery.cli.show import Json, json_line, settings_of

if TYPE_CHECKING:
    from gallery.doctor import Finding


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    ctx: typer.Context,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Put right what is safe to before: files left unfinished, a log left beside the "
            "database, a stale index.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Look at versions, detector, encoder, output formats, database and index; say what to do.

    The exit code is 1 when something is not well.
    """
    from gallery.doctor import examine, mend

    settings = settings_of(ctx)
    # Each is told when it is known.
    mended = [_told(one, "done", json=json) for one in mend(settings)] if fix else []
    found = [_told(one, "ok  ", json=json) for one in examine(settings)]
    if not all([*mended, *found]):
        raise typer.Exit(1)


def _told(finding: Finding, well: str, *, json: bool) -> bool:
    """Print a finding, and return whether it is well."""
    text = told(finding.error) if finding.error else finding.text
    if json:
        json_line({"what": finding.what, "well": finding.is_well, "text": text})
        return finding.is_well
    sign = typer.style(well, fg="green") if finding.is_well else typer.style("FAIL", fg="red")
    typer.echo(f"{sign} {finding.what}: {text}")
    return finding.is_well
