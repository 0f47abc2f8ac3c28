"""Verification (1:1): TAR, FAR and what follows from them, with characters drawn with replacement.

TAR at FAR x is the share of one character's pairs that are accepted at the largest threshold where
at most x of the pairs of two characters are; the equal-error rate is where FAR and 1 - TAR meet
(ISO/IEC 19795-1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.metrics import Labels, Numbers, Vectors
from gallery.numerics.intervals import ratio

Rows = NDArray[np.intp]

AT_ONCE = 1 << 15
"""Pairs that are weighed, or whose distances are taken, at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of faces: how far apart, and whose each is; shape (n,) each."""

    distances: Numbers
    one: Labels
    other: Labels
    total_same: int
    """How many pairs of one character there are, of which these are all or were drawn."""
    total_different: int
    """The same of pairs of two characters."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Faces to compare: descriptors, shape (n, dimension), and whose they are, shape (n,)."""

    descriptors: Vectors
    labels: Labels


def all_pairs(faces: Side) -> Pairs:
    """Return every pair of two of the faces, once."""
    rows, columns = np.triu_indices(len(faces.labels), 1)
    return _compared(faces, faces, rows, columns)


def pairs_of(faces: Side, limit: int, generator: np.random.Generator) -> Pairs:
    """Return every pair of two of the faces; above a limit drawn ones, see `pairs_between`."""
    count = len(faces.labels)
    if count * (count - 1) // 2 <= limit:
        return all_pairs(faces)
    rows, columns = _drawn(faces.labels, faces.labels, limit, generator)
    # One order for every pair, so that none is there twice.
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    kept = np.unique(low[low < high] * count + high[low < high])
    sizes = np.unique(faces.labels, return_counts=True)[1]
    same = int((sizes * (sizes - 1) // 2).sum())
    totals = same, count * (count - 1) // 2 - same
    return _compared(faces, faces, kept // count, kept % count, totals)


def pairs_between(
    probes: Side, references: Side, own: Rows, limit: int, generator: np.random.Generator
) -> Pairs:
    """Return every pair of a probe and a reference, or where they are many, drawn ones.

    `own` says which reference is the probe itself, -1 for none; that is no pair. Above the limit,
    pairs of one character and of two are drawn apart, as many as the limit of each at most, so
    that figures of either stand on enough.
    """
    width, totals = len(references.labels), None
    if len(probes.labels) * width <= limit:
        rows, columns = (part.ravel() for part in np.indices((len(probes.labels), width)))
    else:
        drawn = _drawn(probes.labels, references.labels, limit, generator)
        kept = np.unique(drawn[0] * width + drawn[1])
        rows, columns = kept // width, kept % width
        partners = _partners(probes.labels, np.sort(references.labels))[1].sum()
        same = int(partners) - int((own >= 0).sum())
        totals = same, len(probes.labels) * width - int(partners)
    other = own[rows] != columns
    return _compared(probes, references, rows[other], columns[other], totals)


def _drawn(
    left: Labels, right: Labels, limit: int, generator: np.random.Generator
) -> tuple[Rows, Rows]:
    """Return rows of drawn pairs, of one character and of two, up to the limit of each."""
    order = np.argsort(right, kind="stable")
    first, partners = _partners(left, right[order])
    if partners.sum() <= limit:
        rows = np.repeat(np.arange(len(left)), partners)
        places = np.arange(len(rows)) - np.repeat(np.cumsum(partners) - partners, partners)
        same = rows, order[first[rows] + places]
    else:
        rows = generator.choice(len(left), limit, p=partners / partners.sum())
        same = rows, order[first[rows] + generator.integers(0, partners[rows])]
    rows, columns = (generator.integers(0, len(side), limit) for side in (left, right))
    apart = left[rows] != right[columns]
    return (
        np.concatenate([same[0], rows[apart]]),
        np.concatenate([same[1], columns[apart]]),
    )


def _partners(left: Labels, right: Labels) -> tuple[Rows, Rows]:
    """Return where in sorted labels those of each label begin, and how many they are."""
    first = np.searchsorted(right, left, "left")
    return first, np.searchsorted(right, left, "right") - first


def _compared(
    left: Side, right: Side, rows: Rows, columns: Rows, totals: tuple[int, int] | None = None
) -> Pairs:
    """Return pairs of rows with their distances; without totals they are all there are."""
    apart = np.empty(len(rows))
    for start in range(0, len(rows), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        gaps = left.descriptors[rows[some]] - right.descriptors[columns[some]]
        apart[some] = np.sqrt(np.einsum("nd,nd->n", gaps, gaps))
    one, other = left.labels[rows], right.labels[columns]
    if totals is None:
        same = int((one == other).sum())
        totals = same, len(rows) - same
    return Pairs(apart, one, other, *totals)


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """How many pairs each threshold accepts, per sample of characters."""

    thresholds: Numbers
    """Shape (bins,)."""
    same: Numbers
    """Accepted pairs of one character, weighed, shape (samples, bins)."""
    different: Numbers
    """Accepted pairs of two characters, likewise."""

    @property
    def tar(self) -> Numbers:
        """The share of one character's pairs that is accepted; NaN where there is none."""
        return ratio(self.same, self.same[:, -1:])

    @property
    def far(self) -> Numbers:
        """The share of two characters' pairs that is accepted; NaN where there is none."""
        return ratio(self.different, self.different[:, -1:])

    def best_f1(self) -> tuple[Numbers, Numbers]:
        """Return the highest F1 of pairs over all thresholds, and that threshold, per sample."""
        accepted = self.same + self.different
        f1 = ratio(2 * self.same, accepted + self.same[:, -1:])
        place = np.nan_to_num(f1).argmax(axis=1)
        return f1[np.arange(len(f1)), place], self.thresholds[place]

    def equal_error(self) -> tuple[Numbers, Numbers]:
        """Return the error rate at which FAR and 1 - TAR meet, and the threshold, per sample."""
        far, frr = self.far, 1 - self.tar
        place = np.nan_to_num(np.abs(far - frr), nan=np.inf).argmin(axis=1)
        row = np.arange(len(far))
        return (far[row, place] + frr[row, place]) / 2, self.thresholds[place]

    def tar_at(self, far: float) -> tuple[Numbers, Numbers]:
        """Return the highest TAR at no more than this FAR, and the threshold, per sample.

        TAR and threshold are 0 where already the smallest threshold accepts more.
        """
        within = (self.far <= far).sum(axis=1)
        row = np.arange(len(within))
        unknown = np.isnan(self.far[:, 0]) | np.isnan(self.tar[:, 0])
        tar = np.where(within > 0, self.tar[row, within - 1], 0.0)
        cut = np.where(within > 0, self.thresholds[within - 1], 0.0)
        return np.where(unknown, np.nan, tar), cut


class PairTable:
    """Counts of pairs by distance and by whose they are.

    So figures can be taken again with characters drawn with replacement: a character drawn w
    times counts w times in pairs of its own, and w x v times with one drawn v times.
    """

    def __init__(self, pairs: Pairs, groups: Labels, bins: int = 1000) -> None:
        """Count pairs; groups, shape (classes,), number the characters' series."""
        self.classes = len(groups)
        self._groups = groups
        farthest = float(pairs.distances.max(initial=0.0)) or 1.0
        edges = np.linspace(0, farthest * (1 + 1e-9), bins + 1)
        self.thresholds = edges[1:]
        cells = np.clip(np.searchsorted(edges, pairs.distances, "left") - 1, 0, bins - 1)
        same = pairs.one == pairs.other
        counts = np.bincount(pairs.one[same] * bins + cells[same], minlength=self.classes * bins)
        self._same = counts.reshape(self.classes, bins).astype(np.float64)
        low, high = np.minimum(pairs.one, pairs.other), np.maximum(pairs.one, pairs.other)
        keys = (cells * self.classes + low) * self.classes + high
        found, self._counts = np.unique(keys[~same], return_counts=True)
        self._cells, rest = np.divmod(found, self.classes**2)
        self._low, self._high = np.divmod(rest, self.classes)
        # Drawn pairs stand for all: what mixes the two kinds, as precision does, needs their ratio.
        self._share_same = pairs.total_same / max(int(same.sum()), 1)
        self._share_different = pairs.total_different / max(int((~same).sum()), 1)

    def pairs(self, among: str = "all") -> tuple[int, int]:
        """Return how many pairs there are of one character, and of two of those `among`."""
        different = int(self._counts[self._among(among)].sum())
        return int(self._same.sum()), different

    def curves(self, weights: Numbers, among: str = "all") -> Curves:
        """Return how many pairs each threshold accepts.

        Weights, shape (samples, classes), say how often each character counts. Pairs of two
        characters are those `among` `all`, `one series` or `other series`.
        """
        kept = np.flatnonzero(self._among(among))
        light = np.ascontiguousarray(weights.T, dtype=np.float32)
        different = np.zeros((len(self.thresholds), len(weights)))
        for start in range(0, len(kept), AT_ONCE):
            some = kept[start : start + AT_ONCE]
            weighed = light[self._low[some]] * light[self._high[some]]
            weighed *= self._counts[some, None]
            # Keys are in the order of cells, so that each cell's pairs stand together.
            cells, first = np.unique(self._cells[some], return_index=True)
            different[cells] += np.add.reduceat(weighed, first, axis=0)
        return Curves(
            self.thresholds,
            np.cumsum(weights @ self._same, axis=1) * self._share_same,
            np.cumsum(different, axis=0).T * self._share_different,
        )

    def histogram(self) -> tuple[Numbers, Numbers]:
        """Return the share of pairs in each bin: of one character, and of two; shape (bins,)."""
        same = self._same.sum(axis=0)
        different = np.bincount(
            self._cells, weights=self._counts, minlength=len(self.thresholds)
        ).astype(np.float64)
        return same / max(same.sum(), 1), different / max(different.sum(), 1)

    def _among(self, among: str) -> NDArray[np.bool_]:
        one_series = np.asarray(self._groups[self._low] == self._groups[self._high])
        if among == "all":
            return np.ones_like(one_series)
        return one_series if among == "one series" else ~one_series
