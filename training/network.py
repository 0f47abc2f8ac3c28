"""dlib's face recognition network in PyTorch, with batch norms in place of its affine layers.

The weights go to and fro between this form, which trains, and `gallery.dlib_format.Network`,
which ships. The network takes pictures of any size from 103 pixels on; it ships for 150.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gallery.faces.networks.dlib_format import (
    BLOCKS,
    INPUT_MEANS,
    STEM_FILTERS,
    STEM_KERNEL,
    Affine,
    Block,
    Convolution,
    Network,
)
from gallery.types import DIMENSION

Trained = TypeVar("Trained", bound=nn.Module)


class NormedConvolution(nn.Module):
    """A convolution without biases and the batch norm that follows it."""

    def __init__(self, channels: int, filters: int, kernel: int, *, stride: int, padding: int):
        super().__init__()
        self.convolution = nn.Conv2d(channels, filters, kernel, stride, padding, bias=False)
        self.norm = nn.BatchNorm2d(filters)

    def forward(self, value: Tensor) -> Tensor:
        """Return the normed convolution of (n, channels, rows, columns)."""
        answer: Tensor = self.norm(self.convolution(value))
        return answer


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut; both are padded with zeros to the larger size."""

    def __init__(self, channels: int, filters: int, *, halves: bool):
        super().__init__()
        self.halves = halves
        stride, padding = (2, 0) if halves else (1, 1)
        self.first = NormedConvolution(channels, filters, 3, stride=stride, padding=padding)
        self.second = NormedConvolution(filters, filters, 3, stride=1, padding=1)

    def forward(self, value: Tensor) -> Tensor:
        """Return the block's result of (n, channels, rows, columns)."""
        branch = self.second(functional.relu(self.first(value), inplace=True))
        if self.halves:
            value = functional.avg_pool2d(value, 2)
        channels = branch.shape[1] - value.shape[1]
        missing = value.shape[2] - branch.shape[2]
        if channels or missing < 0:
            value = functional.pad(value, (0, max(-missing, 0)) * 2 + (0, channels))
        if missing > 0:
            branch = functional.pad(branch, (0, missing) * 2)
        return functional.relu(branch + value, inplace=True)


class FaceNetwork(nn.Module):
    """From pictures to descriptors."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = NormedConvolution(3, STEM_FILTERS, STEM_KERNEL, stride=2, padding=0)
        blocks = []
        channels = STEM_FILTERS
        for filters, halves in BLOCKS:
            blocks.append(ResidualBlock(channels, filters, halves=halves))
            channels = filters
        self.blocks = nn.Sequential(*blocks)
        self.projection = nn.Linear(channels, DIMENSION, bias=False)

    def forward(self, value: Tensor) -> Tensor:
        """Return raw descriptors, shape (n, DIMENSION), of what `prepare` made."""
        value = functional.relu(self.stem(value), inplace=True)
        value = self.blocks(functional.max_pool2d(value, 3, 2))
        answer: Tensor = self.projection(value.float().mean(dim=(2, 3)))
        return answer


def laid_out(network: Trained) -> Trained:
    """Return the network with its filters laid out channels last, which is faster to train."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def prepare(crops: Tensor) -> Tensor:
    """Return crops, uint8, shape (n, side, side, 3), as the network's input.

    Shape (n, 3, side, side), each channel less its mean and divided by 256, channels last in
    memory.
    """
    pixels = crops.permute(0, 3, 1, 2).float()
    means = torch.tensor(INPUT_MEANS, device=crops.device).view(1, 3, 1, 1)
    return pixels.sub_(means).div_(256)


def load(network: FaceNetwork, source: Network, crops: Tensor) -> None:
    """Set the weights from a file's, with batch norms that agree with its affine layers.

    The crops, shape (n, side, side, 3), give the statistics: on this very batch the network in
    training mode answers as the file's does, up to rounding.
    """
    pairs = layer_pairs(network, source)
    handles = [
        ours.norm.register_forward_pre_hook(
            calibration(affine.gamma, affine.beta + affine.gamma * theirs.biases)
        )
        for ours, theirs, affine in pairs
    ]
    with torch.no_grad():
        for ours, theirs, _ in pairs:
            ours.convolution.weight.copy_(torch.from_numpy(theirs.filters))
        network.projection.weight.copy_(torch.from_numpy(source.projection.T))
        network.train()
        network(prepare(crops))
    for handle in handles:
        handle.remove()


def layer_pairs(
    network: FaceNetwork, source: Network
) -> list[tuple[NormedConvolution, Convolution, Affine]]:
    """Return each convolution with a file's convolution and affine layer for its place."""
    pairs = [(network.stem, source.stem, source.stem_affine)]
    for ours, theirs in zip(network.blocks, source.blocks, strict=True):
        assert isinstance(ours, ResidualBlock)
        pairs.append((ours.first, theirs.first, theirs.first_affine))
        pairs.append((ours.second, theirs.second, theirs.second_affine))
    return pairs


def calibration(
    scale: NDArray[np.float32], shift: NDArray[np.float32]
) -> Callable[[nn.Module, tuple[Tensor]], None]:
    """Return a hook that lets a batch norm scale and shift what is about to enter it by these."""

    def hook(norm: nn.Module, inputs: tuple[Tensor]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        variance, mean = torch.var_mean(inputs[0].float(), dim=(0, 2, 3), correction=0)
        factor = torch.from_numpy(scale.copy())
        norm.weight.copy_(factor * torch.sqrt(variance + norm.eps))
        norm.bias.copy_(torch.from_numpy(shift.copy()) + factor * mean)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)

    return hook


def unfold(network: FaceNetwork, source: Network) -> None:
    """Set the weights from a file's for inference, with batch norms that are its affine layers."""
    with torch.no_grad():
        for ours, theirs, affine in layer_pairs(network, source):
            ours.convolution.weight.copy_(torch.from_numpy(theirs.filters))
            norm = ours.norm
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_var.fill_(1 - norm.eps)
            norm.running_mean.copy_(torch.from_numpy(-theirs.biases))
            norm.weight.copy_(torch.from_numpy(affine.gamma))
            norm.bias.copy_(torch.from_numpy(affine.beta))
        network.projection.weight.copy_(torch.from_numpy(source.projection.T))


def fold(network: FaceNetwork) -> Network:
    """Return the weights with every batch norm as the affine layer it is at inference."""
    blocks = []
    for block in network.blocks:
        assert isinstance(block, ResidualBlock)
        blocks.append(Block(*_folded(block.first), *_folded(block.second), block.halves))
    projection = network.projection.weight.detach().numpy().T
    return Network(*_folded(network.stem), tuple(blocks), np.ascontiguousarray(projection))


def _folded(layer: NormedConvolution) -> tuple[Convolution, Affine]:
    """Return a convolution with biases of zero, and its affine layer."""
    norm = layer.norm
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    shift = norm.bias.double() - scale * norm.running_mean.double()
    filters = layer.convolution.weight.detach().contiguous().numpy()
    return (
        Convolution(filters.copy(), np.zeros(filters.shape[0], dtype=np.float32)),
        Affine(*(part.detach().float().numpy().copy() for part in (scale, shift))),
    )
