"""Somebody else's code is given up when its time is over, and is not asked again."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from gallery.errors import SetupError
from gallery.system import patience
from gallery.system.patience import Overdue, Patience


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """What somebody else's code waits for; it comes when the test ends."""
    monkeypatch.setenv(patience.VARIABLE, "0.05")
    event = threading.Event()
    yield event
    event.set()


def test_all_work_is_done_by_one_thread_and_its_errors_are_its_own() -> None:
    one = Patience()
    thread = one.call(threading.get_ident)
    assert thread != threading.get_ident()
    assert one.call(threading.get_ident) == thread

    def refuse() -> None:
        raise TimeoutError("a server's")

    with pytest.raises(TimeoutError, match="a server's"):
        one.call(refuse)
    with pytest.raises(SystemExit):
        one.call(sys.exit)
    assert (one.call(lambda: 3), one.is_left) == (3, False)


def test_what_takes_too_long_is_given_up_for_good(hanging: threading.Event) -> None:
    one = Patience()
    with pytest.raises(Overdue, match=r"^took longer than 0\.05 seconds$"):
        one.call(hanging.wait)
    assert one.is_left
    with pytest.raises(Overdue, match="took longer"):
        one.call(lambda: 3)


def test_some_work_may_take_so_many_times_as_long(hanging: threading.Event) -> None:
    timer = threading.Timer(0.2, hanging.set)
    timer.start()
    one = Patience()
    assert one.call(hanging.wait, times=2000)
    hanging.clear()
    with pytest.raises(Overdue, match=r"^took longer than 0\.1 seconds$"):
        one.call(hanging.wait, times=2)


def test_the_process_ends_at_once_only_while_such_work_goes_on(
    hanging: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    patience.leave(1)
    assert ended == []
    one = Patience()
    with pytest.raises(Overdue):
        one.call(hanging.wait)
    for code in (1, None, "a sentence", 130):
        patience.leave(code)
    assert ended == [1, 0, 1, 130]


@pytest.mark.parametrize("value", ["soon", "0", "-3", "nan", "1e9"])
def test_a_limit_that_is_none_is_said(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(patience.VARIABLE, value)
    with pytest.raises(SetupError, match=f"GALLERY_PLUGIN_SECONDS is {value}, which is no number"):
        Patience()
