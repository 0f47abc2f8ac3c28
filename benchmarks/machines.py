"""Measures a gallery on a PostgreSQL server beside one in a file, and workers beside threads.

    python -m benchmarks.machines postgresql+psycopg://USER@HOST/postgres [--times 3] [--rows 200]
    python -m benchmarks.machines --workers [--times 3] [--copies 10]
    python -m benchmarks.machines --memory 100000

With --workers the sample screenshots, each so many times, are looked at by one and two threads here
and by as many workers of one thread each, processes on this machine; both take turns. Starting the
workers is not counted. What the submitter takes is its processor time, with the scheduler's, which
runs in the same process, and that of connections that are encrypted.

With --memory two workers of one thread look at so many pictures, each a face already, described by
MEMORY_ENCODER; printed is what the processes hold of their own after each part of them.

The user may make databases on the server, which are dropped again. The first three rows are whole
jobs over the sample pictures, from file to record, with the default detector and encoder. The
others are calls of the store alone, with random descriptors, a transaction each. Both databases
take turns, so that what else the machine does strikes both.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from sqlalchemy import create_engine, make_url

import gallery
from benchmarks.timing import CHARACTERS, SCREENSHOTS, Times, heading, pictures, taking_turns
from gallery.engine.assemble import open_gallery
from gallery.faces.quality import NO_GATES
from gallery.jobs.pipeline import Hands, identified
from gallery.machines.work import Asked, Order, look
from gallery.machines.workers import own_workers
from gallery.media.images import encode_png
from gallery.settings import Settings
from gallery.store.reader import Store
from gallery.store.sightings import Observation
from gallery.store.writer import NewSample
from gallery.types import CROP_SIDE, DIMENSION, Box, DescribedFace, Face, Quality
from measuring.tables import table

CROP = np.full((CROP_SIDE, CROP_SIDE, 3), 90, np.uint8)
BOX = Box(10.0, 10.0, 110.0, 110.0)


MEMORY_ENCODER = "anime-lite"

MEMORY_PARTS = 10
"""How often memory is looked at."""


class Place:
    """Where the galleries of one kind are made, a new one for each measurement that wants one."""

    def __init__(self, folder: Path, make: Callable[[], str]) -> None:
        """Take a folder for records, and what makes an empty database and names it."""
        self._folder, self._make = folder, make
        self._numbers = count()
        self._random = np.random.default_rng(0)
        self.where = make()

    def enroll(self) -> None:
        """Enroll the sample characters into a new gallery."""
        self.where = self._make()
        with gallery.open_gallery(self.where) as people:
            people.enroll(CHARACTERS).run()

    def label(self) -> None:
        """Label the sample screenshots."""
        with gallery.open_gallery(self.where) as people:
            people.label(SCREENSHOTS, out=self._folder / f"{time.time_ns()}.jsonl").run()

    def identify(self) -> None:
        """Ask who is in each of the sample screenshots."""
        with gallery.open_gallery(self.where) as people:
            for picture in pictures(SCREENSHOTS):
                people.identify(picture)

    def add(self, store: Store, rows: int) -> None:
        """Add samples to ten characters."""
        for _ in range(rows):
            number = next(self._numbers)
            face = Face(BOX, 1.0)
            sample = NewSample(
                f"Character {number % 10}",
                hashlib.sha256(str(number).encode()).hexdigest(),
                Path(f"/pictures/{number}.png"),
                face,
                encode_png(CROP),
                {"random": self._vector()},
                "random",
                f"Character {number % 10}",
            )
            with store.writing() as writer:
                writer.add(sample)

    def keep(self, store: Store, rows: int) -> None:
        """Note pictures with two faces each."""
        for _ in range(rows):
            number = next(self._numbers)
            faces = tuple(
                DescribedFace(
                    Face(BOX._replace(left=BOX.left + right, right=BOX.right + right), 1.0),
                    CROP,
                    self._vector(),
                    Quality(100.0, 0.5, 0.0, 0.5, 0.0),
                )
                for right in (0.0, 200.0)
            )
            path, digest = Path(f"/seen/{number}.png"), f"{number:064}"
            with store.writing() as writer:
                writer.sightings.keep(
                    Observation(path, None, digest, 400, 200, faces), "random", "random"
                )

    @staticmethod
    def read(store: Store, rows: int) -> None:
        """Read all vectors that an index is made of, and the answers to decide of."""
        for _ in range(max(rows // 20, 1)):
            store.vectors("random")
            store.answers.page("random", None)

    def _vector(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return self._random.normal(size=DIMENSION).astype(np.float32)


@contextmanager
def places(server: str, folder: Path) -> Iterator[dict[str, Place]]:
    """Give a place of files and one of databases on a server, which are dropped at the end."""
    numbers, made = count(), list[str]()
    url = make_url(server)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")

    def on_server() -> str:
        made.append(f"gallery_benchmark_{time.time_ns()}")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {made[-1]} TEMPLATE template0")
        name = url.set(database=made[-1]).render_as_string(hide_password=False)
        Store(name, create=True).close()
        return name

    def in_file() -> str:
        path = folder / f"{next(numbers)}.db"
        Store(str(path), create=True).close()
        return str(path)

    try:
        yield {"file": Place(folder, in_file), "server": Place(folder, on_server)}
    finally:
        with engine.connect() as connection:
            for one in made:
                connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {one} WITH (FORCE)")
        engine.dispose()


def measured(known: dict[str, Place], times: int, rows: int) -> dict[str, dict[str, Times]]:
    """Return how long each thing takes in both places, by what it is."""
    found = {
        f"{job.__name__} the samples": taking_turns(
            {kind: partial(job, place) for kind, place in known.items()}, times
        )
        for job in (Place.enroll, Place.label, Place.identify)
    }
    stores = {kind: Store(place.where) for kind, place in known.items()}
    for what, call in (
        (f"add {rows} samples", Place.add),
        (f"note {rows} pictures", Place.keep),
    ):
        found[what] = taking_turns(
            {kind: partial(call, known[kind], store, rows) for kind, store in stores.items()}, times
        )
    found[f"read all, {max(rows // 20, 1)} times"] = taking_turns(
        {kind: partial(Place.read, store, rows) for kind, store in stores.items()}, times
    )
    for store in stores.values():
        store.close()
    return found


@dataclass(frozen=True, slots=True)
class Looks:
    """How long pictures took, here and by workers."""

    here: Times
    there: Times
    own: float
    """Milliseconds of processor time that threads here take for a picture."""
    submitter: float
    """The same of the submitter's process."""
    workers: float
    """The same of all others."""


def spent() -> tuple[float, float]:
    """Return the processor time of this process and of those below it, in milliseconds."""
    import psutil

    below = psutil.Process().children(recursive=True)
    used = [one.cpu_times() for one in below]
    return time.process_time() * 1000, sum(one.user + one.system for one in used) * 1000


def looks(count: int, paths: Sequence[Path], times: int) -> Looks:
    """Measure so many threads beside so many workers of one thread each."""
    settings = Settings(database="sqlite://")
    took: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    with (
        open_gallery(settings, create=True) as engine,
        own_workers(settings, count, threads=1) as workers,
    ):

        def by(hands: Hands | None) -> None:
            here, below = spent()
            for _ in identified(engine, paths, workers=count, hands=hands):
                pass
            now, now_below = spent()
            both = ((now - here) / len(paths), (now_below - below) / len(paths))
            took[hands is not None].append(both)

        both = taking_turns({"here": partial(by, None), "there": partial(by, workers)}, times)
    submitter, others = np.median(took[True], axis=0)
    own, _ = np.median(took[False], axis=0)
    return Looks(both["here"], both["there"], float(own), float(submitter), float(others))


def answer_bytes(paths: Sequence[Path]) -> tuple[float, float]:
    """Return how many bytes of a picture are sent, and how many of a face come back."""
    order = Order.of(Settings())
    asked = [Asked(str(path), path.read_bytes()) for path in paths]
    seen = look(order, NO_GATES, asked)
    faces = sum(len(one.faces) for one in seen)
    return len(pickle.dumps(asked)) / len(asked), len(pickle.dumps(seen)) / faces


def show_workers(times: int, copies: int) -> None:
    """Measure workers, and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        paths = list[Path]()
        for path in pictures(SCREENSHOTS):
            for number in range(copies):
                paths.append(Path(folder) / f"{number}-{path.name}")
                paths[-1].symlink_to(path.absolute())
        found = {count: looks(count, paths, times) for count in (1, 2)}
        sent, answered = answer_bytes(paths[::copies])
    print(
        table(
            (
                *(f"median of {times}", "threads, 1/s", "workers, 1/s", "ratio"),
                *("processor: threads, ms", "workers, ms", "submitter, ms"),
            ),
            [
                (
                    f"{count} of one core",
                    f"{len(paths) * 1000 / one.here.median:.2f}",
                    f"{len(paths) * 1000 / one.there.median:.2f}",
                    f"{one.here.median / one.there.median:.2f}",
                    *(f"{used:.1f}" for used in (one.own, one.workers, one.submitter)),
                )
                for count, one in found.items()
            ],
        )
    )
    core, cost = found[1].workers, found[1].submitter
    print(f"Sent: {sent / 1000:.0f} KB a picture; back: {answered / 1000:.1f} KB a face.")
    print(f"One submitter feeds some {core / cost:.0f} cores: {core:.0f} ms over {cost:.1f} ms.")


def show_memory(count: int) -> None:
    """Have workers look at so many pictures, and print what all processes hold meanwhile."""
    settings = Settings(database="sqlite://", encoder=MEMORY_ENCODER, detector="whole")
    samples = [
        path for one in sorted(CHARACTERS.iterdir()) if one.is_dir() for path in pictures(one)
    ]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}" for number in range(count)]
        for number, path in enumerate(paths):
            path.symlink_to(samples[number % len(samples)].absolute())
        with (
            open_gallery(settings, create=True) as engine,
            own_workers(settings, 2, threads=1) as workers,
        ):
            seen = identified(engine, paths, hands=workers)
            for number, _ in enumerate(seen, 1):
                if number * MEMORY_PARTS % count < MEMORY_PARTS:
                    rows.append((f"{number:,}", *(f"{one:.0f}" for one in held())))
    print(table(("pictures", "submitter and scheduler, MiB", "a worker, MiB, the largest"), rows))


def held() -> tuple[float, float]:
    """Return what this process holds alone, and the largest of those below it, in MiB."""
    import psutil

    ours = psutil.Process()
    below = [one.memory_full_info().uss for one in ours.children(recursive=True)]
    return ours.memory_full_info().uss / 2**20, max(below) / 2**20


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.machines", description=__doc__)
    parser.add_argument(
        "server", nargs="?", help="a database of the server whose user may make others"
    )
    parser.add_argument("--workers", action="store_true", help="workers beside threads")
    parser.add_argument("--memory", type=int, metavar="N", help="so many pictures, by workers")
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--rows", type=int, default=200)
    chosen = parser.parse_args(arguments)
    print(heading())
    if chosen.workers:
        show_workers(chosen.times, chosen.copies)
    if chosen.memory is not None:
        show_memory(chosen.memory)
    if chosen.server is None:
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        places(chosen.server, Path(folder)) as known,
    ):
        found = measured(known, chosen.times, chosen.rows)
    print(
        table(
            (f"median of {chosen.times}", "file, ms", "server, ms", "ratio"),
            [
                (
                    what,
                    f"{both['file'].median:.0f}",
                    f"{both['server'].median:.0f}",
                    f"{both['server'].median / both['file'].median:.2f}",
                )
                for what, both in found.items()
            ],
        )
    )


if __name__ == "__main__":
    main()
