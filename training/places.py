"""Adds to an exported network what stands where in a face, without training it further.

The last features of a network are a mean over the whole picture: that there is a ribbon, not where.
Those of 8 and of 16 pixels a step, as means over the cells of a grid, still tell hair above from a
collar below. Linear discriminants of them join what the network has learnt; the file then gives
both as one descriptor. Nothing is computed that the network did not compute before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gallery.faces.encoders.ensemble import unit
from gallery.system.files import replacing
from gallery.system.threads import available_cores
from gallery.types import CROP_SIDE, DIMENSION
from measuring.faces import Labels, Pixels, scaled
from training.discriminants import Discriminants, Features

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

GRIDS = {8: 4, 16: 3}
"""How many cells a side features are divided into, by their step in pixels."""

CELLS = "cells"
"""The name of the features of all cells, and of what is made of them."""

AT_ONCE = 32


def with_cells(path: Path) -> ModelProto:
    """Return an exported network that gives its features of all cells as well.

    They are the second output, shape (n, features). Raises ValueError for a network that has
    places already, or none to look at.
    """
    import onnx

    model = onnx.load(str(path))
    graph = model.graph
    if any(node.name.startswith(CELLS) for node in graph.node):
        raise ValueError(f"{path} has places already; export it anew.")
    blocks = _last_of_steps(graph)
    if not set(GRIDS) <= set(blocks):
        raise ValueError(f"{path} has no features of {sorted(GRIDS)} pixels a step.")
    shapes = _shapes(model, [blocks[step] for step in GRIDS])
    names = []
    for step, grid in GRIDS.items():
        _, channels, rows, columns = shapes[blocks[step]]
        name = f"{CELLS}/{step}"
        _constant(graph, f"{name}/rows", windows(rows, grid))
        _constant(graph, f"{name}/columns", windows(columns, grid).T)
        _node(graph, "MatMul", [f"{name}/rows", blocks[step]], f"{name}/across")
        _node(graph, "MatMul", [f"{name}/across", f"{name}/columns"], f"{name}/means")
        _node(graph, "Flatten", [f"{name}/means"], f"{name}/flat", axis=1)
        names.append((f"{name}/flat", channels * grid**2))
    _node(graph, "Concat", [name for name, _ in names], CELLS, axis=1)
    count = sum(width for _, width in names)
    output = onnx.helper.make_tensor_value_info(CELLS, onnx.TensorProto.FLOAT, ["n", count])
    graph.output.append(output)
    return model


def windows(length: int, count: int) -> NDArray[np.float32]:
    """Return the matrix, shape (count, length), that takes means over equal parts of a length.

    A place that two parts share belongs to both.
    """
    matrix = np.zeros((count, length), np.float32)
    for part in range(count):
        first, last = part * length // count, -(-(part + 1) * length // count)
        matrix[part, first:last] = 1 / (last - first)
    return matrix


def look(model: ModelProto, crops: Iterator[Pixels]) -> tuple[Features, Features]:
    """Return a network's own descriptors, shape (n, DIMENSION), and its features of all cells.

    The network is that of `with_cells`, the crops are batches, shape (some, CROP_SIDE, CROP_SIDE,
    3).
    """
    session = _session(model)
    found = [session.run(["descriptors", CELLS], {"crops": batch}) for batch in crops]
    learned, cells = (np.concatenate(part) for part in zip(*found, strict=True))
    return unit(learned), cells


def side_by_side(learned: Features, placed: Features) -> Features:
    """Return what was learnt, of length 1, and what is made of cells, brought to length 1."""
    return np.concatenate([learned, unit(placed)], axis=1)


def principal(descriptors: Features) -> tuple[NDArray[np.float64], float]:
    """Return the DIMENSION directions in which descriptors differ most, one a column.

    Beside them stands the share of the variance that they keep.
    """
    values, directions = np.linalg.eigh(np.cov(descriptors, rowvar=False))
    return directions[:, ::-1][:, :DIMENSION], float(values[::-1][:DIMENSION].sum() / values.sum())


def write_joined(
    model: ModelProto, found: Discriminants, kept: NDArray[np.float64], length: float, path: Path
) -> None:
    """Write the network of `with_cells` as a file with one descriptor, of a length.

    `kept`, shape (2 * DIMENSION, DIMENSION), are the directions of `side_by_side` that stay.
    """
    import onnx

    joined = onnx.ModelProto()
    joined.CopyFrom(model)
    graph = joined.graph
    own = f"{CELLS}/learned"
    for node in graph.node:
        node.output[:] = [own if name == "descriptors" else name for name in node.output]
    for name, value in (
        ("weights", found.weights),
        ("bias", found.bias),
        ("kept", kept.astype(np.float32)),
        ("length", np.array(length, np.float32)),
    ):
        _constant(graph, f"{CELLS}/{name}", value)
    _node(graph, "Gemm", [CELLS, f"{CELLS}/weights", f"{CELLS}/bias"], f"{CELLS}/placed")
    _unit(graph, f"{CELLS}/placed", f"{CELLS}/placed/unit")
    _unit(graph, own, f"{own}/unit")
    both = f"{CELLS}/both"
    _node(graph, "Concat", [f"{own}/unit", f"{CELLS}/placed/unit"], both, axis=1)
    _node(graph, "MatMul", [both, f"{CELLS}/kept"], f"{CELLS}/joined")
    _unit(graph, f"{CELLS}/joined", f"{CELLS}/joined/unit")
    _node(graph, "Mul", [f"{CELLS}/joined/unit", f"{CELLS}/length"], "descriptors")
    del graph.output[1:]
    onnx.checker.check_model(joined)
    with replacing(path) as partial:
        onnx.save(joined, str(partial))


def batches(pixels: Pixels, chosen: Labels) -> Iterator[Pixels]:
    """Yield the chosen of faces of any size, as many as a network takes at once, as crops."""
    for start in range(0, len(chosen), AT_ONCE):
        yield scaled([np.asarray(pixels[place]) for place in chosen[start : start + AT_ONCE]])


def _last_of_steps(graph: GraphProto) -> dict[int, str]:
    """Return what the last block of every step gives, by the step in pixels."""
    last: dict[int, str] = {}
    step = 1
    for node in graph.node:
        if node.op_type == "Conv":
            step *= next(one.ints[0] for one in node.attribute if one.name == "strides")
        if "_blocks." in node.name and node.op_type in ("Conv", "Add"):
            # Of a block with a shortcut it is the sum, of others the last convolution.
            is_last = node.op_type == "Add" or "_project_conv" in node.name
            if is_last:
                last[step] = node.output[0]
    return last


def _shapes(model: ModelProto, names: list[str]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what nodes give for one crop."""
    import onnx

    asked = onnx.ModelProto()
    asked.CopyFrom(model)
    for name in names:
        asked.graph.output.append(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        )
    crop = np.zeros((1, CROP_SIDE, CROP_SIDE, 3), np.uint8)
    values = _session(asked).run(names, {"crops": crop})
    return {name: value.shape for name, value in zip(names, values, strict=True)}


def _session(model: ModelProto) -> Any:
    """Open a network that is not in a file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_cores()
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _constant(graph: GraphProto, name: str, value: NDArray[np.float32]) -> None:
    import onnx

    graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))


def _node(graph: GraphProto, kind: str, takes: list[str], gives: str, **attributes: Any) -> None:
    import onnx

    graph.node.append(onnx.helper.make_node(kind, takes, [gives], name=gives, **attributes))


def _unit(graph: GraphProto, takes: str, gives: str) -> None:
    """Bring rows to length 1."""
    _node(graph, "LpNormalization", [takes], gives, axis=1, p=2)
