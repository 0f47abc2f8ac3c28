"""From a checkpoint to the file that ships, with a check that both say the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gallery.faces.detectors.landmarks import SIDE
from gallery.system.files import replacing
from training.landmarks.network import EyeNetwork, Shipped
from training.loop import averaged_weights
from training.onnx_writer import write_onnx

TOLERANCE = 0.05
"""Largest difference between the runtimes in pixels of the view; weights are stored as halves."""

HALVED_FROM = 512
"""Arrays of so many numbers and more are stored in half precision, which halves the file."""


def export(checkpoint: Path, path: Path) -> float:
    """Write a run's averaged network as ONNX; return the largest difference from PyTorch.

    Raises ValueError, and writes nothing, where that is above TOLERANCE.
    """
    network = EyeNetwork()
    network.load_state_dict(averaged_weights([checkpoint]))
    shipped = Shipped(network.eval()).eval()
    with replacing(path) as partial:
        write_onnx(
            shipped,
            torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8),
            partial,
            takes=("views", {0: "n"}),
            gives=("eyes", {0: "n"}),
        )
        store_as_halves(partial)
        difference = largest_difference(shipped, partial)
        if not difference <= TOLERANCE:
            raise ValueError(f"ONNX Runtime differs from PyTorch by {difference:.1e}.")
    return difference


def store_as_halves(path: Path) -> None:
    """Store large arrays of a file in half precision; they become floats when it is opened."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    graph = model.graph
    casts = []
    for one in list(graph.initializer):
        values = numpy_helper.to_array(one)
        if values.dtype == np.float32 and values.size >= HALVED_FROM:
            stored = f"{one.name}_half"
            casts.append(helper.make_node("Cast", [stored], [one.name], to=TensorProto.FLOAT))
            one.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def largest_difference(shipped: Shipped, path: Path) -> float:
    """Return the largest difference of eyes over views of noise, in pixels."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    views = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3)).astype(np.uint8)
    (answered,) = session.run(None, {"views": views})
    with torch.no_grad():
        wanted = shipped(torch.from_numpy(views)).numpy()
    return float(np.abs(answered - wanted).max())
