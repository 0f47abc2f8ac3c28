"""Measures labelling: its speed beside the original's way, its memory, and that of a video.

    python -m benchmarks.labelling [--encoder anime] [--rounds 3] [--timed 24] [--pictures 10000]

One picture of each of the original's characters is enrolled, and their pictures of 1920x1080 are
labelled as often as it takes to come to so many, by the product with its detectors. The original's
way is animeface on the whole picture, dlib for every face, and a NumPy scan over the ideals; it
shares decoder and aligner, labels each picture once, and takes turns with the others. Where the
pictures are not here, the drawn characters and screenshots take their place. Stages are timed at
the seams of the product itself, one picture after another. Memory is that of `gallery label` in a
process of its own over so many pictures, see label_memory; --documents watches a second one that
writes documents, too. Frames of a video a second are measured by benchmarks.video, whose report
stands at the end, in a process of its own as well. --pictures 0 and --no-video leave these out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import label_memory
from benchmarks.timing import (
    CHARACTERS,
    FULL_HD,
    ORIGINAL,
    ROOT,
    SCREENSHOTS,
    pairs,
    pictures,
    taking_turns,
)
from gallery.engine import assemble
from gallery.engine.engine import Engine
from gallery.faces import catalog
from gallery.faces.align import EyeAligner
from gallery.faces.describe import Describer
from gallery.faces.detectors.animeface import AnimefaceDetector
from gallery.faces.interfaces import Aligner, Detector, Encoder
from gallery.faces.networks.library import locate
from gallery.identify.index_cache import IndexCache
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.pipeline import identified
from gallery.media.images import read_image
from gallery.output.resume import open_writer
from gallery.settings import Settings
from gallery.types import Candidate, Crop, Face, Image
from measuring.tables import table

STAGES = ("decode", "detect", "align", "encode", "rest", "write")
"""The rest is measuring quality and matching."""


class Clock:
    """Adds up the time spent in stages."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def running(self, stage: str) -> Iterator[None]:
        """Count the time inside as a stage's."""
        start = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - start

    def shares(self) -> dict[str, float]:
        """Return every stage's share of all the time, 0 to 1."""
        total = sum(self.seconds.values())
        return {stage: seconds / total for stage, seconds in self.seconds.items()}


class TimedDetector:
    """A detector under the clock."""

    def __init__(self, part: Detector, clock: Clock) -> None:
        self.name = part.name
        self._part, self._clock = part, clock

    def detect(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return what the detector does."""
        with self._clock.running("detect"):
            return self._part.detect(images)


class TimedAligner:
    """An aligner under the clock."""

    def __init__(self, part: Aligner, clock: Clock) -> None:
        self._part, self._clock = part, clock

    def align(self, image: Image, face: Face) -> Crop:
        """Return what the aligner does."""
        with self._clock.running("align"):
            return self._part.align(image, face)


class TimedEncoder:
    """An encoder under the clock."""

    def __init__(self, part: Encoder, clock: Clock) -> None:
        self.id = part.id
        self._part, self._clock = part, clock

    def encode(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the encoder does."""
        with self._clock.running("encode"):
            return self._part.encode(crops)


def material() -> tuple[list[Candidate], list[Path], str]:
    """Return what to enroll, what to label, and what that is."""
    found = pairs(ORIGINAL)
    if found:
        candidates = [Candidate(pair.first, pair.name) for pair in found]
        large = [path for path in pictures(ORIGINAL) if _size(path) == FULL_HD]
        return candidates, large, "the original's sample pictures of 1920x1080"
    if pictures(SCREENSHOTS) and CHARACTERS.is_dir():
        return candidates_in(CHARACTERS)[0], pictures(SCREENSHOTS), "drawn screenshots"
    return [], [], ""


def _size(path: Path) -> tuple[int, int]:
    image = read_image(path)
    return image.width, image.height


def copies(paths: Sequence[Path], count: int, folder: Path) -> list[Path]:
    """Return so many files with the content of these, in turn; no two are one file."""
    made = []
    for number in range(count):
        path = paths[number % len(paths)]
        made.append(folder / f"{number}{path.suffix}")
        shutil.copyfile(path, made[-1])
    return made


def label_all(gallery: Engine, paths: Sequence[Path], out: Path) -> int:
    """Label pictures as `gallery label` does, and return how many faces they show."""
    writer = open_writer(out, gallery.encoder)
    try:
        count = 0
        for one in identified(gallery, paths):
            writer.write(one.record)
            count += len(one.record.faces)
        return count
    finally:
        writer.close()


def stages(gallery: Engine, paths: Sequence[Path], out: Path) -> Clock:
    """Label pictures by the same parts under a clock."""
    clock = Clock()
    parts = gallery.describer
    timed = Describer(
        TimedDetector(parts.detector, clock),
        TimedAligner(parts.aligner, clock),
        TimedEncoder(parts.encoder, clock),
    )
    other = Engine(
        gallery.store, gallery.encoder, gallery.thresholds, lambda: timed, IndexCache(None)
    )
    writer = open_writer(out, gallery.encoder)
    # The first question builds the index.
    other.identify(read_image(paths[0]))
    clock.seconds.clear()
    for path in paths:
        with clock.running("decode"):
            image = read_image(path)
        inside = sum(clock.seconds[stage] for stage in ("detect", "align", "encode"))
        start = time.perf_counter()
        record = other.identify(image)
        spent = time.perf_counter() - start
        described = sum(clock.seconds[stage] for stage in ("detect", "align", "encode")) - inside
        clock.seconds["rest"] += spent - described
        with clock.running("write"):
            writer.write(record)
    writer.close()
    return clock


class OriginalWay:
    """Animeface, dlib face by face, and a scan over the ideals."""

    def __init__(self, gallery: Engine, settings: Settings) -> None:
        self._detector = AnimefaceDetector()
        self._aligner = EyeAligner()
        weights = locate(settings.encoder, settings.models_folder)
        self._encoder = catalog.encoder("dlib", weights, settings.cache_folder)
        vectors = gallery.store.vectors(gallery.encoder)
        names = gallery.store.names(vectors.character_ids.tolist())
        self._names = [names[number][0] for number in vectors.character_ids.tolist()]
        self._ideals = vectors.ideals

    def label_all(self, paths: Sequence[Path], out: Path) -> int:
        """Write a line for every picture, and return how many faces they show."""
        faces = 0
        with out.open("w", encoding="utf-8") as file:
            for path in paths:
                image = read_image(path)
                (found,) = self._detector.detect([image])
                who = [self._who(self._aligner.align(image, face)) for face in found]
                file.write(json.dumps({"path": str(path), "faces": who}) + "\n")
                faces += len(found)
        return faces

    def _who(self, crop: Crop) -> tuple[str, float]:
        (descriptor,) = self._encoder.encode(crop[None])
        distances = np.linalg.norm(self._ideals - descriptor, axis=1)
        nearest = int(distances.argmin())
        return self._names[nearest], float(distances[nearest])


def stage_table(clock: Clock, faces: int, number: int) -> str:
    """Return a line for every stage."""
    shares = clock.shares()
    rows = [
        (stage, f"{clock.seconds[stage] / number * 1000:.1f}", f"{shares[stage]:.1%}")
        for stage in STAGES
    ]
    rows.append(("all", f"{sum(clock.seconds.values()) / number * 1000:.1f}", f"{faces} faces"))
    return table(("stage", "ms a picture", "share"), rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure labelling, beside the original's way.")
    parser.add_argument("--encoder", default="anime", help="one that dlib runs too")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--timed", type=int, default=24, help="pictures in a round")
    parser.add_argument("--pictures", type=int, default=10_000, help="over which memory is watched")
    parser.add_argument("--documents", action="store_true", help="watch a job with documents, too")
    parser.add_argument("--no-video", action="store_true")
    chosen = parser.parse_args(arguments)
    candidates, paths, origin = material()
    if not paths:
        print(f"Skipped: neither {ORIGINAL} nor pictures under {SCREENSHOTS} are there.")
        return
    print(
        f"{chosen.timed} pictures, copies of {len(paths)} of {origin}; "
        f"{len(candidates)} enrolled, encoder {chosen.encoder}, median of {chosen.rounds} rounds"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(
            database=f"{folder}/gallery.db", encoder=chosen.encoder, detector="animeface"
        )
        with assemble.open_gallery(settings, create=True) as gallery:
            list(enroll_candidates(gallery, candidates, largest=True))
            many = copies(paths, chosen.timed, folder)
            measure(gallery, settings, paths, many, chosen.rounds)
    if chosen.pictures:
        print(flush=True)
        label_memory.report(chosen.pictures, documents=chosen.documents)
    if not chosen.no_video:
        print("\nvideo (python -m benchmarks.video)", flush=True)
        video(chosen.rounds)


def video(rounds: int) -> None:
    """Print the report of benchmarks.video, made by a process of its own."""
    words = [sys.executable, "-m", "benchmarks.video", "--rounds", str(rounds)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    print(done.stdout, end="")
    if done.returncode:
        print(f"This part failed: {done.stderr.strip().splitlines()[-1:]}")


def measure(
    gallery: Engine,
    settings: Settings,
    paths: Sequence[Path],
    many: Sequence[Path],
    rounds: int,
) -> None:
    """Label in rounds, then by stages, and print."""
    folder = many[0].parent
    files = (folder / f"{number}.jsonl" for number in count())
    with assemble.open_gallery(replace(settings, detector="heads")) as fast:
        faces = label_all(fast, many, next(files))
        other = OriginalWay(gallery, settings)
        # The first picture opens what is opened late.
        other.label_all(paths[:1], next(files))
        label_all(gallery, paths[:1], next(files))
        ways: dict[str, tuple[int, Callable[[], object]]] = {
            "gallery, heads": (len(many), lambda: label_all(fast, many, next(files))),
            "gallery, animeface": (len(paths), lambda: label_all(gallery, paths, next(files))),
            "original's way": (len(paths), lambda: other.label_all(paths, next(files))),
        }
        times = taking_turns({name: way for name, (_, way) in ways.items()}, rounds, warm_up=False)
        speeds = {name: ways[name][0] / one.median * 1000 for name, one in times.items()}
        slowest = speeds["original's way"]
        rows = [(name, f"{speed:.2f}", f"{speed / slowest:.1f}") for name, speed in speeds.items()]
        print(table(("way", "pictures/s", "ratio"), rows))
        print(f"\nstages of gallery, heads, over {len(many)} pictures one after another")
        print(stage_table(stages(fast, many, next(files)), faces, len(many)))


if __name__ == "__main__":
    main()
