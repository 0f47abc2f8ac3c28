"""The head detector: plain convolutions, one pass, four levels, no anchors.

A picture is brought to a quarter by the first convolution, since that is where the pixels are;
from an eighth on, levels are mixed as in feature pyramids (Lin et al., arXiv 1612.03144) and every
cell of strides 8, 16, 32 and 64 says one head (Tian et al., FCOS, arXiv 1904.01355): a score, a
box, two eyes and whether each of them can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.detector.assign import STRIDES

NUMBERS = 11
"""What a cell says: score, box (4), two eyes (4), whether each is seen (2)."""

BOX_UNIT = 4.0
"""A box whose logarithms are 0 is this many strides wide and high."""

LARGEST_LOGARITHM = 5.0
EYE_UNIT = 4.0
"""An eye at 1 stands this many strides from the cell's middle."""

PRIOR = 0.01
"""The score that an untrained network gives every cell."""


@dataclass(frozen=True, slots=True)
class Widths:
    """Channels of the stages, from the first convolution to stride 64, and of the pyramid."""

    stem: int = 32
    eighth: int = 48
    sixteenth: int = 96
    thirty_second: int = 128
    last: int = 128
    pyramid: int = 48


class Layer(nn.Module):
    """A convolution without biases, the batch norm that follows it, and a rectifier."""

    def __init__(self, channels: int, filters: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        padding = (kernel - 1) // 2 if kernel % 2 else (kernel - stride) // 2
        self.convolution = nn.Conv2d(channels, filters, kernel, stride, padding, bias=False)
        self.norm = nn.BatchNorm2d(filters)

    def forward(self, value: Tensor) -> Tensor:
        """Return (n, filters, rows, columns) of (n, channels, rows, columns)."""
        return functional.relu(self.norm(self.convolution(value)), inplace=True)


class Block(nn.Module):
    """A 1x1 convolution to half of the channels and a 3x3 convolution back, beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        # ONNX Runtime computes channels by sixteen.
        inner = -(-channels // 32) * 16
        self.steps = nn.Sequential(Layer(channels, inner, 1), Layer(inner, channels, 3))

    def forward(self, value: Tensor) -> Tensor:
        """Return (n, channels, rows, columns) of the same shape."""
        answer: Tensor = value + self.steps(value)
        return answer


def _stage(channels: int, filters: int, blocks: int) -> nn.Sequential:
    """Return what halves a picture's sides and then looks at it again in so many blocks."""
    return nn.Sequential(Layer(channels, filters, 3, 2), *(Block(filters) for _ in range(blocks)))


class HeadNetwork(nn.Module):
    """From pictures to what every cell says of a head."""

    def __init__(self, widths: Widths | None = None) -> None:
        super().__init__()
        w = widths or Widths()
        self.stem = Layer(3, w.stem, 6, 4)
        self.stages = nn.ModuleList(
            [
                _stage(w.stem, w.eighth, 1),
                _stage(w.eighth, w.sixteenth, 2),
                _stage(w.sixteenth, w.thirty_second, 2),
                _stage(w.thirty_second, w.last, 1),
            ]
        )
        channels = (w.eighth, w.sixteenth, w.thirty_second, w.last)
        self.sides = nn.ModuleList(Layer(count, w.pyramid, 1) for count in channels)
        # The finest level has four times the cells of the next and pays for one convolution only.
        self.smooth = nn.ModuleList(
            nn.Sequential(*(Layer(w.pyramid, w.pyramid, 3) for _ in range(1 if fine == 0 else 2)))
            for fine in range(len(channels))
        )
        self.says = nn.ModuleList(nn.Conv2d(w.pyramid, NUMBERS, 1) for _ in channels)
        for layer in self.says:
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
            nn.init.constant_(layer.bias[:1], float(torch.logit(torch.tensor(PRIOR))))

    def forward(self, value: Tensor) -> list[Tensor]:
        """Return raw numbers, shape (n, NUMBERS, rows, columns) for each of STRIDES.

        Pictures have shape (n, 3, height, width), see `prepare`; sides are multiples of 32.
        """
        value = self.stem(value)
        sides = []
        for stage, side in zip(self.stages, self.sides, strict=True):
            value = stage(value)
            sides.append(side(value))
        mixed: list[Tensor] = [sides[-1]]
        for side in reversed(sides[:-1]):
            larger = functional.interpolate(mixed[0], scale_factor=2.0, mode="nearest")
            mixed.insert(0, side + larger[:, :, : side.shape[2], : side.shape[3]])
        return [
            says(smooth(level))
            for says, smooth, level in zip(self.says, self.smooth, mixed, strict=True)
        ]


def decode(maps: list[Tensor]) -> Tensor:
    """Return what all cells say in the picture's pixels, shape (n, cells, NUMBERS).

    The score and the two eyes' visibility stay logits; the box becomes left, top, right, bottom;
    the eyes become x and y. Cells stand level after level, row after row.
    """
    levels = []
    for stride, numbers in zip(STRIDES, maps, strict=True):
        value = numbers.permute(0, 2, 3, 1)
        rows, columns = value.shape[1], value.shape[2]
        down = (torch.arange(rows, device=value.device, dtype=value.dtype) + 0.5) * stride
        across = (torch.arange(columns, device=value.device, dtype=value.dtype) + 0.5) * stride
        cell = torch.stack(
            [
                across.view(1, columns).expand(rows, columns),
                down.view(rows, 1).expand(rows, columns),
            ],
            dim=-1,
        )
        centre = cell + value[..., 1:3] * stride
        half = value[..., 3:5].clamp(max=LARGEST_LOGARITHM).exp() * (BOX_UNIT * stride / 2)
        left_eye = cell + value[..., 5:7] * (EYE_UNIT * stride)
        right_eye = cell + value[..., 7:9] * (EYE_UNIT * stride)
        decoded = torch.cat(
            [value[..., :1], centre - half, centre + half, left_eye, right_eye, value[..., 9:]],
            dim=-1,
        )
        levels.append(decoded.flatten(1, 2))
    return torch.cat(levels, dim=1)


def prepare(pictures: Tensor) -> Tensor:
    """Return pictures, uint8, (n, height, width, 3), as the network takes them.

    Float, shape (n, 3, height, width), around 0.
    """
    return (pictures.permute(0, 3, 1, 2).float() - 127.5) / 64


class Shipped(nn.Module):
    """The network as its file has it: pictures in, heads of all cells out."""

    def __init__(self, network: HeadNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        """Return shape (n, cells, NUMBERS) of pictures, uint8, (n, height, width, 3), RGB.

        Score, box and eyes in pixels, visibility; score and visibility from 0 to 1.
        """
        said = decode(self.network(prepare(pictures)))
        return torch.cat([said[..., :1].sigmoid(), said[..., 1:9], said[..., 9:].sigmoid()], dim=-1)


def cost(network: HeadNetwork, height: int, width: int) -> tuple[int, int]:
    """Return the network's parameters and its multiplications for a picture of a size."""
    total = 0

    def count(module: nn.Module, _given: tuple[Tensor, ...], answer: Tensor) -> None:
        nonlocal total
        total += answer[0, 0].numel() * module.weight.numel()

    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    handles = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, height, width))
    for handle in handles:
        handle.remove()
    return sum(one.numel() for one in network.parameters()), total
