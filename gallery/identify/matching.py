"""From descriptors to the nearest characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from gallery.identify.index import FlatIndex
from gallery.identify.index_cache import IndexCache
from gallery.store.changes import Indexed
from gallery.store.reader import Store
from gallery.types import Match, MatchMode

VOTERS = 10
"""How many of the nearest samples vote."""

Ranked = list[tuple[int, float]]
"""Character ids and distances, likeliest first."""


class Matcher:
    """Compares descriptors of one encoder with a gallery, always as it is now."""

    def __init__(
        self, store: Store, encoder: str, cache: IndexCache, *, series: str | None = None
    ) -> None:
        """Compare with all characters, or with those of a series and the reject classes alone."""
        self._store = store
        self._series = series
        self._within: dict[Indexed, tuple[FlatIndex, frozenset[int], FlatIndex]] = {}
        """What is left of each index, behind what it was made of."""
        self._encoder = encoder
        self._cache = cache
        self._indexes: dict[Indexed, tuple[str, FlatIndex]] = {}
        """Each with the change that it is of."""

    def match(
        self, descriptors: NDArray[np.float32], mode: MatchMode, count: int
    ) -> list[list[Match]]:
        """Return, for descriptors of shape (n, DIMENSION), the count likeliest characters each.

        Likeliest comes first: nearest, or in MatchMode.VOTE with most votes. Distances are
        Euclidean, from the character's ideal, its best, or its nearest sample.
        """
        if len(descriptors) == 0:
            return []
        if mode in (MatchMode.IDEAL, MatchMode.BEST):
            distances, ids = self._index(Indexed(mode.value)).search(descriptors, count)
            ranked = [
                list(zip(row.tolist(), near.tolist(), strict=True))
                for row, near in zip(ids, distances, strict=True)
            ]
        else:
            samples = self._index(Indexed.SAMPLES)
            ranked = [
                self._rank_by_samples(samples, descriptor, mode, count)
                for descriptor in descriptors
            ]
        names = self._store.names({character for row in ranked for character, _ in row})
        return [
            [
                Match(names[character][0], distance, names[character][1])
                for character, distance in row
                if character in names
            ]
            for row in ranked
        ]

    def characters(self) -> int:
        """Return how many characters can be matched, as the gallery is now."""
        return len(self._index(Indexed.IDEAL))

    def names_drawn(self, count: int) -> set[str]:
        """Return the names of about so many of them, evenly drawn, the same ones every time."""
        index = self._index(Indexed.IDEAL)
        ids = index.ids[~index.dead]
        drawn = np.sort(ids)[np.linspace(0, len(ids) - 1, min(count, len(ids))).astype(np.int64)]
        return {name for name, _ in self._store.names(drawn.tolist()).values()}

    def _index(self, what: Indexed) -> FlatIndex:
        """Return an index of the gallery as it is now."""
        held = self._indexes.get(what)
        if held is None or held[0] != self._store.change():
            held = self._indexes[what] = self._cache.get(self._store, self._encoder, what)
        return held[1] if self._series is None else self._kept(held[1], what, self._series)

    def _kept(self, index: FlatIndex, what: Indexed, series: str) -> FlatIndex:
        """Return what of an index is of a series' characters, as they are now."""
        own = self._store.series.numbers_within(series)
        known = self._within.get(what)
        if known is None or known[0] is not index or known[1] != own:
            ids = sorted(own)
            if what is Indexed.SAMPLES:
                ids = self._store.samples_of(ids)
            left = index.kept(np.array(ids, np.int64))
            known = self._within[what] = (index, own, left)
        return known[2]

    def _rank_by_samples(
        self, index: FlatIndex, descriptor: NDArray[np.float32], mode: MatchMode, count: int
    ) -> Ranked:
        wanted = max(4 * count, VOTERS)
        while True:
            distances, ids = index.search(descriptor[None], wanted)
            owners = self._store.owners(ids[0].tolist())
            near = [
                (owners[sample], distance)
                for sample, distance in zip(ids[0].tolist(), distances[0].tolist(), strict=True)
                if sample in owners
            ]
            nearest = first_of_each(near)
            if len(nearest) >= count or wanted >= len(index):
                break
            wanted *= 4
        ranked = by_votes(near[:VOTERS], nearest) if mode is MatchMode.VOTE else nearest
        return ranked[:count]


def first_of_each(near: Iterable[tuple[int, float]]) -> Ranked:
    """Return each character's first, that is nearest, appearance."""
    found: dict[int, float] = {}
    for character, distance in near:
        found.setdefault(character, distance)
    return list(found.items())


def by_votes(voters: Sequence[tuple[int, float]], nearest: Ranked) -> Ranked:
    """Order characters by their voters' weights, those without a vote after them by distance.

    A voter at distance d weighs 1 / d^2, so that one very near sample outweighs several far ones
    (Dudani 1976, distance-weighted k-nearest-neighbour rule, with the inverse square).
    """
    votes: dict[int, float] = {}
    for character, distance in voters:
        votes[character] = votes.get(character, 0.0) + 1.0 / max(distance, 1e-6) ** 2
    return sorted(nearest, key=lambda one: (-votes.get(one[0], 0.0), one[1]))
