"""The fast runtime: ONNX Runtime runs dlib's network with the same descriptors, or an ONNX file.

dlib's network is converted once. The converted file lies in the cache folder under a name that
holds the digest of what it was made from, the converter's version and the digest of its own
content; a file that does not fit its name is made again, never believed.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gallery.errors import SetupError, UnusableDevice
from gallery.faces.encoders.preprocess import Batch, Crops, Descriptors, describe
from gallery.faces.networks.devices import CPU, PROVIDERS, require_offered
from gallery.faces.networks.dlib_format import Affine, Block, Convolution, Network, read_network
from gallery.faces.networks.library import ONNX_SUFFIX, Weights
from gallery.system.files import replace_file
from gallery.system.reading import read_file
from gallery.system.threads import available_cores
from gallery.types import CROP_SIDE, DIMENSION

if TYPE_CHECKING:
    import onnxruntime
    from onnx import NodeProto, TensorProto

CONVERTER_VERSION = 1
"""Counts the changes of what `convert` writes; older files in the cache are made again."""

_OPSET = 17
_FORMAT = 8
_ERRORS_ONLY = 3
_NONE: Mapping[str, int | list[int]] = {}


class OnnxNetwork:
    """Encodes with ONNX Runtime on the processor, or on another device."""

    def __init__(
        self,
        weights: Weights,
        cache_folder: Path,
        threads: int | None = None,
        *,
        device: str = CPU,
    ) -> None:
        """Open the network, converting it where the cache has no sound copy.

        It uses all cores that the caller may use, at most so many threads if told. A cache folder
        that cannot be written costs the conversion at every start, no more. Raises SetupError
        when the network's file is not what it should be or cannot be run, and for a device that
        is not here or does not take it.
        """
        require_offered(device)
        self._device = device
        self._weights = weights
        self._cache_folder = cache_folder
        self._threads = threads or available_cores()
        self._lock = threading.Lock()
        self._sessions: dict[int, onnxruntime.InferenceSession] = {}
        self._session()

    @property
    def id(self) -> str:
        """Names weights and preprocessing."""
        return self._weights.encoder_id

    def encode(self, crops: Batch) -> Descriptors:
        """Return descriptors, shape (n, DIMENSION), of crops, shape (n, CROP_SIDE, CROP_SIDE, 3).

        Crops of other sizes and kinds are made so first, see `as_crops`. Raises InputError for
        what is no picture.
        """
        return describe(crops, self._weights.zoom, self._weights.mirror, self._run)

    def _run(self, batch: Crops) -> Descriptors:
        """Let ONNX Runtime describe a batch as it stands.

        Raises SetupError where another device than the processor fails.
        """
        try:
            (answer,) = self._session().run(None, {"crops": batch})
        except Exception as error:
            if self._device == CPU:
                raise
            raise UnusableDevice(self._device, f"failed: {_reason(error)}") from error
        return np.asarray(answer, dtype=np.float32)

    def _session(self) -> onnxruntime.InferenceSession:
        """Return the network for as many threads as the caller may use; all say the same."""
        count = min(self._threads, available_cores())
        with self._lock:
            if count not in self._sessions:
                self._sessions[count] = _open(
                    self._weights, self._cache_folder, count, self._device
                )
            return self._sessions[count]


def _open(
    weights: Weights, cache_folder: Path, threads: int, device: str
) -> onnxruntime.InferenceSession:
    import onnxruntime

    onnxruntime.set_default_logger_severity(_ERRORS_ONLY)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads sleep: spinning ones take the cores that decoding and detection want.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    is_onnx = weights.path.suffix == ONNX_SUFFIX
    model = weights.read() if is_onnx else converted(weights, cache_folder)
    # What a device cannot do of a network, the processor does.
    wanted = list(dict.fromkeys((PROVIDERS[device], PROVIDERS[CPU])))
    try:
        session = onnxruntime.InferenceSession(model, options, providers=wanted)
    # ONNX Runtime's exceptions have no root of their own.
    except Exception as error:
        raise SetupError(
            f"ONNX Runtime cannot run the network {weights.name!r}: {_reason(error)}."
        ) from error
    # It goes on without a device that it cannot open, and says so to nobody.
    if PROVIDERS[device] not in session.get_providers():
        raise UnusableDevice(device, "cannot be opened by ONNX Runtime")
    return session


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")


def converted(weights: Weights, cache_folder: Path) -> bytes:
    """Return a network as ONNX, from the cache where that is sound, else converted and cached.

    Raises SetupError when the network's file is not what it should be, InputError when it cannot
    be read as dlib's face network.
    """
    folder = cache_folder / "networks"
    prefix = f"{weights.sha256[:32]}-{CONVERTER_VERSION}-"
    cached = sorted(folder.glob(f"{prefix}*.onnx"))
    for path in cached:
        model = _sound(path, prefix)
        if model is not None:
            return model
    model = convert(read_network(weights.read()))
    _store(folder / f"{prefix}{_digest(model)}.onnx", model, cached)
    return model


def convert(network: Network) -> bytes:
    """Return the network as a serialised ONNX model.

    Its input `crops` is uint8 of shape (n, CROP_SIDE, CROP_SIDE, 3), its output `descriptors` is
    float32 of shape (n, DIMENSION), for any n.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph()
    graph.network(network)
    graph.nodes[-1].output[:] = ["descriptors"]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "dlib_face_recognition",
            [
                helper.make_tensor_value_info(
                    "crops", TensorProto.UINT8, ["n", CROP_SIDE, CROP_SIDE, 3]
                )
            ],
            [helper.make_tensor_value_info("descriptors", TensorProto.FLOAT, ["n", DIMENSION])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        producer_name="gallery",
        ir_version=_FORMAT,
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


class _Graph:
    """An ONNX graph that grows node by node; every method returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def network(self, network: Network) -> str:
        """Append all of the network."""
        from onnx import TensorProto

        pixels = self.node("Cast", ["crops"], {"to": TensorProto.FLOAT})
        planes = self.node("Transpose", [pixels], {"perm": [0, 3, 1, 2]})
        means = np.array(network.means, dtype=np.float32).reshape(1, 3, 1, 1)
        centred = self.node("Sub", [planes, self.constant(means)])
        # A division by a power of two is exact, and so is its place in the graph.
        value = self.node("Div", [centred, self.constant(np.array(256, dtype=np.float32))])
        side = CROP_SIDE
        value, side = self.convolution(
            value, side, network.stem, network.stem_affine, stride=2, padding=0
        )
        value = self.node("Relu", [value])
        value = self.node("MaxPool", [value], {"kernel_shape": [3, 3], "strides": [2, 2]})
        side = (side - 3) // 2 + 1
        for block in network.blocks:
            value, side = self.block(value, side, block)
        average = self.node("ReduceMean", [value], {"axes": [2, 3], "keepdims": 0})
        return self.node("MatMul", [average, self.constant(network.projection)])

    def block(self, value: str, side: int, block: Block) -> tuple[str, int]:
        """Append a residual block; both sums are padded with zeros to the larger size."""
        stride, padding = (2, 0) if block.halves else (1, 1)
        branch, branch_side = self.convolution(
            value, side, block.first, block.first_affine, stride=stride, padding=padding
        )
        branch = self.node("Relu", [branch])
        branch, branch_side = self.convolution(
            branch, branch_side, block.second, block.second_affine, stride=1, padding=1
        )
        if block.halves:
            value = self.node("AveragePool", [value], {"kernel_shape": [2, 2], "strides": [2, 2]})
            side //= 2
        filters, channels = block.first.filters.shape[:2]
        larger = max(side, branch_side)
        value = self.padded(value, filters - channels, larger - side)
        branch = self.padded(branch, 0, larger - branch_side)
        return self.node("Relu", [self.node("Add", [branch, value])]), larger

    def convolution(
        self,
        value: str,
        side: int,
        layer: Convolution,
        affine: Affine,
        *,
        stride: int,
        padding: int,
    ) -> tuple[str, int]:
        """Append a convolution with its affine layer multiplied in."""
        gamma = affine.gamma.astype(np.float64)
        filters = layer.filters * gamma[:, None, None, None]
        biases = layer.biases * gamma + affine.beta
        kernel = layer.filters.shape[2]
        answer = self.node(
            "Conv",
            [value, self.constant(filters), self.constant(biases)],
            {
                "kernel_shape": [kernel, kernel],
                "strides": [stride, stride],
                "pads": [padding] * 4,
            },
        )
        return answer, (side + 2 * padding - kernel) // stride + 1

    def padded(self, value: str, channels: int, rows: int) -> str:
        """Append zeros after the last channel, and after the last row and column."""
        if channels == 0 and rows == 0:
            return value
        pads = np.array([0, 0, 0, 0, 0, channels, rows, rows], dtype=np.int64)
        return self.node("Pad", [value, self.constant(pads)])

    def node(
        self, operator: str, inputs: list[str], attributes: Mapping[str, int | list[int]] = _NONE
    ) -> str:
        """Append an operator of ONNX."""
        from onnx import helper

        name = f"value{len(self.nodes)}"
        node = helper.make_node(operator, inputs, [name], name=name)
        node.attribute.extend(helper.make_attribute(*pair) for pair in attributes.items())
        self.nodes.append(node)
        return name

    def constant(self, values: NDArray[np.generic]) -> str:
        """Append numbers; real ones as float32."""
        from onnx import numpy_helper

        kept = values if values.dtype == np.int64 else values.astype(np.float32)
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(kept), name))
        return name


def _sound(path: Path, prefix: str) -> bytes | None:
    """Return a cached file's content when it is what its name says."""
    try:
        model = read_file(path)
    except OSError:
        return None
    return model if path.name == f"{prefix}{_digest(model)}.onnx" else None


def _store(path: Path, model: bytes, damaged: list[Path]) -> None:
    """Put a converted network in the cache in place of damaged ones, where that can be written."""
    try:
        replace_file(path, model)
        for other in damaged:
            if other != path:
                other.unlink(missing_ok=True)
    except OSError:
        # The cache saves a second at start and nothing else, so that going on without is right.
        return


def _digest(data: bytes) -> str:
    """Return the digest that a cached file carries in its name."""
    return hashlib.sha256(data).hexdigest()[:32]
