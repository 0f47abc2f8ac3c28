"""The training loop of the detector: as the encoder's, one process for each core.

Scenes are painted by the process that learns from them; where there is a GPU, processes of their
own paint for it.
"""

from __future__ import annotations

import math
import os
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from gallery.faces.detectors.heads import LONGER_SIDE, fit, strongest
from gallery.types import Pixels
from training.detector.assign import NOBODY, assigned, cells
from training.detector.config import Config
from training.detector.geometry import cut, moved, turned
from training.detector.labels import Heads, own_labels
from training.detector.losses import DOUBT_WEIGHT, OWN_DOUBT_WEIGHT, Targets, losses
from training.detector.network import HeadNetwork, decode, prepare
from training.detector.scenes import Painter, Scene
from training.detector.score import figures
from training.detector.supply import Place, supply
from training.loop import Loop, Shared, averaged_weights, decaying, mixed_precision, run_workers
from training.network import laid_out

LEAST_SCORE = 0.05
"""Boxes of less are left out of the figures; they change nothing but the time."""

HELD_ROLL = 45.0
"""Degrees by which held pictures are turned, every second to the left, to see how they fare."""

PARTS = ("score", "box", "eye", "seen")


class Batches(Dataset[tuple[Tensor, Targets]]):
    """The batches of one process's steps in an epoch."""

    def __init__(
        self, config: Config, painter: Painter, epoch: int, worker: int, steps: int
    ) -> None:
        self._config = config
        self._painter = painter
        self._epoch = epoch
        self._worker = worker
        self._steps = steps

    def __len__(self) -> int:
        """How many steps there are."""
        return self._steps

    def __getitem__(self, step: int) -> tuple[Tensor, Targets]:
        """Return the pictures and targets of a step; all processes have scenes of one size."""
        config = self._config
        place = np.random.default_rng((config.seed, self._epoch, step)).integers(len(config.sizes))
        width, height = config.sizes[int(place)]
        scenes = [
            self._painter.scene(
                width,
                height,
                np.random.default_rng((config.seed, self._epoch, step, self._worker, number)),
            )
            for number in range(config.batch)
        ]
        return batch_of(scenes)


def batch_of(scenes: list[Scene]) -> tuple[Tensor, Targets]:
    """Return scenes of one size as pictures, (n, height, width, 3), and what to say of them."""
    height, width = scenes[0].pixels.shape[:2]
    places = cells(height, width)
    answers, before = [], 0
    for scene in scenes:
        own = assigned(scene.heads, places)
        answers.append(np.where(own > NOBODY, own + before, own))
        before += len(scene.heads)
    boxes, eyes, seen = (
        torch.from_numpy(np.concatenate([getattr(scene.heads, name) for scene in scenes])).float()
        for name in ("boxes", "eyes", "seen")
    )
    doubtful = torch.tensor([scene.is_doubtful for scene in scenes])
    pictures = torch.from_numpy(np.stack([scene.pixels for scene in scenes]))
    return pictures, Targets(torch.from_numpy(np.stack(answers)), boxes, eyes, seen, doubtful)


def train(config: Config, place: Place, workers: int) -> None:
    """Train, or go on from the last checkpoint, with this many processes up to `last_epoch`."""
    place.run.mkdir(parents=True, exist_ok=True)
    shared = Shared(workers, sum(one.numel() for one in HeadNetwork().parameters()))
    run_workers(Worker, config, place, shared)


def last_epoch(config: Config, place: Place) -> int:
    """Return how many epochs can be done with the labels that are there."""
    return config.epochs if own_labels(place.cache).is_file() else config.label_again


class Worker(Loop):
    """One process: its own scenes, the same weights as all others."""

    def __init__(self, config: Config, place: Place, shared: Shared, number: int) -> None:
        super().__init__()
        self.config = config
        self.place = place
        self.folder = place.run
        self.shared = shared
        self.number = number
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.supply = supply(config, place)
        has_own = own_labels(place.cache).is_file()
        self.doubt_weight = OWN_DOUBT_WEIGHT if has_own else DOUBT_WEIGHT
        self.painter = Painter(self.supply.trained, config.recipe)
        torch.manual_seed(config.seed)
        self.network = laid_out(HeadNetwork()).to(self.device)
        self.averaged = laid_out(HeadNetwork()).to(self.device)
        self.averaged.load_state_dict(self.network.state_dict())
        self.parameters = list(self.network.parameters())
        groups = decaying(self.parameters, config.weight_decay)
        self.optimiser = torch.optim.AdamW(groups, lr=config.rate, fused=True)

    @property
    def epoch_steps(self) -> int:
        """How many steps an epoch has."""
        return max(self.config.epoch_scenes // (self.config.batch * self.shared.workers), 1)

    def run(self) -> None:
        """Train until all epochs are done."""
        import cv2

        cv2.setNumThreads(0)
        self._begin()
        while self.epoch < last_epoch(self.config, self.place):
            self._one_epoch()

    def _begin(self) -> None:
        """Take the weights of the last checkpoint where there is one, else those to start from."""
        if not self.resume(self.device) and self.place.start is not None:
            weights = averaged_weights([self.place.start])
            self.network.load_state_dict(weights)
            self.averaged.load_state_dict(weights)

    def _one_epoch(self) -> None:
        """Train for an epoch, note what came of it and keep a checkpoint."""
        begun = time.perf_counter()
        batches = Batches(self.config, self.painter, self.epoch, self.number, self.epoch_steps)
        painters = 0 if self.device.type == "cpu" else max((os.cpu_count() or 1) - 1, 1)
        sums = np.zeros(len(PARTS))
        self.network.train()
        loader: DataLoader[tuple[Tensor, Targets]] = DataLoader(
            batches, batch_size=None, num_workers=painters
        )
        for place, (pictures, targets) in enumerate(loader):
            sums += self._one_step(pictures, targets)
            if self.number == 0 and place % 10 == 0:
                self._say(place, sums / (place + 1), time.perf_counter() - begun)
        self.epoch += 1
        self.seconds += time.perf_counter() - begun
        if self.number == 0:
            self._fare(sums / len(batches))
            self.keep()

    def _say(self, place: int, means: NDArray[np.float64], seconds: float) -> None:
        """Print how an epoch goes."""
        scenes = (place + 1) * self.config.batch * self.shared.workers
        parts = " ".join(f"{name} {mean:.3f}" for name, mean in zip(PARTS, means, strict=True))
        print(
            f"epoch {self.epoch} step {place}/{self.epoch_steps} {parts} "
            f"{seconds / scenes * 1000:.1f} ms/scene",
            flush=True,
        )

    def _one_step(self, pictures: Tensor, targets: Targets) -> NDArray[np.float64]:
        """Take one step; return the parts of the loss."""
        config = self.config
        with mixed_precision(self.device):
            maps = self.network(prepare(pictures.to(self.device)))
        said = decode([one.float() for one in maps])
        parts = losses(said, targets.to(self.device), self.doubt_weight)
        whole = (
            parts.score
            + config.box_weight * parts.box
            + config.eye_weight * parts.eye
            + config.seen_weight * parts.seen
        )
        self.optimiser.zero_grad()
        whole.backward()
        self.shared.average(self.number, self.parameters)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        nn.utils.clip_grad_norm_(self.parameters, 10.0)
        self.optimiser.step()
        self.step += 1
        if self.number == 0:
            self.average(config.average)
        return np.array([getattr(parts, name).item() for name in PARTS])

    def _rate(self) -> float:
        """Return this step's learning rate: a warm-up, then half a cosine."""
        config = self.config
        progress = min(self.step / (config.epochs * self.epoch_steps), 1.0)
        cosine = (1 + math.cos(math.pi * progress)) / 2
        warm = min(1.0, (self.step + 1) / config.warm_up_steps)
        return warm * (config.last_rate + cosine * (config.rate - config.last_rate))

    def _fare(self, means: NDArray[np.float64]) -> None:
        """Append a line to the log: how training, held-out pictures and held-out faces fare."""
        line: dict[str, Any] = {"epoch": self.epoch, "minutes": round(self.seconds / 60, 2)}
        line |= {name: round(float(mean), 4) for name, mean in zip(PARTS, means, strict=True)}
        line["rate"] = self._rate()
        held = Painter(self.supply.held, self.config.recipe)
        width, height = self.config.sizes[0]
        generators = [np.random.default_rng((0, n)) for n in range(self.config.held_scenes)]
        scenes = [held.scene(width, height, generator) for generator in generators]
        scores = {
            "pictures": self._figures(self.supply.held_pictures),
            "turned": self._figures(
                [
                    turned(*picture, HELD_ROLL if place % 2 else -HELD_ROLL)
                    for place, picture in enumerate(self.supply.held_pictures)
                ]
            ),
            "scenes": self._figures([(scene.pixels, scene.heads) for scene in scenes]),
        }
        line |= {
            f"{kind}_{name}": value for kind, own in scores.items() for name, value in own.items()
        }
        self.note(line)

    def _figures(self, pictures: list[tuple[Pixels, Heads]]) -> dict[str, float]:
        """Return how well the averaged network finds heads; pictures are scaled as in use."""
        found, known = [], []
        for pixels, heads in pictures:
            fitted = fit(pixels, LONGER_SIDE)
            found.append(find(self.averaged, fitted.pixels, self.device))
            matrix = np.array([[fitted.scale, 0.0, 0.0], [0.0, fitted.scale, 0.0]])
            known.append(cut(moved(heads, matrix), *fitted.pixels.shape[1::-1]))
        return figures(found, known)


@torch.no_grad()
def find(network: HeadNetwork, pixels: Pixels, device: torch.device) -> NDArray[np.float32]:
    """Return the heads of a picture whose sides are multiples of 32, as the shipped file has them.

    Shape (n, NUMBERS), best first.
    """
    network.eval()
    pictures = prepare(torch.from_numpy(pixels[None]).to(device))
    with mixed_precision(device):
        maps = network(pictures)
    rows = decode([one.float() for one in maps])[0]
    rows[:, 0], rows[:, 9:] = rows[:, 0].sigmoid(), rows[:, 9:].sigmoid()
    return strongest(rows.cpu().numpy(), LEAST_SCORE)
