"""A tagger's word beside the gallery's: it agrees, doubts, and proposes; nothing is changed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import call
from fakes import Square, draw, fake_gallery, write_picture
from labelled import identify_files
from taggers import SIDE, TAGS, tagger_at

from gallery import open_gallery
from gallery.engine.engine import Engine
from gallery.errors import BadSetting, InputError, NothingSeen, SetupError, UnusableFile
from gallery.events import Refused, result_of
from gallery.faces.tagger import Tagger
from gallery.jobs import decide
from gallery.jobs.cluster import cluster
from gallery.jobs.enroll_folders import candidates_in, enroll_candidates
from gallery.jobs.meant import SeenFace
from gallery.jobs.opinion import Opinion, Stance, opinions
from gallery.media.images import encode_png
from gallery.store.steps import Action
from gallery.types import Verdict

RED, BLUE, GREEN, PINK = (220, 20, 20), (20, 20, 220), (20, 220, 20), (230, 30, 200)


@pytest.fixture
def tagger(tmp_path: Path) -> Tagger:
    return Tagger(tagger_at(tmp_path / "tagger"))


@pytest.fixture
def filled(gallery: Engine, tmp_path: Path) -> Engine:
    """Asuka, red, and Rei, pink, are enrolled; labelled are both of them, and three greens."""
    for name, colour in (("Asuka", RED), ("Rei", PINK)):
        for number in range(2):
            square = Square(10, 20, 60 + 4 * number, colour)
            write_picture(tmp_path / "in" / name / f"{number}.png", square, seed=number)
    list(enroll_candidates(gallery, candidates_in(tmp_path / "in")[0]))
    new = tmp_path / "new"
    write_picture(new / "asuka.png", Square(12, 20, 60, RED), seed=50)
    write_picture(new / "rei.png", Square(12, 20, 60, PINK), seed=51)
    for number in range(3):
        write_picture(new / f"{number}.png", Square(10, 20, 60, GREEN), seed=60 + number)
    label(gallery, new)
    return gallery


def label(gallery: Engine, folder: Path) -> None:
    list(identify_files(gallery, sorted(folder.iterdir()), keep=True))


def by_file(found: tuple[Opinion, ...]) -> dict[str, Opinion]:
    return {one.sighting.path.name: one for one in found}


def test_it_agrees_doubts_and_proposes(filled: Engine, tmp_path: Path) -> None:
    (number,) = [one.number for one in result_of(cluster(filled))]
    # What the gallery calls Rei, this one calls Asuka: pink is red enough for it.
    seeing = Tagger(tagger_at(tmp_path / "other", scale=1 / 100))
    change = filled.store.change()
    found = result_of(opinions(filled, seeing))
    assert filled.store.change() == change
    opinion = by_file(found.opinions)
    assert {name: one.said for name, one in opinion.items()} == {
        "asuka.png": Stance.AGREES, "rei.png": Stance.DOUBTS, "0.png": Stance.PROPOSES,
        "1.png": Stance.PROPOSES, "2.png": Stance.PROPOSES,
    }  # fmt: skip
    assert found.faces == 5
    assert [found.count(said) for said in Stance] == [1, 1, 3]
    agreed, doubted, unknown = (opinion[name] for name in ("asuka.png", "rei.png", "0.png"))
    assert (agreed.name, agreed.is_known, agreed.verdict) == ("Asuka", True, Verdict.SURE)
    assert (doubted.answer.character, doubted.name) == ("Rei", "Asuka")
    assert doubted.verdict is not Verdict.SURE
    assert (unknown.name, unknown.is_known, unknown.tag.text) == (
        "mio (k-on!)", False, "mio_(k-on!)"
    )  # fmt: skip
    assert unknown.verdict is Verdict.UNKNOWN
    (proposal,) = found.proposals
    assert (proposal.cluster, proposal.name) == (number, "mio (k-on!)")
    assert (proposal.faces, proposal.of) == (3, 3)


def test_agreement_raises_what_is_unsure_and_doubt_lowers_what_is_sure(filled: Engine) -> None:
    from dataclasses import replace

    from gallery.faces.tagger import Tag

    (sighting,) = filled.store.sightings.at(
        next(one.path for one in filled.store.sightings.pictures() if one.path.stem == "asuka")
    )
    answer = next(iter(filled.answers([sighting.described(np.zeros(128, np.float32))])))
    for verdict, agreed, doubted in (
        (Verdict.UNSURE, Verdict.SURE, Verdict.UNSURE),
        (Verdict.SURE, Verdict.SURE, Verdict.UNSURE),
    ):
        said = replace(answer, verdict=verdict, character="Asuka")
        for kind, then in ((Stance.AGREES, agreed), (Stance.DOUBTS, doubted)):
            one = Opinion(sighting, said, Tag("x", 0.9), "x", True, kind)
            assert one.verdict is then


def test_names_are_known_by_their_spelling_and_by_other_names(
    filled: Engine, tagger: Tagger
) -> None:
    filled.call("Rei", ["Rei Ayanami"])
    with filled.store.writing() as writer:
        writer.rename("Asuka", "Asuka (Eva)")
    assert by_file(result_of(opinions(filled, tagger)).opinions)["asuka.png"].name == "Asuka (Eva)"
    blue = filled.store.sightings.pictures()[0].path.parent / "blue.png"
    write_picture(blue, Square(10, 20, 60, BLUE), seed=80)
    list(identify_files(filled, [blue], keep=True))
    (one,) = result_of(opinions(filled, tagger, [blue])).opinions
    assert (one.tag.text, one.name, one.is_known) == ("rei_ayanami", "Rei", True)


def test_of_several_faces_each_is_shown_apart(
    gallery: Engine, tagger: Tagger, tmp_path: Path
) -> None:
    path = tmp_path / "both.png"
    wide = draw(Square(20, 40, 60, RED), Square(480, 40, 60, GREEN), width=600, height=400)
    path.write_bytes(encode_png(wide))
    list(identify_files(gallery, [path], keep=True))
    found = result_of(opinions(gallery, tagger)).opinions
    names = {round(one.sighting.face.box.left): one.name for one in found}
    assert names == {20: "asuka (eva)", 480: "mio (k-on!)"}


def test_what_a_person_decided_is_left_out_and_the_limit_holds(
    filled: Engine, tagger: Tagger
) -> None:
    seen = {one.path.name: one for one in filled.store.sightings.all()}
    result_of(decide.set_aside(filled, [SeenFace(seen["0.png"].id)], Action.IGNORE))
    found = result_of(opinions(filled, tagger))
    assert found.faces == 4
    assert "0.png" not in by_file(found.opinions)
    # Pink is (230 - 115) / 160 red.
    assert "rei.png" not in by_file(found.opinions)
    lower = by_file(result_of(opinions(filled, tagger, least=0.7)).opinions)
    assert lower["rei.png"].tag.probability == pytest.approx(115 / 160, abs=0.05)


def test_files_that_changed_or_are_gone_are_refused(filled: Engine, tagger: Tagger) -> None:
    seen = {one.path.name: one.path for one in filled.store.sightings.pictures()}
    write_picture(seen["0.png"], Square(10, 20, 50, BLUE), seed=99)
    seen["1.png"].unlink()
    told = list(opinions(filled, tagger))
    refused = {one.path.name: one.reason for one in told if isinstance(one, Refused)}
    assert refused.keys() == {"0.png", "1.png"}
    assert "shows something else than when it was labelled; label it again" in refused["0.png"]
    with pytest.raises(NothingSeen):
        list(opinions(filled, tagger, [Path("/nowhere")]))


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ({"shape": ("batch", 3, SIDE, 3)}, "not squares in colour; a network and a table"),
        ({"outputs": 7}, "gives 7 numbers, and its table has 5 tags"),
        ({"tags": "id;name\n1;x\n"}, "is no table of tags with the columns name and category"),
        ({"tags": "name,category\nx,0\n"}, "has no characters"),
        ({"tags": "\udcff"}, "is no table of tags"),
    ],
)
def test_files_that_are_no_tagger_are_refused(
    tmp_path: Path, made: dict[str, object], why: str
) -> None:
    tags = str(made.pop("tags", TAGS))
    path = tagger_at(tmp_path / "odd", **made)  # type: ignore[arg-type]
    (tmp_path / "odd" / "selected_tags.csv").write_bytes(tags.encode("utf-8", "surrogateescape"))
    with pytest.raises(UnusableFile, match=why):
        Tagger(path)


def test_what_is_not_there_or_gives_nonsense_is_said(tmp_path: Path) -> None:
    path = tagger_at(tmp_path / "one", scale=2.0)
    with pytest.raises(SetupError, match="gives numbers that are no probabilities"):
        Tagger(path).characters(draw(Square(5, 5, 60, RED)), 0.5)
    with pytest.raises(InputError, match="cannot be read"):
        Tagger(path, tmp_path / "none.csv")
    with pytest.raises(SetupError, match="does not exist"):
        Tagger(path.with_name("none.onnx"))
    path.write_bytes(b"no network")
    with pytest.raises(SetupError, match="cannot be opened as ONNX"):
        Tagger(path)


def test_the_command_prints_and_changes_nothing(tmp_path: Path) -> None:
    tagger = tagger_at(tmp_path / "tagger")
    for number in range(2):
        square = Square(10, 20, 60 + 4 * number, GREEN)
        write_picture(tmp_path / "album" / "Mio" / f"{number}.png", square, seed=number)
    write_picture(tmp_path / "new" / "0.png", Square(12, 20, 60, GREEN), seed=9)
    database = tmp_path / "gallery.db"

    def typed(*words: str | Path) -> str:
        done = call("--detector", "whole", *map(str, words), cwd=tmp_path, database=database)
        assert done.code == 0, done.stderr
        return done.stdout

    typed("enroll", "album")
    typed("label", "new", "album", "--out", "l.jsonl")
    said = typed("opinion", tagger)
    assert "Mio 1.00" in said
    assert "agrees" in said
    records = [json.loads(line) for line in typed("opinion", tagger, "new", "--json").splitlines()]
    (one,) = records
    assert (one["tag"], one["name"], one["in_gallery"]) == ("mio_(k-on!)", "Mio", True)
    assert one["path"].endswith("0.png")
    done = call("opinion", str(tagger), "--tags", "none.csv", cwd=tmp_path, database=database)
    assert done.code == 1
    assert "none.csv cannot be read" in done.complaint


def test_a_program_asks_as_well(tmp_path: Path) -> None:
    tagger = tagger_at(tmp_path / "tagger")
    for number in range(2):
        path = tmp_path / "new" / f"{number}.png"
        write_picture(path, Square(10, 20, 60 + 4 * number, GREEN), seed=number)
    write_picture(tmp_path / "in" / "Rei" / "0.png", Square(10, 20, 60, BLUE))
    with open_gallery(tmp_path / "g.db", detector="whole") as people:
        people.enroll(tmp_path / "in").run()
        people.label(tmp_path / "new", tmp_path / "l.jsonl").run()
        found = people.opinions(tagger, tmp_path / "new").run()
        assert found.faces == 2
        assert {one.name for one in found.opinions} == {"mio (k-on!)"}
        with pytest.raises(InputError, match="cannot be read"):
            people.opinions(tagger, tags=tmp_path / "none.csv").run()
        for least in (0.0, 1.1):
            with pytest.raises(BadSetting, match="least is a probability"):
                people.opinions(tagger, least=least)


def test_faces_of_videos_are_shown_as_their_crops(
    database: Path, tagger: Tagger, tmp_path: Path
) -> None:
    from videos import at_rate, scene, write_video

    from gallery.faces.video import VideoOptions
    from gallery.jobs.label_video import label_video

    film = tmp_path / "film.mkv"
    write_video(film, at_rate([scene(Square(30, 30, 60, GREEN)) for _ in range(24)]))
    with fake_gallery(database) as gallery:
        list(label_video(gallery, film, VideoOptions(), keep=True))
        (one,) = result_of(opinions(gallery, tagger, [film])).opinions
    assert (one.name, one.sighting.track is not None) == ("mio (k-on!)", True)
