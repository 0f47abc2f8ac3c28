"""Scenes with what is known of them drawn over, to be looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gallery.media.images import encode_png
from gallery.system.files import replace_file
from gallery.types import Pixels
from training.detector.config import Config
from training.detector.labels import Heads
from training.detector.scenes import Material, Painter

GREEN, RED, BLUE, YELLOW = (0, 230, 0), (240, 0, 0), (40, 90, 255), (250, 220, 0)


def drawn(pixels: Pixels, heads: Heads) -> Pixels:
    """Return a picture with boxes in green, ignored regions in yellow, eyes in blue and red.

    The left eye is blue, the right one red; a covered one is a ring.
    """
    import cv2

    picture = np.array(pixels)
    for boxes, paint in ((heads.ignored, YELLOW), (heads.boxes, GREEN)):
        for left, top, right, bottom in np.rint(boxes).astype(int).tolist():
            cv2.rectangle(picture, (left, top), (right, bottom), paint, 1)
    for eyes, seen in zip(heads.eyes, heads.seen, strict=True):
        for eye, visible, paint in zip(eyes, seen, (BLUE, RED), strict=True):
            if np.isfinite(eye).all():
                place = (int(eye[0]), int(eye[1]))
                cv2.circle(picture, place, 2, paint, -1 if visible == 1 else 1)
    return picture


def write_scenes(material: Material, config: Config, folder: Path, sheets: int = 4) -> None:
    """Write sheets of twelve painted scenes each as PNG."""
    painter = Painter(material, config.recipe)
    width, height = config.sizes[0]
    for sheet in range(sheets):
        scenes = []
        for number in range(12):
            generator = np.random.default_rng((config.seed, 1_000_000, sheet, number))
            scene = painter.scene(width, height, generator)
            scenes.append(drawn(scene.pixels, scene.heads))
        rows = [np.concatenate(scenes[start : start + 4], axis=1) for start in range(0, 12, 4)]
        replace_file(folder / f"sheet{sheet}.png", encode_png(np.concatenate(rows)))
