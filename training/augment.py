"""What a face may look like in the wild: moved, lit, blurred, compressed and covered.

Colour is a part of an anime character's identity, so light changes little; place and quality
change more. All numbers of a batch are drawn at once from one seeded generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.broadcast import Broadcast

Pixels = NDArray[np.uint8]

SKIN_HUE, SKIN_HUES = 11, 9
"""The middle of the skin's hues and how far they reach to both sides, in OpenCV's half degrees."""

SKIN_SATURATION, SKIN_VALUE = 130, 130
"""Skin is paler and brighter."""

LEAST_RECOLOURED = 8.0
"""The mean change of a colour's value, 0 to 255, that makes another character."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How much faces are changed; rates are shares of faces, 0 to 1."""

    smallest_view: float = 0.8
    """Share of the stored square's side that is seen at the least; log-uniform up to..."""
    largest_view: float = 1.12
    """...this much; what lies outside repeats or mirrors the border, or is of one colour."""
    shift: float = 0.05
    """Standard deviation of the place, in shares of the side."""
    roll_degrees: float = 6.0
    """Standard deviation of the turn in the plane."""
    stretch: float = 0.04
    """Standard deviation of the logarithm of width over height."""
    light: float = 0.1
    """Standard deviation of brightness and of the logarithm of gamma."""
    cast: float = 0.03
    """Standard deviation of each colour's own brightness."""
    saturation: float = 0.12
    """Standard deviation of the saturation around 1."""
    grey_rate: float = 0.01
    tint_rate: float = 0.0
    """Lit by one colour, from a hint of it to a picture that knows no other, bright or dark."""
    small_rate: float = 0.25
    """Scaled down to 36 to 100 pixels and up again."""
    jpeg_rate: float = 0.2
    """Compressed at quality 25 to 85."""
    cover_rate: float = 0.12
    """Partly covered by a rectangle of one colour or of noise."""
    broadcast: Broadcast | None = None
    """What television does, after light and before size and compression."""

    def batch(self, pixels: list[Pixels], side: int, generator: np.random.Generator) -> Pixels:
        """Return changed pictures, shape (n, side, side, 3), of squares of any size."""
        count = len(pixels)
        normal = generator.standard_normal((count, 12)).astype(np.float64)
        uniform = generator.random((count, 24))
        # Recipes without television draw the same numbers as before.
        seeds = [0] * count if self.broadcast is None else generator.integers(0, 2**31, count)
        return np.stack(
            [
                self._change(picture, side, near, even, int(seed))
                for picture, near, even, seed in zip(pixels, normal, uniform, seeds, strict=True)
            ],
            dtype=np.uint8,
        )

    def _change(
        self,
        picture: Pixels,
        side: int,
        normal: NDArray[np.float64],
        uniform: NDArray[np.float64],
        seed: int,
    ) -> Pixels:
        """Change one picture by its own random numbers."""
        picture = self._moved(picture, side, normal[:5], uniform[:3])
        if uniform[3] < self.cover_rate:
            _cover(picture, uniform[4:11], round(uniform[11] * 2**31))
        picture = self._lit(picture, normal[5:], grey=bool(uniform[12] < self.grey_rate))
        if uniform[18] < self.tint_rate:
            picture = _tinted(picture, uniform[19:])
        if self.broadcast is not None:
            picture = self.broadcast.change(picture, np.random.default_rng(seed))
        if uniform[13] < self.small_rate:
            picture = _reduced(picture, 36 + round(64 * uniform[14]), smooth=uniform[15] < 0.5)
        if uniform[16] < self.jpeg_rate:
            picture = _compressed(picture, 25 + round(60 * uniform[17]))
        return picture

    def _moved(
        self, picture: Pixels, side: int, normal: NDArray[np.float64], uniform: NDArray[np.float64]
    ) -> Pixels:
        """Return the picture turned, scaled, shifted and perhaps mirrored, side x side."""
        import cv2

        stored = picture.shape[0]
        view = self.smallest_view * (self.largest_view / self.smallest_view) ** uniform[0]
        roll = np.radians(np.clip(normal[0], -2.5, 2.5) * self.roll_degrees)
        stretch = np.exp(normal[1] / 2 * self.stretch)
        scale = view * stored / side
        across, down = scale * stretch, scale / stretch
        if uniform[1] < 0.5:
            across = -across
        middle = (stored - 1) / 2 + np.clip(normal[2:4], -2, 2) * self.shift * stored
        linear = np.array(
            [
                [across * np.cos(roll), -down * np.sin(roll)],
                [across * np.sin(roll), down * np.cos(roll)],
            ]
        )
        offset = middle - linear @ np.full(2, (side - 1) / 2)
        borders = (cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT)
        moved = cv2.warpAffine(
            picture,
            np.column_stack([linear, offset]),
            (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=borders[int(uniform[2] * 3)],
        )
        return np.asarray(moved, dtype=np.uint8)

    def _lit(self, picture: Pixels, normal: NDArray[np.float64], *, grey: bool) -> Pixels:
        """Return the picture with other brightness, gamma, cast and saturation."""
        import cv2

        gain = np.clip(1 + self.light * normal[0] + self.cast * normal[1:4], 0.5, 1.6)
        levels = np.linspace(0, 1, 256)[:, None] ** np.exp(self.light * normal[4]) * gain
        table = np.rint(np.clip(levels * 255, 0, 255)).astype(np.uint8)
        lit = cv2.LUT(picture, np.ascontiguousarray(table.reshape(1, 256, 3)))
        colour = 0.0 if grey else float(np.clip(1 + self.saturation * normal[5], 0.4, 1.6))
        faded = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        return np.asarray(cv2.addWeighted(lit, colour, faded, 1 - colour, 0), dtype=np.uint8)


def recoloured(picture: Pixels, turn: float) -> Pixels | None:
    """Return a face with every hue but the skin's turned by a share of the circle, 0 to 1.

    Who has pink hair and green eyes is another character with blue hair and red eyes. Returns None
    where that changes too little to tell the two apart: black and white stay what they are.
    """
    import cv2

    hues = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    turned = hues.copy()
    turned[..., 0] = (hues[..., 0].astype(np.int16) + round(turn * 180)) % 180
    other = cv2.cvtColor(turned, cv2.COLOR_HSV2RGB)
    # How far a hue lies from that of skin, and how much deeper or darker a colour is than skin.
    away = np.abs((hues[..., 0].astype(np.float32) - SKIN_HUE + 90) % 180 - 90) - SKIN_HUES
    deep = (hues[..., 1].astype(np.float32) - SKIN_SATURATION) / 2
    dark = (SKIN_VALUE - hues[..., 2].astype(np.float32)) / 2
    share = np.clip(np.maximum(np.maximum(away, deep), dark) / 8, 0, 1)[..., None]
    mixed = np.rint(picture + share * (other.astype(np.float32) - picture))
    if np.abs(mixed - picture).mean() < LEAST_RECOLOURED:
        return None
    return np.asarray(mixed, dtype=np.uint8)


def _tinted(picture: Pixels, uniform: NDArray[np.float64]) -> Pixels:
    """Mix a picture with itself in shades of one colour, at 0.35 to 1.4 of its brightness."""
    import cv2

    hue = np.array([[[round(uniform[0] * 179), round(uniform[1] * 220), 255]]], dtype=np.uint8)
    colour = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0] / 255
    bright = 0.35 * (1.4 / 0.35) ** uniform[2]
    share = 0.15 + 0.55 * uniform[3] if uniform[4] < 0.75 else 1.0
    grey = np.array([0.299, 0.587, 0.114])
    # One product with a matrix: the share of the tinted grey and the rest of the picture itself.
    mixed = share * np.outer(colour / max(float(colour @ grey), 0.4), grey)
    matrix = bright * (mixed + (1 - share) * np.eye(3))
    return np.asarray(cv2.transform(picture, matrix), dtype=np.uint8)


def _cover(picture: Pixels, uniform: NDArray[np.float64], seed: int) -> None:
    """Lay a rectangle of 3 to 20 % of the area over a part of the picture."""
    side = picture.shape[0]
    root = side * np.sqrt(0.03 + 0.17 * uniform[0])
    shape = np.exp((uniform[1] - 0.5) * 1.2)
    height, width = (int(min(root * part, side)) for part in (shape, 1 / shape))
    top, left = int(uniform[2] * (side - height)), int(uniform[3] * (side - width))
    area = picture[top : top + height, left : left + width]
    if uniform[4] < 0.5:
        area[:] = (uniform[4:7] * 510 % 256).astype(np.uint8)
    else:
        area[:] = np.random.default_rng(seed).integers(0, 256, area.shape, dtype=np.uint8)


def _reduced(picture: Pixels, side: int, *, smooth: bool) -> Pixels:
    """Scale a picture down and up again."""
    import cv2

    whole = picture.shape[:2]
    if side >= whole[0]:
        return picture
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    how = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(small, whole, interpolation=how), dtype=np.uint8)


def _compressed(picture: Pixels, quality: int) -> Pixels:
    """Write a picture as a JPEG and read it again."""
    import cv2

    # OpenCV takes blue first, and JPEG keeps less of blue than of red.
    written, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert written, "OpenCV cannot write JPEG"
    read = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert read is not None, "OpenCV cannot read its own JPEG"
    return np.ascontiguousarray(read[:, :, ::-1], dtype=np.uint8)
