"""What spoils a gallery in silence, typed as a newcomer types it, and what the commands say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command import ROOT, Done, call
from PIL import Image

pytestmark = pytest.mark.slow

CHARACTERS = ROOT / "data" / "characters"
SIX = ("Chloé Marchand", "Gen Kuroda", "Mio Tachibana", "Momo Ibuki", "Pim", "カエデ")


class Newcomer:
    """Somebody with a folder of pictures and a shell."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.pictures = home / "pictures"
        for name in SIX:
            shutil.copytree(CHARACTERS / name, self.pictures / name)

    def types(self, line: str, *words: str | Path) -> Done:
        """Type a command; words with spaces in them come behind it."""
        return call(*line.split(), *words, cwd=self.home, database=self.home / "gallery.db")


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    return Newcomer(tmp_path)


def test_two_folders_of_one_character_are_said_to_look_like_one(newcomer: Newcomer) -> None:
    # Somebody misspelt the name when new pictures came.
    for name in ("04.png", "05.png"):
        found = next((newcomer.pictures / "Pim").glob(f"{name[:2]}.*"))
        (newcomer.pictures / "Pimm").mkdir(exist_ok=True)
        found.rename(newcomer.pictures / "Pimm" / found.name)
    said = "Pim and Pimm look like one character; `gallery audit` says how to make one of them."
    enrolled = newcomer.types("enroll pictures")
    assert said in enrolled.stderr.splitlines()
    assert said not in newcomer.types("enroll pictures").stderr
    calibrated = newcomer.types("calibrate")
    assert said in calibrated.stderr.splitlines()
    newcomer.types("label pictures --out seen.jsonl")
    assert said in newcomer.types("relabel --out again.jsonl").stderr.splitlines()
    assert "gallery merge Pimm Pim" in newcomer.types("audit").stdout
    # Twins would be told apart by the samples that the proposal names.
    (merge,) = [
        one
        for one in map(json.loads, newcomer.types("audit --json").stdout.splitlines())
        if one["kind"] == "one in two"
    ]
    newcomer.types(f"audit --right {' '.join(map(str, merge['samples']))}")
    assert "gallery merge" not in newcomer.types("audit").stdout
    assert "look like one" not in newcomer.types("calibrate").stderr
    newcomer.types("undo")
    assert said in newcomer.types("calibrate").stderr.splitlines()
    newcomer.types("merge Pimm Pim")
    assert "look like one" not in newcomer.types("calibrate").stderr


def test_an_uncut_picture_beside_crops_is_refused(newcomer: Newcomer) -> None:
    """A frame slipped in among the crops, and another that is square."""
    crops = newcomer.home / "crops" / "Pim"
    crops.mkdir(parents=True)
    for path in sorted((newcomer.pictures / "Pim").iterdir())[:2]:
        with Image.open(path) as picture:
            picture.convert("RGB").resize((300, 300)).save(crops / f"{path.stem}.png")
    shot = next((ROOT / "data" / "screenshots").glob("02*.jpg"))
    shutil.copyfile(shot, crops / "frame.jpg")
    with Image.open(crops / "01.png") as picture:
        page = Image.new("RGB", (1000, 1000), "white")
        page.paste(picture, (350, 300))
        page.save(crops / "square.png")
    done = newcomer.types("enroll crops --cropped")
    assert done.code == 1
    refused = [line for line in done.stderr.splitlines() if line.startswith("refused: ")]
    assert len(refused) == 2
    assert any("and no square around a head; enroll it without --cropped" in one for one in refused)
    assert any("shows a head of" in one for one in refused)
    assert "2 added, 2 refused" in done.stderr
    assert newcomer.types("enroll crops --cropped").stderr.count("refused: ") == 2


def test_a_picture_without_a_face_says_how_to_cut_it_out(newcomer: Newcomer) -> None:
    Image.new("RGB", (400, 300), "white").save(newcomer.pictures / "Pim" / "none.png")
    assert (
        "none.png shows no face that the detector sees; save a square around the head in another "
        "folder, then `gallery enroll THAT --cropped`."
    ) in newcomer.types("enroll pictures").stderr


def test_folders_that_nobody_named_are_left_out(newcomer: Newcomer) -> None:
    for old, new in (("Pim", "unknown-001"), ("カエデ", "unknown-0012")):
        (newcomer.pictures / old).rename(newcomer.pictures / new)
    done = newcomer.types("enroll pictures")
    assert (
        "10 pictures in 2 folders still called unknown-NNN left out; give the folders the "
        "characters' names to have them taken in."
    ) in done.stderr
    assert "20 pictures of 4 characters: 20 added." in done.stderr
    assert "unknown" not in newcomer.types("characters").stdout


def test_pictures_with_boxes_do_not_come_back(newcomer: Newcomer) -> None:
    newcomer.types("enroll pictures")
    shots = newcomer.home / "shots"
    shots.mkdir()
    for name in ("01-school.jpg", "03-alone.jpg"):
        shutil.copyfile(ROOT / "data" / "screenshots" / name, shots / name)
    done = newcomer.types("identify shots/03-alone.jpg --annotate shots/boxes.png")
    assert done.code == 2
    assert "name it 03-alone.annotated.jpg" in " ".join(done.stderr.split())
    assert newcomer.types("identify shots --annotate shots").code == 0
    assert sorted(path.name for path in shots.iterdir()) == [
        "01-school.annotated.jpg", "01-school.jpg", "03-alone.annotated.jpg", "03-alone.jpg",
    ]  # fmt: skip
    done = newcomer.types("label shots --out seen.jsonl")
    assert "2 pictures with boxes drawn by gallery passed over." in done.stderr
    assert len((newcomer.home / "seen.jsonl").read_text().splitlines()) == 2
    assert newcomer.types("identify shots --json").stdout.count("annotated") == 0


def test_what_labelling_remembers_is_listed_and_forgotten(newcomer: Newcomer) -> None:
    newcomer.types("enroll pictures")
    newcomer.types("calibrate")
    newcomer.types("label pictures --out seen.jsonl")
    gone = newcomer.pictures / "Pim" / "01.jpg"
    gone.unlink()
    assert newcomer.types("seen").stderr == "30 files with 30 faces, 1 of them gone.\n"
    listed = newcomer.types("seen pictures/Pim --gone --json")
    (one,) = map(json.loads, listed.stdout.splitlines())
    assert (one["path"], one["faces"], one["is_gone"]) == (str(gone), 1, True)
    said = "1 file that is gone answered without joint scoring; --gone lets them take part"
    assert said in newcomer.types("relabel --out again.jsonl").stderr
    assert said not in newcomer.types("relabel --gone --out more.jsonl").stderr
    assert "--yes" in newcomer.types("forget --seen --gone").stderr
    done = newcomer.types("forget --seen --gone --yes")
    assert done.stderr == "Forgot 1 seen file with 1 face.\n"
    done = newcomer.types("forget --seen pictures/Pim pictures/カエデ --yes")
    assert done.stderr == "Forgot 9 seen files with 9 faces.\n"
    assert newcomer.types("seen").stderr == "20 files with 20 faces, 0 of them gone.\n"
    assert newcomer.types("seen nowhere").code == 1
    assert newcomer.types("forget --seen").code == 2
    assert newcomer.types("forget Pim --gone --yes").code == 2
    assert "Pim" in newcomer.types("characters").stdout


def test_a_change_that_makes_the_whole_worse_is_told(newcomer: Newcomer) -> None:
    newcomer.types("enroll pictures")
    assert "before" not in newcomer.types("calibrate --fpir 0.05").stderr
    newcomer.types("label pictures --out seen.jsonl")
    assert "before" not in newcomer.types("relabel --out first.jsonl").stderr
    # Everybody's pictures come into one folder.
    for number in (1, 6, 11, 16, 21):
        newcomer.types(f"move {number} {number + 1} --to", "カエデ")
    said = newcomer.types("calibrate --fpir 0.05").stderr
    assert "of the gallery's own faces are surely named, " in said
    assert "`gallery audit` shows which samples and characters may be wrong." in said
    assert "are surely named, " in newcomer.types("relabel --out second.jsonl").stderr
    # Once told, it is what there is.
    assert "are surely named, " not in newcomer.types("calibrate --fpir 0.05").stderr
    assert "are surely named, " not in newcomer.types("relabel --out third.jsonl").stderr


def test_a_renamed_folder_keeps_what_a_hand_moved(newcomer: Newcomer) -> None:
    newcomer.types("enroll pictures")
    newcomer.types("reject pictures/Pim/01.jpg カエデ")
    newcomer.types("move 1 --to", "Pim")
    (newcomer.pictures / "Chloé Marchand").rename(newcomer.pictures / "Chloe")
    said = newcomer.types("enroll pictures").stderr
    assert "Chloé Marchand is called Chloe now, since its folder is." in said
    assert "now Chloe: " not in said
    (newcomer.pictures / "カエデ").rename(newcomer.pictures / "Kaede")
    newcomer.types("enroll pictures")
    shown = newcomer.types("characters").stdout
    assert {" ".join(line.split()) for line in shown.splitlines()[1:]} >= {
        "Chloe 4",
        "Pim 6",
        "Kaede 5",
    }
    assert "Kaede" in newcomer.types("reject --list").stdout
    assert newcomer.types("reject --list").stdout.count("カエデ") == 0


def test_an_audit_listens(newcomer: Newcomer) -> None:
    newcomer.types("enroll pictures")
    # Somebody who looks like another is put where she belongs all the same.
    newcomer.types("move 6 --to", "Pim")
    doubted = newcomer.types("audit --json").stdout
    assert any(6 in json.loads(line)["samples"] for line in doubted.splitlines())
    done = newcomer.types("audit --right 6")
    assert done.stderr == "1 sample right as it is; `gallery undo` takes that back.\n"
    heard = newcomer.types("audit --json").stdout
    assert not any(json.loads(line)["samples"] == [6] for line in heard.splitlines())
    newcomer.types("undo")
    assert newcomer.types("audit --json").stdout == doubted
    assert "There is no sample 99" in newcomer.types("audit --right 99 1").stderr
    assert newcomer.types("audit --right").code == 2
    assert newcomer.types("audit 1").code == 2
    assert newcomer.types("audit --json").stdout == doubted


def test_an_enrolled_face_is_sure_of_itself(newcomer: Newcomer) -> None:
    newcomer.types("enroll pictures")
    picture = newcomer.pictures / "Gen Kuroda" / "01.png"
    picture = picture if picture.exists() else next(picture.parent.glob("01.*"))
    number = next(
        one["sample"]
        for one in map(json.loads, newcomer.types("show --json", "Gen Kuroda").stdout.splitlines())
        if one["path"].endswith(picture.name)
    )
    newcomer.types(f"move {number} --to", "Pim")
    newcomer.types("calibrate --fpir 0.0001")
    answer = json.loads(newcomer.types("identify --json", picture).stdout)["faces"][0]
    assert (answer["verdict"], answer["character"]) == ("sure", "Pim")
    assert (answer["probability"], answer["stranger"]) == (1.0, 0.0)
    assert "decided" not in answer or answer["decided"] is None
    # Another picture of the same face is judged as ever.
    other = sorted(picture.parent.iterdir())[1]
    copy = newcomer.home / "copy.png"
    with Image.open(other) as opened:
        opened.convert("RGB").resize((opened.width // 2, opened.height // 2)).save(copy)
    assert json.loads(newcomer.types("identify --json", copy).stdout)["faces"][0]["probability"] < 1
