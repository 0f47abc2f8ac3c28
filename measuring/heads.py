"""Television heads whose series is known and whose character is not: who learns from them.

Encoders learn from those that have a group (`python -m training heads` makes these), and from no
other. Of the others, those of half of the series ship as strangers, for calibration; those of the
other half are the strangers that benchmarks ask about.
"""

from __future__ import annotations

import csv
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from measuring.faces import rows_of

HEADS = "train-3"
"""Their split."""

GROUPS = Path(__file__).with_name("heads.csv")
"""The groups, as `training.heads` made them."""


def groups() -> dict[str, str]:
    """Return the group of each file that has one."""
    with GROUPS.open(encoding="utf-8", newline="") as table:
        return {row["file"]: row["identity"] for row in csv.DictReader(table)}


def ship_as_strangers(series: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Mark the series whose heads ship as strangers, shape (n,): every second one, by its name."""
    return np.array([zlib.crc32(name.encode()) % 2 == 0 for name in series], dtype=np.bool_)


def asked_about(folder: Path) -> NDArray[np.bool_]:
    """Mark the heads that benchmarks ask about, in the order of the table in the folder."""
    rows = rows_of(folder, HEADS)
    has_group = np.isin([row["file"] for row in rows], list(groups()))
    return ~has_group & ~ship_as_strangers(np.array([row["series"] for row in rows]))
