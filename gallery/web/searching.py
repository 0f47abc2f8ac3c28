"""Searching: who is in a picture that a person brings, and where the same faces were seen.

Nothing of it is kept. A picture is looked at outside of the turn, so that nobody's decision waits
for a network; pictures wait for one another, since a decoded one may fill much of the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.errors import NoSuchSeenFace
from gallery.jobs import meant
from gallery.store.answers import MOST_ALTERNATIVES
from gallery.types import Answer, Decided
from gallery.web import words
from gallery.web.desk import Desk
from gallery.web.picture_shapes import (
    FoundShape,
    HeadShape,
    LikeShape,
    NearestShape,
    NearFaceShape,
)
from gallery.web.uploads import brought

MOST_HEADS = 30
"""Heads of one picture that are answered, the best to be seen first."""

SPARE = 10
"""Faces more that are looked up, for those that are passed over."""

WITH_REFERENCES = 3
"""How many of the nearest characters are shown by references."""


References: TypeAlias = Callable[[str], list[int]]


class Searching:
    """The answers of a gallery to one picture or one face."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def search(self, content: bytes, limit: int, file: str | None = None) -> FoundShape:
        """Return who is in a picture, and for each head so many seen faces like it.

        What its file is called stands in complaints. Raises InputError for bytes that are no
        picture.
        """
        engine = self._desk.engine
        with self._desk.looking:
            found = engine.observe([brought(content, file)])
        with self._desk.turn:
            engine.require_encoded()
            (seen,) = engine.with_drawn(found)
            (record,) = engine.records([seen], top=MOST_ALTERNATIVES)
            answered = list(zip(seen.faces, record.faces, strict=True))[:MOST_HEADS]
            answered.sort(key=lambda one: one[0].face.box.left)
            descriptors = [one.descriptor for one, _ in answered]
            references = cache(self._desk.references)
            like = self._like(np.stack(descriptors), limit) if descriptors else []
            return FoundShape(
                width=seen.width or 0,
                height=seen.height or 0,
                heads=[
                    self._head(answer, near, references)
                    for (_, answer), near in zip(answered, like, strict=True)
                ],
                left_out=len(seen.faces) - len(answered),
            )

    def like(self, face: int, limit: int) -> LikeShape:
        """Return seen faces like a seen one. Raises InputError for no such face."""
        engine = self._desk.engine
        with self._desk.turn:
            found = engine.store.sightings.some([face])
            known = meant.seen(engine, list(found.values()))
            shown = self._desk.shown([face])
            if not known or not shown:
                raise NoSuchSeenFace(face)
            (near,) = self._like(known[0].described.descriptor[None], limit + 1, besides=face)
            name = shown[0].character
            return LikeShape(
                face=shown[0],
                references=self._desk.references(name) if name else [],
                faces=near[:limit],
                has_more=len(near) > limit,
            )

    def _like(
        self, descriptors: NDArray[np.float32], limit: int, *, besides: int = 0
    ) -> list[list[NearFaceShape]]:
        """Return, for descriptors of shape (n, DIMENSION), the seen faces nearest to each.

        Those that a person said to be no faces are passed over, and one besides.
        """
        engine = self._desk.engine
        distances, ids = engine.seen.near(descriptors, limit + SPARE)
        numbers = dict.fromkeys(ids.ravel().tolist())
        shown = {one.id: one for one in self._desk.shown(list(numbers))}
        wanted = {
            number: one
            for number, one in shown.items()
            if number != besides and one.decided != Decided.NO_FACE.value
        }
        return [
            [
                NearFaceShape(
                    **wanted[number].model_dump(),
                    distance=distance,
                    near=words.alike(distance, engine.thresholds),
                )
                for number, distance in zip(row, apart, strict=True)
                if number in wanted
            ][:limit]
            for row, apart in zip(ids.tolist(), distances.tolist(), strict=True)
        ]

    def _head(
        self, answer: Answer, near: Sequence[NearFaceShape], references: References
    ) -> HeadShape:
        return HeadShape(
            box=answer.face.box,
            verdict=answer.verdict.value,
            character=answer.character,
            decided=None if answer.decided is None else answer.decided.value,
            likelihood=answer.probability,
            words=words.likely(answer.probability, answer.verdict),
            nearest=list(self._nearest(answer, references)),
            faces=list(near),
        )

    def _nearest(self, answer: Answer, references: References) -> Iterator[NearestShape]:
        """Yield the characters nearest to a face; reject classes are no one to name."""
        matches = [one for one in answer.matches if not one.is_reject]
        for rank, one in enumerate(matches):
            said = words.near(one.distance, self._desk.engine.thresholds)
            if one.character == answer.character:
                said = words.likely(answer.probability, answer.verdict)
            yield NearestShape(
                name=one.character,
                distance=one.distance,
                words=said,
                references=references(one.character) if rank < WITH_REFERENCES else [],
            )
