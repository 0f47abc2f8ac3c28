"""Reading what a person decided of faces, and what of it rules; deciding.py writes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from sqlalchemy import Connection, func, select, type_coerce

from gallery.store.columns import box_of
from gallery.store.decided import DecidedFaces, DecidedPlace, Ruling, ruled
from gallery.store.descriptors import portions
from gallery.store.kinds import Truth
from gallery.store.steps import (
    DecidedFace,
    Decision,
    Step,
    decided_face,
    decisions_in,
    keys_in,
    names_in,
    states_in,
    steps_in,
    times_in,
)
from gallery.store.tables import (
    characters,
    decided_faces,
    decision_names,
    decision_steps,
    decisions,
)
from gallery.types import UNDECIDED, Decided, FaceState


class DecisionReader:
    """Reads decisions; store.Store has one."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading

    def steps(self) -> list[Step]:
        """Return all steps, newest first."""
        with self._reading() as connection:
            return steps_in(connection)

    def step(self, number: int) -> Step | None:
        """Return a step; None where there is none of this number."""
        with self._reading() as connection:
            return next(iter(steps_in(connection, decision_steps.c.id == number)), None)

    def last_step(self) -> int:
        """Return the number of the newest step, 0 where nothing was decided yet."""
        with self._reading() as connection:
            newest = select(func.coalesce(func.max(decision_steps.c.id), 0))
            return int(connection.scalar(newest) or 0)

    def faces(self) -> list[DecidedFace]:
        """Return all faces that were ever decided of, by id."""
        with self._reading() as connection:
            states = states_in(connection)
            rows = connection.execute(select(decided_faces).order_by(decided_faces.c.id))
            return [decided_face(row, states) for row in rows]

    def faces_of(self, step: int) -> list[DecidedFace]:
        """Return the faces that a step decided of, with their states now, by id."""
        with self._reading() as connection:
            states = states_in(connection)
            rows = connection.execute(
                select(decided_faces)
                .join(decisions, decisions.c.face_id == decided_faces.c.id)
                .where(decisions.c.step_id == step)
                .order_by(decided_faces.c.id)
            )
            return [decided_face(row, states) for row in rows]

    def log(self) -> list[Decision]:
        """Return all decisions, oldest first."""
        with self._reading() as connection:
            return decisions_in(connection)

    def counts(self) -> dict[tuple[Decided, str | None], int]:
        """Return how many faces are in each state, confirmed ones for each character."""
        found: Counter[tuple[Decided, str | None]] = Counter()
        with self._reading() as connection:
            names = names_in(connection)
            state, name_id = decided_faces.c.state, decided_faces.c.name_id
            rows = connection.execute(
                select(state, name_id, func.count().label("faces")).group_by(state, name_id)
            )
            for row in rows:
                name = None if row.name_id is None else names[row.name_id]
                found[Decided(row.state), name] += row.faces
        return dict(found)

    def owners(self) -> dict[int, int]:
        """Return the steps that faces' states are of, by the faces' ids."""
        with self._reading() as connection:
            rows = connection.execute(
                select(decided_faces.c.id, decisions.c.step_id).join(
                    decisions, decisions.c.id == decided_faces.c.owner
                )
            )
            return {row.id: row.step_id for row in rows}

    def decided(self) -> DecidedFaces:
        """Return the states of all faces as they were decided, whether they rule or not."""
        with self._reading() as connection:
            rows = connection.execute(select(decided_faces).where(decided_faces.c.owner != 0)).all()
            return DecidedFaces.of(_places(connection, rows, lambda state: state))

    def ruling(self, before: Ruling | None = None) -> Ruling:
        """Return the states that rule answers now.

        A name that nobody in the gallery has rules nothing until somebody has it again; whoever
        is confirmed as a reject class is ignored. Of what was read before, only faces are read
        again of which something was decided since, unless a name has another meaning.
        """
        with self._reading() as connection:
            names, newest = _meanings(connection), newest_in(connection)
            if before is not None and before.names == names and before.newest == newest:
                return before
            if before is None or newest < before.newest or not _mean_the_same(before.names, names):
                rows = connection.execute(
                    select(decided_faces).where(decided_faces.c.owner != 0)
                ).all()
                found = DecidedFaces.of(_ruling(connection, rows, names))
                return Ruling(newest, _rejecting(connection, 0), names, found)
            late = connection.scalars(
                select(decisions.c.face_id).where(decisions.c.id > before.newest).distinct()
            ).all()
            rows = []
            for some in portions(late):
                rows += connection.execute(
                    select(decided_faces).where(
                        decided_faces.c.id.in_(some), decided_faces.c.owner != 0
                    )
                ).all()
            return Ruling(
                newest,
                max(before.rejecting, _rejecting(connection, before.newest)),
                names,
                before.faces.renewed(late, _ruling(connection, rows, names)),
            )

    def rejected(self, owners: Collection[int]) -> dict[int, tuple[str, ...]]:
        """Return whom faces do not show, by the decisions that their states are of, if anybody."""
        found: dict[int, tuple[str, ...]] = {}
        with self._reading() as connection:
            for some in portions(sorted(owners)):
                says_so = decisions.c.after_not_ids != ""
                for one in decisions_in(connection, decisions.c.id.in_(some), says_so):
                    found[one.id] = one.after.not_these
        return found


def newest_in(connection: Connection) -> int:
    """Return the newest decision, 0 where there is none."""
    return int(connection.scalar(select(func.coalesce(func.max(decisions.c.id), 0))) or 0)


def _rejecting(connection: Connection, since: int) -> int:
    """Return the newest decision after one that changes whom a face does not show; 0 for none."""
    found = connection.scalar(
        select(func.coalesce(func.max(decisions.c.id), 0)).where(
            decisions.c.id > since, decisions.c.before_not_ids != decisions.c.after_not_ids
        )
    )
    return int(found or 0)


def _meanings(connection: Connection) -> dict[int, tuple[str, bool | None]]:
    """Return the names in decisions as Ruling has them."""
    is_reject = type_coerce(characters.c.is_reject, Truth(optional=True)).label("is_reject")
    rows = connection.execute(
        select(decision_names, is_reject).outerjoin(
            characters, characters.c.name == decision_names.c.name
        )
    )
    return {row.id: (row.name, row.is_reject) for row in rows}


def _mean_the_same(
    before: Mapping[int, tuple[str, bool | None]], now: Mapping[int, tuple[str, bool | None]]
) -> bool:
    """Say whether the names that were there mean what they meant; others may have come."""
    return all(now.get(number) == meaning for number, meaning in before.items())


def _ruling(
    connection: Connection, rows: Collection[Any], names: Mapping[int, tuple[str, bool | None]]
) -> list[DecidedPlace]:
    known = {name: is_reject for name, is_reject in names.values() if is_reject is not None}
    return _places(connection, rows, lambda state: ruled(state, known))


def _places(
    connection: Connection,
    rows: Collection[Any],
    becomes: Callable[[FaceState], FaceState],
) -> list[DecidedPlace]:
    """Return the decided faces of rows, but for those whose state becomes undecided."""
    keys, states = keys_in(connection, {row.digest for row in rows}), states_in(connection)
    final = cache(lambda *columns: becomes(states(*columns)))
    found = []
    for row in rows:
        state = final(row.state, row.name_id, row.not_ids)
        if state != UNDECIDED:
            found.append(DecidedPlace(keys[row.digest], box_of(row), times_in(row), state, row.id))
    return found
