"""A scheduler and workers as processes of their own, and what they look at."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from command import INTERRUPTED, PROGRAM, Done, finish, start

from gallery.machines.reach import make_keys
from gallery.media.images import encode_png

PICTURES = 200
DEADLY_WIDTH = 41
PAUSE = 0.02
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
    host: str = "127.0.0.1"
    """Where the scheduler is reached."""
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
        return f"tls://{self.host}:{self.port}"

    def start(
        self,
        *words: str | Path,
        program: Sequence[str] = PROGRAM,
        prefix: Sequence[str] = (),
    ) -> subprocess.Popen[str]:
        return start(
            *words,
            cwd=self.folder,
            database=self.database,
            extra=self.extra,
            prefix=prefix,
            program=program,
        )

    def run(self, *words: str | Path) -> Done:
        return finish(self.start(*words))

    @property
    def database(self) -> Path:
        return self.folder / "gallery.db"

    def start_scheduler(self, prefix: Sequence[str] = ()) -> None:
        words = ("scheduler", "--host", self.host, "--port", str(self.port))
        self.scheduler = self.start(*words, program=INTERRUPTED, prefix=prefix)
        assert self.scheduler.stdout is not None
        self.port = int(self.scheduler.stdout.readline().rpartition(":")[2])

    def start_worker(self, prefix: Sequence[str] = ()) -> None:
        words = ("worker", "--scheduler", self.address, "--threads", "1")
        one = self.start(*words, program=INTERRUPTED, prefix=prefix)
        assert one.stderr is not None
        assert one.stderr.readline().startswith("Whoever has the keys can run programs as you")
        assert one.stderr.readline().startswith(f"Works for {self.address} at tls://")
        self.workers.append(one)

    def end(self) -> None:
        ours = [one for one in (*self.workers, self.scheduler) if one is not None]
        for one in ours:
            if one.poll() is None:
                one.terminate()
        for one in ours:
            if one.stdout is not None and not one.stdout.closed:
                finish(one)

    def label(self, *words: str | Path, prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
        words = (*OPTIONS, "label", "shots", *words, "--cluster", self.address)
        return self.start(*words, prefix=prefix)


def made(folder: Path) -> Cluster:
    """Make a gallery, pictures and keys in a folder, and what a local run says of the pictures."""
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
    cluster = Cluster(folder, folder / "keys")
    make_keys(cluster.keys)
    done = cluster.run(*OPTIONS, "enroll", "characters", "--cropped")
    assert done.code == 0, done.stderr
    local = cluster.run(*OPTIONS, "label", "shots", *formats("local"))
    assert local.code == 1, local.stderr
    return cluster


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
