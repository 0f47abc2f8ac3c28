"""Errors that come of too little memory, and those that only sound so."""

from __future__ import annotations

import errno
import gc
from pathlib import Path

import pytest

from gallery.errors import NothingFound, UnreadablePicture
from gallery.system import memory


def raised(error: BaseException, behind: BaseException | None = None) -> BaseException:
    """Return an error that was raised from another."""
    try:
        raise error from behind
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        ImportError("libx.so: failed to map segment from shared object"),
        Exception("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : std::bad_alloc"),
        raised(UnreadablePicture(Path("a.png"), "is damaged"), MemoryError()),
        raised(ValueError("no array"), RuntimeError("Insufficient memory")),
    ],
    ids=repr,
)
def test_memory_was_short(error: BaseException) -> None:
    assert memory.is_behind(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no array"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "out of memory.png"),
        NothingFound(Path("out of memory.png"), "does not exist"),
        KeyboardInterrupt(),
    ],
    ids=repr,
)
def test_memory_was_not_short(error: BaseException) -> None:
    assert not memory.is_behind(error)


def test_garbage_is_looked_for_as_before_once_much_is_done() -> None:
    before = gc.get_threshold()
    with memory.seldom_collected():
        assert gc.get_threshold()[0] > before[0]
    assert gc.get_threshold() == before
