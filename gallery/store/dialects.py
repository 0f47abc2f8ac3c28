"""SQL that SQLite and PostgreSQL say differently; all other statements are the same for both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    UniqueConstraint,
    exists,
    func,
    select,
    text,
)
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

    Insert: TypeAlias = sqlite.Insert | postgresql.Insert


def is_server(connection: Connection) -> bool:
    """Say whether a connection is to a PostgreSQL server."""
    return connection.dialect.name == "postgresql"


def upsert(connection: Connection, table: Table) -> Insert:
    """Return an insertion that can say what comes of a row whose key is there already."""
    if not is_server(connection):
        return sqlite.insert(table)
    # With it come the modules of all its drivers.
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def is_free(table: Table, column: str, value: object) -> ColumnElement[bool]:
    """Say of a row whether none has its unique key with another value in a column of it.

    SQLite's UPDATE OR IGNORE passes over the others, for which PostgreSQL has no word.
    """
    other = table.alias()
    (key,) = (one for one in table.constraints if isinstance(one, UniqueConstraint))
    same = [other.c[one.name] == one for one in key.columns if one.name != column]
    return ~exists().where(other.c[column] == value, *same)


def next_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """Return ids for new rows, which are added in this transaction alone.

    SQLite gives many rows back one by one, which takes longer than all the rest of an undo.
    """
    if not is_server(connection):
        first = 1 + last_id(connection, table)
        return range(first, first + count)
    following = func.nextval(_sequence(table)).label("id")
    numbers = func.generate_series(1, count).table_valued("number")
    return list(connection.scalars(select(following).select_from(numbers)))


def last_id(connection: Connection, table: Table) -> int:
    """Return the largest id that a table ever gave out; 0 where it gave out none."""
    if not is_server(connection):
        query = "SELECT seq FROM sqlite_sequence WHERE name = :name"
        return int(connection.scalar(text(query), {"name": table.name}) or 0)
    sequence = connection.scalar(select(_sequence(table)))
    query = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"  # noqa: S608
    return int(connection.scalar(text(query)) or 0)


def set_last_id(connection: Connection, table: Table, number: int) -> None:
    """Let the next id that a table gives out be one after a number, if it is not larger."""
    if last_id(connection, table) >= number:
        return
    if is_server(connection):
        connection.execute(select(func.setval(_sequence(table), number)))
        return
    values = {"name": table.name, "number": number}
    changed = text("UPDATE sqlite_sequence SET seq = :number WHERE name = :name")
    if connection.execute(changed, values).rowcount == 0:
        added = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)")
        connection.execute(added, values)


def _sequence(table: Table) -> ColumnElement[str]:
    return func.pg_get_serial_sequence(f'"{table.name}"', "id")
