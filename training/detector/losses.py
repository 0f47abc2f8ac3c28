"""What the detector is corrected by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from training.detector.assign import NOBODY, UNKNOWN

COVERED_WEIGHT = 0.3
"""Of an eye's place that is known but cannot be seen, beside that of one that can."""

BELIEVED = 0.2
"""Score from which on a head that no label knows of is hardly corrected in a doubtful picture.

The two other detectors know less than half of the heads in real pictures, and next to none of
those below 40 pixels: what pasted heads teach must not be unlearnt there.
"""

DOUBT_WEIGHT = 0.05
"""Of the correction of such a head while those two are all that there is to go by."""

OWN_DOUBT_WEIGHT = 0.3
"""The same once our own detector's labels have filled the gaps."""

EYE_BETA = 0.05
"""Shares of the head's side below which an eye's error counts by its square."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What a batch's cells should say."""

    answers: Tensor
    """Shape (n, cells): the row of the head that a cell answers for, NOBODY, or UNKNOWN."""
    boxes: Tensor
    """Shape (m, 4), of all heads of the batch."""
    eyes: Tensor
    """Shape (m, 2, 2); NaN where not known."""
    seen: Tensor
    """Shape (m, 2): 1, 0, or NaN where not known."""
    doubtful: Tensor
    """Shape (n,): True for a picture that may show heads that nobody knows of."""

    def to(self, device: torch.device) -> Targets:
        """Return the same on a device."""
        parts = (self.answers, self.boxes, self.eyes, self.seen, self.doubtful)
        return Targets(*(one.to(device) for one in parts))


@dataclass(frozen=True, slots=True)
class Losses:
    """The parts of the loss, each a mean over heads."""

    score: Tensor
    box: Tensor
    eye: Tensor
    seen: Tensor


def losses(said: Tensor, targets: Targets, doubt_weight: float = DOUBT_WEIGHT) -> Losses:
    """Return the losses of what cells said, shape (n, cells, NUMBERS), as `decode` gives it.

    Scores learn the quality of their own box (quality focal loss, Li et al., arXiv 2006.04388),
    boxes the generalised intersection over union (Rezatofighi et al., arXiv 1902.09630).
    """
    speaking = targets.answers > NOBODY
    heads = targets.answers[speaking]
    own = said[speaking]
    boxes = targets.boxes[heads]
    overlap, enclosed = generalised_overlap(own[:, 1:5], boxes)
    quality = torch.zeros_like(said[..., 0])
    quality[speaking] = overlap.detach()
    each = quality_focal(said[..., 0], quality)
    # What the network takes for a head where labels have gaps is one more often than not.
    believed = said[..., 0].detach().sigmoid() > BELIEVED
    unlabelled = targets.doubtful[:, None] & ~speaking & believed
    each = torch.where(unlabelled, doubt_weight * each, each)
    score = each[targets.answers != UNKNOWN].sum()
    # Large heads have more cells than small ones, yet should not count by their number.
    counts = torch.bincount(heads, minlength=max(len(targets.boxes), 1)).clamp(min=1)
    weights = counts[heads].rsqrt()
    total = weights.sum().clamp(min=1)
    sides = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1).sqrt().clamp(min=1)
    return Losses(
        score=score / speaking.sum().clamp(min=1),
        box=(weights * (1 - enclosed)).sum() / total,
        eye=_eye_loss(own[:, 5:9], targets, heads, weights, sides),
        seen=_seen_loss(own[:, 9:], targets.seen[heads], weights),
    )


def quality_focal(logits: Tensor, quality: Tensor) -> Tensor:
    """Return the cross entropy with a quality from 0 to 1, times the squared distance from it."""
    entropy = functional.binary_cross_entropy_with_logits(logits, quality, reduction="none")
    return entropy * (logits.sigmoid() - quality).square()


def generalised_overlap(some: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Return intersection over union, plain and generalised, of boxes (n, 4) pair by pair."""
    shared = torch.minimum(some[:, 2:], others[:, 2:]) - torch.maximum(some[:, :2], others[:, :2])
    around = torch.maximum(some[:, 2:], others[:, 2:]) - torch.minimum(some[:, :2], others[:, :2])
    common = shared.clamp(min=0).prod(dim=1)
    areas = [(box[:, 2:] - box[:, :2]).prod(dim=1) for box in (some, others)]
    united = (areas[0] + areas[1] - common).clamp(min=1e-6)
    hull = around.prod(dim=1).clamp(min=1e-6)
    overlap = common / united
    return overlap, overlap - (hull - united) / hull


def _eye_loss(
    eyes: Tensor, targets: Targets, heads: Tensor, weights: Tensor, sides: Tensor
) -> Tensor:
    """Return the error of the eyes' places, in head sides, where they are known."""
    wanted, seen = targets.eyes[heads], targets.seen[heads]
    known = wanted.isfinite().all(dim=2)
    away = (eyes.view(-1, 2, 2) - wanted.nan_to_num()) / sides[:, None, None]
    error = functional.smooth_l1_loss(away, torch.zeros_like(away), reduction="none", beta=EYE_BETA)
    each = torch.where(seen == 0, COVERED_WEIGHT, 1.0) * known * weights[:, None]
    return (error.sum(dim=2) * each).sum() / each.sum().clamp(min=1)


def _seen_loss(logits: Tensor, seen: Tensor, weights: Tensor) -> Tensor:
    """Return the cross entropy of the eyes' visibility where it is known."""
    known = seen.isfinite() * weights[:, None]
    error = functional.binary_cross_entropy_with_logits(logits, seen.nan_to_num(), reduction="none")
    return (error * known).sum() / known.sum().clamp(min=1)
