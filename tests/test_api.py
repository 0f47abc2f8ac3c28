"""What programs talk to says what the commands say, loses nothing, and takes turns."""

from __future__ import annotations

import dataclasses
import inspect
import json
import threading
import typing
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from command import call
from fakes import Square, draw, fake_gallery, write_picture

import gallery
from gallery import api
from gallery.cli.video import EVERY
from gallery.media.images import read_image
from gallery.types import Outcome

BLUE, RED = (20, 20, 220), (220, 20, 20)


@pytest.fixture
def people(database: Path) -> Iterator[gallery.OpenGallery]:
    with api.OpenGallery(lambda _: fake_gallery(database), is_there=True) as opened:
        yield opened


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


def fill(people: gallery.OpenGallery, folder: Path) -> list[gallery.Enrolled]:
    return [one for one in people.enroll(folder) if isinstance(one, gallery.Enrolled)]


def names(record: gallery.Record) -> list[str | None]:
    return [face.character for face in record.faces]


def test_enrolment_tells_what_there_is_what_is_refused_and_what_becomes_of_each(
    people: gallery.OpenGallery, folder: Path
) -> None:
    first, second, *rest = people.enroll(str(folder))
    assert first == gallery.EnrolmentStarted(total=4, unlabelled=0)
    loose = folder / "loose.png"
    assert second == gallery.Refused(loose, f"{loose} lies in no character's folder.")
    assert [one.outcome for one in rest if isinstance(one, gallery.Enrolled)] == [Outcome.ADDED] * 4
    assert {one.name: one.samples for one in people.gallery.characters()} == {"Rei": 2, "Asuka": 2}
    assert {one.outcome for one in fill(people, folder)} == {Outcome.UNCHANGED}


def test_an_enrolment_that_is_closed_early_goes_on(
    people: gallery.OpenGallery, tmp_path: Path
) -> None:
    for number in range(20):
        write_picture(tmp_path / "many" / "Rei" / f"{number}.png", Square(9, 9, 60), seed=number)
    events = people.enroll(tmp_path / "many")
    told = [event for event, _ in zip(events, range(4), strict=False)][1:]
    events.close()
    kept = {sample.path for sample in people.gallery.samples("Rei")}
    assert {one.candidate.path for one in told if isinstance(one, gallery.Enrolled)} <= kept
    assert 3 <= len(kept) < 20
    outcomes = [one.outcome for one in fill(people, tmp_path / "many")]
    assert outcomes.count(Outcome.UNCHANGED) == len(kept)
    assert outcomes.count(Outcome.ADDED) == 20 - len(kept)


def test_captions_are_names_of_the_gallery_or_of_a_list(
    people: gallery.OpenGallery, folder: Path, shots: Path
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
    people: gallery.OpenGallery, folder: Path, shots: Path
) -> None:
    fill(people, folder)
    path = shots / "1.png"
    answer = people.identify(path)
    assert names(answer) == ["Rei", "Asuka"]
    assert answer == people.gallery.identify(read_image(path))
    assert people.identify(str(path)) == answer
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
    people: gallery.OpenGallery, pixels: np.ndarray[typing.Any, typing.Any]
) -> None:
    with pytest.raises(gallery.InputError, match=r"give RGB of shape \(height, width, 3\)"):
        people.identify(pixels)


def test_what_cannot_be_meant_is_refused(
    people: gallery.OpenGallery, shots: Path, tmp_path: Path
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
        api.OpenGallery(lambda _: fake_gallery("sqlite://"), is_there=True) as fleeting,
        pytest.raises(gallery.InputError, match="in memory"),
    ):
        next(fleeting.label(shots, tmp_path / "out.jsonl", watch=True))
    with pytest.raises(gallery.InputError, match="No path is given"):
        list(people.enroll([]))
    assert issubclass(gallery.InputError, gallery.GalleryError)


def test_what_is_told_of_labelling_is_in_the_files(
    people: gallery.OpenGallery, folder: Path, shots: Path, tmp_path: Path
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
    people: gallery.OpenGallery, folder: Path, shots: Path, tmp_path: Path
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
    people: gallery.OpenGallery, folder: Path, shots: Path, tmp_path: Path
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
    people: gallery.OpenGallery, folder: Path, shots: Path, tmp_path: Path
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
    people: gallery.OpenGallery, folder: Path, shots: Path, tmp_path: Path
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
        people.enroll(folder)
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


def test_a_closed_gallery_says_so(people: gallery.OpenGallery, folder: Path, shots: Path) -> None:
    events = people.enroll(folder)
    next(events)
    people.close()
    people.close()
    for use in (
        lambda: next(events),
        lambda: people.identify(shots / "0.png"),
        lambda: people.gallery,
    ):
        with pytest.raises(gallery.InputError, match="The gallery is closed"):
            use()


def test_threads_may_share_a_gallery(
    people: gallery.OpenGallery, folder: Path, shots: Path, tmp_path: Path
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
    assert api.EVERY == EVERY


def test_everything_is_typed() -> None:
    assert (Path(gallery.__file__).parent / "py.typed").exists()
    for name in gallery.__all__:
        one = getattr(gallery, name)
        if inspect.isclass(one) or inspect.isfunction(one):
            typing.get_type_hints(one, localns={"PIL": PIL})
    for name, method in inspect.getmembers(gallery.OpenGallery, inspect.isfunction):
        hints = typing.get_type_hints(method, localns={"PIL": PIL})
        wanted = set(inspect.signature(method).parameters) - {"self"}
        assert wanted | {"return"} == set(hints), name
    events = typing.get_args(gallery.LabelEvent) + typing.get_args(gallery.EnrolEvent)
    assert len(events) == 13
    for event in (typing.get_origin(one) or one for one in events):
        assert event.__dataclass_params__.frozen
        assert getattr(gallery, event.__name__) is event


def test_drawn_pixels_are_read_as_they_are(people: gallery.OpenGallery) -> None:
    assert people.identify(draw(Square(5, 5, 70), width=200)).width == 200
