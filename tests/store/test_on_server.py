"""A gallery on a server: many at work at once, a server that goes away, and what nobody may see."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import socket
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from fakes import Square, draw, fake_gallery, new_sample
from postgres import PASSWORD, Server, running

from gallery.errors import BusyDatabase, DatabaseFailed, LostServer, NoServer
from gallery.store import server as on_server
from gallery.store.addresses import address_of
from gallery.store.names import names_at
from gallery.store.reader import Store
from gallery.types import Image

pytestmark = pytest.mark.slow

PROCESSES, ROUNDS = 8, 4
SHARED = 9000
"""From this number on pictures are everybody's."""


def work(where: str, process: int) -> None:
    """Enroll and label: pictures of one's own, and those that all others take, too."""
    with fake_gallery(where) as gallery:
        for turn in range(ROUNDS):
            with gallery.store.writing() as writer:
                writer.add(new_sample(("Rei", "綾波")[turn % 2], 100 * process + turn))
            with gallery.store.writing() as writer:
                writer.add(new_sample("Rei", SHARED + turn))
            images = [
                Image(draw(Square(20, 10, 70)), f"{seed:064}", Path(f"/seen/{seed}.png"))
                for seed in (100 * process + turn, SHARED + turn)
            ]
            gallery.keep(gallery.observe(images))


def test_eight_processes_lose_nothing_and_double_nothing(server: Server) -> None:
    where = server.url(server.empty())
    spawning = multiprocessing.get_context("spawn")
    processes = [spawning.Process(target=work, args=(where, one)) for one in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
        assert process.exitcode == 0
    with Store(where) as store:
        samples = store.samples("fake")
        assert len(samples) == len({one.digest for one in samples}) == ROUNDS * (PROCESSES + 1)
        seen = Counter(one.path for one in store.sightings.all())
        assert set(seen.values()) == {1}
        assert len(seen) == len(store.sightings.pictures()) == ROUNDS * (PROCESSES + 1)
        assert store.answers.counts("fake").faces == len(seen)
        vectors = store.vectors("fake")
        row_of = {number: row for row, number in enumerate(vectors.sample_ids.tolist())}
        for row, number in enumerate(vectors.character_ids.tolist()):
            own = [one for one in samples if one.character == store.names([number])[number][0]]
            found = vectors.samples[[row_of[one.id] for one in own]]
            assert np.allclose(vectors.ideals[row], found.mean(axis=0), atol=1e-6)
            (best,) = [row_of[one.id] for one in own if one.is_best]
            assert np.array_equal(vectors.bests[row], vectors.samples[best])


def test_who_waits_too_long_for_another_writer_is_told(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = server.gallery()
    monkeypatch.setattr(on_server, "LOCK", on_server.LOCK.replace("30s", "20ms"))
    with Store(where) as store, Store(where) as other, other.writing():
        assert store.characters() == []
        with pytest.raises(BusyDatabase, match="in use by another process"), store.writing():
            pytest.fail("there are two writers")


def test_a_server_that_goes_away_leaves_nothing_half_written() -> None:
    with running() as server:
        where = server.gallery()
        with Store(where, create=True) as store:
            with store.writing() as writer:
                writer.add(new_sample("Rei", 1))

            def lose() -> None:
                with store.writing() as writer:
                    writer.add(new_sample("Asuka", 2))
                    server.stop()

            with pytest.raises(LostServer, match="went away in the middle; what was not told"):
                lose()
            with pytest.raises((LostServer, NoServer)):
                store.characters()
            server.start()
            assert [one.name for one in store.characters()] == ["Rei"]
            with store.writing() as writer:
                writer.add(new_sample("Asuka", 2))
        with Store(where) as store:
            assert [one.name for one in store.characters()] == ["Asuka", "Rei"]


class Wire:
    """Stands between a client and a server until a commit, which arrives or does not."""

    def __init__(self, port: int, *, arrives: bool) -> None:
        self._port, self._arrives = port, arrives
        self.is_cut = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError), one, other:
            while data := one.recv(65536):
                if self.is_cut and b"COMMIT" in data:
                    one.shutdown(socket.SHUT_RDWR)
                    if self._arrives:
                        other.sendall(data)
                    other.shutdown(socket.SHUT_WR)
                    return
                other.sendall(data)


@pytest.mark.parametrize("arrives", [False, True])
def test_a_server_that_goes_away_at_the_commit_is_one_sentence_and_all_or_nothing(
    server: Server, arrives: bool
) -> None:
    name = server.empty(server.template)
    wire = Wire(server.port, arrives=arrives)
    with (
        contextlib.closing(wire),
        Store(dataclasses.replace(server, port=wire.port).url(name)) as store,
    ):

        def lose() -> None:
            with store.writing() as writer:
                writer.add(new_sample("Rei", 1))
                wire.is_cut = True

        with pytest.raises(LostServer, match="went away in the middle; what was not told as done"):
            lose()
        wire.is_cut = False
        # Whether it was stored nobody could tell; that it was in part nobody can find.
        known = {one.name: one.samples for one in store.characters()}
        assert known in ([{}] if not arrives else [{}, {"Rei": 1}])
        with store.writing() as writer:
            writer.add(new_sample("Rei", 1))
        assert [(one.name, one.samples) for one in store.characters()] == [("Rei", 1)]


def test_a_password_is_in_no_message(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    secret = PASSWORD.replace(" ", "%20")
    for where in (
        server.url("nothing"),
        f"postgresql://owner@127.0.0.1:1/x?password={secret}",
        f"postgresql+psycopg://owner:{secret}@127.0.0.1:not a port/x",
        f"mysql://owner:{secret}@127.0.0.1/x",
    ):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
            Store(where)
        error: BaseException | None = caught.value
        while error is not None:
            assert PASSWORD not in f"{error} {error!r}"
            assert secret not in f"{error} {error!r}"
            error = error.__cause__
    assert PASSWORD not in caplog.text
    assert str(address_of(server.url("gallery")).shown) == (
        f"postgresql://owner@127.0.0.1:{server.port}/gallery"
    )


def test_names_stand_in_the_order_of_their_letters_numbers_as_in_a_file(
    server: Server, database: Path
) -> None:
    names = ["b", "B", "a", "Ä", "é", "綾波", "A b", "Ab", "a-b", "ａ"]
    found = []
    for where in (server.gallery(), str(database)):
        with Store(where, create=True) as store:
            with store.writing() as writer:
                for number, name in enumerate(names):
                    writer.add(new_sample(name, number))
            found.append([one.name for one in store.characters()])
        assert names_at(where) == found[-1]
    assert found[0] == found[1] == sorted(names)


def test_what_the_server_says_of_itself_is_handed_on(server: Server) -> None:
    where = server.gallery()
    with (
        Store(where) as store,
        pytest.raises(DatabaseFailed, match='answered: column "nothing" does not exist'),
        store.writing() as writer,
    ):
        writer._connection.exec_driver_sql("SELECT nothing")
