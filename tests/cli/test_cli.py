"""The command line as a user meets it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from command import PROGRAM, Done, call, environment, run
from fakes import Square, write_picture
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as pillow
from typer.main import get_command

from gallery.cli import GLOBAL_FLAGS, GLOBAL_OPTIONS, app, hoist
from gallery.system.file_names import path_of

COLOURS = {
    "Red Rin": (220, 20, 20),
    "宮園 かをり": (20, 20, 220),
    "[bold]Élodie 🌸": (20, 220, 20),
}
NAMES = sorted(COLOURS)
COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]

FACE_KEYS = ["box", "score", "quality", "verdict", "character", "distance", "matches"]
QUALITY_KEYS = ["score", "size", "sharpness", "roll", "frontal", "cut"]
RECORD_KEYS = ["path", "width", "height", "encoder", "faces", "left_out", "error", "digest"]

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


def draw_album(folder: Path) -> Path:
    """Two pictures of each character, faces that fill them: what --cropped is for."""
    for name, colour in COLOURS.items():
        for number in range(2):
            square = Square(20 + number, 8, 100, colour)
            write_picture(folder / name / f"{number}.png", square, seed=number)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an album, enrolled in gallery.db; tests only read it."""
    folder = tmp_path_factory.mktemp("place")
    draw_album(folder / "album")
    done = call("enroll", "album", "--cropped", cwd=folder, database=folder / "gallery.db")
    assert done == Done(0, "", "6 pictures of 3 characters: 6 added.\n")
    return folder


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """Such a folder for a test that changes it."""
    draw_album(tmp_path / "album")
    assert ask(tmp_path, "enroll", "album", "--cropped").code == 0
    return tmp_path


def ask(folder: Path, *words: str | Path) -> Done:
    """Run a command here on a folder's gallery."""
    return call(*words, cwd=folder, database=folder / "gallery.db")


def lines(done: Done) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


class TestIdentify:
    def test_json_is_an_object_a_picture_and_nothing_else(self, place: Path) -> None:
        done = run(
            "identify", "album", "album/Red Rin/0.png", "--cropped", "--json", "--top", "2",
            cwd=place, database=place / "gallery.db",
        )  # fmt: skip
        assert (done.code, done.stderr) == (0, "")
        records = lines(done)
        paths = [str(Path("album", name, f"{number}.png")) for name in NAMES for number in (0, 1)]
        assert sorted(str(record["path"]) for record in records) == sorted(paths)
        for record in records:
            assert list(record) == RECORD_KEYS
            assert (record["width"], record["height"], record["error"]) == (160, 120, None)
            assert str(record["encoder"]).startswith("fused-")
            (face,) = record["faces"]
            assert list(face) == FACE_KEYS
            assert face["box"] == [0, 0, 160, 120]
            assert list(face["quality"]) == QUALITY_KEYS
            assert (face["quality"]["size"], face["quality"]["roll"]) == (120, None)
            assert record["left_out"] == 0
            assert face["verdict"] == "sure"
            assert face["character"] == Path(str(record["path"])).parent.name
            assert face["distance"] == face["matches"][0]["distance"]
            assert [list(match) for match in face["matches"]] == [["character", "distance"]] * 2

    def test_a_stranger_is_null(self, place: Path) -> None:
        stranger = Path(__file__).parents[2] / "data" / "characters" / "Pim" / "01.jpg"
        done = ask(place, "identify", stranger, "--cropped", "--json")
        (face,) = lines(done)[0]["faces"]
        assert (face["verdict"], face["character"]) == ("unknown", None)
        assert face["distance"] > 0
        assert len(face["matches"]) == 3

    def test_a_table_is_never_folded_where_it_is_no_terminal(self, place: Path) -> None:
        done = ask(place, "identify", "album/Red Rin", "--cropped")
        first, heading, row, *_ = done.stdout.splitlines()
        assert first == f"{Path('album', 'Red Rin', '0.png')}: 1 face"
        assert heading.split() == ["character", "verdict", "distance", "nearest", "box"]
        assert row.startswith("   Red Rin")
        assert all(name in row for name in NAMES)
        assert row.endswith("0,0,160,120")

    def test_what_cannot_be_read_does_not_stop_the_rest(self, place: Path, tmp_path: Path) -> None:
        (tmp_path / "text.png").write_text("no picture")
        (tmp_path / "empty").mkdir()
        words: list[str | Path] = [
            "missing.png",
            tmp_path / "text.png",
            tmp_path / "empty",
            "album/Red Rin/0.png",
        ]
        done = ask(place, "identify", *words, "--cropped", "--json")
        assert (done.code, done.stderr) == (1, "")
        records = {Path(str(record["path"])).name: record for record in lines(done)}
        assert len(records) == 4
        for name, why in {
            "missing.png": "does not exist",
            "text.png": "is not a picture",
            "empty": "holds no picture",
        }.items():
            assert why in str(records[name]["error"])
            assert (records[name]["faces"], records[name]["width"]) == ([], None)
        assert records["0.png"]["error"] is None

        done = ask(place, "identify", *words, "--cropped")
        assert done.code == 1
        assert "Red Rin" in done.stdout
        assert done.stderr.count("gallery: ") == 3

    def test_no_path_that_is_one_is_one_complaint(self, place: Path) -> None:
        done = ask(place, "identify", "missing.png")
        assert (done.code, done.complaint) == (1, "missing.png does not exist.")

    def test_every_way_to_match_names_everybody(self, place: Path) -> None:
        for mode in ("ideal", "best", "nearest", "vote"):
            done = ask(place, "identify", "album", "--cropped", "--json", "--match", mode)
            for record in lines(done):
                assert record["faces"][0]["character"] == Path(str(record["path"])).parent.name

    def test_an_empty_gallery_knows_nobody(self, fresh: Path) -> None:
        for name in NAMES:
            assert ask(fresh, "forget", name, "--yes").code == 0
        assert ask(fresh, "characters").stdout == ""
        assert "Nobody" in ask(fresh, "characters").stderr
        done = ask(fresh, "identify", "album", "--cropped", "--json")
        assert done.code == 0
        assert {record["faces"][0]["distance"] for record in lines(done)} == {None}


class TestAnnotate:
    def test_one_picture_goes_to_the_file_named(self, place: Path, tmp_path: Path) -> None:
        source = place / "album" / "Red Rin" / "0.png"
        before = source.read_bytes()
        for name in ("out.png", "out.jpg", "new/out.webp"):
            done = ask(place, "identify", source, "--cropped", "--annotate", tmp_path / name)
            assert (done.code, done.stderr) == (0, f"{tmp_path / name}\n")
            with pillow.open(tmp_path / name) as picture:
                assert picture.size == (160, 120)
        assert source.read_bytes() == before

    def test_several_go_into_a_folder_and_none_is_lost(self, fresh: Path) -> None:
        words = ["album/Red Rin", "album/宮園 かをり", "album/Red Rin/0.png"]
        done = ask(fresh, "identify", *words, "--cropped", "--annotate", "out")
        assert done.code == 0
        assert sorted(path.name for path in (fresh / "out").iterdir()) == [
            "0-2.annotated.png", "0.annotated.png", "1-2.annotated.png", "1.annotated.png",
        ]  # fmt: skip
        assert ask(fresh, "identify", "album", "--cropped", "--annotate", "all").code == 0
        assert len(list((fresh / "all").glob("*/*.png"))) == 6

    def test_one_picture_goes_into_a_folder_that_has_no_suffix(self, fresh: Path) -> None:
        words = ("identify", "album/Red Rin/0.png", "--cropped", "--annotate", "folder")
        assert ask(fresh, *words).code == 0
        assert (fresh / "folder" / "0.annotated.png").is_file()

    def test_a_picture_never_replaces_itself(self, fresh: Path) -> None:
        source = fresh / "album" / "Red Rin" / "0.png"
        os.link(source, fresh / "link.png")
        before = source.read_bytes()
        for target in (source, fresh / "link.png"):
            done = ask(fresh, "identify", source, "--cropped", "--annotate", target)
            assert done.code == 1
            assert "is the picture itself" in done.complaint
            assert "Red Rin" in done.stdout
        assert source.read_bytes() == before

    def test_what_cannot_be_written_takes_no_answer_away(self, fresh: Path) -> None:
        (fresh / "file").write_text("in the way")
        words = ("identify", "album/Red Rin/0.png", "--cropped", "--json")
        done = ask(fresh, *words, "--annotate", "file/out.png")
        assert done.code == 1
        assert "cannot be written" in done.complaint
        assert lines(done)[0]["error"] is None

    def test_a_suffix_that_is_no_picture_is_refused_before_any_work(self, place: Path) -> None:
        done = ask(place, "identify", "album/Red Rin/0.png", "--annotate", "out.gif")
        assert (done.code, done.stdout) == (1, "")
        assert ".png, .jpg, .jpeg, .webp" in done.complaint
        done = ask(place, "identify", "album", "--annotate", "out.png")
        assert (done.code, done.stdout) == (2, "")
        assert "name a folder" in done.stderr


class TestLabel:
    def test_it_goes_on_where_it_was(self, fresh: Path) -> None:
        first = ask(fresh, "label", "album/Red Rin", "--cropped", "--out", "out.jsonl")
        assert first.code == 0
        assert "2 pictures with 2 faces: 2 sure" in first.stderr
        written = (fresh / "out.jsonl").read_bytes()
        second = ask(fresh, "label", fresh / "album", "--cropped", "--out", "out.jsonl")
        assert "2 pictures in out.jsonl already." in second.stderr
        assert "4 pictures with 4 faces" in second.stderr
        assert (fresh / "out.jsonl").read_bytes().startswith(written)
        third = ask(fresh, "label", "album", "--cropped", "--out", "out.jsonl")
        assert third == Done(0, "", "6 pictures in out.jsonl already.\n")
        shown = ask(fresh, "identify", "album", "--cropped", "--json")
        faces = [record["faces"] for record in lines(shown)]
        records = [json.loads(line) for line in text_of(fresh / "out.jsonl").splitlines()]
        assert sorted(map(str, faces)) == sorted(str(record["faces"]) for record in records)

    def test_a_table_has_a_row_a_face(self, fresh: Path) -> None:
        assert ask(fresh, "label", "album", "--cropped", "--out", "out.csv").code == 0
        heading, *rows = (fresh / "out.csv").read_text(encoding="utf-8-sig").splitlines()
        assert heading.startswith("path,width,height,encoder,faces,face,left,top")
        assert len(rows) == 6
        assert sum(",sure,Red Rin," in row for row in rows) == 2

    def test_an_unreadable_picture_has_a_record(self, fresh: Path) -> None:
        (fresh / "album" / "Red Rin" / "bad.png").write_bytes(b"")
        words = ("label", "album", "missing.png", "--cropped", "--out", "out.jsonl")
        done = ask(fresh, *words)
        assert done.code == 1
        assert "gallery: missing.png does not exist." in done.stderr
        assert "1 could not be read" in done.stderr
        records = [json.loads(line) for line in text_of(fresh / "out.jsonl").splitlines()]
        assert len(records) == 7
        (bad,) = [record for record in records if record["error"]]
        assert "is empty" in bad["error"]

    def test_other_files_are_not_touched(self, fresh: Path) -> None:
        (fresh / "notes.jsonl").write_text('{"mine": 1}\n')
        (fresh / "table.csv").write_text("a,b\n1,2\n")
        for name, words in {
            "notes.jsonl": "something other than records",
            "table.csv": "not a table that gallery wrote",
            "album/Red Rin/0.png": ".jsonl, .csv",
        }.items():
            before = (fresh / name).read_bytes()
            done = ask(fresh, "label", "album", "--cropped", "--out", name)
            assert done.code == 1
            assert words in done.complaint
            assert (fresh / name).read_bytes() == before


class TestCompareAndDescribe:
    def test_compare_says_how_far_apart(self, place: Path) -> None:
        pair = ("album/Red Rin/0.png", "album/Red Rin/1.png", "--cropped", "--encoder", "human")
        done = ask(place, "compare", *pair, "--threshold", "0.6")
        assert re.fullmatch(r"0\.\d{3} <= 0\.6: the same character\n", done.stdout)
        assert done.stderr == ""
        done = ask(place, "compare", *pair, "--threshold", "0", "--json")
        (values,) = lines(done)
        assert list(values) == ["distance", "threshold", "same"]
        assert values["same"] is False
        done = ask(place, "compare", *pair)
        assert done.stdout.endswith(" <= 0.6: the same character\n")
        assert "the encoder human is itself sure up to" in done.stderr.lower()

    def test_describe_writes_arrays(self, fresh: Path) -> None:
        words = ("describe", "album", "missing.png", "--cropped", "--out", "faces.npz")
        done = ask(fresh, *words, "--json")
        assert done.code == 1
        shown = lines(done)
        assert [list(face) for face in shown] == [["path", "box", "score", "quality"]] * 6
        assert list(shown[0]["quality"]) == QUALITY_KEYS
        assert done.stderr.endswith("6 faces of 6 pictures: faces.npz\n")
        with np.load(fresh / "faces.npz", allow_pickle=False) as faces:
            assert sorted(faces) == ["box", "descriptor", "encoder", "path", "quality", "score"]
            assert faces["quality"].shape == (6, 6)
            assert faces["quality"][:, 1].tolist() == [120] * 6
            assert np.isnan(faces["quality"][:, 3]).all()
            assert faces["descriptor"].shape == (6, 128)
            assert faces["descriptor"].dtype == np.float32
            assert faces["box"].tolist() == [[0, 0, 160, 120]] * 6
            assert str(faces["encoder"]).startswith("fused-")
            assert "かをり" in faces["path"].tolist()[-1]

    def test_a_wrong_output_is_refused_before_any_work(self, place: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        (tmp_path / "folder.npz").mkdir()
        for name, words in {
            "faces.txt": "does not end in .npz",
            "folder.npz": "is a folder",
            "file/faces.npz": "cannot be written",
        }.items():
            done = ask(place, "describe", "missing.png", "--out", tmp_path / name)
            assert done.code == 1
            assert words in done.complaint


class TestLookingAfter:
    def test_characters_and_show(self, place: Path, tmp_path: Path) -> None:
        done = ask(place, "characters")
        rows = [re.split(r"  +", line) for line in done.stdout.splitlines()]
        assert rows == [["character", "samples"], *([name, "2"] for name in NAMES)]
        assert lines(ask(place, "characters", "--json")) == [
            {"character": name, "samples": 2, "poor": 0, "reject": False, "series": None}
            for name in NAMES
        ]
        for name in NAMES:
            samples = lines(ask(place, "show", name, "--json"))
            assert [sample["character"] for sample in samples] == [name, name]
            assert sorted(bool(sample["best"]) for sample in samples) == [False, True]
            assert samples[0]["distance"] <= samples[1]["distance"]
        done = ask(place, "show", NAMES[0], "--sheet", tmp_path / "シート.png")
        assert done.code == 0
        assert NAMES[0] in done.stdout
        with pillow.open(tmp_path / "シート.png") as sheet:
            assert sheet.size == (324, 188)

    def test_a_name_is_found_however_it_is_composed(self, place: Path) -> None:
        name = "[bold]Élodie 🌸"
        done = ask(place, "show", unicodedata.normalize("NFD", name), "--json")
        assert lines(done)[0]["character"] == name

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("RED", "Red Rin"),
            ("Red Rim", "Red Rin"),
            ("宮園", "宮園 かをり"),
        ],
    )
    def test_a_name_nobody_has_brings_suggestions(
        self, place: Path, typed: str, meant: str
    ) -> None:
        for words in (("show", typed), ("rename", typed, "X"), ("merge", typed, NAMES[0])):
            done = ask(place, *words)
            assert done.code == 1
            assert f"called {typed}; did you mean {meant}" in done.complaint
        done = ask(place, "show", "quite else")
        assert "`gallery characters` lists them" in done.complaint

    def test_case_and_width_of_a_name_do_not_matter(self, place: Path) -> None:
        shown = ask(place, "show", "Red Rin", "--json")
        for typed in ("red rin", "ＲＥＤ　Ｒｉｎ"):
            assert ask(place, "show", typed, "--json").stdout == shown.stdout != ""

    def test_rename_merge_and_move(self, fresh: Path) -> None:
        done = ask(fresh, "rename", "Red Rin", " 凛 ")
        assert done == Done(0, "", "Red Rin is called 凛 now.\n")
        assert ask(fresh, "rename", "凛", "宮園 かをり").complaint == (
            "宮園 かをり exists already; `gallery merge '凛' '宮園 かをり'` makes them one."
        )
        again = ask(fresh, "enroll", "album", "--cropped")
        assert again == Done(0, "", "6 pictures of 3 characters: 6 unchanged.\n")
        done = ask(fresh, "merge", "凛", "宮園 かをり")
        assert done == Done(0, "", "凛 with 2 samples is part of 宮園 かをり now.\n")
        samples = lines(ask(fresh, "show", "宮園 かをり", "--json"))
        assert len(samples) == 4
        first = str(samples[0]["sample"])
        done = ask(fresh, "move", first, first, "--to", "Neu")
        assert done.complaint == (
            "No character is called Neu; `gallery characters` lists them. Or make one with --new."
        )
        assert ask(fresh, "move", first, first, "--to", "Neu", "--new").code == 0
        assert len(lines(ask(fresh, "show", "Neu", "--json"))) == 1
        assert "no sample 999" in ask(fresh, "move", "999", "--to", "Neu").complaint

    @pytest.mark.parametrize("name", ["a\nb", "a\tb", "\x1b[31m", "", "  ", "x" * 201])
    def test_names_that_would_break_a_line_are_refused(self, place: Path, name: str) -> None:
        done = ask(place, "rename", "Red Rin", name)
        assert done.code == 1
        assert "name" in done.complaint
        assert "\x1b" not in done.stderr

    def test_forgetting_is_asked_for(self, fresh: Path) -> None:
        done = ask(fresh, "forget", "Red Rin")
        assert (done.code, done.complaint) == (
            1,
            "Forget Red Rin with 2 samples? Say so with --yes.",
        )
        assert len(lines(ask(fresh, "characters", "--json"))) == 3
        for words in ((), ("Red Rin", "--sample", "1")):
            assert ask(fresh, "forget", *words).code == 2
        sample = str(lines(ask(fresh, "show", "Red Rin", "--json"))[0]["sample"])
        done = ask(fresh, "forget", "--sample", sample, "--sample", sample, "--yes")
        assert done == Done(0, "", "Forgot 1 sample.\n")
        done = ask(fresh, "forget", "Red Rin", "--yes")
        assert done == Done(0, "", "Forgot Red Rin with 1 sample.\n")
        assert len(list((fresh / "album" / "Red Rin").iterdir())) == 2

    def test_what_was_forgotten_can_be_enrolled_again(self, fresh: Path) -> None:
        assert ask(fresh, "forget", "Red Rin", "--yes").code == 0
        done = ask(fresh, "enroll", "album", "--cropped", "--again", "--json")
        (counts,) = lines(done)
        assert (counts["characters"], counts["added"], counts["unchanged"]) == (3, 2, 4)
        assert counts["refused"] == []

    def test_reencode_needs_no_pictures(self, fresh: Path) -> None:
        for path in (fresh / "album").glob("*/*.png"):
            path.unlink()
        assert "0 samples encoded" in ask(fresh, "reencode").stderr
        assert "6 samples encoded by fused-" in ask(fresh, "reencode", "--all").stderr

    def test_a_back_up_put_in_place_is_the_gallery(self, fresh: Path) -> None:
        assert ask(fresh, "backup", "copy.db") == Done(0, "", "copy.db\n")
        assert ask(fresh, "forget", "Red Rin", "--yes").code == 0
        done = ask(fresh, "restore", "copy.db")
        assert done.code == 0
        (first, second) = done.stderr.splitlines()
        assert first.endswith("gallery.db is copy.db now: 3 characters, 6 samples.")
        kept = Path(second.removeprefix("What it replaces is ").removesuffix("."))
        assert len(lines(ask(fresh, "characters", "--json"))) == 3
        assert len(lines(ask(fresh, "--database", str(kept), "characters", "--json"))) == 2
        done = ask(fresh, "identify", "album/Red Rin/0.png", "--cropped", "--json")
        assert lines(done)[0]["faces"][0]["character"] == "Red Rin"

    def test_a_damaged_database_leads_to_a_back_up(self, fresh: Path) -> None:
        assert ask(fresh, "backup", "copy.db").code == 0
        content = bytearray((fresh / "gallery.db").read_bytes())
        content[8192:40000] = bytes(40000 - 8192)
        (fresh / "gallery.db").write_bytes(content)
        done = ask(fresh, "doctor")
        assert done.code == 1
        assert "`gallery restore FILE` puts a back-up in its place" in done.stdout
        assert ask(fresh, "restore", "copy.db").code == 0
        assert len(lines(ask(fresh, "characters", "--json"))) == 3

    def test_what_is_no_back_up_is_refused_with_the_cure(self, fresh: Path) -> None:
        assert ask(fresh, "export", "whole.zip").code == 0
        done = ask(fresh, "restore", "whole.zip")
        assert done.code == 1
        assert done.complaint.endswith(
            "whole.zip is no back-up of a gallery; `gallery backup` writes one, and `gallery "
            "import` takes an export."
        )


def blur(path: Path) -> Path:
    """Make a picture one on which nobody can be told."""
    with pillow.open(path) as picture:
        small = picture.resize((8, 6), pillow.Resampling.BOX)
    small.resize((160, 120), pillow.Resampling.BICUBIC).save(path)
    return path


class TestQuality:
    def test_poor_faces_are_marked_and_left_out_until_they_are_to_count(
        self, tmp_path: Path
    ) -> None:
        draw_album(tmp_path / "album")
        blur(tmp_path / "album" / "Red Rin" / "0.png")
        for number in range(2):
            blur(tmp_path / "album" / NAMES[-1] / f"{number}.png")
        done = ask(tmp_path, "enroll", "album", "--cropped")
        first, second, third = done.stderr.splitlines()
        assert done.code == 0
        assert first == "6 pictures of 3 characters: 6 added."
        assert second.startswith("3 poor faces marked and left out of ideals")
        assert third == f"{NAMES[-1]} has poor faces alone; its ideal is made of these."
        assert ask(tmp_path, "enroll", "album", "--cropped").stderr == (
            "6 pictures of 3 characters: 6 unchanged.\n"
        )
        best, poor = lines(ask(tmp_path, "show", "Red Rin", "--json"))
        assert (best["best"], best["poor"], best["distance"]) == (True, False, 0)
        assert (poor["best"], poor["poor"]) == (False, True)
        assert poor["quality"]["score"] < 0.2 < best["quality"]["score"]
        shown = ask(tmp_path, "show", "Red Rin")
        assert shown.stderr == ""
        assert [line.split()[3] for line in shown.stdout.splitlines()[1:]] == ["best", "poor"]
        assert "poor faces alone" in ask(tmp_path, "show", NAMES[-1]).stderr
        assert ask(tmp_path, "characters").stdout.count("poor faces alone") == 1

        done = ask(tmp_path, "enroll", "album", "--cropped", "--keep-poor", "--json")
        (counts,) = lines(done)
        assert (counts["unchanged"], counts["kept"], counts["poor"]) == (3, 3, 0)
        samples = lines(ask(tmp_path, "show", "Red Rin", "--json"))
        assert [one["poor"] for one in samples] == [False, False]
        assert samples[0]["distance"] == pytest.approx(samples[1]["distance"], abs=1e-5)
        assert samples[0]["distance"] > 0

    def test_faces_below_a_gate_are_left_out_and_counted(self, place: Path, tmp_path: Path) -> None:
        words = ("identify", "album/Red Rin/0.png", "--cropped")
        done = ask(place, *words, "--json", "--min-face", "121")
        (record,) = lines(done)
        assert (done.code, record["faces"], record["left_out"]) == (0, [], 1)
        assert len(lines(ask(place, *words, "--json", "--min-face", "120"))[0]["faces"]) == 1
        done = ask(place, *words, "--min-quality", "1")
        assert done.stdout == f"{Path('album', 'Red Rin', '0.png')}: 0 faces, 1 left out\n"
        out = tmp_path / "out.csv"
        done = ask(place, "label", "album", "--cropped", "--out", out, "--min-face", "121")
        assert "6 faces left out" in done.stderr
        assert "6 pictures with 0 faces" in done.stderr

    def test_enrolling_refuses_what_is_below_a_gate_and_tries_again_without(
        self, tmp_path: Path
    ) -> None:
        draw_album(tmp_path / "album")
        done = ask(tmp_path, "enroll", "album", "--cropped", "--min-face", "121")
        assert done.code == 1
        assert done.stderr.count("shows no face of at least 121 pixels") == 6
        assert done.stderr.count("or ask for less than --min-face 121.") == 6
        done = ask(tmp_path, "enroll", "album", "--cropped")
        assert done == Done(0, "", "6 pictures of 3 characters: 6 added.\n")


class TestArguments:
    def test_help_is_there_for_everything(self, place: Path) -> None:
        done = run("--help", cwd=place)
        assert (done.code, done.stderr) == (0, "")
        assert done.stdout.startswith("Usage: gallery ")
        for name in COMMANDS:
            assert re.search(rf"^  {name} +[A-Z]", done.stdout, re.MULTILINE), name
        for name in COMMANDS:
            shown = ask(place, name, "-h")
            assert (shown.code, shown.stderr) == (0, "")
            assert shown.stdout.startswith(f"Usage: gallery {name} ")
            assert max(map(len, shown.stdout.splitlines())) <= 80
            # Dots behind capitals say that there may be several.
            assert "..." not in re.sub(r"(?<=[A-Z}\]])\.\.\.", "", shown.stdout)

    def test_nothing_at_all_is_help(self, place: Path) -> None:
        done = call(cwd=place, database=place / "gallery.db")
        assert done.code == 2
        assert "Usage: gallery" in done.stderr
        assert re.fullmatch(r"gallery \d+\.\d+.*\n", call("--version", cwd=place).stdout)

    @pytest.mark.parametrize(
        "words",
        [
            ["nonsense"],
            ["identify"],
            ["identify", "x.png", "--nonsense"],
            ["identify", "x.png", "--top", "0"],
            ["identify", "x.png", "--top", "many"],
            ["identify", "x.png", "--match", "luck"],
            ["identify", "x.png", "--min-face", "-1"],
            ["label", "x.png", "--out", "x.csv", "--min-quality", "1.1"],
            ["identify", "x.png", "--detector"],
            ["label", "x.png"],
            ["describe", "x.png"],
            ["compare", "x.png"],
            ["compare", "x.png", "y.png", "--threshold", "-1"],
            ["characters", "--head-scale", "9"],
            ["move", "one", "--to", "X"],
            ["show"],
        ],
        ids=" ".join,
    )
    def test_wrong_use_is_2(self, place: Path, words: list[str]) -> None:
        done = ask(place, *words)
        assert (done.code, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
        assert "Error" in done.stderr

    def test_global_options_stand_anywhere(self, place: Path, tmp_path: Path) -> None:
        database = str(place / "gallery.db")
        for words in (
            ["--database", database, "characters", "--json"],
            ["characters", "--database", database, "--json"],
            ["characters", "--json", f"--database={database}"],
            ["characters", "--json", "--database", f"sqlite:///{database}"],
        ):
            done = call(*words, cwd=tmp_path, database=tmp_path / "other.db")
            assert len(lines(done)) == 3
        done = call("characters", cwd=tmp_path, database=tmp_path / "other.db")
        assert "There is no gallery at" in done.complaint

    def test_after_two_dashes_everything_is_a_name(self, fresh: Path) -> None:
        source = fresh / "album" / "Red Rin" / "0.png"
        for name in ("-x.png", "--detector"):
            source.replace(fresh / name)
            source = fresh / name
            done = ask(fresh, "identify", "--cropped", "--json", "--", name)
            assert [record["path"] for record in lines(done)] == [name]
        done = ask(fresh, "rename", "Red Rin", "--", "--database")
        assert done == Done(0, "", "Red Rin is called --database now.\n")

    @given(
        st.lists(
            st.sampled_from(["identify", "--json", "--", "--x", *GLOBAL_FLAGS, *GLOBAL_OPTIONS])
        )
    )
    def test_hoisting_loses_nothing(self, words: list[str]) -> None:
        # Numbered, so that every word can be told from the others.
        words = [f"{word}={n}" if word == "--x" else word for n, word in enumerate(words)]
        try:
            front, rest = hoist(words)
        except typer.BadParameter:
            assert words[-1] in GLOBAL_OPTIONS
            return
        assert sorted(front + rest) == sorted(words)
        values = iter(front)
        names = {one if one in GLOBAL_FLAGS else (one, next(values))[0] for one in values}
        assert names <= {*GLOBAL_FLAGS, *GLOBAL_OPTIONS}
        numbered = [word for word in words if word.startswith("--x") and word in rest]
        assert [word for word in rest if word.startswith("--x")] == numbered
        before = rest[: rest.index("--")] if "--" in rest else rest
        assert not set(before) & {*GLOBAL_FLAGS, *GLOBAL_OPTIONS}

    @pytest.mark.parametrize(
        ("words", "what"),
        [
            (["--encoder", "nothing"], "no network named 'nothing'"),
            (["--encoder", "original"], "`gallery models fetch original`"),
            (["--detector", "nothing"], "choose heads, animeface, whole or the path"),
            (["--detector", "missing.onnx"], "does not exist"),
            (["--runtime", "nothing"], "choose onnx or dlib"),
            (["--database", "mysql://host/name"], "not supported"),
            (["--database", "folder"], "is a folder"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_choices_that_are_none(self, place: Path, words: list[str], what: str) -> None:
        (place / "folder").mkdir(exist_ok=True)
        extra = [] if words[0] == "--detector" else ["--cropped"]
        done = ask(place, "identify", "album/Red Rin/0.png", *extra, *words)
        assert (done.code, done.stdout) == (1, "")
        assert what in done.complaint


class TestStreams:
    @posix
    def test_a_reader_that_leaves_is_no_error_to_see(self, place: Path) -> None:
        command = subprocess.Popen(
            [*PROGRAM, "identify", "--cropped", "--json", *["album"] * 3],
            cwd=place,
            env=environment(place / "gallery.db"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.close()
        assert command.stderr.read() == b""
        command.stderr.close()
        assert command.wait() == 1

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
    @pytest.mark.parametrize("words", [("characters",), ("identify", "album", "--cropped")])
    def test_a_full_disk_behind_standard_output_is_said(
        self, place: Path, words: tuple[str, ...]
    ) -> None:
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*PROGRAM, *words],
                cwd=place,
                env=environment(place / "gallery.db"),
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 1
        reason = os.strerror(errno.ENOSPC)
        assert done.stderr == f"gallery: Standard output cannot be read or written: {reason}.\n"

    @posix
    def test_streams_may_be_closed(self, place: Path) -> None:
        done = subprocess.run(
            ["/bin/sh", "-c", 'exec "$@" >&- 2>&-', "sh", *PROGRAM, "characters"],
            env=environment(place / "gallery.db"),
            cwd=place,
            check=False,
        )
        assert done.returncode == 0

    @posix
    def test_progress_is_for_terminals_and_answers_for_pipes(self, place: Path) -> None:
        import pty

        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [*PROGRAM, "identify", "album", "--cropped", "--json"],
            cwd=place,
            env={**environment(place / "gallery.db"), "TERM": "xterm"},
            stdout=subprocess.PIPE,
            stderr=theirs,
        ) as command:
            os.close(theirs)
            shown = b""
            # A terminal whose other side has gone reads as an error on Linux.
            with contextlib.suppress(OSError):
                while some := os.read(ours, 65536):
                    shown += some
            os.close(ours)
            assert command.stdout is not None
            answers = command.stdout.read().decode("utf-8").splitlines()
        assert command.returncode == 0
        assert [json.loads(line)["error"] for line in answers] == [None] * 6
        assert "Identifying" in shown.decode("utf-8")
        assert "6/6" in shown.decode("utf-8")

    @posix
    def test_any_locale_takes_any_name(self, place: Path) -> None:
        plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
        done = run("characters", cwd=place, database=place / "gallery.db", extra=plain)
        assert done.code == 0
        assert all(name in done.stdout for name in NAMES)

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows such names")
    def test_file_names_that_are_no_text(self, fresh: Path) -> None:
        odd = os.fsdecode(b"odd\xff.png")
        (fresh / "album" / "Red Rin" / odd).write_bytes(
            (fresh / "album" / "Red Rin" / "0.png").read_bytes() + b"longer"
        )
        here = Path("album", "Red Rin", odd)
        done = ask(fresh, "identify", here, "--cropped", "--json")
        assert path_of(lines(done)[0]["path"]) == fresh.resolve() / here
        assert str(here) in ask(fresh, "identify", here, "--cropped").stdout
        for out in ("out.jsonl", "out.csv"):
            assert ask(fresh, "label", here, "--cropped", "--out", out).code == 0
            again = ask(fresh, "label", here, "--cropped", "--out", out)
            assert again == Done(0, "", f"1 picture in {out} already.\n")
        done = ask(fresh, "enroll", "album", "--cropped")
        assert done.code == 1
        assert "bytes in its name" in done.stderr
        assert "6 unchanged, 1 refused" in done.stderr


def test_enrolling_says_what_was_forgotten_and_what_was_replaced(tmp_path: Path) -> None:
    def enroll(*options: str) -> Done:
        place = tmp_path / "gallery.db"
        return call("enroll", "album", "--cropped", *options, cwd=tmp_path, database=place)

    album = draw_album(tmp_path / "album")
    enroll()
    forgotten = call(
        "forget", "--sample", "1", "--yes", cwd=tmp_path, database=tmp_path / "gallery.db"
    )
    assert forgotten.stderr == "Forgot 1 sample.\n"
    assert enroll().stderr == (
        "6 pictures of 3 characters: 5 unchanged, 1 forgotten.\n"
        "1 face that you forgot passed over; enrolling again with --again takes them in.\n"
    )
    assert json.loads(enroll("--json").stdout)["forgotten"] == 1
    assert enroll("--again").stderr == "6 pictures of 3 characters: 1 added, 5 unchanged.\n"
    path = write_picture(album / "Red Rin" / "1.png", Square(20, 8, 100, (220, 20, 90)), seed=9)
    said = enroll("--json")
    counted = json.loads(said.stdout)
    assert (counted["added"], counted["unchanged"], counted["retired"]) == (1, 5, 1)
    write_picture(path, Square(21, 8, 100, (220, 90, 20)), seed=10)
    first, *rest = enroll().stderr.splitlines()
    assert re.fullmatch(
        rf"gone: sample \d+ of Red Rin, since {re.escape(str(path))} holds another picture now\.",
        first,
    )
    assert rest[:2] == [
        "6 pictures of 3 characters: 1 added, 5 unchanged.",
        "1 sample gone, of files that hold other pictures now.",
    ]
