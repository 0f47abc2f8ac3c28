"""Whose turn it is: requests come one at a time, and work in the background waits for them."""

from __future__ import annotations

import threading
from types import TracebackType


class Turns:
    """A lock for requests that says whether one is under way or waits.

    A request may take it twice.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition()
        self._asking = 0

    def __enter__(self) -> None:
        with self._changed:
            self._asking += 1
        self._lock.acquire()

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._lock.release()
        with self._changed:
            self._asking -= 1
            self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait until no request is under way or waits, at most so long; say whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: self._asking == 0, seconds)
