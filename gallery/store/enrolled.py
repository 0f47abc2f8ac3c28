"""A gallery's samples as arrays: what judges, audits and measures them all begins here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.profiles import counting
from gallery.store.contents import key_of
from gallery.store.reader import Store
from gallery.types import FaceState, Place, Sample


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
    states: tuple[FaceState, ...]
    """What a person decided of the samples' faces, n of them."""

    @cached_property
    def number(self) -> dict[str, int]:
        """Every character's number by its name."""
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def contradicted(self) -> NDArray[np.bool_]:
        """Which samples a person decided otherwise of than they are enrolled, shape (n,)."""
        return np.array(
            [
                state.is_set_aside
                or one.character in state.not_these
                or state.character not in (None, one.character)
                for one, state in zip(self.samples, self.states, strict=True)
            ],
            dtype=np.bool_,
        )

    def heeding(self) -> EnrolledSamples:
        """Return the samples that no decision contradicts, which alone are to be learnt from."""
        if not self.contradicted.any():
            return self
        kept = np.flatnonzero(~self.contradicted)
        present, labels = np.unique(self.labels[kept], return_inverse=True)
        return EnrolledSamples(
            tuple(self.samples[row] for row in kept),
            self.descriptors[kept],
            tuple(self.names[number] for number in present),
            labels.astype(np.int64),
            self.rejects[present],
            tuple(self.states[row] for row in kept),
        )

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
    contents = store.contents()
    places = [Place(one.digest, None, key_of(one.digest, contents)) for one in samples]
    states = store.decisions.ruling().faces.states(places, [one.face.box for one in samples])
    return EnrolledSamples(
        tuple(samples),
        vectors.samples[rows],
        tuple(names),
        np.array([number[one.character] for one in samples], dtype=np.int64),
        np.array([rejects.get(name, False) for name in names], dtype=np.bool_),
        tuple(states),
    )
