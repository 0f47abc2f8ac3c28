"""What all training loops share: processes, checkpoints, averaged weights and the log.

One process for each core, with one step's gradients in shared memory: a process of its own loses
nothing when another program takes a core for a while; threads inside one operator do, for they meet
at the end of every operator.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch import multiprocessing as processes
from torch.multiprocessing.spawn import spawn

from gallery.system.files import replace_file

LAST = "last.pt"
"""A run goes on from this checkpoint."""


class Shared:
    """What the processes of a run have in common: gradients and a meeting point."""

    def __init__(self, workers: int, numbers: int) -> None:
        context = processes.get_context("spawn")
        self.workers = workers
        self.gradients = torch.zeros(workers, numbers)
        self.gradients.share_memory_()  # type: ignore[no-untyped-call]
        self.barrier = context.Barrier(workers)

    def average(self, worker: int, parameters: list[nn.Parameter]) -> None:
        """Replace each parameter's gradient by the mean over all workers."""
        if self.workers == 1:
            return
        own = torch.cat([_gradient(parameter).reshape(-1) for parameter in parameters])
        self.gradients[worker, : len(own)].copy_(own)
        self.barrier.wait()
        mean = self.gradients[:, : len(own)].mean(dim=0)
        self.barrier.wait()
        place = 0
        for parameter in parameters:
            part = mean[place : place + parameter.numel()]
            _gradient(parameter).copy_(part.view(parameter.shape))
            place += parameter.numel()


def _gradient(parameter: nn.Parameter) -> Tensor:
    """Return a parameter's gradient, which every one that learns has after a step backward."""
    assert parameter.grad is not None
    return parameter.grad


def run_workers(worker: Callable[..., Any], config: Any, place: Any, shared: Shared) -> None:
    """Make and run `worker(config, place, shared, number)` in as many processes as share.

    A single one runs in this process.
    """
    if shared.workers == 1:
        worker(config, place, shared, 0).run()
        return
    arguments = (worker, config, place, shared)
    spawn(_run_worker, args=arguments, nprocs=shared.workers)  # type: ignore[no-untyped-call]


def _run_worker(
    number: int, worker: Callable[..., Any], config: Any, place: Any, shared: Shared
) -> None:
    """Run one process of several."""
    torch.set_num_threads(1)
    worker(config, place, shared, number).run()


class Loop:
    """A run's weights and how far it is: what it keeps after an epoch and goes on from."""

    config: Any
    """The recipe, a dataclass."""
    folder: Path
    """Where the run keeps its checkpoint and its log."""
    network: nn.Module
    averaged: nn.Module
    """The network whose weights are the running mean, which is what ships."""
    optimiser: torch.optim.Optimizer

    def __init__(self) -> None:
        self.epoch = 0
        self.step = 0
        self.seconds = 0.0

    def parts(self) -> dict[str, Any]:
        """Return what a checkpoint holds the state of, by name."""
        return {"network": self.network, "averaged": self.averaged, "optimiser": self.optimiser}

    def resume(self, device: torch.device | str = "cpu") -> bool:
        """Go on from the last checkpoint; say whether there is one."""
        path = self.folder / LAST
        if not path.is_file():
            return False
        state = torch.load(path, map_location=device, weights_only=True)
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        self.epoch, self.step, self.seconds = (state[k] for k in ("epoch", "step", "seconds"))
        return True

    def keep(self) -> None:
        """Write what the run goes on from, and the recipe it followed, each at once."""
        state = {name: part.state_dict() for name, part in self.parts().items()}
        state |= {"epoch": self.epoch, "step": self.step, "seconds": self.seconds}
        partial = self.folder / "last.partial"
        torch.save(state, partial)
        partial.replace(self.folder / LAST)
        recipe = json.dumps(dataclasses.asdict(self.config), indent=1)
        replace_file(self.folder / "config.json", recipe.encode("utf-8"))

    def note(self, line: dict[str, Any]) -> None:
        """Append a line to the log, and print it."""
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        print(line, flush=True)

    @torch.no_grad()
    def average(self, most: float) -> None:
        """Let the averaged weights and statistics follow; `most` is the share that stays at most.

        In the first steps less stays: the weights that a run begins with are soon forgotten.
        """
        keep = min(most, (1 + self.step) / (10 + self.step))
        ours = [v for v in self.averaged.state_dict().values() if v.is_floating_point()]
        theirs = [v for v in self.network.state_dict().values() if v.is_floating_point()]
        torch._foreach_lerp_(ours, theirs, 1 - keep)


def mixed_precision(device: torch.device | str) -> torch.autocast:
    """Return a context that counts in bfloat16 where the device does so, else in 32 bits.

    A processor without it is several times slower in 16 bits than in 32.
    """
    kind = torch.device(device).type
    # Releases of PyTorch before 2.12 do not say what a processor can do.
    able = getattr(torch.cpu, "get_capabilities", dict[str, Any])()
    has = kind != "cpu" or any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return torch.autocast(kind, torch.bfloat16, enabled=has)


def decaying(parameters: Sequence[nn.Parameter], decay: float) -> list[dict[str, Any]]:
    """Return an optimiser's groups of parameters: matrices decay, vectors do not."""
    return [
        {"params": [one for one in parameters if one.dim() > 1], "weight_decay": decay},
        {"params": [one for one in parameters if one.dim() <= 1], "weight_decay": 0.0},
    ]


def averaged_weights(paths: list[Path]) -> dict[str, Tensor]:
    """Return the mean of the averaged weights of checkpoints of one run.

    Wortsman et al., "Model soups", 2022: it errs less on new data than any of them.
    """
    states = [torch.load(path, map_location="cpu", weights_only=True)["averaged"] for path in paths]
    return {
        name: torch.stack([state[name] for state in states]).mean(dim=0)
        if value.is_floating_point()
        else value
        for name, value in states[-1].items()
    }
