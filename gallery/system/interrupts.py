"""Ctrl-C ends a command where that tears nothing, with no word but the command's own.

Python raises KeyboardInterrupt wherever it happens to be: within a library's import, which then
says something else; within SQLAlchemy's cleaning up, which logs it; within a function that nobody
called, such as `__del__`, where it is printed and lost; before and after all that could catch it.
Here it waits until such a place is left, for a few milliseconds. A second Ctrl-C ends the process
at once, which nothing on the disk minds: it is as a kill.

Until this is imported Ctrl-C has Python's own traceback: it imports next to nothing.
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import time

TYPE_CHECKING = False  # typing takes longer than all the others
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

EXIT_CODE = 130
"""What shells give a command that Ctrl-C ended."""

PAUSE = 0.005
"""Seconds between two looks whether the place is left."""

ONE_PRESS = 0.5
"""Seconds for which another Ctrl-C is the same one: programs around this one hand it on, too."""

MODULES = frozenset(("_weakrefset", "alembic", "logging", "sqlalchemy", "weakref"))
"""Nothing is raised while functions of these, or what they call, are at work."""

FUNCTIONS = frozenset(("__del__", "__exit__"))
"""Nor while these are, whosever they are: what is left gets cleaned up."""

LOADER = "ExtensionFileLoader."
"""Nor while a module made in C is loaded: some say of what they import that it is not there."""

IMPORTING = frozenset(("_frozen_importlib", "_frozen_importlib_external", "importlib"))
ENTERING = "__enter__"
"""Nor in these themselves, which hold locks; what they call may be long, and is no matter."""


def raised_in(work: Callable[[], None]) -> None:
    """Do work that Ctrl-C ends by KeyboardInterrupt; the caller catches it."""
    work()


def is_behind(error: BaseException) -> bool:
    """Say whether an error came up because Ctrl-C ended what was going on."""
    behind: BaseException | None = error
    while behind is not None and not isinstance(behind, KeyboardInterrupt):
        behind = behind.__cause__ or behind.__context__
    return behind is not None


def install() -> None:
    """Look after Ctrl-C from now until the process ends.

    Where it is ignored, as in the background of a shell, or looked after by others, that stays.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        interrupts = _Interrupts()
        signal.signal(signal.SIGINT, interrupts.handle)
        sys.unraisablehook = interrupts.unraisable
        # Nothing is left to be stopped then.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


class _Interrupts:
    """What was pressed, and what came of it."""

    def __init__(self) -> None:
        self._main = _thread.get_ident()
        self._first: float | None = None
        self._is_due = False
        self._tell_others = sys.unraisablehook

    def handle(self, _: int, frame: FrameType | None) -> None:
        """Take a signal: a person's, or the one that was sent to look again."""
        now = time.monotonic()
        if self._is_due:
            self._is_due = False
        elif self._first is None:
            self._first = now
        elif now - self._first < ONE_PRESS:
            return
        else:
            _stop()
        if not any(one.f_code is raised_in.__code__ for one in _stack(frame)):
            # Nothing has begun yet, or all is done.
            _stop()
        if _holds_locks(frame) or any(_is_kept_whole(one) for one in _stack(frame)):
            self._look_again()
        else:
            raise KeyboardInterrupt

    def unraisable(self, failure: sys.UnraisableHookArgs) -> None:
        """Raise once more what was raised where it could not be."""
        if issubclass(failure.exc_type, KeyboardInterrupt):
            self._look_again()
        else:
            self._tell_others(failure)

    def _look_again(self) -> None:
        # A thread of `threading` takes locks that the interrupted code may hold.
        try:
            _thread.start_new_thread(self._send, ())
        except RuntimeError:
            # The system gives no more of them, or Python is about to end.
            _stop()

    def _send(self) -> None:
        time.sleep(PAUSE)
        self._is_due = True
        if hasattr(signal, "pthread_kill"):
            # Unlike the other one it ends waiting for the system.
            signal.pthread_kill(self._main, signal.SIGINT)
        else:
            _thread.interrupt_main()


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _holds_locks(frame: FrameType | None) -> bool:
    return frame is not None and (_package(frame) in IMPORTING or frame.f_code.co_name == ENTERING)


def _is_kept_whole(frame: FrameType) -> bool:
    code = frame.f_code
    if code.co_name in FUNCTIONS or code.co_qualname.startswith(LOADER):
        return True
    # What a module does while it is imported is no work of its functions.
    return code.co_name != "<module>" and _package(frame) in MODULES


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _stop() -> None:
    """End the process as it is."""
    # A progress bar hides the cursor.
    shown = b"\x1b[?25h\n" if os.isatty(2) else b""
    try:
        os.write(2, shown + b"gallery: stopped.\n")
    finally:
        os._exit(EXIT_CODE)
