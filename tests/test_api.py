"""What programs talk to says what the commands say, loses nothing, and takes turns."""

from __future__ import annotations

import dataclasses
import inspect
import json
import threading
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from command import call
from fakes import Square, draw, fake_gallery, write_picture
from numpy.typing import NDArray

import gallery
from gallery import api
from gallery.engine.engine import Engine
from gallery.media.images import read_image
from gallery.types import Outcome

BLUE, RED = (20, 20, 220), (220, 20, 20)


def opened(opener: Callable[[], Engine], database: Path | str = "") -> gallery.Gallery:
    """A gallery of fakes that is there already."""
    return api.Gallery(
        lambda _: opener(), lambda: opener().describer, database=str(database), is_there=True
    )


@pytest.fixture
def people(database: Path) -> Iterator[gallery.Gallery]:
    with opened(lambda: fake_gallery(database), database) as people:
        yield people


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two characters of two pictures each, and one picture that is nobody's."""
    for name, colour in (("Rei", BLUE), ("Asuka", RED)):
        for number in range(2):
            place = tmp_path / "known" / name / f"{number}.png"
            write_picture(place, Square(10, 10, 60 + number, colour), seed=number)
    write_picture(tmp_path / "known" / "loose.png", seed=7)
    return tmp_path / "known"


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Five pictures: Rei, both, nobody, one that is damaged, Asuka."""
    places = [tmp_path / "shots" / f"{number}.png" for number in range(5)]
    rei, asuka = Square(5, 5, 70, BLUE), Square(90, 60, 40, RED)
    for place, squares in zip(places, [(rei,), (rei, asuka), (), (), (asuka,)], strict=True):
        write_picture(place, *squares, seed=99)
    places[3].write_text("no picture")
    return tmp_path / "shots"


def fill(people: gallery.Gallery, folder: Path) -> list[gallery.Enrolled]:
    return [one for one in people.enroll(folder) if isinstance(one, gallery.Enrolled)]


def names(record: gallery.Record) -> list[str | None]:
    return [face.character for face in record.faces]


def test_enrolment_tells_what_there_is_what_is_refused_and_what_becomes_of_each(
    people: gallery.Gallery, folder: Path
) -> None:
    first, second, *rest = people.enroll(str(folder))
    assert first == gallery.EnrolmentStarted(total=4, unlabelled=0)
    loose = folder / "loose.png"
    assert second == gallery.Refused(loose, f"{loose} lies in no character's folder.")
    assert [one.outcome for one in rest if isinstance(one, gallery.Enrolled)] == [Outcome.ADDED] * 4
    assert {one.name: one.samples for one in people.characters()} == {"Rei": 2, "Asuka": 2}
    assert {one.outcome for one in fill(people, folder)} == {Outcome.UNCHANGED}


def test_an_enrolment_that_is_closed_early_goes_on(people: gallery.Gallery, tmp_path: Path) -> None:
    for number in range(20):
        write_picture(tmp_path / "many" / "Rei" / f"{number}.png", Square(9, 9, 60), seed=number)
    events = people.enroll(tmp_path / "many")
    told = [event for event, _ in zip(events, range(4), strict=False)][1:]
    events.close()
    kept = {sample.path for sample in people.samples("Rei")}
    assert {one.candidate.path for one in told if isinstance(one, gallery.Enrolled)} <= kept
    assert 3 <= len(kept) < 20
    outcomes = [one.outcome for one in fill(people, tmp_path / "many")]
    assert outcomes.count(Outcome.UNCHANGED) == len(kept)
    assert outcomes.count(Outcome.ADDED) == 20 - len(kept)


def test_captions_are_names_of_the_gallery_or_of_a_list(
    people: gallery.Gallery, folder: Path, shots: Path
) -> None:
    fill(people, folder)
    for number, tags in enumerate(("rei, 1girl", "shinji_(eva)", "sky")):
        (shots / f"{number}.txt").write_text(tags, encoding="utf-8")
    paths = [shots / "0.png", shots / "1.png", shots / "2.png"]
    captions = gallery.Source.CAPTIONS
    started, *rest = people.enroll(paths, source=captions, largest=True)
    assert started == gallery.EnrolmentStarted(total=1, unlabelled=2)
    assert [one.candidate.character for one in rest if isinstance(one, gallery.Enrolled)] == ["Rei"]
    _, *rest = people.enroll(paths, source=captions, names=["Shinji"], largest=True)
    assert [one.candidate.character for one in rest if isinstance(one, gallery.Enrolled)] == [
        "Shinji"
    ]


def test_a_path_an_array_and_a_picture_of_pillows_are_answered_alike(
    people: gallery.Gallery, folder: Path, shots: Path
) -> None:
    fill(people, folder)
    path = shots / "1.png"
    answer = people.identify(path)
    assert names(answer) == ["Rei", "Asuka"]
    assert people.identify(str(path)) == answer
    content = people.identify(path.read_bytes())
    assert content == dataclasses.replace(answer, path=Path("picture"))
    named = dataclasses.replace(answer, path=Path("picture"), digest=None)
    pixels = read_image(path).pixels
    assert people.identify(pixels) == named
    assert people.identify(np.asfortranarray(pixels)) == named
    with PIL.Image.open(path) as picture:
        assert people.identify(picture) == named
        assert people.identify(picture.convert("RGBA")) == named
    only = people.identify(path, top=1, min_face=60)
    assert (names(only), only.left_out, len(only.faces[0].matches)) == (["Rei"], 1, 1)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((20, 20, 3), np.float32),
        np.zeros((20, 20), np.uint8),
        np.zeros((20, 20, 4), np.uint8),
        np.zeros((0, 20, 3), np.uint8),
    ],
    ids=["floats", "grey", "alpha", "empty"],
)
def test_an_array_that_is_no_picture_is_refused(
    people: gallery.Gallery, pixels: np.ndarray[typing.Any, typing.Any]
) -> None:
    with pytest.raises(gallery.InputError, match=r"give RGB of shape \(height, width, 3\)"):
        people.identify(pixels)


def test_what_cannot_be_meant_is_refused(
    people: gallery.Gallery, shots: Path, tmp_path: Path
) -> None:
    with pytest.raises(gallery.InputError, match="is not a picture"):
        people.identify(shots / "3.png")
    with pytest.raises(gallery.InputError, match="cannot be read"):
        people.identify(tmp_path / "missing.png")
    with pytest.raises(gallery.InputError, match="top is 1 or more"):
        people.identify(shots / "0.png", top=0)
    for face, quality in ((0.0, 1.1), (-1.0, 0.0)):
        with pytest.raises(gallery.InputError, match="from 0 to 1"):
            people.identify(shots / "0.png", min_face=face, min_quality=quality)
        with pytest.raises(gallery.InputError, match="from 0 to 1"):
            people.enroll(shots, min_face=face, min_quality=quality)
    with pytest.raises(gallery.InputError, match="its end comes after its start"):
        people.label(shots, tmp_path / "out.jsonl", start=5.0, end=4.0)
    with (
        opened(lambda: fake_gallery("sqlite://")) as fleeting,
        pytest.raises(gallery.InputError, match="in memory"),
    ):
        next(fleeting.label(shots, tmp_path / "out.jsonl", watch=True))
    with pytest.raises(gallery.InputError, match="No path is given"):
        list(people.enroll([]))
    assert issubclass(gallery.InputError, gallery.GalleryError)


def test_what_is_told_of_labelling_is_in_the_files(
    people: gallery.Gallery, folder: Path, shots: Path, tmp_path: Path
) -> None:
    fill(people, folder)
    out, coco = tmp_path / "out.jsonl", tmp_path / "coco.json"
    (shots / "4.txt").write_bytes(b"\xff\xfe")
    told: list[gallery.Labelled] = []
    others = []
    for event in people.label(
        [shots, tmp_path / "missing"], out, write=["captions", f"coco:{coco}"]
    ):
        if not isinstance(event, gallery.Labelled):
            others.append(event)
            continue
        told.append(event)
        lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        done = [one.record for one in told if not one.not_written]
        assert lines == [gallery.as_json(record) for record in done]
    assert [type(one) for one in others] == [
        gallery.LabellingStarted, gallery.Refused, gallery.Finished,
    ]  # fmt: skip
    assert [names(one.record) for one in told] == [["Rei"], ["Rei", "Asuka"], [], [], ["Asuka"]]
    assert [bool(one.record.error) for one in told] == [False, False, False, True, False]
    assert [len(one.not_written) for one in told] == [0, 0, 0, 0, 1]
    assert (shots / "1.txt").read_text(encoding="utf-8").strip() == "Rei, Asuka"
    assert len(json.loads(coco.read_bytes())["annotations"]) == 4
    (shots / "4.txt").unlink()
    started, *again = people.label(shots, out, write=["captions"])
    assert isinstance(started, gallery.LabellingStarted)
    assert (started.pictures, started.pictures_done, started.failed_before) == (2, 3, 1)
    assert [one.record.path.name for one in again if isinstance(one, gallery.Labelled)] == [
        "3.png",
        "4.png",
    ]


def test_a_job_that_is_closed_early_goes_on(
    people: gallery.Gallery, folder: Path, shots: Path, tmp_path: Path
) -> None:
    fill(people, folder)
    out, coco = tmp_path / "out.jsonl", tmp_path / "coco.json"
    events = people.label(shots, out, write=[f"coco:{coco}"])
    assert [type(next(events)) for _ in range(3)][1:] == [gallery.Labelled] * 2
    with pytest.raises(gallery.InputError, match="is being written"):
        next(people.label(shots, out))
    events.close()
    assert len(out.read_bytes().splitlines()) == 2
    assert len(json.loads(coco.read_bytes())["images"]) == 2
    started, *rest = people.label(shots, out, write=[f"coco:{coco}"])
    assert isinstance(started, gallery.LabellingStarted)
    assert (started.pictures, started.pictures_done, len(rest)) == (3, 2, 4)
    assert len(json.loads(coco.read_bytes())["images"]) == 4


def test_what_was_labelled_is_answered_anew_and_written(
    people: gallery.Gallery, folder: Path, shots: Path, tmp_path: Path
) -> None:
    fill(people, folder)
    list(people.label(shots, tmp_path / "first.jsonl"))
    out = tmp_path / "again.jsonl"
    before = (tmp_path / "first.jsonl").read_text(encoding="utf-8").splitlines()
    events = list(people.relabel(out, write=[f"captions:{tmp_path / 'captions'}"]))
    assert events[0] == gallery.LabellingStarted(5, 0, 0, 0, 0, stage="relabelling")
    assert all(isinstance(one, gallery.Labelled) for one in events[1:-1])
    assert events[-1] == gallery.Finished(gallery.LabelSummary(5, 0, 1, 0))
    # The gallery is not calibrated: every face is answered as label does.
    assert sorted(out.read_text(encoding="utf-8").splitlines()) == sorted(before)
    assert (tmp_path / "captions" / "0.txt").read_text(encoding="utf-8").strip() == "Rei"
    again, finished = people.relabel(out)
    assert again == gallery.LabellingStarted(0, 0, 5, 0, 0, stage="relabelling")
    assert finished == gallery.Finished(gallery.LabelSummary(0, 0, 0, 0))
    (tmp_path / "captions" / "0.txt").unlink()
    list(people.relabel(out, write=[f"captions:{tmp_path / 'captions'}"], rewrite=True))
    assert (tmp_path / "captions" / "0.txt").exists()


def test_files_and_folders_are_answered_anew_and_changed_ones_refused(
    people: gallery.Gallery, folder: Path, shots: Path, tmp_path: Path
) -> None:
    fill(people, folder)
    list(people.label(shots, tmp_path / "first.jsonl"))
    write_picture(shots / "1.png", Square(5, 5, 70, RED), seed=3)
    out = tmp_path / "some.jsonl"
    wanted = [shots / "0.png", shots / "1.png"]
    started, refused, done, _ = people.relabel(out, wanted, alone=True, top=1)
    assert started == gallery.LabellingStarted(1, 0, 0, 0, 0, stage="relabelling")
    assert isinstance(refused, gallery.Refused)
    assert refused.path == shots / "1.png"
    assert isinstance(done, gallery.Labelled)
    assert names(done.record) == ["Rei"]
    assert len(done.record.faces[0].matches) == 1


def test_a_job_that_watches_leaves_others_their_turns(
    people: gallery.Gallery, folder: Path, shots: Path, tmp_path: Path
) -> None:
    fill(people, folder)
    told: list[gallery.LabelEvent] = []
    (shots / "3.png").unlink()

    def watch() -> None:
        for event in people.label(shots, tmp_path / "out.jsonl", watch=True):
            told.append(event)
            if isinstance(event, gallery.Waiting):
                return

    watching = threading.Thread(target=watch)
    watching.start()
    while not told:
        assert watching.is_alive()
    # It waits for the pictures to come to rest.
    assert names(people.identify(shots / "0.png")) == ["Rei"]
    watching.join()
    kinds = [type(one) for one in told]
    assert kinds[0] is gallery.LabellingStarted
    assert kinds[-1] is gallery.Waiting
    assert kinds.count(gallery.Labelled) == 4
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 4


def test_nothing_happens_before_the_first_event(
    tmp_path: Path, folder: Path, shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GALLERY_DATABASE", str(tmp_path / "new" / "gallery.db"))
    with gallery.open_gallery(detector="whole") as people:
        events = people.label(shots, tmp_path / "out.jsonl")
        with people.enroll(folder):
            assert not (tmp_path / "out.jsonl").exists()
        for ask in (lambda: next(events), lambda: people.identify(shots / "0.png")):
            with pytest.raises(gallery.InputError, match="There is no gallery at"):
                ask()
        with pytest.raises(gallery.InputError, match="does not exist"):
            next(people.enroll(tmp_path / "missing"))
        assert not (tmp_path / "new").exists()
        assert not (tmp_path / "out.jsonl").exists()
        assert next(people.enroll(folder)) == gallery.EnrolmentStarted(4, 0)
        assert (tmp_path / "new" / "gallery.db").exists()
    with pytest.raises(gallery.SetupError, match="nobody"):
        gallery.open_gallery(encoder="nobody")


def test_a_closed_gallery_says_so(people: gallery.Gallery, folder: Path, shots: Path) -> None:
    events = people.enroll(folder)
    next(events)
    people.close()
    people.close()
    for use in (
        lambda: next(events),
        lambda: people.identify(shots / "0.png"),
        people.characters,
    ):
        with pytest.raises(gallery.InputError, match="The gallery is closed"):
            use()


def test_threads_may_share_a_gallery(
    people: gallery.Gallery, folder: Path, shots: Path, tmp_path: Path
) -> None:
    fill(people, folder)
    said: list[object] = []

    def ask() -> None:
        said.extend(names(people.identify(shots / "1.png")) for _ in range(5))

    def work(number: int) -> None:
        said.append(len(list(people.label(shots, tmp_path / f"{number}.jsonl"))))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    threads += [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count(["Rei", "Asuka"]) == 15
    assert said.count(7) == 2


def test_the_command_and_the_program_say_the_same(
    folder: Path, shots: Path, tmp_path: Path, database: Path
) -> None:
    with gallery.open_gallery(database, detector="whole") as people:
        fill(people, folder)
        labelled = [
            gallery.as_json(event.record)
            for event in people.label([shots], tmp_path / "program.jsonl")
            if isinstance(event, gallery.Labelled)
        ]
        answer = gallery.as_json(people.identify(shots / "0.png"))
    done = call("identify", shots / "0.png", "--cropped", "--json", cwd=tmp_path, database=database)
    assert json.loads(done.stdout) == answer
    done = call("label", shots, "--cropped", "--out", "c.jsonl", cwd=tmp_path, database=database)
    assert done.code == 1
    assert (tmp_path / "c.jsonl").read_bytes() == (tmp_path / "program.jsonl").read_bytes()
    assert len(labelled) == 5


KNOWN = {
    "PIL": PIL,
    "np": np,
    "NDArray": NDArray,
    **{name: getattr(gallery, name) for name in gallery.__all__},
}
"""What annotations may name that is imported for type checkers alone."""


def test_everything_is_typed() -> None:
    assert (Path(gallery.__file__).parent / "py.typed").exists()
    for name in gallery.__all__:
        one = getattr(gallery, name)
        if inspect.isclass(one) or inspect.isfunction(one):
            typing.get_type_hints(one, localns=KNOWN)
    for name, method in inspect.getmembers(gallery.Gallery, inspect.isfunction):
        hints = typing.get_type_hints(method, localns=KNOWN)
        wanted = set(inspect.signature(method).parameters) - {"self"}
        assert wanted | {"return"} == set(hints), name
    events = typing.get_args(gallery.LabelEvent) + typing.get_args(gallery.EnrolEvent)
    assert len(events) == 18
    for event in (typing.get_origin(one) or one for one in events):
        assert event.__dataclass_params__.frozen
        assert getattr(gallery, event.__name__) is event


def test_drawn_pixels_are_read_as_they_are(people: gallery.Gallery) -> None:
    assert people.identify(draw(Square(5, 5, 70), width=200)).width == 200


def test_one_picture_is_added_from_wherever_it_is(people: gallery.Gallery, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "rei.png", Square(5, 5, 70, BLUE), seed=1)
    added = people.add(path, "Rei")
    assert (added.character, added.path, added.enrolled_as) == ("Rei", path, "Rei")
    assert people.add(path, "Rei").id == added.id
    with pytest.raises(gallery.InputError, match="enrolled as Rei already"):
        people.add(path.read_bytes(), "Asuka")
    pixels = draw(Square(90, 60, 40, RED), seed=2)
    asuka = people.add(pixels, "Asuka")
    assert people.add(pixels, "Asuka").id == asuka.id
    with PIL.Image.open(path) as picture:
        # The same pixels are the same picture, wherever they come from.
        assert people.add(picture.rotate(0), "Rei").id == added.id
        assert people.add(picture.point(lambda value: value ^ 1), "Rei").id != added.id
    (crop,) = people.crops([asuka.id]).values()
    again = people.add(crop, "Asuka", aligned=True)
    assert again.detector == "whole"
    assert np.array_equal(people.crops([again.id])[again.id], crop)
    assert {one.name: one.samples for one in people.characters()} == {"Asuka": 2, "Rei": 2}


def test_a_picture_that_shows_nobody_or_several_is_not_added(people: gallery.Gallery) -> None:
    with pytest.raises(gallery.InputError, match="no face"):
        people.add(draw(), "Rei")
    several = draw(Square(5, 5, 70, BLUE), Square(90, 60, 60, RED))
    with pytest.raises(gallery.InputError, match="2 faces"):
        people.add(several, "Rei")
    people.add(several, "Rei", largest=True)
    with pytest.raises(gallery.InputError, match="cannot be empty"):
        people.add(draw(Square(5, 5, 70)), " ")


def test_several_pictures_are_answered_as_one_by_one(
    people: gallery.Gallery, folder: Path, shots: Path
) -> None:
    fill(people, folder)
    places = [shots / f"{number}.png" for number in (0, 1, 4)]
    assert people.identify_all(places) == [people.identify(one) for one in places]
    assert people.identify_all(places[1]) == [people.identify(places[1])]
    of_folder = people.identify_all(shots)
    assert [one.error is None for one in of_folder] == [True, True, True, False, True]
    pixels = [read_image(one).pixels for one in places]
    assert people.identify_all(pixels) == [people.identify(one) for one in pixels]
    mixed = people.identify_all([places[0], pixels[0]])
    assert names(mixed[0]) == names(mixed[1]) == ["Rei"]


def test_pictures_are_compared_and_described(people: gallery.Gallery, shots: Path) -> None:
    same = people.compare(shots / "0.png", (shots / "0.png").read_bytes())
    assert (same.distance, same.is_same, same.threshold) == (0.0, True, 0.6)
    other = people.compare(shots / "0.png", shots / "4.png")
    assert other.distance > 0
    assert people.compare(shots / "0.png", shots / "4.png", threshold=9).is_same
    assert [one.face.score for one in people.describe(shots / "1.png")]
    table = people.describe_all(shots).run()
    assert len(table) == 4


def test_a_gallery_that_is_not_there_yet_compares_and_describes(
    tmp_path: Path, shots: Path
) -> None:
    with gallery.open_gallery(tmp_path / "none.db", encoder="anime", detector="whole") as people:
        assert people.compare(shots / "0.png", shots / "0.png").distance == 0
        assert len(people.describe(shots / "0.png")) == 1
        assert not (tmp_path / "none.db").exists()
        with pytest.raises(gallery.InputError, match="There is no gallery"):
            people.characters()


def test_characters_and_samples_are_looked_after(people: gallery.Gallery, folder: Path) -> None:
    fill(people, folder)
    first, second = (one.id for one in people.samples("Rei"))
    assert people.split("Rei", "Rei II", [second]) == 1
    assert [one.id for one in people.samples("Rei II")] == [second]
    with pytest.raises(gallery.InputError, match="all samples of Rei"):
        people.split("Rei", "Rei III", [first])
    with pytest.raises(gallery.InputError, match="no sample"):
        people.split("Rei", "Rei III", [second])
    with pytest.raises(gallery.InputError, match="goes by the name"):
        people.split("Asuka", "Rei", [people.samples("Asuka")[0].id])
    people.move([second], "Rei")
    people.rename("Asuka", "Shikinami")
    assert people.merge("Shikinami", "Rei") == 2
    people.forget_samples([second])
    assert people.forget("Rei") == 3
    assert [one.name for one in people.characters() if one.samples] == []


def test_what_is_rejected_can_be_taken_back(
    people: gallery.Gallery, folder: Path, shots: Path
) -> None:
    fill(people, folder)
    note = people.reject(shots / "0.png", "Rei")
    assert people.rejections() == [note]
    assert names(people.identify(shots / "0.png")) != ["Rei"]
    people.take_back([note.id])
    assert names(people.identify(shots / "0.png")) == ["Rei"]


def test_what_is_decided_rules_and_can_be_undone(
    people: gallery.Gallery, folder: Path, shots: Path, tmp_path: Path
) -> None:
    fill(people, folder)
    step = people.confirm(shots / "0.png", "Asuka", who="me")
    assert (step.title, step.who) == ("confirmed 1 as Asuka", "me")
    (answer,) = people.identify(shots / "0.png").faces
    assert (answer.character, answer.decided) == ("Asuka", gallery.Decided.CONFIRMED)
    assert people.ignore([shots / "0.png"]).title == "ignored 1"
    assert people.identify(shots / "0.png").faces[0].is_set_aside
    assert people.undo([step.id]).restored == 0
    assert [one.restored for one in (people.undo(), people.undo())] == [1, 1]
    assert names(people.identify(shots / "0.png")) == ["Rei"]
    assert people.no_face(str(shots / "0.png")).faces == 1
    assert people.clear(shots / "0.png").faces == 1
    assert len(people.steps()) == 6
    assert [one.state for one in people.decisions()] == [gallery.FaceState()]
    people.label(shots, tmp_path / "out.jsonl").run()
    people.confirm(1, "Shinji", new=True)
    assert people.evaluate_decisions().run().confirmed != []
    assert people.adopt([1], "Kaworu").run() == 1
    with pytest.raises(gallery.NoSuchSeenFace):
        people.confirm(999, "Rei")


def test_long_work_gives_its_result_at_once(
    people: gallery.Gallery, folder: Path, shots: Path, tmp_path: Path
) -> None:
    enrolled = people.enroll(folder).run()
    assert (enrolled.outcomes, enrolled.refused) == ({Outcome.ADDED: 4}, 1)
    labelled = people.label(shots, tmp_path / "out.jsonl").run()
    assert (labelled.pictures, labelled.failed) == (5, 1)
    assert people.relabel(tmp_path / "again.jsonl").run().pictures == 5
    with pytest.raises(gallery.InputError, match="No video was labelled yet"):
        # Pictures were labelled, and no video.
        people.appearances().run()
    assert people.cluster(poor=True).run() == []
    with pytest.raises(gallery.InputError, match="no cluster 1"):
        people.adopt(1, "Shinji").run()
    assert people.harvest(shots, tmp_path / "new").run().clusters == 0
    assert people.reencode(everything=True).run().samples == 4
    assert people.evaluate(folder).run().asked == 4
    assert {one.kind.value for one in people.audit().run()} >= {"too few"}
    with pytest.raises(gallery.InputError, match="A rate of"):
        people.calibrate(fpir=2).run()


def test_a_training_set_is_made_and_corrections_come_back(
    people: gallery.Gallery, folder: Path, shots: Path, tmp_path: Path
) -> None:
    people.enroll(folder).run()
    people.label(shots, tmp_path / "out.jsonl").run()
    done = people.dataset(tmp_path / "set", shots, crop=gallery.Cut.HEAD, characters=["Rei"]).run()
    assert [one.name for one in done.characters] == ["Rei"]
    assert (tmp_path / "set" / "dataset_config.toml").exists()
    with pytest.raises(gallery.BadSetting):
        people.dataset(tmp_path / "other", repeats=0)
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8")
    (tmp_path / "edited.jsonl").write_text(lines.replace('"Rei"', '"Asuka"'), encoding="utf-8")
    original, edited = tmp_path / "out.jsonl", tmp_path / "edited.jsonl"
    tried = people.corrections(edited, original=original, dry_run=True).run()
    assert tried.step is None
    assert {one.after.character for one in tried.changes} == {"Asuka"}
    corrected = people.corrections([edited], original=original, who="a friend").run()
    assert corrected.changes == tried.changes
    assert corrected.step is not None
    assert corrected.step.who == "a friend"
    assert people.undo().restored == len(tried.changes)


def test_a_gallery_leaves_and_comes_back(
    people: gallery.Gallery, folder: Path, tmp_path: Path
) -> None:
    fill(people, folder)
    people.backup(tmp_path / "copy.db")
    assert people.export(tmp_path / "all.zip") == 4
    with opened(lambda: fake_gallery(tmp_path / "other.db")) as other:
        assert other.import_archive(tmp_path / "all.zip").added == 4
        assert other.characters() == people.characters()
    with opened(lambda: fake_gallery(tmp_path / "copy.db")) as copy:
        assert copy.samples("Rei") == people.samples("Rei")


def test_a_job_that_nobody_iterates_says_so(people: gallery.Gallery, folder: Path) -> None:
    with pytest.warns(RuntimeWarning, match=r"Nobody iterated Gallery\.enroll"):
        people.enroll(folder)
    people.enroll(folder).close()
    with people.enroll(folder) as job:
        next(job)
    assert people.characters() == []


@pytest.mark.parametrize(
    "use",
    [
        lambda people, place: people.enroll(place, names="Rei"),
        lambda people, place: people.label(place, place / "out.jsonl", write="captions"),
        lambda people, place: people.relabel(place / "out.jsonl", write="captions"),
        lambda people, _: people.move("1", "Rei"),
        lambda people, _: people.forget_samples(1),
    ],
)
def test_one_text_in_the_place_of_a_list_is_refused(
    use: Callable[[gallery.Gallery, Path], object], people: gallery.Gallery, tmp_path: Path
) -> None:
    with pytest.raises(gallery.InputError, match=r"give \["):
        use(people, tmp_path)


def test_verdicts_are_ordered() -> None:
    unknown, unsure, sure = (gallery.Verdict(one) for one in ("unknown", "unsure", "sure"))
    assert unknown < unsure < sure
    assert sure >= "unsure"
    assert max(unsure, unknown, sure) is sure
    assert sorted([sure, unknown, unsure]) == [unknown, unsure, sure]


def test_a_name_of_before_says_what_it_is_called_now() -> None:
    with pytest.raises(AttributeError, match=r"gallery\.Gallery now"):
        gallery.OpenGallery  # type: ignore[attr-defined]  # noqa: B018


def test_a_back_up_is_put_back_while_the_gallery_is_open(
    people: gallery.Gallery, folder: Path, tmp_path: Path
) -> None:
    people.enroll(folder).run()
    people.backup(tmp_path / "back.db")
    people.forget("Rei")
    job = people.reencode(everything=True)
    next(job)
    kept = people.restore(tmp_path / "back.db")
    assert [one.name for one in people.characters()] == ["Asuka", "Rei"]
    assert kept is not None
    with opened(lambda: fake_gallery(kept)) as former:
        assert [one.name for one in former.characters()] == ["Asuka"]
    with pytest.raises(gallery.LostDatabase):
        job.run()
    with pytest.raises(gallery.NoBackUp):
        people.restore(tmp_path / "nowhere.db")
    assert len(people.characters()) == 2
