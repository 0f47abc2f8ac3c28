"""`gallery review`: the page to look at faces and decide."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from gallery.cli.show import named_path, say, settings_of

if TYPE_CHECKING:
    from gallery.web.doors import Address
    from gallery.web.places import Place
    from gallery.web.server import Serving

ServeAt: TypeAlias = "Callable[[Address], AbstractContextManager[Serving]]"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(review)


Host: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Where it is reached; this machine alone unless named. Other machines want TLS.",
    ),
]
Names: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--name", metavar="NAME", help="What links call the host; may be repeated."),
]
TheCertificate: TypeAlias = Annotated[
    Path | None,
    typer.Option("--certificate", metavar="FILE", parser=named_path, help="For TLS, as PEM."),
]
Key: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", parser=named_path, help="The certificate's key, as PEM."),
]


def review(
    ctx: typer.Context,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the link alone.")] = False,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, metavar="N", help="The port; a free one unless named."),
    ] = None,
    host: Host = None,
    names: Names = None,
    certificate: TheCertificate = None,
    key: Key = None,
    new: Annotated[
        bool, typer.Option("--new", help="Make the gallery where none is, to enroll by the page.")
    ] = False,
) -> None:
    """Look at labelled faces in a browser, and decide of many at once.

    The page is on this machine alone unless a host is named, and the link that is printed lets in.
    Ctrl-C ends it.
    """
    from gallery.web.server import check_installed

    check_installed()

    from gallery.web.doors import Address
    from gallery.web.places import place_of

    place = place_of(host, names or (), certificate, key)
    is_secure = place.certificate is not None
    with opened(ctx, place, port, new=new) as (bound, serve_at):
        address = Address(bound, names=place.names, is_secure=is_secure)
        with serve_at(address) as running:
            typer.echo(address.link)
            sys.stdout.flush()
            if place.is_exposed:
                say(f"Other machines reach it as {address.root}. {EXPOSED.format('this link')}")
            else:
                say("Only who has this link can look and decide. Ctrl-C ends it.")
            if not no_browser and _has_screen():
                _open(address.link)
            try:
                running.wait()
            except KeyboardInterrupt:
                say("The page is closed; all that was decided is kept.")


EXPOSED = (
    "Whoever has {} sees all labelled faces and their pictures, can decide of them, and enroll "
    "samples. Ctrl-C ends it."
)
"""What a command exposes."""


@contextlib.contextmanager
def opened(
    ctx: typer.Context, place: Place, port: int | None, *, new: bool = False
) -> Iterator[tuple[int, ServeAt]]:
    """Open the gallery and a port; give the port, and what serves the gallery at an address.

    A new gallery is made where none is. Meanwhile stale answers are renewed.
    """
    from gallery.engine.assemble import open_gallery
    from gallery.web.application import application
    from gallery.web.desk import Desk
    from gallery.web.renewing import Renewing
    from gallery.web.server import listening, serving

    settings = settings_of(ctx)
    with (
        open_gallery(settings, create=new) as gallery,
        listening(port, place.addresses) as (bound, sockets),
    ):
        gallery.require_encoded()
        desk = Desk(gallery)
        app = application(desk, gallery.store.address.name)
        with Renewing(lambda: open_gallery(settings), desk.turn, say, pairs=desk.pairs):
            yield bound, lambda address: serving(app, address, sockets, place.certificate)


def _has_screen() -> bool:
    """Say whether a browser would have a window: one in the terminal would take it over."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(link: str) -> None:
    import webbrowser

    webbrowser.open(link)
