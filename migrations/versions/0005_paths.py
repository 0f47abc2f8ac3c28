"""Paths without `.` and `..`, so that a file is one whichever way it was named.

Of two rows that turn out to be of one file, the one that looked at it last stays. Samples,
rejections and seen faces are known by content and place, so that none of them goes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LAST = "digest IS NOT NULL, modified_ns, rowid"
"""From the row to be given up to the one to be kept: a file that could be read counts more."""

OF_ONE_FILE = {
    "files": "modified_ns, rowid",
    "pictures": LAST,
    "videos": "digest IS NOT NULL, modified_ns, is_whole, rowid",
}
OF_MANY_FACES = ("samples", "rejections", "sightings")


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        # No gallery on a server is as old as this; its tables are empty.
        return
    for table, order in OF_ONE_FILE.items():
        _make_one(connection, table, order)
    for table in OF_MANY_FACES:
        for stored, path in _to_change(connection, f"SELECT DISTINCT path FROM {table}"):  # noqa: S608
            _rename(connection, table, stored, path)


def _make_one(connection: sa.Connection, table: str, order: str) -> None:
    """Change the paths of a table in which every path stands once."""
    rows = f"SELECT path FROM {table} ORDER BY {order}"  # noqa: S608
    ranks = {stored: rank for rank, (stored,) in enumerate(connection.exec_driver_sql(rows))}
    for stored, path in _to_change(connection, rows):
        other = ranks.get(path)
        if other is not None:
            gone = path if other < ranks[stored] else stored
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE path = ?", (gone,))  # noqa: S608
            if gone == stored:
                continue
        _rename(connection, table, stored, path)
        ranks[path] = ranks[stored]


def _to_change(connection: sa.Connection, rows: str) -> list[tuple[str, str]]:
    """Return the paths that are to be changed, and what they become."""
    found: list[Any] = list(connection.exec_driver_sql(rows).scalars())
    return [(stored, path) for stored in found if (path := without_dots(stored)) != stored]


def _rename(connection: sa.Connection, table: str, stored: str, path: str) -> None:
    change = f"UPDATE {table} SET path = ? WHERE path = ?"  # noqa: S608
    connection.exec_driver_sql(change, (path, stored))


def without_dots(stored: str) -> str:
    """Return a path as the gallery notes it now, see gallery's own `absolute`.

    One that begins at no root of this system came from elsewhere and stays.
    """
    given = Path(stored)
    if not given.is_absolute():
        return stored
    found = Path(given.anchor)
    for part in given.parts[1:]:
        if part != "..":
            found /= part
        elif os.name == "posix" and found.is_symlink():
            found = Path(os.path.realpath(found)).parent
        else:
            found = found.parent
    return str(found)
