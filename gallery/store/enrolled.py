"""A gallery's samples as arrays: what judges, audits and measures them all begins here.

They are as lean as what is made of them: who wants a sample's file or its face asks for it by id.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.profiles import counted
from gallery.store.contents import key_of
from gallery.store.reader import Store
from gallery.types import UNDECIDED, FaceState, Place


@dataclass(frozen=True, eq=False)
class EnrolledSamples:
    """The samples that an encoder has described, by their characters' names, then by their ids."""

    ids: NDArray[np.int64]
    """Shape (n,)."""
    descriptors: NDArray[np.float32]
    """Shape (n, DIMENSION)."""
    names: tuple[str, ...]
    """Of the characters that have such samples, by number."""
    labels: NDArray[np.int64]
    """The number of each sample's character, shape (n,), ascending."""
    rejects: NDArray[np.bool_]
    """Which characters turn faces away, shape (characters,)."""
    poor: NDArray[np.bool_]
    """Which samples ideal and best leave out while there are others, shape (n,)."""
    quality: NDArray[np.float64]
    """How well each can be seen, 0 to 1, shape (n,); NaN where it was not measured."""
    decided: Mapping[int, FaceState]
    """What a person decided of samples, by their ids; of the others nothing was."""

    def state(self, row: int) -> FaceState:
        """Return what a person decided of a sample."""
        return self.decided.get(int(self.ids[row]), UNDECIDED)

    def character(self, row: int) -> str:
        """Return whose a sample is."""
        return self.names[int(self.labels[row])]

    @cached_property
    def rows(self) -> dict[int, int]:
        """The rows of those samples of which something was decided, by their ids."""
        ids = np.array(sorted(self.decided), np.int64)
        rows = np.flatnonzero(np.isin(self.ids, ids)).tolist()
        return {int(self.ids[row]): row for row in rows}

    @cached_property
    def contradicted(self) -> NDArray[np.bool_]:
        """Which samples a person decided otherwise of than they are enrolled, shape (n,)."""
        marks = np.zeros(len(self.ids), np.bool_)
        for number, row in self.rows.items():
            state, character = self.decided[number], self.character(row)
            marks[row] = (
                state.is_set_aside
                or character in state.not_these
                or state.character not in (None, character)
            )
        return marks

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Which samples a person said to be right, shape (n,)."""
        marks = np.zeros(len(self.ids), np.bool_)
        for number, row in self.rows.items():
            marks[row] = self.decided[number].character == self.character(row)
        return marks

    def heeding(self) -> EnrolledSamples:
        """Return the samples that no decision contradicts, which alone are to be learnt from."""
        return self.chosen(~self.contradicted) if self.contradicted.any() else self

    def chosen(self, marks: NDArray[np.bool_]) -> EnrolledSamples:
        """Return the samples that are marked, shape (n,), and their characters alone."""
        kept = np.flatnonzero(marks)
        present, labels = np.unique(self.labels[kept], return_inverse=True)
        return EnrolledSamples(
            self.ids[kept],
            self.descriptors[kept],
            tuple(self.names[number] for number in present),
            labels.astype(np.int64),
            self.rejects[present],
            self.poor[kept],
            self.quality[kept],
            self.decided,
        )

    @cached_property
    def counted(self) -> NDArray[np.int64]:
        """The rows that ideals are made of, ascending; see profiles.counting."""
        return np.flatnonzero(counted(self.labels, self.poor))


def read_enrolled(
    store: Store, encoder: str, names: Collection[str] | None = None
) -> EnrolledSamples:
    """Return the samples that an encoder has described: all, or those of some characters."""
    found = store.described_samples(encoder, names)
    owners = np.array(list(found.characters), np.int64)
    by_id = np.argsort(owners)
    labels = by_id[np.searchsorted(owners, found.owners, sorter=by_id)]
    order = np.argsort(labels, kind="stable")
    return EnrolledSamples(
        found.ids[order],
        found.descriptors[order],
        tuple(name for name, _ in found.characters.values()),
        labels[order],
        np.array([is_reject for _, is_reject in found.characters.values()], np.bool_),
        found.poor[order],
        found.quality[order],
        _decided(store, encoder),
    )


def _decided(store: Store, encoder: str) -> dict[int, FaceState]:
    """Return what a person decided of samples, by their ids."""
    faces = store.decisions.ruling().faces
    samples = store.samples(encoder, ids=store.samples_in(faces.by_key))
    # Which face of a picture is the one that was decided can be told among those alone that the
    # encoder has described.
    samples = [one for one in samples if one.distance is not None]
    contents = store.contents({one.digest for one in samples})
    places = [Place(one.digest, None, key_of(one.digest, contents)) for one in samples]
    states = faces.states(places, [one.face.box for one in samples])
    return {one.id: state for one, state in zip(samples, states, strict=True) if state != UNDECIDED}
