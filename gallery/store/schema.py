"""Opening a database: is it ours, is it of this version, and bringing it there."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.pool import NullPool, QueuePool, StaticPool

from gallery.errors import (
    BadSetting,
    BrokenRows,
    BusyDatabase,
    DamagedDatabase,
    DatabaseFailed,
    FullDisk,
    NewerGallery,
    NoGallery,
    NoPlace,
    NotAGallery,
    ReadOnlyDatabase,
    SetupError,
    StoreError,
    UnreadableDatabase,
)
from gallery.settings import bundled
from gallery.system.files import absolute, replacing

APPLICATION_ID = 0x67616C6C
"""Says in the file's header whose database it is: "gall"."""

HEAD = "0007"
"""The newest migration; kept here so that opening a database of this version needs no Alembic."""

BUSY_SECONDS = 30
"""How long a writer waits for another process's transaction."""


def database_path(where: str) -> Path | None:
    """Return the file a path or SQLite URL names, absolute; None for one in memory.

    Raises InputError for an invalid URL, SetupError for another kind of database.
    """
    if "://" not in where:
        return absolute(Path(where).expanduser())
    try:
        url = make_url(where)
    except ArgumentError as error:
        raise BadSetting(
            "database", f"{where} is not a database URL", "give a path or sqlite:///PATH"
        ) from error
    if url.get_backend_name() != "sqlite":
        raise SetupError(
            f"Databases of {url.get_backend_name()} are not supported; give a path or sqlite:///PATH."
        )
    if url.database in (None, "", ":memory:"):
        return None
    return absolute(Path(str(url.database)).expanduser())


def open_database(where: str, *, create: bool, migrations: Path | None = None) -> Engine:
    """Open a database of this version, making it or bringing it up to date where needed.

    A database of an older version is backed up beside itself before it is changed. Raises
    InputError where nothing is and create is false; StoreError for a file that is no gallery, is
    damaged, is of a newer version, or cannot be written.
    """
    path = database_path(where)
    if path is not None:
        _look_at_file(path, create=create)
    engine = _engine(path)
    try:
        with explained(path):
            _bring_up_to_date(engine, path, migrations or bundled("migrations"))
    except BaseException:
        engine.dispose()
        raise
    return engine


def is_writable(path: Path) -> bool:
    """Say whether a database file, and the folder that takes its log, can be written."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def file_identity(path: Path | None) -> tuple[int, int] | None:
    """Return what tells a file from another in its place; None where there is none."""
    try:
        status = None if path is None else path.stat()
    except OSError:
        return None
    return None if status is None else (status.st_dev, status.st_ino)


@contextlib.contextmanager
def explained(path: Path | None) -> Iterator[None]:
    """Turn what the database driver raises into a StoreError that says what to do."""
    try:
        yield
    except DatabaseError as error:
        raise _explain(error.orig or error, path) from error
    except sqlite3.DatabaseError as error:
        raise _explain(error, path) from error
    except UnicodeDecodeError as error:
        # The driver's own message quotes what it cannot read in a damaged file.
        raise DamagedDatabase(path) from error


_EXPLAINED: dict[int, Callable[[Path | None], DatabaseFailed]] = {
    sqlite3.SQLITE_FULL: FullDisk,
    sqlite3.SQLITE_BUSY: BusyDatabase,
    sqlite3.SQLITE_LOCKED: BusyDatabase,
    sqlite3.SQLITE_READONLY: ReadOnlyDatabase,
    sqlite3.SQLITE_CANTOPEN: UnreadableDatabase,
    sqlite3.SQLITE_CORRUPT: DamagedDatabase,
    sqlite3.SQLITE_NOTADB: DamagedDatabase,
}
"""What SQLite's codes mean for a user."""


def _explain(error: BaseException, path: Path | None) -> DatabaseFailed:
    kind = _EXPLAINED.get(_code(error))
    return DatabaseFailed(path, f"answered: {error}") if kind is None else kind(path)


def _code(error: BaseException) -> int:
    """Return SQLite's code of an error without its details; 0 where the driver gives none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _look_at_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise NotAGallery(path, "is a folder", "give the path of a database file")
    if not path.exists():
        if not create:
            raise NoGallery(path)
        _make_folder(path)
        return
    try:
        with path.open("rb") as file:
            header = file.read(16)
    except OSError as error:
        raise UnreadableDatabase(path, f"cannot be read: {error.strerror}", "") from error
    if header and header != b"SQLite format 3\x00":
        raise NotAGallery(path)


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoPlace(path.parent, str(error.strerror)) from error


def _engine(path: Path | None) -> Engine:
    if path is None:
        engine = create_engine("sqlite://", poolclass=StaticPool)
    elif path.exists() and not is_writable(path):
        # A database in a folder that cannot be written is read without a log beside it.
        log = path.with_name(path.name + "-wal")
        still = "" if log.exists() and log.stat().st_size else "&immutable=1"
        uri = f"{path.as_uri()}?mode=ro{still}"
        engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS),
            poolclass=NullPool,
        )
    else:
        engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False),
            # One connection for a thread would let a read in the midst of writing end the write.
            poolclass=QueuePool,
            max_overflow=-1,
        )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling would begin late and end early around DDL.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    # In write-ahead logging, FULL is what keeps a commit through a power cut.
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: Connection) -> None:
    # A writer takes its lock at once: one that began as a reader cannot wait for it later.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _bring_up_to_date(engine: Engine, path: Path | None, migrations: Path) -> None:
    with engine.connect() as connection:
        revision, is_ours = _revision(connection)
    if revision is None and not is_ours:
        raise NotAGallery(path or Path(":memory:"), "is an SQLite database of another program")
    if revision == head(migrations):
        return
    if path is not None and path.exists() and not is_writable(path):
        raise ReadOnlyDatabase(
            path, "is of an older version and cannot be written", "open it once where it can"
        )
    _migrate(engine, path, revision, migrations)


def head(migrations: Path) -> str:
    """Return the newest revision of a migrations folder."""
    if migrations == bundled("migrations"):
        return HEAD
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(str(migrations)).get_current_head())


def _revision(connection: Connection) -> tuple[str | None, bool]:
    """Return the database's revision (None when it has none), and whether it may be ours."""
    tables = set(
        connection.exec_driver_sql("SELECT name FROM sqlite_schema WHERE type = 'table'").scalars()
    )
    application = connection.exec_driver_sql("PRAGMA application_id").scalar()
    if "alembic_version" in tables and application == APPLICATION_ID:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return str(found), True
    return None, not tables and application == 0


def _migrate(engine: Engine, path: Path | None, revision: str | None, migrations: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory(str(migrations)).walk_revisions()}
    if revision is not None and revision not in known:
        raise NewerGallery(path)
    if revision is not None and path is not None:
        back_up(engine, path.with_name(f"{path.name}.{revision}-{time.strftime('%Y%m%d-%H%M%S')}"))
    if revision is None:
        with contextlib.closing(engine.raw_connection()) as bare:
            # Outside of a transaction, which is where the mode can be set; it stays in the file.
            _write_ahead(cast(sqlite3.Connection, bare.driver_connection))
    with (
        engine.connect().execution_options(writes=True) as connection,
        _foreign_keys_off(connection),
        connection.begin(),
    ):
        # Another process may have done it while this one waited for the lock.
        if _revision(connection)[0] == head(migrations):
            return
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        config = Config()
        config.set_main_option("script_location", str(migrations).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise BrokenRows(path)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn write-ahead logging on, waiting for others that are about to do the same.

    SQLite refuses this one at once while they are, however long it is told to be patient.
    """
    last = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if (
                _code(error) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                or time.monotonic() > last
            ):
                raise
            time.sleep(0.01)
        else:
            return


@contextlib.contextmanager
def _foreign_keys_off(connection: Connection) -> Iterator[None]:
    """Let tables be replaced: dropping the old one would delete, on cascade, what points to it."""
    # Outside of a transaction, which is where it can be set.
    bare = cast(sqlite3.Connection, connection.connection.driver_connection)
    bare.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        bare.execute("PRAGMA foreign_keys = ON")


def back_up(engine: Engine, target: Path) -> None:
    """Write a consistent copy of a database, also while others write to it.

    Raises StoreError when the target exists or cannot be written; nothing half-written is left.
    """
    if target.exists():
        raise StoreError(f"{target} exists already; name another file for the back-up.")
    try:
        with (
            replacing(target) as unfinished,
            explained(target),
            contextlib.closing(sqlite3.connect(unfinished)) as copy,
            contextlib.closing(engine.raw_connection()) as source,
        ):
            cast(sqlite3.Connection, source.driver_connection).backup(copy)
            # A copy that keeps its log apart would not be one file.
            copy.execute("PRAGMA journal_mode = DELETE")
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}.") from error
