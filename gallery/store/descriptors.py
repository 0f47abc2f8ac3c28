"""Descriptors in the database: of samples, rejections and seen faces alike, one a face and encoder.

Their tables have the face's id and the encoder as primary key, in this order, and a vector.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import Connection, Table, select

from gallery.store.columns import blob_of, sound_matrix
from gallery.store.dialects import upsert
from gallery.types import Descriptor

AT_ONCE = 500
"""SQLite takes a bounded number of parameters in one statement."""


Key = TypeVar("Key")


def portions(ids: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """Yield ids, or other keys, in lists that one statement takes."""
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


def put(connection: Connection, table: Table, face: int, encoder: str, blob: bytes) -> None:
    """Set a face's descriptor by one encoder, as rows.blob_of gives it."""
    key = list(table.primary_key)
    connection.execute(
        upsert(connection, table)
        .values({key[0]: face, key[1]: encoder, table.c.vector: blob})
        .on_conflict_do_update(index_elements=key, set_={"vector": blob})
    )


def put_where_there(
    connection: Connection, table: Table, face: int, encoder: str, vector: Descriptor
) -> bool:
    """Set a descriptor as `put` does; false, and nothing set, for a face that is not there.

    Raises InputError for a descriptor of another shape.
    """
    blob = blob_of(vector, encoder)
    owner = next(iter(table.primary_key))
    known = next(iter(owner.foreign_keys)).column
    if connection.scalar(select(known).where(known == face)) is None:
        return False
    put(connection, table, face, encoder, blob)
    return True


def by_encoder(connection: Connection, table: Table, face: int) -> dict[str, Descriptor]:
    """Return a face's descriptors by encoder. Raises StoreError for a damaged one."""
    owner = next(iter(table.primary_key))
    rows = connection.execute(select(table).where(owner == face))
    return {row.encoder: sound_matrix([row.vector], row.encoder)[0] for row in rows}


def lacking(connection: Connection, table: Table, faces: Table, encoder: str) -> list[int]:
    """Return, by id, the faces of a table that an encoder has not described."""
    owner = next(iter(table.primary_key))
    done = select(owner).where(table.c.encoder == encoder)
    return list(
        connection.scalars(select(faces.c.id).where(faces.c.id.not_in(done)).order_by(faces.c.id))
    )
