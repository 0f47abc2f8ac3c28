"""The benchmark of mistakes, on made-up characters."""

from __future__ import annotations

import dataclasses

import numpy as np

from benchmarks import mistakes
from benchmarks.openset import Faces
from gallery.identify.calibration.strangers import nobody
from gallery.types import DIMENSION

UNKNOWN = 0.434


def faces(characters: int, each: int) -> Faces:
    generator = np.random.default_rng(3)
    centres = np.zeros((characters, DIMENSION))
    centres[:, :12] = generator.normal(size=(characters, 12))
    centres *= 0.5 / np.linalg.norm(centres, axis=1, keepdims=True)
    labels = np.repeat(np.arange(characters), each).astype(np.int64)
    drawn = centres[labels] + generator.normal(scale=0.015, size=(len(labels), DIMENSION))
    return Faces(drawn.astype(np.float32), labels, np.arange(characters) % 2, np.ones(len(labels)))


def test_a_double_that_is_known_costs_the_others_little() -> None:
    kind = mistakes.Draws("made up", faces(24, 9), 8, 6, 3, is_of_one_series=True)
    head, *rows = mistakes.rows_of(kind, UNKNOWN, nobody())
    tpir = {row[0].strip(): float(row[1]) for row in rows if row[1]}
    assert head[0] == "made up: 8 x 6, 3 galleries"
    assert tpir["doubled"] > 0.9 * tpir["as it is, the others"]
    assert tpir["doubled, doubles unknown"] < tpir["doubled"]
    assert any("doubled characters known: 100%" in row[0] for row in rows)


def test_galleries_of_one_series_have_one() -> None:
    kind = mistakes.Draws("made up", faces(24, 9), 8, 6, 2, is_of_one_series=True)
    for asked, name in mistakes.drawn(kind, UNKNOWN, nobody()):
        assert len(np.unique(asked.faces.series[asked.members])) == 1
        assert name in asked.members
        twice = mistakes.doubled(asked, name, UNKNOWN)
        assert len(np.unique(twice.enrolled.labels)) == 9
        assert len(twice.enrolled.doubles) == 1
    (row,) = mistakes.pair_rows(dataclasses.replace(kind, count=2), 3, UNKNOWN)
    assert row[1] == "known 1.00"
