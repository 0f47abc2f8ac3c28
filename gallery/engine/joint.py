"""How faces that labelling saw are answered: each alone, or all jointly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Engine, Smoothed
from gallery.engine.figures import keep_joint_figure
from gallery.errors import InputError
from gallery.events import Stage, Started
from gallery.identify.calibration.calibrate import calibrate
from gallery.identify.calibration.joint import smooth_jointly
from gallery.identify.calibration.model import JOINT_FEATURES
from gallery.identify.judging import rejections_of
from gallery.store.sightings import Sighting
from gallery.types import Answer, DescribedFace, MatchMode

Scoring = Callable[[Sequence[Sighting], Sequence[DescribedFace]], list[Answer]]
"""Answers seen faces of one file, which are given as described, too."""


AT_ONCE = 1000
"""Faces that are answered at once; one after the other they take ten times as long."""


def answered_apart(
    scoring: Scoring, groups: Iterable[Sequence[tuple[Sighting, DescribedFace]]]
) -> Iterator[list[Answer]]:
    """Yield the answers of each group of seen faces, of several groups in one question.

    No group is cut in two.
    """
    waiting: list[Sequence[tuple[Sighting, DescribedFace]]] = []
    faces = 0
    for group in groups:
        waiting.append(group)
        faces += len(group)
        if faces >= AT_ONCE or len(waiting) >= AT_ONCE:
            yield from _apart(scoring, waiting)
            waiting, faces = [], 0
    yield from _apart(scoring, waiting)


def _apart(
    scoring: Scoring, groups: Sequence[Sequence[tuple[Sighting, DescribedFace]]]
) -> Iterator[list[Answer]]:
    every = [one for group in groups for one in group]
    answers = iter(scoring([seen for seen, _ in every], [face for _, face in every]))
    for group in groups:
        yield list(islice(answers, len(group)))


def alone(
    engine: Engine, mode: MatchMode = MatchMode.IDEAL, top: int = 3, *, heed: bool = True
) -> Scoring:
    """Return what answers every face alone, as `gallery identify` does.

    What a person decided is not heeded where the gallery's own answers are wanted.
    """

    def answer(seen: Sequence[Sighting], faces: Sequence[DescribedFace]) -> list[Answer]:
        places = [one.place for one in seen]
        return engine.answers(faces, mode=mode, top=top, places=places, heed=heed)

    return answer


def jointly(
    engine: Engine,
    mode: MatchMode = MatchMode.IDEAL,
    top: int = 3,
    *,
    heed: bool = True,
    gone: bool = False,
    keep: bool = False,
) -> Stage[Scoring]:
    """Return what answers every face from its smoothed descriptor among all that were seen.

    A gallery that is not calibrated, or has too little left to calibrate from, answers every face
    alone, and no event is told then. Later changes of the gallery and faces that are seen later
    have no part; a picture with such a face is answered alone. Nor have those of files that are
    gone, unless they are wanted. For `heed` see alone. With `keep`, what joint scoring is worth is
    kept, see figures.
    """
    ids, seen = engine.store.sightings.vectors(engine.encoder)
    if not gone:
        missing = np.array(sorted(engine.store.sightings.gone()), np.int64)
        here = ~np.isin(ids, missing)
        ids, seen = ids[here], seen[here]
    drawn = yield from smoothed(engine, seen)
    if drawn is None:
        return alone(engine, mode, top, heed=heed)
    if keep:
        keep_joint_figure(engine, drawn.calibration)
    descriptors, calibration = drawn

    def answer(seen: Sequence[Sighting], faces: Sequence[DescribedFace]) -> list[Answer]:
        decided_at = [one.place for one in seen]
        wanted = np.array([one.id for one in seen], np.int64)
        rows = np.searchsorted(ids, wanted)
        if not faces or rows.max() >= len(ids) or (ids[rows] != wanted).any():
            return engine.answers(faces, mode=mode, top=top, places=decided_at, heed=heed)
        at = Smoothed(descriptors[rows], calibration)
        return engine.answers(faces, mode=mode, top=top, places=decided_at, smoothed=at, heed=heed)

    return answer


def smoothed(engine: Engine, faces: NDArray[np.float32]) -> Stage[Smoothed | None]:
    """Return the smoothed descriptors of faces, shape (n, DIMENSION), with a calibration for them.

    See calibration.joint. The calibration is for the rate that the gallery was calibrated for
    before; the stored one stays. None where the gallery is not calibrated (no event is told), or
    where nothing can be learnt now.
    """
    stored = engine.judging.calibration()
    if stored is None:
        return None
    enrolled, names = engine.references()
    strangers = engine.judging.strangers
    rejected = rejections_of(engine.store, engine.encoder, names)
    count = len(faces) + len(strangers) + len(enrolled.descriptors)
    count += len(rejected.descriptors)
    yield Started("smoothing", count, "face")
    drawn = yield from smooth_jointly(
        faces,
        enrolled,
        strangers,
        unknown=engine.thresholds.unknown,
        rejected=rejected,
    )
    try:
        found = calibrate(
            drawn.enrolled,
            drawn.strangers,
            fpir=stored.fpir,
            rejected=drawn.rejected,
            names=JOINT_FEATURES,
        )
    except InputError:
        return None
    return Smoothed(drawn.faces, found.calibration)
