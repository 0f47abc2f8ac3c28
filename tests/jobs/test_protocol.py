"""Every job tells its work in the same way, and lets go of everything when it is left."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from fakes import Square, fake_gallery, new_sample, write_picture

from gallery.audit.run import audit
from gallery.engine.engine import Engine
from gallery.evaluation.run import evaluate
from gallery.events import (
    Event,
    Finished,
    Identified,
    Job,
    Labelled,
    Refused,
    Started,
    result_of,
    steps_of,
)
from gallery.faces.quality import NO_GATES
from gallery.faces.video import VideoOptions
from gallery.jobs.adopt import adopt
from gallery.jobs.answers import renew
from gallery.jobs.calibrate import calibrate
from gallery.jobs.cluster import cluster
from gallery.jobs.describe import describe
from gallery.jobs.enroll import enroll, named_in
from gallery.jobs.harvest import harvest
from gallery.jobs.identify import identify
from gallery.jobs.label import LabelChoices, label, planned
from gallery.jobs.reencode import reencode
from gallery.jobs.relabel import RelabelChoices, relabel
from gallery.media.inputs import media_of, pictures_of
from gallery.output.format import OutputOptions
from gallery.types import MatchMode, Source

COLOURS = {"Asuka": (220, 20, 20), "Rei": (20, 20, 220), "Mana": (20, 200, 20)}
STRANGE = (230, 30, 200)
CHOICES = LabelChoices(MatchMode.IDEAL, 3, True, VideoOptions())


def album(folder: Path, seeds: range) -> Path:
    """A folder per character, and a loose picture."""
    for name, colour in COLOURS.items():
        for seed in seeds:
            write_picture(folder / name / f"{seed}.png", Square(10, 10, 60, colour), seed=seed)
    write_picture(folder / "loose.png", seed=99)
    return folder


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Known faces, strangers, a picture of nobody and a file that is none."""
    folder = tmp_path / "shots"
    for number, colour in enumerate([*COLOURS.values(), *[STRANGE] * 6]):
        write_picture(folder / f"{number}.png", Square(20, 10, 70, colour), seed=50 + number)
    write_picture(folder / "nobody.png", seed=70)
    (folder / "text.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def filled(gallery: Engine, tmp_path: Path) -> Engine:
    result_of(enrolling(gallery, tmp_path))
    return gallery


def enrolling(gallery: Engine, place: Path) -> Job[object]:
    named = named_in([album(place / "album", range(4))], Source.FOLDERS)
    assert named is not None
    return enroll(gallery, named, gates=NO_GATES)


def labelling(gallery: Engine, place: Path) -> Job[object]:
    wanted = [f"coco:{place / 'out.json'}"]
    plan = planned([place / "shots", place / "gone"], place / "out.jsonl", wanted, OutputOptions())
    return label(gallery, plan, CHOICES)


def labelled(gallery: Engine, place: Path) -> None:
    result_of(labelling(gallery, place))


def relabelling(gallery: Engine, place: Path) -> Job[object]:
    labelled(gallery, place)
    result_of(calibrate(gallery, 0.05))
    write_picture(place / "shots" / "0.png", Square(20, 10, 70, STRANGE), seed=1)
    return relabel(gallery, RelabelChoices(place / "again.jsonl"))


def renewing(gallery: Engine, place: Path) -> Job[object]:
    labelled(gallery, place)
    result_of(calibrate(gallery, 0.05))
    return renew(gallery)


def clustering(gallery: Engine, place: Path) -> Job[object]:
    labelled(gallery, place)
    return cluster(gallery)


def adopting(gallery: Engine, place: Path) -> Job[object]:
    result_of(clustering(gallery, place))
    return adopt(gallery, 1, "Somebody")


def reencoding(gallery: Engine, place: Path) -> Job[object]:
    labelled(gallery, place)
    return reencode(gallery, everything=True)


def identifying(gallery: Engine, place: Path) -> Job[object]:
    return identify(gallery, pictures_of([place / "shots", place / "gone"]))


def describing(gallery: Engine, place: Path) -> Job[object]:
    return describe(gallery.describer, pictures_of([place / "shots", place / "gone"]))


def harvesting(gallery: Engine, place: Path) -> Job[object]:
    media = media_of([place / "shots", place / "gone"])
    return harvest(gallery, media, place / "harvest", options=VideoOptions())


def evaluating(gallery: Engine, place: Path) -> Job[object]:
    result_of(calibrate(gallery, 0.05))
    return evaluate(gallery, album(place / "asked", range(10, 13)))


JOBS: dict[str, Callable[[Engine, Path], Job[object]]] = {
    "enroll": enrolling,
    "label": labelling,
    "relabel": relabelling,
    "renew answers": renewing,
    "cluster": clustering,
    "adopt": adopting,
    "reencode": reencoding,
    "identify": identifying,
    "describe": describing,
    "harvest": harvesting,
    "evaluate a folder": evaluating,
    "evaluate": lambda gallery, _: evaluate(gallery),
    "calibrate": lambda gallery, _: calibrate(gallery, 0.05),
    "audit": lambda gallery, _: audit(gallery),
}

STAGES = {
    "adopt": ["looking", "adopting"],
    "relabel": ["smoothing", "relabelling"],
    "renew answers": ["smoothing", "answering"],
    "reencode": ["encoding", "encoding"],
    "evaluate a folder": ["describing", "smoothing", "evaluating"],
}
"""Where a job has others than one."""


@pytest.mark.parametrize("name", JOBS)
def test_a_job_begins_with_a_stage_and_ends_with_what_came_of_it(
    name: str, filled: Engine, shots: Path, tmp_path: Path
) -> None:
    assert shots.exists()
    events = list(JOBS[name](filled, tmp_path))
    assert isinstance(events[0], Started)
    assert [type(one) for one in events].count(Finished) == 1
    assert isinstance(events[-1], Finished)
    stages: list[tuple[Started, int]] = []
    for event in events:
        assert dataclasses.is_dataclass(event)
        assert vars(type(event))["__dataclass_params__"].frozen
        if isinstance(event, Started):
            stages.append((event, 0))
        stages[-1] = (stages[-1][0], stages[-1][1] + steps_of(event))
    assert [told for _, told in stages] == [stage.total for stage, _ in stages]
    assert all(stage.total and stage.stage and stage.unit for stage, _ in stages)
    if name in STAGES:
        assert [stage.stage for stage, _ in stages] == STAGES[name]
    else:
        assert len(stages) == 1
    refuse = {"enroll", "label", "relabel", "identify", "describe", "harvest", "evaluate a folder"}
    assert any(isinstance(one, Refused) for one in events) == (name in refuse)


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("after", [1, 2])
def test_a_job_that_is_left_lets_go_and_is_done_again(
    name: str, after: int, filled: Engine, shots: Path, tmp_path: Path
) -> None:
    assert shots.exists()
    events = JOBS[name](filled, tmp_path)
    told: list[Event[object]] = list(islice(events, after))
    events.close()
    assert len(told) == after
    assert not [one for one in threading.enumerate() if one.name.startswith("ahead")]
    assert not list(tmp_path.glob(".gallery-*"))
    # A lock that stays, or a transaction, would refuse this.
    with filled.store.writing() as writer:
        assert writer.add(new_sample("Nobody", 1234)) is not None
    filled.forget("Nobody")
    again = {"label": labelling, "relabel": relabelling_again}.get(name, JOBS[name])
    assert isinstance(list(again(filled, tmp_path))[-1], Finished)


def relabelling_again(gallery: Engine, place: Path) -> Job[object]:
    return relabel(gallery, RelabelChoices(place / "again.jsonl"))


def test_labelling_that_is_left_goes_on_where_it_was(
    filled: Engine, shots: Path, tmp_path: Path
) -> None:
    assert shots.exists()
    events = labelling(filled, tmp_path)
    first = list(islice(events, 6))
    events.close()
    rest = list(labelling(filled, tmp_path))
    done = [one.record.path for one in [*first, *rest] if isinstance(one, Labelled)]
    assert sorted(done) == sorted(path for path in shots.iterdir() if path.suffix == ".png")


def test_identifying_holds_pictures_only_where_they_are_wanted(
    database: Path, filled: Engine, shots: Path
) -> None:
    pictures = pictures_of([shots])
    with fake_gallery(database) as other:
        bare, full = (
            [
                one
                for one in identify(other, pictures, with_images=wanted)
                if isinstance(one, Identified)
            ]
            for wanted in (False, True)
        )
    assert [one.record for one in bare] == [one.record for one in full]
    assert {one.image for one in bare} == {None}
    assert [one.image is None for one in full] == [one.record.error is not None for one in full]
    assert filled.characters()
