"""`gallery send` and `fetch`: what goes to programs that hold the pictures, and comes from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from gallery.cli.advice import told
from gallery.cli.show import Commands, named_path, say

send = typer.Typer(
    name="send",
    cls=Commands,
    help="Tell programs that hold your pictures whom these show.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
fetch = typer.Typer(
    name="fetch",
    cls=Commands,
    help="Get files of programs that hold your pictures, to label or enroll them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@send.callback()
def _send() -> None:
    """Be a group however few programs there are."""


@fetch.callback()
def _fetch() -> None:
    """Be a group however few programs there are."""


Labelled: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATH",
        parser=named_path,
        help="Only these labelled files, or those of these folders.",
    ),
]
KeyFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        parser=named_path,
        help="Holds the program's key, and nobody else may read it; without it the key is in the "
        "environment.",
    ),
]
Certificate: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--certificate",
        metavar="FILE.pem",
        parser=named_path,
        help="Trust this certificate, too, such as the program's own.",
    ),
]
Confirmed: TypeAlias = Annotated[
    bool, typer.Option("--confirmed", help="Only names that you confirmed.")
]
Unsure: TypeAlias = Annotated[bool, typer.Option("--unsure", help="Unsure names, too.")]
Alone: TypeAlias = Annotated[
    bool, typer.Option("--alone", help="Answer every face by itself, as `label` does.")
]
Yes: TypeAlias = Annotated[
    bool, typer.Option("--yes", help="Send it; without this nothing is changed there.")
]

EXAMPLES = 5
"""Files of a plan that are named for people."""

NOT_SENT = "Nothing was sent; --yes sends it."


def warn_overheard(url: str) -> None:
    """Say where what is sent can be read on the way. Raises InputError for no address."""
    from gallery.errors import Unencrypted
    from gallery.services.client import address_of

    address = address_of(url)
    if address.is_overheard:
        say(told(Unencrypted(address.host)))
