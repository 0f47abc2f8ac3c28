"""Faces of the dev split that show somebody else than their label says, or nobody.

Found by eye on contact sheets of all of its faces, whatever an encoder says of them. All are of one
series, whose labels are those of pictures with several people. `dev_mislabelled.csv` beside this
file lists them with what they show; doubtful ones are not in it.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from measuring.faces import rows_of

TABLE = Path(__file__).with_name("dev_mislabelled.csv")


def rightly_labelled(folder: Path) -> NDArray[np.bool_]:
    """Mark the faces of the dev split whose label holds, shape (n,), in the order of its table.

    The folder is that of faces.csv.
    """
    with TABLE.open(encoding="utf-8", newline="") as table:
        wrong = {(row["file"], row["identity"]) for row in csv.DictReader(table)}
    rows = rows_of(folder, "dev")
    return np.array([(row["file"], row["identity"]) not in wrong for row in rows])
