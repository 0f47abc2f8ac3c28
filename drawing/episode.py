"""A short episode: shots with cuts, people who move, subtitles, and the truth about all of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from drawing.album import AMAZED, CALM, HAPPY, LAUGH, SMILE
from drawing.cast import ENROLLED, KAEDE, LAVENDER, MIO, ROSA, SORA
from drawing.colour import WHITE
from drawing.design import Character, Expression, Pose
from drawing.person import Box, Drawn, draw_person
from drawing.scenes import draw_scene, lit

SIZE = (640, 360)
RATE = 24
HELD = 2
"""Frames that show one drawing: what moves, moves on twos."""

STAGE = (1000, 560)
"""People are drawn once on this and moved: room for shoulders that the picture cuts off."""


@dataclass(frozen=True)
class Part:
    """What one person does in a shot: moves and changes the face half way."""

    character: Character
    start: tuple[float, float]
    """Where the head is at the shot's beginning, in shares of the picture."""
    end: tuple[float, float]
    scale: float
    """Half a face in pixels."""
    moods: tuple[Expression, Expression] = (SMILE, HAPPY)


@dataclass(frozen=True)
class Shot:
    """One shot of the episode."""

    seconds: float
    scene: str
    parts: tuple[Part, ...] = ()
    light: str = "day"
    subtitle: str = ""


@dataclass(frozen=True)
class Appearance:
    """A person in a shot, as long as the whole head is in the picture.

    Times are seconds of the episode.
    """

    shot: int
    """From 1."""
    name: str | None
    """None for a stranger."""
    start: float
    """Of the first frame that shows the head."""
    end: float
    """Of the last one."""
    heads: tuple[Box, Box]
    """In the first and in the last frame; between them the head moves evenly."""


@dataclass(frozen=True)
class Episode:
    """The truth about a drawn episode."""

    seconds: float
    cuts: tuple[float, ...]
    """The times of the first frames of all shots but the first."""
    appearances: tuple[Appearance, ...]


SHOTS = (
    Shot(
        4.0,
        "classroom",
        (Part(MIO, (0.3, 0.5), (0.6, 0.48), 62),),
        subtitle="Did you hear? A new student is coming today.",
    ),
    Shot(2.5, "street", subtitle="Meanwhile, in town"),
    Shot(
        4.0,
        "park",
        (
            Part(MIO, (0.2, 0.5), (0.3, 0.5), 60, (HAPPY, LAUGH)),
            Part(SORA, (0.8, 0.52), (0.68, 0.5), 58, (SMILE, LAUGH)),
        ),
    ),
    Shot(2.5, "night", (Part(SORA, (0.5, 0.5), (0.53, 0.52), 72, (CALM, AMAZED)),), "night"),
    Shot(
        3.0,
        "room",
        (Part(LAVENDER, (0.62, 0.5), (0.5, 0.5), 64),),
        subtitle="I have never seen her before.",
    ),
    Shot(2.0, "sky", (Part(ROSA, (0.45, 0.5), (0.55, 0.5), 60),)),
    Shot(3.0, "sunset", (Part(KAEDE, (1.15, 0.5), (0.5, 0.5), 66),), "warm"),
)


def draw_episode(path: Path, shots: tuple[Shot, ...] = SHOTS, codec: str = "libx264") -> Episode:
    """Draw an episode, encode it into a file whose suffix names the container, and tell the truth.

    It wants PyAV; the pictures are the same every time, the file's bytes are the encoder's.
    """
    import av
    from av.video.stream import VideoStream

    appearances: list[Appearance] = []
    cuts: list[float] = []
    count = 0
    with av.open(str(path), "w") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=RATE))
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast"} if codec == "libx264" else {}
        for number, shot in enumerate(shots, 1):
            if count:
                cuts.append(count / RATE)
            length = round(shot.seconds * RATE)
            drawn = _Drawings(shot, length)
            appearances += drawn.appearances(number, count)
            for place in range(length):
                frame = av.VideoFrame.from_ndarray(drawn.frame(place), format="rgb24")
                frame.pts, frame.time_base = count, Fraction(1, RATE)
                container.mux(stream.encode(frame))
                count += 1
        container.mux(stream.encode(None))
    return Episode(count / RATE, tuple(cuts), tuple(appearances))


class _Drawings:
    """The drawings of a shot: its place, its people in both their moods, its subtitle."""

    def __init__(self, shot: Shot, length: int) -> None:
        self._shot, self._length = shot, length
        self._place = lit(draw_scene(shot.scene, SIZE, 1), shot.light).convert("RGBA")
        self._people = [
            [_drawn(part, mood, shot.light) for mood in part.moods] for part in shot.parts
        ]
        self._last: tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]] | None = None

    def frame(self, place: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """Return a frame by its number in the shot, RGB."""
        held = place - place % HELD
        if self._last is None or self._last[0] != held:
            self._last = held, np.asarray(self._picture(held))
        return self._last[1]

    def appearances(self, number: int, before: int) -> list[Appearance]:
        """Return who is there from when to when, for so many frames before the shot."""
        known = {character.name for character in ENROLLED}
        found = []
        for part, drawings in zip(self._shot.parts, self._people, strict=True):
            heads = {
                place: head
                for place in range(self._length)
                if _is_inside(head := _moved(drawings[0].head, self._shift(part, place)))
            }
            first, last = min(heads), max(heads)
            found.append(
                Appearance(
                    number,
                    part.character.name if part.character.name in known else None,
                    (before + first) / RATE,
                    (before + last) / RATE,
                    (heads[first], heads[last]),
                )
            )
        return found

    def _picture(self, place: int) -> Image.Image:
        image = self._place.copy()
        for part, drawings in zip(self._shot.parts, self._people, strict=True):
            drawing = drawings[0 if place * 2 < self._length else 1]
            across, down = self._shift(part, place)
            x, y = drawing.offset[0] + across, drawing.offset[1] + down
            image.alpha_composite(drawing.layer, (max(x, 0), max(y, 0)), (max(-x, 0), max(-y, 0)))
        if self._shot.subtitle:
            ImageDraw.Draw(image).text(
                (SIZE[0] / 2, SIZE[1] - 16),
                self._shot.subtitle,
                WHITE,
                ImageFont.load_default(19),
                "ms",
                stroke_width=2,
                stroke_fill=(20, 16, 24),
            )
        return image.convert("RGB")

    def _shift(self, part: Part, place: int) -> tuple[int, int]:
        """Return how far a person is from where it was drawn, in pixels."""
        share = (place - place % HELD) / max(self._length - 1, 1)
        x = part.start[0] + (part.end[0] - part.start[0]) * share
        y = part.start[1] + (part.end[1] - part.start[1]) * share
        return round(x * SIZE[0] - STAGE[0] / 2), round(y * SIZE[1] - STAGE[1] / 2)


def _drawn(part: Part, mood: Expression, light: str) -> Drawn:
    pose = Pose(STAGE[0] / 2, STAGE[1] / 2, part.scale, 0, 4, 0, False, mood)
    drawn = draw_person(part.character, pose, STAGE, 2)
    return replace(drawn, layer=lit(drawn.layer, light))


def _is_inside(head: Box) -> bool:
    left, top, right, bottom = head
    return left >= 0 and top >= 0 and right <= SIZE[0] and bottom <= SIZE[1]


def _moved(box: Box, shift: tuple[int, int]) -> Box:
    across, down = shift
    return box[0] + across, box[1] + down, box[2] + across, box[3] + down
