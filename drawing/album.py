"""The pictures to draw: which people stand where, in which light, and how they are stored."""

from __future__ import annotations

import math
from dataclasses import dataclass

from drawing.cast import (
    BLACKSMITH,
    CAPTAIN,
    CHLOE,
    ENROLLED,
    FARMER,
    GEN,
    HARUTO,
    KAEDE,
    LAVENDER,
    MIO,
    MOMO,
    PIM,
    ROSA,
    SHIZUKU,
    SORA,
)
from drawing.design import Character, Expression, Pose


@dataclass(frozen=True)
class Picture:
    """One picture of the album; the path is relative to the data folder."""

    path: str
    size: tuple[int, int]
    scene: str
    seed: int
    people: tuple[tuple[Character, Pose], ...]
    light: str = "day"
    transparent: bool = False
    rotated: bool = False
    letterbox: int = 0
    subtitle: str = ""
    enrolled: bool = True


SMILE = Expression("smile")
CALM = Expression("line", 0.95, 0.95, blush=0.6)
HAPPY = Expression("open", 1.0, 1.0, 0.03, blush=1.2)
LAUGH = Expression("laugh", 0.95, 0.95, 0.04, blush=1.4)
WINK = Expression("smile", 1.0, 0.0, 0.02, blush=1.2)
AMAZED = Expression("gasp", 1.05, 1.05, 0.07, blush=0.8)
CROSS = Expression("frown", 0.95, 0.95, -0.02, 0.04, blush=0.6)
SMIRK = Expression("smirk", 0.92, 0.92, 0.0, 0.03)
GRIN = Expression("teeth", 0.95, 0.95, 0.02, blush=1.1)
GLANCE = Expression("line", 0.97, 0.97, 0.01, gaze=(0.12, 0.03))


@dataclass(frozen=True)
class Take:
    """One of the five ways in which every character is drawn; the lists go round by number."""

    moods: tuple[Expression, ...]
    size: tuple[int, int]
    centre: tuple[float, float]
    roll: float
    yaw: float
    pitch: float
    scenes: tuple[str, ...]
    lights: tuple[str, ...]


TAKES = (
    Take((SMILE, CALM), (480, 600), (0.5, 0.42), 0, 3, 0, ("gradient", "plain"), ("day",)),
    Take(
        (HAPPY, LAUGH, GRIN),
        (640, 480),
        (0.36, 0.5),
        7,
        12,
        2,
        ("classroom", "park", "street", "room", "sky"),
        ("day",),
    ),
    Take(
        (WINK, GLANCE, SMIRK, GLANCE, CALM),
        (440, 440),
        (0.52, 0.52),
        -8,
        -10,
        0,
        ("room", "sky", "gradient", "park", "sunset"),
        ("day", "warm", "day"),
    ),
    Take(
        (AMAZED, CALM, CROSS),
        (720, 480),
        (0.63, 0.48),
        4,
        -12,
        5,
        ("night", "street", "sunset", "night"),
        ("night", "day", "warm", "night"),
    ),
    Take(
        (HAPPY, SMILE, HAPPY, LAUGH, SMILE, HAPPY, LAUGH, SMILE, HAPPY, LAUGH),
        (540, 600),
        (0.5, 0.41),
        -10,
        8,
        -4,
        ("sunset", "classroom", "sky", "room", "park"),
        ("warm", "day", "day", "dim"),
    ),
)

# Half the width of the face in each of the five pictures, in pixels.  The detector's boxes grow in
# steps of a tenth, so these sizes were picked where its box sits on the head as on the others.
SCALES: dict[str, tuple[int, int, int, int, int]] = {
    "Mio Tachibana": (110, 87, 75, 76, 72),
    "日向ソラ": (109, 101, 101, 77, 83),
    "Chloé Marchand": (103, 92, 104, 84, 91),
    "雪村しずく": (119, 97, 88, 78, 106),
    "Rosa Delgado": (133, 85, 100, 91, 81),
    "カエデ": (108, 100, 114, 84, 75),
    "Gen Kuroda": (120, 90, 87, 83, 132),
    "Pim": (120, 93, 120, 87, 88),
    "ハルト": (95, 97, 93, 77, 76),
    "Momo Ibuki": (147, 103, 84, 95, 86),
}

SUFFIXES = ("jpg", "webp", "jpg", "webp", "jpg")


def portrait(number: int, character: Character, turn: int) -> Picture:
    """Return one of the five pictures of an enrolled character."""
    take = TAKES[turn]
    wobble = math.sin(number * 2.3 + turn * 1.7)
    small = character is HARUTO and turn == 3
    width, height = (300, 240) if small else take.size
    scale = 45.0 if small else float(SCALES[character.name][turn])
    pose = Pose(
        width * take.centre[0] + 0.06 * wobble * width,
        height * take.centre[1] + (0.12 * scale),
        scale,
        take.roll + 2 * wobble,
        take.yaw * (1 + 0.25 * wobble),
        take.pitch,
        mirrored=(number + turn) % 3 == 1,
        expression=take.moods[number % len(take.moods)],
    )
    transparent = character is SHIZUKU and turn == 0
    rotated = character is SORA and turn == 4
    suffix = "png" if transparent or (number + turn) % 7 == 2 else SUFFIXES[turn]
    return Picture(
        f"characters/{character.name}/{turn + 1:02d}.{'jpg' if rotated else suffix}",
        (width, height),
        take.scenes[number % len(take.scenes)],
        100 + number * 10 + turn,
        ((character, pose),),
        take.lights[number % len(take.lights)],
        transparent=transparent,
        rotated=rotated,
    )


def portraits() -> list[Picture]:
    """Return the pictures of all enrolled characters."""
    return [
        portrait(number, character, turn)
        for number, character in enumerate(ENROLLED)
        for turn in range(len(TAKES))
    ]


def screenshots() -> list[Picture]:
    """Return the frames with several people, known ones and strangers."""
    wide = (1280, 720)
    return [
        Picture(
            "screenshots/01-school.jpg",
            wide,
            "classroom",
            1,
            (
                (HARUTO, Pose(930, 360, 90, 3, -10, 0, False, CALM)),
                (MIO, Pose(420, 350, 118, -5, 9, 0, False, HAPPY)),
            ),
            subtitle="Did you hear? A new student is coming today.",
        ),
        Picture(
            "screenshots/02-street.jpg",
            wide,
            "street",
            2,
            (
                (CAPTAIN, Pose(700, 330, 66, 0, 6, 0, False, SMILE)),
                (SORA, Pose(960, 340, 86, 6, -12, 0, True, LAUGH)),
                (ROSA, Pose(330, 370, 102, -4, 10, 2, False, SMILE)),
            ),
        ),
        Picture(
            "screenshots/03-alone.jpg",
            wide,
            "sunset",
            3,
            ((KAEDE, Pose(770, 350, 128, -6, -8, 2, False, CALM)),),
            "warm",
            letterbox=64,
        ),
        Picture(
            "screenshots/04-stranger.jpg",
            wide,
            "room",
            4,
            ((LAVENDER, Pose(610, 350, 104, 4, 8, 0, False, SMILE)),),
            subtitle="I have never seen her before.",
        ),
        Picture(
            "screenshots/05-picnic.jpg",
            wide,
            "park",
            5,
            (
                (FARMER, Pose(718, 340, 58, -3, -6, 0, False, SMILE)),
                (PIM, Pose(470, 400, 77, 6, 8, 4, False, LAUGH)),
                (MOMO, Pose(215, 360, 81, -5, 10, 0, False, GRIN)),
                (CHLOE, Pose(1000, 360, 100, 5, -9, 0, False, SMILE)),
            ),
        ),
        Picture(
            "screenshots/06-night.jpg",
            wide,
            "night",
            6,
            (
                (GEN, Pose(850, 340, 101, -3, -5, 0, False, CROSS)),
                (SHIZUKU, Pose(400, 380, 114, 5, 11, 0, False, AMAZED)),
            ),
            "night",
            letterbox=64,
            subtitle="Who is there?",
        ),
        Picture(
            "screenshots/07-smithy.jpg",
            wide,
            "room",
            7,
            (
                (BLACKSMITH, Pose(860, 340, 105, 3, -7, 0, False, SMILE)),
                (KAEDE, Pose(380, 390, 87, -7, 12, 0, True, GRIN)),
            ),
            "warm",
        ),
        Picture(
            "screenshots/08-meadow.jpg",
            wide,
            "sky",
            8,
            (
                (SORA, Pose(330, 390, 70, -6, 9, 0, False, SMIRK)),
                (CHLOE, Pose(640, 350, 114, 4, 6, 3, True, HAPPY)),
                (HARUTO, Pose(985, 370, 92, 7, -10, 0, True, SMILE)),
            ),
        ),
    ]


SELF_TEST = Picture(
    "face.png", (320, 320), "plain", 9, ((MOMO, Pose(160, 170, 72, 0, 4, 0, False, SMILE)),)
)
