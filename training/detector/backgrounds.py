"""What stands behind heads and is none: colours, gradients, patterns, blobs of skin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gallery.types import Pixels

SKIN = np.array([246, 222, 206], np.float64)


def colour(generator: np.random.Generator) -> NDArray[np.float64]:
    """Return a random colour, shape (3,), from 0 to 255; pale and grey ones come often."""
    drawn = generator.uniform(0, 255, 3)
    kind = generator.random()
    if kind < 0.25:
        return np.asarray(np.full(3, drawn[0]))
    if kind < 0.5:
        return np.asarray(255 - drawn / 5)
    return drawn


def plain(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Return a picture of one colour."""
    return np.full((height, width, 3), np.rint(colour(generator)), np.uint8)


def gradient(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Return a picture that goes from one colour to another along any direction."""
    import cv2

    angle, side = generator.uniform(0, 2 * np.pi), 48
    steps = np.linspace(-1, 1, side)
    along = np.cos(angle) * steps[None] + np.sin(angle) * steps[:, None]
    share = ((along - along.min()) / np.ptp(along))[:, :, None]
    mixed = colour(generator) * share + colour(generator) * (1 - share)
    small = np.rint(mixed).astype(np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def clouds(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Return noise of several sizes between two colours."""
    import cv2

    total = np.zeros((height, width), np.float32)
    for cells in (2, 5, 12, 40):
        weight = np.float32(generator.random() / np.sqrt(cells))
        noise = weight * generator.random((cells, cells), dtype=np.float32)
        total += np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))
    total = (total - total.min()) / max(float(np.ptp(total)), 1e-6)
    if generator.random() < 0.4:
        # Flat areas with hard edges, as drawings have them.
        steps = float(generator.integers(2, 6))
        total = np.floor(total * np.float32(steps)) / np.float32(steps)
    return _between(total, generator)


def stripes(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Return stripes, checks or dots, as cloth, tiles and screen tones have them."""
    angle, period = generator.uniform(0, np.pi), generator.uniform(3, 60)
    wave = 2 * np.pi / period * np.array([np.cos(angle), np.sin(angle)])
    across = np.arange(width, dtype=np.float32)[None]
    down = np.arange(height, dtype=np.float32)[:, None]
    one = np.sin(across * np.float32(wave[0]) + down * np.float32(wave[1]))
    if generator.random() < 0.6:
        one *= np.sin(down * np.float32(wave[0]) - across * np.float32(wave[1]))
    return _between((one > generator.uniform(-0.6, 0.6)).astype(np.float32), generator)


def _between(share: NDArray[np.float32], generator: np.random.Generator) -> Pixels:
    """Return two colours mixed by shares, shape (height, width), from 0 to 1."""
    import cv2

    first, second = colour(generator), colour(generator)
    levels = np.linspace(0, 1, 256)[:, None]
    table = np.rint(first * levels + second * (1 - levels)).astype(np.uint8)
    grey = np.rint(share * np.float32(255)).astype(np.uint8)
    three = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.LUT(three, table.reshape(1, 256, 3)), np.uint8)


def lines(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Return polygons and lines over a gradient: rooms, machines, panels."""
    import cv2

    picture = gradient(width, height, generator)
    for _ in range(generator.integers(3, 25)):
        points = generator.uniform(-0.2, 1.2, (generator.integers(2, 6), 2)) * [width, height]
        corners = np.rint(points).astype(np.int32)
        paint = tuple(int(value) for value in colour(generator))
        if generator.random() < 0.5:
            cv2.fillPoly(picture, [corners], paint)
        cv2.polylines(
            picture, [corners], True, (20, 20, 20), int(generator.integers(1, 4)), cv2.LINE_AA
        )
    return picture


PATTERNS = (plain, gradient, clouds, stripes, lines)


def pattern(width: int, height: int, generator: np.random.Generator) -> Pixels:
    """Return one of PATTERNS."""
    made = PATTERNS[int(generator.integers(len(PATTERNS)))](width, height, generator)
    return np.ascontiguousarray(made)


def skin_blobs(picture: Pixels, generator: np.random.Generator) -> None:
    """Draw round and long areas of skin: hands, arms and balls, which are no heads."""
    import cv2

    height, width = picture.shape[:2]
    for _ in range(generator.integers(1, 5)):
        middle = generator.uniform(0, 1, 2) * [width, height]
        size = np.exp(generator.uniform(np.log(6), np.log(90), 2))
        tone = np.clip(SKIN * generator.uniform(0.6, 1.03) + generator.normal(0, 6, 3), 0, 255)
        paint = tuple(int(value) for value in tone)
        turn = float(generator.uniform(0, 180))
        place = (int(middle[0]), int(middle[1]))
        axes = (int(size[0]), int(size[1]))
        cv2.ellipse(picture, place, axes, turn, 0, 360, paint, -1, cv2.LINE_AA)
        if generator.random() < 0.6:
            cv2.ellipse(picture, place, axes, turn, 0, 360, (60, 40, 40), 1, cv2.LINE_AA)
