"""What networks can run on: the processor, and what ONNX Runtime offers beside it.

A descriptor is compared with others that were made elsewhere, so that a device is used only where
it says what the processor says of the drawn face.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gallery.errors import NoSuchDevice, UnusableDevice
from gallery.faces.interfaces import Encoder
from gallery.media.images import read_image

CPU, AUTO = "cpu", "auto"

PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    CPU: "CPUExecutionProvider",
}
"""What ONNX Runtime calls devices; AUTO tries them in this order."""

TOLERANCE = 0.005
"""How far a device's descriptor of the drawn face may be from the processor's: about a hundredth of
the distance from which on nobody is known."""

DRAWN_FACE = Path(__file__).parents[2] / "assets" / "face.png"


def offered() -> tuple[str, ...]:
    """Return the devices that ONNX Runtime offers here; the processor comes last."""
    import onnxruntime

    there = onnxruntime.get_available_providers()
    return tuple(name for name, provider in PROVIDERS.items() if provider in there)


def require_offered(device: str) -> None:
    """Raise SetupError for a device that ONNX Runtime does not offer here."""
    here = offered()
    if device not in here:
        raise NoSuchDevice(device, here)


def require_agreement(device: str, encoder: Encoder, on_processor: Encoder) -> None:
    """Raise SetupError where a device's descriptor of the drawn face is not the processor's."""
    face = read_image(DRAWN_FACE).pixels[None]
    apart = float(np.linalg.norm(encoder.encode(face) - on_processor.encode(face)))
    # What is no number is not within it either.
    if not apart <= TOLERANCE:
        raise UnusableDevice(
            device, f"describes the drawn face {apart:.3f} away from what the processor says"
        )
