"""What a person decides rules all that is said of a face, wherever it is said."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from pathlib import Path

import pytest
from command import call
from fakes import FakeEncoder, Square, fake_gallery, write_picture
from labelled import identify_files
from rewritten import write_into

from gallery.engine.engine import Engine
from gallery.errors import (
    BadSetting,
    DecidedMeanwhile,
    NoNameToConfirm,
    NoSuchCharacter,
    NoSuchCluster,
    NoSuchFace,
    NoSuchSeenFace,
    NothingToUndo,
    WhichOfFaces,
)
from gallery.events import result_of
from gallery.jobs import decide, review
from gallery.jobs.adopt import adopt, adopt_faces
from gallery.jobs.cluster import cluster
from gallery.jobs.decided_faces import listed_faces
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.meant import SeenFace, UnknownCluster, Which, read_given
from gallery.jobs.reencode import encode_samples
from gallery.jobs.relabel import RelabelChoices, relabel
from gallery.media.images import read_image
from gallery.output import registry
from gallery.output.records import as_json, from_json
from gallery.output.resume import open_writer
from gallery.store.steps import Action, Step
from gallery.types import Answer, Decided, FaceState, Record, Verdict

RED, BLUE, GREEN, PINK = (220, 20, 20), (20, 20, 220), (20, 200, 20), (230, 30, 200)


def picture(path: Path, *colours: tuple[int, int, int], seed: int = 0) -> Path:
    places = [Square(10, 20, 60, colours[0])] if colours else []
    places += [Square(90, 20, 50, colour) for colour in colours[1:]]
    return write_picture(path, *places, seed=seed)


@pytest.fixture
def shots(gallery: Engine, tmp_path: Path) -> Path:
    """Asuka, red, and Rei, blue, are enrolled; labelled are both, three greens, and a pink."""
    for name, colour in (("Asuka", RED), ("Rei", BLUE)):
        for number in range(2):
            picture(tmp_path / "in" / name / f"{number}.png", colour, seed=number)
    candidates, _ = candidates_in(tmp_path / "in")
    list(enroll_candidates(gallery, candidates))
    new = tmp_path / "new"
    picture(new / "both.png", RED, BLUE, seed=50)
    picture(new / "asuka.png", RED, seed=51)
    for number in range(3):
        picture(new / f"green-{number}.png", GREEN, seed=60 + number)
    picture(new / "pink.png", PINK, seed=70)
    list(identify_files(gallery, sorted(new.iterdir()), keep=True))
    return new


def confirm(gallery: Engine, path: Path, name: str | None = None, *, new: bool = False) -> Step:
    return result_of(decide.confirm(gallery, [path], name, new=new, who="somebody"))


def put_aside(gallery: Engine, action: Action, path: Path) -> Step:
    return result_of(decide.set_aside(gallery, [path], action))


def only(gallery: Engine, path: Path) -> Answer:
    (answer,) = gallery.identify(read_image(path)).faces
    return answer


def seen(gallery: Engine, path: Path) -> SeenFace:
    (one,) = gallery.store.sightings.at(path)
    return SeenFace(one.id)


def clusters(gallery: Engine) -> list[list[str]]:
    return [sorted(face.path.name for face in one.faces) for one in result_of(cluster(gallery))]


def relabelled(gallery: Engine, out: Path, *formats: str) -> dict[str, Record]:
    wanted = [registry.output_spec(one) for one in formats]
    list(relabel(gallery, RelabelChoices(out, wanted=wanted)))
    lines = out.read_text(encoding="utf-8").splitlines()
    return {record.path.name: record for record in map(from_json, map(json.loads, lines))}


def test_a_confirmed_name_is_sure_wherever_it_is_said(
    gallery: Engine, shots: Path, tmp_path: Path
) -> None:
    before = only(gallery, shots / "asuka.png")
    assert (before.character, before.decided) == ("Asuka", None)
    step = confirm(gallery, shots / "asuka.png", "Rei")
    assert (step.title, step.who) == ("confirmed 1 as Rei", "somebody")
    after = only(gallery, shots / "asuka.png")
    assert (after.verdict, after.character, after.decided) == (
        Verdict.SURE, "Rei", Decided.CONFIRMED,
    )  # fmt: skip
    assert after.distance == next(one.distance for one in after.matches if one.character == "Rei")
    assert after.distance > gallery.thresholds.unknown
    (labelled,) = identify_files(gallery, [shots / "asuka.png"])
    assert labelled.faces[0].character == "Rei"
    record = relabelled(gallery, tmp_path / "out.jsonl", f"coco:{tmp_path / 'coco.json'}")
    assert record["asuka.png"].faces[0].decided is Decided.CONFIRMED
    categories = json.loads((tmp_path / "coco.json").read_text(encoding="utf-8"))["categories"]
    assert {one["name"] for one in categories} == {"Asuka", "Rei", "unknown"}


def test_confirming_without_a_name_takes_the_answer_and_enrols_nobody(
    gallery: Engine, shots: Path
) -> None:
    change = gallery.store.change()
    step = result_of(decide.confirm(gallery, [shots / "both.png"], which=Which(2)))
    assert step.title == "confirmed 1 as Rei"
    assert gallery.store.change() == change
    assert {one.name: one.samples for one in gallery.characters()} == {"Asuka": 2, "Rei": 2}
    both = result_of(
        decide.confirm(gallery, [shots / "asuka.png", shots / "both.png"], which=Which(1))
    )
    assert both.title == "confirmed 2 as Asuka"
    with pytest.raises(NoNameToConfirm, match=r"no name for the face at .*pink.png"):
        confirm(gallery, shots / "pink.png")
    with pytest.raises(NoSuchCharacter, match="did you mean Rei"):
        confirm(gallery, shots / "pink.png", "Rie")
    assert len(gallery.store.decisions.steps()) == 2


def test_a_new_name_is_answered_although_nobody_is_enrolled_as_it(
    gallery: Engine, shots: Path, tmp_path: Path
) -> None:
    confirm(gallery, shots / "pink.png", "Momo", new=True)
    answer = only(gallery, shots / "pink.png")
    assert (answer.character, answer.verdict, answer.distance) == ("Momo", Verdict.SURE, None)
    assert clusters(gallery) == [["green-0.png", "green-1.png", "green-2.png"]]
    relabelled(gallery, tmp_path / "out.jsonl", f"sorted:{tmp_path / 'sorted'}")
    assert [one.name for one in (tmp_path / "sorted" / "Momo").iterdir()] == ["pink.png"]
    assert not (tmp_path / "sorted" / "Momo" / "asuka.png").exists()


@pytest.mark.parametrize("action", [Action.IGNORE, Action.NO_FACE])
def test_what_is_set_aside_is_in_no_cluster_and_named_by_no_output(
    gallery: Engine, shots: Path, tmp_path: Path, action: Action
) -> None:
    for name in ("asuka.png", "green-0.png"):
        put_aside(gallery, action, shots / name)
    answer = only(gallery, shots / "asuka.png")
    assert (answer.verdict, answer.character) == (Verdict.UNKNOWN, None)
    assert answer.is_set_aside
    assert clusters(gallery) == [["green-1.png", "green-2.png"]]
    formats = [
        f"captions:{tmp_path / 'captions'}", f"xmp:{tmp_path / 'xmp'}",
        f"sorted:{tmp_path / 'sorted'}", f"coco:{tmp_path / 'coco.json'}",
    ]  # fmt: skip
    records = relabelled(gallery, tmp_path / "out.jsonl", *formats)
    assert records["asuka.png"].faces[0].decided is Decided(
        "ignored" if action is Action.IGNORE else "no_face"
    )
    assert len(records["asuka.png"].faces) == 1
    named = [path.name for path in (tmp_path / "sorted" / "Asuka").iterdir()]
    assert named == ["both.png"]
    assert not (tmp_path / "captions" / "asuka.txt").exists()
    made = json.loads((tmp_path / "coco.json").read_text(encoding="utf-8"))
    names = {one["id"]: one["file_name"] for one in made["images"]}
    marked = {names[one["image_id"]] for one in made["annotations"]}
    assert marked == {"both.png", "green-1.png", "green-2.png", "pink.png"}


def test_what_a_person_rejects_is_never_contradicted_unless_the_face_is_confirmed(
    gallery: Engine, shots: Path
) -> None:
    review.reject(gallery, shots / "asuka.png", "Asuka")
    near = picture(shots.parent / "near.png", RED, seed=52)
    assert only(gallery, shots / "asuka.png").character != "Asuka"
    assert only(gallery, near).character != "Asuka"
    confirm(gallery, near, "Asuka")
    assert only(gallery, near).character == "Asuka"
    assert only(gallery, shots / "asuka.png").character != "Asuka"


def test_decisions_outlive_labelling_again_another_encoder_and_a_moved_or_rewritten_file(
    database: Path, gallery: Engine, shots: Path
) -> None:
    confirm(gallery, shots / "asuka.png", "Rei")
    put_aside(gallery, Action.IGNORE, shots / "pink.png")
    moved = shots.parent / "elsewhere.png"
    (shots / "asuka.png").rename(moved)
    write_into(shots / "pink.png")
    list(identify_files(gallery, [moved, shots / "pink.png"], keep=True))
    assert only(gallery, moved).character == "Rei"
    assert only(gallery, shots / "pink.png").decided is Decided.IGNORED
    with fake_gallery(database, encoder=FakeEncoder("other")) as other:
        encode_samples(other, other.remaining())
        assert only(other, moved).character == "Rei"
        assert only(other, shots / "pink.png").decided is Decided.IGNORED


def test_undo_goes_back_one_step_each_time(gallery: Engine, shots: Path) -> None:
    first = confirm(gallery, shots / "asuka.png", "Rei")
    put_aside(gallery, Action.IGNORE, shots / "asuka.png")
    with pytest.raises(BadSetting, match="has no time"):
        result_of(decide.confirm(gallery, [shots / "pink.png"], "Rei", Which(1, 2.0)))
    assert decide.undo(gallery).restored == 1
    assert only(gallery, shots / "asuka.png").character == "Rei"
    done = decide.undo(gallery)
    assert [one.undoes for one in done.steps] == [first.id]
    assert only(gallery, shots / "asuka.png").decided is None
    with pytest.raises(NothingToUndo):
        decide.undo(gallery)


def test_nothing_is_decided_where_somebody_decided_since_a_person_looked(
    gallery: Engine, shots: Path
) -> None:
    one, other = seen(gallery, shots / "asuka.png"), seen(gallery, shots / "pink.png")
    looked = {one.number: 0, other.number: 0}
    (mine,) = [result_of(decide.confirm(gallery, [one], "Asuka", looked={one.number: 0}))]
    jobs = (
        decide.confirm(gallery, [one, other], "Rei", looked=looked),
        decide.reject(gallery, [one, other], "Rei", looked=looked),
        decide.set_aside(gallery, [one, other], Action.IGNORE, looked=looked),
    )
    for job in jobs:
        with pytest.raises(DecidedMeanwhile) as told:
            result_of(job)
        assert told.value.faces == (one.number,)
    assert gallery.store.decisions.steps() == [mine]
    now = {**looked, one.number: gallery.store.answers.of_faces("", looked)[one.number].decision}
    assert result_of(decide.reject(gallery, [one, other], "Rei", looked=now)).faces == 2


def test_what_an_open_gallery_knows_of_decisions_follows_a_new_name(
    gallery: Engine, shots: Path
) -> None:
    confirm(gallery, shots / "pink.png", "Rei")
    result_of(decide.reject(gallery, [shots / "asuka.png"], "Asuka"))
    assert only(gallery, shots / "pink.png").character == "Rei"
    assert only(gallery, shots / "asuka.png").character != "Asuka"
    gallery.rename("Rei", "Ayanami")
    gallery.rename("Asuka", "Soryu")
    assert only(gallery, shots / "pink.png").character == "Ayanami"
    assert only(gallery, shots / "asuka.png").character != "Soryu"


def test_faces_are_named_by_picture_and_number_by_their_own_number_or_by_cluster(
    gallery: Engine, shots: Path
) -> None:
    with pytest.raises(WhichOfFaces, match="shows 2 faces; say which one"):
        put_aside(gallery, Action.IGNORE, shots / "both.png")
    with pytest.raises(NoSuchFace, match="no face 3"):
        result_of(decide.confirm(gallery, [shots / "both.png"], "Rei", Which(3)))
    with pytest.raises(NoSuchSeenFace, match="no seen face 99"):
        result_of(decide.confirm(gallery, [SeenFace(99)], "Rei"))
    with pytest.raises(NoSuchCluster, match="no cluster 9"):
        result_of(decide.confirm(gallery, [UnknownCluster(9)], "Rei"))
    pink = seen(gallery, shots / "pink.png")
    result_of(decide.set_aside(gallery, [pink, pink], Action.NO_FACE))
    assert only(gallery, shots / "pink.png").decided is Decided.NO_FACE
    (shots / "green-0.png").unlink()
    result_of(cluster(gallery))
    step = result_of(decide.confirm(gallery, [UnknownCluster(1)], "Midori", new=True))
    assert step.title == "confirmed 3 as Midori"
    assert clusters(gallery) == []
    (shots / "asuka.png").unlink()
    assert confirm(gallery, shots / "asuka.png").title == "confirmed 1 as Asuka"
    assert read_given("face:7") == SeenFace(7)
    assert read_given("cluster:7") == UnknownCluster(7)
    assert read_given("face:x.png") == Path("face:x.png")


def test_single_faces_and_parts_of_a_cluster_are_adopted(gallery: Engine, shots: Path) -> None:
    result_of(cluster(gallery))
    pink = seen(gallery, shots / "pink.png")
    assert result_of(adopt_faces(gallery, [pink], "Momo")) == 1
    assert gallery.samples("Momo")[0].enrolled_as == f"face {pink.number}"
    left = seen(gallery, shots / "green-1.png")
    part = adopt_faces(gallery, [UnknownCluster(1)], "Midori", without=[left])
    assert result_of(part) == 2
    assert {one.path.name for one in gallery.samples("Midori")} == {"green-0.png", "green-2.png"}
    fresh = picture(shots.parent / "fresh.png", GREEN, seed=99)
    assert result_of(adopt_faces(gallery, [fresh], "Midori")) == 1


def test_adopting_a_face_takes_back_what_was_decided_otherwise(
    gallery: Engine, shots: Path
) -> None:
    put_aside(gallery, Action.IGNORE, shots / "pink.png")
    result_of(adopt_faces(gallery, [seen(gallery, shots / "pink.png")], "Momo"))
    assert only(gallery, shots / "pink.png").character == "Momo"
    assert only(gallery, shots / "pink.png").decided is None


def test_an_enrolled_face_that_was_rejected_is_not_rejected_any_more(
    gallery: Engine, shots: Path
) -> None:
    review.reject(gallery, shots / "green-0.png", "Rei")
    result_of(cluster(gallery))
    result_of(adopt(gallery, 1, "Rei"))
    (face,) = gallery.store.decisions.faces()
    assert face.state == FaceState()
    newest = gallery.store.decisions.steps()[0]
    assert newest.title == "enrolled 1 as Rei after all"
    left = decide.undo(gallery, [newest.id]).left
    assert [one.step for one in left] == [newest.id]


def test_what_was_decided_is_listed_with_the_faces_numbers(gallery: Engine, shots: Path) -> None:
    step = confirm(gallery, shots / "asuka.png")
    review.reject(gallery, shots / "pink.png", "Rei")
    pink, asuka = seen(gallery, shots / "pink.png"), seen(gallery, shots / "asuka.png")
    found = {one.path.name: one for one in listed_faces(gallery)}
    assert (found["asuka.png"].seen, found["asuka.png"].step) == (asuka.number, step.id)
    assert found["pink.png"].state == FaceState(Decided.NOT_THIS, None, ("Rei",))
    assert [one.seen for one in listed_faces(gallery, [shots / "pink.png"])] == [pink.number]
    assert len(listed_faces(gallery, undecided=True)) == 7
    with gallery.store.writing() as writer:
        writer.sightings.forget()
    assert [one.seen for one in listed_faces(gallery)] == [None, None]


def test_records_tell_that_an_answer_is_a_persons_and_old_ones_are_read(
    gallery: Engine, shots: Path
) -> None:
    before = as_json(gallery.identify(read_image(shots / "asuka.png")))
    assert "decided" not in before["faces"][0]
    confirm(gallery, shots / "asuka.png", "Rei")
    record = gallery.identify(read_image(shots / "asuka.png"))
    assert as_json(record)["faces"][0]["decided"] == "confirmed"
    assert from_json(as_json(record)).faces[0].decided is Decided.CONFIRMED
    assert from_json(before).faces[0].decided is None


def test_a_table_tells_who_decided_and_one_without_that_is_gone_on_with(
    gallery: Engine, shots: Path, tmp_path: Path
) -> None:
    def label(out: Path, name: str) -> list[dict[str, str]]:
        with closing(open_writer(out, gallery.encoder)) as writer:
            writer.write(gallery.identify(read_image(shots / name)))
            decided = [one.faces[0].decided for one in writer.records()]
        with out.open(newline="", encoding="utf-8-sig") as file:
            found = list(csv.DictReader(file))
        assert [one.get("decided", "") for one in found] == [one or "" for one in decided]
        return found

    new, old = tmp_path / "new.csv", tmp_path / "old.csv"
    assert [one["decided"] for one in label(new, "asuka.png")] == [""]
    assert [*label(new, "green-0.png")[0]][-1] == "decided"
    lines = new.read_text(encoding="utf-8").splitlines()
    old.write_text("\n".join(one.rpartition(",")[0] for one in lines) + "\n", encoding="utf-8")
    before = old.read_bytes()
    confirm(gallery, shots / "pink.png", "Rei")
    assert [one["decided"] for one in label(new, "pink.png")] == ["", "", "confirmed"]
    gone_on = label(old, "pink.png")
    assert old.read_bytes().startswith(before)
    assert [one["character"] for one in gone_on] == ["Asuka", "", "Rei"]
    assert all("decided" not in one and None not in one for one in gone_on)
    # A spreadsheet adds empty cells.
    old.write_text(
        "".join(f"{line},\n" for line in old.read_text(encoding="utf-8").splitlines()),
        encoding="utf-8",
    )
    assert len(label(old, "green-1.png")) == 4


def test_the_commands_work_together(tmp_path: Path, database: Path) -> None:
    for name, colour in (("Asuka", RED), ("Rei", BLUE)):
        picture(tmp_path / "in" / name / "1.png", colour)
    for seed in range(3):
        picture(tmp_path / "new" / f"{seed}.png", GREEN, seed=seed + 5)

    def run(*words: str, code: int = 0) -> list[dict[str, object]]:
        done = call("--detector", "whole", *words, cwd=tmp_path, database=database)
        assert done.code == code, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    run("enroll", "in")
    run("label", "new", "--out", "all.jsonl")
    assert run("decisions", "--json") == []
    (said,) = run("confirm", "new/0.png", "--as", "Rei", "--json")
    assert (said["step"], said["title"]) == (1, "confirmed 1 as Rei")
    (listed,) = run("decisions", "--json")
    number = listed["face"]
    assert (listed["decided"], listed["character"], listed["step"]) == ("confirmed", "Rei", 1)
    run("ignore", f"face:{number}", "--json")
    run("no-face", "new/1.png")
    (left,) = run("undo", "1", "--json", code=1)
    assert (left["restored"], left["left"][0]["step"]) == (0, 2)  # type: ignore[index]
    (undone,) = run("undo", "--json")
    assert undone["restored"] == 1
    assert [one["action"] for one in run("decisions", "--steps", "--json")] == [
        "undo", "no_face", "ignore", "confirm",
    ]  # fmt: skip
    assert [one["decided"] for one in run("decisions", "--state", "ignored", "--json")] == [
        "ignored"
    ]
    run("decisions", "--steps")
    run("decisions", "--all", "new")
    (adopted,) = run("adopt", "new/2.png", "Midori", "--json")
    assert adopted == {"character": "Midori", "added": 1, "samples": 1}
    run("confirm", "new/1.png", "--new", code=2)
    run("confirm", "new/gone.png", "--as", "Rei", code=1)
    run("undo", "77", code=1)
