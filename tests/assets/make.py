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

from gallery.media.images import FileState, encode_jpeg, encode_png
from gallery.store.reader import Store
from gallery.store.rejections import NewRejection
from gallery.store.schema import HEAD
from gallery.store.sightings import Observation
from gallery.store.videos import ObservedVideo
from gallery.types import Box, DescribedFace, Face, Quality, VideoShot, VideoTrack


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
        jpeg = encode_jpeg(np.full((150, 150, 3), (9, 90, 200), np.uint8))
        place, vectors = Box(1, 2, 31, 32), {"fake": vector(300)}
        writer.reject(NewRejection("Rei", "1" * 64, Path("/seen.png"), place, jpeg, vectors))
        face = DescribedFace(
            Face(place, 0.5),
            np.full((150, 150, 3), 90, np.uint8),
            vector(301),
            Quality(30.0, 0.5, None, None, None),
        )
        state = FileState(1001, 10**18)
        seen = Observation(Path("/seen.png"), state, "1" * 64, 160, 120, (face,))
        writer.sightings.keep(seen, "fake", "fake")
        writer.sightings.group({1: 7})
        asked, video = (0.0, None, 0.5), Path("/seen.mkv")
        writer.sightings.keep_video(
            ObservedVideo(video, state, "2" * 64, 160, 120, asked, is_whole=True)
        )
        writer.sightings.keep_shot(
            "2" * 64,
            video,
            VideoShot(1, 0.0, 2.0, 1, 4),
            [(VideoTrack(1, 1, 0.0, 2.0, 0.5, 4), face)],
            left_out=0,
            encoder="fake",
            detector="fake",
        )
    with closing(sqlite3.connect(path)) as connection:
        # Kept without a log beside it, so that it is one small file.
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")


if __name__ == "__main__":
    make(Path(__file__).parent / f"gallery-{HEAD}.db")
