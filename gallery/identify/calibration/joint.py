"""Joint scoring: each face moves towards the faces most like it before it is compared.

A face that is turned away or badly lit lies far from its character's ideal. It lies near other
faces of the same character, and those lie nearer to the ideal. So every probe's descriptor moves
towards its nearest neighbours among the probes, as in clustering, and is compared from there: a
character's faces come together, and a stranger's faces come together around a place of their own.
The gallery's references stay. If probes moved towards references, a stranger with few faces would
move to the character that he resembles.

A calibration needs probes that lie as new faces do. The strangers that ship with the encoder are
therefore smoothed among the faces; references and rejected faces are smoothed towards both.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from gallery.events import Steps
from gallery.identify.calibration.calibrate import Rejections
from gallery.identify.calibration.evidence import Vectors
from gallery.identify.calibration.strangers import Strangers
from gallery.identify.calibration.trials import References
from gallery.numerics.clustering import REACH, drawn

COPIES = 0.115
"""Faces nearer to each other than this share of an encoder's `unknown` distance are copies of one.

References are often among the faces that were seen. One that is drawn to itself stays where it is,
and would say that strangers keep away. With anime-ensemble it is 0.05: kept as JPEG, faces of the
dev split are at most 0.046 away from themselves; the nearest two of them are 0.047 apart."""


@dataclass(frozen=True, slots=True, eq=False)
class JointlySmoothed:
    """Faces and what a calibration is made of, smoothed."""

    faces: Vectors
    """Where those lie that are asked about, shape (n, dimension)."""
    enrolled: References
    strangers: Strangers
    rejected: Rejections | None


def smooth_jointly(
    faces: Vectors,
    enrolled: References,
    strangers: Strangers,
    *,
    unknown: float,
    rejected: Rejections | None = None,
) -> Steps[JointlySmoothed]:
    """Return faces, shape (n, dimension), and what a calibration is made of, both smoothed.

    `unknown` is the encoder's distance from which on nobody is known. It sets how far a face's
    neighbours reach: as far as clustering's groups do. Every face that moves is a step.
    """
    together = np.concatenate([strangers.descriptors, faces])

    def moved(some: Vectors, *, among: bool = False) -> Steps[Vectors]:
        return (
            yield from drawn(some, together, REACH * unknown, among=among, copies=COPIES * unknown)
        )

    shipped, seen = np.split((yield from moved(together, among=True)), [len(strangers)])
    if rejected is not None:
        descriptors = yield from moved(rejected.descriptors)
        rejected = dataclasses.replace(rejected, descriptors=descriptors)
    return JointlySmoothed(
        seen,
        dataclasses.replace(enrolled, as_faces=(yield from moved(enrolled.descriptors))),
        dataclasses.replace(strangers, stored=shipped.astype(np.float16)),
        rejected,
    )
