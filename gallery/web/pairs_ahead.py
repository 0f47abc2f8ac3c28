"""Pairs are found ahead, in the background: where groups are many, comparing all takes seconds.

A request looks only whether those that were found are still open.
"""

from __future__ import annotations

import threading
from typing import TypeAlias

from gallery.audit.likely_pairs import (
    MOST,
    GroupCentres,
    LikelyPair,
    Members,
    likely_pairs,
    still_likely,
)
from gallery.engine.engine import Engine
from gallery.store.answers import GalleryState

KEPT = 1000
"""Pairs that are found ahead: a person who answers them one after the other comes to the end of
them later than others are found."""

Seen: TypeAlias = "tuple[GalleryState, int, int, int]"
"""What pairs are of: the gallery, the newest step, the revision of answers, the last group."""


class PairsAhead:
    """The likely pairs of a gallery as it was a moment ago."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._centres = GroupCentres()
        self._found: list[LikelyPair] = []
        self._seen: Seen | None = None
        self._noticed: Seen | None = None
        self.in_background = False
        """Whether somebody calls `follow` now and then; else every request finds pairs anew."""

    def follow(self, engine: Engine) -> None:
        """Find the pairs anew once the gallery has changed, and has not since the last call."""
        seen = _seen(engine)
        if seen == self._noticed:
            self.renew(engine)
        self._noticed = seen

    def renew(self, engine: Engine) -> None:
        """Find the pairs of the gallery as it is now, unless it is as it was."""
        with self._lock:
            seen = _seen(engine)
            if seen != self._seen:
                members = engine.store.answers.unknown_members()
                self._found = likely_pairs(engine, members, self._centres, most=KEPT)
                self._seen = seen

    def open(self, engine: Engine) -> tuple[list[LikelyPair], Members]:
        """Return the likeliest pairs that are open, with the faces of their groups."""
        if self._seen is None or not self.in_background:
            self.renew(engine)
        pairs = self._found
        while True:
            some, pairs = pairs[: 2 * MOST], pairs[2 * MOST :]
            groups = {side for one in some for side in (one.group, one.other)}
            members = engine.store.answers.unknown_members(
                [one for one in groups if isinstance(one, int)]
            )
            found = still_likely(engine, some, members)[:MOST]
            if found or not pairs:
                return found, members


def _seen(engine: Engine) -> Seen:
    stored = engine.store.answers
    return (
        stored.now(engine.encoder),
        engine.store.decisions.last_step(),
        stored.news(engine.encoder).revision,
        engine.store.groups.largest(),
    )
