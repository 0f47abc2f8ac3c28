"""All samples that an encoder has described, as arrays: a million of them are a million numbers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, select

from gallery.store.columns import sound_matrix
from gallery.store.descriptors import portions
from gallery.store.tables import characters, descriptors, samples
from gallery.types import SIZE_ENOUGH

AT_ONCE = 1 << 14
"""Rows that are read at once: as objects they take many times their room."""


@dataclass(frozen=True, slots=True, eq=False)
class DescribedSamples:
    """Samples by their ids, read at one instant."""

    ids: NDArray[np.int64]
    """Shape (n,)."""
    owners: NDArray[np.int64]
    """The ids of their characters, shape (n,)."""
    poor: NDArray[np.bool_]
    """Shape (n,)."""
    quality: NDArray[np.float64]
    """See types.Quality.score, shape (n,); NaN where it was not measured."""
    descriptors: NDArray[np.float32]
    """Shape (n, DIMENSION)."""
    characters: dict[int, tuple[str, bool]]
    """Name and whether it is a reject class of every owner, by its id, in the order of names."""


_PARTS = ("size", "sharpness", "roll", "frontal", "cut")


def described_in(
    connection: Connection, encoder: str, names: Collection[str] | None = None
) -> DescribedSamples:
    """Return the samples that an encoder has described: all, or those of some characters.

    Raises StoreError where a descriptor is damaged.
    """
    query = (
        select(
            samples.c.id,
            samples.c.character_id,
            samples.c.is_poor,
            *(samples.c[part] for part in _PARTS),
            descriptors.c.vector,
        )
        .join(descriptors, descriptors.c.sample_id == samples.c.id)
        .where(descriptors.c.encoder == encoder)
    )
    known = select(characters).order_by(characters.c.name)
    if names is None:
        owners = [(row.id, row.name, row.is_reject) for row in connection.execute(known)]
        queries = [query.order_by(samples.c.id)]
    else:
        wanted = portions(sorted(names))
        rows = [connection.execute(known.where(characters.c.name.in_(some))) for some in wanted]
        owners = [(row.id, row.name, row.is_reject) for some in rows for row in some]
        numbers = portions([number for number, _, _ in owners])
        queries = [query.where(samples.c.character_id.in_(some)) for some in numbers]
    numbers_of, vectors = _read(connection, queries, encoder)
    present = set(np.unique(numbers_of[:, 1]).astype(int).tolist())
    if not present <= {number for number, _, _ in owners}:
        raise LookupError("a sample's character is not there")
    order = np.argsort(numbers_of[:, 0], kind="stable")
    numbers_of = numbers_of[order]
    return DescribedSamples(
        numbers_of[:, 0].astype(np.int64),
        numbers_of[:, 1].astype(np.int64),
        numbers_of[:, 2].astype(np.bool_),
        _scores(*numbers_of[:, 3:].T),
        vectors if names is None else vectors[order],
        {number: (name, is_reject) for number, name, is_reject in owners if number in present},
    )


def _read(
    connection: Connection, queries: list[Select[Any]], encoder: str
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return all numbers but the vectors as rows, NaN for none, and the vectors."""
    numbers = [np.zeros((0, 3 + len(_PARTS)))]
    vectors = [sound_matrix([], encoder)]
    for query in queries:
        for part in connection.execute(query).partitions(AT_ONCE):
            *columns, blobs = zip(*part, strict=True)
            numbers.append(np.array(columns, np.float64).T)
            vectors.append(sound_matrix(blobs, encoder))
    return np.concatenate(numbers), np.concatenate(vectors)


def _scores(
    size: NDArray[np.float64],
    sharpness: NDArray[np.float64],
    roll: NDArray[np.float64],
    frontal: NDArray[np.float64],
    cut: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what types.Quality.score returns of each."""
    found = sharpness * np.minimum(size / SIZE_ENOUGH, 1.0)
    found = found * (1.0 - np.abs(np.nan_to_num(roll)) / 180.0)
    found = found * np.where(np.isnan(frontal), 1.0, (1.0 + frontal) / 2.0)
    return np.asarray(found * (1.0 - np.nan_to_num(cut)))
