"""What an audit looks at: a gallery's samples as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Engine
from gallery.numerics.profiles import counted
from gallery.store.enrolled import EnrolledSamples, read_enrolled
from gallery.store.rejections import NEARLY
from gallery.types import UNDECIDED, FaceState, Sample

Numbers = NDArray[np.float64]
Labels = NDArray[np.int64]

AT_ONCE = 1 << 13
"""Characters whose samples are there in double precision, too."""


@dataclass(frozen=True, eq=False)
class AuditSet:
    """Samples that the encoder in use has described, but not those of reject classes."""

    enrolled: EnrolledSamples
    """n of them, by their characters."""
    unknown: float
    """The encoder's distance that nobody lies beyond."""
    near: float
    """Faces nearer than this are nearly the same."""
    look_up: Callable[[Sequence[int]], list[Sample]]
    """Returns samples by their ids."""

    def __len__(self) -> int:
        return len(self.enrolled.ids)

    @property
    def names(self) -> tuple[str, ...]:
        """The characters, by number."""
        return self.enrolled.names

    @property
    def labels(self) -> Labels:
        """The number of each sample's character, shape (n,), ascending."""
        return self.enrolled.labels

    @property
    def ids(self) -> Labels:
        """Shape (n,)."""
        return self.enrolled.ids

    @property
    def descriptors(self) -> NDArray[np.float32]:
        """Shape (n, DIMENSION)."""
        return self.enrolled.descriptors

    def exact(self, rows: Labels | Sequence[int] | int | slice) -> Numbers:
        """Return descriptors in double precision."""
        return self.descriptors[rows].astype(np.float64)

    def state(self, row: int) -> FaceState:
        """Return what a person decided of a sample."""
        return self.enrolled.state(row)

    def state_of(self, sample_id: int) -> FaceState:
        """Return what a person decided of a sample, by its id."""
        return self.enrolled.decided.get(sample_id, UNDECIDED)

    @cached_property
    def members(self) -> list[Labels]:
        """Each character's rows."""
        ends = np.searchsorted(self.labels, np.arange(1, len(self.names)))
        return np.split(np.arange(len(self)), ends)

    @cached_property
    def counts(self) -> NDArray[np.bool_]:
        """Which samples ideals are made of, shape (n,)."""
        return counted(self.labels, self.enrolled.poor)

    @cached_property
    def sizes(self) -> Labels:
        """How many samples each ideal is made of, shape (characters,)."""
        return np.bincount(self.labels[self.counts], minlength=len(self.names))

    @cached_property
    def ideals(self) -> Numbers:
        """Shape (characters, DIMENSION)."""
        kept = np.flatnonzero(self.counts)
        starts = np.searchsorted(self.labels[kept], np.arange(len(self.names)))
        found = np.empty((len(self.names), self.descriptors.shape[1]))
        for first in range(0, len(self.names), AT_ONCE):
            some = starts[first : first + AT_ONCE + 1]
            last = some[AT_ONCE] if len(some) > AT_ONCE else len(kept)
            sums = np.add.reduceat(self.exact(kept[some[0] : last]), some[:AT_ONCE] - some[0])
            found[first : first + AT_ONCE] = sums
        return np.asarray(found / self.sizes[:, None])

    def ids_of(self, rows: Labels | Sequence[int]) -> tuple[int, ...]:
        """Return the numbers of samples as `gallery show` counts them."""
        return tuple(int(self.ids[row]) for row in rows)

    def typical(self, name: int, most: int = 3) -> tuple[int, ...]:
        """Return the ids of a character's samples nearest to its ideal."""
        own = self.members[name]
        apart = ((self.exact(own) - self.ideals[name]) ** 2).sum(axis=1)
        return self.ids_of(own[np.argsort(apart, kind="stable")[:most]])


def audit_set_of(engine: Engine) -> AuditSet:
    """Return all that an audit wants of a gallery. Raises StoreError where it is not encoded."""
    engine.require_encoded()
    enrolled = read_enrolled(engine.store, engine.encoder)
    turned_away = enrolled.rejects[enrolled.labels]
    return AuditSet(
        enrolled.chosen(~turned_away) if turned_away.any() else enrolled,
        engine.thresholds.unknown,
        NEARLY * engine.thresholds.sure,
        lambda ids: engine.store.samples(engine.encoder, ids=ids),
    )
