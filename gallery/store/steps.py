"""The nouns of what a person decided of faces: steps, decided faces and the log's entries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection, case, func, select, type_coerce

from gallery.store.columns import box_of
from gallery.store.decided import Times, times_of
from gallery.store.descriptors import portions
from gallery.store.kinds import DamagedValueError, Text
from gallery.store.rejections import NewRejection
from gallery.store.tables import (
    contents,
    decided_faces,
    decision_names,
    decision_steps,
    decisions,
    regroupings,
)
from gallery.store.videos import moment_of
from gallery.types import Box, Content, Decided, Descriptor, FaceState, Place

Kind = TypeVar("Kind", bound=StrEnum)

States: TypeAlias = Callable[[str, int | None, str], FaceState]
"""Reads a state: what is decided, whom it names, and whom it rejects, as columns hold them."""


class Action(StrEnum):
    """What a step did."""

    CONFIRM = "confirm"
    REJECT = "reject"
    IGNORE = "ignore"
    NO_FACE = "no_face"
    CORRECT = "correct"
    """What a person said in another program was taken in: names, and faces set aside."""
    CLEAR = "clear"
    """Nothing is decided of the faces any more."""
    TAKE_BACK = "take_back"
    """It is not said any more that a face does not show somebody."""
    DRAW = "draw"
    """A head that no detector saw is a face since."""
    ENROLL = "enroll"
    """Faces were enrolled as whom they were said not to show."""
    REFERENCES = "references"
    """Confirmed faces were enrolled as whom they were confirmed."""
    JOIN = "join"
    """Groups of unknown faces are one."""
    SPLIT = "split"
    """Faces of a group are a group of their own."""
    APART = "apart"
    """Two groups are not the same."""
    UNDO = "undo"
    FOUND = "found"
    """Somebody rejected a name before decisions were kept; nobody knows when."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a person did at once."""

    id: int
    made_at: str | None
    """ISO 8601, UTC; None for what is older than the log."""
    who: str
    action: Action
    character: str | None
    """Whom it named, or rejected, as the character is called now; None where several or nobody."""
    undoes: int | None
    faces: int
    """How many it decided of, or put into another group."""
    picture: str | None = None
    """What the file is called that a head was drawn in."""

    @property
    def title(self) -> str:
        """What it did, in words."""
        name = self.character
        return {
            Action.CONFIRM: f"confirmed {self.faces}" + (f" as {name}" if name else ""),
            Action.REJECT: f"rejected {name or 'names'} for {self.faces}",
            Action.IGNORE: f"ignored {self.faces}",
            Action.NO_FACE: f"said that {self.faces} {_are(self.faces)} no face",
            Action.CORRECT: f"took corrections of {self.faces} in",
            Action.CLEAR: f"left {self.faces} undecided",
            Action.TAKE_BACK: f"took {self.faces} rejection{'s' * (self.faces != 1)} back",
            Action.DRAW: f"drew a head in {self.picture or 'a picture'}"
            + (f" as {name}" if name else ""),
            Action.ENROLL: f"enrolled {self.faces} as {name} after all",
            Action.REFERENCES: f"took {_references(self.faces)}" + (f" of {name}" if name else ""),
            Action.JOIN: f"joined {self.faces} to another group",
            Action.SPLIT: f"split {self.faces} off into a group of their own",
            Action.APART: "said that two groups are not the same",
            Action.UNDO: f"undid step {self.undoes}" + (f" for {self.faces}" if self.faces else ""),
            Action.FOUND: f"rejected {name} for {self.faces}, before steps were kept",
        }[self.action]


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _references(count: int) -> str:
    return f"{count} reference{'s' * (count != 1)}"


@dataclass(frozen=True, slots=True)
class DecidedFace:
    """A face of which something was decided once, with its state now."""

    id: int
    digest: str
    """Of the picture's or the video's file."""
    path: Path
    """Where that was last seen."""
    box: Box
    times: Times | None
    """Of a video's track; None for a face in a picture."""
    state: FaceState
    owner: int
    """The decision that its state is of; 0 where nothing is decided now."""

    @property
    def moment(self) -> str:
        """What rejections know its picture by, or its moment in a video."""
        return self.digest if self.times is None else moment_of(self.digest, self.times[2])


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of the log."""

    id: int
    step: int
    face: int
    """The id of the decided face."""
    before: FaceState
    before_owner: int
    after: FaceState
    after_owner: int


@dataclass(frozen=True, slots=True, eq=False)
class FaceMeant:
    """A face that something is decided of."""

    place: Place
    path: Path
    """Where its file is now."""
    box: Box
    content: Content | None = None
    """What its picture's file shows, where that is known."""
    crop_jpeg: bytes | None = None
    """Its aligned crop: faces nearly the same are known by it where a name is rejected."""
    descriptors: Mapping[str, Descriptor] = field(default_factory=dict)
    """Of the crop, by encoder id."""

    def rejected(self, name: str) -> NewRejection:
        """Return what knows faces nearly the same where a name is rejected; it has a crop."""
        times, digest = times_of(self.place), self.place.digest
        where = digest if times is None else moment_of(digest, times[2])
        crop = self.crop_jpeg or b""
        return NewRejection(name, where, self.path, self.box, crop, self.descriptors)


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A face whose state a newer decision owns."""

    face: DecidedFace
    step: int | None
    """The step that owns it; None where the state is undone already."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of an undo."""

    steps: tuple[Step, ...]
    """The new steps, one for each that was undone; none where every face was left alone."""
    restored: int
    """How many faces have the state again that they had before."""
    left: tuple[LeftAlone, ...]
    kept: int = 0
    """How many faces stay in the group that something newer put them into."""
    gone: tuple[str, ...] = ()
    """Characters that the undone steps had made and that nothing is of any more."""


def names_in(connection: Connection) -> dict[int, str]:
    """Return what the names in decisions are now, by id."""
    return {row.id: row.name for row in connection.execute(select(decision_names))}


def steps_in(connection: Connection, *which: Any) -> list[Step]:
    """Return the steps that conditions choose, newest first."""
    names = names_in(connection)
    moved = (
        select(func.count())
        .where(regroupings.c.step_id == decision_steps.c.id)
        .correlate(decision_steps)
        .scalar_subquery()
    )
    drawn_in = (
        select(func.min(decided_faces.c.path))
        .join(decisions, decisions.c.face_id == decided_faces.c.id)
        .where(decisions.c.step_id == decision_steps.c.id)
        .correlate(decision_steps)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(
            decision_steps,
            (func.count(decisions.c.id) + moved).label("faces"),
            type_coerce(
                case((decision_steps.c.action == Action.DRAW.value, drawn_in)), Text(optional=True)
            ).label("drawn_in"),
        )
        .join(decisions, isouter=True)
        .where(*which)
        .group_by(decision_steps.c.id)
        .order_by(decision_steps.c.id.desc())
    )
    return [
        Step(
            row.id,
            row.made_at,
            row.who,
            _kept(Action, row.action),
            None if row.name_id is None else _named(row.name_id, names),
            row.undoes,
            row.faces,
            None if row.drawn_in is None else Path(row.drawn_in).name,
        )
        for row in rows
    ]


def decisions_in(connection: Connection, *which: Any) -> list[Decision]:
    """Return the decisions that conditions choose, oldest first."""
    states = states_in(connection)
    rows = connection.execute(select(decisions).where(*which).order_by(decisions.c.id))
    return [
        Decision(
            row.id,
            row.step_id,
            row.face_id,
            states(row.before_state, row.before_name_id, row.before_not_ids),
            row.before_owner,
            states(row.after_state, row.after_name_id, row.after_not_ids),
            row.after_owner,
        )
        for row in rows
    ]


def keys_in(connection: Connection, digests: Collection[str]) -> dict[str, frozenset[str]]:
    """Return what files are known by: the digests of all that show the same, and their pixels'.

    Each of the digests may be that of pixels itself.
    """
    pixels: dict[str, str] = {digest: digest for digest in digests}
    for some in portions(sorted(digests)):
        rows = connection.execute(select(contents).where(contents.c.digest.in_(some)))
        pixels.update({row.digest: row.pixels for row in rows})
    sharing: dict[str, set[str]] = {key: {key} for key in pixels.values()}
    for some in portions(sorted(sharing)):
        for row in connection.execute(select(contents).where(contents.c.pixels.in_(some))):
            sharing[row.pixels].add(row.digest)
    return {digest: frozenset({digest, *sharing[key]}) for digest, key in pixels.items()}


def decided_face(row: Any, states: States) -> DecidedFace:
    """Return the decided face of a row."""
    return DecidedFace(
        row.id,
        row.digest,
        Path(row.path),
        box_of(row),
        times_in(row),
        states(row.state, row.name_id, row.not_ids),
        row.owner,
    )


def times_in(row: Any) -> Times | None:
    """Return the times of a decided face's row; None for a face in a picture."""
    return None if row.best is None else (row.start, row.end, row.best)


def states_in(connection: Connection) -> States:
    """Return what reads states, each of which is made once, however many faces have it."""
    names = names_in(connection)
    return cache(lambda state, name_id, not_ids: _state_of(state, name_id, not_ids, names))


def _state_of(state: str, name_id: int | None, not_ids: str, names: Mapping[int, str]) -> FaceState:
    """Return a state of its columns; after two characters became one it may say one thing twice."""
    name = None if name_id is None else _named(name_id, names)
    rejected = {_named(one, names) for one in not_ids.split()}.difference((name or "",))
    return FaceState(_kept(Decided, state), name, tuple(sorted(rejected)))


def _named(name_id: int | str, names: Mapping[int, str]) -> str:
    try:
        return names[int(name_id)]
    except (KeyError, ValueError) as error:
        raise DamagedValueError from error


def _kept(kind: type[Kind], value: str) -> Kind:
    try:
        return kind(value)
    except ValueError as error:
        raise DamagedValueError from error
