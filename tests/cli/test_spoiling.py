"""What spoils a gallery in silence, typed as a newcomer types it, and what the commands say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command import ROOT, Done, call
from PIL import Image

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
        "characters' names to enroll them."
    ) in done.stderr
    assert "20 pictures of 4 characters: 20 added." in done.stderr
    assert "unknown" not in newcomer.types("characters").stdout


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
