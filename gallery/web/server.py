"""Serving pages and programs, on loopback unless another place is named, until told to stop."""

from __future__ import annotations

import contextlib
import errno
import gc
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from gallery.errors import BadSetting, MissingPackage
from gallery.web.doors import Address, Doors
from gallery.web.places import ADDRESSES, Certificate

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

TRIES = 20
"""A port that is free in IPv4 may be taken in IPv6."""

PATIENCE = 3
"""Seconds in which answers under way are finished when it stops."""

LOOK = 0.2
"""Seconds between two looks whether it has begun or ended."""


def check_installed() -> None:
    """Raise SetupError where the packages of the page are not installed."""
    try:
        import fastapi  # noqa: F401
        import jinja2  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingPackage("Pages", "web") from error


@contextlib.contextmanager
def listening(
    port: int | None, addresses: Sequence[str] = ADDRESSES
) -> Iterator[tuple[int, list[socket.socket]]]:
    """Bind a port, a free one unless it is named, on addresses.

    Those of IPv6 behind the first one may be lacking. Raises InputError for a port that is taken or
    not to be had, and for an address that this machine has not.
    """
    sockets: list[socket.socket] = []
    for left in reversed(range(TRIES)):
        try:
            sockets = _bound(addresses, port or 0)
            break
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                reason = f"{' and '.join(addresses)} is no address of this machine"
                raise BadSetting("host", reason, "name another one") from error
            if port is not None:
                reason = f"The port {port} is not to be had: {error.strerror or error}"
                raise BadSetting("port", reason, "name another one") from error
            if not left:
                raise BadSetting("port", "No port is free", "name one") from error
    try:
        yield sockets[0].getsockname()[1], sockets
    finally:
        for one in sockets:
            one.close()


@contextlib.contextmanager
def loopback(port: int | None) -> Iterator[tuple[int, list[socket.socket]]]:
    """Bind a port on 127.0.0.1 and, where there is one, ::1, as listening does."""
    with listening(port) as bound:
        yield bound


def _bound(addresses: Sequence[str], port: int) -> list[socket.socket]:
    first, *others = addresses
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(_bound_at(first, port))]
        same = sockets[0].getsockname()[1]
        for one in others:
            try:
                sockets.append(opened.enter_context(_bound_at(one, same)))
            except OSError as error:
                # A system without IPv6.
                if error.errno == errno.EADDRINUSE or ":" not in one:
                    raise
        opened.pop_all()
    return sockets


def _bound_at(address: str, port: int) -> socket.socket:
    made = _socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        if ":" in address:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
    except OSError:
        made.close()
        raise
    return made


def _socket(family: int) -> socket.socket:
    # Named as TCP, or asyncio would not turn Nagle's delay off: 40 ms for each answer.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
        # On Windows another program could else take the port over.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


@contextlib.contextmanager
def serving(
    app: ASGIApp,
    address: Address,
    sockets: list[socket.socket],
    certificate: Certificate | None = None,
) -> Iterator[Serving]:
    """Serve an application behind doors, in a thread of its own, until the block is left."""
    import uvicorn

    config = uvicorn.Config(
        Doors(app, address),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=PATIENCE,
        ssl_certfile=None if certificate is None else certificate.file,
        ssl_keyfile=None if certificate is None else certificate.key,
    )
    server = uvicorn.Server(config)
    ended = threading.Event()

    def run() -> None:
        try:
            server.run(sockets=sockets)
        finally:
            ended.set()

    threading.Thread(target=run, name="gallery-web", daemon=True).start()
    running = Serving(server, ended)
    try:
        running.wait(lambda: server.started)
        # What is there now stays until the end: looking through it for garbage again and again
        # would hold answers up by some 40 ms.
        gc.collect()
        gc.freeze()
        yield running
    finally:
        gc.unfreeze()
        server.should_exit = True
        # A thread that Ctrl-C struck while it was waited for counts as ended in Python 3.11.
        ended.wait(PATIENCE * 2)


class Serving:
    """A server at work."""

    def __init__(self, server: uvicorn.Server, ended: threading.Event) -> None:
        self._server = server
        self._ended = ended

    def wait(self, until: Callable[[], bool] = lambda: False) -> None:
        """Wait for something, for ever unless told, or until the server has ended."""
        while not self._ended.is_set() and not until():
            self._ended.wait(0.01 if not self._server.started else LOOK)
