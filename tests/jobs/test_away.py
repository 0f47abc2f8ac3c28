"""A database's server that goes away while a job of hours is at work."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from command import finish, run, start
from fakes import Square, write_picture
from postgres import running

from gallery.errors import AwaitedServer, GalleryError, LostServer, NoServer
from gallery.jobs import away
from gallery.jobs.away import patiently


def test_work_is_done_again_once_the_server_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(away, "LOOK_AGAIN", 0.0)
    answers: list[GalleryError | int] = [
        LostServer("db"),
        NoServer("db", "cannot be reached"),
        7,
    ]
    told: list[GalleryError] = []

    def work() -> int:
        answer = answers.pop(0)
        if isinstance(answer, GalleryError):
            raise answer
        return answer

    assert patiently(work, told.append) == 7
    assert [type(one) for one in told] == [AwaitedServer]


def test_a_server_that_stays_away_ends_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(away, "LOOK_AGAIN", 0.0)
    monkeypatch.setattr(away, "AWAY", 0.01)

    def work() -> int:
        time.sleep(0.02)
        raise NoServer("db", "cannot be reached")

    with pytest.raises(NoServer):
        patiently(work, lambda _: None)


@pytest.mark.slow
def test_a_job_outlives_a_server_that_is_away(tmp_path: Path) -> None:
    pictures = 120
    for number in range(pictures):
        write_picture(tmp_path / "shots" / f"{number:03}.png", Square(5, 5, 60), seed=number)
    (tmp_path / "characters" / "Noa").mkdir(parents=True)
    for number in range(2):
        content = (tmp_path / "shots" / f"{number:03}.png").read_bytes()
        (tmp_path / "characters" / "Noa" / f"{number}.png").write_bytes(content)
    options = ("--encoder", "anime-lite")
    with running() as server:
        for database, name in ((tmp_path / "gallery.db", "local"), (server.gallery(), "far")):
            enrol = (*options, "enroll", "characters", "--cropped")
            assert run(*enrol, cwd=tmp_path, database=database).code == 0
            label = (*options, "label", "shots", "--cropped", "--out", f"{name}.jsonl")
            job = start(*label, cwd=tmp_path, database=database)
            if name == "far":
                records = tmp_path / "far.jsonl"
                while not records.exists() or records.read_bytes().count(b"\n") < 5:
                    assert job.poll() is None
                    time.sleep(0.005)
                server.stop()
                threading.Timer(3, server.start).start()
            done = finish(job)
            assert done.code == 0, done.stderr
    assert "went away; the job waits until its server is back." in done.stderr
    local, far = ((tmp_path / f"{name}.jsonl").read_bytes() for name in ("local", "far"))
    assert far.count(b"\n") == pictures
    assert far == local
