"""Runs files of networks as gallery does; wants no PyTorch."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from gallery.evaluation.metrics import Numbers
from gallery.faces import catalog
from gallery.faces.networks.library import Weights
from gallery.settings import SAME, default_cache_folder
from gallery.types import Thresholds
from measuring.faces import Pixels, scaled
from training.shipped import PARTS, file_of

MATRIX_SUFFIX = ".npy"


def weights_of(path: Path, *, mirror: bool = False) -> Weights:
    """Return a network's file as gallery's encoders want it, whether or not it has a manifest.

    A matrix of NumPy's joins the parts of the default encoder.
    """
    joins = path.suffix == MATRIX_SUFFIX
    return Weights(
        name=path.stem,
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        thresholds=Thresholds(SAME, SAME, 0.0),
        zoom=1.0,
        mirror=mirror,
        licence="",
        stand_in=False,
        parts=tuple(weights_of(part, mirror=mirror) for part in parts_of_default())
        if joins
        else (),
    )


def parts_of_default() -> list[Path]:
    """Return the files that the default encoder joins."""
    return [file_of(name) for name in PARTS]


def describe(path: Path, pixels: Pixels, *, mirror: bool = False) -> Numbers:
    """Return what a file says of stored faces, in ONNX Runtime, as dlib would: raw.

    Faces are scaled to the size of a crop; shape (n, DIMENSION).
    """
    encoder = catalog.encoder("onnx", weights_of(path, mirror=mirror), default_cache_folder())
    parts = [encoder.encode(scaled(pixels[at : at + 256])) for at in range(0, len(pixels), 256)]
    return np.concatenate(parts).astype(np.float64)
