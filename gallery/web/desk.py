"""What lies before the person: faces in the order of each view, and what is decided of them.

One request at a time: the gallery below is not made for several threads. The stores' transactions
keep other programs out; a face that one of them decided of meanwhile is told by its version.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import update_wrapper
from typing import Concatenate, ParamSpec, TypeVar

from gallery.engine.engine import Engine
from gallery.errors import InputError, NoSuchSeenFace
from gallery.events import result_of
from gallery.jobs import decide
from gallery.jobs.meant import SeenFace
from gallery.store.steps import Action, Step
from gallery.types import Verdict
from gallery.web import words
from gallery.web.answer_book import AnswerBook, SeenAnswer
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
    PictureShape,
    RowShape,
    RowsShape,
    StepShape,
    TodayShape,
    WorkShape,
)

REFERENCES = 3
"""Samples beside a row."""

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

    def __init__(self, engine: Engine, book: AnswerBook) -> None:
        self.turn = threading.RLock()
        self._engine = engine
        self._book = book

    @_in_turn
    def today(self) -> TodayShape:
        """Return what is left to decide."""
        every = self._book.all().values()
        sure, doubtful = self._names(Verdict.SURE), self._names(Verdict.UNSURE)
        groups = self._groups()
        alone = groups.pop(None, [])
        unknown = sum(len(own) for own in groups.values())
        return TodayShape(
            seen=len(every),
            references=sum(one.is_enrolled for one in every),
            decided=sum(not one.is_open and not one.is_enrolled for one in every),
            characters=len(self._engine.characters()),
            sure=_work(sure, words.SCREEN_SECONDS * sum(map(words.screens, sure.values()))),
            doubtful=_work(doubtful, words.ROW_SECONDS * sum(map(words.rows, doubtful.values()))),
            unknown=WorkShape(
                faces=unknown,
                groups=len(groups),
                minutes=words.minutes(words.CLUSTER_SECONDS * len(groups)),
            ),
            alone=len(alone),
        )

    @_in_turn
    def names(self) -> list[NameShape]:
        """Return the names that are surely answered for faces to decide of, most faces first."""
        return [
            NameShape(name=one, faces=count) for one, count in self._names(Verdict.SURE).items()
        ]

    @_in_turn
    def sure(self, name: str, start: int, limit: int) -> FacesShape:
        """Return the sure faces of a name, least likely first."""
        name = self._engine.store.character(name).name
        found = self._book.faces(Verdict.SURE, name)
        return FacesShape(
            name=name,
            total=len(found),
            start=start,
            faces=self._shaped(found[start : start + limit]),
            references=self._references(name),
        )

    @_in_turn
    def doubtful(self, start: int, limit: int) -> RowsShape:
        """Return rows of unsure faces, each of one name."""
        by_name: defaultdict[str, list[SeenAnswer]] = defaultdict(list)
        for one in reversed(self._book.faces(Verdict.UNSURE)):
            by_name[one.character or ""].append(one)
        ordered = sorted(by_name.items(), key=lambda one: (-len(one[1]), one[0]))
        rows = [
            (name, own[place : place + words.LONGEST_ROW])
            for name, own in ordered
            for place in range(0, len(own), words.LONGEST_ROW)
        ]
        return RowsShape(
            total=len(rows),
            start=start,
            rows=[
                RowShape(
                    name=name,
                    references=self._references(name),
                    alternatives=_alternatives(name, own),
                    faces=self._shaped(own),
                )
                for name, own in rows[start : start + limit]
            ],
        )

    @_in_turn
    def clusters(self, start: int, limit: int) -> ClustersShape:
        """Return groups of unknown faces, largest first; those that are alone come last."""
        groups = self._groups()
        alone = groups.pop(None, [])
        ordered: list[tuple[int | None, list[SeenAnswer]]] = sorted(
            groups.items(), key=lambda one: (-len(one[1]), one[0] or 0)
        )
        if alone:
            ordered.append((None, alone))
        return ClustersShape(
            total=len(ordered),
            start=start,
            clusters=[
                ClusterShape(
                    number=number,
                    nearest=None if number is None else next(iter(_alternatives("", own)), None),
                    total=len(own),
                    faces=self._shaped(own[: words.SCREEN]),
                )
                for number, own in ordered[start : start + limit]
            ],
        )

    @_in_turn
    def picture(self, face: int) -> PictureShape:
        """Return the picture of a face with all faces in it. Raises InputError for no such face."""
        one = self._face(face)
        others = self._book.in_picture(one.path)
        if one.times is not None:
            # A moment of a video shows the tracks that are to be seen then.
            others = [other for other in others if _is_seen_at(other, one.times[2])]
        size = self._engine.store.sightings.size_of(one.path)
        return PictureShape(
            face=face,
            name=words.place(one),
            width=size[0] if size else None,
            height=size[1] if size else None,
            has_image=one.times is None and one.path.is_file(),
            faces=self._shaped(others),
        )

    @_in_turn
    def history(self) -> HistoryShape:
        """Return the newest steps, newest first."""
        steps = self._engine.store.decisions.steps()[:MOST_STEPS]
        return HistoryShape(steps=[_step(one) for one in steps])

    @_in_turn
    def characters(self) -> CharactersShape:
        """Return all characters that a face can be given to, by name."""
        former: defaultdict[str, list[str]] = defaultdict(list)
        for old, now in self._engine.store.former_names().items():
            former[now].append(old)
        return CharactersShape(
            characters=[
                CharacterShape(name=one.name, samples=one.samples, former=former[one.name])
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
        before = self._versions()
        gone = [one.id for one in given.faces if one.id not in before]
        if gone:
            raise NoSuchSeenFace(gone[0])
        fresh = [one.id for one in given.faces if before[one.id] == one.version]
        stale = [one.id for one in given.faces if before[one.id] != one.version]
        step = self._decide(given, [SeenFace(one) for one in fresh]) if fresh else None
        return DoneShape(
            step=None if step is None else _step(step),
            faces=self._changed(before),
            stale=self._shaped(self._book.of_faces(stale).values()),
            left=0,
        )

    @_in_turn
    def undo(self, step: int | None) -> DoneShape:
        """Undo a step, or the newest one. Raises InputError where there is none."""
        before = self._versions()
        done = decide.undo(self._engine, () if step is None else (step,))
        return DoneShape(
            step=_step(done.steps[0]) if done.steps else None,
            faces=self._changed(before),
            stale=[],
            left=len(done.left),
        )

    def crop(self, face: int, side: int) -> bytes:
        """Return a seen face as a WebP file. Raises InputError for no such face."""
        with self.turn:
            crops = self._engine.store.sightings.crops([face])
        if face not in crops:
            raise NoSuchSeenFace(face)
        return thumbnail(crops[face], side)

    def reference(self, sample: int, side: int) -> bytes | None:
        """Return a sample's face as a WebP file; None for no such sample."""
        with self.turn:
            crops = self._engine.store.crops([sample])
        return thumbnail(crops[sample], side) if sample in crops else None

    def original(self, face: int) -> bytes | None:
        """Return the picture of a face as a WebP file; None where it cannot be shown.

        Raises InputError for no such face.
        """
        with self.turn:
            path = self._face(face).path
        return original(path)

    def _face(self, face: int) -> SeenAnswer:
        found = self._book.of_faces([face])
        if not found:
            raise NoSuchSeenFace(face)
        return found[face]

    def _decide(self, given: DecisionGiven, faces: Sequence[SeenFace]) -> Step:
        if given.action == "confirm":
            return result_of(decide.confirm(self._engine, faces, given.name, new=given.new))
        if given.action == "reject":
            return result_of(decide.reject(self._engine, faces, given.name or ""))
        return result_of(decide.set_aside(self._engine, faces, Action(given.action)))

    def _versions(self) -> dict[int, int]:
        return {one.face: one.decision for one in self._book.all().values()}

    def _changed(self, before: Mapping[int, int]) -> list[FaceShape]:
        """Return the faces whose version is another one than before."""
        return self._shaped(
            one for one in self._book.all().values() if before.get(one.face) != one.decision
        )

    def _names(self, verdict: Verdict) -> dict[str, int]:
        """Return how many faces to decide of each name has, most first."""
        found = {
            name: count
            for (said, name), count in self._book.counts().items()
            if said is verdict and name is not None
        }
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    def _groups(self) -> dict[int | None, list[SeenAnswer]]:
        """Return the unknown faces by cluster, None for those that are alone."""
        found: defaultdict[int | None, list[SeenAnswer]] = defaultdict(list)
        for one in self._book.faces(Verdict.UNKNOWN):
            found[one.cluster].append(one)
        return dict(found)

    def _references(self, name: str) -> list[int]:
        """Return the samples of a character that show it best."""
        samples = self._engine.samples(name)
        samples.sort(key=lambda one: (one.is_poor, one.distance is None, one.distance or 0.0))
        return [one.id for one in samples[:REFERENCES]]

    def _shaped(self, faces: Iterable[SeenAnswer]) -> list[FaceShape]:
        sure = self._engine.thresholds.sure
        return [
            FaceShape(
                id=one.face,
                version=one.decision,
                decided=one.state.decided.value,
                verdict=one.verdict.value,
                character=one.character,
                not_these=list(one.state.not_these),
                likelihood=one.likelihood,
                words=words.likelihood(one),
                odd=words.is_odd(one, sure),
                alternatives=list(one.alternatives),
                picture=words.place(one),
                box=one.box,
            )
            for one in faces
        ]


def _check_name(given: DecisionGiven) -> None:
    """Raise InputError for a name that is wanted and not given, or the other way round."""
    if given.action in ("confirm", "reject") and given.name is None:
        raise InputError(f"To {given.action} wants a name.")
    if given.action not in ("confirm", "reject") and given.name is not None:
        raise InputError("Only confirm and reject take a name.")
    if given.new and given.action != "confirm":
        raise InputError("Only confirm takes a new name.")


def _is_seen_at(one: SeenAnswer, moment: float) -> bool:
    return one.times is not None and one.times[0] <= moment <= one.times[1]


def _alternatives(name: str, faces: Sequence[SeenAnswer]) -> list[str]:
    """Return the other names that faces may have, those that are near to most of them first."""
    worth: defaultdict[str, float] = defaultdict(float)
    for one in faces:
        for rank, other in enumerate(one.alternatives):
            worth[other] += 1.0 / (1 + rank)
    worth.pop(name, None)
    return sorted(worth, key=lambda one: (-worth[one], one))[:9]


def _work(names: Mapping[str, int], seconds: float) -> WorkShape:
    return WorkShape(faces=sum(names.values()), groups=len(names), minutes=words.minutes(seconds))


def _step(one: Step) -> StepShape:
    return StepShape(
        id=one.id,
        title=one.title,
        made_at=one.made_at,
        who=one.who,
        action=one.action.value,
        undoes=one.undoes,
        faces=one.faces,
    )
