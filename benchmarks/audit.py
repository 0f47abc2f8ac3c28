"""Measures how well an audit finds wrong labels, and how well clusters are characters.

    python -m benchmarks.audit [--encoder NAME] [--cache FOLDER] [--splits]

Galleries are drawn from the *dev* split of the shared faces, whose characters no network has seen,
found and cut as the product does it; descriptors are kept in the cache folder, build/openset;
every figure in gallery/audit and gallery/numerics/clustering.py was chosen on characters of the
*train* split that were held out of training. Intervals hold 95 % of what resampling the draws
gives.

Swapped labels: of a gallery of 50 characters with 10 samples each, 5 % get the name of another
character at random. All samples are put in the order in which the audit would propose to move them,
and those found in the first tenth of that order are counted. Beside it stand the audit's own
proposals: how many of them are right, and how many labels that are right it doubts.

Clusters: 50 characters with 10 faces each, none of them enrolled, are grouped as `gallery cluster`
does. BCubed F1 is the harmonic mean of precision and recall averaged over faces (Amigo, Gonzalo,
Artiles and Verdejo 2009, "A comparison of extrinsic clustering evaluation metrics").
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.openset import read_dev
from benchmarks.timing import SHARED
from gallery.audit.audit_set import AuditSet
from gallery.audit.characters import merge, split
from gallery.audit.misplaced import margins
from gallery.faces.networks.library import Library
from gallery.numerics.clustering import REACH, group
from gallery.settings import DEFAULT_ENCODER, Settings
from gallery.store.enrolled import EnrolledSamples
from gallery.store.rejections import NEARLY
from gallery.types import Thresholds
from measuring.tables import table

FACES = SHARED / "faces"
SEED = 6
DRAWS = 20
CHARACTERS = 50
EACH = 10
SWAPPED = 0.05
FIRST = 0.1

Descriptors = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Mean:
    """A figure over draws, and the interval of its mean."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return it with its interval."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def mean_of(values: list[float], generator: np.random.Generator) -> Mean:
    """Return the mean over draws with 95 % of what drawing the draws again gives."""
    drawn = generator.choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Mean(float(np.mean(values)), float(low), float(high))


def draw(labels: Labels, each: int, generator: np.random.Generator) -> Labels:
    """Return the rows of up to `each` faces of CHARACTERS characters that have at least eight."""
    able = np.flatnonzero(np.bincount(labels) >= min(each, 8))
    chosen = generator.permutation(able)[:CHARACTERS]
    return np.concatenate(
        [generator.permutation(np.flatnonzero(labels == name))[:each] for name in chosen]
    )


def audit_set_of(descriptors: Descriptors, labels: Labels, thresholds: Thresholds) -> AuditSet:
    """Return what an audit looks at, of samples with these labels."""
    numbers, places = np.unique(labels, return_inverse=True)
    order = np.argsort(places, kind="stable")
    enrolled = EnrolledSamples(
        order,
        descriptors[order],
        tuple(f"{number:04d}" for number in numbers.tolist()),
        places[order],
        np.zeros(len(numbers), np.bool_),
        np.zeros(len(order), np.bool_),
        np.full(len(order), np.nan),
        {},
    )
    return AuditSet(enrolled, thresholds.unknown, NEARLY * thresholds.sure, lambda _: [])


def swapped(labels: Labels, generator: np.random.Generator) -> tuple[Labels, Labels]:
    """Return labels of which SWAPPED are another's, and the rows of those."""
    rows = generator.permutation(len(labels))[: round(SWAPPED * len(labels))]
    names = np.unique(labels)
    wrong = labels.copy()
    for row in rows:
        wrong[row] = generator.choice(names[names != labels[row]])
    return wrong, rows


@dataclass(frozen=True, slots=True)
class Found:
    """What an audit says of a gallery with swapped labels."""

    first: float
    """Share of the wrong labels in the first tenth of all samples."""
    proposed: float
    """Share of the wrong labels that it proposes to move or forget."""
    right: float
    """Share of these proposals that are of wrong labels."""
    doubted: float
    """Share of the right labels that it doubts."""


def found(
    descriptors: Descriptors, labels: Labels, thresholds: Thresholds, generator: np.random.Generator
) -> Found:
    """Swap labels and look for them."""
    wrong, rows = swapped(labels, generator)
    audit_set = audit_set_of(descriptors, wrong, thresholds)
    values = np.empty(len(wrong))
    values[audit_set.ids] = margins(audit_set).values
    first = np.argsort(-values, kind="stable")[: round(FIRST * len(labels))]
    proposed = np.flatnonzero(values > 0)
    hits = np.isin(rows, proposed)
    return Found(
        float(np.isin(rows, first).mean()),
        float(hits.mean()),
        float(hits.sum() / max(len(proposed), 1)),
        float((len(proposed) - hits.sum()) / (len(labels) - len(rows))),
    )


def bcubed(clusters: Labels, labels: Labels) -> tuple[float, float, float]:
    """Return BCubed F1, precision and recall of clusters, shape (n,), against true labels."""
    together, same = clusters[:, None] == clusters, labels[:, None] == labels
    both = (together & same).sum(axis=1)
    precision = float((both / together.sum(axis=1)).mean())
    recall = float((both / same.sum(axis=1)).mean())
    return 2 * precision * recall / (precision + recall), precision, recall


def of_characters(
    descriptors: Descriptors, labels: Labels, thresholds: Thresholds, generator: np.random.Generator
) -> dict[str, float]:
    """Mix and cut characters of 12 samples, and say how many of these, and of others, are found."""
    able = generator.permutation(np.flatnonzero(np.bincount(labels) >= 12))
    rows = {int(name): generator.permutation(np.flatnonzero(labels == name))[:12] for name in able}
    names = list(rows)
    mixed, cut, whole = names[:20], names[20:30], names[30:]
    chosen, given = [], []
    for place in range(0, 20, 2):
        chosen += [*rows[mixed[place]][:8], *rows[mixed[place + 1]][:4]]
        given += [mixed[place]] * 12
    for name in cut:
        chosen += [*rows[name]]
        given += [name] * 6 + [1000 + name] * 6
    for name in whole:
        chosen += [*rows[name]]
        given += [name] * 12
    audit_set = audit_set_of(descriptors[chosen], np.array(given), thresholds)
    two = {int(one.characters[0]) for one in split(audit_set)}
    one = [{int(name) % 1000 for name in pair.characters} for pair in merge(audit_set)]
    rest = set(cut) | set(whole)
    pairs = len(audit_set.names) * (len(audit_set.names) - 1) / 2 - len(cut)
    return {
        "two in one: found": len(two & set(mixed)) / 10,
        "two in one: others proposed": len({name % 1000 for name in two} & rest) / len(rest),
        "one in two: found": sum(len(pair) == 1 for pair in one) / len(cut),
        "one in two: other pairs proposed": sum(len(pair) == 2 for pair in one) / pairs,
    }


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description="Measure the audit and the clusters.")
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--cache", type=Path, default=Path("build/openset"))
    chosen = parser.parse_args()
    if not FACES.is_dir():
        print(f"{FACES} is not here; nothing is measured.")
        return
    weights = Library(Settings().models_folder).locate(chosen.encoder)
    faces = read_dev(SHARED, weights, chosen.cache)
    descriptors, labels, thresholds = faces.descriptors, faces.labels, weights.thresholds
    print(f"{len(labels)} faces of {labels.max() + 1} characters, {DRAWS} draws")
    rows = [*_audit(descriptors, labels, thresholds), *_clusters(descriptors, labels, thresholds)]
    print(table(("figure", "mean [95 %]"), [(name, str(value)) for name, value in rows]))


def _audit(
    descriptors: Descriptors, labels: Labels, thresholds: Thresholds
) -> Iterator[tuple[str, Mean]]:
    generator = np.random.default_rng(SEED)

    def runs(each: int) -> list[Found]:
        drawn = [draw(labels, each, generator) for _ in range(DRAWS)]
        return [found(descriptors[rows], labels[rows], thresholds, generator) for rows in drawn]

    for each in (5, EACH):
        known = runs(each)
        parts: dict[str, Callable[[Found], float]] = {
            "wrong labels in the first tenth": lambda one: one.first,
            "wrong labels proposed": lambda one: one.proposed,
            "proposals that are right": lambda one: one.right,
            "right labels doubted": lambda one: one.doubted,
        }
        for name, part in parts.items():
            yield f"{CHARACTERS} x {each}: {name}", mean_of([part(one) for one in known], generator)
    mixed = [of_characters(descriptors, labels, thresholds, generator) for _ in range(DRAWS)]
    for name in mixed[0]:
        yield name, mean_of([one[name] for one in mixed], generator)


def _clusters(
    descriptors: Descriptors, labels: Labels, thresholds: Thresholds
) -> Iterator[tuple[str, Mean]]:
    generator = np.random.default_rng(SEED)
    reach = REACH * thresholds.unknown
    for each in (3, EACH, 1000):
        drawn = [draw(labels, each, generator) for _ in range(DRAWS)]
        scores = [bcubed(group(descriptors[rows], reach), labels[rows]) for rows in drawn]
        size = "all" if each > EACH else f"{each}"
        for place, name in enumerate(("BCubed F1", "precision", "recall")):
            values = [score[place] for score in scores]
            yield f"{CHARACTERS} x {size}: {name}", mean_of(values, generator)


if __name__ == "__main__":
    main()
