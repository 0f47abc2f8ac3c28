"""How the second look at the eyes is trained: cut, changed, measured, learnt and written."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gallery.faces.detectors.landmarks import SIDE, EyeFinder
from gallery.types import Box, Face, Image, Landmarks, Pixels, Point
from measuring.faces import STORED_SIDE
from training.landmarks.material import Material
from training.landmarks.views import Recipe, changed, covered, framed, mirrored, roll_of, small

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)

BOX = np.array([30.0, 30.0, 130.0, 130.0])
EYES = np.array([[60.0, 80.0], [104.0, 92.0]])
CLEAN = Recipe(
    smallest=99, largest=100, shift=0, stretch=0, roll=0, far_roll_rate=0, degraded_rate=0,
    cover_rate=0,
)  # fmt: skip


def head() -> Pixels:
    """A grey square with a red left eye and a blue right one."""
    import cv2

    pixels = np.full((STORED_SIDE, STORED_SIDE, 3), 128, np.uint8)
    for (x, y), colour in zip(EYES, ((255, 0, 0), (0, 0, 255)), strict=True):
        cv2.circle(pixels, (int(x), int(y)), 4, colour, -1)
    return pixels


def spots(pixels: Pixels) -> NDArray[np.float64]:
    """Return where red and blue are, shape (2, 2), with the first pixel from 0 to 1."""
    found = []
    values = pixels.astype(np.float64)
    for ours, other in ((0, 2), (2, 0)):
        weights = np.clip(values[:, :, ours] - values[:, :, other] - 30, 0, None)
        rows, columns = np.indices(weights.shape) + 0.5
        found.append([(columns * weights).sum(), (rows * weights).sum()] / weights.sum())
    return np.array(found)


@pytest.mark.parametrize("roll", [0.0, 40.0, -70.0])
@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.24])
def test_eyes_stay_on_their_spots_however_a_head_is_cut(roll: float, ratio: float) -> None:
    pixels, places = small(head(), np.vstack([BOX.reshape(2, 2), EYES]), ratio)
    seen, eyes = framed(pixels, places[:2].reshape(4), places[2:], roll)
    assert seen.shape == (SIDE, SIDE, 3)
    assert spots(seen) == pytest.approx(eyes, abs=0.8 + 0.4 / ratio)


def test_a_mirrored_heads_left_eye_is_the_right_one() -> None:
    pixels, box, eyes = mirrored(head(), BOX, EYES)
    assert box.tolist() == [30, 30, 130, 130]
    assert spots(pixels)[::-1] == pytest.approx(eyes, abs=0.7)
    again = mirrored(pixels, box, eyes)
    assert again[2] == pytest.approx(EYES)
    assert roll_of(eyes) == pytest.approx(-roll_of(EYES))


def test_changed_heads_keep_their_eyes_and_come_turned_shifted_and_small() -> None:
    recipe = replace(CLEAN, smallest=40, largest=100, shift=0.05, stretch=0.08, roll=9.0)
    rolls, spans = [], []
    for number in range(40):
        one = changed(
            head(), BOX, EYES, native=1.0, recipe=recipe, generator=np.random.default_rng(number)
        )
        colours = spots(one.pixels)
        mirrored_too = np.linalg.norm(colours[::-1] - one.eyes, axis=1).max() < 2
        assert mirrored_too or np.linalg.norm(colours - one.eyes, axis=1).max() < 2
        rolls.append(roll_of(one.eyes))
        spans.append(float(np.linalg.norm(one.eyes[1] - one.eyes[0])))
        assert one.seen.tolist() == [1, 1]
    assert 5 < np.std(rolls) < 15
    assert 0.04 < np.std(np.log(spans)) < 0.15


def test_a_covered_eye_is_not_seen() -> None:
    hidden = 0
    for number in range(60):
        painted, seen = covered(head(), BOX, EYES, np.random.default_rng(number))
        for eye, is_seen in zip(EYES.astype(int), seen, strict=True):
            same = (painted[eye[1], eye[0]] == head()[eye[1], eye[0]]).all()
            assert same or not is_seen
            hidden += not is_seen
    assert 3 < hidden < 80


def material(count: int = 6) -> Material:
    faces = np.stack([head()] * count)
    eyes = np.stack([EYES] * count)
    eyes[0] = np.nan
    return Material(
        faces=faces,
        patches=faces[:0],
        patch=np.arange(count),
        native=np.ones(count),
        boxes=np.stack([BOX] * count),
        eyes=eyes,
        held=np.arange(count) == count - 1,
    )


@needs_torch
def test_losses_are_least_where_the_eyes_are() -> None:
    import torch

    from training.landmarks.network import CELLS
    from training.landmarks.train import losses

    eyes = torch.tensor([[[30.0, 40.0], [66.0, 40.0]]])
    seen = torch.ones(1, 2)
    votes = torch.zeros(1, 2, CELLS * CELLS).log_softmax(dim=2)
    sure = torch.full((1, 2), 9.0)
    eye, _, visible = losses((eyes, votes, sure), eyes, seen)
    assert eye == 0
    away, _, hidden = losses((eyes + 3.6, votes, -sure), eyes, seen)
    # 3.6 to the side and down is 0.2 of 36 in all, of which half of 0.05 is taken off.
    assert float(away) == pytest.approx(0.2 - 0.025)
    assert visible < 0.01 < hidden
    right = torch.full((1, 2, CELLS, CELLS), -9.0)
    right[0, 0, 5, 3] = right[0, 1, 5, 8] = 9.0
    _, better, _ = losses((eyes, right.flatten(2).log_softmax(dim=2), sure), eyes, seen)
    wrong = right.flip(2).flatten(2).log_softmax(dim=2)
    assert better < losses((eyes, wrong, sure), eyes, seen)[1]
    covered_eye = torch.tensor([[0.0, 1.0]])
    assert losses((eyes + 3.6, votes, sure), eyes, covered_eye)[0] < away


@needs_torch
def test_a_run_learns_goes_on_where_it_was_and_leaves_what_it_took_over(tmp_path: Path) -> None:
    import torch

    from training.detector.network import HeadNetwork
    from training.landmarks.config import Config
    from training.landmarks.network import EyeNetwork
    from training.landmarks.train import Trainer

    torch.manual_seed(0)
    detector = HeadNetwork()
    torch.save({"averaged": detector.state_dict()}, tmp_path / "heads.pt")
    config = Config(
        name="t", seed=1, epochs=3, label_again=0, cooling_epochs=1, epoch_views=48, batch=8,
        warm_up_steps=2, average=0.5, recipe=CLEAN,
    )  # fmt: skip
    own = material()
    first = Trainer(config, own, own.eyes, tmp_path / "run", tmp_path / "heads.pt")
    assert first.trained.tolist() == [1, 2, 3, 4]
    assert first.held.tolist() == [5]
    first.train(2)
    again = Trainer(config, own, own.eyes, tmp_path / "run", tmp_path / "heads.pt")
    assert (again.epoch, again.step) == (2, 12)
    again.train(3)
    lines = (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert '"held_80"' in lines[-1]
    begun = EyeNetwork()
    begun.begin_with(tmp_path / "heads.pt")
    for ours, theirs in zip(again.averaged.taken_over, begun.taken_over, strict=True):
        for name, value in ours.state_dict().items():
            assert torch.equal(value, theirs.state_dict()[name]), name
    assert not torch.equal(again.averaged.votes.weight, begun.votes.weight)


@needs_torch
def test_the_exported_file_answers_as_pytorch_does_and_finds_eyes(tmp_path: Path) -> None:
    import torch

    from training.landmarks.export import TOLERANCE, export
    from training.landmarks.network import EyeNetwork

    torch.manual_seed(0)
    network = EyeNetwork()
    torch.save({"averaged": network.state_dict()}, tmp_path / "last.pt")
    path = tmp_path / "eyes.onnx"
    assert export(tmp_path / "last.pt", path) <= TOLERANCE
    assert path.stat().st_size <= 0.6e6
    box = Box(30, 30, 130, 130)
    face = Face(box, 0.9, Landmarks(Point(60, 80), Point(104, 92)))
    finder = EyeFinder(path)
    image = Image(head(), "", Path("picture.png"))
    ((found,),) = finder.placed([image], [[face]])
    many = finder.placed([image] * 3, [[face], [face] * 5, []])
    assert many == [[found], [found] * 5, []]


@needs_torch
def test_own_eyes_fill_what_animeface_left_open_where_two_looks_agree(tmp_path: Path) -> None:
    import torch
    from torch import nn

    from training.landmarks.network import EyeNetwork
    from training.landmarks.own import own_eyes, write_own

    network = EyeNetwork()
    # Every cell votes for its own place alike: both eyes are in the middle, which no head has.
    for layer in (network.votes, network.seen):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    torch.save({"averaged": network.state_dict()}, tmp_path / "last.pt")
    own = material()
    write_own(tmp_path / "last.pt", own, tmp_path)
    assert np.isnan(own_eyes(tmp_path, own)[0]).all()
    # One eye votes to the left, the other to the right: the same in the mirror, so it is believed.
    with torch.no_grad():
        network.votes.bias[2:] = torch.tensor([-2.0, 0.5, 2.0, 0.5])
        network.seen.bias[:] = 3.0
    torch.save({"averaged": network.state_dict()}, tmp_path / "last.pt")
    write_own(tmp_path / "last.pt", own, tmp_path)
    eyes = own_eyes(tmp_path, own)
    assert np.array_equal(eyes[1:], own.eyes[1:])
    step = 0.5 * 1.1 * 100 / 12
    wanted = [[80 - 4 * step, 80 + step], [80 + 4 * step, 80 + step]]
    assert eyes[0] == pytest.approx(np.array(wanted), abs=0.7)
