"""The benchmark of small galleries, on made-up characters."""

from __future__ import annotations

import numpy as np

from benchmarks import small_galleries
from benchmarks.openset import Faces
from gallery.identify.calibration.strangers import nobody
from gallery.types import DIMENSION

UNKNOWN = 0.434


def everybody() -> small_galleries.Everybody:
    generator = np.random.default_rng(3)
    characters, each = 16, 10
    centres = np.zeros((characters, DIMENSION))
    centres[:, :12] = generator.normal(size=(characters, 12))
    centres *= 0.5 / np.linalg.norm(centres, axis=1, keepdims=True)
    labels = np.repeat(np.arange(characters), each).astype(np.int64)
    drawn = centres[labels] + generator.normal(scale=0.015, size=(len(labels), DIMENSION))
    count = len(labels)
    faces = Faces(
        drawn.astype(np.float32), labels, np.zeros(characters, np.int64), np.full(count, 0.9)
    )
    series = np.array(["one", "two"])[(labels >= 10).astype(np.int64)]
    return small_galleries.Everybody(faces, series, labels < 13, labels != 9)


def test_a_gallery_is_asked_about_its_own_series_television_and_the_rest() -> None:
    found = everybody()
    kind = small_galleries.Kind("made up", ("one",), (5,))
    for one in small_galleries.drawn(found, kind, 5, 3):
        labels = found.faces.labels
        members = np.unique(labels[one.enrolled])
        assert len(members) == 5
        assert set(labels[one.known]) == set(members)
        same, television, other = (set(labels[rows].tolist()) for rows in one.strangers)
        # The ninth has no name, and may be anybody of the series.
        assert same == set(range(9)) - set(members.tolist())
        assert (television, other) == ({10, 11, 12}, {13, 14, 15})


def test_there_is_a_row_for_each_way_to_score() -> None:
    kind = small_galleries.Kind("made up", ("one",), (5,))
    rows = list(small_galleries.rows_of_kind(everybody(), kind, nobody(), UNKNOWN, 2))
    assert [row[:2] for row in rows] == [("made up, 5", "alone"), ("made up, 5", "jointly")]
    assert all(0 <= float(row[2]) <= 1 for row in rows)
