"""Groups of heads whose character nobody named."""

from __future__ import annotations

import csv
import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from test_training import write_split

from measuring.faces import STORED_SIDE
from training.config import Config
from training.data import Place
from training.found import GROUPS, HEADS, read_training_faces
from training.heads import APART, TOGETHER, groups_of


def on_a_line(*places: float) -> np.ndarray:
    """Descriptors that lie so far along a line."""
    described = np.zeros((len(places), 128))
    described[:, 0] = places
    return described


def groups(described: np.ndarray, pictures: list[str]) -> list[list[int]]:
    return [sorted(group) for group in groups_of(described, np.array(pictures))]


def test_heads_that_are_near_are_one_group_and_a_head_alone_is_none() -> None:
    assert groups(on_a_line(0, 0.1, 3, 3.1, 3.2, 9), list("abcdef")) == [[2, 3, 4], [0, 1]]


def test_heads_of_one_picture_are_two_characters() -> None:
    found = groups(on_a_line(0, 0.05, 0.2), ["one", "one", "two"])
    assert found == [[1, 2]]


def test_frames_of_one_moving_picture_count_as_nearer() -> None:
    apart = on_a_line(0, TOGETHER + 0.04)
    frames = ["0123456789ab_0001", "0123456789ab_0007"]
    assert groups(apart, frames) == [[0, 1]]
    assert groups(apart, ["0123456789ab", "ba9876543210"]) == []


def test_a_group_that_may_be_the_same_as_a_larger_one_is_left_out() -> None:
    near = on_a_line(0, 0, 0, APART - 0.01, APART - 0.01)
    assert groups(near, list("abcde")) == [[0, 1, 2]]
    # A picture that shows both says that they are two.
    assert groups(near, list("abcca")) == [[0, 1, 2], [3, 4]]


def test_the_table_names_groups_of_two_and_more() -> None:
    with GROUPS.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert len({row["file"] for row in rows}) == len(rows)
    assert min(Counter(row["identity"] for row in rows).values()) >= 2


def test_heads_without_a_group_are_a_character_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_split(tmp_path, "faces.csv", "train", ["a", "b"], side=STORED_SIDE)
    write_split(tmp_path, "faces-3.csv", HEADS, [""] * 3, side=STORED_SIDE)
    table = tmp_path / "heads.csv"
    table.write_text(
        "file,identity\ntrain-3/0.png,head:x:0\ntrain-3/2.png,head:x:0\n", encoding="utf-8"
    )
    monkeypatch.setattr("training.found.GROUPS", table)
    place = Place(tmp_path, tmp_path / "cache", tmp_path / "run")

    faces = read_training_faces(place, with_found=False, splits=(HEADS,))

    assert faces.identity.tolist() == ["a", "b", "head:x:0", "train-3/1.png", "head:x:0"]


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_a_share_of_the_weights_that_a_run_began_with_stays(tmp_path: Path) -> None:
    import torch

    from training.loop import LAST
    from training.train import BEGUN, trained_weights

    torch.save({"weight": torch.tensor([1.0]), "steps": torch.tensor(0)}, tmp_path / BEGUN)
    averaged = {"weight": torch.tensor([3.0]), "steps": torch.tensor(7)}
    torch.save({"averaged": averaged}, tmp_path / LAST)
    for stays, weight in ((0.0, 3.0), (0.25, 2.5)):
        config = Config(name="x", seed=1, phases=(), stays=stays)
        found = trained_weights(config, tmp_path)
        assert found["weight"].tolist() == [weight]
        assert int(found["steps"]) == 7
