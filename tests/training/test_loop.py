"""What all training loops share."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from training.loop import Loop

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)


@dataclass(frozen=True, slots=True)
class Recipe:
    name: str = "small"


def loop_in(folder: Path, seed: int) -> Loop:
    import torch
    from torch import nn

    from training.loop import Loop, decaying

    torch.manual_seed(seed)
    loop = Loop()
    loop.config, loop.folder = Recipe(), folder
    loop.network, loop.averaged = nn.Linear(3, 2), nn.Linear(3, 2)
    loop.optimiser = torch.optim.AdamW(decaying(list(loop.network.parameters()), 0.1))
    return loop


def test_sixteen_bits_are_used_only_where_a_processor_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    from training.loop import mixed_precision

    for abilities, dtype in (
        ({"avx2": True}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
    ):
        monkeypatch.setattr(
            torch.cpu, "get_capabilities", lambda found=abilities: found, raising=False
        )
        with mixed_precision("cpu"):
            assert torch.mm(torch.ones(2, 2), torch.ones(2, 2)).dtype is dtype


def test_a_run_goes_on_from_what_it_kept(tmp_path: Path) -> None:
    import torch

    first, again = loop_in(tmp_path, 0), loop_in(tmp_path, 1)
    assert not again.resume()
    first.epoch, first.step, first.seconds = 2, 30, 4.5
    first.keep()

    assert again.resume()
    assert (again.epoch, again.step, again.seconds) == (2, 30, 4.5)
    assert torch.equal(again.network.weight, first.network.weight)
    assert torch.equal(again.averaged.weight, first.averaged.weight)
    recipe = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert recipe == {"name": "small"}


def test_averaged_weights_follow_fast_at_first_and_slowly_later(tmp_path: Path) -> None:
    import torch

    loop = loop_in(tmp_path, 0)
    before, after = loop.averaged.weight.detach().clone(), loop.network.weight.detach()
    loop.average(0.99)
    assert torch.allclose(loop.averaged.weight, before * 0.1 + after * 0.9)
    loop.step = 10_000
    before = loop.averaged.weight.detach().clone()
    loop.average(0.75)
    assert torch.allclose(loop.averaged.weight, before * 0.75 + after * 0.25)


def test_a_line_is_noted_beside_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = loop_in(tmp_path, 0)
    for epoch in (1, 2):
        loop.note({"epoch": epoch})

    lines = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"epoch": 1}, {"epoch": 2}]
    assert capsys.readouterr().out.splitlines() == ["{'epoch': 1}", "{'epoch': 2}"]


def test_matrices_decay_and_vectors_do_not() -> None:
    import torch
    from torch import nn

    from training.loop import decaying

    matrix, vector = nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(3))
    some, others = decaying([vector, matrix], 0.5)
    assert (some["params"], some["weight_decay"]) == ([matrix], 0.5)
    assert (others["params"], others["weight_decay"]) == ([vector], 0.0)
