"""A back-up in the place of the database: it is what the back-up was, and nothing else is lost."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from fakes import new_sample

from gallery.errors import (
    BusyDatabase,
    DamagedBackUp,
    LostDatabase,
    NewerGallery,
    NoBackUp,
    StoreError,
)
from gallery.store import backups, logs
from gallery.store.backups import restore
from gallery.store.logs import companions
from gallery.store.reader import Store

ASSETS = Path(__file__).parents[1] / "assets"


def fill(path: Path, *numbers: int) -> None:
    with Store(str(path), create=True) as store, store.writing() as writer:
        for number in numbers:
            writer.add(new_sample("Rei", number))


def samples(path: Path) -> int:
    with Store(str(path)) as store:
        assert store.check() == []
        return len(store.sample_ids())


@pytest.fixture
def back_up(database: Path, tmp_path: Path) -> Path:
    """A back-up of two samples; the database has three."""
    fill(database, 1, 2)
    target = tmp_path / "back.db"
    with Store(str(database)) as store:
        store.back_up(target)
    fill(database, 3)
    return target


def beside(path: Path) -> set[str]:
    return {one.name for one in path.parent.iterdir() if not one.name.endswith("-index")}


def test_the_database_is_the_back_up_and_what_it_was_lies_beside(
    database: Path, back_up: Path
) -> None:
    content = back_up.read_bytes()
    kept = restore(str(database), back_up)
    assert kept is not None
    assert beside(database) == {database.name, kept.name}
    assert (samples(database), samples(kept)) == (2, 3)
    assert back_up.read_bytes() == content
    fill(database, 4)
    assert (samples(database), samples(kept)) == (3, 3)
    again = restore(str(database), back_up)
    assert again != kept
    assert samples(database) == 2


def test_where_nothing_lies_nothing_is_replaced(database: Path, back_up: Path) -> None:
    database.unlink()
    assert restore(str(database), back_up) is None
    assert samples(database) == 2
    deeper = database.parent / "new" / "gallery.db"
    assert restore(str(deeper), back_up) is None
    assert samples(deeper) == 2


def test_the_log_of_what_it_replaces_goes_with_it(
    database: Path, back_up: Path, tmp_path: Path
) -> None:
    with Store(str(database)) as store:
        with store.writing() as writer:
            writer.add(new_sample("Rei", 4))
        killed = tmp_path / "killed" / database.name
        killed.parent.mkdir()
        for file in (database, companions(database)[0]):
            shutil.copyfile(file, killed.with_name(file.name))
        companions(killed)[2].write_bytes(b"stale")
    kept = restore(str(killed), back_up)
    assert kept is not None
    assert beside(killed) == {killed.name, kept.name, f"{kept.name}-wal"}
    assert (samples(killed), samples(kept)) == (2, 4)


def test_a_damaged_database_is_replaced_and_stays_as_it_was(database: Path, back_up: Path) -> None:
    damaged = database.read_bytes()[:5000]
    database.write_bytes(damaged)
    kept = restore(str(database), back_up)
    assert kept is not None
    assert kept.read_bytes() == damaged
    assert samples(database) == 2


def test_a_log_of_neither_is_put_aside_first(database: Path, back_up: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    fill(other, 7)
    with Store(str(other)) as store:
        with store.writing() as writer:
            writer.add(new_sample("Asuka", 8))
        shutil.copyfile(companions(other)[0], companions(database)[0])
    kept = restore(str(database), back_up)
    assert kept is not None
    assert (samples(database), samples(kept)) == (2, 3)
    assert any(name.startswith(f"{database.name}-wal.") for name in beside(database))


def test_a_kill_before_the_last_step_damages_nothing(
    database: Path, back_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(str(database)) as store:
        with store.writing() as writer:
            writer.add(new_sample("Rei", 4))
        killed = tmp_path / "killed" / database.name
        killed.parent.mkdir()
        for file in (database, companions(database)[0]):
            shutil.copyfile(file, killed.with_name(file.name))
    monkeypatch.setattr(backups, "_keep_logs", lambda *_: False)
    kept = restore(str(killed), back_up)
    assert kept is not None
    assert companions(killed)[0].exists()
    assert samples(killed) == 2


@pytest.mark.parametrize("has_links", [True, False])
def test_a_place_that_cannot_be_taken_keeps_what_it_has(
    database: Path, back_up: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(5, "no")

    if not has_links:
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StoreError):
        restore(str(database), back_up)
    monkeypatch.undo()
    assert beside(database) == {database.name}
    assert samples(database) == 3


def test_the_name_that_a_killed_run_gave_goes(database: Path, back_up: Path) -> None:
    database.with_name(f"{database.name}.replaced-20260101-000000").hardlink_to(database)
    kept = restore(str(database), back_up)
    assert kept is not None
    assert beside(database) == {database.name, kept.name}
    assert (samples(database), samples(kept)) == (2, 3)


def test_a_file_system_without_links_does_as_well(
    database: Path, back_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "no")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    kept = restore(str(database), back_up)
    assert kept is not None
    assert (samples(database), samples(kept)) == (2, 3)


def test_a_back_up_of_an_older_version_is_brought_up_to_date(database: Path, back_up: Path) -> None:
    old = back_up.with_name("old.db")
    shutil.copyfile(ASSETS / "gallery-0003.db", old)
    content = old.read_bytes()
    restore(str(database), old)
    assert samples(database) == 4
    assert old.read_bytes() == content
    assert beside(old) == {"back.db", "old.db"}


def test_a_database_that_others_have_open_stays(database: Path, back_up: Path) -> None:
    assert not logs.is_in_use(database)
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        "c.execute('SELECT * FROM state').fetchall(); print('ready', flush=True); "
        "sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(BusyDatabase):
            restore(str(database), back_up)
        process.communicate("\n")
    assert samples(database) == 3
    restore(str(database), back_up)
    assert samples(database) == 2


def test_a_connection_of_this_process_finds_its_file_replaced(
    database: Path, back_up: Path
) -> None:
    with Store(str(database)) as store:
        restore(str(database), back_up)
        with pytest.raises(LostDatabase):
            store.characters()
    assert samples(database) == 2


def other_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8192:20000] = bytes(20000 - 8192)
    path.write_bytes(content)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda path: path.write_bytes(b"PK\3\4 an export"), NoBackUp),
        (lambda path: path.write_bytes(b""), NoBackUp),
        (lambda path: path.unlink(), NoBackUp),
        (other_program, NoBackUp),
        (damaged, DamagedBackUp),
        (newer, NewerGallery),
    ],
    ids=["text", "empty", "missing", "of another program", "damaged", "newer"],
)
def test_what_is_no_sound_back_up_changes_nothing(
    database: Path, back_up: Path, make: object, error: type[Exception]
) -> None:
    make(back_up)  # type: ignore[operator]
    with pytest.raises(error):
        restore(str(database), back_up)
    assert beside(database) == {database.name}
    assert samples(database) == 3


def test_the_database_itself_is_no_back_up(database: Path, back_up: Path) -> None:
    with pytest.raises(StoreError, match="is the database itself"):
        restore(str(database), database)
    assert samples(database) == 3
