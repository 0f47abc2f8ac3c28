"""What the gallery says of every seen face: worked out when the page is opened.

What a person decides of a face meanwhile is in it at once; what the gallery says does not move
under the hand, but that it takes its next best name where one is rejected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.engine.engine import Engine
from gallery.engine.joint import jointly
from gallery.events import Advanced, Finished, Job, Started
from gallery.jobs.reencode import encode_kept
from gallery.store.decided import Times, times_of
from gallery.store.sightings import Sighting
from gallery.types import UNDECIDED, Answer, Box, Decided, FaceState, Verdict

MOST_ALTERNATIVES = 9
"""Nearest characters of a face: the keys 1 to 9."""

AT_ONCE = 1000
"""Faces answered together."""


@dataclass(frozen=True, slots=True)
class SeenAnswer:
    """What is said of a seen face."""

    face: int
    """Its number among seen faces."""
    path: Path
    box: Box
    times: Times | None
    """Of a video's track; None for a face in a picture."""
    cluster: int | None
    decision: int
    """The decision that owns its state, 0 without one: another one says that somebody decided of
    the face meanwhile."""
    state: FaceState
    verdict: Verdict
    character: str | None
    """None when unknown."""
    likelihood: float | None
    """That the nearest character is right; None before calibration."""
    distance: float | None
    alternatives: tuple[str, ...]
    """The nearest characters, likeliest first, without those that are rejected for it."""
    is_enrolled: bool
    """It is a reference already, and nothing is to be decided."""

    @property
    def is_open(self) -> bool:
        """Whether a person has yet to say who it is."""
        named = (Decided.UNDECIDED, Decided.NOT_THIS)
        return not self.is_enrolled and self.state.decided in named


class AnswerBook:
    """The answers of a gallery, by face, kept true by what is decided."""

    def __init__(
        self, engine: Engine, answers: dict[int, tuple[Sighting, Answer]], enrolled: Collection[int]
    ) -> None:
        self._engine = engine
        self._said = answers
        self._enrolled = frozenset(enrolled)
        self._version = -1
        self._known: dict[int, SeenAnswer] = {}

    def all(self) -> dict[int, SeenAnswer]:
        """Return what is said of all faces as it is now, by their numbers."""
        version = self._engine.store.decisions.version()
        if version != self._version:
            self._known = {one.face: one for one in self._read()}
            self._version = version
        return self._known

    def counts(self) -> Counter[tuple[Verdict, str | None]]:
        """Return how many faces there are to decide of, by verdict and name."""
        return Counter((one.verdict, one.character) for one in self.all().values() if one.is_open)

    def faces(self, verdict: Verdict, character: str | None = None) -> list[SeenAnswer]:
        """Return the faces to decide of with a verdict, of a name where one is given.

        Least likely first.
        """
        found = [
            one
            for one in self.all().values()
            if one.is_open
            and one.verdict is verdict
            and (character is None or one.character == character)
        ]
        return sorted(found, key=_likely)

    def in_picture(self, path: Path) -> list[SeenAnswer]:
        """Return the faces of a picture or a video, by time, then from left to right."""
        found = [one for one in self.all().values() if one.path == path]
        return sorted(found, key=lambda one: (one.times or (0.0, 0.0, 0.0), one.box))

    def of_faces(self, faces: Iterable[int]) -> dict[int, SeenAnswer]:
        """Return what is said of those of the faces that are there, by their numbers."""
        known = self.all()
        return {one: known[one] for one in faces if one in known}

    def _read(self) -> Iterable[SeenAnswer]:
        decisions = self._engine.store.decisions
        owners = {one.id: one.owner for one in decisions.faces()}
        sightings = [sighting for sighting, _ in self._said.values()]
        decided = decisions.decided(ruling=False).matched(
            [one.place for one in sightings], [one.face.box for one in sightings]
        )
        for one, place in zip(sightings, decided, strict=True):
            state = UNDECIDED if place is None else place.state
            owner = 0 if place is None else owners[place.face]
            yield self._answer(one, state, owner)

    def _answer(self, one: Sighting, state: FaceState, owner: int) -> SeenAnswer:
        said = self._said[one.id][1]
        names = [match.character for match in said.matches if not match.is_reject]
        left = tuple(name for name in names if name not in state.not_these)
        verdict, character = said.verdict, said.character
        if state.decided is Decided.CONFIRMED:
            verdict, character = Verdict.SURE, state.character
        elif character in state.not_these:
            verdict, character = Verdict.UNKNOWN, None
        return SeenAnswer(
            one.id,
            one.path,
            one.face.box,
            times_of(one.place),
            one.cluster,
            owner,
            state,
            verdict,
            character,
            said.probability,
            said.distance,
            left[:MOST_ALTERNATIVES],
            one.id in self._enrolled,
        )


def answer_book(engine: Engine) -> Job[AnswerBook]:
    """Work out what the gallery says of every seen face by itself.

    Faces that the encoder in use has not described are described first. Raises StoreError where
    samples lack that encoder.
    """
    engine.require_encoded()
    yield from encode_kept(engine)
    answering = yield from jointly(engine, top=MOST_ALTERNATIVES, heed=False)
    ids, vectors = engine.store.sightings.vectors(engine.encoder)
    rows = {int(one): row for row, one in enumerate(ids)}
    seen = [one for one in engine.store.sightings.all() if one.id in rows]
    yield Started("answering", len(seen), "face")
    said: dict[int, tuple[Sighting, Answer]] = {}
    for start in range(0, len(seen), AT_ONCE):
        some = seen[start : start + AT_ONCE]
        described = [one.described(vectors[rows[one.id]]) for one in some]
        answers: Sequence[Answer] = answering(some, described)
        said.update({one.id: (one, answer) for one, answer in zip(some, answers, strict=True)})
        yield Advanced(len(some))
    yield Finished(AnswerBook(engine, said, engine.store.sightings.enrolled()))


def _likely(one: SeenAnswer) -> tuple[float, float, int]:
    distance = float("inf") if one.distance is None else one.distance
    return (0.0 if one.likelihood is None else one.likelihood, -distance, one.face)
