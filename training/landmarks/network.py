"""The eyes' network: the first stages of the head detector, and votes for where the eyes are.

What the detector has learnt to see is taken over as it is, so that little is left to learn. On it
stands what looks at a whole head down to 3x3 cells and lets each cell of 12x12 vote: a vote is a
place near its own cell and has a weight, and an eye is where the weighed votes meet. That is as
exact as a regression, with the few parameters of a map (integral regression, Sun et al., arXiv
1711.08229, with an offset in every cell).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from gallery.faces.detectors.landmarks import SIDE
from training.detector.network import Block, HeadNetwork, Layer, Widths, prepare
from training.loop import averaged_weights

CELLS = 12
"""Cells of the map across and down."""

EYES = 2
WIDTH = 32


class EyeNetwork(nn.Module):
    """From views of heads to the votes for their eyes."""

    def __init__(self) -> None:
        super().__init__()
        widths = Widths()
        detector = HeadNetwork(widths)
        self.stem = detector.stem
        self.fine, self.middle = detector.stages[0], detector.stages[1]
        self.coarse = nn.Sequential(Layer(widths.sixteenth, 64, 3, 2), Block(64))
        self.sides = nn.ModuleList(
            Layer(channels, WIDTH, 1) for channels in (widths.eighth, widths.sixteenth, 64)
        )
        self.smooth = nn.Sequential(Layer(WIDTH, WIDTH, 3), Layer(WIDTH, WIDTH, 3))
        self.votes = nn.Conv2d(WIDTH, EYES * 3, 1)
        self.seen = nn.Linear(64, EYES)

    @property
    def taken_over(self) -> list[nn.Module]:
        """What is the detector's and is not learnt."""
        return [self.stem, self.fine, self.middle]

    def begin_with(self, checkpoint: Path) -> None:
        """Take over the first stages of a detector's checkpoint."""
        detector = HeadNetwork()
        detector.load_state_dict(averaged_weights([checkpoint]))
        theirs = (detector.stem, *detector.stages[:2])
        for ours, other in zip(self.taken_over, theirs, strict=True):
            ours.load_state_dict(other.state_dict())

    def train(self, mode: bool = True) -> EyeNetwork:
        """Set whether statistics are gathered; never of what is taken over."""
        super().train(mode)
        for module in self.taken_over:
            module.eval()
        return self

    def forward(self, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return places, votes and visibility of (n, 3, SIDE, SIDE), as `prepare` gives them.

        Places are the eyes' in pixels of the view, (n, EYES, 2); votes are the logarithms of the
        cells' weights, (n, EYES, CELLS * CELLS), row after row; visibility is logits, (n, EYES).
        """
        with torch.no_grad():
            fine = self.fine(self.stem(value))
            middle = self.middle(fine)
        coarse = self.coarse(middle)
        levels = [side(one) for side, one in zip(self.sides, (fine, middle, coarse), strict=True)]
        mixed = levels[1] + functional.interpolate(levels[2], scale_factor=2.0, mode="nearest")
        mixed = levels[0] + functional.interpolate(mixed, scale_factor=2.0, mode="nearest")
        said = self.votes(self.smooth(mixed)).flatten(2).float()
        weights = said[:, :EYES].log_softmax(dim=2)
        offsets = said[:, EYES:].unflatten(1, (EYES, 2))
        cell = SIDE / CELLS
        along = (torch.arange(CELLS, device=value.device, dtype=said.dtype) + 0.5) * cell
        down, across = torch.meshgrid(along, along, indexing="ij")
        cells = torch.stack([across.flatten(), down.flatten()])
        places = ((cells + cell * offsets) * weights.exp().unsqueeze(2)).sum(dim=3)
        return places, weights, self.seen(coarse.mean(dim=(2, 3))).float()


class Shipped(nn.Module):
    """The network as its file has it: views in, eyes out."""

    def __init__(self, network: EyeNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, views: Tensor) -> Tensor:
        """Return shape (n, 6) of views, uint8, (n, SIDE, SIDE, 3), RGB.

        Left eye, right eye, in pixels of the view, and their visibility, 0 to 1.
        """
        places, _, seen = self.network(prepare(views))
        return torch.cat([places.flatten(1), seen.sigmoid()], dim=1)
