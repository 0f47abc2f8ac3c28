"""Answers of seen faces, stored while they are given."""

from __future__ import annotations

from collections.abc import Sequence

from gallery.engine.engine import Engine, cut
from gallery.engine.joint import Scoring
from gallery.store.answers import GalleryState
from gallery.store.sightings import Sighting
from gallery.types import Answer, DescribedFace

AT_ONCE = 1000
"""Answers between two commits."""


class AnswersStored:
    """Stores what a scoring says; what is left when a job is left is stale and goes on to be."""

    def __init__(
        self,
        engine: Engine,
        scoring: Scoring,
        now: GalleryState,
        *,
        top: int,
        jointly: bool,
        at_once: int = AT_ONCE,
    ) -> None:
        """Take what answers with at least MOST_ALTERNATIVES characters; top of them are handed on.

        `now` is what the gallery was before the scoring was made.
        """
        self._engine, self._scoring, self._now = engine, scoring, now
        self._top, self._jointly, self._at_once = top, jointly, at_once
        self._own: dict[int, Answer] = {}
        self._digests: set[str] = set()

    def __call__(self, seen: Sequence[Sighting], faces: Sequence[DescribedFace]) -> list[Answer]:
        """Answer faces as the scoring does."""
        answers = self._scoring(seen, faces)
        own = self._engine.by_itself(faces, answers)
        self._own.update(zip((one.id for one in seen), own, strict=True))
        self._digests.update(one.place.digest for one in seen)
        if len(self._own) >= self._at_once:
            self.flush()
        return [cut(answer, self._top) for answer in answers]

    def flush(self) -> None:
        """Store what is not stored yet."""
        # What is stored is of all characters.
        if self._own and self._engine.series is None:
            with self._engine.store.writing() as writer:
                writer.answers.put(self._now, self._own, self._digests, jointly=self._jointly)
        self._own, self._digests = {}, set()
