"""A gallery from one database into another, row by row: the same ids, answers and change token.

While it is copied, the target bears a mark that keeps everybody else out. A copy that was left goes
on behind the last rows that it wrote. What is there by then is compared first: where the source
changed since, the copy begins anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import (
    Connection,
    Row,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from gallery.errors import BusyDatabase, CopyRefused, StoreError
from gallery.store.addresses import Address
from gallery.store.changes import forget_changes
from gallery.store.databases import Database, FileDatabase, open_database
from gallery.store.dialects import last_id, set_last_id
from gallery.store.tables import (
    answer_counts,
    answers,
    changed_vectors,
    changes,
    metadata,
    sample_counts,
    state,
)
from gallery.system.files import unfinished

AT_ONCE = 200
"""Rows between two commits, crops with them: what an interruption costs, at most."""

Key: TypeAlias = tuple[Any, ...]

NOTED = (changes, changed_vectors, sample_counts)
"""What triggers note of the target's own rows."""

TABLES = tuple(
    table
    for table in metadata.sorted_tables
    if table not in (answers, answer_counts, state, *NOTED)
)
"""Those whose rows are copied in the order of their keys, after all that they point to."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did."""

    rows: Mapping[str, int]
    """How many rows each table has now, by the tables' names."""
    before: int
    """How many of them a copy that was left had copied."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Rows that are in the target by now."""

    rows: int


class Copy:
    """A copy of a gallery, see `portions`."""

    def __init__(self, source: Address, target: Address, *, exclusive: bool = False) -> None:
        """Open both databases; the target is made where none is.

        Files are `exclusive` where this process alone uses them.

        Raises what open_database does; InputError where both are one, where the target holds a
        gallery, and for one in memory.
        """
        if None in (source.shown, target.shown) or source.shown == target.shown:
            raise CopyRefused(str(target.shown or "memory"), "cannot be copied into")
        self._shown = str(target.shown)
        self._source = open_database(source, create=False, exclusive=exclusive)
        try:
            self._target = open_database(target, create=True, unfinished=True, exclusive=exclusive)
        except BaseException:
            self._source.close()
            raise

    def close(self) -> None:
        """Let go of both databases."""
        self._target.close()
        self._source.close()

    def portions(self) -> Iterator[int | Portion | Copied]:
        """Copy; yield how many rows there are, a Portion for all that come, and what was done.

        Raises InputError, and changes nothing, where the target holds a gallery.
        """
        yield from copied(self._source, self._target, self._shown)


def copied(source: Database, target: Database, shown: str) -> Iterator[int | Portion | Copied]:
    """Copy as Copy.portions does; `shown` names the target in messages."""
    with source.reading() as rows:
        counts = _counts(rows)
        yield sum(counts.values())
        with target.reading() as there:
            is_begun = target.is_unfinished(there)
            is_done = not is_begun and _is_same(rows, there, counts)
            if not is_begun and not is_done and any(_counts(there).values()):
                raise CopyRefused(shown, "holds a gallery already")
            ends = _ends(rows, there) if is_begun else dict.fromkeys(TABLES)
        if is_done:
            yield Portion(sum(counts.values()))
            yield Copied(counts, sum(counts.values()))
            return
        before = _begin(target, ends)
        if before:
            yield Portion(before)
        for table in TABLES:
            yield from _copy_table(rows, target, table, (ends or {}).get(table), shown)
        yield from _copy_answers(rows, target)
        _finish(rows, target, counts, shown)
        yield Portion(counts[answer_counts.name])
    yield Copied(counts, before)


def _counts(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has, but for the state, which has one in every gallery."""
    return {
        table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0)
        for table in (*TABLES, answers, answer_counts)
    }


def _is_same(rows: Connection, there: Connection, counts: Mapping[str, int]) -> bool:
    """Say whether a target is what an earlier copy of the source, as it is, has made of it."""
    return rows.execute(select(state)).all() == there.execute(select(state)).all() and (
        counts == _counts(there)
    )


def _ends(rows: Connection, there: Connection) -> dict[Table, Key | None] | None:
    """Return the last key of each table that a target has; None where its rows are other ones."""
    ends: dict[Table, Key | None] = {}
    for table in TABLES:
        end: Key | None = None
        while own := _rows(there, table, end):
            if _rows(rows, table, end)[: len(own)] != own:
                return None
            end = _key(table, own[-1])
        ends[table] = end
    return ends


def _begin(target: Database, ends: Mapping[Table, Key | None] | None) -> int:
    """Mark a target as a copy under way, empty unless it goes on; return how many rows it has."""
    with target.writing() as connection:
        target.mark(connection, unfinished=True)
        # No cache is of what is there meanwhile.
        connection.execute(update(state).values(change=""))
        if ends is None:
            for table in reversed(metadata.sorted_tables):
                if table is not state and table not in NOTED:
                    connection.execute(delete(table))
        return sum(_counts(connection)[table.name] for table in TABLES)


def _copy_table(
    rows: Connection, target: Database, table: Table, end: Key | None, shown: str
) -> Iterator[Portion]:
    while own := _rows(rows, table, end):
        with target.writing() as connection:
            if _last(connection, table) != end:
                # Another copy is at work, or somebody who had the target open before.
                raise BusyDatabase(shown)
            connection.execute(insert(table), [dict(row._mapping) for row in own])
        end = _key(table, own[-1])
        yield Portion(len(own))


def _copy_answers(rows: Connection, target: Database) -> Iterator[Portion]:
    """Copy what is said of seen faces, which triggers have given their rows already."""
    end: Key | None = None
    while own := _rows(rows, answers, end):
        with target.writing() as connection:
            connection.execute(
                update(answers).where(answers.c.sighting_id == bindparam("face")),
                [{**row._mapping, "face": row.sighting_id} for row in own],
            )
        end = _key(answers, own[-1])
        yield Portion(len(own))


def _finish(rows: Connection, target: Database, counts: Mapping[str, int], shown: str) -> None:
    """Make the target a gallery, once it has all that the source has."""
    with target.writing() as connection:
        connection.execute(delete(answer_counts))
        kinds = rows.execute(select(answer_counts)).all()
        if kinds:
            connection.execute(insert(answer_counts), [dict(row._mapping) for row in kinds])
        connection.execute(update(state).values(dict(rows.execute(select(state)).one()._mapping)))
        forget_changes(connection, str(connection.scalar(select(state.c.change))))
        for table in TABLES:
            if table.dialect_options["sqlite"]["autoincrement"]:
                set_last_id(connection, table, last_id(rows, table))
        if _counts(connection) != counts:
            raise BusyDatabase(shown)
        target.mark(connection, unfinished=False)


def _rows(connection: Connection, table: Table, after: Key | None) -> Sequence[Row[Any]]:
    """Return the next rows of a table behind a key, in the order of their keys."""
    key = list(table.primary_key)
    query = select(table).order_by(*key).limit(AT_ONCE)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*after))
    return connection.execute(query).all()


def _last(connection: Connection, table: Table) -> Key | None:
    key = list(table.primary_key)
    found = connection.execute(
        select(*key).order_by(*(one.desc() for one in key)).limit(1)
    ).one_or_none()
    return None if found is None else tuple(found)


def _key(table: Table, row: Row[Any]) -> Key:
    return tuple(row._mapping[one.name] for one in table.primary_key)


def back_up(source: Database, target: Path) -> None:
    """Write what a database on a server holds into an SQLite file, as it is at one instant.

    Raises StoreError when the target exists or cannot be written; nothing half-written is left.
    """
    if target.exists():
        raise StoreError(f"{target} exists already; name another file for the back-up.")
    try:
        with unfinished(target.absolute(), target.suffix) as beside:
            copy = FileDatabase(beside, create=True, unfinished=True)
            try:
                for _ in copied(source, copy, str(target)):
                    pass
                copy.back_up(target)
            finally:
                copy.close()
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}.") from error
