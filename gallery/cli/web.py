"""`gallery review`: the page to look at faces and decide."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from gallery.cli.show import say, settings_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(review)


def review(
    ctx: typer.Context,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the link alone.")] = False,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, metavar="N", help="The port; a free one unless named."),
    ] = None,
) -> None:
    """Look at labelled faces in a browser, and decide of many at once.

    The page is on this machine alone, and the link that is printed lets in. Ctrl-C ends it.
    """
    from gallery.web.server import check_installed

    check_installed()

    from gallery.engine.assemble import open_gallery
    from gallery.web.application import application
    from gallery.web.desk import Desk
    from gallery.web.doors import Address
    from gallery.web.renewing import Renewing
    from gallery.web.server import loopback, serving

    settings = settings_of(ctx)
    with open_gallery(settings) as gallery, loopback(port) as (bound, sockets):
        gallery.require_encoded()
        desk = Desk(gallery)
        path = gallery.store.path
        title = "in memory" if path is None else path.stem
        address = Address(bound)
        with (
            Renewing(lambda: open_gallery(settings), desk.turn, say),
            serving(application(desk, title), address, sockets) as running,
        ):
            typer.echo(address.link)
            sys.stdout.flush()
            say("Only who has this link can look and decide. Ctrl-C ends it.")
            if not no_browser and _has_screen():
                _open(address.link)
            try:
                running.wait()
            except KeyboardInterrupt:
                say("The page is closed; all that was decided is kept.")


def _has_screen() -> bool:
    """Say whether a browser would have a window: one in the terminal would take it over."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(link: str) -> None:
    import webbrowser

    webbrowser.open(link)
