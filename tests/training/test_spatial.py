"""What is added to an exported network of where things stand, and the discriminants behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from gallery.faces.encoders.ensemble import unit
from gallery.types import CROP_SIDE, DIMENSION
from training import places
from training.discriminants import Discriminants, discriminants

CHANNELS = {8: 2, 16: 3}
"""Of the features of the network drawn here, by their step."""


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A file with the layers' names of an exported network, of a convolution a step."""
    path = tmp_path / "network.onnx"
    onnx.save(_network(), str(path))
    return path


@pytest.fixture
def crops() -> NDArray[np.uint8]:
    generator = np.random.default_rng(3)
    return generator.integers(0, 256, (5, CROP_SIDE, CROP_SIDE, 3), dtype=np.uint8)


def test_what_tells_groups_apart_is_no_discriminant() -> None:
    generator = np.random.default_rng(0)
    classes = np.repeat(np.arange(12), 40)
    groups = classes // 4
    faces = generator.normal(size=(len(classes), 3))
    faces[:, 0] += 50.0 * groups
    faces[:, 1] += 2.0 * (classes % 4)

    found = discriminants(faces.astype(np.float32), classes, groups, 1)

    weights = np.abs(found.weights[:, 0] * faces.std(axis=0))
    assert weights.argmax() == 1
    assert weights[1] > 10 * max(weights[0], weights[2])


def test_discriminants_come_best_first_and_around_zero() -> None:
    generator = np.random.default_rng(1)
    classes = np.repeat(np.arange(10), 30)
    faces = generator.normal(size=(300, 4)).astype(np.float32) + 7
    faces[:, 2] += 5 * (classes % 2)
    faces[:, 3] += 2 * (classes // 2 % 2)

    found = discriminants(faces, classes, np.zeros(300, np.int64), 2)

    assert np.abs(found.weights).argmax(axis=0).tolist() == [2, 3]
    assert found(faces).mean(axis=0) == pytest.approx([0, 0], abs=1e-3)


@pytest.mark.parametrize(("length", "count"), [(19, 4), (10, 3), (12, 3), (5, 5)])
def test_windows_take_means_over_all_places(length: int, count: int) -> None:
    matrix = places.windows(length, count)

    assert matrix.shape == (count, length)
    assert matrix.sum(axis=1) == pytest.approx(np.ones(count))
    assert (matrix > 0).any(axis=0).all()
    if length % count == 0:
        part = np.arange(length).reshape(count, -1)
        assert matrix @ np.arange(length) == pytest.approx(part.mean(axis=1))


def test_cells_are_means_of_the_last_features_of_a_step(
    network: Path, crops: NDArray[np.uint8]
) -> None:
    model = places.with_cells(network)
    learned, cells = places.look(model, places.batches(crops, np.arange(len(crops))))
    count = cells.shape[1]

    session = onnxruntime.InferenceSession(
        _also_giving("last8", "last16").SerializeToString(), providers=["CPUExecutionProvider"]
    )
    expected = [
        np.stack([_means(one, places.GRIDS[step]) for one in values]).reshape(len(crops), -1)
        for step, values in zip(
            (8, 16), session.run(["last8", "last16"], {"crops": crops}), strict=True
        )
    ]
    assert count == sum(CHANNELS[step] * grid**2 for step, grid in places.GRIDS.items())
    assert cells == pytest.approx(np.concatenate(expected, axis=1), rel=1e-4, abs=1e-3)
    assert np.linalg.norm(learned, axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_the_joined_file_gives_both_as_one_descriptor(
    network: Path, crops: NDArray[np.uint8], tmp_path: Path
) -> None:
    model = places.with_cells(network)
    learned, cells = places.look(model, places.batches(crops, np.arange(len(crops))))
    count = cells.shape[1]
    generator = np.random.default_rng(4)
    found = Discriminants(
        generator.normal(size=(count, DIMENSION)).astype(np.float32),
        generator.normal(size=DIMENSION).astype(np.float32),
    )
    kept = generator.normal(size=(2 * DIMENSION, DIMENSION))

    places.write_joined(model, found, kept, 0.5, tmp_path / "joined.onnx")

    session = onnxruntime.InferenceSession(
        str(tmp_path / "joined.onnx"), providers=["CPUExecutionProvider"]
    )
    assert [one.name for one in session.get_outputs()] == ["descriptors"]
    (answer,) = session.run(None, {"crops": crops})
    both = places.side_by_side(learned, found(cells))
    assert answer == pytest.approx(unit(both @ kept.astype(np.float32)) / 2, abs=1e-4)


def test_places_are_not_added_twice(network: Path) -> None:
    model = places.with_cells(network)
    count = model.graph.output[1].type.tensor_type.shape.dim[1].dim_value
    found = Discriminants(np.ones((count, DIMENSION), np.float32), np.ones(DIMENSION, np.float32))
    places.write_joined(model, found, np.eye(2 * DIMENSION, DIMENSION), 1.0, network)

    with pytest.raises(ValueError, match="has places already; export it anew"):
        places.with_cells(network)


def test_a_network_without_such_features_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    onnx.save(_network(steps=3), str(path))

    with pytest.raises(ValueError, match=r"no features of \[8, 16\] pixels a step"):
        places.with_cells(path)


def _means(features: NDArray[np.float32], grid: int) -> NDArray[np.float32]:
    """Return the means over the cells of a grid, shape (channels, grid, grid)."""
    rows, columns = (places.windows(side, grid) for side in features.shape[1:])
    return np.asarray(np.einsum("ih,chw,jw->cij", rows, features, columns), np.float32)


def _also_giving(*names: str) -> onnx.ModelProto:
    model = _network()
    for name in names:
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return model


def _network(steps: int = 4) -> onnx.ModelProto:
    """Return a network of convolutions of stride 2 that ends in DIMENSION numbers."""
    generator = np.random.default_rng(2)
    nodes = [
        helper.make_node("Cast", ["crops"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["last1"], perm=[0, 3, 1, 2]),
    ]
    weights = []
    width = 3
    for step in range(1, steps + 1):
        pixels = 2**step
        filters = CHANNELS.get(pixels, 2)
        kernel = generator.normal(size=(filters, width, 3, 3)).astype(np.float32) / 10
        weights.append(numpy_helper.from_array(kernel, f"kernel{pixels}"))
        nodes.append(
            helper.make_node(
                "Conv",
                [f"last{pixels // 2}", f"kernel{pixels}"],
                [f"last{pixels}"],
                name=f"/network/_blocks.{step}/_project_conv/Conv",
                strides=[2, 2],
                pads=[1, 1, 1, 1],
            )
        )
        width = filters
    projection = generator.normal(size=(width, DIMENSION)).astype(np.float32)
    weights.append(numpy_helper.from_array(projection, "projection"))
    nodes += [
        helper.make_node("GlobalAveragePool", [f"last{2**steps}"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "projection"], ["descriptors"]),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, ["n", CROP_SIDE, CROP_SIDE, 3])],
        [helper.make_tensor_value_info("descriptors", TensorProto.FLOAT, ["n", DIMENSION])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
