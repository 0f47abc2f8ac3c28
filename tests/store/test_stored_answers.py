"""Stored answers: every seen face has one row, counts are kept, and damage is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import new_sample, vector
from postgres import Server

from gallery.errors import DamagedDatabase
from gallery.media.images import FileState
from gallery.store.answering import AnswerWriter
from gallery.store.answers import GalleryState, StoredAnswer
from gallery.store.reader import Store
from gallery.store.sightings import Observation
from gallery.store.steps import Action, FaceMeant
from gallery.types import (
    Answer,
    Box,
    Content,
    Decided,
    DescribedFace,
    Face,
    FaceState,
    Match,
    Place,
    Quality,
    Verdict,
    VideoShot,
    VideoTrack,
)

FACES = 3

GOOD = Quality(40.0, 0.5, None, None, None)


def observed(count: int = FACES) -> Observation:
    """A picture with so many faces beside one another."""
    blank = np.zeros((150, 150, 3), np.uint8)
    boxes = [Box(50.0 * row, 0.0, 50.0 * row + 40, 40.0) for row in range(count)]
    faces = tuple(
        DescribedFace(Face(box, 0.5), blank, vector(row), Quality(40.0, 0.5, None, None, None))
        for row, box in enumerate(boxes)
    )
    return Observation(Path("/seen.png"), FileState(1, 2), "1" * 64, 200, 100, faces)


def said(store: Store, name: str | None = "Rei", *, change: str | None = None) -> None:
    """Label the picture, and store that every face shows somebody."""
    now = store.answers.now("fake")
    if change is not None:
        now = GalleryState(change, now.encoder, now.calibration)
    verdict = Verdict.UNKNOWN if name is None else Verdict.SURE
    near = () if name is None else (Match(name, 0.25, False),)
    distance = None if name is None else 0.25
    with store.writing() as writer:
        numbers = writer.sightings.keep(observed(), "fake", "fake")
        answers = [Answer(one.face, verdict, name, distance, near) for one in observed().faces]
        own = {row: one for row, one in zip(numbers, answers, strict=True) if row is not None}
        writer.answers.put(now, own, {"1" * 64})


@pytest.fixture
def filled(store: Store) -> Store:
    with store.writing() as writer:
        writer.add(new_sample("Rei", 1))
        writer.sightings.keep(observed(), "fake", "fake")
    return store


def test_a_server_says_the_same(server: Server) -> None:
    with Store(server.gallery()) as store:
        with store.writing() as writer:
            sample = replace(new_sample("Rei", 1), digest="1" * 64)
            writer.add(replace(sample, face=observed().faces[0].face))
        said(store)
        assert store.answers.counts("fake").names(Verdict.SURE) == {"Rei": FACES}
        # The first face is a sample.
        assert store.sightings.enrolled() == {1: 1}
        assert store.answers.to_decide("fake", Verdict.SURE) == {"Rei": FACES - 1}
        news = store.answers.news("fake", "Rei")
        assert (news.stale, news.more) == (0, FACES - 1)
        page = store.answers.page("fake", Verdict.SURE, "Rei", enrolled=False)
        assert [one.face for one in page.faces] == [2, 3]
        assert store.answers.unheeded() == []


def test_a_face_has_a_row_from_its_beginning_to_its_end(filled: Store) -> None:
    counts = filled.answers.counts("fake")
    assert (counts.faces, counts.stale, counts.of(None)) == (FACES, FACES, FACES)
    assert len(filled.answers.page("fake", None).faces) == FACES
    said(filled)
    counts = filled.answers.counts("fake")
    assert (counts.faces, counts.stale, counts.names(Verdict.SURE)) == (FACES, 0, {"Rei": FACES})
    with filled.writing() as writer:
        writer.sightings.keep(observed(1), "fake", "fake")
    # Its crop may be another one.
    counts = filled.answers.counts("fake")
    assert (counts.faces, counts.stale, counts.names(Verdict.SURE)) == (1, 1, {"Rei": 1})
    with filled.writing() as writer:
        writer.sightings.forget()
    assert filled.answers.counts("fake").faces == 0
    assert filled.answers.page("fake", Verdict.SURE).faces == ()


def test_what_is_said_comes_back(filled: Store) -> None:
    said(filled)
    first, *_ = filled.answers.in_picture("fake", Path("/seen.png"))
    assert (first.box, first.distance, first.likelihood) == (Box(0, 0, 40, 40), 0.25, None)
    assert [(one.character, one.distance) for one in first.alternatives] == [("Rei", 0.25)]
    said(filled, None)
    first, *_ = filled.answers.in_picture("fake", Path("/seen.png"))
    assert (first.verdict, first.character, first.distance) == (Verdict.UNKNOWN, None, None)
    assert first.alternatives == ()


def test_states_of_no_answer_go(filled: Store, database: Path) -> None:
    for number in range(5):
        said(filled, change=f"change {number}")
    said(filled)
    with closing(sqlite3.connect(database)) as connection:
        # The one before goes with the next one.
        states = connection.execute("SELECT count(*) FROM answer_states").fetchone()
        counts = connection.execute("SELECT count(*) FROM answer_counts").fetchone()
    assert states <= (2,)
    assert counts <= (3,)


def test_a_name_that_nobody_has_any_more_is_not_stored(filled: Store) -> None:
    now = filled.answers.now("fake")
    (row, *_) = filled.answers.wanted("fake", jointly=False)
    face = observed().faces[0].face
    gone = Answer(face, Verdict.SURE, "Nobody", 0.1, (Match("Nobody", 0.1, False),))
    with filled.writing() as writer:
        writer.answers.put(now, {row: gone}, {"1" * 64})
    stored = filled.answers.of_faces("fake", [row])[row]
    assert (stored.verdict, stored.character, stored.alternatives) == (Verdict.UNKNOWN, None, ())


@pytest.mark.parametrize("kind", ["file", "server"])
def test_many_are_given_back_as_they_were(store: Store) -> None:
    """What many rows get alike is written by one statement, and the rest of a step row by row."""
    with store.writing() as writer:
        writer.add(new_sample("Rei", 1))
        writer.add(new_sample("Asuka", 2))
        writer.sightings.keep(observed(20), "fake", "fake")
    now = store.answers.now("fake")
    rei = (Match("Rei", 0.25, False),)
    own = {
        face: Answer(one.face, Verdict.SURE, "Rei", 0.25, rei)
        if row % 2
        else Answer(one.face, Verdict.UNKNOWN, None, 0.9, rei)
        for row, (face, one) in enumerate(zip(range(1, 21), observed(20).faces, strict=True))
    }
    with store.writing() as writer:
        writer.answers.put(now, own, {"1" * 64})
    before, counts = store.answers.of_faces("fake", own), store.answers.counts("fake")
    with store.writing() as writer:
        step = writer.decisions.begin(Action.CONFIRM, "", "Asuka")
        meant = [
            FaceMeant(Place("1" * 64), Path("/seen.png"), one.face.box)
            for one in observed(20).faces[:18]
        ]
        writer.decisions.decide(step, meant, lambda state, _: state.confirmed("Asuka"))
    decided = store.answers.of_faces("fake", own)
    assert len({one.decision for one in decided.values()}) == 19
    assert [one.character for one in decided.values()] == ["Asuka"] * 18 + [None, "Rei"]
    # The two that are left are beside faces with another name.
    assert [face for face, one in decided.items() if one.is_stale] == [19, 20]
    with store.writing() as writer:
        assert writer.decisions.undo(step, "").restored == 18
    after = store.answers.of_faces("fake", own)
    assert all(one.is_stale for one in after.values())
    assert {face: replace(one, is_stale=False) for face, one in after.items()} == before
    assert store.answers.counts("fake") == replace(counts, stale=20, alone=0)


def test_an_undo_finds_seen_faces_by_their_owners_as_a_look_at_their_files_does(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faces of a picture, of its copy and of a video, some of them rejected and set aside."""
    film, blank = "2" * 64, np.zeros((150, 150, 3), np.uint8)
    tracks = [VideoTrack(0, row, 2.0 * row, 2.0 * row + 3, 2.0 * row + 1, 4) for row in range(5)]
    described = [DescribedFace(Face(Box(0, 0, 40, 40), 0.5), blank, vector(9), GOOD)] * len(tracks)
    with filled.writing() as writer:
        writer.character_id("Asuka")
        writer.sightings.keep(
            replace(observed(2), path=Path("/copy.png"), digest="3" * 64), "fake", "fake"
        )
        for digest in ("1" * 64, "3" * 64):
            writer.hear_of_content(digest, Content("4" * 64))
        writer.sightings.keep_shot(
            film, Path("/seen.mkv"), VideoShot(0, 0.0, 12.0, 12, 4),
            list(zip(tracks, described, strict=True)),
            left_out=0, encoder="fake", detector="fake",
        )  # fmt: skip
    faces = range(1, filled.sightings.count() + 1)
    places = [FaceMeant(Place("1" * 64), Path("/seen.png"), one.face.box)
              for one in observed(2).faces]  # fmt: skip
    places += [FaceMeant(Place(film, one), Path("/seen.mkv"), Box(0, 0, 40, 40))
               for one in tracks[::3]]  # fmt: skip
    rei = (Match("Rei", 0.25, False),)
    answer = Answer(observed().faces[0].face, Verdict.SURE, "Rei", 0.25, rei)

    def answered() -> dict[int, StoredAnswer]:
        now = filled.answers.now("fake")
        with filled.writing() as writer:
            writer.answers.put(now, dict.fromkeys(faces, answer), {"1" * 64, "3" * 64, film})
        return filled.answers.of_faces("fake", faces)

    def undone(becomes: Callable[[FaceState], FaceState]) -> dict[int, StoredAnswer]:
        before = answered()
        assert not any(one.is_stale for one in before.values())
        with filled.writing() as writer:
            step = writer.decisions.begin(Action.CONFIRM, "")
            writer.decisions.decide(step, places, lambda state, _: becomes(state))
        answered()
        with filled.writing() as writer:
            assert writer.decisions.undo(step, "").restored == len(places)
        after = filled.answers.of_faces("fake", faces)
        assert {face: replace(one, is_stale=False) for face, one in after.items()} == before
        return after

    looks = []
    heed = AnswerWriter._heed

    def looking(self: AnswerWriter, *given: Any) -> None:
        looks.append(given)
        heed(self, *given)

    kinds: list[Callable[[FaceState], FaceState]] = [
        lambda state: state.confirmed("Asuka"),
        lambda state: state.confirmed("Rei"),
        lambda state: state.rejected("Rei"),
        lambda state: state.set_aside(Decided.IGNORED),
    ]
    for becomes in kinds:
        monkeypatch.setattr(AnswerWriter, "_heed", looking)
        looks.clear()
        quick = undone(becomes)
        # Storing answers looks at their files twice, and deciding once.
        assert len(looks) == 3
        monkeypatch.setattr(AnswerWriter, "undone", lambda *_: False)
        assert undone(becomes) == quick
        assert len(looks) == 7
        monkeypatch.undo()
    # Whoever was confirmed as somebody else is beside all others of the picture.
    assert [face for face, one in quick.items() if one.is_stale] != [*faces]


@pytest.mark.parametrize("kind", ["file", "server"])  # it reads while it writes
def test_decisions_of_a_video_stand_in_the_rows_of_their_tracks(filled: Store) -> None:
    film, blank = "2" * 64, np.zeros((150, 150, 3), np.uint8)
    tracks = [VideoTrack(shot, 1, 10.0 * shot, 10.0 * shot + 5, 10.0 * shot + 1, 4)
              for shot in range(4)]  # fmt: skip

    def seen(store: Store, shots: list[list[VideoTrack]]) -> dict[float, int]:
        found: dict[float, int] = {}
        with store.writing() as writer:
            for number, own in enumerate(shots):
                shot = VideoShot(number, own[0].start, own[-1].end, len(own), 4)
                described = [
                    DescribedFace(Face(Box(0, 0, 40, 40), 0.5), blank, vector(9), GOOD) for _ in own
                ]
                numbers = writer.sightings.keep_shot(
                    film, Path("/seen.mkv"), shot, list(zip(own, described, strict=True)),
                    left_out=0, encoder="fake", detector="fake",
                )  # fmt: skip
                found.update({t.start: n for t, n in zip(own, numbers, strict=True) if n})
        return found

    def decide(places: list[VideoTrack], name: str) -> None:
        with filled.writing() as writer:
            step = writer.decisions.begin(Action.CONFIRM, "", name)
            meant = [FaceMeant(Place(film, one), Path("/seen.mkv"), Box(0, 0, 40, 40))
                     for one in places]  # fmt: skip
            writer.decisions.decide(step, meant, lambda state, _: state.confirmed(name))

    def said(faces: dict[float, int]) -> dict[float, str | None]:
        rows = filled.answers.of_faces("fake", faces.values())
        return {start: rows[face].character for start, face in faces.items()}

    faces = seen(filled, [[one] for one in tracks])
    decide([tracks[0], tracks[3]], "Rei")
    assert said(faces) == {0.0: "Rei", 10.0: None, 20.0: None, 30.0: "Rei"}
    with filled.writing() as writer:
        writer.character_id("Asuka")
    decide([tracks[2]], "Asuka")
    assert said(faces) == {0.0: "Rei", 10.0: None, 20.0: "Asuka", 30.0: "Rei"}
    # Another look finds other shots, one of which is of two decided tracks.
    again = seen(filled, [[tracks[0]], [replace(tracks[2], start=10.0, end=27.0), tracks[3]]])
    with filled.writing() as writer:
        writer.answers.put(filled.answers.now("fake"), {}, {film})
    assert said(again) == {0.0: "Rei", 10.0: "Asuka", 30.0: "Rei"}
    decide([tracks[3]], "Asuka")
    assert said(again) == {0.0: "Rei", 10.0: "Asuka", 30.0: "Asuka"}


@pytest.mark.parametrize(
    "damage", ["verdict = 'perhaps'", "decided = 'maybe'", "alternatives = x'00'", "rank = 'x'"]
)
def test_damaged_answers_are_refused(filled: Store, database: Path, damage: str) -> None:
    said(filled)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"UPDATE answers SET {damage}")  # noqa: S608 - the test's own words
        connection.commit()
    with pytest.raises(DamagedDatabase):
        filled.answers.in_picture("fake", Path("/seen.png"))
