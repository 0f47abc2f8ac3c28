"""A log that a kill left is of the file that lies beside it, or comes into no file."""

from __future__ import annotations

import logging
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from command import environment
from fakes import new_sample
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.errors import BusyDatabase, LostDatabase
from gallery.store import logs
from gallery.store.logs import companions, is_after, mark_of, stray_log, successor
from gallery.store.reader import Store


def add(store: Store, *numbers: int) -> None:
    with store.writing() as writer:
        for number in numbers:
            writer.add(new_sample("Rei", number))


def samples(path: Path) -> int:
    """How many samples a database has that is sound."""
    with Store(str(path)) as store:
        assert store.check() == []
        return len(store.sample_ids())


def asides(path: Path) -> list[Path]:
    return [one for one in path.parent.glob(f"{path.name}-*.*") if "index" not in one.name]


def left_by_kill(store: Store, folder: Path) -> Path:
    """A copy of an open database with its log, as a kill leaves them."""
    assert store.path is not None
    folder.mkdir()
    for file in (store.path, *companions(store.path)[:2]):
        if file.exists():
            shutil.copyfile(file, folder / file.name)
    return folder / store.path.name


@pytest.fixture
def work(database: Path) -> Iterator[Store]:
    """An open database that had two samples before it was opened."""
    with Store(str(database), create=True) as store:
        add(store, 1, 2)
    with Store(str(database)) as store:
        yield store


def test_its_own_log_comes_into_a_database(work: Store, tmp_path: Path) -> None:
    add(work, 3)
    add(work, *range(4, 60))
    killed = left_by_kill(work, tmp_path / "killed")
    assert mark_of(killed) != mark_of(companions(killed)[0])
    assert stray_log(killed) is None
    assert samples(killed) == 59
    assert asides(killed) == []
    assert not companions(killed)[0].exists()


@pytest.mark.parametrize("when", ["before", "meanwhile", "at its end"])
def test_a_back_up_that_is_copied_into_the_place_takes_no_log(
    work: Store, tmp_path: Path, when: str, caplog: pytest.LogCaptureFixture
) -> None:
    back_up = tmp_path / "back.db"
    if when == "before":
        work.back_up(back_up)
    add(work, 3)
    if when == "meanwhile":
        work.back_up(back_up)
    add(work, *range(4, 60))
    if when == "at its end":
        work.back_up(back_up)
    expected = samples(back_up)
    killed = left_by_kill(work, tmp_path / "killed")
    log = companions(killed)[0].read_bytes()
    shutil.copyfile(back_up, killed)
    with caplog.at_level(logging.WARNING):
        assert samples(killed) == expected
    (aside,) = asides(killed)
    assert aside.read_bytes() == log
    (said,) = caplog.messages
    assert said.startswith(f"The log {companions(killed)[0]} is not of the file that lies beside")
    assert aside.name in said


def test_a_database_copied_by_hand_while_it_was_closed_takes_no_later_log(
    work: Store, database: Path, tmp_path: Path
) -> None:
    work.close()
    copy = tmp_path / "copy.db"
    shutil.copyfile(database, copy)
    with Store(str(database)) as store:
        add(store, 3)
    with Store(str(database)) as store:
        add(store, 4)
        killed = left_by_kill(store, tmp_path / "killed")
    shutil.copyfile(copy, killed)
    assert samples(killed) == 2


def test_a_log_is_its_own_at_every_stage_of_its_life(work: Store, tmp_path: Path) -> None:
    assert work.path is not None
    with closing(sqlite3.connect(work.path)) as other:
        for stage in range(12):
            add(work, *range(10 + stage * 3, 13 + stage * 3))
            if stage % 4 == 1:
                other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            if stage % 4 == 3:
                other.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
            killed = left_by_kill(work, tmp_path / f"killed {stage}")
            assert stray_log(killed) is None
            assert samples(killed) == 2 + 3 * (stage + 1)


def test_a_database_that_was_moved_with_its_log_keeps_it(work: Store, tmp_path: Path) -> None:
    add(work, 3)
    killed = left_by_kill(work, tmp_path / "killed")
    moved = killed.rename(killed.with_name("other.db"))
    companions(killed)[0].rename(companions(moved)[0])
    assert samples(moved) == 3


def test_another_programs_changes_are_believed(database: Path, tmp_path: Path) -> None:
    with Store(str(database), create=True) as store:
        add(store, 1)
    with closing(sqlite3.connect(database)) as other:
        other.execute("UPDATE characters SET name = 'Asuka'")
        other.commit()
        killed = tmp_path / "g.db"
        shutil.copyfile(database, killed)
        shutil.copyfile(companions(database)[0], companions(killed)[0])
    with Store(str(killed)) as store:
        assert [one.name for one in store.characters()] == ["Asuka"]


def hot_journal(path: Path, folder: Path) -> Path:
    """A copy of a database in the midst of a transaction that keeps former pages in its log."""
    folder.mkdir()
    copy = folder / "g.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA cache_size = 2")
        connection.execute("BEGIN IMMEDIATE")
        (before,) = connection.execute("PRAGMA user_version").fetchone()
        mark = successor(logs.of_pragma(before))
        connection.execute(f"PRAGMA user_version = {logs.as_pragma(mark)}")
        connection.execute("UPDATE crops SET png = zeroblob(9000)")
        connection.execute("DELETE FROM samples")
        shutil.copyfile(path, copy)
        shutil.copyfile(companions(path)[1], companions(copy)[1])
        connection.execute("ROLLBACK")
    return copy


def test_former_pages_come_back_into_their_own_file_alone(
    work: Store, database: Path, tmp_path: Path
) -> None:
    back_up = tmp_path / "back.db"
    work.back_up(back_up)
    add(work, *range(3, 30))
    work.close()
    assert samples(hot_journal(database, tmp_path / "own")) == 29
    killed = hot_journal(database, tmp_path / "other")
    shutil.copyfile(back_up, killed)
    assert samples(killed) == 2
    assert [one.name.partition(".2")[0] for one in asides(killed)] == ["g.db-journal"]


def test_a_log_is_never_called_strange_while_others_write(work: Store) -> None:
    assert work.path is not None
    found: list[Path | None] = []
    done = threading.Event()

    def look() -> None:
        assert work.path is not None
        while not done.is_set():
            found.append(stray_log(work.path))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        with closing(sqlite3.connect(work.path)) as other:
            for number in range(150):
                add(work, number + 10)
                mode = ("PASSIVE", "RESTART")[number % 2]
                other.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
    finally:
        done.set()
        looking.join()
    assert len(found) > 10
    assert set(found) == {None}


@pytest.fixture(scope="module")
def real_log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A database and what its log held while it was open."""
    path = tmp_path_factory.mktemp("damaged") / "gallery.db"
    with Store(str(path), create=True) as store:
        add(store, 1)
        content = companions(path)[0].read_bytes()
    return path, content


@settings(max_examples=80)
@given(seed=st.integers(0, 10_000), count=st.sampled_from([1, 5, 50]), cut=st.floats(0, 1))
def test_damaged_logs_are_read_without_an_error(
    real_log: tuple[Path, bytes], seed: int, count: int, cut: float
) -> None:
    path, wal = real_log
    draw = random.Random(seed)  # noqa: S311 - damage, not a secret
    for log, begin in zip(companions(path)[:2], (b"", logs.JOURNAL_MAGIC), strict=True):
        content = bytearray(begin + wal[len(begin) :])
        for _ in range(count):
            content[draw.randrange(8, 200)] = draw.randrange(256)
        log.write_bytes(content[: int(len(content) * cut)])
    stray_log(path)


def test_marks_say_which_one_they_follow() -> None:
    first = 0x8000_0001
    assert logs.of_pragma(logs.as_pragma(first)) == first
    following = {successor(first) for _ in range(50)}
    assert len(following) > 40
    assert all(is_after(one, first) for one in following)
    assert not any(is_after(one, first + 1) for one in following)


class TestReplacedWhileOpen:
    """A back-up that is copied over a database which is open."""

    @pytest.mark.parametrize("is_written", [True, False], ids=["written to", "read alone"])
    def test_the_next_question_ends_the_work_and_the_back_up_stays_whole(
        self, work: Store, tmp_path: Path, is_written: bool
    ) -> None:
        assert work.path is not None
        back_up = tmp_path / "back.db"
        work.back_up(back_up)
        if is_written:
            add(work, *range(3, 40))
        assert work.characters()
        shutil.copyfile(back_up, work.path)
        with pytest.raises(LostDatabase), work.writing():
            pytest.fail("there is nothing to write into")
        with pytest.raises(LostDatabase):
            work.characters()
        work.close()
        assert work.path.read_bytes() == back_up.read_bytes()
        assert samples(work.path) == 2

    def test_one_that_is_closed_at_once_carries_nothing_over(
        self, work: Store, tmp_path: Path
    ) -> None:
        assert work.path is not None
        back_up = tmp_path / "back.db"
        work.back_up(back_up)
        add(work, *range(3, 40))
        shutil.copyfile(back_up, work.path)
        work.close()
        assert work.path.read_bytes() == back_up.read_bytes()
        assert samples(work.path) == 2
        assert asides(work.path) != []

    def test_what_others_write_and_carry_over_replaces_nothing(self, work: Store) -> None:
        assert work.path is not None
        with Store(str(work.path)) as other:
            for number in range(40):
                add(other, 3 * number + 10)
                add(work, 3 * number + 11, 3 * number + 12)
                if number % 3 == 0:
                    with closing(sqlite3.connect(work.path)) as third:
                        third.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
                assert len(other.sample_ids()) == 2 + 3 * (number + 1)
        assert len(work.sample_ids()) == 122

    def test_while_another_process_is_at_work_its_log_stays(
        self, work: Store, database: Path, tmp_path: Path
    ) -> None:
        back_up = tmp_path / "back.db"
        work.back_up(back_up)
        work.close()
        code = (
            "import sys; from gallery.store.reader import Store; from fakes import new_sample\n"
            "with Store(sys.argv[1]) as store:\n"
            "    with store.writing() as writer: writer.add(new_sample('Rei', 5))\n"
            "    print('ready', flush=True); sys.stdin.readline()"
        )
        tests = str(Path(__file__).parents[1])
        variables = environment()
        variables["PYTHONPATH"] += f":{tests}"
        with subprocess.Popen(
            [sys.executable, "-c", code, str(database)],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            shutil.copyfile(back_up, database)
            with pytest.raises(BusyDatabase):
                Store(str(database))
            process.communicate("\n")
        assert samples(database) == 2


def test_nothing_is_written_where_nothing_changes(work: Store) -> None:
    assert work.path is not None
    add(work, 3)
    before = companions(work.path)[0].stat().st_size
    with work.writing() as writer:
        assert writer.add(new_sample("Rei", 3)) is None
    assert companions(work.path)[0].stat().st_size == before
