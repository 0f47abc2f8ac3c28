"""Answers are renewed while a page is open: what single decisions doubt comes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import Square, fake_gallery, write_picture
from reviewed import COLOURS, ORANGE, reviewed

from gallery.engine.engine import Engine
from gallery.errors import NotAGallery
from gallery.jobs.answers import renew_faces
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.web.desk import Desk
from gallery.web.renewing import Renewing
from gallery.web.shapes import DecisionGiven, FaceGiven, NewsShape
from gallery.web.turns import Turns

PATIENCE = 60
"""Seconds after which what is waited for does not come."""


@pytest.fixture
def desk(gallery: Engine, tmp_path: Path) -> Desk:
    return Desk(reviewed(gallery, tmp_path))


@pytest.fixture
def renewing(desk: Desk, database: Path) -> Iterator[Renewing]:
    opened = Renewing(lambda: fake_gallery(database), desk.turn, look=0.01, settled=0.0, quiet=0.0)
    with opened:
        yield opened


def waited(is_so: Callable[[], bool]) -> bool:
    last = time.monotonic() + PATIENCE
    while not is_so() and time.monotonic() < last:
        time.sleep(0.01)
    return is_so()


def news(desk: Desk, name: str | None = None, since: int = 0) -> NewsShape:
    return desk.news(name, since)


def enroll(gallery: Engine, folder: Path, name: str, colour: tuple[int, int, int]) -> None:
    for number in range(3):
        place = folder / "more" / name / f"{number}.png"
        write_picture(place, Square(10, 20, 60, colour), seed=30 + number)
    candidates, _ = candidates_in(folder / "more")
    list(enroll_candidates(gallery, candidates))


def test_what_is_stale_is_renewed_and_told_by_name(
    desk: Desk, gallery: Engine, renewing: Renewing, tmp_path: Path
) -> None:
    assert waited(lambda: news(desk).stale == 0)
    shown = desk.sure("Asuka", None, 100)
    names = {one.id: one.character for one in desk.doubtful(0, 10).rows[0].faces}
    assert set(names.values()) == {"Asuka"}
    assert news(desk, "Asuka", shown.revision).more == 0
    # Orange faces, doubtful so far, are surely hers from now on.
    enroll(gallery, tmp_path, "Asuka", ORANGE)
    assert waited(lambda: news(desk).stale == 0)
    told = news(desk, "Asuka", shown.revision)
    now = {one.id for one in desk.sure("Asuka", None, 100).faces}
    assert told.more == len(now - {one.id for one in shown.faces}) > 0
    assert told.revision > shown.revision
    assert news(desk, "Rei", shown.revision).more == 0
    assert news(desk, "Asuka", told.revision).more == 0


def test_faces_nearly_the_same_as_a_rejected_one_come_at_once(
    desk: Desk, gallery: Engine, renewing: Renewing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert waited(lambda: news(desk).stale == 0)
    faces = desk.sure("Rei", None, 100).faces
    # Only single decisions have an effect now.
    everything = "gallery.web.renewing.renew"
    monkeypatch.setattr(everything, lambda *_, **__: pytest.fail("all was answered anew"))
    given = [FaceGiven(id=faces[0].id, version=0)]
    desk.decide(DecisionGiven(action="reject", faces=given, name="Rei"))
    assert waited(lambda: not gallery.store.answers.unheeded() and news(desk).stale == 0)
    near = gallery.rejected()
    vectors = gallery.store.sightings.vectors_of(gallery.encoder, [one.id for one in faces])
    left = {one for one, vector in vectors.items() if not near.near(vector, 0.15)}
    assert {one.id for one in desk.sure("Rei", None, 100).faces} == left


def test_a_new_name_makes_nothing_stale_unless_it_was_decided_before(
    desk: Desk, gallery: Engine
) -> None:
    before = gallery.store.change()
    given = [FaceGiven(id=one.id, version=0) for one in desk.clusters(0, 1).clusters[0].faces]
    desk.decide(DecisionGiven(action="confirm", faces=given, name="Midori", new=True))
    assert gallery.store.change() == before
    gallery.forget("Midori")
    forgotten = gallery.store.change()
    assert forgotten != before
    with gallery.store.writing() as writer:
        writer.character_id("Midori")
    assert gallery.store.change() != forgotten


def test_what_cannot_be_renewed_is_told_once_and_tried_again(
    desk: Desk, gallery: Engine, database: Path, tmp_path: Path
) -> None:
    tried: list[int] = []
    told: list[str] = []

    def opening() -> Engine:
        tried.append(1)
        if len(tried) < 4:
            raise NotAGallery(database)
        return fake_gallery(database)

    enroll(gallery, tmp_path, "Rei", COLOURS["Rei"])
    assert news(desk).stale > 0
    with Renewing(opening, desk.turn, told.append, look=0.01, settled=0.0):
        assert waited(lambda: news(desk).stale == 0)
    assert told == [str(NotAGallery(database))]


def test_what_is_left_half_done_goes_on_later(
    desk: Desk, gallery: Engine, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enroll(gallery, tmp_path, "Rei", COLOURS["Rei"])
    monkeypatch.setattr("gallery.web.renewing.AT_ONCE", 1)
    total = news(desk).stale
    with Renewing(lambda: fake_gallery(database), desk.turn, look=0.01, settled=0.0):
        assert waited(lambda: news(desk).stale < total)
    with Renewing(lambda: fake_gallery(database), desk.turn, look=0.01, settled=0.0):
        assert waited(lambda: news(desk).stale == 0)


@pytest.mark.parametrize("quiet", [0.0, 3600.0])
def test_what_was_answered_alone_is_answered_jointly_once_it_is_quiet(
    desk: Desk, gallery: Engine, database: Path, tmp_path: Path, quiet: float
) -> None:
    for name, colour in {**COLOURS, "Misato": (120, 20, 150), "Ritsuko": (230, 220, 30)}.items():
        enroll(gallery, tmp_path, name, colour)
    gallery.calibrate(0.05)

    def left() -> tuple[int, int]:
        told = gallery.store.answers.news(gallery.encoder)
        return told.stale, told.alone

    with Renewing(
        lambda: fake_gallery(database), desk.turn, look=0.01, settled=0.0, quiet=quiet
    ) as renewing:
        assert waited(lambda: left() == (0, 0))
        looks = renewing.looks
        renew_faces(gallery, [1])
        assert waited(lambda: renewing.looks > looks + 3)
        assert waited(lambda: left() == (0, 0)) if quiet == 0.0 else left() == (0, 1)


def test_work_in_the_background_waits_for_all_requests() -> None:
    turns = Turns()
    assert turns.wait(0.0)
    begun, done = threading.Event(), threading.Event()

    def request() -> None:
        with turns, turns:
            begun.set()
            assert done.wait(PATIENCE)

    threads = [threading.Thread(target=request) for _ in range(2)]
    for one in threads:
        one.start()
    assert begun.wait(PATIENCE)
    assert not turns.wait(0.01)
    done.set()
    assert turns.wait(PATIENCE)
    for one in threads:
        one.join()
    # The next one may follow at once.
    assert not turns.wait(0.0, still=1e6)
