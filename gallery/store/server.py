"""A gallery on a PostgreSQL server: opening, migrating, reading and writing it.

Writers wait for one another, as SQLite has them do: each takes one lock of the database for its
transaction, so that what it has read stays true until it ends. Readers see one instant and wait for
nobody. Migrations are made in a transaction, so that they need no back-up before them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from gallery.errors import (
    BusyDatabase,
    DamagedDatabase,
    DatabaseFailed,
    FullDisk,
    LoginRefused,
    LostServer,
    MissingPackage,
    NewerGallery,
    NoGallery,
    NoRights,
    NoServer,
    NoSuchDatabase,
    NotAGallery,
    ReadOnlyDatabase,
    UnfinishedCopy,
)
from gallery.settings import bundled
from gallery.store.addresses import Address
from gallery.store.kinds import DamagedValueError
from gallery.store.schema import APPLICATION_ID, BUSY_SECONDS, head, is_newer, migrate

OLDEST = 15
"""The oldest version of PostgreSQL that galleries are kept on."""

MARK = "gallery"
"""The comment on the table of the revision says whose database it is."""

UNFINISHED = "gallery, copy under way"
"""Says so of a copy that is not finished."""

CONNECT_SECONDS = 10
"""How long a server may take to answer."""

SETTLED = {"connect_timeout": CONNECT_SECONDS, "application_name": "gallery"}
"""How a server is called, unless the URL says otherwise."""

LOCK = f"""
SET LOCAL lock_timeout = '{BUSY_SECONDS}s';
SELECT pg_advisory_xact_lock({APPLICATION_ID}, hashtext(current_schema()));
"""
"""What a writer begins with."""

OURS = "relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"

LOOK = f"""
SELECT (SELECT count(*) FROM pg_class WHERE {OURS} AND relkind IN ('r', 'p')) AS tables,
    obj_description(to_regclass('alembic_version'), 'pg_class') AS mark
"""  # noqa: S608 - nothing in it is given

RIGHTS = f"""
SELECT NOT pg_is_in_recovery() AND bool_and(
    has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE')
    AND has_table_privilege(oid, 'DELETE')
) FROM pg_class WHERE {OURS} AND relkind = 'r' AND relname <> 'alembic_version'
"""  # noqa: S608 - nothing in it is given


class ServerDatabase:
    """An open gallery on a server."""

    def __init__(
        self,
        address: Address,
        *,
        create: bool,
        migrations: Path | None = None,
        unfinished: bool = False,
    ) -> None:
        """Open the database at an address, making its tables or bringing them up to date.

        A copy that is not finished is opened where that is said.

        Raises InputError where no gallery is and create is false; SetupError where the driver is
        not installed; StoreError for a server that is not there or refuses, a database of another
        program or of a newer version, and one that this user may not make or bring up to date.
        """
        if address.server is None:
            raise ValueError("the address names no server")
        self._shown = str(address.shown)
        self._marks = (MARK, UNFINISHED) if unfinished else (MARK,)
        self._engine = _engine(address.server)
        try:
            with self.explained():
                self._bring_up_to_date(migrations or bundled("migrations"), create=create)
        except BaseException:
            self._engine.dispose()
            raise

    @cached_property
    def is_writable(self) -> bool:
        """Whether this user may write all that a gallery writes, and the server takes it."""
        with self.reading() as connection:
            return bool(connection.scalar(text(RIGHTS)))

    def check_place(self) -> None:
        """Do nothing: a server says by itself that a database is gone."""

    def close(self) -> None:
        """Let go of the server."""
        self._engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees the database as it is now, until the end of the block."""
        with (
            self.explained(),
            self._engine.connect().execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            ) as connection,
            connection.begin(),
        ):
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are all stored at the end, or none on an exception."""
        with self.explained(), self._locked() as connection:
            yield connection

    @contextlib.contextmanager
    def _locked(self) -> Iterator[Connection]:
        with self._engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(LOCK)
            yield connection

    def is_unfinished(self, connection: Connection) -> bool:
        """Say whether it bears the mark of a copy that is under way, or was left."""
        return bool(connection.execute(text(LOOK)).one().mark == UNFINISHED)

    def mark(self, connection: Connection, *, unfinished: bool) -> None:
        """Give it the mark of a copy under way, or that of a gallery."""
        mark = UNFINISHED if unfinished else MARK
        connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{mark}'")

    def complaints(self) -> list[str]:
        """Return what is wrong in the database: nothing, which the server sees to itself."""
        return []

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what the database driver raises into a StoreError that says what to do."""
        try:
            yield
        except DBAPIError as error:
            raise _explain(error, self._shown) from error
        except DamagedValueError as error:
            raise DamagedDatabase(self._shown) from error

    def _bring_up_to_date(self, migrations: Path, *, create: bool) -> None:
        with self._engine.connect() as connection, connection.begin():
            revision = self._revision(connection)
        if revision == head(migrations):
            return
        if revision is None and not create:
            raise NoGallery(self._shown)
        if revision is not None and is_newer(revision, migrations):
            raise NewerGallery(self._shown)
        try:
            self._migrate(migrations)
        except DBAPIError as error:
            if _state(error) != "42501":
                raise
            was = "holds no gallery yet" if revision is None else "is of an older version"
            raise NoRights(
                self._shown,
                f"{was}, and this user may not make tables in it",
                "let its owner open it first",
            ) from error

    def _migrate(self, migrations: Path) -> None:
        with self._locked() as connection:
            # Another process may have done it while this one waited for the lock.
            if self._revision(connection) == head(migrations):
                return
            self._require_fit(connection)
            migrate(connection, migrations)
            self.mark(connection, unfinished=False)

    def _require_fit(self, connection: Connection) -> None:
        """Raise StoreError for a server, or a database on it, that cannot hold a gallery."""
        version = int((connection.dialect.server_version_info or (0,))[0])
        if version < OLDEST:
            raise NotAGallery(
                self._shown,
                f"is on PostgreSQL {version}",
                f"a gallery wants PostgreSQL {OLDEST} or later",
            )
        encoding = connection.scalar(text("SHOW server_encoding"))
        if encoding != "UTF8":
            raise NotAGallery(
                self._shown,
                f"keeps its texts as {encoding}",
                "make one with createdb --encoding UTF8 --template template0",
            )

    def _revision(self, connection: Connection) -> str | None:
        """Return a database's revision, None for an empty one; StoreError for another program's."""
        tables, mark = connection.execute(text(LOOK)).one()
        if mark in self._marks:
            found = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return None if found is None else str(found)
        if mark == UNFINISHED:
            raise UnfinishedCopy(self._shown)
        if tables:
            raise NotAGallery(self._shown, "is a database of another program")
        return None


def _engine(url: URL) -> Engine:
    try:
        import psycopg  # noqa: F401 - SQLAlchemy opens it without saying how to get it
    except ImportError as error:
        raise MissingPackage("Galleries on PostgreSQL", "postgres") from error
    settled = {name: value for name, value in SETTLED.items() if name not in url.query}
    return create_engine(url, connect_args=settled, max_overflow=-1)


def _state(error: DBAPIError) -> str:
    """Return the server's code of an error; empty where the driver gives none."""
    return str(getattr(error.orig, "sqlstate", None) or "")


_EXPLAINED: dict[str, Callable[[str], DatabaseFailed]] = {
    "08": LostServer,
    "25006": lambda shown: ReadOnlyDatabase(
        shown, "takes no changes", "name the server that this one copies"
    ),
    "28": LoginRefused,
    "3D000": NoSuchDatabase,
    "40": BusyDatabase,
    "42501": NoRights,
    "53100": FullDisk,
    "55P03": BusyDatabase,
    "57P": LostServer,
}
"""What codes of PostgreSQL's mean for a user, and what those mean that begin so."""


def _explain(error: DBAPIError, shown: str) -> DatabaseFailed:
    state = _state(error)
    said = str(error.orig).strip().splitlines() or [""]
    if not state:
        # The last line is of the last address that was tried.
        return _without_code(error, said[-1], shown)
    for begin, kind in _EXPLAINED.items():
        if state.startswith(begin):
            return kind(shown)
    return DatabaseFailed(shown, f"answered: {said[0].rstrip('.')}")


LOGIN = ("authentication", "role", "pg_hba.conf")
"""What servers speak of when they let somebody not in, of which the driver knows no code."""


def _without_code(error: DBAPIError, said: str, shown: str) -> DatabaseFailed:
    """Explain what the driver raises by itself: a login that failed, and a server that is gone."""
    if error.connection_invalidated:
        return LostServer(shown)
    is_answer = "FATAL" in said
    if is_answer and "database" in said and "does not exist" in said:
        return NoSuchDatabase(shown)
    attempt = getattr(error.orig, "pgconn", None)
    wants_password = attempt is not None and attempt.needs_password
    if wants_password or (is_answer and any(word in said for word in LOGIN)):
        return LoginRefused(shown)
    reason = said.rpartition("failed: ")[2].removeprefix("FATAL:").strip().rstrip(".")
    return NoServer(shown, f"cannot be reached ({reason})")
