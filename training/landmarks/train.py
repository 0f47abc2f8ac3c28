"""The training loop of the eyes' network: one process, one core."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gallery.faces.detectors.landmarks import SIDE
from training.detector.network import prepare
from training.landmarks.config import Config
from training.landmarks.material import Material
from training.landmarks.network import CELLS, EyeNetwork
from training.landmarks.views import Recipe, View, changed, framed, roll_of, small
from training.loop import Loop, decaying, mixed_precision
from training.network import laid_out

LEAST_APART = 0.1
"""Eyes that stand closer than this share of a view's side count as if they stood so far apart."""

COVERED_WEIGHT = 0.3
"""Of a covered eye's place beside that of one that can be seen."""

SPREAD = 0.8
"""Of the votes that a cell's weights are drawn towards, in cells around the eye."""

HELD_SIDES = (24.0, 80.0)
"""Sides of heads, in pixels, at which held-out ones are looked at."""

FIGURES_EVERY = 4
"""Epochs after which the held-out heads are looked at."""

HELD_HEADS = 300
HELD_ROLL = 9.0
"""Spread, in degrees, of what the first eyes leave of a head's roll."""

PARTS = ("eye", "vote", "seen")


def losses(
    said: tuple[Tensor, Tensor, Tensor], eyes: Tensor, seen: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the losses of places, of votes and of visibility.

    A place's error counts in distances between the eyes, as it is measured. Eyes, (n, 2, 2), are in
    pixels of the view; visibility, (n, 2), is 0 or 1.
    """
    places, votes, logits = said
    apart = (eyes[:, 1] - eyes[:, 0]).norm(dim=1).clamp(min=LEAST_APART * SIDE)
    away = (places - eyes).abs().sum(dim=2) / apart[:, None]
    each = torch.where(seen > 0, 1.0, COVERED_WEIGHT)
    # What is far off is a label's fault as often as the network's.
    eye = (each * functional.smooth_l1_loss(away, 0 * away, reduction="none", beta=0.05)).mean()
    cell = SIDE / CELLS
    along = (torch.arange(CELLS) + 0.5) * cell
    square = [((along - eyes[..., axis, None]) / (SPREAD * cell)).square() for axis in (0, 1)]
    wanted = -(square[1][..., :, None] + square[0][..., None, :]).flatten(2) / 2
    vote = -(each[..., None] * wanted.softmax(dim=2) * votes).sum(dim=2).mean()
    return eye, vote, functional.binary_cross_entropy_with_logits(logits, seen)


class Trainer(Loop):
    """A run: its weights, its heads and how far it is."""

    def __init__(
        self,
        config: Config,
        material: Material,
        eyes: NDArray[np.float64],
        run: Path,
        detector: Path,
    ) -> None:
        """Begin with a detector's checkpoint, or go on from the run's last one.

        Eyes, (m, 2, 2), are NaN where not known.
        """
        super().__init__()
        self.config = config
        self.folder = run
        self.material = material
        self.eyes = eyes
        known = np.isfinite(eyes).all(axis=(1, 2))
        self.trained = np.flatnonzero(known & ~material.held)
        self.held = np.flatnonzero(np.isfinite(material.eyes).all(axis=(1, 2)) & material.held)
        torch.manual_seed(config.seed)
        torch.set_num_threads(1)
        self.network = laid_out(EyeNetwork())
        self.network.begin_with(detector)
        self.averaged = laid_out(EyeNetwork())
        self.averaged.load_state_dict(self.network.state_dict())
        for module in self.network.taken_over:
            module.requires_grad_(False)
        self.learnt = [one for one in self.network.parameters() if one.requires_grad]
        groups = decaying(self.learnt, config.weight_decay)
        self.optimiser = torch.optim.AdamW(groups, lr=config.rate)
        run.mkdir(parents=True, exist_ok=True)
        self.resume()

    def train(self, epochs: int) -> None:
        """Train up to the end of so many epochs; each is noted and kept."""
        import cv2

        cv2.setNumThreads(0)
        while self.epoch < epochs:
            self._one_epoch()

    def _one_epoch(self) -> None:
        begun = time.perf_counter()
        steps = max(self.config.epoch_views // self.config.batch, 1)
        sums = np.zeros(len(PARTS))
        self.network.train()
        for step in range(steps):
            sums += self._one_step(*self._batch(step))
        self.epoch += 1
        self.seconds += time.perf_counter() - begun
        line: dict[str, object] = {"epoch": self.epoch, "minutes": round(self.seconds / 60, 2)}
        line |= {k: round(float(v), 4) for k, v in zip(PARTS, sums / steps, strict=True)}
        line |= {"heads": len(self.trained), "rate": self._rate()}
        if self.epoch % FIGURES_EVERY == 0 or self.epoch == self.config.epochs:
            line |= self.figures()
        self.note(line)
        self.keep()

    def _batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the views of a step, with eyes and visibility."""
        config = self.config
        generator = np.random.default_rng((config.seed, self.epoch, step))
        heads = generator.choice(self.trained, config.batch)
        views = [self._view(int(head), config.recipe, generator) for head in heads]
        return batch_of(views)

    def _view(self, head: int, recipe: Recipe, generator: np.random.Generator) -> View:
        material = self.material
        return changed(
            material.pixels(head),
            material.boxes[head],
            self.eyes[head],
            native=float(material.native[head]),
            recipe=recipe,
            generator=generator,
        )

    def _one_step(self, views: Tensor, eyes: Tensor, seen: Tensor) -> NDArray[np.float64]:
        """Take one step; return the parts of the loss."""
        config = self.config
        with mixed_precision("cpu"):
            said = self.network(prepare(views))
        parts = losses(said, eyes, seen)
        whole = parts[0] + config.vote_weight * parts[1] + config.seen_weight * parts[2]
        self.optimiser.zero_grad()
        whole.backward()  # type: ignore[no-untyped-call]
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        nn.utils.clip_grad_norm_(self.learnt, 5.0)
        self.optimiser.step()
        self.step += 1
        self.average(config.average)
        return np.array([part.item() for part in parts])

    def _rate(self) -> float:
        """Return this step's learning rate: a warm-up, a plateau, and a line down to its end.

        So that a run can be made longer while it is on the plateau, and is what it would have been.
        """
        config = self.config
        steps = max(config.epoch_views // config.batch, 1)
        left = (config.epochs * steps - self.step) / (config.cooling_epochs * steps)
        warm = (self.step + 1) / config.warm_up_steps
        return config.rate * max(min(1.0, left, warm), 1e-3)

    def figures(self) -> dict[str, float]:
        """Return the median error of held-out heads, in distances between the eyes, by size.

        They are known where animeface knows them.
        """
        found = {}
        for side in HELD_SIDES:
            errors = held_errors(self.averaged, self.material, self.held[:HELD_HEADS], side)
            found[f"held_{side:g}"] = round(float(np.median(errors)), 4)
            found[f"near_{side:g}"] = round(float((errors <= 0.1).mean()), 4)
        return found


def batch_of(views: list[View]) -> tuple[Tensor, Tensor, Tensor]:
    """Return views as the network's pictures, with eyes and visibility."""
    return (
        torch.from_numpy(np.stack([one.pixels for one in views])),
        torch.from_numpy(np.stack([one.eyes for one in views])).float(),
        torch.from_numpy(np.stack([one.seen for one in views])).float(),
    )


def held_errors(
    network: EyeNetwork, material: Material, heads: NDArray[np.int64], side: float
) -> NDArray[np.float64]:
    """Return how far eyes are from animeface's, in their distances, of heads of a side in pixels.

    Heads that are much smaller in their picture are left out.
    """
    generator = np.random.default_rng(0)
    views, eyes = [], []
    for head, left in zip(heads, generator.normal(0, HELD_ROLL, len(heads)), strict=True):
        box = material.boxes[head]
        ratio = side / float((box[2:] - box[:2]).max())
        if ratio > material.native[head] * 1.5:
            continue
        places = np.vstack([box.reshape(2, 2), material.eyes[head]])
        pixels, places = small(material.pixels(int(head)), places, ratio)
        roll = roll_of(places[2:]) + float(left)
        pixels, at = framed(pixels, places[:2].reshape(4), places[2:], roll)
        views.append(pixels)
        eyes.append(at)
    found = looked_at(network, np.stack(views))
    known = np.stack(eyes)
    apart = np.linalg.norm(known[:, 1] - known[:, 0], axis=1)
    return np.asarray(np.linalg.norm(found - known, axis=2) / apart[:, None]).ravel()


@torch.no_grad()
def looked_at(network: EyeNetwork, views: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the eyes, (n, 2, 2), that a network sees in views, (n, SIDE, SIDE, 3)."""
    network.eval()
    places = [
        network(prepare(torch.from_numpy(views[begin : begin + 256])))[0]
        for begin in range(0, len(views), 256)
    ]
    return np.asarray(torch.cat(places).numpy(), np.float64)
