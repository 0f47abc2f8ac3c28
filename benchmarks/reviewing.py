"""A robot that knows who is who reviews a job: keys pressed, screens seen, what ends right.

    python -m benchmarks.reviewing [--splits dev dev-tv] [--references 5] [--seed 0]

Each shared face is a picture of its own, with a border, in one labelled job. Two thirds of the
characters with enough pictures are enrolled; all others are strangers. The gallery is calibrated,
the job is labelled, grouped and answered jointly, as `label`, `cluster` and `relabel` do.

Then the robot does what a person does in `gallery review`, see benchmarks.reviewer. A round goes
through sure faces, takes references, and goes through doubtful faces and those that are near; the
last one goes through the sure faces again. A round leaves faces alone that cost more keys than it
is out for. A screen is what stands there before the next one is asked for, and takes SECONDS.

Beside it stand the same faces one at a time (a screen and a key for each that is answered rightly,
else a name), and text files (a line typed for each face that is not surely right). Reported is what
share of the faces ends right: those of enrolled characters surely named as they are, strangers
named as nobody who is enrolled; and wrong names of all.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.newcomer import BORDER, GROUND, called
from benchmarks.reviewer import LETTERS, Person
from benchmarks.timing import ROOT, SHARED
from gallery.engine.assemble import open_gallery
from gallery.engine.engine import Engine
from gallery.events import result_of
from gallery.jobs.answers import renew
from gallery.jobs.cluster import cluster
from gallery.media.images import pixels_digest
from gallery.settings import Settings
from gallery.store.sightings import Observation
from gallery.store.writer import NewSample
from gallery.types import Content, Image, Pixels, Verdict
from gallery.web.desk import Desk
from measuring.faces import read_faces
from measuring.mislabelled import rightly_labelled
from measuring.tables import table

SECONDS = 3.0
"""What a screen takes."""

AT_ONCE = 32
ROUNDS = (2, 2, 1)
"""Faces that a click must name at least, round by round."""

ENROLLED = 2 / 3
"""Of the characters with enough pictures."""


@dataclass(frozen=True, slots=True)
class Job:
    """What was labelled, and the truth."""

    truth: dict[int, str]
    """Whom each seen face shows, by its number."""
    enrolled: frozenset[str]

    def is_right(self, face: int, name: str | None) -> bool:
        """Say whether a face ends right that is surely named so; None for no sure name."""
        truth = self.truth[face]
        return name == truth if truth in self.enrolled else name is None or name == truth

    def is_wrong(self, face: int, name: str | None) -> bool:
        """Say whether a sure name is somebody else's."""
        return name is not None and name != self.truth[face]


def pictures(pixels: Pixels, rows: Sequence[int]) -> Iterator[Image]:
    """Yield faces as pictures of their own."""
    for row in rows:
        framed = np.full((pixels.shape[1] + 2 * BORDER, pixels.shape[2] + 2 * BORDER, 3), GROUND)
        framed[BORDER:-BORDER, BORDER:-BORDER] = pixels[row]
        picture = np.ascontiguousarray(framed, np.uint8)
        digest = hashlib.sha256(picture.tobytes()).hexdigest()
        yield Image(picture, digest, Path(f"/job/{row:05}.png"), Content(pixels_digest(picture)))


def largest(seen: Observation) -> int:
    """Return the place of the largest face of a picture that has one."""
    return max(range(len(seen.faces)), key=lambda one: seen.faces[one].face.box.area)


def labelled(engine: Engine, splits: Sequence[str], references: int, seed: int) -> Job:
    """Enroll characters and label all other faces; return who is who."""
    generator = np.random.default_rng(seed)
    seen: list[Observation] = []
    whose: list[str] = []
    for split in splits:
        faces = read_faces(SHARED / "faces", split, ROOT / "build" / "openset")
        rows = np.arange(len(faces))
        if split == "dev":
            rows = rows[rightly_labelled(SHARED / "faces")]
        order = generator.permutation(rows).tolist()
        for start in range(0, len(order), AT_ONCE):
            some = order[start : start + AT_ONCE]
            for row, one in zip(some, engine.observe([*pictures(faces.pixels, some)]), strict=True):
                if one.faces:
                    seen.append(one)
                    whose.append(str(faces.identity[row]))
    count = Counter(whose)
    able = sorted(one for one, number in count.items() if number >= references + 3)
    chosen = generator.permutation(able)[: round(ENROLLED * len(able))].tolist()
    names = called(sorted(count))
    left = Counter(dict.fromkeys(chosen, references))
    truth: dict[str, str] = {}
    probes: list[Observation] = []
    with engine.store.writing() as writer:
        for one, identity in zip(seen, whose, strict=True):
            if left[identity] > 0:
                left[identity] -= 1
                writer.add(_sample(engine, one, names[identity]))
            else:
                # Of a picture's other faces nobody knows who they are.
                probes.append(replace(one, faces=(one.faces[largest(one)],)))
                truth[one.place.digest] = names[identity]
    engine.calibrate()
    for start in range(0, len(probes), AT_ONCE):
        engine.records(probes[start : start + AT_ONCE], keep=True)
    result_of(renew(engine))
    result_of(cluster(engine))
    return Job(
        {face.id: truth[face.digest] for face in engine.store.sightings.all()},
        frozenset(names[one] for one in chosen),
    )


def _sample(engine: Engine, seen: Observation, name: str) -> NewSample:
    return NewSample.of(
        seen.faces[largest(seen)],
        name,
        digest=seen.digest or "",
        path=seen.path,
        encoder=engine.encoder,
        detector=engine.describer.detector.name,
        is_poor=False,
    )


def surely_named(engine: Engine, job: Job) -> dict[int, str | None]:
    """Return the sure name of each face as all outputs have it."""
    found = engine.store.answers.of_faces(engine.encoder, [*job.truth])
    return {
        face: one.character if one.verdict is Verdict.SURE else None for face, one in found.items()
    }


def summary(job: Job, said: dict[int, str | None]) -> tuple[str, str, str]:
    """Return shares: of known faces right, of all faces right, and of wrong names."""
    known = [face for face, truth in job.truth.items() if truth in job.enrolled]
    right = [job.is_right(face, said[face]) for face in job.truth]
    return (
        f"{np.mean([job.is_right(face, said[face]) for face in known]):.1%}",
        f"{np.mean(right):.1%}",
        f"{np.mean([job.is_wrong(face, said[face]) for face in job.truth]):.2%}",
    )


def review(engine: Engine, person: Person, *, is_first: bool) -> Iterator[str]:
    """Go through all views once, and yield what was done at each halt.

    Answers are renewed as they are while the page is open.
    """
    if is_first:
        person.sure()
        yield "sure"
    person.references()
    result_of(renew(engine))
    person.doubtful()
    yield "references, doubtful"
    person.near()
    yield "near"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Replay a session at the page.")
    parser.add_argument("--splits", nargs="+", default=["dev", "dev-tv"])
    parser.add_argument("--references", type=int, default=5, help="of each enrolled character")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database=str(Path(folder) / "reviewing.db"))
        with open_gallery(settings, create=True) as engine:
            job = labelled(engine, chosen.splits, chosen.references, chosen.seed)
            before = surely_named(engine, job)
            known = sum(truth in job.enrolled for truth in job.truth.values())
            print(
                f"{len(job.truth):,} faces: {known:,} of {len(job.enrolled)} enrolled characters, "
                f"the rest of strangers\n",
                flush=True,
            )
            known_faces = {one: who for one, who in job.truth.items() if who in job.enrolled}
            person = Person(Desk(engine), known_faces)
            rows = [("before", "-", "-", "-", *summary(job, before))]
            for number, least in enumerate(ROUNDS, 1):
                person.least = least
                rows += [
                    _row(f"{number}: {done}", person.keys, person.screens, job, engine)
                    for done in review(engine, person, is_first=number == 1)
                ]
            person.sure()
            result_of(renew(engine))
            rows.append(_row("sure faces again", person.keys, person.screens, job, engine))
    thousands = len(job.truth) / 1000
    open_ones = [face for face in job.truth if not job.is_right(face, before[face])]
    print(
        table(
            ("", "keys a thousand", "screens", "minutes a thousand", "known right", "all right",
             "wrong names"),
            rows,
        )
    )  # fmt: skip
    pressed = sorted(person.pressed.items(), key=lambda one: -one[1])
    print(
        "\n"
        + table(
            ("view", "for what", "keys a thousand"),
            [(view, what, f"{keys / thousands:.1f}") for (view, what), keys in pressed],
        )
    )
    alone = len(job.truth) - len(open_ones) + (3 + LETTERS) * len(open_ones)
    typed = sum(len(job.truth[face]) + 2 for face in open_ones)
    print(
        f"\nOne face at a time: {alone / thousands:,.0f} keys and "
        f"{SECONDS / 60 * len(job.truth) / thousands:.0f} minutes a thousand. "
        f"By text files: {typed / thousands:,.0f} letters a thousand, and a file to be opened for "
        f"each of the {len(open_ones) / thousands:.0f} faces of a thousand that are not right."
    )


def _row(
    name: str, keys: int, screens: int, job: Job, engine: Engine
) -> tuple[str, str, str, str, str, str, str]:
    thousands = len(job.truth) / 1000
    return (
        name,
        f"{keys / thousands:.0f}",
        str(screens),
        f"{SECONDS / 60 * screens / thousands:.1f}",
        *summary(job, surely_named(engine, job)),
    )


if __name__ == "__main__":
    main()
