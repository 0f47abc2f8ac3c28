"""Draws a run's log: loss, training accuracy, and how the held-out characters fare."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

PANELS = (
    ("loss", ("loss",)),
    ("share of training faces nearest to their own direction", ("right",)),
    (
        "rank-1 of held-out characters against ideals, probe left out",
        ("held_rank_1", "held_rank_1_raw"),
    ),
    ("spread of descriptors' lengths over their mean, held-out", ("length_spread",)),
)


def plot(log: Path, picture: Path) -> None:
    """Draw the figures of a log.jsonl over minutes of training; lines show changes of size."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    minutes = [line["minutes"] for line in lines]
    figure, axes = pyplot.subplots(2, 2, figsize=(12, 8), sharex=True)
    for axis, (title, names) in zip(axes.flat, PANELS, strict=True):
        for name in names:
            axis.plot(minutes, [line[name] for line in lines], marker=".", label=name)
        for before, after in pairwise(lines):
            if before["side"] != after["side"]:
                axis.axvline(before["minutes"], color="grey", linewidth=0.5)
        axis.set_title(title, fontsize=9)
        axis.legend(fontsize=8)
    for axis in axes[1]:
        axis.set_xlabel("minutes of training")
    figure.tight_layout()
    figure.savefig(picture, dpi=90)
    pyplot.close(figure)
