"""Somebody else's code runs in a thread of its own, beside a clock.

A thread cannot be ended from outside. Work that takes too long is left where it is, and never
asked again: a daemon thread keeps no process alive, and `leave` ends the process of the command
line although the work may have started threads that would. Code that holds Python's lock, as few
modules made in C do, is waited for until it lets go.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Never, TypeVar

from gallery.errors import SetupError

VARIABLE = "GALLERY_PLUGIN_SECONDS"
SECONDS = 45.0
"""What a call may take where nobody chose; a large network on a slow processor describes 16 heads
in a third of that."""
MOST_SECONDS = 86_400.0

Result = TypeVar("Result")

_LEFT: list[Future[Any]] = []
"""Answers of work that was given up while it went on."""


class Overdue(Exception):  # noqa: N818 - what is raised to a user is made of it
    """Work takes longer than it may, or did once; the text says so, to be read after its name."""


def seconds() -> float:
    """Return what a call may take, by the environment. Raises SetupError for no such number."""
    chosen = os.environ.get(VARIABLE, "")
    try:
        limit = float(chosen) if chosen else SECONDS
    except ValueError:
        limit = 0.0
    if not 0 < limit <= MOST_SECONDS:
        raise SetupError(
            f"{VARIABLE} is {chosen}, which is no number of seconds from 1 to {MOST_SECONDS:.0f}; "
            "set it to one, or leave it out."
        )
    return limit


class Patience:
    """Does work in one thread, always the same, one call at a time."""

    def __init__(self) -> None:
        """Raise SetupError where the environment asks for a limit that is none."""
        self.limit = seconds()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self.is_left = False
        """Whether work was given up while it went on."""

    def call(self, work: Callable[[], Result], *, times: int = 1) -> Result:
        """Return what the work returns, and raise what it raises.

        It may take so many times as long as other work. Raises Overdue where it takes longer, and
        ever after.
        """
        with self._lock:
            if self.is_left:
                raise self._overdue(times)
            if self._thread is None:
                # What is idle ends with the process.
                self._thread = threading.Thread(target=_serve, args=(self._asked,), daemon=True)
                self._thread.start()
            answer: Future[Result] = Future()
            self._asked.put((answer, work))
            try:
                return answer.result(times * self.limit)
            except TimeoutError:
                if answer.done():
                    # It is the work's own.
                    raise
                raise self._overdue(times) from None
            finally:
                if not answer.done():
                    # It took too long, or Ctrl-C ended the wait.
                    self.is_left = True
                    _LEFT.append(answer)

    def _overdue(self, times: int) -> Overdue:
        return Overdue(f"took longer than {times * self.limit:g} seconds")


def leave(code: object) -> None:
    """End the process at once with an exit code, as sys.exit takes it, if work was given up.

    Otherwise, return: Python ends the process in its own way.
    """
    if not all(one.done() for one in _LEFT):
        _end(code)


def _end(code: object) -> Never:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 1
    os._exit(code if isinstance(code, int) else int(code is not None))


def _serve(asked: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]]) -> None:
    while True:
        answer, work = asked.get()
        try:
            answer.set_result(work())
        except BaseException as error:
            answer.set_exception(error)
        # Pictures are not held until the next call.
        del answer, work
