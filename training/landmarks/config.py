"""The recipe of the eyes' network: one file says everything that its training depends on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from training.landmarks.views import Recipe


@dataclass(frozen=True, slots=True)
class Config:
    """A recipe."""

    name: str
    seed: int
    epochs: int
    label_again: int
    """After this epoch the network labels the heads itself that animeface has no eyes of; 0 for
    never."""
    cooling_epochs: int
    """In so many of them, the last, the learning rate goes down to nothing."""
    epoch_views: int = 4_000
    batch: int = 32
    rate: float = 3e-3
    """Learning rate between warm-up and cooling."""
    weight_decay: float = 1e-3
    warm_up_steps: int = 50
    average: float = 0.995
    """Share of the averaged weights that stays in a step."""
    vote_weight: float = 0.05
    seen_weight: float = 0.02
    held: float = 0.05
    """Share of characters and of pictures that is kept out of training."""
    recipe: Recipe = field(default_factory=Recipe)


def read_config(path: Path) -> Config:
    """Return a recipe; raises TypeError for one that has no meaning."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    recipe = Recipe(**table.pop("views", {}))
    return Config(recipe=recipe, **table)
