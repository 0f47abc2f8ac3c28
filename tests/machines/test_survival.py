"""A scheduler and two workers as processes: the bytes of a local run, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from command import INTERRUPTED, PROGRAM, Done, finish, start

from gallery.machines.reach import make_keys
from gallery.media.images import encode_png

pytest.importorskip("distributed", reason="distributed is not installed")
pytest.importorskip("cryptography", reason="cryptography is not installed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL"),
]

PICTURES = 40
DEADLY_WIDTH = 41
PAUSE = 0.04
"""Seconds that a picture takes at least, so that a job is not over before something is killed."""

DETECTOR = f"""
import os, signal, time

from gallery.faces.detectors.whole import WholePicture


class Slow(WholePicture):
    name = "slow"

    def detect(self, images):
        time.sleep({PAUSE} * len(images))
        if any(image.width == {DEADLY_WIDTH} for image in images):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().detect(images)
"""
"""A detector of another package: every picture is a face, and one kind ends who looks at it."""

OPTIONS = ("--encoder", "anime-lite", "--detector", "slow")


@dataclass
class Cluster:
    """A scheduler and workers that run, and what they are told."""

    folder: Path
    keys: Path
    port: int = 0
    scheduler: subprocess.Popen[str] | None = None
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def extra(self) -> dict[str, str]:
        path = os.pathsep.join((str(self.folder / "site"), os.environ.get("PYTHONPATH", "")))
        return {
            "GALLERY_CACHE": str(self.folder / "cache"),
            "GALLERY_CLUSTER_KEYS": str(self.keys),
            "PYTHONPATH": path.rstrip(os.pathsep),
        }

    @property
    def address(self) -> str:
        return f"tls://127.0.0.1:{self.port}"

    def start(self, *words: str | Path, program: Sequence[str] = PROGRAM) -> subprocess.Popen[str]:
        return start(
            *words, cwd=self.folder, database=self.database, extra=self.extra, program=program
        )

    def run(self, *words: str | Path) -> Done:
        return finish(self.start(*words))

    @property
    def database(self) -> Path:
        return self.folder / "gallery.db"

    def start_scheduler(self) -> None:
        self.scheduler = self.start("scheduler", "--port", str(self.port), program=INTERRUPTED)
        assert self.scheduler.stdout is not None
        self.port = int(self.scheduler.stdout.readline().rpartition(":")[2])

    def start_worker(self) -> None:
        words = ("worker", "--scheduler", self.address, "--threads", "1")
        one = self.start(*words, program=INTERRUPTED)
        assert one.stderr is not None
        assert one.stderr.readline().startswith("Whoever has the keys can run programs as you")
        assert one.stderr.readline().startswith(f"Works for {self.address} at tls://127.0.0.1:")
        self.workers.append(one)

    def end(self) -> None:
        for one in (*self.workers, self.scheduler):
            if one is not None and one.poll() is None:
                one.terminate()
        for one in (*self.workers, self.scheduler):
            if one is not None and one.poll() is None:
                finish(one)

    def label(self, *words: str | Path) -> subprocess.Popen[str]:
        return self.start(*OPTIONS, "label", "shots", *words, "--cluster", self.address)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    about = folder / "site" / "slow-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "site" / "slow.py").write_text(DETECTOR, encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[gallery.detectors]\nslow = slow:Slow\n")
    generator = np.random.default_rng(3)
    for number in range(PICTURES):
        path = folder / "shots" / f"{number:03}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode_png(generator.integers(0, 255, (24, 24, 3), np.uint8)))
    (folder / "shots" / "017.png").write_bytes(b"no picture")
    (folder / "shots" / "018.png").write_bytes(b"")
    for number in range(2):
        path = folder / "characters" / "Noa" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((folder / "shots" / f"{number:03}.png").read_bytes())
    made = Cluster(folder, folder / "keys")
    make_keys(made.keys)
    done = made.run(*OPTIONS, "enroll", "characters", "--cropped")
    assert done.code == 0, done.stderr
    local = made.run(*OPTIONS, "label", "shots", "--out", "local.jsonl", "--write", "csv:local.csv")
    assert local.code == 1, local.stderr
    made.start_scheduler()
    made.start_worker()
    made.start_worker()
    yield made
    made.end()


def same(cluster: Cluster, name: str) -> bool:
    """Say whether a job's records and table are the local run's, byte for byte."""
    return all(
        (cluster.folder / f"{name}.{kind}").read_bytes()
        == (cluster.folder / f"local.{kind}").read_bytes()
        for kind in ("jsonl", "csv")
    )


def formats(name: str) -> Sequence[str]:
    return "--out", f"{name}.jsonl", "--write", f"csv:{name}.csv"


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


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
