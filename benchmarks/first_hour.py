"""A newcomer's first hour: what the gallery answers after each step, mistakes and cures among them.

    python -m benchmarks.first_hour [--split dev-tv dev] [--galleries 2] [--seed 0] [--aloud]
    python -m benchmarks.first_hour --rejections [--galleries 4]

Random galleries of shared faces, each face a picture of its own, go through the commands as a
person types them. The newcomer enrolls a folder, calibrates, labels and relabels. Then come the
usual mistakes, each followed by `enroll`, `calibrate` and `relabel`: half of one character's
pictures lie in a folder with a misspelt name; two pictures lie in another character's folder; of
these one is moved by hand, and the folder is renamed then. At last wrong answers are rejected, and
what `audit` proposes is done where a look at the faces confirms it. Beside this stands the same
without mistakes, with the same pictures and the same rejections.

With `--rejections` nothing else goes wrong: wrong names are rejected after the first `relabel`, and
all is answered anew by `relabel` alone, then after `calibrate`.

A picture counts by its largest face. Pictures that something was decided of count nowhere, so that
all rows are of the same ones. A step that lowers what is surely right by more than LOST of the
known faces, and says nothing that warns, is counted at the end.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.newcomer import Cast, Newcomer, Said, cast, said_in, write_picture
from benchmarks.timing import ROOT, SHARED
from measuring.faces import Faces, read_faces
from measuring.mislabelled import rightly_labelled
from measuring.tables import table

SPLITS = {
    "dev-tv": {"characters": 10, "references": 6, "probes": 12, "strangers": 80},
    "dev": {"characters": 25, "references": 6, "probes": 6, "strangers": 120},
}
"""How large galleries are; of dev-tv all characters with enough pictures."""

LOST = 0.05
"""Of the known faces: what a step may take without a word."""

REJECTED = 6
"""Wrong names that the newcomer rejects."""

ROUNDS = 3
"""How often the newcomer asks for an audit."""

COLUMNS = ("right", "wrong", "unsure", "unknown", "named", "unsure ", "unknown ")
"""Of known faces: surely right, surely wrong, unsure, unknown; of strangers' the same."""


@dataclass(slots=True)
class Step:
    """What stands after a step."""

    name: str
    said: dict[str, Said]
    typed: int
    warnings: list[str] = field(default_factory=list)


class Hour:
    """One newcomer's way, and what came of each step."""

    def __init__(self, person: Newcomer, truth: Mapping[str, str | None]) -> None:
        """Prepare; truth says by the picture's name whom it shows, None for a stranger."""
        self.person, self.truth = person, truth
        self.spelt: dict[str, str] = {}
        """Names that stand for characters, besides their own: misspelt and new ones."""
        self.steps: list[Step] = []

    def means(self, name: str | None) -> str | None:
        """Return the character that a name means to the person."""
        return None if name is None else self.spelt.get(name, name)

    def begin(self) -> None:
        """Enroll, calibrate, label, relabel."""
        self.person.types("enroll", "characters")
        self.person.types("calibrate")
        self.person.types("label", "shots", "--out", "labels.jsonl")
        self.note("labelled", "labels.jsonl")
        self.relabel("relabelled")

    def answer_anew(self, name: str, *, enroll: bool = True) -> None:
        """Do after a change what the guide says: enroll, calibrate, relabel."""
        if enroll:
            self.person.types("enroll", "characters")
        self.person.types("calibrate")
        self.relabel(name)

    def relabel(self, name: str) -> None:
        """Answer all anew, and note it."""
        out = f"labels{len(self.steps)}.jsonl"
        self.person.types("relabel", "--out", out)
        self.note(name, out)

    def note(self, name: str, out: str) -> None:
        """Keep what the gallery says after a step."""
        person = self.person
        self.steps.append(
            Step(name, said_in(person.folder / out), person.typed, list(person.warned))
        )
        person.typed, person.warned = 0, []

    def is_right(self, picture: str, said: Said) -> bool:
        """Say whether a name that is answered is the right one."""
        return said.character is not None and self.means(said.character) == self.truth[picture]

    def wrongly_named(self, most: int) -> list[tuple[str, str]]:
        """Return pictures with a wrong name, sure ones first, as the last step answers them."""
        said = self.steps[-1].said
        wrong = [
            (one.verdict != "sure", picture, one.character)
            for picture, one in said.items()
            if one.character is not None and not self.is_right(picture, one)
        ]
        return [(picture, name) for _, picture, name in sorted(wrong)[:most]]

    def reject(self, wrong: Sequence[tuple[str, str]]) -> None:
        """Reject names, as many pictures at once as have one."""
        for name in sorted({name for _, name in wrong}):
            pictures = [f"shots/{one}" for one, other in wrong if other == name]
            self.person.types("reject", *pictures, name, "--face", 1)

    def follow_audit(self, owners: Mapping[str, str]) -> int:
        """Do what the audit proposes where it is right, and return how much that was.

        owners says by its file's name whom an enrolled picture shows.
        """
        done = 0
        for _ in range(ROUNDS):
            listed = [shlex.split(str(one["command"]))[1:] for one in self.person.sees("audit")]
            wanted = [words for words in listed if self._is_true(words, owners)]
            # Where two characters become one, the other proposals are not what they were.
            merges = [words for words in wanted if words[0] == "merge"]
            for words in merges or wanted:
                self.person.types(*words)
            done += len(merges or wanted)
            if not wanted:
                break
        return done

    def _is_true(self, words: Sequence[str], owners: Mapping[str, str]) -> bool:
        if words[:1] == ["merge"]:
            return self.means(words[1]) == self.means(words[2])
        if words[:1] == ["move"] and "--to" in words:
            target = words[words.index("--to") + 1]
            numbers = {int(one) for one in words[1 : words.index("--to")]}
            owner = {owners[self.file_of(one)] for one in numbers}
            return owner == {self.means(target)}
        return False

    def file_of(self, sample: int) -> str:
        """Return the name of an enrolled picture's file; a person sees the face instead."""
        return self.files()[sample][0]

    def files(self) -> dict[int, tuple[str, str]]:
        """Return the name of each sample's file, and its character."""
        from contextlib import closing
        from sqlite3 import connect

        with closing(connect(self.person.database)) as connection:
            rows = connection.execute(
                "SELECT samples.id, path, name FROM samples JOIN characters "
                "ON characters.id = samples.character_id"
            ).fetchall()
        return {number: (Path(path).name, name) for number, path, name in rows}


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Which characters they happen to."""

    doubled: str
    owner: str
    """Whose two pictures lie elsewhere."""
    renamed: str
    """In whose folder they lie, which gets another name."""

    @property
    def misspelt(self) -> str:
        """The doubled one's other name."""
        return f"{self.doubled[:-1]}{'y' if self.doubled[-1] != 'y' else 'i'}"

    @property
    def new(self) -> str:
        """What the renamed folder is called."""
        return f"{self.renamed} (TV)"


@dataclass(frozen=True, slots=True)
class Done:
    """What a gallery came to."""

    steps: tuple[Step, ...]
    beside: tuple[Step, ...]
    """Without the mistakes."""
    truth: Mapping[str, str | None]
    spelt: Mapping[str, str]
    decided: frozenset[str]
    is_move_kept: bool | None = None
    """None where nothing was moved."""
    followed: int = 0
    """How many proposals were."""


def lived(faces: Faces, drawn: Cast, folder: Path, *, aloud: bool) -> Done:
    """Live through an hour with mistakes, and one without."""
    mistakes = Mistakes(*drawn.names[:3])
    owners: dict[str, str] = {}
    held_back: dict[str, list[str]] = {}
    home = folder / "with"
    for name, rows in drawn.references.items():
        held = {mistakes.doubled: len(rows) // 2, mistakes.owner: 2}.get(name, 0)
        for place, row in enumerate(rows):
            picture = f"{row:05}.png"
            owners[picture] = name
            later = place < held
            where = home / ("later" if later else f"characters/{name}") / picture
            write_picture(faces.pixels[row], where)
            if later:
                held_back.setdefault(name, []).append(picture)
    truth = shots(faces, drawn, home)

    first = Hour(Newcomer(home, aloud=aloud), truth)
    first.begin()
    without = Hour(first.person.copied(folder / "without"), truth)
    without.steps = list(first.steps)

    for one in held_back[mistakes.doubled]:
        first.person.moves(f"later/{one}", f"characters/{mistakes.misspelt}/{one}")
    first.spelt[mistakes.misspelt] = mistakes.doubled
    first.answer_anew("a character doubled")

    for one in held_back[mistakes.owner]:
        first.person.moves(f"later/{one}", f"characters/{mistakes.renamed}/{one}")
    first.answer_anew("two wrong pictures")

    moved = held_back[mistakes.owner][0]
    first.person.sees("show", mistakes.renamed)
    (sample,) = (number for number, (file, _) in first.files().items() if file == moved)
    first.person.types("move", sample, "--to", mistakes.owner)
    first.person.moves(f"characters/{mistakes.renamed}", f"characters/{mistakes.new}")
    first.spelt[mistakes.new] = mistakes.renamed
    first.answer_anew("one moved, folder renamed")
    is_kept = first.files().get(sample) == (moved, mistakes.owner)

    wrong = first.wrongly_named(REJECTED)
    first.reject(wrong)
    first.answer_anew(f"{REJECTED} wrong names rejected", enroll=False)

    followed = first.follow_audit(owners)
    first.answer_anew("what the audit proposes", enroll=False)

    for name, files in held_back.items():
        for one in files:
            without.person.moves(f"later/{one}", f"characters/{name}/{one}")
    without.answer_anew("pictures added")
    without.reject([(picture, first.means(name) or name) for picture, name in wrong])
    without.answer_anew("the same names rejected", enroll=False)
    decided = frozenset(picture for picture, _ in wrong)
    return Done(
        tuple(first.steps),
        tuple(without.steps[2:]),
        truth,
        dict(first.spelt),
        decided,
        is_kept,
        followed,
    )


def rejected(faces: Faces, drawn: Cast, folder: Path, *, aloud: bool) -> Done:
    """Live through the beginning of an hour, and reject wrong names; nothing else goes wrong."""
    for name, rows in drawn.references.items():
        for row in rows:
            write_picture(faces.pixels[row], folder / "characters" / name / f"{row:05}.png")
    hour = Hour(Newcomer(folder, aloud=aloud), shots(faces, drawn, folder))
    hour.begin()
    wrong = hour.wrongly_named(REJECTED)
    hour.reject(wrong)
    hour.relabel(f"{REJECTED} wrong names rejected")
    hour.answer_anew("calibrated anew", enroll=False)
    decided = frozenset(picture for picture, _ in wrong)
    return Done(tuple(hour.steps), (), hour.truth, {}, decided)


def shots(faces: Faces, drawn: Cast, home: Path) -> dict[str, str | None]:
    """Write the pictures to ask about, and return by their names whom they show."""
    truth: dict[str, str | None] = {}
    asked = [(name, row) for name, rows in drawn.probes.items() for row in rows]
    for owner, row in [*asked, *((None, row) for row in drawn.strangers)]:
        truth[f"{row:05}.png"] = owner
        write_picture(faces.pixels[row], home / "shots" / f"{row:05}.png")
    return truth


def counted(done: Done, step: Step) -> Counter[str]:
    """Count what a step says of the pictures that nothing was decided of."""
    counts: Counter[str] = Counter()
    for picture, said in step.said.items():
        if picture in done.decided:
            continue
        owner = done.truth[picture]
        name = done.spelt.get(said.character or "", said.character)
        if owner is None:
            counts[{"sure": "named", "unsure": "unsure ", "unknown": "unknown "}[said.verdict]] += 1
        elif said.verdict == "sure":
            counts["right" if name == owner else "wrong"] += 1
        else:
            counts[said.verdict] += 1
    return counts


def known(counts: Mapping[str, int]) -> int:
    """Return how many faces of known characters counts are of."""
    return sum(counts[one] for one in COLUMNS[:4])


def rows_of(all_done: Sequence[Done]) -> list[tuple[str, ...]]:
    """Return a row for each step, over all galleries."""
    rows = []
    for steps in ("steps", "beside"):
        for place, one in enumerate(getattr(all_done[0], steps)):
            total: Counter[str] = Counter()
            typed = warned = 0
            for done in all_done:
                step = getattr(done, steps)[place]
                total.update(counted(done, step))
                typed += step.typed
                warned += bool(step.warnings)
            prefix = "without mistakes: " if steps == "beside" else ""
            rows.append(
                (
                    f"{prefix}{one.name}",
                    *(str(total[column]) for column in COLUMNS),
                    f"{typed / len(all_done):.0f}",
                    f"{warned}/{len(all_done)}",
                )
            )
    return rows


def silent(all_done: Sequence[Done]) -> list[str]:
    """Return, in words, the steps that took much of what was surely right, and did not warn."""
    found = []
    for number, done in enumerate(all_done, 1):
        counts = [counted(done, step) for step in done.steps]
        for place in range(2, len(counts)):
            fell = counts[place - 1]["right"] - counts[place]["right"]
            step = done.steps[place]
            if fell > LOST * known(counts[place]) and not step.warnings:
                found.append(f"gallery {number}, {step.name}: {fell} of {known(counts[place])}")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Live through a newcomer's first hour.")
    parser.add_argument("--split", nargs="+", choices=sorted(SPLITS), default=["dev-tv", "dev"])
    parser.add_argument("--galleries", type=int, default=2, help="of each split")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rejections", action="store_true", help="nothing else goes wrong")
    parser.add_argument("--aloud", action="store_true", help="print what is typed and answered")
    parser.add_argument("--data", type=Path, default=SHARED / "faces")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "openset")
    chosen = parser.parse_args(arguments)
    live = rejected if chosen.rejections else lived
    for split in chosen.split:
        faces = read_faces(chosen.data, split, chosen.cache)
        is_right = rightly_labelled(chosen.data) if split == "dev" else np.ones(len(faces), bool)
        generator = np.random.default_rng([chosen.seed, len(split)])
        began, all_done = time.perf_counter(), []
        for _ in range(chosen.galleries):
            drawn = cast(faces, np.flatnonzero(is_right).tolist(), generator, **SPLITS[split])
            with tempfile.TemporaryDirectory() as folder:
                all_done.append(live(faces, drawn, Path(folder), aloud=chosen.aloud))
        took = time.perf_counter() - began
        print(report(split, all_done, took), flush=True)


def report(split: str, all_done: Sequence[Done], seconds: float) -> str:
    """Return what came of a split's galleries, in words and a table."""
    size = SPLITS[split]
    per_step = [counted(done, done.steps[-1]) for done in all_done]
    all_known = sum(known(one) for one in per_step)
    others = sum(one.total() for one in per_step) - all_known
    kept = [done.is_move_kept for done in all_done if done.is_move_kept is not None]
    followed = sum(done.followed for done in all_done)
    lines = [
        f"{split}: galleries of {size['characters']} characters with {size['references']} "
        f"pictures, {len(all_done)} of them; {all_known} faces of known characters and {others} of "
        f"strangers; {seconds:.0f} s",
        table(("", *(one.strip() for one in COLUMNS), "typed", "warned"), rows_of(all_done)),
        "The first four columns are of known characters' faces, surely right, surely wrong, "
        "unsure, unknown;",
        "the next three of strangers': surely named, unsure, unknown.",
    ]
    if kept:
        stayed = f"Samples moved by hand that stayed: {sum(kept)} of {len(kept)}."
        lines.append(f"{stayed} Proposals followed: {followed}.")
    found = silent(all_done)
    lines.append(
        f"Steps that took over {LOST:.0%} of what was surely right without a warning: {len(found)}"
        + "".join(f"\n  {one}" for one in found)
    )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
