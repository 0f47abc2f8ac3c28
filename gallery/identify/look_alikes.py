"""Which characters look like some others: their neighbours alone are looked at."""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from gallery.identify.calibration.doubles import centres, pooled_variance
from gallery.identify.judging import likely_doubles
from gallery.identify.matching import Matcher
from gallery.store.enrolled import EnrolledSamples, read_enrolled
from gallery.store.reader import Store
from gallery.types import MatchMode

NEIGHBOURS = 32
"""So many characters nearest to each are compared with it."""

DRAWN = 256
"""So many characters say how far references lie from their centres, in any gallery."""


def look_alikes_of(
    store: Store, encoder: str, unknown: float, matcher: Matcher, names: Set[str]
) -> tuple[tuple[str, str], ...]:
    """Return the pairs of characters that look like one and of which one is among names.

    As judging.references_of has them of a whole gallery, likeliest first; but the spread of all
    references is that of DRAWN characters.
    """

    def read(some: Set[str]) -> EnrolledSamples:
        return read_enrolled(store, encoder, some).heeding()

    own, drawn = read(names), read(matcher.names_drawn(DRAWN))
    if not len(own.ids):
        return ()
    kept = drawn.counted
    pool = pooled_variance(drawn.descriptors[kept], drawn.labels[kept])
    ideals = centres(own.descriptors[own.counted], own.labels[own.counted], pool).ideals
    near = matcher.match(ideals.astype(np.float32), MatchMode.IDEAL, NEIGHBOURS)
    every = read(names | {match.character for matches in near for match in matches})
    pairs = [
        (every.names[one.one], every.names[one.other])
        for one in likely_doubles(every, unknown, pool)
    ]
    return tuple(pair for pair in pairs if not names.isdisjoint(pair))
