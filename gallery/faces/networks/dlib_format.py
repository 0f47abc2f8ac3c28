"""Reads and writes the network files of `dlib.face_recognition_model_v1`.

A file is the network, turned inside out: first the version numbers of all layers, the last layer
first; then the details of all layers, the input first. Whole numbers stand as one byte with their
length (bit 7 is the sign) and that many bytes, least significant first; real numbers as a whole
mantissa and a power of two; tensors as four sizes and raw float32. The layout follows dlib's own
`dnn/core.h`, `dnn/layers.h`, `dnn/input.h` and `dnn/loss.h`.

dlib's versions differ in small ways, and a network may be kept with the batch norms it was trained
with. All of these are read; what is written is the one plain form that every version of dlib since
2017 reads. In that form, what is read and written again is the same byte for byte.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.errors import InputError
from gallery.types import CROP_SIDE, DIMENSION

Weights: TypeAlias = NDArray[np.float32]

STEM_FILTERS = 32
STEM_KERNEL = 7
INPUT_MEANS = (122.782, 117.001, 104.298)
"""What dlib subtracts from red, green and blue before it divides by 256."""
BLOCKS: tuple[tuple[int, bool], ...] = (
    *((32, False),) * 3,
    (64, True),
    *((64, False),) * 3,
    (128, True),
    *((128, False),) * 2,
    (256, True),
    *((256, False),) * 2,
    (256, True),
)
"""The residual blocks from the input on: how many filters, and whether it halves the picture."""
MAXIMUM_SIZE = 64 * 2**20
"""No file of this network is larger, in bytes; one with training state left in it may be twice
the usual 22 MB."""

_KERNEL = 3
_SETTLED = b"110"
"""A layer's flags: set up, gradient stale, and its output is its own."""
_OVERWRITTEN = b"111"
"""The same, but the layer after it works in its output's place."""
_NO_TENSOR = bytes.fromhex("0102" + "0100" * 4)
_LAYER = 2
_INPUT_LAYER = 3
_TAG = 1
_LOSS = 1


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """A convolution with biases."""

    filters: Weights
    """Shape (out, in, rows, columns)."""
    biases: Weights
    """Shape (out,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """A scale and a shift for every channel, as a batch norm is at inference."""

    gamma: Weights
    """Shape (channels,)."""
    beta: Weights
    """Shape (channels,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A residual block: convolution, affine, relu, convolution, affine, shortcut, relu."""

    first: Convolution
    first_affine: Affine
    second: Convolution
    second_affine: Affine
    halves: bool
    """The first convolution has stride 2 and no padding; the shortcut is an average pool."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """All numbers of a face recognition network, in the order in which a picture meets them."""

    stem: Convolution
    """Kernel 7x7, stride 2, no padding; its affine and a relu and a 3x3/2 max pool follow."""
    stem_affine: Affine
    blocks: tuple[Block, ...]
    """As many and as wide as BLOCKS says."""
    projection: Weights
    """Shape (256, DIMENSION): from the average over the picture to the descriptor."""
    means: tuple[float, float, float] = INPUT_MEANS
    """Subtracted from red, green and blue before they are divided by 256."""
    margin: float = 0.04
    """The margin of the metric loss in training; no part of the descriptor."""
    distance: float = 0.6
    """The distance below which training called two faces the same; no part of the descriptor."""


def read_network(data: bytes) -> Network:
    """Return the network that a file's bytes hold.

    Raises InputError when they are anything else than one whole network of this one shape with
    finite numbers. Nothing is allocated for a size that the bytes do not back.
    """
    if len(data) > MAXIMUM_SIZE:
        raise InputError(
            f"The file is no face recognition network of dlib: it has {len(data)} bytes, "
            f"and no such network has more than {MAXIMUM_SIZE}."
        )
    reader = _Reader(data)
    margin, distance = reader.loss()
    for version in _nesting():
        reader.expect(version)
    means = reader.input()
    stem = reader.convolution(STEM_FILTERS, 3, STEM_KERNEL, stride=2, padding=0)
    reader.expect(1)
    stem_affine = reader.affine(STEM_FILTERS)
    reader.plain("relu_")
    reader.pool("max_pool_2", 3, 3, 2, 2, 0, 0)
    blocks = []
    channels = STEM_FILTERS
    for filters, halves in BLOCKS:
        blocks.append(reader.block(filters, channels, halves))
        channels = filters
    reader.pool("avg_pool_2", 0, 0, 1, 1, 0, 0)
    projection = reader.projection(channels)
    reader.finish()
    return Network(stem, stem_affine, tuple(blocks), projection, means, margin, distance)


def write_network(network: Network) -> bytes:
    """Return the bytes of a file that holds this network and that dlib reads.

    Raises InputError when an array has not the shape that the network asks for, or holds a number
    that is not finite.
    """
    writer = _Writer()
    writer.loss(network.margin, network.distance)
    for version in _nesting():
        writer.integer(version)
    writer.input(network.means)
    writer.convolution(network.stem, (STEM_FILTERS, 3, STEM_KERNEL), stride=2, padding=0)
    writer.integer(1)
    writer.affine(network.stem_affine, STEM_FILTERS, _OVERWRITTEN)
    writer.plain("relu_", _SETTLED)
    writer.pool("max_pool_2", 3, 3, 2, 2, 0, 0)
    if tuple(block.halves for block in network.blocks) != tuple(halves for _, halves in BLOCKS):
        raise InputError("The network has not the residual blocks of dlib's face network.")
    channels = STEM_FILTERS
    for block, (filters, _) in zip(network.blocks, BLOCKS, strict=True):
        writer.block(block, filters, channels)
        channels = filters
    writer.pool("avg_pool_2", 0, 0, 1, 1, 0, 0)
    writer.projection(network.projection, channels)
    return bytes(writer.data)


def _nesting() -> list[int]:
    """Return the version numbers that stand before all details, the last layer's first."""
    versions = [_LAYER, _LAYER]
    for _, halves in reversed(BLOCKS):
        versions += [_LAYER, _LAYER]
        if halves:
            versions += [_LAYER, _TAG, _TAG]
        versions += [_LAYER] * 5 + [_TAG]
    return [*versions, _LAYER, _LAYER, _LAYER, _INPUT_LAYER]


class _Reader:
    """A place in a file's bytes; every method reads one thing and moves on."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def loss(self) -> tuple[float, float]:
        """Read the beginning: margin and distance of the metric loss."""
        self.expect(_LOSS)
        if self.text("loss_metric_", "loss_metric_2") == "loss_metric_":
            return 0.1, 0.75
        return self.real(), self.real()

    def input(self) -> tuple[float, float, float]:
        """Read the input layer: means of red, green and blue, and the picture's size."""
        self.text("input_rgb_image_sized")
        means = (self.real(), self.real(), self.real())
        self.expect(CROP_SIDE, CROP_SIDE)
        return means

    def convolution(
        self, filters: int, channels: int, kernel: int, stride: int, padding: int
    ) -> Convolution:
        """Read a convolution with biases."""
        version = self.text("con_4", "con_5", "con_6")
        shape = (filters, channels, kernel, kernel)
        count = math.prod(shape)
        values = self.tensor(count + filters, 1, 1, 1)
        self.expect(filters, kernel, kernel, stride, stride, padding, padding)
        self.expect(1, *shape, 1, 1, filters, 1, 1)
        self.skip_reals(4)
        if version != "con_4" and not self.flag():
            raise self.foreign("a convolution has no biases")
        if version == "con_6" and self.flag():
            raise self.foreign("a convolution has a relu of its own")
        self.state()
        return Convolution(values[:count].reshape(shape), values[count:])

    def affine(self, channels: int) -> Affine:
        """Read an affine layer, or a batch norm as the affine layer that it amounts to."""
        version = self.text("affine_", "affine_2", "bn_con2")
        values = self.tensor(2 * channels, 1, 1, 1)
        self.expect(1, 1, channels, 1, 1, 1, 1, channels, 1, 1)
        gamma, beta = values[:channels], values[channels:]
        if version == "bn_con2":
            gamma, beta = self.running_norm(gamma, beta)
        else:
            self.expect(0)
            if version == "affine_2" and self.flag():
                raise self.foreign("an affine layer is switched off")
        self.state()
        return Affine(gamma, beta)

    def running_norm(self, gamma: Weights, beta: Weights) -> tuple[Weights, Weights]:
        """Read the rest of a batch norm and return the scale and shift it applies at inference.

        As dlib has it: gamma / sqrt(variance + epsilon), and beta minus that times the mean.
        """
        self.skip_tensor()
        self.skip_tensor()
        mean = self.tensor(1, gamma.size, 1, 1)
        variance = self.tensor(1, gamma.size, 1, 1)
        self.integer()
        self.integer()
        self.skip_reals(4)
        epsilon = self.real()
        if epsilon <= 0 or (variance < 0).any():
            raise self.foreign("a batch norm has a negative variance")
        scale = (gamma / np.sqrt(variance + np.float32(epsilon))).astype(np.float32)
        return scale, (beta - scale * mean).astype(np.float32)

    def block(self, filters: int, channels: int, halves: bool) -> Block:
        """Read a residual block."""
        stride, padding = (2, 0) if halves else (1, 1)
        first = self.convolution(filters, channels, _KERNEL, stride, padding)
        first_affine = self.affine(filters)
        self.plain("relu_")
        second = self.convolution(filters, filters, _KERNEL, stride=1, padding=1)
        second_affine = self.affine(filters)
        if halves:
            self.pool("avg_pool_2", 2, 2, 2, 2, 0, 0)
        self.plain("add_prev_")
        self.plain("relu_")
        return Block(first, first_affine, second, second_affine, halves)

    def projection(self, channels: int) -> Weights:
        """Read the last layer, a matrix without biases."""
        version = self.text("fc_2", "fc_3")
        self.expect(DIMENSION, channels)
        matrix = self.tensor(channels, DIMENSION, 1, 1)
        self.expect(1, channels, DIMENSION, 1, 1, 1, 0, 0, 0, 0, 1)
        self.skip_reals(4)
        if version == "fc_3":
            self.flag()
        self.state()
        return matrix.reshape(channels, DIMENSION)

    def plain(self, name: str) -> None:
        """Read a layer that has nothing but its name."""
        self.text(name)
        self.state()

    def pool(self, name: str, *sizes: int) -> None:
        """Read a pooling layer: window, strides and paddings."""
        self.text(name)
        self.expect(*sizes)
        self.state()

    def state(self) -> None:
        """Pass over what every layer ends with: three flags and three tensors of training."""
        for _ in range(3):
            self.flag()
        for _ in range(3):
            self.skip_tensor()

    def finish(self) -> None:
        """Refuse bytes beyond the network."""
        rest = len(self._data) - self._place
        if rest:
            raise self.foreign(f"{rest} bytes follow the network")

    def tensor(self, *shape: int) -> Weights:
        """Read a tensor of exactly this shape as a flat array of finite numbers."""
        if self.sizes() != shape:
            raise self.foreign("a layer has another size")
        values = np.frombuffer(self.take(4 * math.prod(shape)), dtype="<f4").astype(np.float32)
        if not np.isfinite(values).all():
            raise self.foreign("it holds numbers that are not finite")
        return values

    def skip_tensor(self) -> None:
        """Pass over a tensor of any shape."""
        self.take(4 * math.prod(self.sizes()))

    def sizes(self) -> tuple[int, int, int, int]:
        """Read a tensor's sizes: samples, channels, rows, columns."""
        self.expect(2)
        sizes = (self.integer(), self.integer(), self.integer(), self.integer())
        if min(sizes) < 0:
            raise self.foreign("a layer has a negative size")
        return sizes

    def text(self, *known: str) -> str:
        """Read a layer's name, which must be one of these."""
        length = self.integer()
        if not 0 < length <= max(map(len, known)):
            raise self.foreign(f"{known[0]!r} is not where it belongs")
        name = self.take(length).decode("ascii", errors="replace")
        if name not in known:
            raise self.foreign(f"{known[0]!r} is not where it belongs")
        return name

    def flag(self) -> bool:
        """Read a yes or no."""
        value = self.take(1)
        if value not in {b"0", b"1"}:
            raise self.foreign("a yes or no is neither")
        return value == b"1"

    def expect(self, *values: int) -> None:
        """Read whole numbers, which must be these."""
        for value in values:
            found = self.integer()
            if found != value:
                raise self.foreign(f"{found} stands where {value} belongs")

    def integer(self) -> int:
        """Read a whole number of at most eight bytes."""
        head = self.take(1)[0]
        length = head & 0x7F
        if length > 8:
            raise self.foreign("a number is too long")
        value = int.from_bytes(self.take(length), "little")
        return -value if head & 0x80 else value

    def real(self) -> float:
        """Read a real number: mantissa times two to a power."""
        mantissa, power = self.integer(), self.integer()
        if abs(power) > 1000:
            raise self.foreign("a number is not finite")
        return math.ldexp(mantissa, power)

    def skip_reals(self, count: int) -> None:
        """Pass over real numbers: learning rate and weight decay, of weights and biases."""
        for _ in range(count):
            self.real()

    def take(self, count: int) -> bytes:
        """Return the next bytes; all that is read comes through here."""
        end = self._place + count
        if end > len(self._data):
            raise InputError(
                "The file is no whole face recognition network of dlib: it ends at byte "
                f"{len(self._data)} in the middle of a layer; get the file again."
            )
        taken = self._data[self._place : end]
        self._place = end
        return taken

    def foreign(self, reason: str) -> InputError:
        """Return the error for a file that is something else."""
        return InputError(
            f"The file is no face recognition network of dlib: at byte {self._place}, {reason}."
        )


class _Writer:
    """Bytes that grow; every method writes what the reader's method of the same name reads."""

    def __init__(self) -> None:
        self.data = bytearray()

    def loss(self, margin: float, distance: float) -> None:
        """Write the beginning."""
        self.integer(_LOSS)
        self.text("loss_metric_2")
        self.real(margin)
        self.real(distance)

    def input(self, means: Sequence[float]) -> None:
        """Write the input layer."""
        self.text("input_rgb_image_sized")
        for mean in means:
            self.real(mean)
        self.integers(CROP_SIDE, CROP_SIDE)

    def convolution(
        self, layer: Convolution, shape: tuple[int, int, int], stride: int, padding: int
    ) -> None:
        """Write a convolution; the shape is filters, channels and kernel."""
        filters, channels, kernel = shape
        self.text("con_4")
        self.tensor(
            (filters * channels * kernel * kernel + filters, 1, 1, 1),
            _checked(layer.filters, (filters, channels, kernel, kernel)),
            _checked(layer.biases, (filters,)),
        )
        self.integers(filters, kernel, kernel, stride, stride, padding, padding)
        self.integers(1, filters, channels, kernel, kernel, 1, 1, filters, 1, 1)
        self.rates()
        self.state(_SETTLED)

    def affine(self, layer: Affine, channels: int, flags: bytes) -> None:
        """Write an affine layer."""
        self.text("affine_")
        self.tensor(
            (2 * channels, 1, 1, 1),
            _checked(layer.gamma, (channels,)),
            _checked(layer.beta, (channels,)),
        )
        self.integers(1, 1, channels, 1, 1, 1, 1, channels, 1, 1, 0)
        self.state(flags)

    def block(self, block: Block, filters: int, channels: int) -> None:
        """Write a residual block."""
        stride, padding = (2, 0) if block.halves else (1, 1)
        self.convolution(block.first, (filters, channels, _KERNEL), stride, padding)
        self.affine(block.first_affine, filters, _OVERWRITTEN)
        self.plain("relu_", _SETTLED)
        self.convolution(block.second, (filters, filters, _KERNEL), stride=1, padding=1)
        self.affine(block.second_affine, filters, _SETTLED)
        if block.halves:
            self.pool("avg_pool_2", 2, 2, 2, 2, 0, 0)
        self.plain("add_prev_", _OVERWRITTEN)
        self.plain("relu_", _SETTLED)

    def projection(self, matrix: Weights, channels: int) -> None:
        """Write the last layer."""
        shape = (channels, DIMENSION)
        self.text("fc_2")
        self.integers(DIMENSION, channels)
        self.tensor((*shape, 1, 1), _checked(matrix, shape))
        self.integers(1, *shape, 1, 1, 1, 0, 0, 0, 0, 1)
        self.rates()
        self.state(_SETTLED)

    def plain(self, name: str, flags: bytes) -> None:
        """Write a layer that has nothing but its name."""
        self.text(name)
        self.state(flags)

    def pool(self, name: str, *sizes: int) -> None:
        """Write a pooling layer."""
        self.text(name)
        self.integers(*sizes)
        self.state(_SETTLED)

    def rates(self) -> None:
        """Write learning rate and weight decay: 1 and 1 for weights, 1 and 0 for biases."""
        for rate in (1.0, 1.0, 1.0, 0.0):
            self.real(rate, digits=53)

    def state(self, flags: bytes) -> None:
        """Write what every layer ends with, without any state of training."""
        self.data += flags + 3 * _NO_TENSOR

    def tensor(self, shape: tuple[int, int, int, int], *parts: Weights) -> None:
        """Write a tensor whose numbers come from these arrays, one after the other."""
        self.integers(2, *shape)
        for part in parts:
            self.data += part.astype("<f4").tobytes()

    def text(self, text: str) -> None:
        """Write a name."""
        self.integer(len(text))
        self.data += text.encode("ascii")

    def integers(self, *values: int) -> None:
        """Write whole numbers."""
        for value in values:
            self.integer(value)

    def integer(self, value: int) -> None:
        """Write a whole number; zero has one byte too."""
        length = max(1, (abs(value).bit_length() + 7) // 8)
        self.data.append(length | (0x80 if value < 0 else 0))
        self.data += abs(value).to_bytes(length, "little")

    def real(self, value: float, digits: int = 24) -> None:
        """Write a real number with a mantissa of 24 (float) or 53 bits (double)."""
        rounded = float(np.float32(value)) if digits == 24 else value
        if not math.isfinite(rounded):
            raise InputError("The network holds a number that is not finite.")
        fraction, power = math.frexp(rounded)
        mantissa, power = int(math.ldexp(fraction, digits)), power - digits
        for _ in range(8):
            if mantissa & 0xFF:
                break
            mantissa, power = mantissa >> 8, power + 8
        self.integers(mantissa, power)


def _checked(values: Weights, shape: tuple[int, ...]) -> Weights:
    """Return the array when it has this shape and finite numbers; raise InputError otherwise."""
    if values.shape != shape:
        raise InputError(f"The network has an array of shape {values.shape} instead of {shape}.")
    if not np.isfinite(values).all():
        raise InputError("The network holds a number that is not finite.")
    return values
