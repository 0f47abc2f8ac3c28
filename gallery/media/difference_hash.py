"""What two pictures that are nearly the same have in common, whatever their size and sharpness.

The difference hash: of the picture in 9 x 8 grey cells, whether each is brighter than the one to
its left (https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gallery.types import Pixels

SIDE = 8

NEAR = 5
"""Of 64 bits, so many may differ between pictures that are nearly the same."""


def difference_hash(pixels: Pixels) -> NDArray[np.bool_]:
    """Return the bits of a picture, shape (64,)."""
    from PIL import Image as pillow

    small = pillow.fromarray(pixels).convert("L").resize((SIDE + 1, SIDE), pillow.Resampling.BOX)
    cells = np.asarray(small).astype(np.int16)
    return np.asarray(cells[:, 1:] > cells[:, :-1]).ravel()


def distinct(hashes: Sequence[NDArray[np.bool_]]) -> list[int]:
    """Return the rows that stay where each takes out those behind it that are nearly the same."""
    kept: list[int] = []
    table = np.zeros((len(hashes), SIDE * SIDE), np.bool_)
    for row, bits in enumerate(hashes):
        differing = (table[: len(kept)] != bits).sum(axis=1)
        if not (differing <= NEAR).any():
            table[len(kept)] = bits
            kept.append(row)
    return kept
