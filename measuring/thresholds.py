"""Where verdicts of a network divide: random galleries, asked about known faces and strangers.

FPIR is the share of strangers that are nearer to somebody's ideal than the threshold; TPIR the
share of known probes whose own character is the nearest and within it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.numerics.distances import distances

SEED = 20
GALLERIES = 20
GALLERY_CHARACTERS = 50
REFERENCES = 5

Numbers = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trial:
    """What one random gallery says of its probes."""

    characters: int
    """How many are enrolled."""
    known: Numbers
    """Distance of every known probe from the nearest ideal."""
    right: NDArray[np.bool_]
    """Whether that ideal is its own character's."""
    gaps: Numbers
    """How much farther the second ideal is."""
    strangers: Numbers
    """Distance of every stranger from the nearest ideal."""


def trial(descriptors: Numbers, characters: Labels, generator: np.random.Generator) -> Trial:
    """Enrol a random gallery and ask it about all other faces."""
    count = characters.max() + 1
    members = generator.permutation(count)[: min(GALLERY_CHARACTERS, 2 * count // 3)]
    ideals: list[Numbers] = []
    probes: list[int] = []
    owners: list[int] = []
    for place, member in enumerate(members):
        own = generator.permutation(np.flatnonzero(characters == member))
        ideals.append(descriptors[own[:REFERENCES]].mean(axis=0))
        probes.extend(own[REFERENCES:])
        owners.extend([place] * (len(own) - REFERENCES))
    known = distances(descriptors[probes], np.stack(ideals))
    nearest = np.sort(known, axis=1)
    strangers = distances(descriptors[~np.isin(characters, members)], np.stack(ideals))
    return Trial(
        characters=len(members),
        known=nearest[:, 0],
        right=known.argmin(axis=1) == np.array(owners),
        gaps=nearest[:, 1] - nearest[:, 0],
        strangers=strangers.min(axis=1),
    )


def strangers_at(trials: list[Trial], rate: float) -> Numbers:
    """Return each gallery's distance within which this share of strangers lies, shape (trials,)."""
    return np.array([np.quantile(one.strangers, rate) for one in trials])


def report(trials: list[Trial]) -> None:
    """Print thresholds, what they give, and lines for the manifest."""
    thresholds = {rate: strangers_at(trials, rate) for rate in (0.01, 0.1)}
    for rate, cuts in thresholds.items():
        cut = cuts.mean()
        found = [((one.known <= cut) & one.right).mean() for one in trials]
        false = [(one.strangers <= cut).mean() for one in trials]
        print(
            f"FPIR {rate:4.0%}: threshold {cut:.3f} (+- {cuts.std():.3f}), there "
            f"FPIR {np.mean(false):.3f}, TPIR {np.mean(found):.3f} (+- {np.std(found):.3f})"
        )
    sure, unknown = (float(cuts.mean()) for cuts in thresholds.values())
    wrong = np.concatenate([one.gaps[~one.right & (one.known <= unknown)] for one in trials])
    right = np.concatenate([one.gaps[one.right & (one.known <= unknown)] for one in trials])
    margin = float(np.median(wrong))
    print(
        f"gap to the second character within {unknown:.3f}: median {margin:.3f} where the name is "
        f"wrong (N {len(wrong)}), {np.median(right):.3f} where it is right (N {len(right)})"
    )
    sizes = f"{len(trials[0].known)} known probes, {len(trials[0].strangers)} strangers"
    print(
        f"\nsure = {sure:.3f}\nunknown = {unknown:.3f}\nmargin = {margin:.3f}\n"
        f'measured = "Distances from ideals at FPIR 1 % and 10 %, mean of {len(trials)} random '
        f"galleries of {trials[0].characters} characters by {REFERENCES} references, {sizes} each, "
        'train split, benchmarks/thresholds.py; margin: median gap of wrong names."'
    )
