"""Writing what the gallery says of seen faces; answers.py reads it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    CompoundSelect,
    Connection,
    Table,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    union,
    update,
)

from gallery.numerics.assignment import pairs_of
from gallery.numerics.distances import overlaps_in_rows
from gallery.store.answers import ALTERNATIVE, MOST_ALTERNATIVES, GalleryState, owners_in
from gallery.store.decided import ruled
from gallery.store.descriptors import portions
from gallery.store.rejections import SAME_PLACE
from gallery.store.steps import DecidedFace, keys_in, states_in
from gallery.store.tables import (
    answer_counts,
    answer_states,
    answers,
    characters,
    contents,
    decided_faces,
    decisions,
    shots,
    sightings,
    state,
    tracks,
)
from gallery.types import UNDECIDED, Answer, Box, Decided, FaceState, Verdict

SAID = (
    "state_id", "decided", "owner", "verdict", "character_id", "own_verdict", "own_character_id",
)  # fmt: skip
FACE = (
    sightings.c.id,
    *(sightings.c[side] for side in Box._fields),
    *(answers.c[name] for name in SAID),
)
"""A seen face: where it is in its picture, and what is said of it."""

Spans: TypeAlias = Sequence[tuple[float, float]]
"""Times of a video, in seconds; none where a file is a picture."""

ALL_TIMES: Spans = ((-math.inf, math.inf),)

NOBODY_NEAR = -1000.0
"""Ranks below every distance."""

FEW = 8
"""Rows that are to have the same are written by one statement where these are as many at least."""

_SIDES = attrgetter(*Box._fields)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a row says of a face, and by which decision."""

    decided: str
    owner: int
    verdict: str
    character_id: int | None

    def columns(self) -> dict[str, object]:
        return {
            "decided": self.decided,
            "owner": self.owner,
            "verdict": self.verdict,
            "character_id": self.character_id,
        }


class AnswerWriter:
    """Writes answers; writer.Writer and deciding.DecisionWriter have one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(
        self,
        state: GalleryState,
        own: Mapping[int, Answer],
        digests: Collection[str],
        *,
        jointly: bool = False,
    ) -> None:
        """Store what the gallery by itself says of seen faces, given by their numbers.

        `state` is what the gallery was before they were answered, and `digests` are of all their
        pictures and videos. What a person decided of a face rules what its row says; answers of
        faces that somebody decided of since then are to be made anew.
        """
        if own:
            self._put(state, own, jointly=jointly)
        late = self._connection.scalars(
            select(decisions.c.face_id).where(decisions.c.id > state.decisions)
        )
        self._heed(dict.fromkeys(digests, ALL_TIMES), set(late))

    def _put(self, state: GalleryState, own: Mapping[int, Answer], *, jointly: bool) -> None:
        wanted = {one.character for answer in own.values() for one in answer.matches}
        ids = {name: number for name, (number, _) in self._characters(wanted).items()}
        number = self._state_id(state, jointly=jointly)
        undecided = answers.c.decided == Decided.UNDECIDED.value
        is_new = answers.c.verdict.is_distinct_from(bindparam("as_verdict")) | (
            answers.c.character_id.is_distinct_from(bindparam("as_character_id"))
        )
        self._connection.execute(
            update(answers)
            .where(answers.c.sighting_id == bindparam("face"))
            .values(
                state_id=number,
                own_verdict=bindparam("as_verdict"),
                own_character_id=bindparam("as_character_id"),
                distance=bindparam("as_distance"),
                likelihood=bindparam("as_likelihood"),
                stranger=bindparam("as_stranger"),
                rank=bindparam("as_rank"),
                alternatives=bindparam("as_alternatives"),
                verdict=case((undecided, bindparam("as_verdict")), else_=answers.c.verdict),
                character_id=case(
                    (undecided, bindparam("as_character_id")), else_=answers.c.character_id
                ),
                since=case((undecided & is_new, self._revise()), else_=answers.c.since),
            ),
            [{"face": face, **_own_columns(answer, ids)} for face, answer in own.items()],
        )

    def _revise(self) -> int:
        """Begin a revision of the answers, and return its number."""
        revised = self._connection.execute(
            update(state).values(revision=state.c.revision + 1).returning(state.c.revision)
        )
        return int(revised.scalar_one())

    def doubt(self, faces: Collection[int]) -> None:
        """Say that answers of seen faces are to be made anew."""
        for some in portions(list(faces)):
            self._connection.execute(
                update(answers).where(answers.c.sighting_id.in_(some)).values(state_id=None)
            )

    def follow(self, source_id: int, target_id: int) -> None:
        """Give what is said of one character to another, which the first becomes part of."""
        for column in (answers.c.character_id, answers.c.own_character_id):
            self._connection.execute(
                update(answers).where(column == source_id).values({column: target_id})
            )

    def forget(self, character_id: int) -> None:
        """Say of nobody that the face shows a character that is no more."""
        self._connection.execute(
            update(answers)
            .where(answers.c.character_id == character_id)
            .values(
                decided=Decided.UNDECIDED.value,
                owner=0,
                verdict=Verdict.UNKNOWN.value,
                character_id=None,
            )
        )

    def owners(self, faces: Collection[int]) -> dict[int, int]:
        """Return the decisions that own the states of seen faces; 0 where nothing is decided."""
        return owners_in(self._connection, faces)

    def decided(self, faces: Iterable[DecidedFace]) -> None:
        """Let seen faces say what a person decided just now, given the decided faces.

        The gallery's own answer of a face that is not decided any more, or that is said not to show
        somebody, is to be made anew.
        """
        spans: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        late: set[int] = set()
        for one in faces:
            late.add(one.id)
            spans[one.digest] += [] if one.times is None else [one.times[:2]]
        self._heed(spans, late)

    def undone(self, step: int) -> bool:
        """Let seen faces say what a step restored that undoes another; say whether all are found.

        Each is found by the decision that owned what it says. Where nothing was decided before the
        step, where the face is not seen any more, and where its character is gone, none is found:
        then nothing is done, and all faces of the files are to be looked at; see `decided`.
        """
        log = decisions.c
        rows = self._connection.execute(
            select(
                answers.c.sighting_id.label("id"),
                *(answers.c[name] for name in SAID),
                log.after_owner,
                log.after_state.label("state"),
                log.after_name_id.label("name_id"),
                log.after_not_ids.label("not_ids"),
            ).where(
                log.step_id == step,
                answers.c.owner == log.before_owner,
                # Word for word as the index is said, or SQLite would not take it.
                answers.c.owner != literal(0, literal_execute=True),
            )
        ).all()
        count = self._connection.scalar(select(func.count()).where(log.step_id == step))
        if not len({row.owner for row in rows}) == len(rows) == count:
            return False
        states = self._states({row.id: row for row in rows})
        ids = self._ids_of(states.values())
        said = [_said(row, states[row.id], ids, row.after_owner) for row in rows]
        self._say(rows, said, {row.id for row in rows})
        return True

    def _answered_beside(self, faces: Sequence[int]) -> set[int]:
        """Return those that the gallery answered of the faces in the pictures of some.

        Of videos those at their times.
        """
        found: set[int] = set()
        for some in portions(faces):
            beside = _beside_in_files(some).subquery()
            # Were more asked here, SQLite would rather look through all undecided ones.
            rows = self._connection.execute(
                select(answers.c.sighting_id, answers.c.state_id, answers.c.decided).join(
                    beside, beside.c.id == answers.c.sighting_id
                )
            )
            found.update(
                row.sighting_id
                for row in rows
                if row.state_id is not None and row.decided == Decided.UNDECIDED.value
            )
        return found

    def _say(
        self, rows: Sequence[Any], said: Sequence[_Said | None], late: Collection[int]
    ) -> None:
        """Let the rows of seen faces say what they do not yet; None for those that stay.

        Those of which something was decided late are answered anew, unless the decision answers
        them. So are those beside one that has another name now, which is another matter for them.
        """
        put_values(
            self._connection,
            answers,
            {
                row.id: one.columns()
                for row, one in zip(rows, said, strict=True)
                if one and one != _Said(row.decided, row.owner, row.verdict, row.character_id)
            },
        )
        renamed = [
            row.id
            for row, one in zip(rows, said, strict=True)
            if one and row.id in late and one.character_id != row.character_id
        ]
        doubtful = {
            row.id
            for row, one in zip(rows, said, strict=True)
            if row.id in late
            and row.state_id is not None
            and (one is None or one.decided == Decided.UNDECIDED.value)
        }
        self.doubt(doubtful | self._answered_beside(renamed))

    def _ids_of(self, states: Iterable[FaceState]) -> dict[str, tuple[int, bool]]:
        """Return id and whether it is a reject class, for whom states name or reject."""
        return self._characters(
            {name for one in {*states} for name in (one.character, *one.not_these) if name}
        )

    def _heed(self, spans: Mapping[str, Spans], late: set[int]) -> None:
        """Let seen faces of files, and of times in videos, say what a person decided of them.

        Those that are decided faces of which something was decided late are answered anew, unless
        the decision answers them. So are those beside one that has another name now.
        """
        keys = keys_in(self._connection, spans.keys())
        group = {key: min(own) for own in keys.values() for key in own}
        decided = self._decided(group)
        if not decided:
            return
        states = self._states(decided)
        ids = self._ids_of(states.values())
        rows = [*self._seen(group, decided.values(), spans)]
        files = [group[row.file] for row in rows]
        faces = _matched(rows, files, decided, group)
        said = [
            None
            if face is None and _says_its_own(row)
            else _said(row, states.get(face, UNDECIDED), ids, self._owner(decided, face))
            for row, face in zip(rows, faces, strict=True)
        ]
        self._say(
            rows, said, {row.id for row, face in zip(rows, faces, strict=True) if face in late}
        )

    @staticmethod
    def _owner(decided: Mapping[int, Any], face: int | None) -> int:
        return 0 if face is None else int(decided[face].owner)

    def _decided(self, group: Collection[str]) -> dict[int, Any]:
        """Return the rows of the faces of files that were ever decided of, by id."""
        found: dict[int, Any] = {}
        columns = [column for column in decided_faces.c if column.name != "path"]
        for some in portions(sorted(group)):
            rows = self._connection.execute(
                select(*columns)
                .where(decided_faces.c.digest.in_(some))
                .order_by(decided_faces.c.digest, decided_faces.c.id)
            )
            found.update({row.id: row for row in rows})
        return found

    def _states(self, decided: Mapping[int, Any]) -> dict[int | None, FaceState]:
        """Return what of the decided faces' states rules, by their ids."""
        states = states_in(self._connection)
        found = {face: states(row.state, row.name_id, row.not_ids) for face, row in decided.items()}
        known = self._ids_of(found.values())
        rejects = {name: is_reject for name, (_, is_reject) in known.items()}
        ruling = {state: ruled(state, rejects) for state in set(found.values())}
        return {face: ruling[state] for face, state in found.items()}

    def _seen(
        self, group: Mapping[str, str], decided: Iterable[Any], spans: Mapping[str, Spans]
    ) -> Iterable[Any]:
        """Yield the rows of seen faces of the decided faces' files, with what is said of them.

        Of videos only some times are wanted.
        """
        own: defaultdict[str, list[Any]] = defaultdict(list)
        for row in decided:
            own[group[row.digest]].append(row)
        files = {key: own[file] for key, file in group.items() if file in own}
        for some in portions(sorted(files)):
            yield from self._connection.execute(
                select(
                    *FACE,
                    sightings.c.digest.label("file"),
                    null().label("start"),
                    null().label("end"),
                )
                .join(answers, answers.c.sighting_id == sightings.c.id)
                .where(sightings.c.digest.in_(some))
                # Copies show a face alike: each look is to find it in the same one.
                .order_by(sightings.c.digest, *(sightings.c[side] for side in Box._fields))
            ).all()
            yield from self._seen_in_videos(some, files, spans)

    def _seen_in_videos(
        self, some: Sequence[str], decided: Mapping[str, Sequence[Any]], spans: Mapping[str, Spans]
    ) -> Iterable[Any]:
        """Yield such rows of tracks, of those of some files that are videos."""
        films: defaultdict[str, list[Any]] = defaultdict(list)
        for row in self._connection.execute(
            select(shots.c.id, shots.c.digest, shots.c.start, shots.c.end)
            .where(shots.c.digest.in_(some))
            .order_by(shots.c.digest)
        ):
            films[row.digest].append(row)
        wanted = [
            shot
            for film, rows in films.items()
            for shot in _near(rows, decided[film], spans.get(film, ALL_TIMES))
        ]
        for some_shots in portions(wanted):
            yield from self._connection.execute(
                select(*FACE, shots.c.digest.label("file"), tracks.c.start, tracks.c.end)
                .join_from(shots, tracks, tracks.c.shot_id == shots.c.id)
                .join(sightings, sightings.c.id == tracks.c.sighting_id)
                .join(answers, answers.c.sighting_id == sightings.c.id)
                .where(shots.c.id.in_(some_shots))
                .order_by(tracks.c.shot_id, tracks.c.sighting_id)
            ).all()

    def _characters(self, names: Collection[str]) -> dict[str, tuple[int, bool]]:
        """Return id and whether it is a reject class, for those of the names that somebody has."""
        found: dict[str, tuple[int, bool]] = {}
        for some in portions(sorted(names)):
            rows = self._connection.execute(select(characters).where(characters.c.name.in_(some)))
            found.update({row.name: (row.id, row.is_reject) for row in rows})
        return found

    def _state_id(self, state: GalleryState, *, jointly: bool) -> int:
        """Return what stands for a state of the gallery; states of no answer go for a new one."""
        values = {
            "change": state.change,
            "encoder": state.encoder,
            "calibration": state.calibration,
            "is_joint": jointly,
        }
        known = self._connection.scalar(
            select(answer_states.c.id).where(
                *(answer_states.c[name] == value for name, value in values.items())
            )
        )
        if known is not None:
            return int(known)
        used = exists().where(answers.c.state_id == answer_states.c.id)
        self._connection.execute(delete(answer_states).where(~used))
        self._connection.execute(delete(answer_counts).where(answer_counts.c.faces == 0))
        added = self._connection.execute(
            insert(answer_states).values(**values).returning(answer_states.c.id)
        )
        return int(added.scalar_one())


def _beside_in_files(faces: Sequence[int]) -> CompoundSelect[tuple[int]]:
    """Return the seen faces of the pictures that some are of, or at their times in videos."""
    one, other = sightings.alias(), sightings.alias()
    own, copies = contents.alias(), contents.alias()
    track, beside = tracks.alias(), tracks.alias()
    shot, near = shots.alias(), shots.alias()
    in_file = (
        select(other.c.id).join(one, one.c.digest == other.c.digest).where(one.c.id.in_(faces))
    )
    in_copies = (
        select(other.c.id)
        .join(copies, copies.c.digest == other.c.digest)
        .join(own, own.c.pixels == copies.c.pixels)
        .join(one, one.c.digest == own.c.digest)
        .where(one.c.id.in_(faces))
    )
    at_times = (
        select(beside.c.sighting_id)
        .join(near, near.c.id == beside.c.shot_id)
        .join(shot, shot.c.digest == near.c.digest)
        .join(track, track.c.shot_id == shot.c.id)
        .where(
            track.c.sighting_id.in_(faces),
            near.c.start <= track.c.end,
            near.c.end >= track.c.start,
            beside.c.start <= track.c.end,
            beside.c.end >= track.c.start,
        )
    )
    return union(in_file, in_copies, at_times)


def put_values(
    connection: Connection, table: Table, values: Mapping[int, Mapping[str, object]]
) -> None:
    """Give rows of a table values of their columns, by the numbers of their key.

    An undo gives thousands of rows the same, and a statement costs as much as many rows do.
    """
    (key,) = table.primary_key
    alike: defaultdict[tuple[tuple[str, object], ...], list[int]] = defaultdict(list)
    for number, own in values.items():
        alike[tuple(own.items())].append(number)
    if not values:
        return
    if FEW * len(alike) <= len(values):
        for same, numbers in alike.items():
            for some in portions(numbers):
                connection.execute(update(table).where(key.in_(some)).values(dict(same)))
        return
    columns: dict[str, Any] = {
        name: bindparam(f"as_{name}") for name in next(iter(values.values()))
    }
    connection.execute(
        update(table).where(key == bindparam("number")).values(columns),
        [
            {"number": number, **{f"as_{name}": value for name, value in own.items()}}
            for number, own in values.items()
        ],
    )


def _own_columns(answer: Answer, ids: Mapping[str, int]) -> dict[str, object]:
    """Return an answer of the gallery itself as its columns hold it."""
    nearest = [one for one in answer.matches if one.character in ids][:MOST_ALTERNATIVES]
    packed = np.array([(ids[one.character], one.distance) for one in nearest], ALTERNATIVE)
    verdict, name = answer.verdict, answer.character
    if name is not None and name not in ids:
        # Forgotten since it was answered.
        verdict, name = Verdict.UNKNOWN, None
    rank = answer.probability
    if rank is None:
        rank = NOBODY_NEAR if answer.distance is None else -answer.distance
    return {
        "as_verdict": verdict.value,
        "as_character_id": None if name is None else ids[name],
        "as_distance": answer.distance,
        "as_likelihood": answer.probability,
        "as_stranger": answer.stranger,
        "as_rank": rank,
        "as_alternatives": packed.tobytes(),
    }


def _said(row: Any, state: FaceState, ids: Mapping[str, tuple[int, bool]], owner: int) -> _Said:
    """Return what the row of a face says by its state."""
    decided, name = state.decided, state.character
    if decided is Decided.CONFIRMED and name is not None:
        return _Said(decided.value, owner, Verdict.SURE.value, ids[name][0])
    if state.is_set_aside:
        return _Said(decided.value, owner, Verdict.UNKNOWN.value, None)
    verdict, character_id = row.own_verdict, row.own_character_id
    if character_id in {ids[one][0] for one in state.not_these}:
        verdict, character_id = Verdict.UNKNOWN.value, None
    return _Said(Decided.UNDECIDED.value, owner, verdict, character_id)


def _says_its_own(row: Any) -> bool:
    """Say whether a row says what the gallery by itself does, as where nothing was decided."""
    return (row.decided, row.owner, row.verdict, row.character_id) == (
        Decided.UNDECIDED.value,
        0,
        row.own_verdict,
        row.own_character_id,
    )


def _matched(
    seen: Sequence[Any],
    files: Sequence[str],
    decided: Mapping[int, Any],
    group: Mapping[str, str],
) -> list[int | None]:
    """Return which decided face each seen one is, given the files that these are of.

    Those that may be one are at the same time, or both of a picture.
    """
    order = {file: place for place, file in enumerate(sorted(set(files)))}
    others = [row for row in decided.values() if group[row.digest] in order]
    others.sort(key=lambda row: order[group[row.digest]])
    places = np.array([order[group[row.digest]] for row in others], np.int64)
    own = np.array([order[file] for file in files], np.int64)
    # Each seen face beside all decided ones of its file, which follow one another.
    first, last = (np.searchsorted(places, own, side) for side in ("left", "right"))
    counts = last - first
    one = np.repeat(np.arange(len(seen)), counts)
    other = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts - first, counts)
    shared = overlaps_in_rows(_boxes(seen)[one], _boxes(others)[other])
    times, known = _spans(seen)[one], _spans(others)[other]
    is_then = (times[:, 0] <= known[:, 1]) & (known[:, 0] <= times[:, 1])
    fits = np.flatnonzero(is_then & (shared >= SAME_PLACE))
    pairs = pairs_of(zip(-shared[fits], one[fits].tolist(), other[fits].tolist(), strict=True))
    return [others[pairs[row]].id if row in pairs else None for row in range(len(seen))]


def _near(rows: Sequence[Any], decided: Sequence[Any], asked: Spans) -> list[int]:
    """Return the ids of a video's shots in which something is wanted, given its shots.

    Decided faces that are to be seen in them may belong to their neighbours, which come, too.
    """
    times, known = _spans(rows), _spans(decided)
    touched = _overlapping(times, np.array(asked, np.float64).reshape(-1, 2)).any(axis=1)
    near = known[_overlapping(known, times[touched]).any(axis=1)]
    wanted = touched | _overlapping(times, near).any(axis=1)
    return [rows[row].id for row in np.flatnonzero(wanted).tolist()]


def _boxes(rows: Sequence[Any]) -> NDArray[np.float64]:
    """Return the boxes of rows, shape (n, 4)."""
    return np.fromiter(chain.from_iterable(map(_SIDES, rows)), np.float64).reshape(-1, 4)


def _spans(rows: Sequence[Any]) -> NDArray[np.float64]:
    """Return the times of rows, shape (n, 2); -1 for what is of a picture."""
    times = ((-1.0, -1.0) if row.start is None else (row.start, row.end) for row in rows)
    return np.fromiter(chain.from_iterable(times), np.float64).reshape(-1, 2)


def _overlapping(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (one[:, None, 0] <= other[None, :, 1]) & (other[None, :, 0] <= one[:, None, 1])
