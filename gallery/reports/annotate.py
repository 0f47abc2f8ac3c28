"""Pictures for people: faces boxed and named, and contact sheets of crops."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gallery.errors import BadOutput, InputError, UnwritableFile
from gallery.system.files import replacing
from gallery.types import CROP_SIDE, Answer, Crop, Pixels, Verdict

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

COLOURS = {
    Verdict.SURE: (46, 160, 67),
    Verdict.UNSURE: (219, 148, 0),
    Verdict.UNKNOWN: (110, 118, 129),
}

FONT_PACKAGE = "noto_cjk_sans_jp_regular"
"""Comes with the extra `fonts`; without it and without a font of the system, names in scripts
other than Latin are drawn as boxes."""

SYSTEM_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/System/Library/Fonts/ヒラギノ角ゴシック W4.ttc",
    "C:/Windows/Fonts/YuGothM.ttc",
)

OUTPUT_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def annotate(pixels: Pixels, answers: Sequence[Answer]) -> Pixels:
    """Return a copy of a picture with every face's box, name, verdict and distance drawn in.

    Faces that a person set aside are not drawn.
    """
    from PIL import Image as pillow
    from PIL import ImageDraw

    picture = pillow.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    # Lines and letters grow with the picture, so that they are read at any size.
    unit = max(min(picture.size) // 240, 1)
    font = load_font(max(min(picture.size) // 28, 12))
    # Nearest names last, so that a small box in front is not written over.
    shown = [one for one in answers if not one.is_set_aside]
    for answer in sorted(shown, key=lambda one: -one.face.box.area):
        _draw_answer(draw, answer, unit, font, picture.size)
    return np.asarray(picture)


def caption(answer: Answer) -> str:
    """Return what is written at a face."""
    if answer.character is None:
        return "unknown"
    doubt = "?" if answer.verdict is Verdict.UNSURE else ""
    # Whom a person named may be far, or nobody's ideal.
    distance = "" if answer.distance is None else f" {answer.distance:.2f}"
    return f"{answer.character}{doubt}{distance}"


def contact_sheet(crops: Sequence[Crop], captions: Sequence[str], columns: int = 6) -> Pixels:
    """Return crops in rows with a caption under each, in the order given.

    Raises InputError when there is none.
    """
    from PIL import Image as pillow
    from PIL import ImageDraw

    if not crops:
        raise InputError("There is no crop to show.")
    columns = min(columns, len(crops))
    gap, line = 8, 22
    rows = -(-len(crops) // columns)
    cell = (CROP_SIDE + gap, CROP_SIDE + gap + line)
    sheet = pillow.new("RGB", (columns * cell[0] + gap, rows * cell[1] + gap), "white")
    draw = ImageDraw.Draw(sheet)
    font = load_font(14)
    for place, (crop, text) in enumerate(zip(crops, captions, strict=True)):
        left, top = place % columns * cell[0] + gap, place // columns * cell[1] + gap
        sheet.paste(pillow.fromarray(crop), (left, top))
        draw.text((left, top + CROP_SIDE + 2), text, fill=(30, 30, 30), font=font)
    return np.asarray(sheet)


def save_picture(pixels: Pixels, path: Path) -> None:
    """Write a picture in the format of its suffix, whole or not at all.

    Raises InputError for another suffix and where it cannot be written.
    """
    from PIL import Image as pillow

    check_suffix(path)
    try:
        with replacing(path) as unfinished:
            pillow.fromarray(pixels).save(unfinished, quality=92)
    except OSError as error:
        raise UnwritableFile(path, f"cannot be written: {error.strerror or error}") from error


def check_suffix(path: Path) -> None:
    """Raise InputError for a file whose suffix names no format that pictures are written in."""
    if path.suffix.lower() not in OUTPUT_SUFFIXES:
        raise BadOutput(path, f"ends in none of {', '.join(OUTPUT_SUFFIXES)}", remedy="name it so")


def load_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return a font of a height in pixels, one with Japanese letters where there is one."""
    from PIL import ImageFont

    package = importlib.util.find_spec(FONT_PACKAGE)
    carried = package.submodule_search_locations if package else None
    fonts = [str(next(Path(folder).glob("*.otf"), "")) for folder in carried or ()]
    for font in (*fonts, *SYSTEM_FONTS):
        if font and Path(font).is_file():
            return ImageFont.truetype(font, size)
    return ImageFont.load_default(size)


def _draw_answer(
    draw: ImageDraw.ImageDraw,
    answer: Answer,
    unit: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    size: tuple[int, int],
) -> None:
    colour = COLOURS[answer.verdict]
    left, top, right, bottom = answer.face.box.within(*size)
    draw.rectangle((left, top, right, bottom), outline=colour, width=2 * unit)
    text = caption(answer)
    _, _, wide, high = (int(edge) for edge in draw.textbbox((0, 0), text, font=font))
    # Above the box where there is room, else inside it; never beyond the right edge.
    row = top - high - 3 * unit if top - high - 3 * unit >= 0 else top
    column = max(min(left, size[0] - wide - 4 * unit), 0)
    draw.rectangle((column, row, column + wide + 4 * unit, row + high + 3 * unit), fill=colour)
    draw.text((column + 2 * unit, row + unit), text, fill="white", font=font)
