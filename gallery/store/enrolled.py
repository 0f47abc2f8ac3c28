"""A gallery's samples as arrays: what judges, audits and measures them all begins here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.profiles import counting
from gallery.store.reader import Store
from gallery.types import Sample


@dataclass(frozen=True, eq=False)
class EnrolledSamples:
    """The samples that an encoder has described, by their characters' names, then by their ids."""

    samples: tuple[Sample, ...]
    """n of them."""
    descriptors: NDArray[np.float32]
    """Shape (n, DIMENSION)."""
    names: tuple[str, ...]
    """Of the characters that have such samples, by number."""
    labels: NDArray[np.int64]
    """The number of each sample's character, shape (n,), ascending."""
    rejects: NDArray[np.bool_]
    """Which characters turn faces away, shape (characters,)."""

    @cached_property
    def number(self) -> dict[str, int]:
        """Every character's number by its name."""
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def poor(self) -> NDArray[np.bool_]:
        """Which samples ideal and best leave out while there are others, shape (n,)."""
        return np.array([one.is_poor for one in self.samples], dtype=np.bool_)

    @cached_property
    def counted(self) -> NDArray[np.int64]:
        """The rows that ideals are made of, ascending; see profiles.counting."""
        kept: list[int] = []
        for place in range(len(self.names)):
            first, last = np.searchsorted(self.labels, [place, place + 1]).tolist()
            kept += [first + row for row in counting(self.poor[first:last].tolist())]
        return np.array(kept, dtype=np.int64)


def read_enrolled(store: Store, encoder: str) -> EnrolledSamples:
    """Return the samples of a gallery that an encoder has described."""
    vectors = store.vectors(encoder)
    row_of = {int(sample): row for row, sample in enumerate(vectors.sample_ids)}
    # Somebody may have enrolled or removed one meanwhile.
    samples = [one for one in store.samples(encoder) if one.id in row_of]
    rejects = {one.name: one.is_reject for one in store.characters()}
    names = sorted({one.character for one in samples})
    number = {name: place for place, name in enumerate(names)}
    samples.sort(key=lambda one: (number[one.character], one.id))
    rows = np.array([row_of[one.id] for one in samples], dtype=np.int64)
    return EnrolledSamples(
        tuple(samples),
        vectors.samples[rows],
        tuple(names),
        np.array([number[one.character] for one in samples], dtype=np.int64),
        np.array([rejects.get(name, False) for name in names], dtype=np.bool_),
    )
