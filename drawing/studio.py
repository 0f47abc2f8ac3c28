"""Draws the pictures of the album and stores them with the truth about them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from drawing.album import Picture, portraits, screenshots
from drawing.cast import ENROLLED
from drawing.colour import WHITE
from drawing.curves import Spot
from drawing.person import Box, draw_person
from drawing.scenes import draw_scene, lit

ORIENTATION_TAG = 0x0112
TURNED_LEFT = 6  # "Rotate by 90 degrees clockwise to see it upright."


@dataclass(frozen=True)
class Shown:
    """A person in a drawn picture; the name is None for a stranger."""

    name: str | None
    head: Box
    eyes: tuple[Spot, Spot]


def draw_picture(picture: Picture, supersample: int = 3) -> tuple[Image.Image, list[Shown]]:
    """Draw a picture upright and return it with the people in it, from left to right."""
    if picture.transparent:
        image = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    else:
        image = draw_scene(picture.scene, picture.size, picture.seed).convert("RGBA")
    known = {character.name for character in ENROLLED}
    shown = []
    for character, pose in picture.people:
        drawn = draw_person(character, pose, picture.size, supersample)
        image.alpha_composite(drawn.layer, drawn.offset)
        name = character.name if character.name in known else None
        shown.append(Shown(name, drawn.head, drawn.eyes))
    image = lit(image, picture.light)
    _add_frame(image, picture)
    if not picture.transparent:
        image = image.convert("RGB")
    return image, sorted(shown, key=lambda person: person.head)


def _add_frame(image: Image.Image, picture: Picture) -> None:
    pencil = ImageDraw.Draw(image)
    width, height = picture.size
    if picture.letterbox:
        pencil.rectangle((0, 0, width, picture.letterbox), fill=(0, 0, 0, 255))
        pencil.rectangle((0, height - picture.letterbox, width, height), fill=(0, 0, 0, 255))
    if picture.subtitle:
        font = ImageFont.load_default(34)
        pencil.text(
            (width / 2, height - 34),
            picture.subtitle,
            WHITE,
            font,
            "ms",
            stroke_width=3,
            stroke_fill=(20, 16, 24),
        )


def store(image: Image.Image, picture: Picture, path: Path) -> None:
    """Write a drawn picture in the format of its file name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        image.save(path, optimize=True)
    elif path.suffix == ".webp":
        image.save(path, quality=88, method=6)
    elif picture.rotated:
        tags = Image.Exif()
        tags[ORIENTATION_TAG] = TURNED_LEFT
        image.transpose(Image.Transpose.ROTATE_90).save(path, quality=90, exif=tags)
    else:
        image.save(path, quality=90, optimize=True)


def truth(picture: Picture, people: list[Shown]) -> dict[str, object]:
    """Return what is known about a picture, ready for JSON."""
    return {
        "size": list(picture.size),
        "people": [
            {
                "name": person.name,
                "head": list(person.head),
                "eyes": [list(eye) for eye in person.eyes],
            }
            for person in people
        ],
    }


def draw_all(folder: Path) -> None:
    """Draw every picture of the album into a folder, with the two truth files."""
    for pictures, root, file in (
        (portraits(), "characters", "characters.json"),
        (screenshots(), "screenshots", "screenshots/truth.json"),
    ):
        known: dict[str, object] = {}
        for picture in pictures:
            image, people = draw_picture(picture)
            store(image, picture, folder / picture.path)
            known[picture.path.removeprefix(f"{root}/")] = truth(picture, people)
        text = json.dumps(known, ensure_ascii=False, indent=1) + "\n"
        (folder / file).write_text(text, encoding="utf-8")
