"""What an audit looks at: a gallery's samples as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Engine
from gallery.numerics.profiles import counting
from gallery.store.enrolled import read_enrolled
from gallery.store.rejections import NEARLY
from gallery.types import UNDECIDED, FaceState, Sample

Numbers = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AuditSet:
    """Samples that the encoder in use has described, but not those of reject classes."""

    samples: tuple[Sample, ...]
    """n of them."""
    descriptors: Numbers
    """Shape (n, DIMENSION)."""
    unknown: float
    """The encoder's distance that nobody lies beyond."""
    near: float
    """Faces nearer than this are nearly the same."""
    states: Mapping[int, FaceState] = field(default_factory=dict)
    """What a person decided of samples, by id."""

    def state(self, row: int) -> FaceState:
        """Return what a person decided of a sample."""
        return self.states.get(self.samples[row].id, UNDECIDED)

    @cached_property
    def names(self) -> list[str]:
        """The characters, by number."""
        return sorted({sample.character for sample in self.samples})

    @cached_property
    def labels(self) -> Labels:
        """The number of each sample's character, shape (n,)."""
        numbers = {name: number for number, name in enumerate(self.names)}
        return np.array([numbers[sample.character] for sample in self.samples], np.int64)

    @cached_property
    def ids(self) -> Labels:
        """Shape (n,)."""
        return np.array([sample.id for sample in self.samples], np.int64)

    @cached_property
    def members(self) -> list[Labels]:
        """Each character's rows."""
        order = np.argsort(self.labels, kind="stable")
        return np.split(order, np.searchsorted(self.labels[order], np.arange(1, len(self.names))))

    @cached_property
    def counts(self) -> NDArray[np.bool_]:
        """Which samples ideals are made of, shape (n,)."""
        marks = np.zeros(len(self.samples), np.bool_)
        for own in self.members:
            marks[own[counting([self.samples[row].is_poor for row in own])]] = True
        return marks

    @cached_property
    def sizes(self) -> Labels:
        """How many samples each ideal is made of, shape (characters,)."""
        return np.bincount(self.labels[self.counts], minlength=len(self.names))

    @cached_property
    def ideals(self) -> Numbers:
        """Shape (characters, DIMENSION)."""
        sums = np.zeros((len(self.names), self.descriptors.shape[1]))
        np.add.at(sums, self.labels[self.counts], self.descriptors[self.counts])
        return np.asarray(sums / np.maximum(self.sizes, 1)[:, None])

    def ids_of(self, rows: Labels | Sequence[int]) -> tuple[int, ...]:
        """Return the numbers of samples as `gallery show` counts them."""
        return tuple(int(self.ids[row]) for row in rows)

    def typical(self, name: int, most: int = 3) -> tuple[int, ...]:
        """Return the ids of a character's samples nearest to its ideal."""
        own = self.members[name]
        apart = ((self.descriptors[own] - self.ideals[name]) ** 2).sum(axis=1)
        return self.ids_of(own[np.argsort(apart, kind="stable")[:most]])


def audit_set_of(engine: Engine) -> AuditSet:
    """Return all that an audit wants of a gallery. Raises StoreError where it is not encoded."""
    engine.require_encoded()
    enrolled = read_enrolled(engine.store, engine.encoder)
    rows = np.flatnonzero(~enrolled.rejects[enrolled.labels]).tolist()
    rows.sort(key=lambda row: enrolled.samples[row].id)
    samples = tuple(enrolled.samples[row] for row in rows)
    return AuditSet(
        samples,
        enrolled.descriptors[rows].astype(np.float64),
        engine.thresholds.unknown,
        NEARLY * engine.thresholds.sure,
        {enrolled.samples[row].id: enrolled.states[row] for row in rows},
    )
