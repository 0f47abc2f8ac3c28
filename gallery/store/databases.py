"""An open database, in a file or on a server: what the rest of the store knows of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from gallery.errors import LostDatabase, NoGallery
from gallery.store import schema
from gallery.store.addresses import Address
from gallery.store.place import Place


class Database(Protocol):
    """An open database. What it is asked raises StoreError where it fails."""

    @property
    def is_writable(self) -> bool:
        """Whether it can be written."""
        ...

    def check_place(self) -> None:
        """Raise StoreError where it is not the one that was opened any more."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees one instant of it."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """Give a connection whose changes are all stored at the end, or none on an exception.

        Nobody else writes meanwhile. Without a change nothing is written.
        """
        ...

    def is_unfinished(self, connection: Connection) -> bool:
        """Say whether it bears the mark of a copy that is under way, or was left."""
        ...

    def mark(self, connection: Connection, *, unfinished: bool) -> None:
        """Give it the mark of a copy under way, or that of a gallery."""
        ...

    def complaints(self) -> list[str]:
        """Return what is wrong in it; nothing when it is sound."""
        ...


def open_database(
    address: Address, *, create: bool, unfinished: bool = False, exclusive: bool = False
) -> Database:
    """Open the database at an address, of this version; make it where needed.

    A file is `exclusive` where this process alone uses it.
    A copy that was not finished is opened where that is said, see copying. Raises what
    schema.open_database and server.ServerDatabase do.
    """
    if address.server is None:
        return FileDatabase(address.path, create=create, unfinished=unfinished, exclusive=exclusive)
    # What one file needs is loaded without it.
    from gallery.store.server import ServerDatabase

    return ServerDatabase(address, create=create, unfinished=unfinished)


def is_gallery_at(address: Address) -> bool:
    """Say whether a gallery is at an address; one in memory always is.

    Raises StoreError for a server that does not answer or refuses.
    """
    if address.server is not None:
        try:
            open_database(address, create=False).close()
        except NoGallery:
            return False
    return address.path is None or address.path.exists()


class FileDatabase:
    """A database in a file of SQLite's, or in memory."""

    def __init__(
        self,
        path: Path | None,
        *,
        create: bool,
        unfinished: bool = False,
        exclusive: bool = False,
    ) -> None:
        """Open it; without a path it is one in memory. Raises what schema.open_database does."""
        self._path = path
        self._engine = schema.open_database(
            path, create=create, unfinished=unfinished, exclusive=exclusive
        )
        self._place = Place(path, has_log=self.is_writable)
        # In memory all share one connection.
        self._turn = threading.RLock() if path is None else contextlib.nullcontext()

    @property
    def is_writable(self) -> bool:
        """Whether the file can be written; one in memory can."""
        return self._path is None or schema.is_writable(self._path)

    def check_place(self) -> None:
        """Raise StoreError where the file is not the one that was opened any more."""
        self._place.check()

    def close(self) -> None:
        """Let go of the file, and of one that is there no more without a trace in what is."""
        with contextlib.suppress(LostDatabase):
            self.check_place()
        self._engine.dispose()
        self._place.let_go()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees the database as it is now, until the end of the block."""
        self.check_place()
        with (
            self._turn,
            schema.explained(self._path),
            self._engine.connect() as connection,
            connection.begin(),
        ):
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are all stored at the end, or none on an exception."""
        self.check_place()
        with (
            self._turn,
            schema.explained(self._path),
            self._engine.connect().execution_options(writes=True) as connection,
            connection.begin() as transaction,
        ):
            before = schema.changes_of(connection)
            yield connection
            if schema.changes_of(connection) == before:
                transaction.rollback()
        self.check_place()

    def back_up(self, target: Path) -> None:
        """Write a consistent copy into a file that is not there yet."""
        self.check_place()
        schema.back_up(self._engine, target)

    def is_unfinished(self, connection: Connection) -> bool:
        """Say whether it bears the mark of a copy that is under way, or was left."""
        return schema.application_of(connection) == schema.UNFINISHED_ID

    def mark(self, connection: Connection, *, unfinished: bool) -> None:
        """Give it the mark of a copy under way, or that of a gallery."""
        mark = schema.UNFINISHED_ID if unfinished else schema.APPLICATION_ID
        connection.exec_driver_sql(f"PRAGMA application_id = {mark}")

    def complaints(self) -> list[str]:
        """Return what SQLite finds wrong in the file; nothing when it is sound."""
        with self.reading() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        complaints = [str(line) for line in found if line != "ok"]
        return complaints + [f"a row of {row[0]} points nowhere" for row in broken]
