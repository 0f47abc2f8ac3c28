"""How faces that labelling saw are answered: each by itself, or all in each other's company."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Gallery, Smoothed
from gallery.errors import InputError
from gallery.events import Stage, Started
from gallery.identify.calibration.calibrate import calibrate
from gallery.identify.calibration.joint import FEATURES_TOGETHER, draw_together
from gallery.identify.judging import references_of, rejections_of
from gallery.types import Answer, DescribedFace, MatchMode

Scoring = Callable[[Sequence[int], Sequence[DescribedFace], str], list[Answer]]
"""Answers seen faces, given by id and as described, of a picture with a digest; a moment of a video
has none."""


def alone(gallery: Gallery, mode: MatchMode = MatchMode.IDEAL, top: int = 3) -> Scoring:
    """Return what answers every face by itself, as `gallery identify` does."""

    def answer(_: Sequence[int], faces: Sequence[DescribedFace], digest: str) -> list[Answer]:
        return gallery.answers(faces, mode=mode, top=top, digest=digest)

    return answer


def jointly(gallery: Gallery, mode: MatchMode = MatchMode.IDEAL, top: int = 3) -> Stage[Scoring]:
    """Return what answers every face where it lies when all that were seen are drawn together.

    A gallery that was not calibrated, or has lost what can be learnt from, answers every face by
    itself. Later changes of the gallery and faces that are seen later have no part in it; a picture
    with such a face is answered alone. Nothing is told where faces are answered by themselves.
    """
    ids, seen = gallery.store.sightings.vectors(gallery.encoder)
    drawn = yield from smoothed(gallery, seen)
    if drawn is None:
        return alone(gallery, mode, top)
    places = dict(zip(ids.tolist(), drawn.descriptors, strict=True))
    calibration = drawn.calibration

    def answer(
        faces_seen: Sequence[int], faces: Sequence[DescribedFace], digest: str
    ) -> list[Answer]:
        if not faces or not places.keys() >= set(faces_seen):
            return gallery.answers(faces, mode=mode, top=top, digest=digest)
        at = Smoothed(np.stack([places[one] for one in faces_seen]), calibration)
        return gallery.answers(faces, mode=mode, top=top, digest=digest, smoothed=at)

    return answer


def smoothed(gallery: Gallery, faces: NDArray[np.float32]) -> Stage[Smoothed | None]:
    """Return where faces, shape (n, DIMENSION), come to lie when they are drawn together.

    See calibration.together. The gallery is calibrated for such places, for the rate that it was
    calibrated for before; what it has noted of that stays as it is. None where it was not
    calibrated, which tells nothing, or where nothing can be learnt now.
    """
    stored = gallery.judging.calibration()
    if stored is None:
        return None
    enrolled, number = references_of(gallery.store, gallery.encoder)
    strangers = gallery.judging.strangers
    rejected = rejections_of(gallery.store, gallery.encoder, number)
    count = len(faces) + len(strangers) + len(enrolled.descriptors)
    count += 0 if rejected is None else len(rejected.descriptors)
    yield Started("smoothing", count, "face")
    drawn = yield from draw_together(
        faces,
        enrolled,
        strangers,
        unknown=gallery.thresholds.unknown,
        rejected=rejected,
    )
    try:
        found = calibrate(
            drawn.enrolled,
            drawn.strangers,
            fpir=stored.fpir,
            rejected=drawn.rejected,
            names=FEATURES_TOGETHER,
        )
    except InputError:
        return None
    return Smoothed(drawn.faces, found.calibration)
