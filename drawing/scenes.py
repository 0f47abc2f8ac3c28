"""Backgrounds: layered, softly blurred places, and the light that falls on a picture."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from drawing.colour import WHITE, Colour, light, mix, shadow
from drawing.curves import Spot

Size = tuple[int, int]

APART = 1.2
"""How far lamps are from each other, in sums of their radii."""


class Backdrop:
    """A background on a grid of 0 to 16 across and 0 to 9 down, cropped from the middle."""

    def __init__(self, size: Size, seed: int) -> None:
        self.size = size
        self.scale = max(size[0] / 16, size[1] / 9)
        self.origin = ((size[0] - 16 * self.scale) / 2, (size[1] - 9 * self.scale) / 2)
        self.image = Image.new("RGB", size)
        self.dice = random.Random(seed)  # noqa: S311 (scenery needs no secrets)

    def pixel(self, x: float, y: float) -> Spot:
        """Return where a grid point lies in the picture."""
        return self.origin[0] + x * self.scale, self.origin[1] + y * self.scale

    def wash(self, top: Colour, bottom: Colour, start: float = 0.0, end: float = 9.0) -> None:
        """Fill rows of the grid with a gradient from a top colour to a bottom colour."""
        first, last = self.pixel(0, start)[1], self.pixel(0, end)[1]
        rows = np.arange(max(0, int(first)), min(self.size[1], int(last) + 1))
        share = np.clip((rows - first) / max(last - first, 1), 0, 1)[:, None]
        column = np.array(top) * (1 - share) + np.array(bottom) * share
        strip = Image.fromarray(np.round(column).astype(np.uint8)[:, None, :])
        self.image.paste(
            strip.resize((self.size[0], len(rows)), Image.Resampling.NEAREST), (0, int(rows[0]))
        )

    def shape(
        self, points: list[Spot], colour: Colour, opacity: float = 1.0, blur: float = 0.0
    ) -> None:
        """Draw a polygon of the grid with soft or sharp edges."""
        placed = [self.pixel(x, y) for x, y in points]
        pad = round(blur * self.scale * 3) + 2
        left = max(0, int(min(x for x, _ in placed)) - pad)
        top = max(0, int(min(y for _, y in placed)) - pad)
        right = min(self.size[0], int(max(x for x, _ in placed)) + pad)
        bottom = min(self.size[1], int(max(y for _, y in placed)) + pad)
        if right <= left or bottom <= top:
            return
        size = (right - left, bottom - top)
        mask = Image.new("L", (size[0] * 2, size[1] * 2), 0)
        doubled = [((x - left) * 2, (y - top) * 2) for x, y in placed]
        ImageDraw.Draw(mask).polygon(doubled, fill=round(255 * opacity))
        mask = mask.resize(size, Image.Resampling.BOX)
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * self.scale))
        self.image.paste(colour, (left, top, right, bottom), mask)

    def block(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Draw an upright rectangle of the grid."""
        self.shape([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def disc(
        self,
        x: float,
        y: float,
        radius: float,
        colour: Colour,
        opacity: float = 1.0,
        blur: float = 0.0,
        flat: float = 1.0,
    ) -> None:
        """Draw a disc of the grid, flattened if wanted."""
        angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        ring = [
            (x + radius * float(np.cos(a)), y + radius * flat * float(np.sin(a))) for a in angle
        ]
        self.shape(ring, colour, opacity, blur)

    def soften(self, blur: float) -> None:
        """Blur all that is drawn so far, as a lens out of focus does."""
        self.image = self.image.filter(ImageFilter.GaussianBlur(blur * self.scale))


def plain(back: Backdrop) -> None:
    """Paint one quiet colour."""
    colour = back.dice.choice(((214, 226, 232), (240, 224, 214), (222, 232, 214), (228, 220, 238)))
    back.wash(colour, mix(colour, WHITE, 0.25))


def gradient(back: Backdrop) -> None:
    """Paint a gradient with a few soft discs of light."""
    pairs = (
        ((255, 204, 188), (255, 240, 214)),
        ((170, 206, 246), (232, 244, 255)),
        ((196, 232, 206), (250, 252, 226)),
        ((214, 192, 240), (250, 232, 246)),
    )
    top, bottom = back.dice.choice(pairs)
    back.wash(top, bottom)
    for _ in range(9):
        back.disc(
            back.dice.uniform(0, 16),
            back.dice.uniform(0, 9),
            back.dice.uniform(0.4, 1.5),
            WHITE,
            0.25,
            0.12,
        )


def _cloud(back: Backdrop, x: float, y: float, size: float) -> None:
    for _ in range(9):
        dx, dy = back.dice.uniform(-1.5, 1.5), back.dice.uniform(-0.35, 0.2)
        radius = size * (0.75 - 0.25 * abs(dx))
        back.disc(x + dx * size, y + dy * size + 0.1, radius, (206, 222, 240), 0.8, 0.1, 0.7)
        back.disc(x + dx * size, y + dy * size - 0.06, radius, WHITE, 0.9, 0.08, 0.66)


def _hills(back: Backdrop, base: float, tall: float, colour: Colour) -> None:
    phase = back.dice.uniform(0, 6)
    ridge = [
        (x * 0.5, base - tall * float(np.sin(x * 0.23 + phase) + 0.4 * np.sin(x * 0.9)))
        for x in range(-1, 35)
    ]
    back.shape([*ridge, (17.0, 10.0), (-0.5, 10.0)], colour)


def sky(back: Backdrop) -> None:
    """Paint a summer sky with clouds over far hills and a meadow."""
    back.wash((72, 148, 226), (196, 230, 250))
    for x, y, size in ((3.0, 2.4, 1.3), (11.5, 1.8, 1.6), (7.5, 4.6, 1.0), (15.0, 4.8, 1.1)):
        _cloud(back, x + back.dice.uniform(-0.6, 0.6), y, size)
    _hills(back, 6.9, 0.35, (128, 178, 196))
    _hills(back, 7.5, 0.3, (98, 168, 130))
    _hills(back, 8.2, 0.2, (122, 190, 96))
    back.soften(0.05)


def sunset(back: Backdrop) -> None:
    """Paint an evening sky over the sea."""
    back.wash((108, 92, 168), (250, 170, 120), 0, 5.6)
    back.disc(4.5, 5.1, 2.4, (255, 226, 160), 0.6, 0.7)
    back.disc(4.5, 5.1, 0.75, (255, 246, 214), 1.0, 0.04)
    for _ in range(9):
        x, y = back.dice.uniform(0, 16), back.dice.uniform(0.8, 4.4)
        back.disc(x, y, back.dice.uniform(1.2, 2.6), (255, 196, 168), 0.6, 0.14, 0.08)
    back.wash((190, 112, 132), (70, 68, 122), 5.6, 9.0)
    for _ in range(26):
        y = back.dice.uniform(5.8, 8.8)
        reach = 0.35 + (y - 5.6) * 0.35
        x = 4.5 + back.dice.uniform(-reach, reach) * 1.6
        back.disc(x, y, back.dice.uniform(0.3, 0.9), (255, 222, 170), 0.7, 0.02, 0.05)
    back.soften(0.04)


def night(back: Backdrop) -> None:
    """Paint a city at night with a moon, lit windows and blurred lamps."""
    back.wash((16, 22, 58), (66, 70, 130))
    for _ in range(60):
        back.disc(
            back.dice.uniform(0, 16),
            back.dice.uniform(0, 5),
            back.dice.uniform(0.015, 0.04),
            (230, 236, 255),
            0.9,
        )
    back.disc(12.6, 1.9, 1.7, (150, 160, 220), 0.4, 0.5)
    back.disc(12.6, 1.9, 0.72, (250, 246, 222))
    for far, colour in ((0, (44, 48, 98)), (1, (28, 30, 70))):
        x = -0.4
        while x < 16:
            wide, top = back.dice.uniform(1.0, 2.0), back.dice.uniform(3.6, 5.8) + far * 1.0
            back.block(x, top, x + wide, 9, colour)
            _windows(back, x, top, wide)
            x += wide + back.dice.uniform(-0.1, 0.3)
    back.soften(0.07)
    _lamps(back)


def _lamps(back: Backdrop) -> None:
    """Paint blurred lamps, none at another: one above the other would look like somebody."""
    lit: list[tuple[float, float, float]] = []
    for _ in range(12):
        lamp = back.dice.choice(((255, 206, 130), (255, 150, 150), (150, 210, 255)))
        x, y = back.dice.uniform(0, 16), back.dice.uniform(6.4, 8.8)
        size = back.dice.uniform(0.15, 0.38)
        if all(math.dist((x, y), at) > APART * (size + other) for *at, other in lit):
            lit.append((x, y, size))
            back.disc(x, y, size, lamp, 0.5, 0.03)


def _windows(back: Backdrop, x: float, top: float, wide: float) -> None:
    for row in np.arange(top + 0.25, 8.8, 0.42):
        for column in np.arange(x + 0.18, x + wide - 0.3, 0.36):
            if back.dice.random() < 0.42:
                back.block(
                    float(column),
                    float(row),
                    float(column) + 0.18,
                    float(row) + 0.22,
                    back.dice.choice(((255, 224, 150), (255, 200, 120), (180, 200, 240))),
                )


def classroom(back: Backdrop) -> None:
    """Paint a classroom: windows on the left, a blackboard and rows of desks."""
    back.wash((246, 236, 214), (232, 216, 190))
    back.block(6.4, 1.2, 15.6, 4.8, (150, 108, 72))
    back.block(6.6, 1.4, 15.4, 4.6, (44, 92, 78))
    back.shape([(6.6, 1.4), (10.0, 1.4), (7.6, 4.6), (6.6, 4.6)], (70, 120, 102), 0.6, 0.1)
    for x, y, length in ((7.4, 2.0, 2.6), (7.4, 2.6, 1.8), (12.0, 2.1, 2.2), (12.2, 2.9, 1.4)):
        back.shape(
            [(x, y), (x + length, y - 0.05), (x + length, y + 0.02), (x, y + 0.07)],
            (226, 236, 228),
            0.7,
        )
    back.block(6.2, 4.7, 15.8, 4.9, (190, 148, 104))
    for x in (0.2, 3.1):
        back.block(x - 0.1, 0.6, x + 2.6, 5.6, (250, 248, 240))
        back.block(x, 0.8, x + 2.4, 5.4, (150, 208, 246))
        back.shape(
            [(x, 5.4), (x, 3.9), (x + 1.2, 3.5), (x + 2.4, 4.1), (x + 2.4, 5.4)], (126, 190, 120)
        )
        back.disc(x + 0.8, 2.0, 0.6, WHITE, 0.9, 0.08, 0.5)
        back.block(x + 1.14, 0.8, x + 1.26, 5.4, (250, 248, 240))
    back.shape([(5.6, 0.3), (6.1, 0.3), (6.2, 6.0), (5.7, 6.0)], (250, 222, 200), 0.9, 0.05)
    back.wash((206, 170, 126), (176, 136, 98), 6.6, 9.0)
    for x in (1.0, 4.4, 7.8, 11.2, 14.4):
        back.shape([(x, 6.4), (x + 2.2, 6.4), (x + 2.5, 7.0), (x - 0.3, 7.0)], (226, 180, 122))
        back.block(x - 0.3, 7.0, x + 2.5, 7.2, (170, 122, 80))
        back.block(x, 7.2, x + 0.14, 9, (130, 134, 142))
        back.block(x + 2.1, 7.2, x + 2.24, 9, (130, 134, 142))
    back.shape([(0.0, 5.0), (3.0, 5.0), (9.0, 9.0), (3.0, 9.0)], (255, 250, 220), 0.35, 0.4)
    back.soften(0.06)


def room(back: Backdrop) -> None:
    """Paint a living room with a bookshelf, a lamp, a picture and a plant."""
    wall = back.dice.choice(((226, 206, 186), (202, 214, 206), (222, 208, 222)))
    back.wash(light(wall, 0.2), shadow(wall, 0.08))
    back.block(0, 7.4, 16, 9, (168, 120, 84))
    back.block(0.6, 1.0, 5.0, 7.6, (128, 84, 56))
    for row in range(4):
        top = 1.25 + row * 1.58
        back.block(0.8, top, 4.8, top + 1.34, (86, 54, 40))
        x = 0.86
        while x < 4.5:
            wide, tall = back.dice.uniform(0.14, 0.34), back.dice.uniform(0.8, 1.22)
            spine = back.dice.choice(
                (
                    (196, 84, 74),
                    (78, 116, 156),
                    (226, 190, 110),
                    (110, 148, 106),
                    (232, 224, 206),
                    (138, 96, 146),
                )
            )
            back.block(x, top + 1.34 - tall, min(4.76, x + wide), top + 1.34, spine)
            x += wide + 0.02
    back.block(7.0, 1.3, 9.6, 3.2, (110, 74, 52))
    back.block(7.15, 1.45, 9.45, 3.05, (240, 232, 214))
    back.shape([(7.15, 3.05), (8.0, 2.1), (8.6, 2.6), (9.0, 2.3), (9.45, 3.05)], (120, 160, 180))
    back.disc(13.2, 3.0, 3.2, (255, 238, 190), 0.55, 1.0)
    back.block(13.15, 3.6, 13.3, 7.8, (90, 70, 62))
    back.shape([(12.6, 2.3), (13.85, 2.3), (14.3, 3.7), (12.15, 3.7)], (255, 236, 184))
    for angle in range(-70, 80, 20):
        a = np.radians(angle)
        tip = (10.9 + 1.5 * float(np.sin(a)), 6.3 - 1.7 * float(np.cos(a)))
        back.shape(
            [
                (10.82, 6.4),
                (tip[0] - 0.3, tip[1] + 0.5),
                tip,
                (tip[0] + 0.25, tip[1] + 0.6),
                (11.0, 6.4),
            ],
            mix((70, 130, 84), (120, 176, 100), (angle + 70) / 150),
        )
    back.shape([(10.3, 6.4), (11.5, 6.4), (11.3, 7.7), (10.5, 7.7)], (206, 120, 84))
    back.soften(0.08)


def park(back: Backdrop) -> None:
    """Paint a park under cherry trees."""
    back.wash((170, 216, 246), (240, 246, 246))
    _hills(back, 6.4, 0.2, (150, 200, 150))
    back.wash((150, 204, 120), (104, 170, 92), 6.6, 9.0)
    back.shape([(7.0, 6.6), (8.6, 6.6), (13.0, 9.0), (4.0, 9.0)], (232, 214, 184))
    for x, size in ((1.6, 1.5), (14.2, 1.7), (5.2, 0.9), (10.8, 0.95)):
        base = 6.4 + size * 0.5
        back.shape(
            [
                (x - 0.16 * size, base),
                (x - 0.08 * size, 3.5),
                (x + 0.1 * size, 3.5),
                (x + 0.2 * size, base),
            ],
            (116, 82, 74),
        )
        for _ in range(16):
            dx, dy = back.dice.uniform(-1.4, 1.4) * size, back.dice.uniform(-1.2, 0.7) * size
            pink = mix((246, 176, 196), (255, 226, 232), back.dice.random())
            back.disc(x + dx, 2.9 + dy, 0.62 * size, pink, 0.9, 0.06)
    back.soften(0.06)
    for _ in range(26):
        back.disc(
            back.dice.uniform(0, 16),
            back.dice.uniform(0, 9),
            back.dice.uniform(0.06, 0.12),
            (255, 206, 218),
            0.9,
            0.015,
            0.6,
        )


def street(back: Backdrop) -> None:
    """Paint a shopping street in perspective."""
    back.wash((150, 204, 240), (236, 244, 246), 0, 5.5)
    back.wash((186, 182, 190), (176, 172, 180), 5.5, 9.0)
    walls = ((236, 206, 180), (206, 156, 130), (180, 198, 206), (240, 226, 196))
    for side in (-1, 1):
        for near in range(4):
            far_x, near_x = 8 + side * (1.6 + near * 1.3), 8 + side * (2.9 + near * 1.9)
            top_far, top_near = 3.0 - near * 0.8, 2.2 - near * 0.95
            low_far, low_near = 5.7 + near * 0.45, 6.2 + near * 0.6
            colour = walls[(near + (side > 0)) % 4]
            tone = colour if side > 0 else shadow(colour, 0.2)
            back.shape(
                [(far_x, top_far), (near_x, top_near), (near_x, low_near), (far_x, low_far)], tone
            )
            cloth = back.dice.choice(((206, 84, 80), (74, 128, 160), (96, 150, 104)))
            middle = low_near - 1.6
            back.shape(
                [
                    (far_x, middle),
                    (near_x, middle - 0.1),
                    (near_x - side * 0.25, middle + 0.4),
                    (far_x - side * 0.2, middle + 0.4),
                ],
                cloth,
            )
            back.shape(
                [
                    (far_x + side * 0.2, top_far + 0.6),
                    (near_x - side * 0.2, top_near + 0.6),
                    (near_x - side * 0.2, top_near + 1.4),
                    (far_x + side * 0.2, top_far + 1.3),
                ],
                (120, 150, 176),
            )
    back.shape([(6.4, 5.7), (9.6, 5.7), (16.5, 9.2), (-0.5, 9.2)], (196, 192, 196))
    for share in (0.15, 0.4, 0.75):
        y = 5.9 + 3 * share
        back.shape(
            [
                (8 - 0.12 - 0.1 * share, y),
                (8.12 + 0.1 * share, y),
                (8.2 + 0.2 * share, y + 0.4),
                (7.8 - 0.2 * share, y + 0.4),
            ],
            WHITE,
            0.7,
        )
    back.soften(0.09)


SCENES: dict[str, Callable[[Backdrop], None]] = {
    "plain": plain,
    "gradient": gradient,
    "sky": sky,
    "sunset": sunset,
    "night": night,
    "classroom": classroom,
    "room": room,
    "park": park,
    "street": street,
}


def draw_scene(name: str, size: Size, seed: int) -> Image.Image:
    """Return the background of a name as an RGB picture."""
    back = Backdrop(size, seed)
    SCENES[name](back)
    return back.image


LIGHTS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    # Per channel: what the picture is multiplied by, and what is added (0 to 255).
    "day": ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
    "warm": ((1.03, 0.93, 0.8), (4.0, 2.0, 0.0)),
    "night": ((0.75, 0.79, 0.96), (0.0, 3.0, 14.0)),
    "dim": ((0.8, 0.8, 0.84), (0.0, 0.0, 4.0)),
}


def lit(image: Image.Image, name: str) -> Image.Image:
    """Return an RGB or RGBA picture under a light; transparency stays as it is."""
    if name == "day":
        return image
    factor, offset = LIGHTS[name]
    pixels = np.asarray(image).astype(np.float64)
    pixels[..., :3] = pixels[..., :3] * np.array(factor) + np.array(offset)
    return Image.fromarray(np.clip(np.round(pixels), 0, 255).astype(np.uint8))
