"""What the network itself says of the heads in which animeface saw no eyes: profiles, closed eyes.

A head is looked at three times: upright, turned level by what was said, and so as a mirror shows
it. Where the last two agree, what they say together is believed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gallery.faces.detectors.landmarks import SIDE, back
from gallery.system.files import replacing
from training.detector.network import prepare
from training.landmarks.material import OWN, Material
from training.landmarks.network import EyeNetwork
from training.landmarks.views import frame_around, framed, mirrored, roll_of
from training.loop import averaged_weights, mixed_precision

Numbers = NDArray[np.float64]

MOST_APART = 0.12
"""Farther from each other than this share of the eyes' distance, two looks do not agree."""

LEAST_APART = 0.14
"""Eyes nearer to each other than this share of the head's side are not believed."""

LEAST_SEEN = 0.6
MOST_ROLL = 70.0
"""Degrees from which on a head is not believed to lean."""

BATCH = 128


def own_eyes(cache: Path, material: Material) -> Numbers:
    """Return animeface's eyes, (m, 2, 2), with the network's own where it has none."""
    path = cache / OWN
    if not path.is_file():
        return material.eyes
    own = np.load(path)
    return np.where(np.isfinite(material.eyes), material.eyes, own)


def write_own(checkpoint: Path, material: Material, cache: Path) -> None:
    """Label the heads that animeface has no eyes of and write the eyes into the cache."""
    network = EyeNetwork()
    network.load_state_dict(averaged_weights([checkpoint]))
    network.eval()
    torch.set_num_threads(1)
    eyes = np.full_like(material.eyes, np.nan)
    heads = np.flatnonzero(~np.isfinite(material.eyes).all(axis=(1, 2)))
    for begin in range(0, len(heads), BATCH):
        chosen = heads[begin : begin + BATCH]
        eyes[chosen] = _believed(network, material, chosen)
        if begin % (8 * BATCH) == 0:
            print(f"{begin}/{len(heads)}", flush=True)
    with replacing(cache / OWN) as partial, partial.open("wb") as file:
        np.save(file, eyes)
    print(f"own eyes of {int(np.isfinite(eyes).all(axis=(1, 2)).sum())} of {len(heads)} heads")


def _believed(network: EyeNetwork, material: Material, heads: NDArray[np.int64]) -> Numbers:
    """Return eyes, (n, 2, 2), of heads, NaN where looks do not agree."""
    boxes = material.boxes[heads]
    patches = [material.pixels(int(head)) for head in heads]
    first, _ = _look(network, patches, boxes, [0.0] * len(heads))
    rolls = [float(np.clip(roll_of(one), -MOST_ROLL, MOST_ROLL)) for one in first]
    level, seen = _look(network, patches, boxes, rolls)
    turned = [mirrored(one, box, at) for one, box, at in zip(patches, boxes, level, strict=True)]
    other, _ = _look(
        network,
        [one[0] for one in turned],
        np.stack([one[1] for one in turned]),
        [-roll for roll in rolls],
    )
    other = np.stack(
        [mirrored(one[0], one[1], at)[2] for one, at in zip(turned, other, strict=True)]
    )
    both = (level + other) / 2
    apart = np.linalg.norm(both[:, 1] - both[:, 0], axis=1)
    away = np.linalg.norm(level - other, axis=2).max(axis=1)
    side = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    leaning = np.array([abs(roll_of(one)) for one in both])
    good = (away <= MOST_APART * apart) & (apart >= LEAST_APART * side)
    good &= (seen.min(axis=1) >= LEAST_SEEN) & (leaning <= MOST_ROLL)
    return np.where(good[:, None, None], both, np.nan)


@torch.no_grad()
def _look(
    network: EyeNetwork, patches: list[NDArray[np.uint8]], boxes: Numbers, rolls: list[float]
) -> tuple[Numbers, Numbers]:
    """Return eyes in pixels of the patches, (n, 2, 2), and their visibility, (n, 2)."""
    nothing = np.zeros((2, 2))
    heads = zip(patches, boxes, rolls, strict=True)
    views = np.stack([framed(patch, box, nothing, roll)[0] for patch, box, roll in heads])
    with mixed_precision("cpu"):
        places, _, seen = network(prepare(torch.from_numpy(views)))
    frames = [frame_around(box, roll) for box, roll in zip(boxes, rolls, strict=True)]
    found = np.clip(places.numpy().astype(np.float64), 0, SIDE)
    return back(found, frames), seen.sigmoid().numpy().astype(np.float64)
