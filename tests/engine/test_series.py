"""Characters belong to series and go by other names; questions can be kept to one series."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import call
from fakes import Square, enroll_squares, fake_gallery, write_picture

from gallery.audit.run import audit
from gallery.engine.engine import Engine
from gallery.engine.figures import kept_figure
from gallery.errors import BadSetting, NameTaken, NoSuchAlias, NoSuchCharacter, NoSuchSeries
from gallery.events import result_of
from gallery.faces.video import VideoOptions
from gallery.jobs.answers import renew
from gallery.jobs.enroll_folders import enroll_candidates
from gallery.jobs.label import LabelChoices, label, planned
from gallery.media.images import read_image
from gallery.output.format import OutputOptions, Placing, TagStyle
from gallery.store import archive
from gallery.store.addresses import address_of
from gallery.store.copying import Copied, Copy
from gallery.store.names import names_at, series_at
from gallery.store.reader import Store
from gallery.types import Candidate, MatchMode, Outcome, Verdict

COLOURS = {
    "Rei": (20, 20, 220),
    "Asuka": (220, 20, 20),
    "Kino": (20, 200, 20),
    "Noise": (220, 220, 20),
}
MODES = tuple(MatchMode)


@pytest.fixture
def filled(database: Path, tmp_path: Path) -> Iterator[Engine]:
    with fake_gallery(database) as gallery:
        enroll_squares(gallery, tmp_path / "enrolled", COLOURS)
        gallery.belong(["Rei", "Asuka"], "Evangelion")
        gallery.belong(["Kino"], "Kino's Journey")
        yield gallery


def picture(folder: Path, name: str, *, seed: int = 5) -> Path:
    """A face of a character, in another place of another picture."""
    return write_picture(folder / f"{name}{seed}.png", Square(30, 20, 70, COLOURS[name]), seed=seed)


def test_a_series_is_found_whatever_its_case_and_goes_with_its_last_character(
    filled: Engine,
) -> None:
    assert filled.belong(["Kino"], "ＥＶＡＮＧＥＬＩＯＮ") == "Evangelion"
    assert filled.store.series.all() == {"Evangelion": ["Asuka", "Kino", "Rei"]}
    with pytest.raises(NoSuchSeries, match="did you mean Evangelion"):
        filled.store.series.called("evangelon")
    filled.belong(["kino", "Rei"], "")
    assert filled.store.character("Rei").series == ""
    filled.belong(["Asuka"], "")
    assert filled.store.series.all() == {}
    with pytest.raises(NoSuchCharacter):
        filled.belong(["Asuka", "Nobody"], "Evangelion")
    assert filled.store.series.all() == {}


def test_merge_and_split_hand_a_series_on(filled: Engine, tmp_path: Path) -> None:
    filled.merge("Rei", "Noise")
    assert filled.store.character("Noise").series == "Evangelion"
    filled.merge("Kino", "Asuka")
    assert filled.store.character("Asuka").series == "Evangelion"
    ids = [one.id for one in filled.samples("Asuka")]
    filled.split("Asuka", "Soryu", ids[:1])
    assert filled.store.character("Soryu").series == "Evangelion"


@pytest.mark.parametrize("mode", MODES)
def test_questions_are_kept_to_a_series_and_follow_it(
    filled: Engine, database: Path, tmp_path: Path, mode: MatchMode
) -> None:
    asuka, kino, noise = (picture(tmp_path, name) for name in ("Asuka", "Kino", "Noise"))

    def asked(engine: Engine, path: Path) -> list[str]:
        record = engine.identify(read_image(path), mode=mode, top=9)
        return [one.character for answer in record.faces for one in answer.matches]

    with fake_gallery(database, series="evangelion") as kept:
        assert asked(kept, asuka)[0] == "Asuka"
        assert set(asked(kept, kino)) == {"Asuka", "Rei", "Noise"}
        # What is to be turned away is turned away in every series.
        assert asked(kept, noise)[0] == "Noise"
        (answer,) = kept.identify(read_image(kino), mode=mode).faces
        assert answer.character != "Kino"
        filled.belong(["Kino"], "Evangelion")
        assert asked(kept, kino)[0] == "Kino"
        (answer,) = kept.identify(read_image(kino), mode=mode).faces
        assert (answer.verdict, answer.character) == (Verdict.SURE, "Kino")
        filled.belong(["Asuka"], "")
        assert "Asuka" not in asked(kept, asuka)
    with pytest.raises(NoSuchSeries):
        fake_gallery(database, series="nothing")


def test_what_is_kept_to_a_series_leaves_stored_answers_and_calibration_alone(
    filled: Engine, database: Path, tmp_path: Path
) -> None:
    shot = picture(tmp_path / "shots", "Kino")
    choices = LabelChoices(MatchMode.IDEAL, 3, keep=True, watched=VideoOptions())
    with fake_gallery(database, series="Evangelion") as kept:
        plan = planned([shot], tmp_path / "out.jsonl", [], OutputOptions())
        assert result_of(label(kept, plan, choices)).failed == 0
        (line,) = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
        assert json.loads(line)["faces"][0]["character"] != "Kino"
        counts = kept.store.answers.counts(kept.encoder)
        assert (counts.faces, counts.of(Verdict.SURE)) == (1, 0)
        with pytest.raises(BadSetting, match="open the gallery without a series"):
            result_of(renew(kept))
        with kept.store.writing() as writer:
            writer.calibrate(kept.calibrated_as, "2026-01-01T00:00:00+00:00", "{}")
        assert filled.store.calibration(filled.encoder) is None
        assert kept_figure(kept) is None
    result_of(renew(filled))
    assert filled.store.answers.counts(filled.encoder).of(Verdict.SURE) == 1


def test_a_series_is_calibrated_by_its_own_faces_and_without_goes_by_all(
    filled: Engine, database: Path
) -> None:
    with fake_gallery(database, series="Evangelion") as kept:
        assert set(kept.references()[1]) == {"Rei", "Asuka", "Noise"}
        assert kept.within() == frozenset({"Rei", "Asuka", "Noise"})
        assert kept.calibrated_as == "fake of Evangelion"
    assert set(filled.references()[1]) == {*COLOURS}


def test_an_audit_says_what_is_about_a_series(filled: Engine, database: Path) -> None:
    everybody = result_of(audit(filled))
    with fake_gallery(database, series="Kino's Journey") as kept:
        own = result_of(audit(kept))
    assert own
    assert own == [one for one in everybody if "Kino" in one.characters]
    assert len(own) < len(everybody)


def test_outputs_name_the_series(filled: Engine, tmp_path: Path) -> None:
    filled.belong(["Kino"], "")
    shots = [picture(tmp_path / "shots", name) for name in ("Rei", "Kino")]
    options = OutputOptions(tags=TagStyle.BOORU, placing=Placing.SYMLINK, by_series=True)
    formats = [f"{name}:{tmp_path / name}" for name in ("captions", "hydrus", "sorted")]
    plan = planned(shots, tmp_path / "out.jsonl", formats, options)
    choices = LabelChoices(MatchMode.IDEAL, 3, keep=False, watched=VideoOptions())
    assert result_of(label(filled, plan, choices)).failed == 0

    def text(name: str) -> str:
        return (tmp_path / name).read_text(encoding="utf-8")

    assert text("captions/Rei5.txt") == "rei_(evangelion)"
    assert text("captions/Kino5.txt") == "kino"
    assert text("hydrus/Rei5.png.txt").split("\n")[:2] == ["character:Rei", "series:Evangelion"]
    assert text("hydrus/Kino5.png.txt").split() == ["character:Kino"]
    place = tmp_path / "sorted"
    assert sorted(str(one.relative_to(place)) for one in place.rglob("*.png")) == [
        "Evangelion/Rei/Rei5.png",
        "no series/Kino/Kino5.png",
    ]


def test_another_name_means_the_character_wherever_it_stands(
    filled: Engine, database: Path, tmp_path: Path
) -> None:
    filled.call("Rei", ["綾波レイ", "Ayanami"])
    assert filled.store.character("綾波レイ").name == "Rei"
    assert filled.store.character("AYANAMI").name == "Rei"
    assert filled.store.other_names(filled.store.character("Rei").id) == ["Ayanami", "綾波レイ"]
    with pytest.raises(NoSuchCharacter, match="did you mean Ayanami"):
        filled.store.character("Ayanamy")
    assert names_at(str(database)) == ["Asuka", "Ayanami", "Kino", "Noise", "Rei", "綾波レイ"]
    assert series_at(str(database)) == ["Evangelion", "Kino's Journey"]
    found = Candidate(picture(tmp_path, "Rei", seed=8), "綾波レイ")
    (one,) = enroll_candidates(filled, [found])
    assert one.outcome is Outcome.ADDED
    assert filled.store.character("Rei").samples == 2
    for taken in ("Asuka", "asuka"):
        with pytest.raises(NameTaken):
            filled.call("Rei", [taken])
    with pytest.raises(NameTaken):
        filled.call("Asuka", ["Ayanami"])
    filled.call_no_more("Rei", ["Ayanami"])
    with pytest.raises(NoSuchAlias, match="Rei does not go by the name Ayanami"):
        filled.call_no_more("Rei", ["Ayanami"])
    with pytest.raises(NoSuchCharacter):
        filled.store.character("Ayanami")


def test_an_export_a_copy_and_a_back_up_take_series_and_names_along(
    filled: Engine, database: Path, tmp_path: Path
) -> None:
    filled.call("Rei", ["Ayanami"])
    archive.export(filled.store, tmp_path / "whole.zip")
    filled.store.back_up(tmp_path / "kept.db")
    copy = Copy(address_of(str(database)), address_of(str(tmp_path / "copy.db")))
    assert isinstance([*copy.portions()][-1], Copied)
    copy.close()
    with Store(str(tmp_path / "new.db"), create=True) as store:
        archive.restore(store, tmp_path / "whole.zip")
    wanted = filled.store.series.all()
    for name in ("new.db", "kept.db", "copy.db"):
        with Store(str(tmp_path / name)) as store:
            assert store.series.all() == wanted, name
            assert store.former_names() == {"Ayanami": "Rei"}, name
            # What is said here stays, whatever comes in.
            with store.writing() as writer:
                writer.belong(["Rei"], "Shin Evangelion")
            archive.restore(store, tmp_path / "whole.zip")
            assert store.character("Rei").series == "Shin Evangelion", name


def test_the_commands_say_and_change_it(filled: Engine, database: Path, tmp_path: Path) -> None:
    filled.close()

    def said(*words: str, code: int = 0) -> str:
        done = call(*words, cwd=tmp_path, database=database)
        assert done.code == code, done.stderr
        return done.stdout + done.stderr

    assert "Evangelion" in said("series")
    assert said("series", "evangelion").split() == ["character", "Asuka", "Rei"]
    assert [json.loads(line) for line in said("series", "--json").splitlines()] == [
        {"series": "Evangelion", "characters": ["Asuka", "Rei"]},
        {"series": "Kino's Journey", "characters": ["Kino"]},
    ]
    assert "1 character belongs to Evangelion now, 3 in all" in said("series", "EVANGELION", "kino")
    assert "Evangelion" in said("characters")
    assert json.loads(said("characters", "--json").splitlines()[0])["series"] == "Evangelion"
    assert "2 characters belong to no series now" in said("series", "--remove", "Kino", "Rei")
    for words in (["series", "Nothing"], ["calibrate", "--series", "Nothing"]):
        done = call(*words, cwd=tmp_path, database=database)
        assert done.code == 1
        assert "No character belongs to a series Nothing" in done.stderr
        assert "`gallery series`" in done.stderr
    assert "goes by no other name" in said("alias", "Rei")
    assert "Rei goes by Ayanami" in said("alias", "Rei", "Ayanami")
    assert said("alias", "ayanami").split() == ["Rei", "goes", "by", "Ayanami"]
    assert json.loads(said("alias", "Rei", "--json")) == {"character": "Rei", "others": ["Ayanami"]}
    assert "goes no more by Ayanami" in said("alias", "Rei", "Ayanami", "--remove")
    done = call("alias", "Rei", "Asuka", cwd=tmp_path, database=database)
    assert "Asuka exists already; `gallery merge Rei Asuka` makes them one" in done.complaint
    for words in (["series", "--remove"], ["alias", "Rei", "--remove"]):
        assert call(*words, cwd=tmp_path, database=database).code == 2


def test_what_is_enrolled_belongs_to_the_series_that_is_named(tmp_path: Path) -> None:
    for row, (name, colour) in enumerate(COLOURS.items()):
        write_picture(tmp_path / "eva" / name / "0.png", Square(10, 10, 60, colour), seed=row)
    database = tmp_path / "gallery.db"
    words = ("enroll", "eva", "--cropped", "--encoder", "anime-lite")
    assert call(*words, cwd=tmp_path, database=database).code == 0
    listed = call("series", "--json", cwd=tmp_path, database=database)
    assert listed.stdout == ""
    # Nothing is new: they belong to it all the same, but for the class that is turned away.
    assert call(*words, "--series", "Evangelion", cwd=tmp_path, database=database).code == 0
    listed = call("series", "--json", cwd=tmp_path, database=database)
    assert json.loads(listed.stdout) == {
        "series": "Evangelion",
        "characters": ["Asuka", "Kino", "Rei"],
    }
    refused = call(*words, "--series", " ", cwd=tmp_path, database=database)
    assert refused.code == 1
    assert "name" in refused.complaint
