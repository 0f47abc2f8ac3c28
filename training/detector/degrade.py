"""What happens to a picture on its way: light, colour, blur, noise, compression, print."""

from __future__ import annotations

import numpy as np

from gallery.types import Pixels


def degraded(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Return the picture changed in some of these ways."""
    chance = generator.random(8)
    if chance[0] < 0.6:
        picture = _lit(picture, generator)
    if chance[1] < 0.14:
        picture = _grey(picture)
        if chance[2] < 0.3:
            picture = _printed(picture, generator)
    elif chance[1] < 0.24:
        picture = _tinted(picture, generator)
    if chance[3] < 0.2:
        picture = _blurred(picture, generator)
    elif chance[3] < 0.35:
        picture = _reduced(picture, generator)
    elif chance[3] < 0.47:
        picture = _sharpened(picture, generator)
    if chance[4] < 0.15:
        picture = _noisy(picture, generator)
    if chance[5] < 0.45:
        picture = _compressed(picture, int(generator.integers(25, 95)))
    return picture


def _lit(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Change brightness, gamma and each colour a little."""
    import cv2

    gain = 1 + 0.15 * generator.normal() + 0.05 * generator.normal(size=3)
    levels = np.linspace(0, 1, 256)[:, None] ** np.exp(0.3 * generator.normal()) * gain
    table = np.rint(np.clip(levels * 255, 0, 255)).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table.reshape(1, 256, 3)), np.uint8)


def _grey(picture: Pixels) -> Pixels:
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def _printed(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Return a grey picture as black ink on paper: white, dots, black."""
    height, width = picture.shape[:2]
    period = generator.uniform(2.5, 5)
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    dots = np.sin(np.pi / period * (across + down)) * np.sin(np.pi / period * (across - down))
    tone = picture[:, :, 0] + 55 * dots
    ink = np.clip((tone - generator.uniform(80, 150)) * 6 + 128, 0, 255)
    return np.repeat(ink.astype(np.uint8)[:, :, None], 3, axis=2)


def _tinted(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Light a picture with one colour, or at night."""
    light = generator.uniform(0.35, 1.0, 3)
    share = generator.uniform(0.3, 1.0)
    grey = picture.mean(axis=2, keepdims=True)
    mixed = (picture * (1 - share / 2) + grey * share / 2) * (1 - share + share * light)
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def _blurred(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Blur all over, or along a direction as movement does."""
    import cv2

    if generator.random() < 0.7:
        return np.asarray(
            cv2.GaussianBlur(picture, (0, 0), float(generator.uniform(0.5, 1.8))), np.uint8
        )
    size, angle = int(generator.integers(3, 9)), generator.uniform(0, np.pi)
    kernel = np.zeros((size, size), np.float32)
    for step in np.linspace(-0.5, 0.5, size * 3) * (size - 1):
        row = round(float(step * np.sin(angle)) + (size - 1) / 2)
        column = round(float(step * np.cos(angle)) + (size - 1) / 2)
        kernel[row, column] = 1
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.uint8)


def _reduced(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Scale down and up again."""
    import cv2

    height, width = picture.shape[:2]
    share = generator.uniform(0.4, 0.9)
    small = cv2.resize(
        picture, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA
    )
    ways = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)
    way = ways[int(generator.integers(len(ways)))]
    return np.asarray(cv2.resize(small, (width, height), interpolation=way), np.uint8)


def _sharpened(picture: Pixels, generator: np.random.Generator) -> Pixels:
    import cv2

    soft = cv2.GaussianBlur(picture, (0, 0), float(generator.uniform(0.8, 2.5)))
    strength = float(generator.uniform(0.3, 1.3))
    return np.asarray(cv2.addWeighted(picture, 1 + strength, soft, -strength, 0), np.uint8)


def _noisy(picture: Pixels, generator: np.random.Generator) -> Pixels:
    height, width = picture.shape[:2]
    noise = generator.integers(-128, 128, (height, width, 1)) * generator.uniform(0.02, 0.15)
    return np.asarray(np.clip(picture + noise, 0, 255), np.uint8)


def _compressed(picture: Pixels, quality: int) -> Pixels:
    import cv2

    _, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    back = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(back[:, :, ::-1])
