"""What training sees: batches of changed faces, the same for the same seed and step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gallery.system.threads import available_cores
from measuring.faces import Labels, Pixels
from training.augment import recoloured
from training.config import Config, Phase

HUE_SPREAD = 0.02
"""Standard deviation of a turn of hues, in shares of the circle."""


@dataclass(frozen=True, slots=True, eq=False)
class Batches(Dataset[tuple[Tensor, Tensor]]):
    """The batches of one worker in one epoch, in order."""

    config: Config
    phase: Phase
    squares: Pixels
    """Every face as its source has it, shape (faces, side, side, 3)."""
    aligned: Pixels | None
    """Every face as the product cuts it, where the recipe wants that."""
    classes: Labels
    """Of every face, shape (faces,)."""
    order: Labels
    """The faces of every step, shape (steps, batch)."""
    first: int
    """The number of the first step in the run."""
    worker: int

    def __len__(self) -> int:
        """How many steps there are."""
        return len(self.order)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        """Return crops, uint8, shape (batch, side, side, 3), and classes, shape (batch,).

        Characters of turned hues are classes of their own, after all others.
        """
        generator = np.random.default_rng((self.config.seed, self.first + place, self.worker))
        indices = self.order[place]
        labels = self.classes[indices]
        faces = [np.asarray(self.squares[index]) for index in indices]
        if self.aligned is not None:
            for own in np.flatnonzero(generator.random(len(indices)) < self.phase.aligned):
                faces[own] = np.asarray(self.aligned[indices[own]])
        if self.config.hues > 1:
            self._recolour(faces, labels, generator)
        crops = self.phase.augmentation.batch(faces, self.phase.side, generator)
        return torch.from_numpy(crops), torch.from_numpy(labels)

    def _recolour(
        self, faces: list[Pixels], labels: Labels, generator: np.random.Generator
    ) -> None:
        """Turn the hues of some of the faces, and give these their other classes."""
        count = count_classes(self.config, self.classes) // self.config.hues
        chosen = generator.random(len(faces)) < self.phase.recoloured
        hues = generator.integers(1, self.config.hues, len(faces))
        turns = hues / self.config.hues + HUE_SPREAD * generator.standard_normal(len(faces))
        for place in np.flatnonzero(chosen):
            other = recoloured(faces[place], turns[place])
            if other is not None:
                faces[place] = other
                labels[place] += hues[place] * count


def count_classes(config: Config, classes: Labels) -> int:
    """Return how many characters a run tells apart, those of turned hues among them.

    Those of one turn stand together, after all of the turn before.
    """
    return config.hues * (int(classes.max()) + 1)


def in_order(batches: Batches, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all batches; beside a GPU, the processor's cores prepare them meanwhile."""
    if device.type == "cpu":
        return (batches[place] for place in range(len(batches)))
    cores = max(available_cores() - 1, 1)
    loader = DataLoader(
        batches,
        batch_size=None,
        num_workers=cores,
        worker_init_fn=_use_one_core,
    )
    return iter(loader)


def _use_one_core(_: int) -> None:
    import cv2

    cv2.setNumThreads(0)
