"""Reading what the gallery says of seen faces, as it was stored; answering.py writes it.

Every seen face has one row. Its answer is of a state of the gallery: the change token, the encoder
and the calibration. Once one of these is another, the answer is stale, until jobs.answers renews
it. What a person decided of a face stands in its row from the decision on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from gallery.store.decided import Times
from gallery.types import Box, Decided, Verdict

MOST_ALTERNATIVES = 9
"""Nearest characters that are stored with an answer."""

PAGE = 200
"""Faces of a page, where nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class GalleryState:
    """What answers are of."""

    change: str
    """The gallery's change token, see Store.change."""
    encoder: str
    calibration: str
    """Another one for every calibration; empty without one."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of a face's nearest characters."""

    character: str
    is_reject: bool
    distance: float


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What is said of a seen face."""

    face: int
    """Its number among seen faces; `store.sightings.crops` has its crop by it."""
    path: Path
    """Of the picture or the video, where that was last seen."""
    box: Box
    """In pixels of the picture, or of the video's frame at the best moment."""
    times: Times | None
    """Of a video's track: start, end and best moment, in seconds; None for a face in a picture."""
    decided: Decided
    """CONFIRMED, IGNORED or NO_FACE where that is why; else UNDECIDED, also where names are
    rejected."""
    decision: int
    """The decision that owns the face's state, 0 without one: another one says that somebody
    decided of the face meanwhile."""
    verdict: Verdict | None
    """None for a face that was not answered yet."""
    character: str | None
    """None when unknown."""
    likelihood: float | None
    """That the nearest character is right, as the gallery by itself says, whatever a person
    decided; None before calibration."""
    stranger: float | None
    """That it is nobody's of the gallery, as the gallery by itself says; None before calibration."""
    distance: float | None
    """To the nearest character."""
    alternatives: tuple[Alternative, ...]
    """The nearest characters, likeliest first, at most MOST_ALTERNATIVES."""
    is_stale: bool
    """The gallery may say something else by now."""


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """Some faces of a view, in its order."""

    faces: tuple[StoredAnswer, ...]
    after: str | None
    """Where the next page begins; None where this is the last one."""


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How many faces are answered alike."""

    decided: Decided
    verdict: Verdict | None
    """None for faces that were not answered yet."""
    character: str | None
    faces: int


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """How many seen faces there are of each kind."""

    faces: int
    """All that were seen."""
    stale: int
    """Those whose answer is of another state of the gallery, or that have none."""
    alone: int
    """Those whose answer is of this state, each face answered alone; see engine.joint."""
    kinds: tuple[AnswerCount, ...]
    """By name, without those of no face."""

    def of(
        self,
        verdict: Verdict | None,
        character: str | None = None,
        *,
        decided: Decided = Decided.UNDECIDED,
    ) -> int:
        """Return how many faces have a verdict, of all names or of one."""
        return sum(
            one.faces
            for one in self.kinds
            if one.decided is decided
            and one.verdict is verdict
            and character in (None, one.character)
        )

    def names(self, verdict: Verdict, *, decided: Decided = Decided.UNDECIDED) -> dict[str, int]:
        """Return how many faces of a verdict each character has, most first."""
        found = {
            one.character: one.faces
            for one in self.kinds
            if one.decided is decided and one.verdict is verdict and one.character is not None
        }
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


class AnswerReader:
    """Reads stored answers; store.Store has one.

    All methods want the id of the encoder in use, by which stale answers are known.
    """

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading

    def now(self, encoder: str) -> GalleryState:
        """Return what answers would be of now."""
        raise NotImplementedError

    def counts(self, encoder: str) -> AnswerCounts:
        """Return how many faces there are of each kind; they are kept, so that none is counted."""
        raise NotImplementedError

    def page(
        self,
        encoder: str,
        verdict: Verdict | None,
        character: str | None = None,
        *,
        decided: Decided = Decided.UNDECIDED,
        after: str | None = None,
        limit: int = PAGE,
        likeliest: bool = False,
    ) -> AnswerPage:
        """Return faces of a verdict, of one character or name by name, least likely first.

        `verdict` None asks for faces that were not answered yet. `decided` chooses between those
        that nobody decided of and confirmed, ignored or no faces (SURE and CONFIRMED: the
        confirmed ones of a character; UNKNOWN and IGNORED). `after` is where the page before
        ended; with `likeliest` the likeliest come first. Raises InputError for a name that nobody
        has, and for an `after` that no page gave.
        """
        raise NotImplementedError

    def in_picture(self, encoder: str, path: Path) -> tuple[StoredAnswer, ...]:
        """Return the faces of a labelled picture, from left to right."""
        raise NotImplementedError

    def in_video(
        self, encoder: str, path: Path, *, after: str | None = None, limit: int = PAGE
    ) -> AnswerPage:
        """Return the tracks of a labelled video, in the order of their beginnings."""
        raise NotImplementedError

    def in_cluster(
        self, encoder: str, number: int, *, after: str | None = None, limit: int = PAGE
    ) -> AnswerPage:
        """Return the faces of a cluster by their numbers, also those that have a name by now."""
        raise NotImplementedError

    def of_faces(self, encoder: str, faces: Collection[int]) -> dict[int, StoredAnswer]:
        """Return what is said of those of the faces that are there, by their numbers."""
        raise NotImplementedError
