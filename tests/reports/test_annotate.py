"""Pictures for people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as pillow
from PIL import ImageFont

from gallery.errors import InputError
from gallery.reports.annotate import (
    COLOURS,
    OUTPUT_SUFFIXES,
    annotate,
    caption,
    check_suffix,
    contact_sheet,
    load_font,
    save_picture,
)
from gallery.types import CROP_SIDE, Answer, Box, Face, Pixels, Verdict


def answer(
    *box: float, verdict: Verdict = Verdict.SURE, name: str | None = "宮園 かをり"
) -> Answer:
    distance = None if name is None else 0.256
    return Answer(Face(Box(*box), 0.9), verdict, name, distance, ())


def grey(width: int, height: int) -> Pixels:
    return np.full((height, width, 3), 90, np.uint8)


def changed(pixels: Pixels) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is no longer grey."""
    rows, columns = np.nonzero((pixels != 90).any(axis=2))
    return columns.min(), rows.min(), columns.max(), rows.max()


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_box_has_its_verdicts_colour(verdict: Verdict) -> None:
    before = grey(480, 360)
    drawn = annotate(before, [answer(100, 100, 300, 250, verdict=verdict)])
    assert drawn.shape == before.shape
    assert (before == 90).all()
    for row, column in ((100, 200), (250, 200), (175, 100), (175, 300)):
        assert tuple(drawn[row, column]) == COLOURS[verdict]
    assert (drawn[150:240, 110:290] == 90).all()
    left, top, right, bottom = changed(drawn)
    assert (left, right, bottom) == (100, 300, 250)
    assert 60 < top < 100


def test_captions_say_who_and_how_sure() -> None:
    assert caption(answer(0, 0, 9, 9)) == "宮園 かをり 0.26"
    assert caption(answer(0, 0, 9, 9, verdict=Verdict.UNSURE)) == "宮園 かをり? 0.26"
    assert caption(answer(0, 0, 9, 9, verdict=Verdict.UNKNOWN, name=None)) == "unknown"


def test_a_caption_grows_with_the_picture() -> None:
    small = annotate(grey(300, 300), [answer(100, 100, 200, 200)])
    large = annotate(grey(3000, 3000), [answer(1000, 1000, 2000, 2000)])
    assert 100 - changed(small)[1] >= 12
    assert 1000 - changed(large)[1] >= 100


@pytest.mark.parametrize(
    "size", [(1, 1), (2, 3), (10_000, 20), (20, 3000)], ids=lambda size: f"{size[0]}x{size[1]}"
)
def test_any_size_and_any_box_is_drawn(size: tuple[int, int]) -> None:
    width, height = size
    boxes = [(0, 0, width, height), (-50, -50, width + 50, height + 50), (width, height, 9e9, 9e9)]
    drawn = annotate(grey(width, height), [answer(*box) for box in boxes])
    assert drawn.shape == (height, width, 3)
    assert (drawn != 90).any()


def test_names_of_any_letters_and_any_length_are_drawn() -> None:
    for name in ("[bold]x[/bold]", "🌸", "a" * 200, "حلا", "é" * 30):
        drawn = annotate(grey(320, 240), [answer(300, 100, 319, 130, name=name)])
        assert (drawn != 90).any()
        assert changed(drawn)[2] <= 319


def test_nobody_changes_nothing() -> None:
    assert (annotate(grey(40, 30), []) == 90).all()


def test_japanese_has_letters_of_its_own() -> None:
    font = load_font(40)
    if not isinstance(font, ImageFont.FreeTypeFont) or "Noto" not in str(font.getname()):
        pytest.skip(
            "no font with Japanese letters is installed: pip install 'anime-gallery[fonts]'"
        )
    shapes = {bytes(font.getmask(letter)) for letter in "宮園かをり"}
    assert len(shapes) == 5


class TestContactSheet:
    def test_crops_stand_in_rows_in_their_order(self) -> None:
        crops = [np.full((CROP_SIDE, CROP_SIDE, 3), 10 * n, np.uint8) for n in range(8)]
        sheet = contact_sheet(crops, [f"{n}: 0.123" for n in range(8)], columns=6)
        assert sheet.shape == (2 * 180 + 8, 6 * 158 + 8, 3)
        for number in range(8):
            top, left = number // 6 * 180 + 8, number % 6 * 158 + 8
            assert (sheet[top : top + CROP_SIDE, left : left + CROP_SIDE] == 10 * number).all()
            assert (sheet[top + CROP_SIDE : top + 172, left : left + CROP_SIDE] < 255).any()

    def test_one_crop_is_one_column(self) -> None:
        sheet = contact_sheet([np.zeros((CROP_SIDE, CROP_SIDE, 3), np.uint8)], ["best"])
        assert sheet.shape == (188, 166, 3)

    def test_none_is_refused(self) -> None:
        with pytest.raises(InputError, match="no crop"):
            contact_sheet([], [])


class TestSaving:
    @pytest.mark.parametrize("suffix", [*OUTPUT_SUFFIXES, ".PNG"])
    def test_the_suffix_chooses_the_format(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / "new" / f"絵{suffix}"
        save_picture(annotate(grey(64, 48), [answer(8, 8, 40, 40)]), path)
        with pillow.open(path) as picture:
            assert picture.size == (64, 48)
            assert picture.format in {"PNG", "JPEG", "WEBP"}
        assert [found.name for found in path.parent.iterdir()] == [path.name]

    @pytest.mark.parametrize("name", ["out.gif", "out", "out.png.txt", ".png"])
    def test_other_suffixes_are_refused(self, tmp_path: Path, name: str) -> None:
        for refuse in (check_suffix, lambda path: save_picture(grey(9, 9), path)):
            with pytest.raises(InputError, match=r"ends in none of \.png"):
                refuse(tmp_path / name)
        assert list(tmp_path.iterdir()) == []

    def test_what_cannot_be_written_leaves_what_was(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(InputError, match="cannot be written"):
            save_picture(grey(9, 9), tmp_path / "file" / "out.png")
        (tmp_path / "out.jpg").write_bytes(b"before")
        with pytest.raises(InputError, match="cannot be written"):
            # A JPEG has at most 65,500 pixels a side.
            save_picture(grey(70_000, 1), tmp_path / "out.jpg")
        assert (tmp_path / "out.jpg").read_bytes() == b"before"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "out.jpg"]
