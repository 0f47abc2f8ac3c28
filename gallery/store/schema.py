"""Opening an SQLite database: is it ours, is it of this version, and bringing it there."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool, QueuePool, StaticPool

from gallery.errors import (
    BrokenRows,
    BusyDatabase,
    DamagedDatabase,
    DatabaseFailed,
    FullDisk,
    NetworkPlace,
    NewerGallery,
    NoGallery,
    NoPlace,
    NotAGallery,
    ReadOnlyDatabase,
    StoreError,
    UnfinishedCopy,
    UnreadableDatabase,
)
from gallery.settings import bundled
from gallery.store import logs
from gallery.store.kinds import DamagedValueError
from gallery.system.files import dated, replacing, unfinished
from gallery.system.mounts import network_of
from gallery.system.reading import open_file

APPLICATION_ID = 0x67616C6C
"""Says in the file's header whose database it is: "gall"."""

UNFINISHED_ID = 0x67616C63
"""Says so of a copy that is not finished: "galc"."""

HEAD = "0014"
"""The newest migration; kept here so that opening a database of this version needs no Alembic."""

FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
"""What the system says of a full disk, or of a user's share of it."""

SMALLEST = 512
"""Bytes of SQLite's smallest page."""

ROOM = 1 << 16
"""Bytes that have room on a disk which is not full: SQLite's index of a log takes half of them."""

BUSY_SECONDS = 30
"""How long a writer waits for another process's transaction."""


def open_database(
    path: Path | None,
    *,
    create: bool,
    migrations: Path | None = None,
    unfinished: bool = False,
    exclusive: bool = False,
) -> Engine:
    """Open a database of this version, making it or bringing it up to date where needed.

    Without a path it is one in memory. A copy that is not finished is opened where that is said.
    Where one process alone uses it, it keeps no write-ahead log, which wants memory that processes
    share, and may lie on a network file system.


    A database of an older version is backed up beside itself before it is changed; a log beside it
    that is of another file is put aside. Raises InputError where nothing is and create is false;
    StoreError for a file that is no gallery, is damaged, is of a newer version, or cannot be
    written.
    """
    if path is not None:
        kind = None if exclusive else network_of(path)
        if kind is not None:
            raise NetworkPlace(path, kind)
        _look_at_file(path, create=create)
        _look_at_logs(path)
        if exclusive:
            _leave_write_ahead(path)
    engine = _engine(path, "DELETE" if exclusive else "WAL")
    try:
        with explained(path):
            folder = migrations or bundled("migrations")
            _bring_up_to_date(engine, path, folder, unfinished=unfinished)
    except BaseException:
        engine.dispose()
        raise
    return engine


def is_writable(path: Path) -> bool:
    """Say whether a database file, and the folder that takes its log, can be written."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def changes_of(connection: Connection) -> int:
    """Return how many rows a connection has changed since it was opened."""
    return cast(sqlite3.Connection, connection.connection.driver_connection).total_changes


@contextlib.contextmanager
def explained(path: Path | None) -> Iterator[None]:
    """Turn what the database driver raises into a StoreError that says what to do."""
    try:
        yield
    except DatabaseError as error:
        raise _explain(error.orig or error, path) from error
    except sqlite3.DatabaseError as error:
        raise _explain(error, path) from error
    except (DamagedValueError, UnicodeDecodeError) as error:
        # The driver's own message quotes what it cannot read in a damaged file.
        raise DamagedDatabase(path) from error


def _failing_disk(path: Path | None) -> DatabaseFailed:
    """Tell a full disk from a broken one, which SQLite often calls by one name."""
    if path is not None:
        try:
            with unfinished(path) as probe:
                probe.write_bytes(bytes(ROOM))
        except OSError as error:
            if error.errno in FULL:
                return FullDisk(path)
    return UnreadableDatabase(
        path,
        "cannot be read or written, since its disk answers with an error",
        "check the disk and its connection",
    )


NO_TEXT = "Could not decode to UTF-8"
"""What the driver says, without a code, of bytes in the place of a text."""

_EXPLAINED: dict[int, Callable[[Path | None], DatabaseFailed]] = {
    sqlite3.SQLITE_FULL: FullDisk,
    sqlite3.SQLITE_BUSY: BusyDatabase,
    sqlite3.SQLITE_LOCKED: BusyDatabase,
    sqlite3.SQLITE_READONLY: ReadOnlyDatabase,
    sqlite3.SQLITE_IOERR: _failing_disk,
    sqlite3.SQLITE_CANTOPEN: UnreadableDatabase,
    sqlite3.SQLITE_CORRUPT: DamagedDatabase,
    sqlite3.SQLITE_NOTADB: DamagedDatabase,
}
"""What SQLite's codes mean for a user."""


def _explain(error: BaseException, path: Path | None) -> DatabaseFailed:
    kind = _EXPLAINED.get(_code(error))
    if kind is None and NO_TEXT in str(error):
        kind = DamagedDatabase
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
        _require_files_beside(path)
        _make_folder(path)
        return
    require_database(path)


def require_database(path: Path) -> None:
    """Raise StoreError for a file that cannot be read, or is no database of SQLite's."""
    _require_files_beside(path)
    try:
        # A shorter file is empty to SQLite, whatever is in it.
        if path.stat().st_size >= SMALLEST and logs.mark_of(path) is not None:
            return
        with open_file(path) as file:
            header = file.read(16)
    except OSError as error:
        raise UnreadableDatabase(path, f"cannot be read: {error.strerror}", "") from error
    if header and header != b"SQLite format 3\x00":
        raise NotAGallery(path)


def _require_files_beside(path: Path) -> None:
    """Raise StoreError for what is no file in a log's place: SQLite would wait for a pipe."""
    for log in logs.companions(path):
        try:
            is_file = stat.S_ISREG(log.stat().st_mode)
        except OSError:
            # It is not there, or goes this moment with a process that ends.
            continue
        if not is_file:
            why = f"cannot be opened, since {log.name} beside it is no file"
            raise UnreadableDatabase(path, why, "take that away")


def _look_at_logs(path: Path) -> None:
    log = logs.stray_log(path)
    # What cannot be written is read without it.
    if log is None or not is_writable(path):
        return
    if logs.is_in_use(path):
        raise BusyDatabase(path)
    try:
        logs.put_aside(path, log)
    except OSError as error:
        raise ReadOnlyDatabase(path) from error


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoPlace(path.parent, str(error.strerror)) from error


def _leave_write_ahead(path: Path) -> None:
    """Let a database keep no write-ahead log any more, whose index is no file on a network."""
    if not path.exists() or not is_writable(path):
        return
    with explained(path), contextlib.closing(sqlite3.connect(path)) as connection:
        # Of a process that has the file for itself, the index is in its own memory.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")


def _engine(path: Path | None, journal: str) -> Engine:
    if path is None:
        # Its one connection goes from thread to thread; the store lets one at a time have it.
        engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
    elif path.exists() and not is_writable(path):
        engine = create_engine(
            "sqlite://",
            creator=lambda: connect_to_read(path),
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
    return engine.execution_options(journal=journal)


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a database that is not to be changed, with its log where it has one of its own."""
    wal = logs.companions(path)[0]
    has_log = wal.exists() and wal.stat().st_size and logs.stray_log(path) is None
    # Without a log none is made beside it.
    still = "" if has_log else "&immutable=1"
    return sqlite3.connect(f"{path.as_uri()}?mode=ro{still}", uri=True, timeout=BUSY_SECONDS)


def _prepare(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling would begin late and end early around DDL.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    # In write-ahead logging, FULL is what keeps a commit through a power cut.
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: Connection) -> None:
    # A writer takes its lock at once: one that began as a reader cannot wait for it later.
    options = connection.get_execution_options()
    if not options.get("writes", False):
        connection.exec_driver_sql("BEGIN")
        return
    # A back-up that was put in place keeps no log yet, so that reading and writing would wait for
    # one another. Others who have it open keep it so for now.
    with contextlib.suppress(DatabaseError):
        connection.exec_driver_sql(f"PRAGMA journal_mode = {options['journal']}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    # First, so that the page it stands on is the first one in any log.
    before = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    mark = logs.successor(logs.of_pragma(before))
    connection.exec_driver_sql(f"PRAGMA user_version = {logs.as_pragma(mark)}")


def _bring_up_to_date(
    engine: Engine, path: Path | None, migrations: Path, *, unfinished: bool
) -> None:
    with engine.connect() as connection:
        revision, is_ours = _revision(connection)
        if application_of(connection) == UNFINISHED_ID:
            if unfinished:
                return
            raise UnfinishedCopy(path)
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


def is_newer(revision: str, migrations: Path) -> bool:
    """Say whether a revision is none of a migrations folder, and so of a later one."""
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory(str(migrations)).walk_revisions()}
    return revision not in known


def migrate(connection: Connection, migrations: Path) -> None:
    """Bring the tables of a database to the newest revision of a migrations folder."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def application_of(connection: Connection) -> int:
    """Return what an SQLite file's header says of whose database it is."""
    return int(connection.exec_driver_sql("PRAGMA application_id").scalar_one())


def _revision(connection: Connection) -> tuple[str | None, bool]:
    return revision_of(cast(sqlite3.Connection, connection.connection.driver_connection))


def revision_of(connection: sqlite3.Connection) -> tuple[str | None, bool]:
    """Return a database's revision (None when it has none), and whether it may be ours."""
    tables = {
        name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")
    }
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if "alembic_version" in tables and application == APPLICATION_ID:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(found and found[0]), True
    return None, not tables and application == 0


def _migrate(engine: Engine, path: Path | None, revision: str | None, migrations: Path) -> None:
    if revision is not None and is_newer(revision, migrations):
        raise NewerGallery(path)
    if revision is not None and path is not None:
        # A run that was killed may have left one of this very second.
        back_up(engine, dated(path, f".{revision}-"))
    if revision is None and engine.get_execution_options()["journal"] == "WAL":
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
        try:
            migrate(connection, migrations)
        except (LookupError, TypeError, ValueError) as error:
            # Migrations take rows for what they are to be.
            raise DamagedDatabase(path) from error
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
            contextlib.closing(engine.raw_connection()) as source,
        ):
            copy_database(cast(sqlite3.Connection, source.driver_connection), unfinished)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}.") from error


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """Write what a database holds into a new file, which is one file and fits no other's log."""
    with contextlib.closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        # A copy that keeps its log apart would not be one file.
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.execute(f"PRAGMA user_version = {logs.as_pragma(secrets.randbits(32))}")
        copy.commit()
