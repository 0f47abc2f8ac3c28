"""What is written and drawn over pictures: subtitles, logos, speech bubbles, signs."""

from __future__ import annotations

import string

import numpy as np
from numpy.typing import NDArray

from gallery.types import Pixels
from training.detector.backgrounds import colour

LETTERS = np.array(list(string.ascii_letters + string.digits + "     .,!?'-"))
FONTS = 8
"""The fonts of OpenCV are numbered from 0 on."""


def overlay(picture: Pixels, generator: np.random.Generator) -> None:
    """Draw one to three things over a picture."""
    kinds = (subtitle, subtitle, logo, bubble, sign)
    for _ in range(1 + int(generator.random() < 0.3) + int(generator.random() < 0.2)):
        kinds[int(generator.integers(len(kinds)))](picture, generator)


def subtitle(picture: Pixels, generator: np.random.Generator) -> None:
    """Write one or two lines with outlines, low in the middle as a rule."""
    height, width = picture.shape[:2]
    size = max(height * generator.uniform(0.03, 0.08), 6.0)
    down = height * (generator.uniform(0.75, 0.97) if generator.random() < 0.8 else 0.12)
    paint = (255, 255, 255) if generator.random() < 0.7 else _paint(generator)
    font = int(generator.integers(FONTS))
    for line in range(1 + int(generator.random() < 0.4)):
        text = _text(int(generator.integers(5, max(int(width / size * 1.6), 6))), generator)
        left = max((width - len(text) * size * 0.55) / 2, 2.0)
        place = (int(left), int(down - line * size * 1.3))
        _write(picture, text, place, size, (0, 0, 0), font=font, weight=3)
        _write(picture, text, place, size, paint, font=font)


def logo(picture: Pixels, generator: np.random.Generator) -> None:
    """Draw a badge with a few letters near a corner."""
    import cv2

    height, width = picture.shape[:2]
    size = min(height, width) * generator.uniform(0.04, 0.16)
    x, y = (
        side * (0.04 + 0.92 * end) + size * (0.8 if end == 0 else -0.8)
        for side, end in zip((width, height), generator.integers(0, 2, 2), strict=True)
    )
    if generator.random() < 0.5:
        paint = _paint(generator)
        cv2.circle(picture, (int(x), int(y)), max(int(size), 2), paint, -1, cv2.LINE_AA)
    place = (int(x - size), int(y + size / 3))
    font = int(generator.integers(FONTS))
    _write(picture, _text(3, generator), place, size * 0.7, _paint(generator), font=font)


def bubble(picture: Pixels, generator: np.random.Generator) -> None:
    """Draw a white speech bubble with columns of signs."""
    import cv2

    height, width = picture.shape[:2]
    half = np.array([width, height]) * generator.uniform(0.06, 0.2, 2)
    middle = generator.uniform(0, 1, 2) * [width, height]
    place, axes = (int(middle[0]), int(middle[1])), (max(int(half[0]), 4), max(int(half[1]), 4))
    cv2.ellipse(picture, place, axes, 0, 0, 360, (255, 255, 255), -1, cv2.LINE_AA)
    cv2.ellipse(picture, place, axes, 0, 0, 360, (15, 15, 15), 1, cv2.LINE_AA)
    size = max(half.min() / generator.uniform(2, 5), 5.0)
    area = np.stack([middle - half * 0.6, middle + half * 0.6])
    _signs(picture, area, size, (15, 15, 15), generator)


def sign(picture: Pixels, generator: np.random.Generator) -> None:
    """Write large signs anywhere, as sounds and titles are."""
    height, width = picture.shape[:2]
    low = generator.uniform(0, 0.8, 2) * [width, height]
    size = min(height, width) * generator.uniform(0.05, 0.2)
    area = np.stack([low, low + size * generator.integers(1, 6, 2)])
    _signs(picture, area, size, _paint(generator), generator)


def _text(length: int, generator: np.random.Generator) -> str:
    return "".join(generator.choice(LETTERS, length))


def _write(
    picture: Pixels,
    text: str,
    place: tuple[int, int],
    size: float,
    paint: tuple[int, int, int],
    *,
    font: int,
    weight: int = 1,
) -> None:
    """Write letters of a height in pixels, with strokes so many times as wide as usual."""
    import cv2

    thick = max(round(size / 14), 1) * weight
    cv2.putText(picture, text, place, font, size / 24, paint, thick, cv2.LINE_AA)


def _signs(
    picture: Pixels,
    area: NDArray[np.float64],
    size: float,
    paint: tuple[int, int, int],
    generator: np.random.Generator,
) -> None:
    """Fill an area, (2, 2), with strokes in squares, which look like kana and kanji from afar."""
    import cv2

    thick = max(round(size / 9), 1)
    (first, top), (last, bottom) = area
    for left in np.arange(first, last - size * 0.5, size * 1.15)[:12]:
        for high in np.arange(top, bottom - size * 0.5, size * 1.1)[:12]:
            ends = generator.uniform(0.05, 0.95, (int(generator.integers(2, 6)), 2, 2))
            straight = generator.random(len(ends))
            ends[straight < 0.4, 1, 0] = ends[straight < 0.4, 0, 0]
            ends[straight > 0.6, 1, 1] = ends[straight > 0.6, 0, 1]
            strokes = np.rint(ends * size + [left, high]).astype(np.int32)
            cv2.polylines(picture, list(strokes), False, paint, thick, cv2.LINE_AA)


def _paint(generator: np.random.Generator) -> tuple[int, int, int]:
    """Return a colour as OpenCV takes it."""
    red, green, blue = (int(value) for value in colour(generator))
    return red, green, blue
