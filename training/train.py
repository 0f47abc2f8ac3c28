"""The training loop of the encoders."""

from __future__ import annotations

import math
import shutil
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gallery.evaluation.search import ranks
from gallery.faces.networks.dlib_format import read_network
from gallery.faces.networks.library import Library
from gallery.settings import default_models_folder
from gallery.types import DIMENSION, MatchMode
from measuring.cutting import read_aligned
from measuring.faces import Faces, Labels, Pixels
from training.batches import Batches, count_classes, in_order
from training.begun import begin, directions_of
from training.config import Config, Phase
from training.data import Place, Sampler, held_marks, train_classes
from training.found import read_training_faces
from training.lite import LiteNetwork
from training.loop import (
    LAST,
    Loop,
    Shared,
    averaged_weights,
    decaying,
    mixed_precision,
    run_workers,
)
from training.losses import MarginSoftmax, length_spread
from training.network import FaceNetwork, laid_out, load, prepare
from training.shipped import file_of

CALIBRATION_FACES = 384

DIRECTIONS = "directions.npy"
"""Where the characters lie when a run begins with a network that knows faces."""

BEGUN = "begun.pt"
"""The weights of that network, a part of which may stay in what ships."""


def train(config: Config, place: Place, workers: int) -> None:
    """Train, or go on from the last checkpoint, with this many processes until all is done.

    Raises ValueError where they cannot share a step's faces evenly.
    """
    if config.batch % workers:
        raise ValueError(f"{workers} processes cannot share {config.batch} faces evenly.")
    place.run.mkdir(parents=True, exist_ok=True)
    faces = read_training_faces(place, with_found=config.found, splits=config.splits)
    classes = train_classes(faces, held_marks(config, faces), config.least_faces)
    if config.weights and not (place.run / LAST).is_file():
        np.save(place.run / DIRECTIONS, first_directions(config, faces, classes))
    if config.knows_aligned:
        read_aligned(faces, place.cache)
    numbers = sum(one.numel() for one in build(config).parameters() if one.requires_grad)
    run_workers(
        Worker,
        config,
        place,
        Shared(workers, numbers + DIMENSION * count_classes(config, classes)),
    )


class Worker(Loop):
    """One process: its own faces, the same weights as all others."""

    def __init__(self, config: Config, place: Place, shared: Shared, number: int) -> None:
        super().__init__()
        self.config = config
        self.place = place
        self.folder = place.run
        self.shared = shared
        self.number = number
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.faces = read_training_faces(place, with_found=config.found, splits=config.splits)
        self.aligned = read_aligned(self.faces, place.cache) if config.knows_aligned else None
        held = held_marks(config, self.faces)
        self.classes = train_classes(self.faces, held, config.least_faces)
        self.held = self.faces.subset(held) if number == 0 else None
        torch.manual_seed(config.seed)
        self.network = laid_out(build(config)).to(self.device)
        self.averaged = laid_out(build(config)).to(self.device)
        self.loss = MarginSoftmax(DIMENSION, count_classes(config, self.classes), config.scale)
        self.loss.to(self.device)
        trained = [one for one in self.network.parameters() if one.requires_grad]
        self.parameters = [*trained, *self.loss.parameters()]
        self.optimiser = torch.optim.AdamW(
            [
                *({**group, "times": 1.0} for group in decaying(trained, config.weight_decay)),
                # A direction gets a gradient of note only when its character is drawn.
                {
                    "params": list(self.loss.parameters()),
                    "weight_decay": 0.0,
                    "times": config.direction_times,
                },
            ],
            lr=config.phases[0].rate,
            fused=True,
        )

    def parts(self) -> dict[str, Any]:
        """Return what a checkpoint holds the state of: the characters' directions as well."""
        return {**super().parts(), "loss": self.loss}

    @property
    def epoch_steps(self) -> int:
        """How many steps an epoch has."""
        return self.config.epoch_faces // self.config.batch

    def run(self) -> None:
        """Train until all phases are done."""
        cv2.setNumThreads(0)
        self._begin()
        first = 0
        for number, phase in enumerate(self.config.phases):
            for own in range(phase.epochs):
                if first + own == self.epoch:
                    self._one_epoch(phase, own)
                    if self.number == 0 and own == phase.epochs - 1:
                        shutil.copyfile(self.place.run / LAST, self.place.run / phase_end(number))
            first += phase.epochs

    def _begin(self) -> None:
        """Take the weights of the last checkpoint, or those to start from."""
        if self.resume(self.device):
            return
        if isinstance(self.network, LiteNetwork):
            if self.config.weights:
                begin_lite(self.network, self.config, self.faces, self.classes)
                start = torch.from_numpy(np.load(self.folder / DIRECTIONS)).to(self.device)
                # Characters that the network has not seen keep their random directions.
                seen = start.abs().amax(dim=1) > 0
                with torch.no_grad():
                    self.loss.directions[seen] = start[seen]
                if self.number == 0:
                    torch.save(self.network.state_dict(), self.folder / BEGUN)
            self.averaged.load_state_dict(self.network.state_dict())
            return
        weights = Library(default_models_folder()).locate(self.config.start)
        phase = self.config.phases[0]
        indices = self._sampler(phase).epoch(0, CALIBRATION_FACES)
        crops, _ = self._batches(phase, indices[None])[0]
        load(self.network, read_network(weights.read()), crops)
        self.averaged.load_state_dict(self.network.state_dict())

    def _one_epoch(self, phase: Phase, number: int) -> None:
        """Train for an epoch of a phase, note what came of it and keep a checkpoint."""
        begun = time.perf_counter()
        workers, batch = self.shared.workers, self.config.batch
        order = self._sampler(phase).epoch(self.epoch + 1, self.epoch_steps * batch)
        order = order.reshape(self.epoch_steps, workers, batch // workers)[:, self.number]
        sums = torch.zeros(3, device=self.device)
        self.network.train()
        if isinstance(self.network, LiteNetwork):
            self.network.let_head_learn_alone(phase.head_only)
        batches = in_order(self._batches(phase, order), self.device)
        for place, (crops, labels) in enumerate(batches):
            progress = (number + place / len(order)) / phase.epochs
            sums += self._one_step(phase, progress, crops, labels)
            if self.number == 0 and place % 10 == 0:
                now = (sums / (place + 1)).tolist()
                rate = (time.perf_counter() - begun) / ((place + 1) * batch)
                print(
                    f"epoch {self.epoch} step {place}/{len(order)} loss {now[0]:.3f} "
                    f"right {now[1]:.3f} spread {now[2]:.4f} {rate * 1000:.2f} ms/face",
                    flush=True,
                )
        self.epoch += 1
        self.seconds += time.perf_counter() - begun
        if self.number == 0:
            self._fare(phase, (sums / len(order)).tolist())
            self.keep()

    def _sampler(self, phase: Phase) -> Sampler:
        """Return what draws the faces of a phase."""
        return Sampler(self.classes, self.faces, phase.balance, phase.shares, self.config.seed)

    def _batches(self, phase: Phase, order: Labels) -> Batches:
        """Return the batches of this worker from here on, whose faces have the shape of `order`."""
        return Batches(
            self.config,
            phase,
            self.faces.pixels,
            self.aligned,
            self.classes,
            order,
            self.step,
            self.number,
        )

    def _one_step(self, phase: Phase, progress: float, crops: Tensor, classes: Tensor) -> Tensor:
        """Take one step; return loss, share of right faces and spread of lengths, shape (3,)."""
        inputs, labels = prepare(crops.to(self.device)), classes.to(self.device)
        margin = phase.margin + progress * (phase.last_margin - phase.margin)
        with mixed_precision(self.device):
            descriptors = self.network(inputs)
        descriptors = descriptors.float()
        loss, right = self.loss(descriptors, labels, margin)
        spread = length_spread(descriptors)
        self.optimiser.zero_grad()
        (loss + phase.length_weight * spread).backward()
        learning = [one for one in self.parameters if one.grad is not None]
        self.shared.average(self.number, learning)
        warm = min(1.0, (self.step + 1) / self.config.warm_up_steps)
        cosine = (1 + math.cos(math.pi * progress)) / 2
        rate = phase.last_rate + cosine * (phase.rate - phase.last_rate)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * warm * group["times"]
        nn.utils.clip_grad_norm_(learning, 5.0)
        self.optimiser.step()
        self.step += 1
        if self.number == 0:
            self.average(phase.average)
        return torch.stack([loss, right, spread]).detach()

    def _fare(self, phase: Phase, means: list[float]) -> None:
        """Append a line to the log: how training and the held-out characters fare."""
        assert self.held is not None
        descriptors = describe(self.averaged, self.held.pixels, phase.side, self.device)
        _, labels = np.unique(self.held.identity, return_inverse=True)
        lengths = np.linalg.norm(descriptors, axis=1)
        hits = {
            name: float((ranks(values, labels, MatchMode.IDEAL) == 0).mean())
            for name, values in (
                ("raw", descriptors),
                ("normed", descriptors / lengths[:, None]),
            )
        }
        line = {
            "epoch": self.epoch,
            "side": phase.side,
            "minutes": round(self.seconds / 60, 2),
            "loss": round(means[0], 4),
            "right": round(means[1], 4),
            "spread": round(means[2], 5),
            "held_rank_1": round(hits["normed"], 4),
            "held_rank_1_raw": round(hits["raw"], 4),
            "length_spread": round(float(lengths.std() / lengths.mean()), 4),
            "rate": self.optimiser.param_groups[0]["lr"],
        }
        self.note(line)


def first_directions(config: Config, faces: Faces, classes: Labels) -> NDArray[np.float32]:
    """Return where the network that a recipe begins with sees every character."""
    network = build(config)
    assert isinstance(network, LiteNetwork)
    begin_lite(network, config, faces, classes)
    return directions_of(network, faces.pixels, classes, config.hues, config.phases[0].side)


def begin_lite(network: LiteNetwork, config: Config, faces: Faces, classes: Labels) -> None:
    """Give a lite network the weights of the one that its recipe begins with."""
    assert config.weights is not None
    own = np.flatnonzero(classes >= 0)
    drawn = np.random.default_rng(config.seed).choice(own, CALIBRATION_FACES, replace=True)
    side = config.phases[0].side
    crops = [cv2.resize(np.asarray(faces.pixels[row]), (side, side)) for row in np.sort(drawn)]
    begin(network, file_of(config.weights), np.stack(crops).astype(np.uint8, copy=False))


def phase_end(number: int) -> str:
    """Return the name of the checkpoint at the end of a phase, counted from 0."""
    return f"phase{number}.pt"


def checkpoints(config: Config, run: Path) -> list[Path]:
    """Return the checkpoints whose mean is what a run came to."""
    if config.soup:
        return [
            run / phase_end(number)
            for number, phase in enumerate(config.phases)
            if not phase.head_only
        ]
    return [run / LAST]


def trained_weights(config: Config, run: Path) -> dict[str, Tensor]:
    """Return the weights that a run came to, with the share of those it began with that stays.

    Wortsman et al., "Robust fine-tuning of zero-shot models", 2022: between both a network keeps
    what it knew and has much of what it learned.
    """
    averaged = averaged_weights(checkpoints(config, run))
    if not config.stays:
        return averaged
    begun = torch.load(run / BEGUN, map_location="cpu", weights_only=True)
    return {
        name: torch.lerp(value, begun[name], config.stays) if value.is_floating_point() else value
        for name, value in averaged.items()
    }


def build(config: Config) -> FaceNetwork | LiteNetwork:
    """Return the network that a recipe trains."""
    return (
        FaceNetwork()
        if config.is_dlib
        else LiteNetwork(config.start, config.inner_side, config.dropped, config.skipped)
    )


@torch.no_grad()
def describe(
    network: nn.Module,
    pixels: Pixels,
    side: int,
    device: torch.device,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return raw descriptors, shape (n, DIMENSION), of stored faces scaled to this side."""
    network.eval()
    answers = []
    for start in range(0, len(pixels), 64):
        crops = np.stack(
            [
                cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
                for picture in pixels[start : start + 64]
            ]
        )
        with mixed_precision(device):
            answers.append(
                network(prepare(torch.from_numpy(crops).to(device))).float().cpu().numpy()
            )
    return np.concatenate(answers).astype(np.float64)
