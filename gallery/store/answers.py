"""Reading what the gallery says of seen faces, as it was stored; answering.py writes it.

Every seen face has one row. Its answer is of a state of the gallery: the change token, the encoder
and the calibration. Once one of these is another, the answer is stale, until jobs.answers renews
it. What a person decided of a face stands in its row from the decision on.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    cast,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
)

from gallery.errors import BadSetting, NoSuchCharacter
from gallery.store.columns import box_of
from gallery.store.decided import Times
from gallery.store.descriptors import portions
from gallery.store.enrolled_faces import enrolled_faces, is_enrolled
from gallery.store.kinds import DamagedValueError, Real, Whole
from gallery.store.tables import (
    answer_counts,
    answer_states,
    answers,
    calibrations,
    characters,
    decisions,
    pictures,
    rejections,
    shots,
    sighting_descriptors,
    sightings,
    state,
    tracks,
    videos,
)
from gallery.types import Box, Decided, Verdict

MOST_ALTERNATIVES = 9
"""Nearest characters that are stored with an answer."""

ALTERNATIVE = np.dtype([("character", "<i8"), ("distance", "<f4")])
"""How one of them is stored."""

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
    decisions: int = field(default=0, compare=False)
    """The newest decision. Another one makes no other state, for each stands in its face's row."""


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
    """That it is nobody's of the gallery, as the gallery says; None before calibration."""
    distance: float | None
    """To the nearest character."""
    alternatives: tuple[Alternative, ...]
    """The nearest characters, likeliest first, at most MOST_ALTERNATIVES."""
    is_stale: bool
    """The gallery may say something else by now."""
    cluster: int | None
    """The group of unknown faces that it was put into."""


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


@dataclass(frozen=True, slots=True)
class AnswerNews:
    """Whether stored answers are other ones than at a look before."""

    revision: int
    """Another one after every answer that was stored."""
    stale: int
    """Faces whose answer is of another state of the gallery, or that have none."""
    alone: int
    """Those whose answer is of this state, each face answered alone."""
    more: int
    """Sure faces of a character, to decide of, that were not so at the look before."""


class AnswerReader:
    """Reads stored answers; store.Store has one.

    All methods want the id of the encoder in use, by which stale answers are known.
    """

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading

    def now(self, encoder: str) -> GalleryState:
        """Return what answers would be of now."""
        with self._reading() as connection:
            return _now(connection, encoder)

    def counts(self, encoder: str) -> AnswerCounts:
        """Return how many faces there are of each kind; they are kept, so that none is counted."""
        with self._reading() as connection:
            current = _current(connection, encoder)
            is_calibrated = _now(connection, encoder).calibration != ""
            rows = connection.execute(select(answer_counts).where(answer_counts.c.faces > 0)).all()
            names = _names(connection, {row.character_id for row in rows})
        kinds: dict[tuple[str, str, int], int] = {}
        for row in rows:
            kind = (row.decided, row.verdict, row.character_id)
            kinds[kind] = kinds.get(kind, 0) + row.faces
        found = [
            AnswerCount(
                _kept_decided(decided),
                _kept_verdict(verdict),
                names[character_id][0] if character_id in names else None,
                faces,
            )
            for (decided, verdict, character_id), faces in kinds.items()
        ]
        return AnswerCounts(
            faces=sum(row.faces for row in rows),
            stale=sum(row.faces for row in rows if row.state_id not in current),
            alone=sum(
                row.faces for row in rows if is_calibrated and not current.get(row.state_id, True)
            ),
            kinds=tuple(sorted(found, key=lambda one: (one.character or "", -one.faces))),
        )

    def to_decide(
        self, encoder: str, verdict: Verdict, counted: AnswerCounts | None = None
    ) -> dict[str, int]:
        """Return how many faces of a verdict each character has to decide of, most first.

        Faces that are samples need no decision. `counted` is what `counts` gave, where that was
        just asked.
        """
        counts = (counted or self.counts(encoder)).names(verdict)
        with self._reading() as connection:
            enrolled = sorted({row.id for row in connection.execute(enrolled_faces())})
            owners = [
                owner
                for some in portions(enrolled)
                for owner in connection.scalars(
                    select(answers.c.character_id).where(
                        answers.c.sighting_id.in_(some),
                        answers.c.decided == Decided.UNDECIDED.value,
                        answers.c.verdict == verdict.value,
                    )
                )
            ]
            names = _names(connection, set(owners))
        done = Counter(names[owner][0] for owner in owners if owner in names)
        left = [(name, faces - done[name]) for name, faces in counts.items()]
        left = [one for one in left if one[1] > 0]
        return dict(sorted(left, key=lambda one: (-one[1], one[0])))

    def left_to_decide(self, verdict: Verdict, character: str) -> int:
        """Return how many faces of a verdict one character has to decide of; see `to_decide`.

        Raises InputError for a name that nobody has.
        """
        with self._reading() as connection:
            return _left(connection, verdict, character)

    def news(self, encoder: str, character: str | None = None, since: int = 0) -> AnswerNews:
        """Return what changed since a revision; nothing is counted but a character's new faces.

        Raises InputError for a name that nobody has.
        """
        count = cast(func.sum(answer_counts.c.faces), Whole).label("faces")
        more = 0
        with self._reading() as connection:
            current = _current(connection, encoder)
            is_calibrated = _now(connection, encoder).calibration != ""
            rows = connection.execute(
                select(answer_counts.c.state_id, count).group_by(answer_counts.c.state_id)
            ).all()
            revision = int(connection.scalar(select(state.c.revision)) or 0)
            if character is not None:
                more = _left(connection, Verdict.SURE, character, answers.c.since > since)
        return AnswerNews(
            revision,
            stale=sum(row.faces for row in rows if row.state_id not in current),
            alone=sum(
                row.faces for row in rows if is_calibrated and not current.get(row.state_id, True)
            ),
            more=more,
        )

    def page(
        self,
        encoder: str,
        verdict: Verdict | None,
        character: str | None = None,
        *,
        decided: Decided = Decided.UNDECIDED,
        after: str | None = None,
        limit: int = PAGE,
        rest: int = 0,
        likeliest: bool = False,
        enrolled: bool = True,
    ) -> AnswerPage:
        """Return faces of a verdict, of one character or name by name, least likely first.

        `verdict` None asks for faces that were not answered yet. `decided` chooses between those
        that nobody decided of and confirmed, ignored or no faces (SURE and CONFIRMED: the
        confirmed ones of a character; UNKNOWN and IGNORED). `after` is where the page before
        ended; with `likeliest` the likeliest come first. Without `enrolled` faces that are
        samples are left out. Where at most `rest` more were left behind the page, they come with
        it. Raises InputError for a name that nobody has, and for an `after` that no page gave.
        """
        name, rank, face = answers.c.character_id, answers.c.rank, answers.c.sighting_id
        said = "" if verdict is None else verdict.value
        view = [answers.c.decided == decided.value, answers.c.verdict == said]
        with self._reading() as connection:
            if not enrolled:
                view.append(~is_enrolled())
            has_names = verdict in (Verdict.SURE, Verdict.UNSURE)
            if character is not None:
                view.append(name == _character_id(connection, character))
            elif not has_names:
                view.append(name.is_(None))
            order: list[Any] = [rank, face]
            if character is None and has_names:
                # Names in their order even where the likeliest come first.
                order = [name, rank, face]
            query = select(answers.c.sighting_id, *(order[:-1])).where(*view)
            query = _from(query, order, after, limit + rest, backwards=likeliest)
            rows = connection.execute(query).all()
            return _page(
                connection, encoder, rows, limit if len(rows) > limit + rest else len(rows)
            )

    def in_picture(self, encoder: str, path: Path) -> tuple[StoredAnswer, ...]:
        """Return the faces of a labelled picture, from left to right."""
        with self._reading() as connection:
            rows = connection.scalars(
                select(sightings.c.id)
                .join(pictures, pictures.c.digest == sightings.c.digest)
                .where(pictures.c.path == str(path))
            )
            found = _answers(connection, encoder, list(rows))
        return tuple(sorted(found.values(), key=lambda one: (one.box.left, one.face)))

    def in_video(
        self, encoder: str, path: Path, *, after: str | None = None, limit: int = PAGE
    ) -> AnswerPage:
        """Return the tracks of a labelled video, in the order of their beginnings."""
        with self._reading() as connection:
            query = (
                select(tracks.c.sighting_id, tracks.c.start)
                .join(shots, shots.c.id == tracks.c.shot_id)
                .join(videos, videos.c.digest == shots.c.digest)
                .where(videos.c.path == str(path))
            )
            query = _from(query, [tracks.c.start, tracks.c.sighting_id], after, limit)
            return _page(connection, encoder, connection.execute(query).all(), limit)

    def video_counts(self) -> dict[str, dict[tuple[Decided, Verdict | None], int]]:
        """Return how many tracks of each labelled video there are of each kind.

        By the videos' digests, then by what is decided of them and what is answered.
        """
        found: dict[str, dict[tuple[Decided, Verdict | None], int]] = {}
        with self._reading() as connection:
            kind = (shots.c.digest, answers.c.decided, answers.c.verdict)
            rows = connection.execute(
                select(*kind, func.count().label("tracks"))
                .select_from(tracks)
                .join(shots, shots.c.id == tracks.c.shot_id)
                .join(answers, answers.c.sighting_id == tracks.c.sighting_id)
                .group_by(*kind)
            )
            for row in rows:
                own = found.setdefault(row.digest, {})
                own[_kept_decided(row.decided), _kept_verdict(row.verdict)] = row.tracks
        return found

    def in_cluster(
        self, encoder: str, number: int, *, after: str | None = None, limit: int = PAGE
    ) -> AnswerPage:
        """Return the faces of a cluster by their numbers, also those that have a name by now."""
        with self._reading() as connection:
            query = select(sightings.c.id).where(sightings.c.cluster == number)
            query = _from(query, [sightings.c.id], after, limit)
            return _page(connection, encoder, connection.execute(query).all(), limit)

    def unknown_clusters(self) -> dict[int | None, int]:
        """Return how many unknown faces there are to decide of in each cluster, None: in none.

        Largest clusters come first.
        """
        with self._reading() as connection:
            count = func.count().label("faces")
            unknown = select(answers.c.sighting_id).where(*_unknown())
            # From the index of clusters alone. A face that is looked up by its number, which a sum
            # is not, would be read with its crop.
            rows = connection.execute(
                select(sightings.c.cluster, count)
                .where(sightings.c.cluster.is_not(None), (sightings.c.id + 0).in_(unknown))
                .group_by(sightings.c.cluster)
                .order_by(count.desc(), sightings.c.cluster)
            )
            found: dict[int | None, int] = {row.cluster: row.faces for row in rows}
            every = select(func.count()).select_from(answers).where(*_unknown())
            alone = int(connection.scalar(every) or 0) - sum(found.values())
        if alone:
            found[None] = alone
        return dict(sorted(found.items(), key=lambda one: -one[1]))

    def unknown_alone(self, encoder: str, limit: int = PAGE) -> tuple[StoredAnswer, ...]:
        """Return unknown faces to decide of that are in no cluster, by their numbers."""
        with self._reading() as connection:
            grouped = select(sightings.c.id).where(sightings.c.cluster.is_not(None))
            found = connection.scalars(
                select(answers.c.sighting_id)
                .where(*_unknown(), answers.c.sighting_id.not_in(grouped))
                .order_by(answers.c.sighting_id)
                .limit(limit)
            )
            return tuple(_answers(connection, encoder, list(found)).values())

    def unknown_members(self, clusters: Collection[int] | None = None) -> dict[int, dict[int, int]]:
        """Return the unknown faces to decide of in each cluster, with what owns their states.

        Decisions by faces by clusters, all by their numbers; a face with 0 was never decided of.
        Only in some clusters where these are given.
        """
        if clusters is not None:
            return self._unknown_members_of(sorted(clusters))
        found: dict[int, dict[int, int]] = {}
        with self._reading() as connection:
            unknown = connection.execute(
                select(answers.c.sighting_id, answers.c.owner).where(*_unknown())
            )
            owners = {row.sighting_id: row.owner for row in unknown}
            # From the index alone: a joined row of a face would be read with its crop.
            rows = connection.execute(
                select(sightings.c.id, sightings.c.cluster)
                .where(sightings.c.cluster.is_not(None))
                .order_by(sightings.c.cluster, sightings.c.id)
            )
            for row in rows:
                if row.id in owners:
                    found.setdefault(row.cluster, {})[row.id] = owners[row.id]
        return found

    def _unknown_members_of(self, numbers: Sequence[int]) -> dict[int, dict[int, int]]:
        clusters: dict[int, int] = {}
        owners: dict[int, int] = {}
        with self._reading() as connection:
            # One after the other: a joined row of a face would be read with its crop.
            for some in portions(numbers):
                rows = connection.execute(
                    select(sightings.c.id, sightings.c.cluster).where(sightings.c.cluster.in_(some))
                )
                clusters.update({row.id: row.cluster for row in rows})
            for some in portions(sorted(clusters)):
                rows = connection.execute(
                    select(answers.c.sighting_id, answers.c.owner).where(
                        *_unknown(), answers.c.sighting_id.in_(some)
                    )
                )
                owners.update({row.sighting_id: row.owner for row in rows})
        found: dict[int, dict[int, int]] = {}
        for face, owner in sorted(owners.items()):
            found.setdefault(clusters[face], {})[face] = owner
        return found

    def owners(self, faces: Collection[int]) -> dict[int, int]:
        """Return the decisions that own the states of those of the seen faces that are there."""
        with self._reading() as connection:
            return owners_in(connection, faces)

    def of_faces(self, encoder: str, faces: Collection[int]) -> dict[int, StoredAnswer]:
        """Return what is said of those of the faces that are there, by their numbers."""
        with self._reading() as connection:
            return _answers(connection, encoder, sorted(faces))

    def wanted(self, encoder: str, *, jointly: bool) -> list[int]:
        """Return the faces whose answers are stale, those of a file one after the other.

        With `jointly` those that were answered alone, too. Faces that a person decided of come
        last, for their answers are known. Faces that the encoder has not described are left out.
        """
        with self._reading() as connection:
            good = [
                number
                for number, is_joint in _current(connection, encoder).items()
                if is_joint or not jointly
            ]
            is_stale = or_(answers.c.state_id.is_(None), answers.c.state_id.not_in(good))
            is_decided = answers.c.decided != Decided.UNDECIDED.value
            return list(
                connection.scalars(
                    select(answers.c.sighting_id)
                    .join(sighting_descriptors, _described(encoder))
                    .join(sightings, sightings.c.id == answers.c.sighting_id)
                    .where(is_stale)
                    .order_by(is_decided, sightings.c.path, sightings.c.id)
                )
            )

    def doubted(self, encoder: str) -> list[int]:
        """Return the answered faces whose answers are to be made anew since a person decided.

        Faces that the encoder has not described are left out.
        """
        with self._reading() as connection:
            return list(
                connection.scalars(
                    select(answers.c.sighting_id)
                    .join(sighting_descriptors, _described(encoder))
                    .where(answers.c.state_id.is_(None), answers.c.verdict != "")
                    .order_by(answers.c.sighting_id)
                )
            )

    def unheeded(self) -> list[int]:
        """Return the rejections of names that answers of faces nearly the same were not told of."""
        with self._reading() as connection:
            return list(connection.scalars(select(rejections.c.id).where(~rejections.c.is_heeded)))


def _described(encoder: str) -> ColumnElement[bool]:
    return and_(
        sighting_descriptors.c.sighting_id == answers.c.sighting_id,
        sighting_descriptors.c.encoder == encoder,
    )


def _unknown() -> tuple[ColumnElement[bool], ...]:
    return (
        answers.c.decided == Decided.UNDECIDED.value,
        answers.c.verdict == Verdict.UNKNOWN.value,
    )


def _now(connection: Connection, encoder: str) -> GalleryState:
    change = str(connection.scalar(select(state.c.change)))
    row = connection.execute(
        select(calibrations).where(calibrations.c.encoder == encoder)
    ).one_or_none()
    calibration = ""
    if row is not None:
        calibration = hashlib.sha256(f"{row.made_at} {row.body}".encode()).hexdigest()
    newest = connection.scalar(select(func.coalesce(func.max(decisions.c.id), 0)))
    return GalleryState(change, encoder, calibration, int(newest or 0))


def _current(connection: Connection, encoder: str) -> dict[int, bool]:
    """Return the ids of the present state, each with whether it is of joint answers."""
    now = _now(connection, encoder)
    rows = connection.execute(
        select(answer_states.c.id, answer_states.c.is_joint).where(
            answer_states.c.change == now.change,
            answer_states.c.encoder == now.encoder,
            answer_states.c.calibration == now.calibration,
        )
    )
    return {row.id: row.is_joint for row in rows}


def _from(
    query: Select[Any], order: list[Any], after: str | None, limit: int, *, backwards: bool = False
) -> Select[Any]:
    """Let a query begin where a page ended, and end one row behind the next one."""
    way = [column.desc() for column in order] if backwards else order
    if after is not None:
        places = _places(after, len(order))
        begin: ColumnElement[bool] = tuple_(*order) > tuple_(*places)
        if backwards:
            begin = tuple_(*order) < tuple_(*places)
        query = query.where(begin)
    return query.order_by(*way).limit(limit + 1)


def _places(after: str, count: int) -> list[float | int]:
    """Return the places that _page wrote, the last of them a whole number."""
    try:
        *places, face = after.split("_")
        found = [*map(float, places), int(face)]
    except ValueError:
        found = []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise BadSetting("after", f"No page ended at {after!r}", "begin with the first page")
    return found


def _page(connection: Connection, encoder: str, rows: Sequence[Any], limit: int) -> AnswerPage:
    """Return the answers of rows: a face, then what it is ordered by before its number."""
    kept = rows[:limit]
    found = _answers(connection, encoder, [row[0] for row in kept])
    after = None
    if len(rows) > limit and kept:
        face, *places = kept[-1]
        after = "_".join([*map(repr, places), str(face)])
    return AnswerPage(tuple(found[row[0]] for row in kept), after)


def _left(
    connection: Connection, verdict: Verdict, character: str, *which: ColumnElement[bool]
) -> int:
    """Return how many faces of a verdict and a character nobody decided of; samples need nobody."""
    found = connection.scalar(
        select(func.count())
        .select_from(answers)
        .where(
            answers.c.decided == Decided.UNDECIDED.value,
            answers.c.verdict == verdict.value,
            answers.c.character_id == _character_id(connection, character),
            *which,
            ~is_enrolled(),
        )
    )
    return int(found or 0)


def owners_in(connection: Connection, faces: Collection[int]) -> dict[int, int]:
    """Return the decisions that own the states of seen faces; 0 where nothing is decided."""
    found: dict[int, int] = {}
    for some in portions(sorted(faces)):
        rows = connection.execute(
            select(answers.c.sighting_id, answers.c.owner).where(answers.c.sighting_id.in_(some))
        )
        found.update({row.sighting_id: row.owner for row in rows})
    return found


def _answers(connection: Connection, encoder: str, faces: Sequence[int]) -> dict[int, StoredAnswer]:
    """Return what is said of seen faces, by their numbers, in their order."""
    rows: dict[int, Any] = {}
    times = [
        type_coerce(tracks.c[name], Real(optional=True)).label(name)
        for name in ("start", "end", "best")
    ]
    for some in portions(faces):
        query = (
            select(
                answers,
                sightings.c.path,
                *(sightings.c[side] for side in Box._fields),
                *times,
                sightings.c.cluster,
            )
            .join(sightings, sightings.c.id == answers.c.sighting_id)
            .outerjoin(tracks, tracks.c.sighting_id == answers.c.sighting_id)
            .where(answers.c.sighting_id.in_(some))
        )
        rows.update({row.sighting_id: row for row in connection.execute(query)})
    nearest = dict(zip(rows, _unpacked([row.alternatives for row in rows.values()]), strict=True))
    wanted = {number for own in nearest.values() for number, _ in own}
    wanted |= {row.character_id for row in rows.values() if row.character_id is not None}
    names, current = _names(connection, wanted), _current(connection, encoder)
    return {
        face: _answer(rows[face], nearest[face], names, current) for face in faces if face in rows
    }


def _answer(
    row: Any,
    nearest: list[tuple[int, float]],
    names: dict[int, tuple[str, bool]],
    current: dict[int, bool],
) -> StoredAnswer:
    return StoredAnswer(
        face=row.sighting_id,
        path=Path(row.path),
        box=box_of(row),
        times=None if row.start is None else (row.start, row.end, row.best),
        decided=_kept_decided(row.decided),
        decision=row.owner,
        verdict=_kept_verdict(row.verdict),
        character=names[row.character_id][0] if row.character_id in names else None,
        likelihood=row.likelihood,
        stranger=row.stranger,
        distance=row.distance,
        alternatives=tuple(
            Alternative(*names[number], distance) for number, distance in nearest if number in names
        ),
        is_stale=row.state_id not in current,
        cluster=row.cluster,
    )


def _unpacked(blobs: Sequence[bytes]) -> list[list[tuple[int, float]]]:
    """Return the characters and distances of each blob."""
    if any(len(blob) % ALTERNATIVE.itemsize for blob in blobs):
        raise DamagedValueError
    pairs = iter(np.frombuffer(b"".join(blobs), ALTERNATIVE).tolist())
    return [list(islice(pairs, len(blob) // ALTERNATIVE.itemsize)) for blob in blobs]


def _names(connection: Connection, ids: Collection[int]) -> dict[int, tuple[str, bool]]:
    """Return name and whether it is a reject class, for those of the ids that exist."""
    found: dict[int, tuple[str, bool]] = {}
    for some in portions(sorted(ids)):
        rows = connection.execute(select(characters).where(characters.c.id.in_(some)))
        found.update({row.id: (row.name, row.is_reject) for row in rows})
    return found


def _character_id(connection: Connection, name: str) -> int:
    found = connection.scalar(select(characters.c.id).where(characters.c.name == name))
    if found is None:
        raise NoSuchCharacter(name)
    return int(found)


def _kept_decided(value: str) -> Decided:
    try:
        return Decided(value)
    except ValueError as error:
        raise DamagedValueError from error


def _kept_verdict(value: str) -> Verdict | None:
    try:
        return Verdict(value) if value else None
    except ValueError as error:
        raise DamagedValueError from error
