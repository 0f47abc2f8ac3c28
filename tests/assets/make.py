"""Makes the database that tests open as one of an old version: run once for each version.

PYTHONPATH=.:tests python tests/assets/make.py, from the repository's root, before a migration is
added.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from fakes import new_sample, vector

from gallery.images import FileState, encode_png
from gallery.schema import HEAD
from gallery.store import Store


def make(path: Path) -> None:
    """Write a small database with everything that one can hold."""
    path.unlink(missing_ok=True)
    with Store(str(path), create=True) as store, store.writing() as writer:
        for number, name in enumerate(["Ayanami", "Ayanami", "Rei", "Noise", "Rei"], 1):
            crop = np.full((150, 150, 3), (40 * number, 90, 200), np.uint8)
            sample = replace(new_sample(name, number), crop_png=encode_png(crop))
            sample_id = writer.add(sample)
            if sample_id is not None and number < 3:
                writer.describe(sample_id, "second", vector(100 + number))
            writer.remember_file(sample.path, FileState(1000 + number, 10**18), sample.digest)
        writer.rename("Ayanami", "綾波レイ")
        writer.forget_samples([5])
        writer.remember_refusal("0" * 64, "fake", "shows no face that the detector sees.")
    with closing(sqlite3.connect(path)) as connection:
        # Kept without a log beside it, so that it is one small file.
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")


if __name__ == "__main__":
    make(Path(__file__).parent / f"gallery-{HEAD}.db")
