"""A scheduler and workers, each in a process of its own until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from gallery.errors import BadSetting, GalleryError, NoScheduler
from gallery.machines.library import MANY, PAGES_AT, load
from gallery.machines.reach import Reach, knock, security_of
from gallery.machines.work import kind

COME_BACK = 2.0
"""Seconds after which a scheduler that is gone is looked for again."""


def schedule(reach: Reach, ready: Callable[[str], None]) -> None:
    """Hand out work at an address of this machine until Ctrl-C; `ready` is told the address.

    Raises InputError for an address or a port that is not to be had.
    """
    security = security_of(reach.keys)
    distributed = load()

    async def run() -> None:
        try:
            scheduler = await distributed.Scheduler(
                host=reach.host,
                port=reach.port,
                protocol=reach.address.partition("://")[0],
                security=security,
                dashboard=False,
                dashboard_address=PAGES_AT,
            )
        except (OSError, RuntimeError) as error:
            raise BadSetting(
                "host",
                f"Nothing can listen at {reach.host}, port {reach.port}",
                "name an address of this machine, and a port that is free",
            ) from error
        async with scheduler:
            ready(scheduler.address)
            await scheduler.finished()

    asyncio.run(_until_stopped(run()))


def work(
    reach: Reach,
    *,
    threads: int,
    host: str | None,
    ready: Callable[[str], None],
    tell: Callable[[GalleryError], None],
) -> None:
    """Do what a scheduler hands out until Ctrl-C; `ready` is told the worker's own address.

    A worker that ends is started again, and a scheduler that goes is waited for; `tell` says so.
    The worker listens where the scheduler reaches this machine, or at another host. Raises
    InputError for keys that are none and a host that is not to be had.
    """
    security = security_of(reach.keys)
    distributed = load()

    async def once() -> None:
        await knock(reach.address, security)
        async with distributed.Nanny(
            reach.address,
            nthreads=threads,
            host=host or _own_host(reach),
            security=security,
            memory_limit=0,
            dashboard_address=PAGES_AT,
            resources={kind(): MANY},
        ) as nanny:
            ready(nanny.worker_address)
            await nanny.finished()

    async def run() -> None:
        is_told = False
        while True:
            try:
                await once()
                is_told = False
            except OSError:
                if not is_told:
                    tell(NoScheduler(reach.address))
                is_told = True
            await asyncio.sleep(COME_BACK)

    asyncio.run(_until_stopped(run()))


async def _until_stopped(running: Coroutine[Any, Any, None]) -> None:
    """Run until SIGTERM, as services are ended; Ctrl-C is raised."""
    task = asyncio.ensure_future(running)
    # Windows knows no such signal.
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _own_host(reach: Reach) -> str:
    """Return the address by which this machine reaches a scheduler; nothing is sent."""
    (family, kind_of, _, _, address), *_ = socket.getaddrinfo(
        reach.host, reach.port, type=socket.SOCK_DGRAM
    )
    with socket.socket(family, kind_of) as probe:
        probe.connect(address)
        return str(probe.getsockname()[0])
