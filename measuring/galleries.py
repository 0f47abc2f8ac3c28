"""Galleries of labelled faces, and what they are asked."""

from __future__ import annotations

from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from gallery.identify.calibration.doubles import LIKELY, centres, doubles
from gallery.identify.calibration.trials import Protocol, References, Trials
from gallery.numerics.neighbours import NOBODY

Rows = NDArray[np.intp]


class DescribedFaces(Interface):
    """Faces whose names are known."""

    @property
    def descriptors(self) -> NDArray[np.float32]:
        """Shape (n, DIMENSION)."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Whose they are, shape (n,)."""

    @property
    def quality(self) -> NDArray[np.float64]:
        """How well each can be seen, 0 to 1, shape (n,)."""


def references_of(faces: DescribedFaces, rows: Rows, unknown: float = 0.0) -> References:
    """Return some faces as a gallery's references; no character turns faces away.

    Characters that look like one are known by the encoder's `unknown` distance; without it none is.
    """
    found = doubles(centres(faces.descriptors[rows], faces.labels[rows]), unknown, least=LIKELY)
    return References(
        faces.descriptors[rows],
        faces.labels[rows],
        faces.quality[rows],
        np.zeros(int(faces.labels.max()) + 1, np.bool_),
        doubles=tuple(found) if unknown else (),
    )


def ask(gallery: Protocol, faces: DescribedFaces, rows: Rows, *, known: bool) -> Trials:
    """Ask a gallery about some faces, whose characters are known to it or are strangers."""
    labels = faces.labels[rows]
    return gallery.about(
        faces.descriptors[rows],
        labels if known else np.full(len(rows), NOBODY),
        labels,
        quality=faces.quality[rows],
    )
