"""Reading what a person decided of faces, and what of it rules; deciding.py writes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, func, select

from gallery.store.columns import box_of
from gallery.store.decided import DecidedFaces, DecidedPlace, ruled
from gallery.store.steps import (
    DecidedFace,
    Decision,
    Step,
    decided_face,
    decisions_in,
    keys_in,
    names_in,
    state_in,
    steps_in,
    times_in,
)
from gallery.store.tables import characters, decided_faces, decisions
from gallery.types import UNDECIDED, Decided, FaceState


class DecisionReader:
    """Reads decisions; store.Store has one."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading

    def version(self) -> int:
        """Return a number that is another one after every decision."""
        with self._reading() as connection:
            return int(connection.scalar(select(func.coalesce(func.max(decisions.c.id), 0))) or 0)

    def steps(self) -> list[Step]:
        """Return all steps, newest first."""
        with self._reading() as connection:
            return steps_in(connection)

    def faces(self) -> list[DecidedFace]:
        """Return all faces that were ever decided of, by id."""
        with self._reading() as connection:
            names = names_in(connection)
            rows = connection.execute(select(decided_faces).order_by(decided_faces.c.id))
            return [decided_face(row, names) for row in rows]

    def faces_of(self, step: int) -> list[DecidedFace]:
        """Return the faces that a step decided of, with their states now, by id."""
        with self._reading() as connection:
            names = names_in(connection)
            rows = connection.execute(
                select(decided_faces)
                .join(decisions, decisions.c.face_id == decided_faces.c.id)
                .where(decisions.c.step_id == step)
                .order_by(decided_faces.c.id)
            )
            return [decided_face(row, names) for row in rows]

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

    def decided(self, *, ruling: bool = True) -> DecidedFaces:
        """Return the states that rule answers, or all of them as they were decided.

        A name that nobody in the gallery has rules nothing until somebody has it again; whoever
        is confirmed as a reject class is ignored.
        """
        with self._reading() as connection:
            names = names_in(connection)
            known = {
                row.name: row.is_reject
                for row in connection.execute(select(characters.c.name, characters.c.is_reject))
            }
            rows = connection.execute(select(decided_faces).where(decided_faces.c.owner != 0)).all()
            keys = keys_in(connection, {row.digest for row in rows})
        # Many faces have one state.
        states: dict[tuple[object, ...], FaceState] = {}
        found = []
        for row in rows:
            kind = (row.state, row.name_id, row.not_ids)
            state = states.get(kind)
            if state is None:
                state = state_in(row, names)
                state = states[kind] = ruled(state, known) if ruling else state
            if state != UNDECIDED:
                place = (keys[row.digest], box_of(row), times_in(row))
                found.append(DecidedPlace(*place, state, row.id))
        return DecidedFaces.of(found)
