"""Lets a lite network begin with the weights of one that ships, and its loss with what it says.

The file has every convolution joined with its norm; training wants the norms back.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from gallery.types import DIMENSION
from measuring.faces import Labels, Pixels
from training.augment import recoloured
from training.lite import NORMS, LiteNetwork
from training.network import calibration, prepare

if TYPE_CHECKING:
    from onnx import NodeProto

CHARACTERS_AT_ONCE = 24

EXAMPLES = {False: 3, True: 1}
"""How many faces of a character say where it lies, by whether their hues are turned."""

PROJECTION = "/network/projection/MatMul"

NORM_PARTS = ("weight", "bias", "running_mean", "running_var")
"""In the order of BatchNormalization's inputs."""

Numbers = NDArray[np.float32]


def begin(network: LiteNetwork, path: Path, crops: Pixels) -> None:
    """Set the weights from a file of the same network, with norms that change nothing.

    The crops, shape (n, side, side, 3), give the norms their statistics. Raises ValueError for a
    file of another network.
    """
    nodes, values = _read(path)
    layers = _layers(path, nodes, values)
    handles = []
    with torch.no_grad():
        projection, _ = layers.pop("projection")
        _set(network.projection.weight, projection.T)
        for name, (filters, biases) in layers.items():
            convolution = network.body.get_submodule(name)
            _set(convolution.weight, filters)
            if convolution.bias is not None:
                _set(convolution.bias, biases)
                continue
            norm = _norm_after(network.body, name)
            hook = calibration(np.ones_like(biases), biases)
            handles.append(norm.register_forward_pre_hook(hook))
        # The norm of the features with their cells stands in the file as it is.
        for node in nodes:
            if node.op_type == "BatchNormalization":
                for part, name in zip(NORM_PARTS, node.input[1:], strict=True):
                    _set(getattr(network.norm, part), values[name])
        # In training they would move on from what the hooks set.
        network.eval()(prepare(torch.from_numpy(crops)))
    for handle in handles:
        handle.remove()


@torch.no_grad()
def directions_of(
    network: LiteNetwork, pixels: Pixels, classes: Labels, hues: int, side: int
) -> NDArray[np.float32]:
    """Return where a network sees every character, shape (hues * classes, DIMENSION).

    That is the mean over the first of its faces, of length 1; those of turned hues stand after all
    others, as in `Batches`. Where a turn changes too little, there is no such character: zeros.
    """
    network.eval()
    first = [np.flatnonzero(classes == own) for own in range(int(classes.max()) + 1)]
    found = np.zeros((hues, len(first), DIMENSION), np.float32)
    for hue in range(hues):
        for start in range(0, len(first), CHARACTERS_AT_ONCE):
            faces, owners = [], []
            for own, rows in enumerate(first[start : start + CHARACTERS_AT_ONCE], start):
                for row in rows[: EXAMPLES[hue > 0]]:
                    face = np.asarray(pixels[row])
                    seen = recoloured(face, hue / hues) if hue else face
                    if seen is not None:
                        faces.append(cv2.resize(seen, (side, side), interpolation=cv2.INTER_AREA))
                        owners.append(own)
            if faces:
                described = functional.normalize(
                    network(prepare(torch.from_numpy(np.stack(faces))))
                )
                np.add.at(found[hue], owners, described.numpy())
    lengths = np.linalg.norm(found, axis=2, keepdims=True)
    return (found / np.maximum(lengths, 1e-12)).reshape(-1, DIMENSION)


def _read(path: Path) -> tuple[list[NodeProto], dict[str, Numbers]]:
    """Return a file's nodes and its numbers by their names."""
    import onnx

    graph = onnx.load(str(path)).graph
    values = {
        one.name: np.array(onnx.numpy_helper.to_array(one), np.float32) for one in graph.initializer
    }
    for node in graph.node:
        # The exporter writes equal numbers once.
        if node.op_type == "Identity" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]]
    return list(graph.node), values


def _layers(
    path: Path, nodes: list[NodeProto], values: dict[str, Numbers]
) -> dict[str, tuple[Numbers, Numbers]]:
    """Return weights and biases of a file's layers, by their names in the network."""
    last = next((node for node in nodes if node.name == PROJECTION), None)
    if last is None:
        raise ValueError(f"{path} is no lite network.")
    layers = {"projection": (values[last.input[1]], np.zeros(0, np.float32))}
    for node in nodes:
        if node.op_type == "Conv":
            name = node.name.removeprefix("/network/").removesuffix("/Conv").replace("/", ".")
            layers[name] = (values[node.input[1]], values[node.input[2]])
    return layers


def _norm_after(body: nn.Module, convolution: str) -> nn.Module:
    """Return the batch norm that follows a convolution."""
    block, _, own = convolution.rpartition(".")
    return body.get_submodule(f"{block}.{NORMS[own]}".lstrip("."))


def _set(parameter: torch.Tensor, value: Numbers) -> None:
    if parameter.shape != value.shape:
        raise ValueError(f"Weights of shape {value.shape} stand for {tuple(parameter.shape)}.")
    parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
