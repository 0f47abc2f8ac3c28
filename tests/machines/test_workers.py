"""What a job does while workers, the scheduler and the way to it end: told by a client of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import Square, write_picture

pytest.importorskip("distributed", reason="distributed is not installed")

from distributed.scheduler import KilledWorker

from gallery.errors import GalleryError, NoScheduler, NoWorkers, WorkersEnded
from gallery.machines import workers as module
from gallery.machines.work import Asked, Order, Seen, kind
from gallery.machines.workers import AHEAD, MOST_DEATHS, Workers
from gallery.system.threads import ROOM
from gallery.types import Content

ORDER = Order("fake", "fake-1", "onnx", "whole", "", 1.0)


class Deadly(Exception):  # noqa: N818
    """A worker ends."""


class Result:
    def __init__(self, client: Client, work: Callable[[], Any]) -> None:
        self._client, self._work, self.released = client, work, False

    def result(self, timeout: float) -> Any:
        from distributed.client import FutureCancelledError

        if self._client.status != "running":
            raise FutureCancelledError("one", "scheduler-connection-lost")
        if self._client.late:
            self._client.late -= 1
            raise TimeoutError
        self._client.running.discard(self)
        try:
            return self._work()
        except Deadly as error:
            raise KilledWorker("one", error, 0) from error

    def release(self) -> None:
        self.released = True


class Client:
    """Does the work at once, in this process."""

    def __init__(self, *, threads: int = 2, resources: Sequence[str] | None = None) -> None:
        self.status = "running"
        self.threads, self.resources = threads, [kind()] if resources is None else resources
        self.sent: list[Any] = []
        self.running: set[Result] = set()
        self.most = self.late = 0

    def submit(self, work: Callable[..., Any], *arguments: Any, **_: object) -> Result:
        self.sent.append(*arguments)
        one = Result(self, lambda: work(*arguments))
        self.running.add(one)
        self.most = max(self.most, len(self.running))
        return one

    def scheduler_info(self) -> dict[str, Any]:
        worker = {"nthreads": self.threads, "resources": dict.fromkeys(self.resources, 1)}
        return {"workers": {"one": worker} if self.threads else {}}

    def close(self, timeout: float) -> None:
        self.status = "closed"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits."""
    for name in ("LOOK_AGAIN", "SOON", "FIRST_WORKER"):
        monkeypatch.setattr(module, name, 0.0)


def workers(*clients: Client | None, **chosen: Any) -> Workers:
    """Workers who are met by these clients, one after the other; None stands for nobody."""
    coming = iter(clients)

    def connect() -> Any:
        client = next(coming)
        if client is None:
            raise OSError("refused")
        return client

    return Workers(connect, "tcp://there:1", ORDER, **chosen)


def doubled(units: Sequence[int]) -> list[int]:
    return [2 * unit for unit in units]


def all_of(
    using: Workers, work: Callable[[Sequence[int]], list[int]], batches: Sequence[Sequence[int]]
) -> list[list[int | None]]:
    return list(using.in_order(work, batches, size=lambda _: 0))


def test_what_is_found_comes_in_order_and_no_more_is_sent_than_all_threads_want() -> None:
    client = Client()
    found = all_of(workers(client), doubled, [[number] for number in range(50)])
    assert found == [[2 * number] for number in range(50)]
    assert client.most == AHEAD * client.threads


def test_large_batches_wait_until_there_is_room() -> None:
    client = Client()
    found = workers(client).in_order(doubled, [[1]] * 9, size=lambda _: ROOM // 2)
    assert list(found) == [[2]] * 9
    assert client.most == 2


def test_what_nobody_waits_for_is_let_go_of() -> None:
    client = Client()
    coming = workers(client).in_order(doubled, [[1], [2], [3]], size=lambda _: 0)
    assert next(coming) == [2]
    left = list(client.running)
    coming.close()
    assert len(left) == 2
    assert all(one.released for one in left)


def test_what_ends_three_workers_alone_is_set_aside_and_nothing_beside_it() -> None:
    tried: list[list[int]] = []

    def deadly(units: Sequence[int]) -> list[int]:
        tried.append(list(units))
        if 13 in units:
            raise Deadly
        return doubled(units)

    client = Client()
    batches = [[number, number + 1] for number in range(0, 40, 2)]
    found = all_of(workers(client), deadly, batches)
    assert found == [[2 * a, None if b == 13 else 2 * b] for a, b in batches]
    assert tried.count([13]) == MOST_DEATHS
    first = tried.index([12])
    assert tried[first : first + 4] == [[12], [13], [13], [13]]


def test_a_worker_that_ends_once_leaves_no_mark() -> None:
    deaths = iter([True])

    def unlucky(units: Sequence[int]) -> list[int]:
        if 5 in units and next(deaths, False):
            raise Deadly
        return doubled(units)

    found = all_of(workers(Client()), unlucky, [[4, 5], [6, 7]])
    assert found == [[8, 10], [12, 14]]


def test_all_that_was_on_its_way_is_sent_again_when_the_scheduler_is_back() -> None:
    first, second, told = Client(), Client(), list[GalleryError]()
    using = workers(first, None, None, second, tell=told.append)
    coming = using.in_order(doubled, [[1], [2], [3], [4]], size=lambda _: 0)
    assert next(coming) == [2]
    first.status = "connecting"
    assert list(coming) == [[4], [6], [8]]
    assert second.sent[:3] == [[2], [3], [4]]
    assert [type(one) for one in told] == [NoScheduler]


def test_the_scheduler_may_go_while_a_picture_is_looked_into() -> None:
    first, second = Client(), Client()

    def going(units: Sequence[int]) -> list[int]:
        if first.status == "running" and len(first.sent) == 1:
            raise Deadly
        first.status = "connecting"
        return doubled(units)

    assert all_of(workers(first, second), going, [[1]]) == [[2]]


def test_a_job_waits_for_workers_and_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    client, told = Client(), list[GalleryError]()
    using = workers(client, tell=told.append)
    client.late = 3 * module.LOOKS
    client.threads = 0
    assert all_of(using, doubled, [[1]]) == [[2]]
    assert [type(one) for one in told] == [NoWorkers]


def test_nobody_who_answers_is_one_sentence() -> None:
    with pytest.raises(NoScheduler, match=r"^No scheduler answers at tcp://there:1; "):
        workers(None)


def test_workers_of_another_kind_are_named_and_get_nothing() -> None:
    with pytest.raises(NoWorkers) as raised:
        workers(Client(resources=["gallery 0.0.1"]))
    assert raised.value.known == ("gallery 0.0.1",)
    assert str(raised.value).startswith("The scheduler at tcp://there:1 has no worker with gallery")
    with pytest.raises(NoWorkers, match="only with no gallery"):
        workers(Client(resources=[]))
    with pytest.raises(NoWorkers) as raised:
        workers(Client(threads=0))
    assert raised.value.known == ()


def test_a_mistake_in_the_work_is_raised_and_nothing_is_tried_again() -> None:
    def mistaken(_: Sequence[int]) -> list[int]:
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError, match="a mistake"):
        all_of(workers(Client()), mistaken, [[1]])


def seen_by(asked: Sequence[Asked]) -> list[Seen]:
    return [
        Seen(is_absent=True)
        if one.content is None
        else Seen("d" * 64, 8, 8, Content(one.name), (), 0)
        for one in asked
    ]


@contextlib.contextmanager
def looking(monkeypatch: pytest.MonkeyPatch, look: Callable[..., list[Seen]]) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(module, "look", lambda _order, _gates, asked: look(asked))
        yield


def test_pictures_that_workers_do_not_find_are_sent_and_it_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [write_picture(tmp_path / f"{number}.png", seed=number) for number in range(10)]
    told, client = list[GalleryError](), Client()
    with looking(monkeypatch, seen_by):
        using = workers(client, folders=[(tmp_path, "/far/")], tell=told.append)
        found = [one for some in using.observations(paths) for one in some]
    assert [one.path for one in found] == paths
    assert [one.content for one in found] == [Content(str(path)) for path in paths]
    assert client.sent[0][0].place == "/far/0.png"
    assert [str(one).partition(",")[0] for one in told] == ["The workers do not find /far/0.png"]


def test_files_that_cannot_be_read_or_end_workers_have_an_error_in_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deadly(asked: Sequence[Asked]) -> list[Seen]:
        if any(one.name.endswith("deadly.png") for one in asked):
            raise Deadly
        return seen_by(asked)

    sound, gone = write_picture(tmp_path / "sound.png"), tmp_path / "gone.png"
    ending = write_picture(tmp_path / "deadly.png", Square(1, 1, 5, (1, 2, 3)))
    with looking(monkeypatch, deadly):
        ((one, other, last),) = workers(Client()).observations([gone, ending, sound])
    assert one.error == f"{gone} cannot be read: No such file or directory."
    assert one.state is None
    assert isinstance(other.failure, WorkersEnded)
    assert other.error == f"{ending} ended 3 workers that looked at it, and was set aside."
    assert last.error is None
    assert last.state is not None


def test_a_file_that_changes_meanwhile_says_nothing_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [write_picture(tmp_path / f"{number}.png", seed=number) for number in range(2)]
    told, client = list[GalleryError](), Client()

    def look(asked: Sequence[Asked]) -> list[Seen]:
        if asked[0].content is None:
            paths[0].unlink()
            return [Seen(is_absent=True), *seen_by([replace(asked[1], content=b"")])]
        return seen_by(asked)

    with looking(monkeypatch, look):
        ((one, other),) = workers(
            client, folders=[(tmp_path, "/far")], tell=told.append
        ).observations(paths)
    assert one.error == f"{paths[0]} cannot be read: No such file or directory."
    assert other.error is None
    assert not told
