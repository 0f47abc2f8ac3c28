"""A scheduler and two workers as processes: the bytes of a local run, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from cluster import DEADLY_WIDTH, OPTIONS, PICTURES, Cluster, formats, lines_in, made, same
from command import finish

from gallery.media.images import encode_png

pytest.importorskip("distributed", reason="distributed is not installed")
pytest.importorskip("cryptography", reason="cryptography is not installed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    ours = made(tmp_path_factory.mktemp("cluster"))
    ours.start_scheduler()
    ours.start_worker()
    ours.start_worker()
    yield ours
    ours.end()


def once(condition: Callable[[], bool]) -> None:
    """Wait until something is so; whatever never is ends by the test's own limit."""
    while not condition():
        time.sleep(0.01)


def children(process: subprocess.Popen[str]) -> list[int]:
    """The processes that one started to work for it."""
    pids = [
        int(pid)
        for thread in Path(f"/proc/{process.pid}/task").iterdir()
        for pid in (thread / "children").read_text(encoding="ascii").split()
    ]
    return [pid for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_workers_read_pictures_by_themselves_where_they_are_told_to(cluster: Cluster) -> None:
    shots = cluster.folder / "shots"
    (cluster.folder / "far").symlink_to(shots)
    done = finish(cluster.label(*formats("mapped"), "--map", f"{shots}={cluster.folder / 'far'}"))
    assert done.code == 1, done.stderr
    assert "The workers do not find" not in done.stderr
    assert same(cluster, "mapped")


def test_a_worker_that_is_killed_costs_nothing(cluster: Cluster) -> None:
    job = cluster.label(*formats("killed"))
    once(lambda: lines_in(cluster.folder / "killed.jsonl") > 4)
    (pid,) = children(cluster.workers[0])
    os.kill(pid, signal.SIGKILL)
    done = finish(job)
    assert done.code == 1, done.stderr
    assert same(cluster, "killed")


def test_a_job_outlives_a_scheduler_and_goes_on_where_it_was_killed(cluster: Cluster) -> None:
    records = cluster.folder / "resumed.jsonl"
    job = cluster.label(*formats("resumed"))
    once(lambda: lines_in(records) > 4)
    assert cluster.scheduler is not None
    cluster.scheduler.kill()
    finish(cluster.scheduler)
    before = lines_in(records)
    cluster.start_scheduler()
    once(lambda: lines_in(records) > before)
    job.kill()
    finish(job)
    assert before < lines_in(records) < PICTURES
    done = finish(cluster.label(*formats("resumed")))
    assert "pictures in resumed.jsonl already." in done.stderr
    # A picture that could not be read is tried again, at the end.
    ours = sorted(records.read_bytes().splitlines())
    assert ours == sorted((cluster.folder / "local.jsonl").read_bytes().splitlines())


def test_a_picture_that_ends_workers_of_a_jobs_own_is_set_aside_and_named(cluster: Cluster) -> None:
    deadly = cluster.folder / "deadly"
    deadly.mkdir()
    for number in range(6):
        width = DEADLY_WIDTH if number == 2 else 24
        picture = np.full((24, width, 3), 40 * number, np.uint8)
        (deadly / f"{number}.png").write_bytes(encode_png(picture))
    done = cluster.run(*OPTIONS, "label", "deadly", "--out", "deadly.jsonl", "--cluster", "local:1")
    assert done.code == 1
    named = f"gallery: {deadly / '2.png'} ended 3 workers that looked at it, and was set aside."
    assert named in done.stderr.splitlines()
    assert "1 could not be read" in done.stderr
    lines = (cluster.folder / "deadly.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["error"] is not None for line in lines] == [
        row == 2 for row in range(6)
    ]


def test_nothing_listens_beyond_this_machine(cluster: Cluster) -> None:
    ours = [one.pid for one in (cluster.scheduler, *cluster.workers) if one is not None]
    ours += [pid for one in cluster.workers for pid in children(one)]
    sockets = {
        link.readlink().name.removeprefix("socket:[").rstrip("]")
        for pid in ours
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if "socket:" in str(link.readlink())
    }
    rows = [
        line.split()
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]
    ]
    listening = [row[1] for row in rows if row[3] == "0A" and row[9] in sockets]
    assert len(listening) >= 3
    assert all(address.startswith("0100007F:") for address in listening)


def test_ctrl_c_ends_workers_and_a_scheduler_in_peace(cluster: Cluster) -> None:
    assert cluster.scheduler is not None
    for process in (*cluster.workers, cluster.scheduler):
        process.send_signal(signal.SIGINT)
    for process in (*cluster.workers, cluster.scheduler):
        done = finish(process)
        assert done.code == 0
        assert "Traceback" not in done.stderr
        assert "distributed" not in done.stderr
