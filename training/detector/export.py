"""From a checkpoint to the file that ships, with a check that both say the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gallery.system.files import replacing
from training.detector.network import HeadNetwork, Shipped
from training.loop import averaged_weights
from training.onnx_writer import write_onnx

TOLERANCE = 1e-4
"""Largest difference between the runtimes, in scores, and of places in shares of the picture."""

SIZES = ((1, 384, 640), (3, 256, 352), (2, 32, 32))
"""Pictures, rows and columns that the file is tried with."""


def averaged_network(checkpoint: Path) -> HeadNetwork:
    """Return the averaged network of a checkpoint, ready for inference."""
    network = HeadNetwork()
    network.load_state_dict(averaged_weights([checkpoint]))
    return network.eval()


def export(network: HeadNetwork, path: Path) -> float:
    """Write a network as ONNX; return the largest difference of ONNX Runtime from PyTorch.

    Raises ValueError, and writes nothing, where that is above TOLERANCE.
    """
    shipped = Shipped(network.eval()).eval()
    with replacing(path) as partial:
        write_onnx(
            shipped,
            torch.zeros(2, 96, 160, 3, dtype=torch.uint8),
            partial,
            takes=("pictures", {0: "n", 1: "height", 2: "width"}),
            gives=("heads", {0: "n", 1: "cells"}),
        )
        difference = largest_difference(shipped, partial)
        if not difference <= TOLERANCE:
            raise ValueError(f"ONNX Runtime differs from PyTorch by {difference:.1e}.")
    return difference


def largest_difference(shipped: Shipped, path: Path) -> float:
    """Return the largest difference over pictures of noise, places in shares of the picture."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(0)
    worst = 0.0
    for size in SIZES:
        pictures = generator.integers(0, 256, (*size, 3)).astype(np.uint8)
        (answered,) = session.run(None, {"pictures": pictures})
        with torch.no_grad():
            wanted = shipped(torch.from_numpy(pictures)).numpy()
        away = np.abs(answered - wanted)
        away[..., 1:9] /= max(size[1:])
        worst = max(worst, float(away.max()))
    return worst
