"""Sends work to a scheduler's workers and takes what they found, in order, whatever ends meanwhile.

A worker that ends takes with it what it was at. Its batches are looked into then, a picture at a
time and nothing beside it, so that no picture is blamed for another: one that ends MOST_DEATHS
workers when it is alone is set aside. Where the scheduler goes, all that was on its way is sent
again once it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from gallery.errors import (
    AbsentPictures,
    GalleryError,
    InputError,
    NoScheduler,
    NoWorkers,
    WorkersEnded,
)
from gallery.faces.quality import NO_GATES, Gates
from gallery.jobs.pipeline import GROUP
from gallery.machines.library import MANY, PAGES_AT, load
from gallery.machines.reach import PATIENCE, knock, reach_of, security_of
from gallery.machines.work import Asked, Order, Seen, encode, kind, look
from gallery.media.images import FileState, file_state, read_bytes
from gallery.settings import Settings
from gallery.store.sightings import Observation
from gallery.system.files import absolute
from gallery.system.threads import ROOM, available_cores
from gallery.types import Descriptor

if TYPE_CHECKING:
    from distributed import Client, Future

MOST_DEATHS = 3
"""So many workers a picture may end before it is set aside."""

AHEAD = 3
"""Batches on their way for each thread of all workers."""

LOOK_AGAIN = 2.0
"""Seconds between two looks at how the scheduler and its workers are."""

LOOKS = 10
"""After so many looks at which no worker was there it is said: most are on their way back."""

SOON = 0.2
"""Seconds between two looks whether a first worker is there."""

FIRST_WORKER = 60.0
"""Seconds in which a worker has to come to a job that begins; later on it waits for ever."""

Unit = TypeVar("Unit")
Found = TypeVar("Found")

Tell: TypeAlias = Callable[[GalleryError], None]
"""Says what is waited for."""


class _Gone(Exception):  # noqa: N818 - it says what happened
    """The scheduler, or the way to it, is no more; or a worker ended."""


class _Ended(Exception):  # noqa: N818 - it says what happened
    """A worker ended with what it was at."""


@dataclass(slots=True, eq=False)
class _Sent(Generic[Unit]):
    """A batch on its way."""

    units: Sequence[Unit]
    future: Future


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture that is to be sent, or why it cannot be."""

    path: Path
    state: FileState | None
    asked: Asked | None
    failure: InputError | None = None


class Workers:
    """The workers of a scheduler, as one job uses them: pipeline.Hands."""

    def __init__(
        self,
        connect: Callable[[], Client],
        address: str,
        order: Order,
        *,
        folders: Sequence[tuple[Path, str]] = (),
        tell: Tell = lambda _: None,
    ) -> None:
        """Connect to a scheduler, whose workers are to do as ordered.

        Pictures in `folders` are read by the workers, who have each folder by the name beside it.
        Raises SetupError where no scheduler answers, and where no worker is fit in FIRST_WORKER.
        """
        self._connect, self._address, self._order = connect, address, order
        self._folders, self._tell = list(folders), tell
        self._client = self._connected()
        self._count, self._look_at, self._idle = 0, 0.0, 0
        self._wait_for_workers()

    def close(self) -> None:
        """Leave the scheduler; what is on its way is of no account any more."""
        _close(self._client)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def observations(
        self, paths: Sequence[Path], gates: Gates = NO_GATES
    ) -> Generator[list[Observation], None, None]:
        """Yield what is seen in pictures, in their order, a few at a time.

        It is what pipeline.observations yields, but for a picture that ends its workers: that one
        has an error. Raises SetupError where a worker is not fit.
        """
        begun: deque[list[_Picture]] = deque()

        def batches() -> Iterator[list[Asked]]:
            for start in range(0, len(paths), GROUP):
                begun.append([self._read(path) for path in paths[start : start + GROUP]])
                yield [one.asked for one in begun[-1] if one.asked is not None]

        work = partial(look, self._order, gates)
        with contextlib.closing(self.in_order(work, batches(), size=_size)) as answers:
            for answer in answers:
                found = iter(answer)
                yield [
                    self._observed(one, None if one.asked is None else next(found), work)
                    for one in begun.popleft()
                ]

    def encoded(
        self, batches: Iterable[Sequence[bytes]]
    ) -> Generator[list[Descriptor | None], None, None]:
        """Yield the descriptors of crops, given as PNG or JPEG files, in their order.

        None stands for one that ends its workers. Raises SetupError where a worker is not fit.
        """
        return self.in_order(partial(encode, self._order), batches, size=len)

    def in_order(
        self,
        work: Callable[[Sequence[Unit]], list[Found]],
        batches: Iterable[Sequence[Unit]],
        *,
        size: Callable[[Unit], int],
    ) -> Generator[list[Found | None], None, None]:
        """Yield what work finds of each batch, an item a unit; None where it ends its workers.

        So many batches are on their way that no worker waits, and units of a summed size of
        threads.ROOM at most.
        """
        coming, waiting = iter(batches), deque[_Sent[Unit]]()
        is_more = True
        try:
            while True:
                while is_more and self._has_room(waiting, size):
                    units = next(coming, None)
                    is_more = units is not None
                    if units is not None:
                        waiting.append(_Sent(units, self._submit(work, units)))
                if not waiting:
                    return
                yield self._found(work, waiting)
        finally:
            # Nothing is asked of what nobody waits for.
            for one in waiting:
                one.future.release()

    def _has_room(self, waiting: Sequence[_Sent[Unit]], size: Callable[[Unit], int]) -> bool:
        if not waiting:
            return True
        held = sum(size(unit) for one in waiting for unit in one.units)
        return held < ROOM and len(waiting) < AHEAD * self._threads()

    def _found(
        self, work: Callable[[Sequence[Unit]], list[Found]], waiting: deque[_Sent[Unit]]
    ) -> list[Found | None]:
        """Return what was found of the batch that was sent first."""
        while True:
            try:
                found: list[Found | None] = self._result(waiting[0].future)
            except _Gone:
                self._client = self._again()
                for one in waiting:
                    one.future = self._submit(work, one.units)
            except _Ended:
                # All others come to rest first, so that what is looked into is alone.
                for one in waiting:
                    with contextlib.suppress(_Ended, _Gone, GalleryError):
                        self._result(one.future)
                return [self._alone(work, unit) for unit in waiting.popleft().units]
            else:
                waiting.popleft()
                return found

    def _alone(self, work: Callable[[Sequence[Unit]], list[Found]], unit: Unit) -> Found | None:
        """Return what is found of a unit with nothing else on its way, None where it is deadly."""
        deaths = 0
        while deaths < MOST_DEATHS:
            try:
                found: list[Found] = self._result(self._submit(work, [unit]))
            except _Gone:
                self._client = self._again()
            except _Ended:
                deaths += 1
            else:
                return found[0]
        return None

    def _submit(
        self, work: Callable[[Sequence[Unit]], list[Found]], units: Sequence[Unit]
    ) -> Future:
        if not units:
            return self._client.submit(list, pure=False)
        return self._client.submit(work, units, pure=False, resources={kind(): 1})

    def _result(self, future: Future) -> Any:
        """Wait for a batch. Raises what the worker raised, _Ended or _Gone."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError

        while True:
            try:
                return future.result(timeout=LOOK_AGAIN)
            except TimeoutError:
                self._look_after_workers()
            except KilledWorker as error:
                raise _Ended from error
            except (CommClosedError, FutureCancelledError) as error:
                raise _Gone from error
            except (OSError, RuntimeError) as error:
                # A client whose scheduler does not come back closes itself.
                if self._client.status == "running":
                    raise
                raise _Gone from error

    def _connected(self) -> Client:
        try:
            return self._connect()
        except Exception as error:
            # What answers there may say anything at all.
            raise NoScheduler(self._address) from error

    def _again(self) -> Client:
        """Return a new connection, once there is one to be had."""
        _close(self._client)
        is_told = False
        while True:
            try:
                return self._connected()
            except NoScheduler as error:
                if not is_told:
                    self._tell(error.detached())
                is_told = True
                time.sleep(LOOK_AGAIN)

    def _threads(self) -> int:
        """Return how many threads all fit workers have, 0 while the scheduler is away."""
        if time.monotonic() >= self._look_at:
            fit = [one for one in self._known() if kind() in one["resources"]]
            self._count = sum(one["nthreads"] for one in fit)
            self._look_at = time.monotonic() + LOOK_AGAIN
        return self._count

    def _known(self) -> list[dict[str, Any]]:
        """Return what the scheduler says of all workers, fit or not."""
        try:
            return list(self._client.scheduler_info()["workers"].values())
        except (OSError, RuntimeError):
            return []

    def _no_workers(self) -> NoWorkers:
        others = {" and ".join(one["resources"]) or "no gallery" for one in self._known()}
        return NoWorkers(self._address, kind(), tuple(sorted(others - {kind()})))

    def _wait_for_workers(self) -> None:
        until = time.monotonic() + FIRST_WORKER
        while not self._threads():
            error = self._no_workers()
            if error.known or time.monotonic() > until:
                raise error
            self._look_at = 0.0
            time.sleep(SOON)

    def _look_after_workers(self) -> None:
        is_idle = self._client.status == "running" and not self._threads()
        self._idle = self._idle + 1 if is_idle else 0
        if self._idle == LOOKS:
            self._tell(self._no_workers())

    def _read(self, path: Path) -> _Picture:
        """Return a picture as it is sent: the file, or its name where the workers read it."""
        try:
            state = file_state(path)
            place = self._place_of(path)
            content = read_bytes(path) if place is None else None
        except InputError as error:
            return _Picture(path, None, None, error.detached())
        return _Picture(path, state, Asked(str(path), content, place or "", state.size))

    def _place_of(self, path: Path) -> str | None:
        """Return what the workers call a file; None where they do not have it."""
        whole = absolute(path)
        for here, there in self._folders:
            if whole.is_relative_to(here):
                return "/".join((there.rstrip("/"), whole.relative_to(here).as_posix()))
        return None

    def _sent_whole(
        self, one: _Picture, work: Callable[[Sequence[Asked]], list[Seen]]
    ) -> tuple[_Picture, Seen | None]:
        """Have a picture looked at that workers do not find by its name.

        Unless it has changed here, they find no other either.
        """
        folders, self._folders = self._folders, []
        again = self._read(one.path)
        if again.state != one.state:
            self._folders = folders
        elif folders and one.asked is not None:
            self._tell(AbsentPictures(one.asked.place))
        return again, None if again.asked is None else self._alone(work, again.asked)

    def _observed(
        self,
        one: _Picture,
        seen: Seen | None,
        work: Callable[[Sequence[Asked]], list[Seen]],
    ) -> Observation:
        """Return what was seen in a picture, as if it had been looked at here."""
        if one.asked is not None and seen is not None and seen.is_absent:
            one, seen = self._sent_whole(one, work)
        failure = one.failure
        if one.asked is not None:
            failure = WorkersEnded(one.path, times=MOST_DEATHS) if seen is None else seen.failure
        if seen is None or failure is not None:
            return Observation(
                one.path, None, None, None, None, error=str(failure), failure=failure
            )
        return Observation(
            one.path,
            one.state,
            seen.digest,
            seen.width,
            seen.height,
            tuple(face.described() for face in seen.faces),
            seen.left_out,
            content=seen.content,
        )


def _size(asked: Asked) -> int:
    return len(asked.content or b"")


def _close(client: Client) -> None:
    # What it says of a scheduler that is gone is known.
    with contextlib.suppress(Exception):
        client.close(timeout=1)


@contextlib.contextmanager
def workers_at(
    settings: Settings,
    cluster: str,
    keys: Path | None = None,
    folders: Sequence[tuple[Path, str]] = (),
    tell: Tell = lambda _: None,
) -> Iterator[Workers]:
    """Give the workers of a scheduler, named as reach_of wants it; see Workers.

    Raises InputError for an address and keys that are none.
    """
    reach, order = reach_of(cluster, keys), Order.of(settings)
    security, distributed = security_of(reach.keys), load()

    def connect() -> Client:
        asyncio.run(knock(reach.address, security, PATIENCE))
        return distributed.Client(
            reach.address,
            security=security,
            timeout=PATIENCE,
            set_as_default=False,
            direct_to_workers=False,
        )

    with Workers(connect, reach.address, order, folders=folders, tell=tell) as workers:
        yield workers


@contextlib.contextmanager
def own_workers(
    settings: Settings,
    count: int,
    tell: Tell = lambda _: None,
    *,
    threads: int | None = None,
) -> Iterator[Workers]:
    """Start so many workers on this machine and give them.

    Each has so many threads, or they have one for each core together.
    """
    order, distributed = Order.of(settings), load()
    from distributed.security import Security

    with (
        distributed.LocalCluster(
            n_workers=count,
            threads_per_worker=threads or max(available_cores() // count, 1),
            host="127.0.0.1",
            # Without keys every user of this machine could have them run a program.
            security=Security.temporary(),
            dashboard_address=PAGES_AT,
            worker_dashboard_address=PAGES_AT,
            memory_limit=0,
            resources={kind(): MANY},
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Workers(
            lambda: distributed.Client(cluster, set_as_default=False),
            cluster.scheduler_address,
            order,
            # They are on this machine, where every file has its name.
            folders=[(Path("/"), "/")],
            tell=tell,
        ) as workers,
    ):
        yield workers
