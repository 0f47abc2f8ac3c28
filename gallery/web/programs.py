"""What programs ask for and the page does not: who is in a picture, and what was decided."""

from __future__ import annotations

from gallery.events import Finished
from gallery.jobs.references import Taken, references_of_all
from gallery.output.records import as_json
from gallery.types import Decided, Verdict
from gallery.web.desk import Desk, step_shape
from gallery.web.program_shapes import (
    DecidedState,
    DecisionsShape,
    IdentifiedShape,
    ReferencesGiven,
    ReferencesShape,
    TaughtShape,
)
from gallery.web.uploads import brought


class Programs:
    """The answers of a gallery to programs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def identify(self, content: bytes, top: int) -> IdentifiedShape:
        """Return who is in a picture, with the top nearest characters; nothing of it is kept.

        Raises InputError for bytes that are no picture, StoreError where samples lack the encoder
        in use.
        """
        engine = self._desk.engine
        # No decision waits for a network.
        with self._desk.looking:
            (seen,) = engine.observe([brought(content)])
        with self._desk.turn:
            engine.require_encoded()
            (record,) = engine.records([seen], top=top)
        return IdentifiedShape.model_validate(as_json(record))

    def references(self, given: ReferencesGiven) -> ReferencesShape:
        """Enroll the few confirmed faces that teach most of characters, in one step.

        Raises InputError for a name that nobody has.
        """
        job = references_of_all(self._desk.engine, given.names, given.take, dry_run=given.dry_run)
        while True:
            # Many characters take a while; between two of them others have their turn.
            with self._desk.turn:
                event = next(job)
                if isinstance(event, Finished):
                    return self._taught(event.result)

    def _taught(self, taken: Taken) -> ReferencesShape:
        faces = [one.face.id for own in taken.of for one in own.chosen]
        shown = {one.id: one for one in self._desk.shown(faces)}
        return ReferencesShape(
            step=None if taken.step is None else step_shape(taken.step),
            of=[
                TaughtShape(
                    name=own.character,
                    confirmed=own.confirmed,
                    faces=[shown[one.face.id] for one in own.chosen if one.face.id in shown],
                )
                for own in taken.of
            ],
        )

    def decisions(
        self, state: DecidedState, name: str | None, after: str | None, limit: int
    ) -> DecisionsShape:
        """Return seen faces of which one thing was decided, confirmed ones of a name or of all.

        Raises InputError for a name that nobody has, and for an `after` that no page gave.
        """
        engine, decided = self._desk.engine, Decided(state)
        with self._desk.turn:
            if name is not None:
                name = engine.store.character(name).name
            verdict = Verdict.SURE if decided is Decided.CONFIRMED else Verdict.UNKNOWN
            found = engine.store.answers.page(
                engine.encoder, verdict, name, decided=decided, after=after, limit=limit
            )
            return DecisionsShape(faces=self._desk.shaped(found.faces), after=found.after)
