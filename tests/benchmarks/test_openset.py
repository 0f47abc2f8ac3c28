"""The benchmark of verdicts, and what makes the shipped strangers, on made-up characters."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import openset
from gallery.identify.calibration.strangers import Strangers
from gallery.numerics.intervals import weightings
from gallery.types import DIMENSION, Thresholds
from training import strangers as made
from training import verdicts


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


def unseen_faces() -> made.Unseen:
    """12 held-out characters of 4 faces each, 3 of each series, and 68 that are alone."""
    unseen = faces(80, 4, 5)
    alone = unseen.labels >= 12
    kept = ~alone | (np.arange(len(alone)) % 4 == 0)
    labels = unseen.labels[kept]
    series = np.array([f"series {one}" for one in unseen.series[labels]])
    return made.Unseen(unseen.descriptors[kept], labels, 12, np.ones(len(labels)), series)


@pytest.fixture(scope="module")
def shipped() -> Strangers:
    return made.make(unseen_faces())


def test_the_same_faces_make_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "GALLERIES", 3)
    for name in ("one.npz", "other.npz"):
        made.write(unseen_faces(), tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_features_are_judged_on_series_that_ship_no_stranger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("SMALL", 2), ("LARGE", 4), ("JUDGED", 6), ("REFERENCES", 2)):
        monkeypatch.setattr(verdicts, name, value)
    monkeypatch.setattr(made, "GALLERIES", 3)
    unseen = unseen_faces()
    generator = np.random.default_rng(1)
    judged = verdicts._judged_series(unseen, generator)
    assert len(judged) == 2
    rest = unseen.chosen(np.setdiff1d(unseen.series, judged))
    assert rest.held == 6
    assert set(rest.series) | set(judged) == set(unseen.series)
    assert rest.labels.max() + 1 == len(np.unique(rest.labels)) == 6 + 34
    one = verdicts.draw(unseen, generator)
    assert len(one.large.own_strangers) == 8
    assert len(one.known) == 4 * 2
    assert len(one.at_small) == len(one.grown) == len(one.at_large) == 2 * 4 + 34
    for features in verdicts.SETS.values():
        assert all(0 <= value <= 1 for value in verdicts.figures(one, features))
    assert verdicts.by_distance(one) > 0.5
    company = verdicts.draw(unseen, np.random.default_rng(1), 0.4)
    assert len(company.at_large) == len(one.at_large)
    assert company.large.known.evidence.shape == one.large.known.evidence.shape
    assert not np.array_equal(company.known.evidence, one.known.evidence)
    monkeypatch.setattr(verdicts, "JUDGED", 100)
    with pytest.raises(ValueError, match="No series"):
        verdicts._judged_series(unseen, generator)


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


@pytest.mark.parametrize("together", ["all", "series", "100"])
def test_everybody_is_asked_once_together_too(
    found: openset.Found, shipped: Strangers, together: str
) -> None:
    everybody, nothing = faces(70, 7, 1), faces(20, 1, 3)
    thresholds = Thresholds(0.3, 0.4, 0.02)
    company = openset.run(everybody, nothing, shipped, thresholds, galleries=2, together=together)
    for name in ("known", "same_series", "other_series", "false"):
        one, other = getattr(found, name), getattr(company, name)
        assert sorted(one.labels) == sorted(other.labels)
        if len(one.labels):
            assert not np.array_equal(np.sort(one.ideal), np.sort(other.ideal))
    assert company.known.right.mean() > 0.9


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
