"""How many cores there are, and work that threads do ahead of its need."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import TypeVar

MOST_THREADS = 8
"""More than so many read from one disk no faster."""

ROOM = 256 * 2**20
"""Bytes of decoded pictures that may wait: 43 pictures of 1920x1080, or one that is huge."""

Item = TypeVar("Item")
Result = TypeVar("Result")


_LIMIT: ContextVar[int | None] = ContextVar("limit", default=None)


def available_cores() -> int:
    """Return how many processor cores the caller may use, at least 1; see limited."""
    there = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        there = len(os.sched_getaffinity(0))
    return min(there, _LIMIT.get() or there)


@contextlib.contextmanager
def limited(cores: int) -> Iterator[None]:
    """Let the caller use at most so many cores, at least 1, until the end of the block.

    Threads that it starts know nothing of it. Nothing may be yielded from inside.
    """
    before = _LIMIT.set(cores)
    try:
        yield
    finally:
        _LIMIT.reset(before)


def leave_cores(cores: int) -> None:
    """Keep libraries from using more cores in this process than so many.

    OpenCV and FAISS start threads of their own, FAISS's when it is first imported.
    """
    import cv2

    cv2.setNumThreads(cores)
    os.environ["OMP_NUM_THREADS"] = str(cores)


def ahead(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    most: int,
    size: Callable[[Result], int] = lambda _: 0,
    room: int = ROOM,
    threads: int | None = None,
) -> Generator[Result, None, None]:
    """Yield the results of work in the order of its items, done by threads before they are wanted.

    At most so many items are begun that have not been taken, and none is begun while the results
    that wait have a summed size of room or more, so that memory stays flat however many items there
    are. What the work raises is raised in its turn. An iterator that is closed begins nothing more
    and waits for what is running. There are so many threads, or one for each core up to
    MOST_THREADS.
    """
    count = threads or min(available_cores(), MOST_THREADS)
    waiting: deque[Future[Result]] = deque()
    coming = iter(items)
    pool = ThreadPoolExecutor(min(count, most), "ahead")
    try:
        while True:
            while len(waiting) < most and (not waiting or _summed(waiting, size) < room):
                try:
                    waiting.append(pool.submit(work, next(coming)))
                except StopIteration:
                    break
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return what work makes of every item, in their order; the first ones are begun first.

    Items are shared out among the cores that the caller may use, each as a whole: cores that meet
    at every layer of a small network wait for each other more than they work. Work is told how many
    cores it may use itself, as by limited. What it raises is raised.
    """
    cores = available_cores()
    count = min(cores, len(items))

    def alone(item: Item) -> Result:
        with limited(max(cores // len(items), 1)):
            return work(item)

    if count < 2:
        return [alone(item) for item in items]
    with ThreadPoolExecutor(count, "side by side") as threads:
        begun = [threads.submit(alone, item) for item in items]
        try:
            return [one.result() for one in begun]
        finally:
            # After Ctrl-C or an error what has not begun need not be done.
            threads.shutdown(wait=False, cancel_futures=True)


def _summed(waiting: Iterable[Future[Result]], size: Callable[[Result], int]) -> int:
    """Return the size of all results that are there; failures have none."""
    there = (one for one in waiting if one.done() and not one.cancelled())
    return sum(size(one.result()) for one in there if one.exception() is None)
