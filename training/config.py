"""One file for each published network says everything that its training depends on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.augment import Augmentation
from training.broadcast import Broadcast

LITE_SIZES = ("efficientnet-lite0", "efficientnet-lite2")
"""Networks that begin with photographs, by size."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of training at one size of picture."""

    side: int
    """Pixels, at least 103: less leaves nothing for the last convolution without padding."""
    epochs: int
    rate: float
    """Learning rate at its beginning."""
    last_rate: float
    """Learning rate at its end, by half a cosine."""
    margin: float
    last_margin: float
    """The margin goes straight from one to the other."""
    balance: float = 0.5
    """A character is drawn by its number of faces to this power."""
    shares: dict[str, float] = field(default_factory=dict)
    """How much of an epoch each style of picture takes, 0 to 1; others share the rest."""
    length_weight: float = 0.5
    """Of the spread of descriptors' lengths, beside the loss."""
    average: float = 0.9985
    """Share of the averaged weights that stays in a step."""
    head_only: bool = False
    """Whether only the last layers learn, of a network that begins with photographs."""
    aligned: float = 0.0
    """Share of the faces, 0 to 1, that the product's detector and aligner cut, not the source."""
    recoloured: float = 0.0
    """Share of the faces, 0 to 1, whose hues are turned: of characters of their own."""
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True, slots=True)
class Config:
    """A recipe."""

    name: str
    seed: int
    phases: tuple[Phase, ...]
    start: str = "human"
    """A network that gallery knows, whose weights training begins with; or one of LITE_SIZES,
    which trains that network instead of dlib's."""
    weights: str | None = None
    """A network that gallery ships, of the same kind, whose weights a lite network begins with
    instead of those of photographs."""
    inner_side: int = 0
    """Pixels a side that a lite network enlarges pictures to and sees places in, or 0: neither."""
    dropped: float = 0.15
    """The share of the last features that training of a lite network hides in a step."""
    held_characters: int = 150
    """Characters of the train split that are kept out, to set scale and thresholds by."""
    held_least: int = 6
    held_most: int = 30
    """They have this many faces each."""
    skipped: float = 0.0
    """The share of steps, 0 to 1, in which the last block of a lite network adds nothing; earlier
    ones are skipped less."""
    hues: int = 1
    """How many characters each one is: itself, and others of turned hues."""
    found: bool = False
    """Whether groups of faces of TV pictures that nobody had named take part as well."""
    splits: tuple[str, ...] = ()
    """Further splits that take part."""
    least_faces: int = 2
    """Smaller characters take no part."""
    batch: int = 80
    """Faces a step, which all workers share."""
    epoch_faces: int = 20_000
    warm_up_steps: int = 200
    scale: float = 32.0
    direction_times: float = 5.0
    """Learning rate of the characters' directions over that of the network."""
    weight_decay: float = 5e-4
    soup: bool = False
    """Whether the weights that ship are the mean over the ends of all phases, not the last; but
    of those in which the head learns alone."""

    stays: float = 0.0
    """The share of the weights that a run began with in those that ship, 0 to 1."""

    @property
    def is_dlib(self) -> bool:
        """Whether the recipe trains dlib's network, not the lite one."""
        return self.start not in LITE_SIZES

    @property
    def knows_aligned(self) -> bool:
        """Whether a phase sees faces that the product's own detector and aligner cut."""
        return any(phase.aligned > 0 for phase in self.phases)


def read_config(path: Path) -> Config:
    """Return a recipe; raises ValueError or TypeError for one that has no meaning."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    base = table.pop("augmentation", {})
    phases = tuple(
        Phase(**{**phase, "augmentation": _augmentation({**base, **phase.get("augmentation", {})})})
        for phase in table.pop("phases")
    )
    splits = tuple(table.pop("splits", ()))
    return Config(phases=phases, splits=splits, **table)


def _augmentation(table: dict[str, Any]) -> Augmentation:
    """Return how faces change, with what television does where the table says it."""
    if "broadcast" not in table:
        return Augmentation(**table)
    return Augmentation(**{**table, "broadcast": Broadcast(**table["broadcast"])})
