"""The benchmark of verdicts, and what makes the shipped strangers, on made-up characters."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import openset
from gallery.calibration.strangers import Strangers
from gallery.evaluation.bootstrap import weightings
from gallery.types import DIMENSION, Thresholds
from training import strangers as made


def faces(characters: int, each: int, seed: int) -> openset.Faces:
    generator = np.random.default_rng(seed)
    centres = np.zeros((characters, DIMENSION))
    centres[:, :12] = generator.normal(size=(characters, 12))
    centres *= 0.5 / np.linalg.norm(centres, axis=1, keepdims=True)
    labels = np.repeat(np.arange(characters), each).astype(np.int64)
    drawn = centres[labels] + generator.normal(scale=0.02, size=(len(labels), DIMENSION))
    return openset.Faces(
        drawn.astype(np.float32), labels, np.arange(characters) % 4, np.ones(len(labels))
    )


@pytest.fixture(scope="module")
def shipped() -> Strangers:
    unseen = faces(80, 4, 5)
    alone = unseen.labels >= 12
    kept = ~alone | (np.arange(len(alone)) % 4 == 0)
    return made.make(
        made.Unseen(unseen.descriptors[kept], unseen.labels[kept], 12, np.ones(int(kept.sum())))
    )


def test_strangers_are_of_held_out_and_of_lone_characters(shipped: Strangers) -> None:
    assert len(shipped) == 12 * 4 + 68
    assert len(np.unique(shipped.characters)) == 80
    assert shipped.known.any()
    assert not shipped.known.all()
    assert shipped.right[shipped.known].mean() > 0.8
    assert not shipped.right[~shipped.known].any()


def test_lone_faces_and_held_out_ones_are_chosen() -> None:
    identity = np.array(["held", "seen", "seen", "lone", "held", "other"])
    marks = identity == "held"
    rows, labels, held = made.unseen_rows(identity, marks)
    assert rows.tolist() == [0, 4, 3, 5]
    assert labels.tolist() == [0, 0, 1, 2]
    assert held == 1


@pytest.fixture(scope="module")
def found(shipped: Strangers) -> openset.Found:
    everybody, nothing = faces(70, 7, 1), faces(20, 1, 3)
    return openset.run(everybody, nothing, shipped, Thresholds(0.3, 0.4, 0.02), galleries=2)


def test_nobody_is_both_known_and_a_stranger(found: openset.Found) -> None:
    for draw in (0, 1):
        known = set(found.known.labels[found.known.draws == draw])
        strangers = set(found.strangers.labels[found.strangers.draws == draw])
        assert len(known) == openset.CHARACTERS
        assert len(strangers) == 20
        assert not known & strangers
    assert len(found.known.labels) == 2 * openset.CHARACTERS * 2
    assert not found.strangers.right.any()


def test_every_group_has_rows_with_intervals(found: openset.Found) -> None:
    weights = weightings(found.characters, 20, 0)
    for group in (
        openset.false_positive_rows,
        openset.found_rows,
        openset.sure_rows,
        openset.reliability_rows,
    ):
        rows = group(found, weights)
        assert rows
        assert all(len(row) == 3 for row in rows)
    assert "(" in openset.false_positive_rows(found, weights)[0][1]


def test_a_reliability_diagram_weighs_strangers_as_much_as_known_faces(
    found: openset.Found,
) -> None:
    said, right, weight = openset.reliability(found)
    assert weight.sum() == pytest.approx(1)
    kept = weight > 0
    assert ((said[kept] >= 0) & (said[kept] <= 1)).all()
    assert np.nansum(right * weight) == pytest.approx(found.known.right.mean() / 2)


def test_the_reliability_diagram_is_a_picture_of_its_own(
    found: openset.Found, tmp_path: Path
) -> None:
    openset.plot(found, tmp_path / "plot.svg")
    root = ElementTree.parse(tmp_path / "plot.svg").getroot()  # noqa: S314 - our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_boxes_that_share_a_border_do_not_touch() -> None:
    assert openset._touch((0, 0, 2, 2), (1, 1, 3, 3))
    assert not openset._touch((0, 0, 2, 2), (2, 0, 4, 2))
