"""`gallery serve`: the HTTP interface for programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gallery.cli.show import named_path, say
from gallery.cli.web import EXPOSED, Host, Key, Names, TheCertificate, opened

PORT = 8477
"""Where programs look for it."""

VARIABLE = "GALLERY_TOKEN"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="N", help="The port.")] = PORT,
    host: Host = None,
    names: Names = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=named_path,
            help=f"Where the token is kept; else {VARIABLE} says it, or a file in your data folder "
            "does.",
        ),
    ] = None,
    certificate: TheCertificate = None,
    key: Key = None,
) -> None:
    """Answer programs over HTTP: who is in a picture, what was seen, and what was decided.

    They send a token, which is made and printed once. Ctrl-C ends it.
    """
    from gallery.web.server import check_installed

    check_installed()

    from gallery.settings import default_token_file
    from gallery.web.doors import Address
    from gallery.web.places import place_of
    from gallery.web.tokens import check_token, kept_token

    place = place_of(host, names or (), certificate, key)
    is_secure = place.certificate is not None
    given = os.environ.get(VARIABLE) if token_file is None else None
    where = token_file or default_token_file()
    with opened(ctx, place, port) as (bound, serve_at):
        if given is not None:
            token, is_new = check_token(given, VARIABLE), False
        else:
            token, is_new = kept_token(where)
        address = Address(bound, None, place.names, is_secure, token)
        with serve_at(address) as running:
            typer.echo(f"{address.root}/api/v1/")
            sys.stdout.flush()
            if is_new:
                say(f"The token of programs is {token}")
                say(f"It is kept in {where}, and not printed again.")
            else:
                kept = where if given is None else VARIABLE
                say(f"The token of programs is what {kept} has.")
            others = "Other machines reach it. " if place.is_exposed else ""
            say(others + EXPOSED.format("the token"))
            try:
                running.wait()
            except KeyboardInterrupt:
                say("Nobody is answered any more; all that was decided is kept.")
