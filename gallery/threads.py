"""How many cores there are, and work that threads do ahead of its need."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

MOST_THREADS = 8
"""More than so many read from one disk no faster."""

ROOM = 256 * 2**20
"""Bytes of decoded pictures that may wait: 43 pictures of 1920x1080, or one that is huge."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Return how many processor cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ahead(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    most: int,
    size: Callable[[Result], int] = lambda _: 0,
    room: int = ROOM,
) -> Generator[Result, None, None]:
    """Yield the results of work in the order of its items, done by threads before they are wanted.

    At most so many items are begun that have not been taken, and none is begun while the results
    that wait have a summed size of room or more, so that memory stays flat however many items there
    are. What the work raises is raised in its turn. An iterator that is closed begins nothing more
    and waits for what is running.
    """
    waiting: deque[Future[Result]] = deque()
    coming = iter(items)
    threads = ThreadPoolExecutor(min(available_cores(), MOST_THREADS, most), "ahead")
    try:
        while True:
            while len(waiting) < most and (not waiting or _summed(waiting, size) < room):
                try:
                    waiting.append(threads.submit(work, next(coming)))
                except StopIteration:
                    break
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=True, cancel_futures=True)


def _summed(waiting: Iterable[Future[Result]], size: Callable[[Result], int]) -> int:
    """Return the size of all results that are there; failures have none."""
    there = (one for one in waiting if one.done() and not one.cancelled())
    return sum(size(one.result()) for one in there if one.exception() is None)
