"""Faces that are judged together: each is drawn towards the faces most like it, whoever they show.

A face that is turned away or badly lit is far from its character's ideal, and near to other faces
of the same character, which are nearer to the ideal. So every face that is asked about is drawn
towards its nearest neighbours among them, as clustering does it, and asked about where it has come
to lie: a character's faces come together, and so do a stranger's, around a place of his own. The
gallery stays where it is. Were faces drawn towards its references, a stranger with few others of
his own would be drawn to whom he resembles.

What is asked about for a calibration lies as new faces do: the strangers that ship with the encoder
are drawn together with the faces, references and faces that were rejected towards both.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from gallery.events import Steps
from gallery.identify.calibration.calibrate import Rejections
from gallery.identify.calibration.evidence import Numbers, Vectors
from gallery.identify.calibration.strangers import Strangers
from gallery.identify.calibration.trials import References
from gallery.numerics.clustering import REACH, drawn

FEATURES_TOGETHER: tuple[str, ...] = ("ideal", "spread", "few")
"""What of the evidence is weighed. The gap is there for galleries that grow after they were
calibrated; faces that are judged together are judged by a calibration of that moment, see
docs/calibration.md."""

COPIES = 0.115
"""Faces nearer to each other than this share of an encoder's `unknown` distance are copies of one.

References are often among the faces that were seen. One that is drawn to itself stays where it is,
and would say that strangers keep away. With anime-ensemble it is 0.05: kept as JPEG, faces of the
dev split are at most 0.046 away from themselves; the nearest two of them are 0.047 apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """What came of drawing faces together."""

    faces: Vectors
    """Where those lie that are asked about, shape (n, dimension)."""
    enrolled: References
    strangers: Strangers
    rejected: Rejections | None


def draw_together(
    faces: Vectors,
    enrolled: References,
    strangers: Strangers,
    *,
    unknown: float,
    rejected: Rejections | None = None,
) -> Steps[Together]:
    """Return faces, shape (n, dimension), drawn together, and what a calibration is made of.

    `unknown` is the encoder's distance from which on nobody is known, which says how far faces are
    drawn: as far as clustering's groups reach. Every face that is moved is a step.
    """
    together = np.concatenate([strangers.descriptors, faces]).astype(np.float64)

    def moved(some: Vectors | Numbers, *, among: bool = False) -> Steps[Vectors]:
        found = yield from drawn(
            some.astype(np.float64),
            together,
            REACH * unknown,
            among=among,
            copies=COPIES * unknown,
        )
        return found.astype(np.float32)

    shipped, seen = np.split((yield from moved(together, among=True)), [len(strangers)])
    if rejected is not None:
        descriptors = yield from moved(rejected.descriptors)
        rejected = dataclasses.replace(rejected, descriptors=descriptors)
    return Together(
        seen,
        dataclasses.replace(enrolled, as_faces=(yield from moved(enrolled.descriptors))),
        dataclasses.replace(strangers, stored=shipped.astype(np.float16)),
        rejected,
    )
