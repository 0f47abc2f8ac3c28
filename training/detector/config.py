"""The recipe of the detector: one file says everything that its training depends on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from training.detector.scenes import Recipe


@dataclass(frozen=True, slots=True)
class Config:
    """A recipe."""

    name: str
    seed: int
    epochs: int
    epoch_scenes: int = 8_000
    batch: int = 8
    """Scenes a step and worker."""
    label_again: int = 10
    """After this epoch the network labels the pictures itself: it finds small and odd heads that
    the two other detectors do not know."""
    sizes: tuple[tuple[int, int], ...] = ((448, 448), (640, 384), (384, 512), (320, 320))
    """Widths and heights of scenes, multiples of 32; all of a step have one of them."""
    rate: float = 2e-3
    """Learning rate after the warm-up; half a cosine leads to..."""
    last_rate: float = 1e-5
    weight_decay: float = 5e-4
    warm_up_steps: int = 300
    average: float = 0.999
    """Share of the averaged weights that stays in a step."""
    box_weight: float = 2.0
    eye_weight: float = 2.0
    seen_weight: float = 0.25
    held_pictures: float = 0.06
    held_faces: float = 0.02
    """Shares that are kept out of training, to see how it fares."""
    held_scenes: int = 96
    """Painted of what is kept out."""
    recipe: Recipe = field(default_factory=Recipe)


def read_config(path: Path) -> Config:
    """Return a recipe; raises ValueError or TypeError for one that has no meaning."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    recipe = Recipe(**table.pop("scenes", {}))
    sizes = tuple((int(width), int(height)) for width, height in table.pop("sizes"))
    if any(side < 64 or side % 32 for size in sizes for side in size):
        raise ValueError(f"The sizes {sizes} in {path} are no multiples of 32 from 64 on.")
    return Config(recipe=recipe, sizes=sizes, **table)
