"""What lies before the person: faces in the order of each view, and what is decided of them.

One request at a time: the gallery below is not made for several threads. A face that another
program decided of meanwhile is known by its version, in the transaction of the decision itself.
"""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import update_wrapper
from itertools import islice
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from gallery.engine.engine import Engine
from gallery.errors import DecidedMeanwhile, InputError, NoSuchSeenFace
from gallery.events import result_of
from gallery.jobs import decide
from gallery.jobs.answers import renew_faces
from gallery.jobs.meant import SeenFace
from gallery.numerics.distances import nearest_path
from gallery.store.answers import StoredAnswer
from gallery.store.steps import Action, Step
from gallery.types import Decided, Descriptor, Verdict
from gallery.web import words
from gallery.web.pairs_ahead import PairsAhead
from gallery.web.pictures import original, thumbnail
from gallery.web.shapes import (
    CharacterShape,
    CharactersShape,
    ClusterShape,
    ClustersShape,
    DecisionGiven,
    DoneShape,
    FaceShape,
    FacesShape,
    HistoryShape,
    NameShape,
    NearShape,
    NewsShape,
    PictureShape,
    RowShape,
    RowsShape,
    StepShape,
    TodayShape,
    UndoGiven,
    WorkShape,
)
from gallery.web.turns import Turns

REFERENCES = 3
"""Samples beside a row."""

DONE = (Decided.CONFIRMED, Decided.IGNORED, Decided.NO_FACE)
"""After these nothing is left to decide of a face."""

AT_ONCE = 50
"""Faces that are answered anew while a decision waits for it."""

MOST_STEPS = 200
"""Steps that the history shows."""

Parameters = ParamSpec("Parameters")
Value = TypeVar("Value")


def _in_turn(
    method: Callable[Concatenate[Desk, Parameters], Value],
) -> Callable[Concatenate[Desk, Parameters], Value]:
    def waiting(self: Desk, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Value:
        with self.turn:
            return method(self, *args, **kwargs)

    update_wrapper(waiting, method)
    return waiting


class Desk:
    """The views of a gallery and its answers, and the decisions of a person."""

    def __init__(self, engine: Engine) -> None:
        self.turn = Turns()
        self.looking = threading.Lock()
        """For pictures that are decoded outside of the turn: one may fill much of the memory."""
        self.pairs = PairsAhead()
        self._engine = engine
        self._stored = engine.store.answers

    @property
    def engine(self) -> Engine:
        """The gallery below, which wants the turn."""
        return self._engine

    @_in_turn
    def today(self) -> TodayShape:
        """Return what is left to decide."""
        counts = self._stored.counts(self._engine.encoder)
        sure, doubtful = (
            self._stored.to_decide(self._engine.encoder, one, counts)
            for one in (Verdict.SURE, Verdict.UNSURE)
        )
        groups = self._stored.unknown_clusters()
        alone = groups.pop(None, 0)
        return TodayShape(
            seen=counts.faces,
            stale=counts.stale,
            decided=sum(one.faces for one in counts.kinds if one.decided in DONE),
            confirmed=counts.of(Verdict.SURE, decided=Decided.CONFIRMED),
            characters=len(self._engine.characters()),
            sure=_work(sure, words.SCREEN_SECONDS * sum(map(words.screens, sure.values()))),
            doubtful=_work(doubtful, words.ROW_SECONDS * sum(map(words.rows, doubtful.values()))),
            unknown=WorkShape(
                faces=sum(groups.values()),
                groups=len(groups),
                minutes=words.minutes(words.CLUSTER_SECONDS * len(groups)),
            ),
            alone=alone,
        )

    @_in_turn
    def names(self) -> list[NameShape]:
        """Return the names that are surely answered for faces to decide of, most faces first."""
        return [NameShape(name=one, faces=count) for one, count in self._names(Verdict.SURE)]

    @_in_turn
    def sure(self, name: str, after: str | None, limit: int, rest: int = 0) -> FacesShape:
        """Return the sure faces of a name behind a place, least likely first.

        Where at most so many as `rest` were left behind them, these come, too.
        """
        name = self._engine.store.character(name).name
        # Before the faces are read: one that comes in between is told of twice, and none never.
        revision = self._stored.news(self._engine.encoder).revision
        found = self._stored.page(
            self._engine.encoder,
            Verdict.SURE,
            name,
            after=after,
            limit=limit,
            rest=rest,
            enrolled=False,
        )
        return FacesShape(
            name=name,
            revision=revision,
            total=self._stored.left_to_decide(Verdict.SURE, name),
            faces=self.shaped(self._odd_first(found.faces)),
            after=found.after,
            references=self.references(name),
        )

    @_in_turn
    def news(self, name: str | None, since: int) -> NewsShape:
        """Return what is new since a revision. Raises InputError for a name that nobody has."""
        if name is not None:
            name = self._engine.store.character(name).name
        found = self._stored.news(self._engine.encoder, name, since)
        newest = self._stored.now(self._engine.encoder).decisions
        return NewsShape(
            revision=found.revision, decision=newest, stale=found.stale, more=found.more
        )

    @_in_turn
    def doubtful(self, start: int, limit: int) -> RowsShape:
        """Return a row of unsure faces for each name: the likeliest, those that are alike together.

        So a range takes many faces that are right, or many that are not, in hand.
        """
        names = self._names(Verdict.UNSURE)
        here = names[start : start + limit]
        best = self.references_of([name for name, _ in here])
        rows = []
        for name, total in here:
            own = self._stored.page(
                self._engine.encoder,
                Verdict.UNSURE,
                name,
                limit=words.LONGEST_ROW,
                likeliest=True,
                enrolled=False,
            ).faces
            rows.append(
                RowShape(
                    name=name,
                    total=total,
                    references=best[name],
                    alternatives=_alternatives(name, own),
                    faces=self.shaped(*self._side_by_side([own])),
                )
            )
        return RowsShape(total=len(names), start=start, rows=rows)

    @_in_turn
    def near(self, after: str | None, limit: int) -> NearShape:
        """Return the unknown faces behind a place that are likeliest somebody's after all.

        They stand in rows by the character that is nearest, most faces first.
        """
        found = self._stored.page(
            self._engine.encoder, Verdict.UNKNOWN, after=after, limit=limit, likeliest=True
        )
        rows: defaultdict[str, list[StoredAnswer]] = defaultdict(list)
        for one in found.faces:
            nearest = next((other for other in one.alternatives if not other.is_reject), None)
            if nearest is not None:
                rows[nearest.character].append(one)
        best = self.references_of(rows)
        ordered = dict(zip(rows, self._side_by_side([*rows.values()]), strict=True))
        shaped = iter(self.shaped(one for own in ordered.values() for one in own))
        shown = [
            RowShape(
                name=name,
                total=len(own),
                references=best[name],
                alternatives=_alternatives(name, own),
                faces=[*islice(shaped, len(own))],
            )
            for name, own in ordered.items()
        ]
        shown.sort(key=lambda one: -one.total)
        return NearShape(rows=shown, after=found.after)

    def _odd_first(self, faces: Sequence[StoredAnswer]) -> list[StoredAnswer]:
        """Return the faces of a screen: odd ones first, and those that are alike together."""
        sure = self._engine.thresholds.sure
        odd = [one for one in faces if words.is_odd(one, sure)]
        rest = [one for one in faces if not words.is_odd(one, sure)]
        first, second = self._side_by_side([odd, rest])
        return [*first, *second]

    def _side_by_side(self, rows: Sequence[Sequence[StoredAnswer]]) -> list[list[StoredAnswer]]:
        """Return rows of faces in which those that are alike lie side by side."""
        vectors = self._engine.store.sightings.vectors_of(
            self._engine.encoder, [one.face for own in rows if len(own) > 2 for one in own]
        )
        return [_path(own, vectors) for own in rows]

    @_in_turn
    def clusters(self, start: int, limit: int) -> ClustersShape:
        """Return groups of unknown faces, largest first; those that are alone come last."""
        groups = self._stored.unknown_clusters()
        if None in groups:
            groups[None] = groups.pop(None)
        here = list(groups.items())[start : start + limit]
        faces = self._faces_of([number for number, _ in here])
        shown = []
        for number, total in here:
            own = faces[number]
            near = [] if number is None else _alternatives("", own)
            shown.append(
                ClusterShape(
                    number=number,
                    alternatives=near,
                    total=total,
                    faces=self.shaped(own),
                )
            )
        return ClustersShape(total=len(groups), start=start, clusters=shown)

    def _faces_of(self, groups: Sequence[int | None]) -> dict[int | None, list[StoredAnswer]]:
        """Return a screen of unknown faces of each group, by their numbers; None: of no group."""
        members = self._stored.unknown_members([one for one in groups if one is not None])
        shown = {number: [*own][: words.SCREEN] for number, own in members.items()}
        answers = self._stored.of_faces(
            self._engine.encoder, [face for own in shown.values() for face in own]
        )
        found: dict[int | None, list[StoredAnswer]] = {number: [] for number in groups}
        for number, own in shown.items():
            found[number] = [answers[face] for face in own]
        if None in found:
            found[None] = [*self._stored.unknown_alone(self._engine.encoder, words.SCREEN)]
        return found

    @_in_turn
    def picture(self, face: int) -> PictureShape:
        """Return the picture of a face with all faces in it. Raises InputError for no such face."""
        one = self._face(face)
        size = self._engine.store.sightings.size_of(one.path)
        return PictureShape(
            face=face,
            name=words.place(one),
            width=size[0] if size else None,
            height=size[1] if size else None,
            has_image=one.times is None and one.path.is_file(),
            faces=self.shaped(self._beside(one)),
        )

    def _beside(self, one: StoredAnswer) -> list[StoredAnswer]:
        """Return the faces of a face's picture, or those of a video at its moment."""
        if one.times is None:
            return list(self._stored.in_picture(self._engine.encoder, one.path))
        found: list[StoredAnswer] = []
        after: str | None = None
        while True:
            page = self._stored.in_video(self._engine.encoder, one.path, after=after)
            found += [other for other in page.faces if _is_seen_at(other, one.times[2])]
            after = page.after
            # Tracks come in the order of their beginnings.
            if after is None or (page.faces[-1].times or one.times)[0] > one.times[2]:
                return found

    @_in_turn
    def history(self) -> HistoryShape:
        """Return the newest steps, newest first."""
        steps = self._engine.store.decisions.steps()[:MOST_STEPS]
        return HistoryShape(steps=[step_shape(one) for one in steps])

    @_in_turn
    def characters(self) -> CharactersShape:
        """Return all characters that a face can be given to, by name."""
        former: defaultdict[str, list[str]] = defaultdict(list)
        for old, now in self._engine.store.former_names().items():
            former[now].append(old)
        bests = self._engine.store.bests(self._engine.encoder)
        return CharactersShape(
            characters=[
                CharacterShape(
                    name=one.name,
                    samples=one.samples,
                    reference=bests.get(one.id),
                    former=former[one.name],
                )
                for one in self._engine.characters()
                if not one.is_reject
            ]
        )

    @_in_turn
    def decide(self, given: DecisionGiven) -> DoneShape:
        """Decide of those of the faces that nobody decided of meanwhile, in one step.

        Raises InputError for a name that nobody has, unless it is new, for one that is wanted and
        not given or the other way round, and for faces that are not there.
        """
        _check_name(given)
        looked = {one.id: one.version for one in given.faces}
        step: Step | None = None
        while True:
            now = self._stored.owners(looked)
            gone = [face for face in looked if face not in now]
            if gone:
                raise NoSuchSeenFace(gone[0])
            fresh = {one: seen for one, seen in looked.items() if now[one] == seen}
            # Another program may decide before this one has begun to write; then its faces are
            # among the stale ones.
            with contextlib.suppress(DecidedMeanwhile):
                step = self._decide(given, fresh) if fresh else None
                break
        return DoneShape(
            step=None if step is None else step_shape(step),
            faces=self.shown(fresh),
            stale=self.shown([face for face in looked if face not in fresh]),
            left=0,
        )

    @_in_turn
    def undo(self, given: UndoGiven) -> DoneShape:
        """Undo a step, or the newest one. Raises InputError where there is none."""
        done = decide.undo(self._engine, () if given.step is None else (given.step,))
        return DoneShape(
            step=step_shape(done.steps[0]) if done.steps else None,
            faces=self.shown(given.faces),
            stale=[],
            left=len(done.left) + done.kept,
        )

    @_in_turn
    def shown(self, faces: Collection[int]) -> list[FaceShape]:
        """Return those of the faces that are there, in their order, as they are now."""
        found = self._stored.of_faces(self._engine.encoder, faces)
        return self.shaped(found[one] for one in faces if one in found)

    @_in_turn
    def references(self, name: str, most: int = REFERENCES) -> list[int]:
        """Return the samples of a character that show it best."""
        name = self._engine.store.character(name).name
        return self.references_of([name], most)[name]

    @_in_turn
    def references_of(self, names: Collection[str], most: int = REFERENCES) -> dict[str, list[int]]:
        """Return the samples of characters, by their names, that show each best."""
        found: dict[str, list[int]] = {name: [] for name in names}
        samples = self._engine.store.samples(self._engine.encoder, names)
        samples.sort(key=lambda one: (one.is_poor, one.distance is None, one.distance or 0.0))
        for one in samples:
            if len(found[one.character]) < most:
                found[one.character].append(one.id)
        return found

    def crop(self, face: int, side: int) -> bytes:
        """Return a seen face as a JPEG file. Raises InputError for no such face."""
        with self.turn:
            crops = self._engine.store.sightings.crops([face])
        if face not in crops:
            raise NoSuchSeenFace(face)
        return thumbnail(crops[face], side)

    def reference(self, sample: int, side: int) -> bytes | None:
        """Return a sample's face as a JPEG file; None for no such sample."""
        with self.turn:
            crops = self._engine.store.crops([sample])
        return thumbnail(crops[sample], side) if sample in crops else None

    def original(self, face: int) -> bytes | None:
        """Return the picture of a face as a JPEG file; None where it cannot be shown.

        Raises InputError for no such face.
        """
        with self.turn:
            path = self._face(face).path
        return original(path)

    def _face(self, face: int) -> StoredAnswer:
        found = self._stored.of_faces(self._engine.encoder, [face])
        if not found:
            raise NoSuchSeenFace(face)
        return found[face]

    def _decide(self, given: DecisionGiven, looked: Mapping[int, int]) -> Step:
        faces, name = [SeenFace(one) for one in looked], given.name
        if given.action == "confirm":
            return result_of(
                decide.confirm(self._engine, faces, name, new=given.new, looked=looked)
            )
        if given.action == "reject":
            step = result_of(decide.reject(self._engine, faces, name or "", looked=looked))
            # Who else they may be is wanted at once; many are left to the background.
            renew_faces(self._engine, [*looked][:AT_ONCE])
            return step
        return result_of(decide.set_aside(self._engine, faces, Action(given.action), looked=looked))

    def _names(self, verdict: Verdict) -> list[tuple[str, int]]:
        """Return how many faces to decide of each name has, most first."""
        return list(self._stored.to_decide(self._engine.encoder, verdict).items())

    def _rejected(self, faces: Sequence[StoredAnswer]) -> dict[int, tuple[str, ...]]:
        """Return the names that a person rejected, by face, for those of which one may have been.

        Most faces have none, and need no look.
        """
        owners = {one.face: one.decision for one in faces if one.decision}
        names = self._engine.store.decisions.rejected({*owners.values()}) if owners else {}
        return {face: names.get(owner, ()) for face, owner in owners.items()}

    def shaped(self, faces: Iterable[StoredAnswer]) -> list[FaceShape]:
        """Return seen faces as clients have them."""
        faces = list(faces)
        sure, rejected = self._engine.thresholds.sure, self._rejected(faces)
        return [_shaped(one, rejected.get(one.face, ()), sure) for one in faces]


def _path(faces: Sequence[StoredAnswer], vectors: Mapping[int, Descriptor]) -> list[StoredAnswer]:
    """Return faces in an order in which those that are alike lie side by side."""
    described = [one for one in faces if one.face in vectors]
    rows = np.array([vectors[one.face] for one in described], np.float32)
    return [
        *(described[row] for row in nearest_path(rows)),
        *(one for one in faces if one.face not in vectors),
    ]


def _shaped(one: StoredAnswer, rejected: Sequence[str], sure: float) -> FaceShape:
    decided = one.decided
    if decided is Decided.UNDECIDED and rejected:
        decided = Decided.NOT_THIS
    return FaceShape(
        id=one.face,
        version=one.decision,
        decided=decided.value,
        verdict=(one.verdict or Verdict.UNKNOWN).value,
        character=one.character,
        not_these=list(rejected),
        likelihood=one.likelihood,
        words=words.likelihood(one),
        odd=words.is_odd(one, sure),
        alternatives=[
            other.character
            for other in one.alternatives
            if not other.is_reject and other.character not in rejected
        ],
        picture=words.place(one),
        box=one.box,
    )


def _check_name(given: DecisionGiven) -> None:
    """Raise InputError for a name that is wanted and not given, or the other way round."""
    if given.action in ("confirm", "reject") and given.name is None:
        raise InputError(f"To {given.action} wants a name.")
    if given.action not in ("confirm", "reject") and given.name is not None:
        raise InputError("Only confirm and reject take a name.")
    if given.new and given.action != "confirm":
        raise InputError("Only confirm takes a new name.")


def _is_seen_at(one: StoredAnswer, moment: float) -> bool:
    return one.times is not None and one.times[0] <= moment <= one.times[1]


def _alternatives(name: str, faces: Sequence[StoredAnswer]) -> list[str]:
    """Return the other names that faces may have, those that are near to most of them first."""
    worth: defaultdict[str, float] = defaultdict(float)
    for one in faces:
        for rank, other in enumerate(one.alternatives):
            if not other.is_reject:
                worth[other.character] += 1.0 / (1 + rank)
    worth.pop(name, None)
    return sorted(worth, key=lambda one: (-worth[one], one))[:9]


def _work(names: Mapping[str, int], seconds: float) -> WorkShape:
    return WorkShape(faces=sum(names.values()), groups=len(names), minutes=words.minutes(seconds))


def step_shape(one: Step) -> StepShape:
    """Return a step as it goes over HTTP."""
    return StepShape(
        id=one.id,
        title=one.title,
        made_at=one.made_at,
        who=one.who,
        action=one.action.value,
        undoes=one.undoes,
        faces=one.faces,
    )
