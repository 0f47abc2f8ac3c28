"""What television does to a face: film, tape, fields, discs, darkness and what is written over it.

Every function takes a picture, uint8, shape (rows, columns, 3), RGB, and a generator, and returns a
new picture of the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.detector.overlays import subtitle

Pixels = NDArray[np.uint8]

NIGHT = np.array([0.75, 0.85, 1.15])
"""Darkness in drawn pictures takes red away first."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """How often a face has been through each, as shares of faces, 0 to 1."""

    faded_rate: float = 0.0
    """Blacks have become grey and colours have paled towards one cast, as on old film."""
    night_rate: float = 0.0
    """Dark, and bluish more often than not."""
    written_rate: float = 0.0
    """With subtitles, or between bars."""
    tape_rate: float = 0.0
    """Recorded on tape: soft, with colours that bleed to the right, and noise."""
    grain_rate: float = 0.0
    """With the grain of film."""
    fields_rate: float = 0.0
    """Made of two fields, of different moments or with one left out."""
    disc_rate: float = 0.0
    """Coded with few lines, few colours and few bits, as on a DVD or in a small download."""

    def change(self, picture: Pixels, generator: np.random.Generator) -> Pixels:
        """Return a picture after what has happened to it, in the order in which that happens."""
        steps = (
            (self.faded_rate, faded),
            (self.night_rate, darkened),
            (self.written_rate, written_over),
            (self.tape_rate, taped),
            (self.grain_rate, grained),
            (self.fields_rate, in_fields),
            (self.disc_rate, coded),
        )
        chances = generator.random(len(steps))
        for chance, (rate, step) in zip(chances, steps, strict=True):
            if chance < rate:
                picture = step(picture, generator)
        return picture


def faded(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Return colours as old film has them: less contrast, paler, with a cast."""
    low = generator.uniform(5, 50, 3) * [1, 0.8, 0.8]
    high = generator.uniform(185, 250) * generator.uniform(0.88, 1, 3)
    grey = picture.mean(axis=2, keepdims=True)
    pale = picture + generator.uniform(0.05, 0.5) * (grey - picture)
    return _bytes(low + pale * (high - low) / 255)


def darkened(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Return the picture as at night."""
    cast = NIGHT ** generator.uniform(-0.5, 1.5)
    levels = np.arange(256)[:, None] / 255
    levels = levels ** generator.uniform(0.9, 1.4) * generator.uniform(0.25, 0.7) * cast
    table = _bytes(levels * 255)
    return np.asarray(np.take_along_axis(table, picture.reshape(-1, 3), axis=0)).reshape(
        picture.shape
    )


def written_over(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Return the picture with subtitles below, or with black bars above and below."""
    picture = picture.copy()
    if generator.random() < 0.5:
        subtitle(picture, generator)
        return picture
    rows = picture.shape[0]
    above, below = (generator.uniform(0, 0.16, 2) * rows).astype(int)
    picture[:above] = picture[rows - below :] = int(generator.integers(0, 25))
    return picture


def taped(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Return the picture as a video tape keeps it.

    Lines keep a third of their detail and a tenth of their colours' detail, which come late; edges
    ring, and noise runs along the lines.
    """
    import cv2

    rows, columns = picture.shape[:2]
    light, *colours = cv2.split(cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb))
    light = cv2.GaussianBlur(light, (0, 0), sigmaX=generator.uniform(0.6, 1.6), sigmaY=0.3)
    ringing = cv2.GaussianBlur(light, (0, 0), sigmaX=2.0, sigmaY=0.3)
    light = cv2.addWeighted(light, 1 + (much := generator.uniform(0.2, 1.2)), ringing, -much, 0)
    width, late = max(int(columns * generator.uniform(0.1, 0.3)), 2), int(generator.integers(0, 5))
    few = [cv2.resize(one, (width, rows // 2), interpolation=cv2.INTER_AREA) for one in colours]
    bled = [np.roll(cv2.resize(one, (columns, rows)), late, axis=1) for one in few]
    noise = cv2.GaussianBlur(
        generator.standard_normal((rows, columns)).astype(np.float32), (0, 0), 1.2, sigmaY=0.2
    )
    noisy = _bytes(light + noise * generator.uniform(2, 16))
    return np.asarray(cv2.cvtColor(cv2.merge([noisy, *bled]), cv2.COLOR_YCrCb2RGB), np.uint8)


def grained(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Return the picture with grain of one to two pixels, strongest at half light."""
    import cv2

    noise = generator.standard_normal(picture.shape[:2]).astype(np.float32)
    size = generator.uniform(0.3, 0.9)
    noise = cv2.GaussianBlur(noise, (0, 0), size) * (2 * size)
    middle = 1 - np.abs(picture.mean(axis=2) / 127.5 - 1) / 1.5
    return _bytes(picture + (noise * middle * generator.uniform(4, 22))[..., None])


def in_fields(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Return the picture with every second line of another moment, or repeated."""
    picture = picture.copy()
    rows = picture.shape[0] // 2 * 2
    if generator.random() < 0.5:
        picture[1:rows:2] = picture[0:rows:2]
    else:
        moved = int(generator.integers(1, 6)) * (1 if generator.random() < 0.5 else -1)
        picture[1:rows:2] = np.roll(picture[1:rows:2], moved, axis=1)
    return picture


def coded(picture: Pixels, generator: np.random.Generator) -> Pixels:
    """Return the picture after a coarse code of fewer lines, enlarged again."""
    import cv2

    rows, columns = picture.shape[:2]
    across, down = (max(int(side * generator.uniform(0.35, 0.9)), 16) for side in (columns, rows))
    small = cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(generator.integers(18, 60))]
    # OpenCV takes blue first, and JPEG keeps less of blue than of red.
    written, data = cv2.imencode(".jpg", small[:, :, ::-1], quality)
    assert written, "OpenCV cannot write JPEG"
    read = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert read is not None, "OpenCV cannot read its own JPEG"
    large = cv2.resize(read, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(large[:, :, ::-1], dtype=np.uint8)


def _bytes(values: NDArray[np.floating]) -> Pixels:
    """Return values as bytes, rounded and kept within 0 to 255."""
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)
