"""What a newcomer types in the first hour: names in any spelling, several pictures at once."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from command import ROOT, Done, call, run
from fakes import Square, write_picture

from gallery.cli import app, models
from gallery.cli.show import named_path

RED, BLUE, GREEN, PINK = (220, 20, 20), (20, 20, 220), (20, 200, 20), (230, 30, 200)
NICO = "Nico Robin"
CHARACTERS = ROOT / "data" / "characters"
JSON_LINES, TABLES = ("labels.jsonl", "again.jsonl"), ("labels.csv", "again.csv")


def draw_folder(folder: Path) -> None:
    """Draw Nami, red, and Nico Robin, blue, as folders; beside them greens that nobody knows."""
    for name, colour in (("Nami", RED), (NICO, BLUE)):
        for seed in range(2):
            write_picture(folder / "in" / name / f"{seed}.png", square(colour), seed=seed)
    for seed in range(4):
        write_picture(folder / "new" / f"{seed}.png", square(GREEN), seed=20 + seed)


def square(colour: tuple[int, int, int]) -> Square:
    return Square(10, 20, 60, colour)


class Terminal:
    """Types commands, on pictures that are faces as a whole unless a detector is named."""

    def __init__(self, folder: Path, detector: str = "whole") -> None:
        self.folder, self.database = folder, folder / "gallery.db"
        self._detector = detector

    def begins(self) -> None:
        self("enroll", "in")
        self("label", "new", "--out", "labels.jsonl")

    def __call__(self, *words: str, code: int = 0) -> Done:
        done = call("--detector", self._detector, *words, cwd=self.folder, database=self.database)
        assert done.code == code, done.stderr
        return done

    def samples(self) -> dict[str, int]:
        lines = self("characters", "--json").stdout.splitlines()
        return {one["character"]: one["samples"] for one in map(json.loads, lines)}

    def said(self, picture: str) -> tuple[str | None, str]:
        (face,) = json.loads(self("identify", picture, "--json").stdout)["faces"]
        return face["character"], face["verdict"]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Where a terminal that has begun lies, and what lay there then."""
    home = tmp_path_factory.mktemp("home")
    draw_folder(home)
    Terminal(home).begins()
    return home, shutil.copytree(home, tmp_path_factory.mktemp("begun"), dirs_exist_ok=True)


@pytest.fixture
def types(begun: tuple[Path, Path]) -> Terminal:
    """A terminal that has begun, in the same place in every test: the gallery knows its paths."""
    home, kept = begun
    shutil.rmtree(home)
    shutil.copytree(kept, home)
    return Terminal(home)


def test_who_has_no_gallery_is_told_how_to_begin(tmp_path: Path) -> None:
    for words in ((), ("--database", "mine.db")):
        greeted = call(*words, cwd=tmp_path, database=tmp_path / "none.db")
        assert (greeted.code, greeted.stderr) == (0, "")
        commands = re.findall(r"^  gallery (\w+) ", greeted.stdout, re.MULTILINE)
        assert commands == ["enroll", "identify", "label"]
        assert all(len(line) <= 100 for line in greeted.stdout.splitlines()[:-1])
    assert greeted.stdout.endswith("mine.db\n")
    assert list(tmp_path.iterdir()) == []


def test_names_are_typed_in_any_case_and_width(types: Terminal) -> None:
    assert "0.png" in types("show", "nami").stdout
    assert "0.png" in types("show", "ＮＡＭＩ").stdout
    types("name", "new/0.png", "nico robin", "--use")
    types("confirm", "new/1.png", "--as", "nami", "--new")
    types("adopt", "new/2.png", "NICO ROBIN")
    assert types.samples() == {"Nami": 2, NICO: 4}
    assert types.said("new/1.png") == ("Nami", "sure")


@pytest.mark.parametrize(
    "words",
    [
        ("name", "new/0.png", "nico"),
        ("confirm", "new/0.png", "--as", "nico"),
        ("move", "1", "--to", "nico"),
        ("adopt", "new/0.png", "Nico Robn"),
    ],
)
def test_a_name_that_is_spelt_like_another_asks_for_new(
    types: Terminal, words: tuple[str, ...]
) -> None:
    complaint = types(*words, code=1).complaint
    assert "did you mean Nico Robin?" in complaint
    assert "--new" in complaint
    types(*words, "--new")
    assert len(types.samples()) == 3


def test_a_name_that_nobody_has_is_new_to_adopt_alone(types: Terminal) -> None:
    types("adopt", "new/0.png", "Zoro")
    complaint = types("name", "new/1.png", "Usopp", code=1).complaint
    assert (
        complaint
        == "No character is called Usopp; `gallery characters` lists them. Or make one with --new."
    )
    types("name", "new/1.png", "Usopp", "--new")
    assert set(types.samples()) == {"Nami", NICO, "Zoro", "Usopp"}


def test_several_pictures_are_named_at_once_and_taken_in(types: Terminal) -> None:
    said = types("name", "new/0.png", "new/1.png", NICO)
    assert said.stderr == "Step 1: confirmed 2 as Nico Robin.\n"
    assert types.said("new/0.png") == (NICO, "sure")
    assert types.samples()[NICO] == 2
    said = types("name", "new/0.png", "new/2.png", NICO, "--use")
    assert "2 faces enrolled as Nico Robin." in said.stderr
    assert types.samples()[NICO] == 4
    types("undo", "1", code=1)
    (done,) = map(json.loads, types("name", "new/3.png", NICO, "--json").stdout.splitlines())
    assert (done["action"], done["faces"]) == ("confirm", 1)


def test_undoing_a_name_says_which_sample_stays(types: Terminal) -> None:
    types("name", "new/0.png", NICO, "--use")
    said = types("undo").stderr
    assert "1 face as before.\n" in said
    assert "Sample 5 of Nico Robin is such a face, and stays; `gallery forget --sample 5`" in said
    types("forget", "--sample", "5", "--yes")
    types("name", "new/0.png", NICO)
    assert "stays" not in types("undo").stderr


def test_undoing_a_new_name_takes_the_empty_character_back(types: Terminal) -> None:
    types("name", "new/0.png", "Zoro", "--new")
    assert types.samples()["Zoro"] == 0
    assert "Nobody is called Zoro any more" in types("undo").stderr
    assert "Zoro" not in types.samples()
    types("undo", "2")
    assert types.samples()["Zoro"] == 0
    assert types.said("new/0.png") == ("Zoro", "sure")
    types("undo")
    assert "Zoro" not in types.samples()


def test_a_new_name_stays_where_something_else_has_it(types: Terminal) -> None:
    types("name", "new/0.png", "Zoro", "--new")
    types("name", "new/1.png", "Zoro")
    assert "Nobody" not in types("undo").stderr
    types("adopt", "new/2.png", "Zoro")
    types("undo", "1")
    assert types.samples()["Zoro"] == 1
    types("name", "new/3.png", "Usopp", "--new", "--use")
    said = types("undo").stderr
    assert "of Usopp is such a face, and stays" in said
    assert "Usopp has no other sample; `gallery forget NAME` removes the character." in said
    types("move", "1", "2", "--to", NICO)
    types("name", "new/0.png", "Nami")
    types("undo")
    assert types.samples()["Nami"] == 0


def test_merging_drops_the_rejections_that_contradict_what_is_confirmed(types: Terminal) -> None:
    types("reject", "new/0.png", "new/1.png", "in/Nami/0.png", NICO)
    types("confirm", "new/0.png", "--as", "Nami")
    said = types("merge", NICO, "Nami").stderr
    assert "2 rejections dropped, since the faces are confirmed or enrolled as Nami.\n" in said
    assert said.endswith("1 face rejected as Nami, as before.\n")
    listed = [json.loads(line) for line in types("reject", "--list", "--json").stdout.splitlines()]
    assert [Path(one["path"]).name for one in listed] == ["1.png"]
    # Its neighbour is Nami as well, and is not nearly the same as a face that is not.
    assert types.said("new/0.png") == ("Nami", "sure")
    steps = [
        json.loads(line) for line in types("decisions", "--steps", "--json").stdout.splitlines()
    ]
    assert {one["title"] for one in steps[:2]} == {
        "took 1 rejection back",
        "enrolled 1 as Nami after all",
    }
    types("undo")
    states = [json.loads(line) for line in types("decisions", "--json").stdout.splitlines()]
    assert [(one["decided"], one["not"]) for one in states] == [
        ("confirmed", []),
        ("not_this", ["Nami"]),
    ]


def test_a_step_says_who_made_it_where_the_environment_names_nobody(
    types: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    types("name", "new/0.png", "Nami")
    (step,) = map(json.loads, types("decisions", "--steps", "--json").stdout.splitlines())
    assert step["who"] == (f"uid {os.getuid()}" if hasattr(os, "getuid") else "")
    monkeypatch.setenv("USER", "robin")
    types("name", "new/1.png", "Nami")
    step, _ = map(json.loads, types("decisions", "--steps", "--json").stdout.splitlines())
    assert step["who"] == "robin"


def test_naming_a_sample_of_somebody_else_moves_it_where_it_is_used(types: Terminal) -> None:
    said = types("name", "in/Nami/1.png", NICO)
    assert "of Nami is such a face; --use gives it to Nico Robin." in said.stderr
    assert types.samples() == {"Nami": 2, NICO: 2}
    said = types("name", "in/Nami/1.png", NICO, "--use")
    assert "0 faces enrolled as Nico Robin, 1 sample moved." in said.stderr
    assert types.samples() == {"Nami": 1, NICO: 3}
    types("enroll", "in")
    assert types.samples() == {"Nami": 1, NICO: 3}


def test_several_pictures_are_rejected_at_once(types: Terminal) -> None:
    said = types("reject", "new/0.png", "new/1.png", "nami")
    assert [line.partition(":")[0] for line in said.stderr.splitlines()] == [
        f"{types.folder / 'new' / name} is not Nami" for name in ("0.png", "1.png")
    ]
    listed = [json.loads(line) for line in types("reject", "--list", "--json").stdout.splitlines()]
    assert [one["character"] for one in listed] == ["Nami", "Nami"]
    (step,) = map(json.loads, types("decisions", "--steps", "--json").stdout.splitlines())
    assert step["title"] == "rejected Nami for 2"
    types("reject", "new/0.png", code=2)
    types("reject", "new/0.png", "new/1.png", "Nmai", code=1)


def test_a_face_is_named_by_its_place(types: Terminal) -> None:
    two = Square(10, 20, 60, GREEN), Square(90, 20, 50, PINK)
    write_picture(types.folder / "two.png", *two)
    box = "10,20,70,80"
    # Whole pictures are one face each, which such a small box is not.
    complaint = types("name", "two.png", "Nami", "--box", "0,0,20,20", code=1).complaint
    assert "shows no face that the detector sees at 0,0,20,20" in complaint
    said = types("name", "two.png", "Nami", "--box", "0,0,20,20", "--use")
    assert "1 face enrolled as Nami." in said.stderr
    outside = types("name", "two.png", "Nami", "--box", "900,900,990,990", "--use", code=1)
    assert "which lies outside it" in outside.complaint
    for wrong in ("1,2,3", "a,b,c,d", "30,0,10,20", "nan,0,10,20", "0,0,inf,inf"):
        types("name", "two.png", "Nami", "--box", wrong, code=2)
    types("name", "two.png", "new/0.png", "Nami", "--box", box, code=2)
    types("name", "two.png", "Nami", "--box", box, "--face", "1", code=2)
    types("name", "two.png", "", code=1)


def completed(words: str, place: int, folder: Path, shell: str = "bash") -> list[str]:
    asked = {
        "_GALLERY_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "\n".join(words.split(" ")),
        "COMP_CWORD": str(place),
    }
    said = run(cwd=folder, database=folder / "gallery.db", extra=asked).stdout
    return [line for line in said.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "place", "expected"),
    [
        ("gallery show na", 2, ["Nami"]),
        ("gallery show ｎ", 2, ["Nami", "Nico\\ Robin"]),
        ('gallery show "ni', 2, [NICO]),
        ("gallery name a.png nam", 3, ["Nami"]),
        ("gallery name a.png b.png nam", 4, ["Nami"]),
        ("gallery reject a.png nam", 3, ["Nami"]),
        ("gallery adopt 3 nam", 3, ["Nami"]),
        ("gallery confirm a.png --as nam", 4, ["Nami"]),
        ("gallery move 1 --to nam", 4, ["Nami"]),
        ("gallery merge nam", 2, ["Nami"]),
        ("gallery show xyz", 2, []),
    ],
)
def test_shells_complete_names(
    types: Terminal, words: str, place: int, expected: list[str]
) -> None:
    assert completed(words, place, types.folder) == expected


def test_completing_makes_nothing_where_there_is_no_gallery(tmp_path: Path) -> None:
    assert completed("gallery show na", 2, tmp_path) == []
    (tmp_path / "gallery.db").write_bytes(b"no database")
    assert completed("gallery show na", 2, tmp_path) == []
    assert [one.name for one in tmp_path.iterdir()] == ["gallery.db"]


EMPTY = (
    ("enroll", ""),
    ("identify", ""),
    ("label", "", "--out", "more.jsonl"),
    ("label", "new", "--out", ""),
    ("import", ""),
    ("restore", ""),
    ("backup", ""),
    ("seen", ""),
    ("forget", "--seen", "", "--yes"),
    ("cluster", "--out", ""),
    ("audit", "--report", ""),
    ("characters", "--database", ""),
)


@pytest.mark.parametrize("words", EMPTY)
def test_an_empty_path_is_wrong_use(types: Terminal, words: tuple[str, ...]) -> None:
    assert "An empty path names nothing" in types(*words, code=2).stderr


def test_no_command_takes_an_empty_path() -> None:
    # Paths are read by named_path, which refuses an empty one.
    for command in (*app.registered_commands, *models.app.registered_commands):
        assert command.callback is not None
        for name, hint in get_type_hints(command.callback, include_extras=True).items():
            kind, *given = get_args(hint) or (hint,)
            if "Path" in str(kind):
                assert given, name
                assert given[0].parser is named_path, name


@pytest.mark.parametrize(
    "words",
    [
        ("show", ""),
        ("rename", "Nami", ""),
        ("adopt", "new/0.png", ""),
        ("name", "new/0.png", "", "--new"),
        ("move", "1", "--to", "", "--new"),
    ],
)
def test_an_empty_name_is_refused(types: Terminal, words: tuple[str, ...]) -> None:
    assert types(*words, code=1).complaint == "A character's name cannot be empty."


def test_records_of_labelling_and_relabelling_have_the_same_paths(types: Terminal) -> None:
    types("label", "new", "--out", "labels.csv")
    types("relabel", "--out", "again.jsonl")
    types("relabel", "new", "--out", "again.csv")
    lines = [(types.folder / name).read_text(encoding="utf-8").splitlines() for name in JSON_LINES]
    first, again = ([json.loads(line)["path"] for line in some] for some in lines)
    assert first == again == [str(types.folder / "new" / f"{seed}.png") for seed in range(4)]
    texts = [(types.folder / name).read_text(encoding="utf-8-sig") for name in TABLES]
    rows = [[row["path"] for row in csv.DictReader(io.StringIO(text))] for text in texts]
    assert rows[0] == rows[1] == first


@pytest.mark.parametrize("share", ["5%", "0.05", "5 %", "0.05 "])
def test_a_share_is_typed_in_percent_or_as_a_number(types: Terminal, share: str) -> None:
    said = json.loads(types("calibrate", "--fpir", share, "--json").stdout)
    assert said["fpir"] == 0.05


@pytest.mark.parametrize("share", ["1", "50%", "0", "x", "", "%", "nan"])
def test_a_share_that_makes_no_sense_is_wrong_use(types: Terminal, share: str) -> None:
    assert "--fpir" in types("calibrate", "--fpir", share, code=2).stderr


def test_one_is_one_and_many_are_many(types: Terminal) -> None:
    assert types("split", "nami", "Zoro", "1").stderr == "1 sample of Nami is Zoro now.\n"
    complaint = types("name", "new/0.png", "Zoro", "--face", "2", code=1).complaint
    assert complaint.endswith("shows 1 face; there is no face 2.")


def test_labelling_says_that_you_decided_since(types: Terminal) -> None:
    assert "relabel" not in types("label", "new", "--out", "labels.jsonl").stderr
    types("reject", "new/0.png", "Nami")
    os.utime(types.folder / "labels.jsonl", (0, 0))
    said = types("label", "new", "--out", "labels.jsonl").stderr
    assert "You decided or calibrated since" in said
    assert "`gallery relabel` writes them anew." in said


def test_enrolling_says_that_labelled_pictures_may_be_answered_otherwise(types: Terminal) -> None:
    said = "answers may be others now; `gallery relabel` writes them anew."
    assert types("adopt", "new/0.png", "Zoro").stderr.count(said) == 1
    assert types("name", "new/1.png", "Zoro", "--use").stderr.count(said) == 1
    assert said not in types("name", "new/2.png", "Zoro").stderr
    write_picture(types.folder / "in" / "Usopp" / "0.png", square(PINK), seed=50)
    assert types("enroll", "in").stderr.count(said) == 1
    assert said not in types("enroll", "in").stderr
    types("forget", "--seen", "new", "--yes")
    write_picture(types.folder / "in" / "Usopp" / "1.png", square(PINK), seed=51)
    assert said not in types("enroll", "in").stderr


def test_relabelling_into_the_same_file_says_that_you_decided_since(types: Terminal) -> None:
    assert "decided" not in types("relabel", "--out", "better.jsonl").stderr
    assert "decided" not in types("relabel", "--out", "better.jsonl").stderr
    types("reject", "new/0.png", "Nami")
    os.utime(types.folder / "better.jsonl", (0, 0))
    said = types("relabel", "--out", "better.jsonl").stderr
    assert "You decided or calibrated since" in said
    assert "another --out has them." in said
    assert "decided" not in types("relabel", "--out", "best.jsonl").stderr


@pytest.fixture
def drawn(tmp_path: Path) -> Terminal:
    """Two drawn characters are enrolled; four pictures of a third are labelled."""
    for name in ("Mio Tachibana", "Rosa Delgado"):
        shutil.copytree(CHARACTERS / name, tmp_path / "in" / name)
    (tmp_path / "new").mkdir()
    for path in sorted((CHARACTERS / "Pim").iterdir())[:4]:
        shutil.copy(path, tmp_path / "new")
    terminal = Terminal(tmp_path, detector="heads")
    terminal.begins()
    return terminal


def test_a_cluster_is_adopted_by_the_numbers_that_are_shown(drawn: Terminal) -> None:
    (one,) = map(json.loads, drawn("cluster", "--json").stdout.splitlines())
    first, second, third, fourth = (face["face"] for face in one["faces"])
    assert f" {first},{second},{third},{fourth} " in drawn("cluster").stdout
    drawn("adopt", "1", "Pim", "--only", f"{first},face:{second}")
    assert drawn.samples()["Pim"] == 2
    said = drawn("adopt", "1", "pim", "--without", f"face:{third}").stderr
    assert f"face:{first} of " in said
    assert said.count("left out: it is enrolled as Pim.") == 2
    assert "1 face of cluster 1 enrolled as Pim, beside 2 there already." in said
    assert "no seen face 999" in drawn("adopt", "1", "Pim", "--only", "999", code=1).stderr
    drawn("adopt", "1", "Pim", "--only", "third", code=2)


def test_all_of_a_cluster_is_adopted_although_the_gallery_knows_it_by_now(drawn: Terminal) -> None:
    drawn("cluster")
    fifth = sorted((CHARACTERS / "Pim").iterdir())[4]
    (drawn.folder / "more" / "Pim").mkdir(parents=True)
    shutil.copy(fifth, drawn.folder / "more" / "Pim")
    drawn("enroll", "more")
    known = [drawn.said(f"new/{path.name}") for path in (drawn.folder / "new").iterdir()]
    assert ("Pim", "sure") in known
    said = drawn("adopt", "1", "pim").stderr
    assert "4 faces of cluster 1 enrolled as Pim, beside 1 there already." in said


def test_a_former_name_means_the_character_still(types: Terminal) -> None:
    types("rename", "Nami", "Cat Burglar")
    types("name", "new/0.png", "nami", "--use")
    types("adopt", "new/1.png", "Nami")
    types("confirm", "new/2.png", "--as", "NAMI", "--new")
    assert types.samples() == {"Cat Burglar": 4, NICO: 2}
    assert types.said("new/2.png") == ("Cat Burglar", "sure")
