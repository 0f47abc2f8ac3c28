"""Whether memory was short, however a library says so, and how often garbage is looked for."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
from collections.abc import Iterator
from pathlib import Path

from gallery.errors import GalleryError

SENTENCE = "There is not enough memory for this; close other programs, or let this one have more."

SELDOM = 20_000
"""New things after which garbage is looked for; with Python it is 700."""

SIGNS = (
    "bad_alloc",
    "Cannot allocate memory",
    "Insufficient memory",
    "Memory allocation failed",
    "can't start new thread",
    "cannot allocate memory",
    "failed to map segment",
    "out of memory",
    "without exception set",
    "without setting an exception",
)
"""What errors say that are for want of memory and no MemoryError; a thread wants it for itself."""


def is_behind(error: BaseException) -> bool:
    """Say whether an error came up because there was too little memory."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, MemoryError) or _says_so(behind):
            return True
        behind = behind.__cause__ or behind.__context__
    return False


def require(room: int) -> None:
    """Raise MemoryError where this process may take less than so many bytes of addresses more.

    Some libraries end the process where they get none while they are loaded.
    """
    try:
        import resource
    except ImportError:
        # Windows has no such limit.
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    # Other systems than Linux do not hold to it.
    with contextlib.suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        if limit != resource.RLIM_INFINITY and limit - pages * os.sysconf("SC_PAGE_SIZE") < room:
            raise MemoryError


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Look seldom for garbage that refers to itself, as where very many small things stay.

    Among them the search takes a fifth of the time. It is not for work with pictures, of which few
    are much memory.
    """
    before = gc.get_threshold()
    gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _says_so(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    # In a sentence of ours a file may be called so.
    return not isinstance(error, GalleryError) and any(sign in str(error) for sign in SIGNS)
