"""Waits for a server that is away, so that a job of hours outlives its restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from gallery.errors import AwaitedServer, GalleryError, LostServer, NoServer

AWAY = 600.0
"""Seconds that a database's server may be away."""

LOOK_AGAIN = 2.0
"""Seconds between two looks whether it is back."""

Result = TypeVar("Result")

Tell: TypeAlias = Callable[[GalleryError], None]
"""Says what is waited for."""


def patiently(work: Callable[[], Result], tell: Tell) -> Result:
    """Return what work comes to; it is done again where the database's server was away.

    So it has to leave the same whether it is done once or twice: where a server goes while it
    commits, nobody knows. Raises LostServer or NoServer for one that is away for AWAY seconds.
    """
    until: float | None = None
    while True:
        try:
            return work()
        except (LostServer, NoServer) as error:
            if until is None:
                until = time.monotonic() + AWAY
                tell(AwaitedServer(error.path))
            elif time.monotonic() > until:
                raise
            time.sleep(LOOK_AGAIN)
