"""What labelling saw: kept, grouped, named, and answered anew without the pictures."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from command import call
from fakes import FakeEncoder, Square, fake_gallery, write_picture
from labelled import identify_files

from gallery.engine.engine import Engine
from gallery.errors import InputError, NotInCluster
from gallery.events import Finished, LeftOut, result_of, value_of
from gallery.jobs import decide, review
from gallery.jobs import relabel_pictures as relabelling
from gallery.jobs.add import add
from gallery.jobs.adopt import adopt, adopt_faces
from gallery.jobs.cluster import cluster
from gallery.jobs.cluster_faces import report_of, write_folders
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.meant import SeenFace, UnknownCluster
from gallery.jobs.reencode import encode_kept, encode_samples
from gallery.jobs.relabel import has_changed, seen_below
from gallery.jobs.relabel_pictures import relabel_pictures
from gallery.media.images import encode_png, read_image
from gallery.reports.page import as_html
from gallery.store.sightings import Observation, matched
from gallery.store.steps import Action
from gallery.types import Box, DescribedFace, Face, Pixels, Quality, Verdict

RED, BLUE, GREEN, PINK = (220, 20, 20), (20, 20, 220), (20, 200, 20), (230, 30, 200)


def picture(path: Path, *colours: tuple[int, int, int], seed: int = 0) -> Path:
    places = [Square(10, 20, 60, colours[0])] if colours else []
    places += [Square(90, 20, 50, colour) for colour in colours[1:]]
    return write_picture(path, *places, seed=seed)


@pytest.fixture
def folder(gallery: Engine, tmp_path: Path) -> Path:
    """Asuka, red, is enrolled; labelled are her, four greens, two pinks, a green with a pink."""
    for number in range(2):
        picture(tmp_path / "in" / "Asuka" / f"{number}.png", RED, seed=number)
    candidates, _ = candidates_in(tmp_path / "in")
    list(enroll_candidates(gallery, candidates))
    new = tmp_path / "new"
    picture(new / "asuka.png", RED, seed=50)
    for number in range(3):
        picture(new / f"green-{number}.png", GREEN, seed=60 + number)
    picture(new / "pink.png", PINK, seed=70)
    picture(new / "both.png", GREEN, PINK, seed=71)
    picture(new / "nobody.png", seed=72)
    (new / "broken.png").write_bytes(b"no picture")
    return new


def label(gallery: Engine, folder: Path) -> None:
    list(identify_files(gallery, sorted(folder.iterdir()), keep=True))


def clusters(gallery: Engine) -> dict[int, list[str]]:
    return {
        one.number: sorted(face.path.name for face in one.faces)
        for one in result_of(cluster(gallery))
    }


def test_faces_that_are_like_no_other_are_counted(gallery: Engine, tmp_path: Path) -> None:
    for number, colour in enumerate([(20, 220, 20), (220, 20, 220), (220, 220, 20)]):
        picture(tmp_path / "new" / f"{number}.png", colour, seed=number)
    label(gallery, tmp_path / "new")
    found = result_of(cluster(gallery))
    assert (list(found), found.alone) == ([], 3)


GREENS = ["both.png", "green-0.png", "green-1.png", "green-2.png"]
PINKS = ["both.png", "pink.png"]


def test_what_was_seen_is_kept(gallery: Engine, folder: Path) -> None:
    list(identify_files(gallery, sorted(folder.iterdir())))
    assert gallery.store.sightings.pictures() == []
    change = gallery.store.change()
    label(gallery, folder)
    assert gallery.store.change() == change
    pictures = {one.path.name: one for one in gallery.store.sightings.pictures()}
    assert pictures.keys() == {path.name for path in folder.iterdir()}
    assert pictures["broken.png"].error is not None
    assert (pictures["nobody.png"].width, pictures["nobody.png"].height) == (160, 120)
    faces = gallery.store.sightings.all()
    assert len(faces) == gallery.store.sightings.count() == 7
    image = read_image(folder / "both.png")
    described = gallery.describer.describe_all(image)
    kept = [one for one in faces if one.path.name == "both.png"]
    assert [one.face for one in kept] == [one.face for one in described]
    assert [one.quality for one in kept] == [one.quality for one in described]
    vectors = [gallery.store.sightings.descriptors_of(one.id)["fake"] for one in kept]
    assert np.array_equal(vectors, [one.descriptor for one in described])


def test_labelling_again_keeps_numbers_and_drops_faces_that_are_gone(
    gallery: Engine, folder: Path
) -> None:
    label(gallery, folder)
    before = gallery.store.sightings.all()
    label(gallery, folder)
    assert gallery.store.sightings.all() == before
    image = read_image(folder / "both.png")
    first, second = gallery.describer.describe_all(image)
    box = Box(*(edge + 1.0 for edge in second.face.box))
    shifted = dataclasses.replace(second, face=dataclasses.replace(second.face, box=box))
    gallery.keep([Observation(image.path, None, image.digest, 160, 120, (shifted,))])
    left = [one for one in gallery.store.sightings.all() if one.digest == image.digest]
    number = {one.id for one in before if one.face.box.overlap(box) > 0.5}
    assert [one.face.box for one in left] == [box]
    assert left[0].id in number
    assert first.face.box != box
    assert gallery.store.check() == []


def test_a_path_that_is_no_text_is_passed_over(gallery: Engine) -> None:
    gallery.keep([Observation(Path("/x/\udcff.png"), None, "0" * 64, 1, 1)])
    assert gallery.store.sightings.pictures() == []


def test_two_boxes_in_one_place_are_one_face(gallery: Engine) -> None:
    face = Face(Box(0, 0, 10, 10), 0.5)
    one = DescribedFace(
        face, np.zeros((150, 150, 3), np.uint8), np.zeros(128, np.float32), Quality(9, 1, 0, 1, 0)
    )
    gallery.keep([Observation(Path("/x.png"), None, "0" * 64, 50, 50, (one, one))])
    assert gallery.store.sightings.count() == 1


def test_boxes_are_matched_best_pairs_first() -> None:
    boxes = [Box(0, 0, 10, 10), Box(4, 0, 14, 10), Box(50, 50, 60, 60)]
    others = [Box(4, 0, 14, 10), Box(1, 0, 11, 10)]
    assert matched(boxes, others) == {1: 0, 0: 1}


def test_unknown_faces_are_grouped_and_known_ones_are_not(gallery: Engine, folder: Path) -> None:
    assert result_of(cluster(gallery)) == []
    label(gallery, folder)
    assert clusters(gallery) == {1: GREENS, 2: PINKS}
    assert clusters(gallery) == {1: GREENS, 2: PINKS}
    (first, *_) = result_of(cluster(gallery))
    assert first.nearest == "Asuka"
    assert first.distance is not None
    assert first.distance > gallery.thresholds.unknown


def test_clusters_keep_their_numbers_when_more_comes(gallery: Engine, folder: Path) -> None:
    label(gallery, folder)
    assert clusters(gallery) == {1: GREENS, 2: PINKS}
    for number in range(5):
        picture(folder / f"blue-{number}.png", BLUE, seed=80 + number)
        picture(folder / f"pink-{number}.png", PINK, seed=90 + number)
    label(gallery, folder)
    found = clusters(gallery)
    assert found[1] == GREENS
    assert found[2] == [*PINKS[:1], *(f"pink-{number}.png" for number in range(5)), PINKS[1]]
    assert found[3] == [f"blue-{number}.png" for number in range(5)]
    assert {one.number for one in result_of(cluster(gallery, afresh=True))} == {4, 5, 6}


def test_a_cluster_becomes_a_character_and_forgetting_undoes_it(
    gallery: Engine, folder: Path
) -> None:
    label(gallery, folder)
    clusters(gallery)
    assert result_of(adopt(gallery, 1, "Midori")) == 4
    assert {one.name: one.samples for one in gallery.characters()} == {"Asuka": 2, "Midori": 4}
    samples = gallery.samples("Midori")
    assert {one.enrolled_as for one in samples} == {"cluster 1"}
    assert all(one.quality is not None for one in samples)
    image = read_image(folder / "green-0.png")
    (answer,) = gallery.identify(image).faces
    assert (answer.character, answer.verdict) == ("Midori", Verdict.SURE)
    own = next(one for one in samples if one.digest == image.digest)
    (described,) = gallery.describer.describe_all(image)
    assert np.array_equal(gallery.store.descriptors_of(own.id)["fake"], described.descriptor)
    assert clusters(gallery) == {2: PINKS}
    with pytest.raises(InputError, match="no cluster 1 of unknown faces"):
        result_of(adopt(gallery, 1, "Midori"))
    assert result_of(adopt(gallery, 2, "Midori")) == 2
    gallery.forget("Midori")
    assert clusters(gallery) == {1: GREENS, 2: PINKS}


def test_all_faces_that_a_cluster_showed_are_adopted_whatever_is_known_by_then(
    gallery: Engine, folder: Path
) -> None:
    label(gallery, folder)
    assert clusters(gallery) == {1: GREENS, 2: PINKS}
    # Now the gallery knows the character by itself.
    add(gallery, read_image(picture(folder / "more.png", GREEN, seed=300)), "Midori")
    image = read_image(folder / "green-0.png")
    assert gallery.identify(image).faces[0].verdict is Verdict.SURE
    assert result_of(adopt(gallery, 1, "Midori")) == 4


def test_what_was_decided_since_is_left_out_and_told(gallery: Engine, folder: Path) -> None:
    label(gallery, folder)
    (greens, pinks) = result_of(cluster(gallery))
    first, second, *rest = [SeenFace(one.id) for one in greens.faces]
    result_of(decide.set_aside(gallery, [first], Action.IGNORE))
    result_of(adopt_faces(gallery, [second], "Midori"))
    told = list(adopt(gallery, 1, "Midori"))
    assert {one.face: one.reason for one in told if isinstance(one, LeftOut)} == {
        first.number: "is ignored",
        second.number: "is enrolled as Midori",
    }
    assert told[-1] == Finished(len(rest))
    result_of(decide.confirm(gallery, [SeenFace(pinks.faces[0].id)], "Asuka"))
    result_of(decide.set_aside(gallery, [SeenFace(pinks.faces[1].id)], Action.NO_FACE))
    with pytest.raises(InputError, match="no cluster 2 of unknown faces"):
        result_of(adopt(gallery, 2, "Momo"))


def test_a_number_stands_for_what_was_shown_last(gallery: Engine, folder: Path) -> None:
    label(gallery, folder)
    clusters(gallery)
    add(gallery, read_image(picture(folder / "more.png", PINK, seed=300)), "Momo")
    assert clusters(gallery) == {1: GREENS}
    with pytest.raises(InputError, match="no cluster 2 of unknown faces"):
        result_of(adopt(gallery, 2, "Momo"))
    for number in range(3):
        picture(folder / f"blue-{number}.png", BLUE, seed=80 + number)
    label(gallery, folder)
    assert set(clusters(gallery)) == {1, 3}


def test_some_of_a_cluster_are_adopted(gallery: Engine, folder: Path) -> None:
    label(gallery, folder)
    (greens, pinks) = result_of(cluster(gallery))
    numbers = [SeenFace(one.id) for one in greens.faces]
    one = UnknownCluster(1)
    assert result_of(adopt_faces(gallery, [one], "Midori", only=numbers[:2])) == 2
    assert result_of(adopt_faces(gallery, [one], "Midori", without=numbers[:3])) == 1
    strange = SeenFace(pinks.faces[0].id)
    for only, without in (([strange], []), ([], [strange])):
        with pytest.raises(NotInCluster):
            result_of(adopt_faces(gallery, [one], "Midori", only=only, without=without))


def test_adopting_a_rejected_face_ends_the_rejection(gallery: Engine, folder: Path) -> None:
    label(gallery, folder)
    review.reject(gallery, folder / "green-0.png", "Asuka")
    clusters(gallery)
    result_of(adopt(gallery, 1, "Asuka"))
    assert gallery.store.rejections.all() == []


def test_poor_faces_and_reject_classes_are_left_out(
    gallery: Engine, folder: Path, tmp_path: Path
) -> None:
    for number in range(2):
        picture(tmp_path / "more" / "Noise" / f"{number}.png", PINK, seed=200 + number)
    candidates, _ = candidates_in(tmp_path / "more")
    list(enroll_candidates(gallery, candidates))
    label(gallery, folder)
    image = read_image(folder / "green-1.png")
    (green,) = gallery.describer.describe_all(image)
    poor = dataclasses.replace(green, quality=Quality(5.0, 0.1, 0.0, 1.0, 0.0))
    gallery.keep([Observation(image.path, None, image.digest, 160, 120, (poor,))])
    assert clusters(gallery) == {1: ["both.png", "green-0.png", "green-2.png"]}
    (one,) = result_of(cluster(gallery, poor=True))
    # Best first: the poor one is last.
    assert [face.path.name for face in one.faces][-1] == "green-1.png"


def test_another_encoder_describes_what_was_seen_from_its_crops(
    database: Path, gallery: Engine, folder: Path
) -> None:
    label(gallery, folder)
    with fake_gallery(database, encoder=FakeEncoder("other")) as other:
        encode_samples(other, other.remaining())
        assert value_of(encode_kept(other)) == 7
        assert value_of(encode_kept(other)) == 0
        assert value_of(encode_kept(other, everything=True)) == 7
        assert clusters(other) == {1: GREENS, 2: PINKS}


@pytest.mark.parametrize("is_there", [False, True])
def test_folders_of_faces_are_written_whole_or_not_at_all(
    gallery: Engine, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    label(gallery, folder)
    found = result_of(cluster(gallery))
    out = tmp_path / "unknown"
    if is_there:
        out.mkdir()
    written: list[bytes] = []

    def stopped(pixels: Pixels) -> bytes:
        written.append(encode_png(pixels))
        if len(written) == 5:
            raise KeyboardInterrupt
        return written[-1]

    monkeypatch.setattr("gallery.jobs.cluster_faces.encode_png", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_folders(gallery, found, out)
    assert [*tmp_path.glob(".*")] == []
    assert [*out.iterdir()] == [] if is_there else not out.exists()
    assert write_folders(gallery, found, out) == 6


def test_faces_and_a_page_are_written(gallery: Engine, folder: Path, tmp_path: Path) -> None:
    label(gallery, folder)
    found = result_of(cluster(gallery))
    out = tmp_path / "unknown"
    assert write_folders(gallery, found, out) == 6
    names = sorted(path.relative_to(out).parts[0] for path in out.rglob("*.png"))
    assert names == ["cluster-0001"] * 4 + ["cluster-0002"] * 2
    assert read_image(next(out.rglob("001-*.png"))).pixels.shape == (150, 150, 3)
    with pytest.raises(InputError, match="there already"):
        write_folders(gallery, found, out)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert write_folders(gallery, found, empty) == 6
    assert {one.name for one in empty.iterdir()} == {"cluster-0001", "cluster-0002"}
    page = as_html(report_of(gallery, found))
    assert page.count("<img") == 6
    assert "gallery adopt 2 NAME" in page
    for face in (face for one in found for face in one.faces):
        assert f"gallery adopt face:{face.id} NAME" in page
        assert f'<a href="{face.path.as_uri()}">' in page


@pytest.mark.parametrize("at_once", [relabelling.PICTURES_AT_ONCE, 1])
def test_relabelling_says_what_labelling_says_and_reads_no_picture(
    gallery: Engine, folder: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relabelling, "PICTURES_AT_ONCE", at_once)
    paths = sorted(folder.iterdir())
    said = list(identify_files(gallery, paths, keep=True))
    for path in paths[1:]:
        path.unlink()
    pictures = gallery.store.sightings.pictures()
    assert list(relabel_pictures(gallery, pictures)) == said
    result_of(cluster(gallery))
    result_of(adopt(gallery, 1, "Midori"))
    again = {one.path.name: one for one in relabel_pictures(gallery, pictures)}
    assert again["green-1.png"].faces[0].character == "Midori"
    assert again["nobody.png"].faces == ()


def test_pictures_are_chosen_by_file_and_folder_and_known_when_they_change(
    gallery: Engine, folder: Path
) -> None:
    label(gallery, folder)
    pictures = gallery.store.sightings.pictures()
    assert seen_below(pictures, []) == pictures
    assert seen_below(pictures, [folder]) == pictures
    (one,) = seen_below(pictures, [folder / "pink.png"])
    assert not has_changed(one)
    picture(folder / "pink.png", BLUE, seed=3)
    assert has_changed(one)
    (folder / "pink.png").unlink()
    assert not has_changed(one)


@pytest.mark.slow
def test_the_commands_work_together(tmp_path: Path, database: Path) -> None:
    root = Path(__file__).parents[2] / "data"

    def run(*words: str | Path) -> list[dict[str, object]]:
        done = call(*words, cwd=tmp_path, database=database)
        assert done.code == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def records(name: str) -> dict[object, object]:
        lines = (tmp_path / name).read_text(encoding="utf-8").splitlines()
        return {record["path"]: record for record in map(json.loads, lines)}

    run("enroll", root / "characters")
    run("label", root / "screenshots", "--out", "all.jsonl")
    run("relabel", "--out", "again.jsonl", root / "screenshots")
    assert records("again.jsonl") == records("all.jsonl")
    name = str(run("characters", "--json")[0]["character"])
    run("forget", name, "--yes")
    assert all(name not in str(one) for one in run("audit", "--json", "--report", "audit.html"))
    assert "<img" in (tmp_path / "audit.html").read_text(encoding="utf-8")
    found = run("cluster", "--json", "--out", "unknown", "--report", "unknown.html")
    assert len(list((tmp_path / "unknown").iterdir())) == len(found)
    if found:
        run("adopt", str(found[0]["cluster"]), name)
        (known,) = [one for one in run("characters", "--json") if one["character"] == name]
        assert known["samples"] == len(found[0]["faces"])  # type: ignore[arg-type]
    run("label", root / "screenshots", "--out", "more.jsonl", "--no-keep")
