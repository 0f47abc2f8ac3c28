"""`gallery worker`, `scheduler` and `cluster-keys`, and how jobs have other machines look."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from gallery.cli.advice import told
from gallery.cli.show import named_path, say, settings_of
from gallery.system.files import absolute

if TYPE_CHECKING:
    from gallery.errors import GalleryError
    from gallery.jobs.pipeline import Hands
    from gallery.settings import Settings

ClusterAt: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS|local:N",
        help="Let workers look: tcp://SERVER:8786 of a scheduler, or so many processes here.",
    ),
]
Keys: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        envvar="GALLERY_CLUSTER_KEYS",
        parser=named_path,
        help="The keys of `cluster-keys`, which other machines want.",
    ),
]
Map: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="HERE=THERE",
        help="A folder that workers read by themselves, and its name there; other pictures are "
        "sent. May be repeated.",
    ),
]

LOCAL = "local:"
"""Before a number of workers on this machine."""

MOST_LOCAL = 1024
"""More processes are a slip of the finger."""

EXPOSED = (
    "Whoever has the keys can run programs as you on this machine, and see all pictures that are "
    "sent. Ctrl-C ends it."
)
ALONE = "Every program on this machine can use it. Ctrl-C ends it."
"""What a command exposes."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(worker)
    app.command()(scheduler)
    app.command("cluster-keys")(cluster_keys)


def worker(
    ctx: typer.Context,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Whose work is done: tcp://SERVER:8786.")
    ],
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, show_default=False, help="Pictures at the same time; one a core unless given."
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where the scheduler reaches this machine; found by itself unless named.",
        ),
    ] = None,
    keys: Keys = None,
) -> None:
    """Look at pictures for jobs on other machines, until Ctrl-C.

    It knows no gallery, and writes nothing. A scheduler that is not there is waited for.
    """
    from gallery.machines.reach import reach_of
    from gallery.machines.serving import work
    from gallery.system.threads import available_cores

    reach = reach_of(scheduler, keys, setting="scheduler")
    _hand_on_device(settings_of(ctx))
    say(_exposed(keys))
    with contextlib.suppress(KeyboardInterrupt):
        work(
            reach,
            threads=threads or available_cores(),
            host=host,
            ready=lambda address: say(f"Works for {reach.address} at {address}."),
            tell=tell_wait,
        )


def scheduler(
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Where it is reached; another than this machine wants keys."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="The port.")] = 8786,
    keys: Keys = None,
) -> None:
    """Hand out pictures of jobs to workers, until Ctrl-C.

    It opens no gallery and decodes nothing; the jobs do all that is written.
    """
    from gallery.machines.reach import listening_at
    from gallery.machines.serving import schedule

    def ready(address: str) -> None:
        typer.echo(address)
        sys.stdout.flush()
        say(_exposed(keys))

    reach = listening_at(host, port, keys)
    with contextlib.suppress(KeyboardInterrupt):
        schedule(reach, ready)


def cluster_keys(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", parser=named_path, help="Where they are put.")
    ],
) -> None:
    """Make keys that let machines work together; each of them wants a copy.

    They are good for a year.
    """
    from gallery.machines.reach import make_keys

    make_keys(folder)
    say(f"{folder} holds the keys. Copy it to each machine, by a way that nobody else sees.")


@contextlib.contextmanager
def hands_of(
    settings: Settings,
    cluster: str | None,
    keys: Path | None,
    folders: list[str] | None = None,
) -> Iterator[Hands | None]:
    """Give who looks at pictures instead of this process, as options say; None where they do not.

    Raises InputError and SetupError for a cluster that cannot be used.
    """
    if cluster is None:
        if folders:
            raise typer.BadParameter("It wants --cluster.", param_hint="--map")
        yield None
        return
    from gallery.machines.workers import own_workers, workers_at

    mapped = [_folders(one) for one in folders or ()]
    if cluster.startswith(LOCAL):
        _hand_on_device(settings)
        opened = own_workers(settings, _count(cluster.removeprefix(LOCAL)), tell_wait)
    else:
        opened = workers_at(settings, cluster, keys, mapped, tell_wait)
    with opened as hands:
        yield hands


def _hand_on_device(settings: Settings) -> None:
    """Let processes that are started look on the device that was chosen."""
    os.environ["GALLERY_DEVICE"] = settings.device


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST_LOCAL:
        raise typer.BadParameter("local: wants a number of workers.", param_hint="--cluster")
    return int(text)


def _folders(text: str) -> tuple[Path, str]:
    here, _, there = text.partition("=")
    if not here or not there:
        raise typer.BadParameter("It wants HERE=THERE.", param_hint="--map")
    return absolute(here), there


def tell_wait(notice: GalleryError) -> None:
    """Say what a job noticed of other machines, and whether it waits for them."""
    from gallery.errors import NoScheduler, NoWorkers

    waits = " It is waited for." if isinstance(notice, (NoScheduler, NoWorkers)) else ""
    say(f"gallery: {told(notice)}{waits}")


def _exposed(keys: Path | None) -> str:
    return ALONE if keys is None else EXPOSED
