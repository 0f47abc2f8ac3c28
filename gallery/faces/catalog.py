"""Name -> implementation, one line each."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import (
    NoSuchDetector,
    NoSuchNetwork,
    NoSuchRuntime,
    SetupError,
    UnusableDetector,
    UnusableDevice,
)
from gallery.faces.interfaces import Detector, Encoder
from gallery.faces.networks.devices import AUTO, CPU, offered, require_agreement
from gallery.faces.networks.library import Weights, locate, shipped_detector
from gallery.settings import bundled
from gallery.system.reading import read_file
from gallery.types import Thresholds


def _heads() -> Detector:
    return heads(portraits=True)


def heads(*, portraits: bool) -> Detector:
    """Return our own head detector, with or without its portrait pass, see detectors.portrait."""
    from gallery.faces.detectors.heads import HeadDetector

    path, sha256 = shipped_detector("heads")
    eyes, eyes_sha256 = shipped_detector("eyes")
    return HeadDetector(
        path, sha256=sha256, eyes=eyes, eyes_sha256=eyes_sha256, portraits=portraits
    )


def _animeface() -> Detector:
    from gallery.faces.detectors.animeface import AnimefaceDetector

    return AnimefaceDetector()


def _whole() -> Detector:
    from gallery.faces.detectors.whole import WholePicture

    return WholePicture()


def _onnx(weights: Weights, cache_folder: Path, device: str) -> Encoder:
    from gallery.faces.encoders.onnx_network import OnnxNetwork

    return OnnxNetwork(weights, cache_folder, device=device)


def _dlib(weights: Weights, _cache_folder: Path, device: str) -> Encoder:
    from gallery.faces.encoders.dlib_network import DlibNetwork

    if device != CPU:
        raise UnusableDevice(device, "is not for dlib's runtime")
    return DlibNetwork(weights)


DETECTORS: dict[str, Callable[[], Detector]] = {
    "heads": _heads,
    "animeface": _animeface,
    "whole": _whole,
}

RUNTIMES: dict[str, Callable[[Weights, Path, str], Encoder]] = {
    "onnx": _onnx,
    "dlib": _dlib,
}


def detector(name: str, head_scale: float = 1.0) -> Detector:
    """Open a detector: a name of the catalog, the path of an ONNX file, or a plug-in's name.

    head_scale is for ONNX files alone; see onnx_file.OnnxFileDetector. Raises SetupError for an
    unknown name, and where the detector cannot work on this machine.
    """
    if name in DETECTORS:
        return DETECTORS[name]()
    if name.lower().endswith(".onnx"):
        from gallery.faces.detectors.onnx_file import OnnxFileDetector

        return OnnxFileDetector(Path(name), head_scale)
    from gallery.faces.detectors import plugged as others
    from gallery.system import plugins

    plugged = others.detector(name)
    if plugged is not None:
        return plugged
    raise NoSuchDetector(name, (*DETECTORS, *plugins.names(others.GROUP)))


def detector_id(name: str) -> str:
    """Return what tells whether detectors of one name on two machines are the same.

    That is what is known of the networks of gallery's own and of a file; of others the version of
    the package. Raises SetupError for a file that cannot be read.
    """
    if name == "heads":
        return "+".join(shipped_detector(part)[1] for part in ("heads", "eyes"))
    if name.lower().endswith(".onnx"):
        try:
            return hashlib.sha256(read_file(Path(name))).hexdigest()
        except OSError as error:
            raise UnusableDetector(Path(name), f"cannot be read: {error.strerror}") from error
    if name == "animeface":
        return importlib.metadata.version(name)
    from gallery.faces.detectors.plugged import GROUP
    from gallery.system import plugins

    entry = None if name in DETECTORS else plugins.entry_of(name, GROUP, "a detector")
    return "" if entry is None or entry.dist is None else entry.dist.version


@dataclass(frozen=True, slots=True)
class ChosenEncoder:
    """An encoder that a user named, not opened yet."""

    name: str
    id: str
    thresholds: Thresholds
    open: Callable[[], Encoder]
    """Raises SetupError where it does not work."""
    stand_in: bool = False
    """Whether it was not made for anime."""
    ships: bool = False
    """Whether it came with gallery."""


def chosen_encoder(
    name: str, runtime: str, models_folder: Path, cache_folder: Path, device: str = CPU
) -> ChosenEncoder:
    """Return a network of the library, or a plug-in's encoder.

    Raises SetupError for an unknown name, and for a network whose file is not here.
    """
    try:
        weights = locate(name, models_folder)
    except NoSuchNetwork as error:
        from gallery.faces.encoders import plugged as others
        from gallery.system import plugins

        plugged = others.encoder(name)
        if plugged is None:
            raise NoSuchNetwork(name, (*error.known, *plugins.names(others.GROUP))) from error

        def own() -> Encoder:
            if device not in (AUTO, CPU):
                raise UnusableDevice(device, f"is not for {name}, which runs as its package has it")
            return plugged

        return ChosenEncoder(name, plugged.id, plugged.card.thresholds, own)
    return ChosenEncoder(
        name,
        weights.encoder_id,
        weights.thresholds,
        lambda: encoder(runtime, weights, cache_folder, device),
        stand_in=weights.stand_in,
        ships=weights.path.parent == bundled("models"),
    )


def encoder(runtime: str, weights: Weights, cache_folder: Path, device: str = CPU) -> Encoder:
    """Open an encoder's network in a runtime, see encoder_on."""
    return encoder_on(runtime, weights, cache_folder, device)[1]


def encoder_on(
    runtime: str, weights: Weights, cache_folder: Path, device: str
) -> tuple[str, Encoder]:
    """Open an encoder's network in a runtime, and return the device that it runs on, too.

    `auto` is the first device that works. Raises SetupError where the runtime or the network does
    not work, and for a device that is not here, or describes faces in another way than the
    processor.
    """
    if runtime not in RUNTIMES:
        raise NoSuchRuntime(runtime, tuple(RUNTIMES))
    if device == AUTO:
        for name in offered() if runtime == "onnx" else ():
            with contextlib.suppress(SetupError):
                return encoder_on(runtime, weights, cache_folder, name)
        device = CPU
    opened = _opened(runtime, weights, cache_folder, device)
    if device != CPU:
        require_agreement(device, opened, _opened(runtime, weights, cache_folder, CPU))
    return device, opened


def _opened(runtime: str, weights: Weights, cache_folder: Path, device: str) -> Encoder:
    if weights.parts:
        from gallery.faces.encoders.ensemble import EnsembleNetwork
        from gallery.system.threads import side_by_side

        parts = side_by_side(
            lambda part: RUNTIMES[runtime](part, cache_folder, device), weights.parts
        )
        return EnsembleNetwork(parts, weights)
    return RUNTIMES[runtime](weights, cache_folder, device)
