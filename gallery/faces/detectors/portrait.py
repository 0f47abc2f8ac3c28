"""The portrait pass: one large head in a picture that shows no head for sure.

A network that learned mostly young women doubts beards, masks, dark faces and creatures. Alone and
large in its picture, what it doubts is nearly always a head; small, it is a logo or a blossom. So
the likeliest large head is looked at again, mirrored and at half the size. Rows are those of the
network, shape (n, 11), with boxes and eyes in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.distances import overlaps

LEAST_SCORE = 0.2
"""A head of a lower score is not looked at again."""

LEAST_SIDES = ((0.3, 0.3), (0.45, 0.2))
"""A mean score that is enough, and for heads of at least which longer side, as a share of the
picture's shorter side."""

SAME_HEAD = 0.45
"""Intersection over union from which on two views mean one head."""

UNSEEN = 0.05
"""The score in a view that does not show the head."""

Rows = NDArray[np.float32]


def doubted(heads: Rows, width: int, height: int) -> Rows:
    """Return the likeliest head, shape (1, 11), that is large enough for its picture; else none.

    The heads come best first.
    """
    large = _share(heads, width, height) >= min(share for _, share in LEAST_SIDES)
    return np.asarray(heads[large & (heads[:, 0] >= LEAST_SCORE)][:1])


def mirrored(heads: Rows, width: int) -> Rows:
    """Return heads of a picture as its mirror image has them; the right eye becomes the left."""
    back = heads[:, [0, 3, 2, 1, 4, 7, 6, 5, 8, 10, 9]]
    back[:, [1, 3, 5, 7]] = width - back[:, [1, 3, 5, 7]]
    return back


def agreed(head: Rows, views: Sequence[Rows], width: int, height: int) -> Rows:
    """Return a head, shape (1, 11), with what all views say of it; none if that is too little.

    Its score is the mean of the odds' logarithms, its box and eyes are those of the views that show
    it, weighted by score.
    """
    shown = [head, *(view[_same(head, view)][:1] for view in views)]
    scores = [one[0, 0] if len(one) else UNSEEN for one in shown]
    odds = np.exp(np.mean([np.log(one / (1 - one)) for one in np.clip(scores, 0.01, 0.99)]))
    rows = np.concatenate(shown)
    mean = np.average(rows, axis=0, weights=rows[:, 0])[None].astype(np.float32)
    mean[0, 0] = odds / (1 + odds)
    share = _share(mean, width, height)[0]
    enough = any(mean[0, 0] >= score and share >= least for score, least in LEAST_SIDES)
    return mean if enough else mean[:0]


def _same(head: Rows, view: Rows) -> NDArray[np.bool_]:
    return np.asarray(overlaps(head[:, 1:5], view[:, 1:5])[0] >= SAME_HEAD)


def _share(heads: Rows, width: int, height: int) -> Rows:
    """Return heads' longer sides as shares of the picture's shorter one, shape (n,)."""
    sides = heads[:, 3:5] - heads[:, 1:3]
    return np.asarray(sides.max(axis=1, initial=0) / min(width, height))
