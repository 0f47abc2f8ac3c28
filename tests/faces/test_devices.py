"""Devices beside the processor, by a stand-in: no test wants a graphics card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from command import call

from gallery.errors import NoSuchDevice, UnusableDevice
from gallery.faces import catalog
from gallery.faces.networks.devices import AUTO, CPU, PROVIDERS, TOLERANCE, offered
from gallery.faces.networks.library import Weights, locate
from gallery.types import CROP_SIDE

CUDA = PROVIDERS["cuda"]


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    return locate("anime-lite", tmp_path)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make ONNX Runtime offer a device which says what the processor says, or nearly."""
    real = onnxruntime.InferenceSession

    def offer(*, apart: float = 0.0, opens: bool = True, fails: bool = False) -> None:
        class Session:
            def __init__(self, model: bytes, options: object, providers: list[str]) -> None:
                self._session = real(model, options, providers=[PROVIDERS[CPU]])
                self._providers = providers if opens else providers[-1:]

            def get_providers(self) -> list[str]:
                return self._providers

            def run(self, names: None, given: dict[str, Any]) -> list[Any]:
                (said,) = self._session.run(names, given)
                if CUDA not in self._providers:
                    return [said]
                if fails:
                    raise RuntimeError("CUDA failure 999: the device is lost\nand more")
                return [said + apart / np.sqrt(said.shape[1])]

        monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, PROVIDERS[CPU]])

    return offer


def test_a_device_that_is_not_here_is_named_with_those_that_are(
    weights: Weights, tmp_path: Path
) -> None:
    assert offered()[-1] == CPU
    with pytest.raises(NoSuchDevice, match=r"no device abacus here; choose .*cpu"):
        catalog.encoder("onnx", weights, tmp_path, "abacus")
    done = call("--device", "abacus", "doctor", cwd=tmp_path, database=tmp_path / "gallery.db")
    assert done.code == 1
    assert "FAIL device: There is no device abacus here; choose" in done.stdout


def test_a_device_that_says_what_the_processor_says_is_used(
    weights: Weights, tmp_path: Path, cuda: Callable[..., None]
) -> None:
    cuda(apart=0.9 * TOLERANCE)
    crops = np.random.default_rng(0).integers(0, 256, (2, CROP_SIDE, CROP_SIDE, 3), np.uint8)
    on_processor = catalog.encoder("onnx", weights, tmp_path).encode(crops)
    for device in ("cuda", AUTO):
        used, encoder = catalog.encoder_on("onnx", weights, tmp_path, device)
        assert (used, encoder.id) == ("cuda", weights.encoder_id)
        apart = np.linalg.norm(encoder.encode(crops) - on_processor, axis=1)
        assert apart == pytest.approx(0.9 * TOLERANCE, rel=0.01)


@pytest.mark.parametrize(
    ("troubles", "said"),
    [
        ({"apart": 2 * TOLERANCE}, "describes the drawn face 0.010 away"),
        ({"apart": np.nan}, "describes the drawn face nan away"),
        ({"opens": False}, "cannot be opened"),
        ({"fails": True}, "failed: CUDA failure 999: the device is lost; let"),
    ],
)
def test_a_device_that_does_not_is_refused_and_auto_leaves_it(
    weights: Weights,
    tmp_path: Path,
    cuda: Callable[..., None],
    troubles: dict[str, Any],
    said: str,
) -> None:
    cuda(**troubles)
    with pytest.raises(UnusableDevice, match=said):
        catalog.encoder("onnx", weights, tmp_path, "cuda")
    assert catalog.encoder_on("onnx", weights, tmp_path, AUTO)[0] == CPU


def test_dlib_runs_on_the_processor_alone(weights: Weights, tmp_path: Path) -> None:
    with pytest.raises(UnusableDevice, match="is not for dlib's runtime"):
        catalog.encoder("dlib", weights, tmp_path, "cuda")
