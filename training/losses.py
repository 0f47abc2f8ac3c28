"""What training minimises."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class MarginSoftmax(nn.Module):
    """A direction for every character, and the softmax over cosines to them with a margin.

    CosFace: Wang et al., "CosFace: Large Margin Cosine Loss for Deep Face Recognition", 2018.
    """

    def __init__(self, dimension: int, classes: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.directions = nn.Parameter(torch.randn(classes, dimension) * 0.1)

    def forward(self, descriptors: Tensor, classes: Tensor, margin: float) -> tuple[Tensor, Tensor]:
        """Return the loss, and the share of faces nearest to their own direction."""
        cosines = functional.linear(
            functional.normalize(descriptors), functional.normalize(self.directions)
        )
        right = (cosines.argmax(dim=1) == classes).float().mean()
        shift = functional.one_hot(classes, cosines.shape[1]).to(cosines.dtype) * margin
        return functional.cross_entropy(self.scale * (cosines - shift), classes), right


def length_spread(descriptors: Tensor) -> Tensor:
    """Return the variance of the logarithm of the descriptors' lengths over a batch.

    Programs on dlib compare raw descriptors: distances mean something only among equal lengths.
    """
    lengths = torch.linalg.vector_norm(descriptors, dim=1)
    spread: Tensor = lengths.clamp(min=1e-6).log().var(correction=0)
    return spread
