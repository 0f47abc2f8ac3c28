"""Work done ahead: in order, bounded, and over when nobody wants more; work shared among cores."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from gallery.system.threads import ahead, available_cores, limited, side_by_side


def test_there_is_a_core() -> None:
    assert available_cores() >= 1


def test_a_limit_holds_inside_its_block_and_for_nobody_else() -> None:
    there = available_cores()
    seen: list[int] = []
    with limited(1):
        assert available_cores() == 1
        with limited(there + 5):
            assert available_cores() == there
        assert available_cores() == 1
        other = threading.Thread(target=lambda: seen.append(available_cores()))
        other.start()
        other.join()
    assert seen == [there]
    assert available_cores() == there


def test_results_come_in_the_order_of_the_items() -> None:
    def late(item: int) -> int:
        time.sleep(0.002 * (item % 3))
        return item * item

    assert list(ahead(late, range(40), most=5)) == [item * item for item in range(40)]
    assert list(ahead(late, [], most=5)) == []


def test_no_more_is_begun_than_is_allowed() -> None:
    begun: list[int] = []
    coming = ahead(lambda item: begun.append(item) or item, range(100), most=4)  # type: ignore[func-returns-value]
    for taken in range(1, 20):
        next(coming)
        # What was begun and not taken, and the one that was just taken.
        assert len(begun) <= taken + 4
    coming.close()


def test_large_results_wait_alone() -> None:
    asked: list[int] = []

    def items() -> Iterator[int]:
        for item in range(12):
            asked.append(item)
            yield item

    coming = ahead(lambda item: item, items(), most=8, size=lambda _: 100, room=100)
    for taken, item in enumerate(coming, 1):
        assert item == taken - 1
        # Those that run have no size yet: as many as there are threads.
        assert len(asked) <= taken + 8
        time.sleep(0.01)
    assert len(asked) == 12


def test_a_failure_comes_in_its_turn() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise ValueError("three")
        return item

    coming = ahead(work, range(10), most=6)
    assert [next(coming) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(coming)
    assert list(coming) == []


def test_what_is_closed_begins_nothing_more_and_leaves_no_thread() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        return item

    coming = ahead(work, range(1000), most=3)
    next(coming)
    coming.close()
    count = len(begun)
    assert count <= 5
    time.sleep(0.02)
    assert len(begun) == count
    assert not [one for one in threading.enumerate() if one.name.startswith("ahead")]


def test_parts_share_the_cores_and_answer_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(7)), raising=False)
    shares: list[int] = []

    def work(part: str) -> str:
        shares.append(available_cores())
        return part.upper()

    assert side_by_side(work, ["a", "b", "c"]) == ["A", "B", "C"]
    assert shares == [2, 2, 2]
    with limited(1):
        assert (
            side_by_side(lambda _: threading.current_thread(), "ab")
            == [threading.current_thread()] * 2
        )
    assert available_cores() == 7


def test_what_fails_in_one_part_is_said() -> None:
    def work(part: int) -> int:
        return 1 // part

    with pytest.raises(ZeroDivisionError):
        side_by_side(work, [1, 0, 2])
