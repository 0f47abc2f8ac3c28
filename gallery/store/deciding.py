"""What a person decided of faces: a log that is only added to, and the states that it left.

A step is what a person did at once: twelve faces confirmed as Rei. It holds a decision for each
face, with the face's state before and after. Undoing a step is a step, too, which restores what was
before it; so it can be undone in its turn.

Every state of a face is owned by the decision that made it, and the first one by none (0). A
decision that undoes another gives the state back to the owner before that. A decision can be undone
while the owner that it left is the owner still: what a newer one owns is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from gallery.errors import NoSuchStep
from gallery.store.answering import AnswerWriter, put_values
from gallery.store.columns import box_of
from gallery.store.contents import hear_of_content
from gallery.store.decided import is_same_time, times_of
from gallery.store.descriptors import portions
from gallery.store.dialects import next_ids
from gallery.store.grouping import GroupWriter
from gallery.store.rejections import SAME_PLACE, RejectionWriter
from gallery.store.steps import (
    Action,
    DecidedFace,
    FaceMeant,
    LeftAlone,
    Step,
    Undone,
    decided_face,
    decisions_in,
    keys_in,
    states_in,
    steps_in,
    times_in,
)
from gallery.store.tables import decided_faces, decision_names, decision_steps, decisions
from gallery.types import Box, Decided, FaceState, Place


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A decision of another gallery's log; steps, faces and owners are numbers in its lists."""

    step: int
    face: int
    before: FaceState
    before_owner: int | None
    """None where nothing was decided."""
    after: FaceState
    after_owner: int | None


@dataclass(frozen=True, slots=True)
class History:
    """What was decided in another gallery."""

    characters: list[str]
    """Those that have no samples."""
    steps: list[Step]
    faces: list[FaceMeant]
    entries: list[HistoryEntry]
    """In their order."""


class DecisionWriter:
    """Writes decisions; writer.Writer has one.

    Where a name is rejected or not any more, the crop that knows faces nearly the same stands or
    does not.
    """

    def __init__(self, connection: Connection, rejections: RejectionWriter) -> None:
        self._connection = connection
        self._rejections = rejections
        self._answers = AnswerWriter(connection)
        self.groups = GroupWriter(connection)
        self._enrolling: dict[str, int] = {}
        self._numbers: dict[str, int] = {}

    def begin(
        self,
        action: Action,
        who: str,
        name: str | None = None,
        *,
        undoes: int | None = None,
        made_at: str | None = None,
    ) -> int:
        """Begin a step, made now unless it is said when, and return its number."""
        added = self._connection.execute(
            insert(decision_steps)
            .values(
                made_at=None if action is Action.FOUND else made_at or _now(),
                who=who,
                action=action.value,
                name_id=None if name is None else self.name_id(name),
                undoes=undoes,
            )
            .returning(decision_steps.c.id)
        )
        return int(added.scalar_one())

    def step(self, number: int) -> Step:
        """Return a step. Raises InputError where there is none of this number."""
        found = steps_in(self._connection, decision_steps.c.id == number)
        if not found:
            raise NoSuchStep(number)
        return found[0]

    def decide(
        self,
        step: int,
        faces: Sequence[FaceMeant],
        becomes: Callable[[FaceState, FaceMeant], FaceState],
    ) -> list[int]:
        """Add a decision of each face to a step, and return the ids of the decided faces.

        `becomes` says what a state becomes. Deciding again what is so already is a decision, too:
        what it says is owned by it from then on.
        """
        meant = dict(zip(self._found_or_made(faces), faces, strict=True))
        before = self.faces(meant)
        after = {number: becomes(one.state, meant[number]) for number, one in before.items()}
        self._become(step, before, after, meant)
        return list(before)

    def _become(
        self,
        step: int,
        before: Mapping[int, DecidedFace],
        after: Mapping[int, FaceState],
        meant: Mapping[int, FaceMeant],
    ) -> None:
        """Add to a step that decided faces have other states; `meant` has crops, where any do."""
        made = self._log(step, before, after)
        self._set({number: (after[number], own) for number, own in made.items()}, before)
        for number, one in before.items():
            self._keep_crops(one, one.state, after[number], meant.get(number))

    def take_back(self, step: int, face: FaceMeant, name: str) -> None:
        """Decide that it is not said any more that a face does not show somebody."""
        self.decide(step, [face], lambda state, _: state.without(name))

    def hear(self, history: History) -> None:
        """Add what was decided in another gallery, but for faces that are known here.

        A face's decisions come as a whole or not at all; steps without one do not come.
        """
        for one in history.faces:
            if one.content is not None:
                hear_of_content(self._connection, one.place.digest, one.content)
        known = self._found(history.faces)
        wanted = sorted({one.face for one in history.entries if known[one.face] is None})
        made = self._made([history.faces[face] for face in wanted])
        faces = dict(zip(wanted, made, strict=True))
        kept = {row: one for row, one in enumerate(history.entries) if one.face in faces}
        steps: dict[int, int] = {}
        for number in sorted({one.step for one in kept.values()}):
            step = history.steps[number]
            steps[number] = self.begin(
                step.action,
                step.who,
                step.character,
                undoes=None if step.undoes is None else steps.get(step.undoes),
                made_at=step.made_at,
            )
        ids = self._heard(kept, faces, steps)
        last = {one.face: one for one in kept.values()}
        self._set(
            {
                faces[face]: (one.after, 0 if one.after_owner is None else ids[one.after_owner])
                for face, one in last.items()
            },
            self.faces(faces.values()),
        )

    def _heard(
        self, kept: Mapping[int, HistoryEntry], faces: Mapping[int, int], steps: Mapping[int, int]
    ) -> dict[int, int]:
        """Add entries of another log, and return their ids here."""
        if not kept:
            return {}
        ids = dict(zip(kept, next_ids(self._connection, decisions, len(kept)), strict=True))
        self._connection.execute(
            insert(decisions),
            [
                {
                    "id": ids[row],
                    "step_id": steps[one.step],
                    "face_id": faces[one.face],
                    **self._columns("before_", one.before),
                    "before_owner": 0 if one.before_owner is None else ids[one.before_owner],
                    **self._columns("after_", one.after),
                    "after_owner": 0 if one.after_owner is None else ids[one.after_owner],
                }
                for row, one in kept.items()
            ],
        )
        return ids

    def undo(self, number: int, who: str) -> Undone:
        """Restore, for all faces of a step, what was before it, but for what a newer one owns.

        Raises InputError where there is no such step.
        """
        former = self.step(number)
        if self.groups.has(number):
            made, restored, others = self.groups.undo(
                number, lambda: self.begin(Action.UNDO, who, undoes=number)
            )
            return Undone(() if made is None else (self.step(made),), restored, (), others)
        # That a sample is not somebody cannot come back while it is one.
        is_ours = decided_faces.c.owner == decisions.c.after_owner
        is_free = is_ours & (former.action is not Action.ENROLL)
        kept = self._faces(decided_faces.c.id.in_(_of_step(number).where(~is_free)))
        owners = self._steps_of({one.owner for one in kept.values()})
        left = tuple(LeftAlone(one, owners.get(one.owner)) for _, one in sorted(kept.items()))
        if not self._connection.scalar(select(_of_step(number).where(is_free).exists())):
            return Undone((), 0, left)
        step = self.begin(Action.UNDO, who, undoes=number)
        self._restore(number, step, is_free)
        undoing = self.step(step)
        return Undone((undoing,), undoing.faces, left)

    def _restore(self, number: int, step: int, which: ColumnElement[bool]) -> None:
        """Add the decisions that undo those of a step to one that undoes it.

        A thousand of them are as many rows of three tables, so that the database does it.
        """
        log, face = decisions.c, decided_faces.c
        undoing = {
            "step_id": literal(step),
            "face_id": log.face_id,
            "before_state": face.state,
            "before_name_id": face.name_id,
            "before_not_ids": face.not_ids,
            "before_owner": log.after_owner,
            "after_state": log.before_state,
            "after_name_id": log.before_name_id,
            "after_not_ids": log.before_not_ids,
            "after_owner": log.before_owner,
        }
        of_step = _of_step(number).where(which).order_by(log.id)
        self._connection.execute(
            insert(decisions).from_select(
                list(undoing), of_step.with_only_columns(*undoing.values())
            )
        )
        self._connection.execute(
            update(decided_faces)
            .where(log.step_id == step, log.face_id == face.id)
            .values(
                state=log.after_state,
                name_id=log.after_name_id,
                not_ids=log.after_not_ids,
                owner=log.after_owner,
            )
        )
        if not self._answers.undone(step):
            self._answers.decided(self.faces_of(step))
        rejecting = (log.before_not_ids != "") | (log.after_not_ids != "")
        entries = decisions_in(self._connection, log.step_id == step, rejecting)
        faces = self.faces([one.face for one in entries])
        for one in entries:
            self._keep_crops(faces[one.face], one.before, one.after, None)

    def newest(self) -> int | None:
        """Return the newest step that some face's state or group is of; None where none is left.

        What was found, and what an enrolment changed, is undone only where it is asked for.
        """
        found: int | None = self._connection.scalar(
            select(func.coalesce(func.max(decisions.c.step_id), 0))
            .join(decided_faces, decided_faces.c.owner == decisions.c.id)
            .join(decision_steps, decision_steps.c.id == decisions.c.step_id)
            .where(decision_steps.c.action.not_in((Action.FOUND.value, Action.ENROLL.value)))
        )
        return max(found or 0, self.groups.newest()) or None

    def says_of(self, name: str) -> bool:
        """Say whether the state of some face names or rejects a name now."""
        names = select(decision_names.c.id).where(decision_names.c.name == name)
        rejected = exists().where(
            decision_names.c.name == name,
            (" " + decided_faces.c.not_ids + " ").contains(
                " " + cast(decision_names.c.id, String) + " "
            ),
        )
        found = self._connection.scalar(
            select(decided_faces.c.id)
            .where(decided_faces.c.owner != 0, decided_faces.c.name_id.in_(names) | rejected)
            .limit(1)
        )
        return found is not None

    def drawing(self, place: Place, box: Box) -> int | None:
        """Return the step that drew a head, where nothing was decided of it since; else None."""
        number = self.known_as(place, box)
        if number is None:
            return None
        step = self._steps_of({self.faces([number])[number].owner})
        return next((one for one in step.values() if self.step(one).action is Action.DRAW), None)

    def faces_of(self, step: int) -> list[DecidedFace]:
        """Return the faces that a step decided of, with their states now."""
        of_step = select(decisions.c.face_id).where(decisions.c.step_id == step)
        return list(self._faces(decided_faces.c.id.in_(of_step)).values())

    def faces(self, ids: Collection[int]) -> dict[int, DecidedFace]:
        """Return decided faces by id."""
        found: dict[int, DecidedFace] = {}
        for some in portions(sorted(ids)):
            found |= self._faces(decided_faces.c.id.in_(some))
        return found

    def _faces(self, which: ColumnElement[bool]) -> dict[int, DecidedFace]:
        states = states_in(self._connection)
        rows = self._connection.execute(select(decided_faces).where(which))
        return {row.id: decided_face(row, states) for row in rows}

    def known_as(self, place: Place, box: Box) -> int | None:
        """Return the id of the decided face at a place; None where nothing was ever decided."""
        (found,) = self._found([FaceMeant(place, Path(), box)])
        return found

    def enrolled(self, digest: str, box: Box, name: str) -> None:
        """Note that a face is enrolled as a character, whatever was said against that."""
        number = self.known_as(Place(digest), box)
        if number is None:
            return
        face = self.faces([number])[number]
        if name not in face.state.not_these:
            return
        if name not in self._enrolling:
            self._enrolling[name] = self.begin(Action.ENROLL, "", name)
        meant = FaceMeant(Place(face.digest), face.path, face.box)
        self.take_back(self._enrolling[name], meant, name)

    def agree(self, names: tuple[str, str], who: str) -> int:
        """Take back what contradicts itself once two characters are one, and return how much.

        That is a rejection of one of them for a face that is confirmed as the other.
        """
        ids = select(decision_names.c.id).where(decision_names.c.name.in_(names))
        confirmed = self._faces(
            decided_faces.c.name_id.in_(ids) & (decided_faces.c.state == Decided.CONFIRMED.value)
        )
        before = {
            number: one
            for number, one in confirmed.items()
            if not set(names).isdisjoint(one.state.not_these)
        }
        if before:
            step = self.begin(Action.TAKE_BACK, who)
            after = {
                number: one.state.without(names[0]).without(names[1])
                for number, one in before.items()
            }
            self._become(step, before, after, {})
        return len(before)

    def rejecting(self, name: str) -> list[DecidedFace]:
        """Return the faces that are said not to show somebody."""
        found = self._faces(decided_faces.c.not_ids != "")
        return [one for one in found.values() if name in one.state.not_these]

    def rename(self, old: str, new: str) -> None:
        """Let decisions that name a character follow it to another name."""
        self._numbers.clear()
        self._connection.execute(
            update(decision_names).where(decision_names.c.name == old).values(name=new)
        )

    def has_named(self, name: str) -> bool:
        """Say whether some decision names or rejects a name."""
        return self._number_of(name) != 0

    def name_id(self, name: str) -> int:
        """Return what stands for a name in decisions."""
        found = self._number_of(name)
        if found:
            return found
        added = self._connection.execute(
            insert(decision_names).values(name=name).returning(decision_names.c.id)
        )
        return int(added.scalar_one())

    def _number_of(self, name: str) -> int:
        """Return what stands for a name in decisions; 0 where none names it."""
        found = self._connection.scalar(
            select(func.coalesce(func.min(decision_names.c.id), 0)).where(
                decision_names.c.name == name
            )
        )
        return int(found or 0)

    def _found_or_made(self, faces: Sequence[FaceMeant]) -> list[int]:
        """Return the ids of faces, of which each is noted where it is new."""
        for one in faces:
            if one.content is not None:
                hear_of_content(self._connection, one.place.digest, one.content)
        found = self._found(faces)
        new: defaultdict[str, list[int]] = defaultdict(list)
        stands: dict[int, int] = {}
        for row in (row for row, number in enumerate(found) if number is None):
            # Two that are given may be one face.
            others = new[faces[row].place.digest]
            same = next((one for one in others if _is_same(faces[one], faces[row])), None)
            if same is None:
                others.append(row)
            stands[row] = row if same is None else same
        lacking = [row for rows in new.values() for row in rows]
        made = dict(zip(lacking, self._made([faces[row] for row in lacking]), strict=True))
        return [made[stands[row]] if number is None else number for row, number in enumerate(found)]

    def _made(self, faces: Sequence[FaceMeant]) -> list[int]:
        """Note faces that are new, and return their ids."""
        if not faces:
            return []
        values = []
        ids = next_ids(self._connection, decided_faces, len(faces))
        for number, one in zip(ids, faces, strict=True):
            start, end, best = times_of(one.place) or (None, None, None)
            times = {"start": start, "end": end, "best": best}
            state = {"state": Decided.UNDECIDED.value, "not_ids": "", "owner": 0}
            where = {"digest": one.place.digest, "path": str(one.path), **one.box._asdict()}
            values.append({"id": number, **where, **times, **state})
        self._connection.execute(insert(decided_faces), values)
        return [int(one["id"]) for one in values]

    def _found(self, faces: Sequence[FaceMeant]) -> list[int | None]:
        """Return the ids of the decided faces that overlap faces most, where there are such."""
        keys = keys_in(self._connection, {one.place.digest for one in faces})
        rows: list[Any] = []
        for some in portions(sorted({key for own in keys.values() for key in own})):
            rows += self._connection.execute(
                select(decided_faces).where(decided_faces.c.digest.in_(some))
            ).all()
        by_digest: dict[str, list[Any]] = {}
        for row in rows:
            by_digest.setdefault(row.digest, []).append(row)
        return [
            _nearest(one, [row for key in keys[one.place.digest] for row in by_digest.get(key, ())])
            for one in faces
        ]

    def _log(
        self, step: int, before: Mapping[int, DecidedFace], after: Mapping[int, FaceState]
    ) -> dict[int, int]:
        """Add decisions of faces to a step, and return their ids by face."""
        if not before:
            return {}
        ids = next_ids(self._connection, decisions, len(before))
        made = dict(zip(before, ids, strict=True))
        self._connection.execute(
            insert(decisions),
            [
                {
                    "id": made[number],
                    "step_id": step,
                    "face_id": number,
                    **self._columns("before_", one.state),
                    "before_owner": one.owner,
                    **self._columns("after_", after[number]),
                    "after_owner": made[number],
                }
                for number, one in before.items()
            ],
        )
        return made

    def _set(
        self, states: Mapping[int, tuple[FaceState, int]], faces: Mapping[int, DecidedFace]
    ) -> None:
        """Give decided faces their states and the decisions that own them.

        What is stored of the seen faces that they are says so, too.
        """
        if states:
            put_values(
                self._connection,
                decided_faces,
                {
                    face: {**self._columns("", state), "owner": owner}
                    for face, (state, owner) in states.items()
                },
            )
            self._answers.decided(faces[face] for face in states)

    def _columns(self, prefix: str, state: FaceState) -> dict[str, object]:
        """Return a state as its columns hold it."""
        name = state.character
        return {
            f"{prefix}state": state.decided.value,
            f"{prefix}name_id": None if name is None else self._ids(name),
            f"{prefix}not_ids": " ".join(str(self._ids(one)) for one in state.not_these),
        }

    def _ids(self, name: str) -> int:
        """Return what stands for a name; within a transaction nobody else changes that."""
        if name not in self._numbers:
            self._numbers[name] = self.name_id(name)
        return self._numbers[name]

    def _steps_of(self, ids: Collection[int]) -> dict[int, int]:
        """Return the steps of decisions, by their ids."""
        found: dict[int, int] = {}
        for some in portions(sorted(ids)):
            rows = self._connection.execute(
                select(decisions.c.id, decisions.c.step_id).where(decisions.c.id.in_(some))
            )
            found.update({row.id: row.step_id for row in rows})
        return found

    def _keep_crops(
        self, face: DecidedFace, before: FaceState, after: FaceState, meant: FaceMeant | None
    ) -> None:
        """Let the crops of rejections stand or not, as a face's new state says."""
        for name in set(before.not_these) - set(after.not_these):
            self._rejections.stand(name, face.moment, face.box, stands=False)
        for name in after.not_these:
            stood = self._rejections.stand(name, face.moment, face.box, stands=True)
            if not stood and meant is not None and meant.crop_jpeg is not None:
                self._rejections.add(meant.rejected(name))


def _of_step(number: int) -> Select[tuple[int]]:
    """Return the faces that a step decided of, beside what it decided."""
    return (
        select(decisions.c.face_id)
        .join(decided_faces, decided_faces.c.id == decisions.c.face_id)
        .where(decisions.c.step_id == number)
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _is_same(one: FaceMeant, other: FaceMeant) -> bool:
    """Say whether two faces of one file are one."""
    is_then = is_same_time(times_of(one.place), times_of(other.place))
    return is_then and one.box.overlap(other.box) >= SAME_PLACE


def _nearest(one: FaceMeant, rows: Sequence[Any]) -> int | None:
    """Return the id of the row that a face overlaps most; None where none is in its place."""
    own = times_of(one.place)
    fits = [
        (one.box.overlap(box_of(row)), -row.id) for row in rows if is_same_time(own, times_in(row))
    ]
    best = max(fits, default=(0.0, 0))
    return -best[1] if best[0] >= SAME_PLACE else None
