"""Which vectors changed since when: what an index beside the database has to follow.

Triggers note every profile and descriptor that is written or removed, see migration 0011. A change
token that the database had says from which of these notes on what it has is newer. A token of
another history, or one that is older than the notes that are kept, says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, delete, func, insert, select

from gallery.store.columns import sound_matrix
from gallery.store.descriptors import portions
from gallery.store.tables import changed_vectors, changes, descriptors, profiles, state

KEPT = 1 << 16
"""Notes that are kept. An index that is so far behind is made anew."""

AT_ONCE = 1 << 14
"""Rows that are read at once: as bytes they are there twice."""


class Indexed(StrEnum):
    """What of a gallery an index is made of."""

    IDEAL = "ideal"
    """The ideals of characters, by the characters' ids."""
    BEST = "best"
    """Their bests, by the same."""
    SAMPLES = "samples"
    """All samples, by their own ids."""


@dataclass(frozen=True, slots=True, eq=False)
class IndexRows:
    """What an index is made of, read at one instant."""

    change: str
    """The database's change token at that instant."""
    ids: NDArray[np.int64]
    """Ascending, shape (n,)."""
    vectors: NDArray[np.float32]
    """Shape (n, DIMENSION)."""


@dataclass(frozen=True, slots=True, eq=False)
class NewRows:
    """What an index of an older change lacks, read at one instant."""

    rows: IndexRows
    """What is new, or other than it was."""
    gone: NDArray[np.int64]
    """The ids whose former vectors hold no more, shape (m,): those of rows, and of what went."""


def note_change(connection: Connection, token: str) -> None:
    """Note a token that the database has from now on, and let go of what nobody follows now."""
    last = _last(connection)
    connection.execute(insert(changes).values(token=token, last=last))
    connection.execute(delete(changes).where(changes.c.last < last - KEPT))
    connection.execute(delete(changed_vectors).where(changed_vectors.c.id <= last - KEPT))


def forget_changes(connection: Connection, token: str) -> None:
    """Let nobody follow what came before a token that the database has now."""
    connection.execute(delete(changes))
    note_change(connection, token)


def rows_of(connection: Connection, encoder: str, what: Indexed) -> IndexRows:
    """Return all that an index is made of. Raises StoreError where a descriptor is damaged."""
    return _read(connection, [connection.execute(_query(encoder, what))], encoder)


def rows_since(
    connection: Connection, encoder: str, what: Indexed, token: str, most: int
) -> NewRows | None:
    """Return what is newer than a token; None where nobody knows, or where more than `most` is.

    Raises StoreError where a new descriptor is damaged.
    """
    since = connection.scalar(select(changes.c.last).where(changes.c.token == token))
    if since is None:
        return None
    kind, key = ("sample", descriptors.c.sample_id)
    if what is not Indexed.SAMPLES:
        kind, key = ("character", profiles.c.character_id)
    found = connection.scalars(
        select(changed_vectors.c.number)
        .where(changed_vectors.c.id > since, changed_vectors.c.kind == kind)
        .distinct()
    )
    gone = sorted(found)
    if len(gone) > most:
        return None
    query = _query(encoder, what)
    results = (connection.execute(query.where(key.in_(some))) for some in portions(gone))
    return NewRows(_read(connection, results, encoder), np.array(gone, np.int64))


def _last(connection: Connection) -> int:
    newest = func.coalesce(func.max(changed_vectors.c.id), 0)
    return int(connection.scalar(select(newest)) or 0)


def _query(encoder: str, what: Indexed) -> Select[Any]:
    """Return the query of an index's ids and vectors, by their ids."""
    if what is Indexed.SAMPLES:
        found = select(descriptors.c.sample_id, descriptors.c.vector)
        return found.where(descriptors.c.encoder == encoder).order_by(descriptors.c.sample_id)
    vector = profiles.c.ideal if what is Indexed.IDEAL else descriptors.c.vector
    # An ideal whose best is not described is not there, either.
    return (
        select(profiles.c.character_id, vector)
        .join(
            descriptors,
            (descriptors.c.sample_id == profiles.c.best_sample_id)
            & (descriptors.c.encoder == profiles.c.encoder),
        )
        .where(profiles.c.encoder == encoder)
        .order_by(profiles.c.character_id)
    )


def _read(connection: Connection, results: Any, encoder: str) -> IndexRows:
    ids, vectors = [np.zeros(0, np.int64)], [sound_matrix([], encoder)]
    for result in results:
        for part in result.partitions(AT_ONCE):
            ids.append(np.array([row[0] for row in part], np.int64))
            vectors.append(sound_matrix([row[1] for row in part], encoder))
    change = str(connection.scalar(select(state.c.change)))
    return IndexRows(change, np.concatenate(ids), np.concatenate(vectors))
