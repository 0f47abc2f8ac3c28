"""The shape of the test that CCIP's published F1 comes from, for any encoder.

CCIP (deepghs/imgutils) was judged on about 45 characters by six pictures: all ordered pairs, every
picture with itself among them, at the threshold that suits these very pairs best. All three make
the figure larger than it is in use; in this shape others can be laid beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.figures import Figure, share
from gallery.evaluation.metrics import Vectors
from gallery.evaluation.pairs import Curves, PairTable, Side, all_pairs

CHARACTERS = 45
PICTURES = 6
DRAWS = 20
SEED = 45

Rows = NDArray[np.intp]
Numbers = NDArray[np.float64]
Labels = NDArray[np.int64]


def ccip_figures(descriptors: Vectors, labels: Labels, weights: Numbers) -> dict[str, Figure]:
    """Return the mean F1 of draws by title, with self pairs and without.

    Weights, shape (1 + samples, classes), say how often each character counts.
    """
    generator = np.random.default_rng(SEED)
    titles = "with self pairs", "without self pairs"
    sums = np.zeros((len(titles), len(weights)))
    pairs = 0
    for _ in range(DRAWS):
        rows = drawn(labels, generator)
        members, own = np.unique(labels[rows], return_inverse=True)
        table = PairTable(
            all_pairs(Side(descriptors[rows], own.astype(np.int64))), np.zeros(len(members), int)
        )
        curves = table.curves(weights[:, members])
        faces = weights[:, members] @ np.bincount(own).astype(np.float64)
        sums += with_self_pairs(curves, faces).best_f1()[0], curves.best_f1()[0]
        pairs = len(rows) * (len(rows) - 1)
    return {
        title: share(title, values / DRAWS, count, min(CHARACTERS, weights.shape[1]))
        for title, values, count in zip(titles, sums, (pairs + len(rows), pairs), strict=True)
    }


def drawn(labels: Labels, generator: np.random.Generator) -> Rows:
    """Return faces of a draw: of as many characters as CCIP's test has, as many each.

    Where too few have as many faces, those with most come with what they have.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    order = generator.permutation(len(classes))
    order = order[np.argsort(-np.minimum(sizes[order], PICTURES), kind="stable")]
    members = np.sort(classes[order[:CHARACTERS]])
    return np.concatenate(
        [generator.permutation(np.flatnonzero(labels == own))[:PICTURES] for own in members]
    )


def with_self_pairs(curves: Curves, faces: Numbers) -> Curves:
    """Return the curves of ordered pairs, every face with itself among them.

    `faces`, shape (samples,), says how many there are; a face is at no distance from itself.
    """
    return Curves(curves.thresholds, 2 * curves.same + faces[:, None], 2 * curves.different)
