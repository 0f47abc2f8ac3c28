"""Figures of a face encoder from descriptors and labels; NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Labels = NDArray[np.int64]


def distances(left: Numbers, right: Numbers) -> Numbers:
    """Return Euclidean distances, shape (rows of left, rows of right)."""
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1) - 2 * left @ right.T
    return np.asarray(np.sqrt(np.maximum(squares, 0)))


def ideals(descriptors: Numbers, labels: Labels) -> Numbers:
    """Return the mean descriptor of each class 0, 1, ..., shape (classes, dimension)."""
    sums = np.zeros((labels.max() + 1, descriptors.shape[1]))
    np.add.at(sums, labels, descriptors)
    return np.asarray(sums / np.bincount(labels)[:, None])


def rank_against_ideals(descriptors: Numbers, labels: Labels) -> Labels:
    """Return each face's rank of its own ideal, 0 the nearest, left out of that ideal itself.

    Shape (n,); -1 for a face that is alone in its class. Classes are numbered 0, 1, ...
    """
    counts = np.bincount(labels)
    centres = ideals(descriptors, labels)
    apart = distances(descriptors, centres)
    several = counts[labels] > 1
    rest = np.maximum(counts[labels] - 1, 1)[:, None]
    own = (centres[labels] * counts[labels][:, None] - descriptors) / rest
    own_distance = np.linalg.norm(descriptors - own, axis=1)
    apart[np.arange(len(labels)), labels] = np.inf
    ranks = (apart < own_distance[:, None]).sum(axis=1)
    return np.where(several, ranks, -1)


def best_of_class(descriptors: Numbers, labels: Labels, *, leave_out: bool) -> NDArray[np.int64]:
    """Return the class whose best descriptor is nearest to each face, shape (n,).

    A class's best descriptor is its own one nearest to its ideal. With `leave_out`, a face takes
    no part in its own class's ideal and best; its answer is -1 where it is alone in its class.
    """
    classes = int(labels.max()) + 1
    members = [np.flatnonzero(labels == name) for name in range(classes)]
    best = np.array([_best(descriptors, own) for own in members])
    apart = distances(descriptors, descriptors[best])
    if not leave_out:
        return np.asarray(apart.argmin(axis=1), dtype=np.int64)
    for name, own in enumerate(members):
        for face in own:
            others = own[own != face]
            if len(others):
                other = descriptors[_best(descriptors, others)]
                apart[face, name] = np.linalg.norm(descriptors[face] - other)
    alone = np.bincount(labels)[labels] == 1
    return np.where(alone, -1, apart.argmin(axis=1))


def _best(descriptors: Numbers, own: NDArray[np.intp]) -> int:
    """Return which of a class's faces is nearest to their mean."""
    ideal = descriptors[own].mean(axis=0)
    return int(own[np.linalg.norm(descriptors[own] - ideal, axis=1).argmin()])


@dataclass(frozen=True, slots=True)
class Confusion:
    """Pairs by whether they are of one character and whether they are called so."""

    true_accepts: float
    false_accepts: float
    true_rejects: float
    false_rejects: float

    @property
    def precision(self) -> float:
        """Share of accepted pairs that are right."""
        return _ratio(self.true_accepts, self.true_accepts + self.false_accepts)

    @property
    def recall(self) -> float:
        """Share of a character's pairs that are accepted."""
        return _ratio(self.true_accepts, self.true_accepts + self.false_rejects)

    @property
    def specificity(self) -> float:
        """Share of strangers' pairs that are rejected."""
        return _ratio(self.true_rejects, self.true_rejects + self.false_accepts)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _ratio(
            2 * self.true_accepts, 2 * self.true_accepts + self.false_accepts + self.false_rejects
        )

    @property
    def accuracy(self) -> float:
        """Share of pairs that are judged rightly."""
        right = self.true_accepts + self.true_rejects
        return _ratio(right, right + self.false_accepts + self.false_rejects)

    @property
    def original_accuracy(self) -> float:
        """The original's formula, which leaves false rejects out of the denominator."""
        right = self.true_accepts + self.true_rejects
        return _ratio(right, right + self.false_accepts)


def _ratio(part: float, whole: float) -> float:
    """Return a quotient, 0 where there is nothing to divide by."""
    return part / whole if whole else 0.0


def original_pairs(descriptors: Numbers, labels: Labels, threshold: float) -> Confusion:
    """Return the original's all-pairs table: ordered pairs, every face with itself as well."""
    accepted = distances(descriptors, descriptors)
    # Rounding must not part a face from itself.
    np.fill_diagonal(accepted, 0.0)
    return _confusion(accepted <= threshold, labels[:, None] == labels[None, :])


def right_pairs(descriptors: Numbers, labels: Labels, threshold: float) -> Confusion:
    """Return the all-pairs table of every pair of two different faces, once."""
    upper = np.triu_indices(len(labels), 1)
    accepted = distances(descriptors, descriptors)[upper] <= threshold
    return _confusion(accepted, labels[upper[0]] == labels[upper[1]])


def _confusion(accepted: NDArray[np.bool_], same: NDArray[np.bool_]) -> Confusion:
    """Count."""
    return Confusion(
        float((accepted & same).sum()),
        float((accepted & ~same).sum()),
        float((~accepted & ~same).sum()),
        float((~accepted & same).sum()),
    )


class PairTable:
    """Distances of all pairs as one histogram for each pair of characters.

    So figures can be taken again with characters drawn with replacement: a character drawn w
    times counts w times in pairs of its own, and w x v times with one drawn v times.
    """

    def __init__(
        self, descriptors: Numbers, labels: Labels, groups: Labels, bins: int = 1000
    ) -> None:
        """Count pairs; groups, shape (classes,), number the classes' series."""
        apart = distances(descriptors, descriptors)
        self.edges = np.linspace(0, float(apart.max()) * (1 + 1e-9), bins + 1)
        self.classes = int(labels.max()) + 1
        upper = np.triu_indices(len(labels), 1)
        cells = np.clip(np.searchsorted(self.edges, apart[upper], "right") - 1, 0, bins - 1)
        one, other = labels[upper[0]], labels[upper[1]]
        low, high = np.minimum(one, other), np.maximum(one, other)
        flat = (low * self.classes + high) * bins + cells
        counts = np.bincount(flat, minlength=self.classes**2 * bins)
        table = counts.reshape(self.classes, self.classes, bins).astype(np.float32)
        self._same = table[np.arange(self.classes), np.arange(self.classes)].copy()
        table[np.arange(self.classes), np.arange(self.classes)] = 0
        self._different = table
        self._one_series = groups[:, None] == groups[None, :]

    def pairs(self, among: str = "all") -> int:
        """Return how many pairs there are: all of one character, and of strangers those `among`."""
        same, different = self._sums(np.ones((1, self.classes)), among)
        return round(float(same[0, -1] + different[0, -1]))

    def curves(self, weights: Numbers, among: str = "all") -> tuple[Numbers, Numbers]:
        """Return TAR and FAR at each bin's upper edge, shape (samples, bins) each.

        Weights, shape (samples, classes), say how often each character counts. Pairs of strangers
        are those `among` `all`, `one series` or `other series`.
        """
        same, different = self._sums(weights, among)
        return same / np.maximum(same[:, -1:], 1), different / np.maximum(different[:, -1:], 1)

    def _sums(self, weights: Numbers, among: str) -> tuple[Numbers, Numbers]:
        """Return how many pairs lie within each bin's upper edge: of one character, of two."""
        mask = {
            "all": np.ones_like(self._one_series),
            "one series": self._one_series,
            "other series": ~self._one_series,
        }[among]
        kept = np.flatnonzero(mask & (self._different.any(axis=2)))
        pairs = (weights[:, :, None] * weights[:, None, :]).reshape(len(weights), -1)[:, kept]
        table = self._different.reshape(-1, self._different.shape[2])[kept]
        different = np.cumsum((pairs.astype(np.float32) @ table).astype(np.float64), axis=1)
        return np.cumsum(weights @ self._same.astype(np.float64), axis=1), different

    def best_f1(self, weights: Numbers) -> tuple[Numbers, Numbers]:
        """Return the highest F1 of pairs over all thresholds, and that threshold, per sample."""
        same, different = self._sums(weights, "all")
        f1 = 2 * same / np.maximum(same + different + same[:, -1:], 1)
        return f1.max(axis=1), self.edges[1 + f1.argmax(axis=1)]

    def equal_error(self, weights: Numbers, among: str = "all") -> tuple[Numbers, Numbers]:
        """Return the error rate at which FAR and 1 - TAR meet, and the threshold, per sample."""
        tar, far = self.curves(weights, among)
        place = np.abs(far - (1 - tar)).argmin(axis=1)
        row = np.arange(len(weights))
        return (far[row, place] + 1 - tar[row, place]) / 2, self.edges[1 + place]

    def tar_at(self, far: float, weights: Numbers, among: str = "all") -> Numbers:
        """Return the highest TAR at no more than this FAR, per sample."""
        accepts, false = self.curves(weights, among)
        return np.asarray(np.where(false <= far, accepts, 0.0).max(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """What became of many probes: one row each."""

    labels: Labels
    """The character each one shows."""
    hits: NDArray[np.bool_]

    def rate(self, weights: Numbers) -> Numbers:
        """Return the share of hits per sample, each probe counted by its character's weight.

        Weights have the shape (samples, classes).
        """
        classes = weights.shape[1]
        hits = np.bincount(self.labels, weights=self.hits, minlength=classes)
        counts = np.bincount(self.labels, minlength=classes)
        return np.asarray(weights @ hits / np.maximum(weights @ counts, 1e-9))


def few_references(
    descriptors: Numbers, labels: Labels, references: int, rank: int, *, draws: int, seed: int
) -> Probes:
    """Enrol all characters with this many random references, and probe with their other faces.

    A probe is a hit when its own character's ideal is among the `rank` nearest. Characters with
    no face to spare are left out. Probes of all draws stand together.
    """
    generator = np.random.default_rng((seed, references))
    sizes = np.bincount(labels)
    members = np.flatnonzero(sizes > references)
    found: list[tuple[Labels, NDArray[np.bool_]]] = []
    for _ in range(draws):
        centres, rest = _enrol(descriptors, labels, members, references, generator)
        apart = distances(descriptors[rest], centres)
        owner = np.searchsorted(members, labels[rest])
        own = apart[np.arange(len(rest)), owner]
        found.append((labels[rest], (apart < own[:, None]).sum(axis=1) < rank))
    return Probes(*(np.concatenate(part) for part in zip(*found, strict=True)))


def open_set(
    descriptors: Numbers, labels: Labels, references: int, rate: float, *, draws: int, seed: int
) -> Probes:
    """Enrol half of the characters at random; all faces of the others are strangers.

    The threshold is the distance to the nearest ideal that this share of strangers is within. A
    known probe is a hit when its own ideal is the nearest and within the threshold.
    """
    generator = np.random.default_rng((seed, references))
    eligible = np.flatnonzero(np.bincount(labels) > references)
    found: list[tuple[Labels, NDArray[np.bool_]]] = []
    for _ in range(draws):
        members = np.sort(generator.permutation(eligible)[: len(eligible) // 2])
        centres, rest = _enrol(descriptors, labels, members, references, generator)
        strangers = descriptors[~np.isin(labels, members)]
        cut = np.quantile(distances(strangers, centres).min(axis=1), rate)
        apart = distances(descriptors[rest], centres)
        right = apart.argmin(axis=1) == np.searchsorted(members, labels[rest])
        found.append((labels[rest], right & (apart.min(axis=1) <= cut)))
    return Probes(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _enrol(
    descriptors: Numbers,
    labels: Labels,
    members: NDArray[np.intp],
    references: int,
    generator: np.random.Generator,
) -> tuple[Numbers, NDArray[np.intp]]:
    """Return the members' ideals of random references, and the indices of their other faces."""
    centres, rest = [], []
    for member in members:
        own = generator.permutation(np.flatnonzero(labels == member))
        centres.append(descriptors[own[:references]].mean(axis=0))
        rest.append(own[references:])
    return np.stack(centres), np.concatenate(rest)


def interval(values: Numbers) -> tuple[float, float]:
    """Return the middle 95 % of bootstrap values."""
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


def resamples(classes: int, count: int, seed: int) -> Numbers:
    """Return how often each character is drawn with replacement, shape (count, classes)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(classes, np.full(classes, 1 / classes), count).astype(np.float64)
