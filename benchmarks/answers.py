"""Measures stored answers: counts, a page of faces, decisions, undo, likeness, and the renewal.

    python -m benchmarks.answers [--faces 100000] [--characters 500]

Faces are drawn as benchmarks.large draws them: two thirds are of characters in the gallery, the
rest of others. Four fifths lie in pictures of two faces, one fifth in videos of 1,000 tracks. Every
row says how long it takes in this process, in milliseconds, and how long a processor is busy,
which is less where others use the machine. The renewal is in seconds.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.large import drawn, fill
from gallery.engine.assemble import open_gallery
from gallery.engine.engine import Engine
from gallery.events import result_of
from gallery.identify.seen import SeenFaces
from gallery.jobs import answers, decide
from gallery.jobs.meant import SeenFace
from gallery.media.images import encode_jpeg
from gallery.settings import Settings
from gallery.store.answers import PAGE
from gallery.store.videos import moment_of
from gallery.types import CROP_SIDE, DIMENSION, Verdict
from gallery.web.desk import Desk
from gallery.web.picture_routes import LIKE
from gallery.web.searching import Searching
from measuring.tables import table

SAMPLES = 5
OF_VIDEOS = 5
"""Every fifth face."""
TRACKS, OF_A_SHOT, OF_A_PICTURE = 1000, 10, 2
TIMES = 100
MANY = 1000
"""Faces that are decided, and undone, at once."""


def see(database: Path, encoder: str, vectors: NDArray[np.float32]) -> None:
    """Write seen faces as labelling leaves them, without their pictures."""
    noise = np.random.default_rng(0).integers(0, 256, (CROP_SIDE // 5, CROP_SIDE // 5, 3), np.uint8)
    crop = encode_jpeg(np.ascontiguousarray(noise.repeat(5, axis=0).repeat(5, axis=1)))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = ON")
        films = len(vectors) // OF_VIDEOS
        _pictures(connection, range(films + 1, len(vectors) + 1), crop)
        _videos(connection, range(1, films + 1), crop)
        connection.executemany(
            "INSERT INTO sighting_descriptors VALUES (?, ?, ?)",
            ((face, encoder, vector.tobytes()) for face, vector in enumerate(vectors, 1)),
        )


def _pictures(connection: sqlite3.Connection, faces: range, crop: bytes) -> None:
    for start in faces[::OF_A_PICTURE]:
        digest, path = f"{start:064x}", f"/pictures/{start:08}.png"
        connection.execute(
            "INSERT INTO pictures VALUES (?, ?, 1, 1, 1920, 1080, 0, NULL)", (path, digest)
        )
        for place, face in enumerate(range(start, min(start + OF_A_PICTURE, faces.stop))):
            _face(connection, (face, digest, path, 300 * place, 300 * place + 150, crop))


def _videos(connection: sqlite3.Connection, faces: range, crop: bytes) -> None:
    for start in faces[::TRACKS]:
        digest, path = f"{start:064x}", f"/videos/{start:08}.mkv"
        connection.execute(
            "INSERT INTO videos VALUES (?, ?, 1, 1, 1920, 1080, 0, NULL, 0.5, 1, NULL)",
            (path, digest),
        )
        for place, face in enumerate(range(start, min(start + TRACKS, faces.stop))):
            shot = (start - 1 + place) // OF_A_SHOT + 1
            begin = 4.0 * (place // OF_A_SHOT)
            if place % OF_A_SHOT == 0:
                connection.execute(
                    "INSERT INTO shots VALUES (?, ?, ?, ?, 8, 0)", (shot, digest, begin, begin + 3)
                )
            box = 150 * (place % OF_A_SHOT)
            moment = moment_of(digest, begin + 1)
            _face(connection, (face, moment, path, box, box + 150, crop))
            connection.execute(
                "INSERT INTO tracks VALUES (?, ?, ?, ?, ?, ?, 8)",
                (face, shot, place % OF_A_SHOT + 1, begin, begin + 3, begin + 1),
            )


def _face(connection: sqlite3.Connection, values: tuple[object, ...]) -> None:
    """Write a face: its number, digest, path, left and right, and its crop."""
    connection.execute(
        "INSERT INTO sightings VALUES (?, ?, ?, ?, 0, ?, 150, 1, NULL, 'heads', 150, 0.8, 0, 1, 0, "
        "?, NULL)",
        values,
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """How long one thing takes, in milliseconds."""

    wall: list[float]
    processor: list[float]


def timed(does: Callable[[], object], times: int = TIMES) -> Taken:
    """Return how long it takes, each time; once it is done before."""
    does()
    wall, processor = [], []
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        does()
        wall.append(1000 * (time.perf_counter() - began))
        processor.append(1000 * (time.process_time() - used))
    return Taken(wall, processor)


def measured(engine: Engine) -> Iterator[tuple[str, Taken]]:
    """Yield what is measured of a gallery whose answers are stored, and how long it takes."""
    read, encoder = engine.store.answers, engine.encoder
    yield "counts", timed(lambda: read.counts(encoder))
    names = [*read.counts(encoder).names(Verdict.SURE)]
    yield (
        f"page of {PAGE}, one name",
        timed(lambda: read.page(encoder, Verdict.SURE, names[0], limit=PAGE)),
    )
    pages = cycle_of(engine, Verdict.SURE)
    yield f"page of {PAGE}, sure, on and on", timed(lambda: next(pages))
    doubtful = cycle_of(engine, Verdict.UNSURE)
    yield f"page of {PAGE}, doubtful, on and on", timed(lambda: next(doubtful))
    unknown = cycle_of(engine, Verdict.UNKNOWN)
    yield f"page of {PAGE}, unknown, on and on", timed(lambda: next(unknown))
    (path,) = {one.path for one in read.of_faces(encoder, [1]).values()}
    yield f"page of {PAGE}, one video", timed(lambda: read.in_video(encoder, path))
    in_pictures = iter(range(engine.store.sightings.count(), 0, -OF_A_PICTURE))
    yield "a decision, in a picture", timed(lambda: confirm(engine, [next(in_pictures)], names[0]))
    in_videos = iter(range(1, 10 * TIMES, 3))
    yield "a decision, in a video", timed(lambda: confirm(engine, [next(in_videos)], names[0]))
    some = [next(in_pictures) for _ in range(MANY)]
    yield f"{MANY:,} decisions at once", timed(lambda: confirm(engine, some, names[1]), 5)
    yield f"undo of {MANY:,}", timed(lambda: decide.undo(engine), 5)
    searching, asked = Searching(Desk(engine)), cycle(range(1, engine.store.sightings.count(), 997))
    yield f"{LIKE} faces like one", timed(lambda: searching.like(next(asked), LIKE))
    some_descriptor = np.zeros((1, DIMENSION), np.float32)
    yield (
        "all descriptors read for that",
        timed(lambda: SeenFaces(engine.store, encoder).near(some_descriptor, 1), 5),
    )


def cycle_of(engine: Engine, verdict: Verdict) -> Iterator[object]:
    """Yield the pages of a view for ever."""
    after = None
    while True:
        page = engine.store.answers.page(engine.encoder, verdict, after=after)
        after = page.after
        yield page


def confirm(engine: Engine, faces: Sequence[int], name: str) -> None:
    """Confirm that faces show a character, as the command does."""
    result_of(decide.confirm(engine, [SeenFace(face) for face in faces], name, who=""))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure stored answers.")
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--characters", type=int, default=500)
    chosen = parser.parse_args(arguments)
    each = 2 * chosen.faces // (3 * chosen.characters) + 1
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "answers.db"
        fill(database, chosen.characters, SAMPLES)
        # A half more characters than there are in the gallery, all seen as often.
        seen = drawn(chosen.characters * 3 // 2, each)
        order = np.random.default_rng(1).permutation(seen.shape[0] * each)[: chosen.faces]
        with open_gallery(Settings(database=str(database))) as engine:
            see(database, engine.encoder, seen.reshape(-1, seen.shape[2])[order])
            began, used = time.perf_counter(), time.process_time()
            done = result_of(answers.renew(engine, alone=True))
            took, used = time.perf_counter() - began, time.process_time() - used
            counts = engine.store.answers.counts(engine.encoder)
            kinds = ", ".join(f"{counts.of(one):,} {one}" for one in Verdict)
            print(
                f"{done.renewed:,} faces answered in {took:.1f} s, {used:.1f} s of a processor: "
                f"{kinds}; "
                f"{database.stat().st_size / 2**20:,.0f} MiB",
                flush=True,
            )
            rows = [
                (
                    name,
                    f"{np.median(taken.wall):.1f}",
                    f"{np.quantile(taken.wall, 0.95):.1f}",
                    f"{np.median(taken.processor):.1f}",
                )
                for name, taken in measured(engine)
            ]
    print(table(("what", "median ms", "95 % ms", "processor ms"), rows))


if __name__ == "__main__":
    main()
