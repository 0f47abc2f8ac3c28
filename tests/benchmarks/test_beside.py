"""The benchmark of faces beside each other, on made-up characters."""

from __future__ import annotations

import numpy as np

from benchmarks import beside
from benchmarks.openset import Faces
from gallery.faces.networks.library import Library
from gallery.settings import DEFAULT_ENCODER, Settings
from gallery.types import DIMENSION


def faces(characters: int, each: int) -> Faces:
    generator = np.random.default_rng(2)
    labels = np.repeat(np.arange(characters), each)
    series = np.arange(characters) // 6
    # Characters of a series look alike.
    centres = 0.4 * generator.normal(size=(series.max() + 1, DIMENSION))[series]
    centres += 0.2 * generator.normal(size=(characters, DIMENSION))
    centres /= np.sqrt(DIMENSION)
    noise = 0.3 * generator.normal(size=(len(labels), DIMENSION)) / np.sqrt(DIMENSION)
    vectors = (centres[labels] + noise).astype(np.float32)
    return Faces(vectors, labels, series, np.full(len(labels), 0.9))


def test_with_their_pictures_no_more_strangers_are_named_and_no_name_comes_twice() -> None:
    weights = Library(Settings().models_folder).locate(DEFAULT_ENCODER)
    draws = beside.Draws("made up", faces(24, 9), 12, 5, 2)
    alone, with_picture = (list(row) for row in beside.measure(draws, weights))
    assert alone[:2] == ["made up", "by itself"]
    assert alone[2:5] == with_picture[2:5]
    pictures, known, strangers = (int(one.replace(",", "")) for one in alone[2:5])
    assert pictures == 2 * beside.PICTURES
    assert 2 * pictures <= known + strangers <= beside.MOST_FACES * pictures
    fpir = [float(row[7].rstrip("%")) for row in (alone, with_picture)]
    assert fpir[1] <= fpir[0]
    assert float(alone[9].rstrip("%")) > 0
    assert with_picture[8:] == ["0.00%", "0.00%"]
