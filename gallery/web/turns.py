"""Whose turn it is: requests come one at a time, and work in the background waits for them."""

from __future__ import annotations

import math
import threading
import time
from types import TracebackType


class Turns:
    """A lock for requests that says whether one is under way or waits.

    A request may take it twice.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition()
        self._asking = 0
        self._ended = -math.inf
        """When the last request came to its end, by the monotonic clock."""

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
            self._ended = time.monotonic()
            self._changed.notify_all()

    def wait(self, seconds: float, still: float = 0.0) -> bool:
        """Wait until no request is under way or waits, at most so long; say whether that is so.

        Nor is one to have ended in the last `still` seconds: often the next one follows at once.
        """
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                now = time.monotonic()
                left = math.inf if self._asking else self._ended + still - now
                if left <= 0:
                    return True
                if now >= end:
                    return False
                self._changed.wait(min(left, end - now))
