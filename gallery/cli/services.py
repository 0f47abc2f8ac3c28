"""`gallery send` and `fetch`: what goes to programs that hold the pictures, and comes from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeAlias, TypeVar

import typer

from gallery.cli.advice import told
from gallery.cli.progress import Reporter, follow
from gallery.cli.show import Commands, json_line, named_path, plural, say, settings_of

if TYPE_CHECKING:
    from gallery.engine.engine import Engine
    from gallery.events import Job
    from gallery.services.client import Client
    from gallery.services.known import Program

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


class Plan(Protocol):
    """What would be sent to a program."""

    @property
    def changes(self) -> Sequence[object]:
        """What would be changed there, a file each."""


PlanT = TypeVar("PlanT", bound=Plan)


def client_of(
    program: Program,
    url: str,
    key_file: Path | None,
    certificate: Path | None,
    header: str,
    *,
    form: str = "{}",
    wants_key: bool = True,
) -> Client:
    """Return what talks to a program, with its key in a header of a form.

    Where it can be overheard, it is said. Raises InputError for a key or an address that is none.
    """
    from gallery.services.client import Client, address_of
    from gallery.services.keys import key_of, required_key

    key = (required_key if wants_key else key_of)(program, key_file)
    warn_overheard(url)
    secrets = {header: form.format(key)} if key else {}
    return Client(program.name, address_of(url), secrets, certificate)


def carry_out(
    ctx: typer.Context,
    plan_in: Callable[[Engine], Job[PlanT]],
    send_in: Callable[[Engine, PlanT], Job[object]],
    *,
    tell: Callable[[PlanT], None],
    as_json: Callable[[PlanT], dict[str, object]],
    unit: str,
    yes: bool,
    json: bool,
) -> None:
    """Plan what a program is told, say it, and send it where that is wanted.

    What is changed there is counted by the unit. The exit code is 1 where a file was refused.
    """
    from gallery.engine.assemble import open_gallery

    reporter = Reporter()
    with open_gallery(settings_of(ctx)) as gallery:
        plan = follow(plan_in(gallery), reporter)
        if not json:
            tell(plan)
        if yes:
            follow(send_in(gallery, plan), reporter)
    if json:
        json_line({**as_json(plan), "sent": yes})
    elif plan.changes:
        say(f"Sent: {plural(len(plan.changes), unit)} changed." if yes else NOT_SENT)
    if reporter.refused:
        raise typer.Exit(1)


def warn_overheard(url: str) -> None:
    """Say where what is sent can be read on the way. Raises InputError for no address."""
    from gallery.errors import Unencrypted
    from gallery.services.client import address_of

    address = address_of(url)
    if address.is_overheard:
        say(told(Unencrypted(address.host)))
