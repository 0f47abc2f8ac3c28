"""From a checkpoint to a file: `.dat` for dlib's network, `.onnx` for the others.

Descriptors are scaled so that on the held-out characters of the train split the equal-error
point of raw distances, all pairs of two faces, lies at 0.6: the convention of dlib's networks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gallery.evaluation.metrics import Numbers
from gallery.evaluation.pairs import PairTable, Side, all_pairs
from gallery.faces.encoders import ensemble
from gallery.faces.networks.dlib_format import read_network, write_network
from gallery.faces.networks.library import ONNX_SUFFIX
from gallery.settings import SAME
from gallery.system.files import replace_file, replacing
from gallery.types import CROP_SIDE, DIMENSION
from measuring.cutting import read_aligned
from measuring.faces import Faces, Pixels, scaled
from training import places
from training.config import Config
from training.data import Place, held_marks, train_classes
from training.discriminants import discriminants
from training.found import held_as_cut, read_training_faces
from training.lite import LiteNetwork, Shipped
from training.network import FaceNetwork, fold, prepare, unfold
from training.onnx_writer import write_onnx
from training.running import describe, parts_of_default
from training.shipped import MODELS
from training.train import build


def shipped_file(config: Config) -> Path:
    """Return where the network of a recipe ships."""
    suffix = ".dat" if config.is_dlib else ONNX_SUFFIX
    return MODELS / f"{config.name}{suffix}"


def export(config: Config, averaged: dict[str, Tensor], held: Faces, path: Path) -> float:
    """Write a network of trained weights as a file; return the factor of its descriptors."""
    write = _dlib_writer(averaged) if config.is_dlib else _onnx_writer(averaged, config)
    write(path, 1.0)
    factor = SAME / equal_error_distance(describe(path, held.pixels), held)
    write(path, factor)
    return factor


def _dlib_writer(averaged: dict[str, Tensor]) -> Callable[[Path, float], None]:
    """Return what writes dlib's network with descriptors times a factor."""
    trained = FaceNetwork()
    trained.load_state_dict(averaged)
    network = fold(trained)

    def write(path: Path, factor: float) -> None:
        scaled = network.projection * np.float32(factor)
        replace_file(path, write_network(dataclasses.replace(network, projection=scaled)))

    return write


def _onnx_writer(averaged: dict[str, Tensor], config: Config) -> Callable[[Path, float], None]:
    """Return what writes the lite network with descriptors of a length."""
    network = build(config)
    assert isinstance(network, LiteNetwork)
    network.load_state_dict(averaged)
    network.eval()
    return lambda path, length: write_shipped(Shipped(network, length), path)


def write_shipped(shipped: Shipped, path: Path) -> None:
    """Write a network for batches of crops of any size of batch."""
    example = torch.zeros(2, CROP_SIDE, CROP_SIDE, 3, dtype=torch.uint8)
    with replacing(path) as partial:
        write_onnx(
            shipped, example, partial, takes=("crops", {0: "n"}), gives=("descriptors", {0: "n"})
        )


def add_places(config: Config, place: Place, path: Path) -> float:
    """Let an exported network say what stands where as well; return the variance that it keeps.

    The discriminants are those of the training characters, from every face as its source has it
    and as the product cuts it.
    """
    faces = read_training_faces(place, with_found=True)
    held = held_marks(config, faces)
    classes = train_classes(faces, held, config.least_faces)
    chosen = np.flatnonzero(classes >= 0)
    views: tuple[Pixels, ...] = (faces.pixels, read_aligned(faces, place.cache))
    model = places.with_cells(path)
    looked = [places.look(model, places.batches(view, chosen)) for view in views]
    learned, cells = (np.concatenate(part) for part in zip(*looked, strict=True))
    again = np.tile(chosen, len(views))
    found = discriminants(cells, classes[again], faces.series[again], DIMENSION)
    both = places.side_by_side(learned, found(cells))
    kept, share = places.principal(both)
    shown = held_as_cut(config, place)

    def write(length: float) -> None:
        places.write_joined(model, found, kept, length, path)

    write(1.0)
    write(SAME / equal_error_distance(describe(path, shown.pixels), shown))
    return share


def fuse(faces: Pixels, held: Faces, path: Path) -> float:
    """Write the matrix that joins the parts of the default encoder.

    Return the share of the variance that it keeps. Its columns are the principal directions of
    what the parts say of the faces, shape (n, side, side, 3).
    """
    unit_length = [
        ensemble.unit(describe(part, faces).astype(np.float32)) for part in parts_of_default()
    ]
    kept, share = places.principal(np.concatenate(unit_length, axis=1))

    def write(factor: float) -> None:
        with replacing(path) as partial:
            np.save(partial, (kept * factor).astype(np.float32))

    write(1.0)
    write(SAME / equal_error_distance(describe(path, held.pixels), held))
    return share


def equal_error_distance(descriptors: Numbers, faces: Faces) -> float:
    """Return the distance at which false accepts are as frequent as false rejects."""
    _, labels = np.unique(faces.identity, return_inverse=True)
    groups = np.zeros(labels.max() + 1, dtype=np.int64)
    table = PairTable(all_pairs(Side(descriptors, labels)), groups, bins=4000)
    return float(table.curves(np.ones((1, len(groups)))).equal_error()[1][0])


def largest_difference(path: Path, pixels: Pixels) -> dict[str, float]:
    """Return the largest difference of any number of a descriptor from dlib's, per runtime."""
    import dlib

    faces = scaled(pixels)
    model = dlib.face_recognition_model_v1(str(path))
    asked = np.array([list(model.compute_face_descriptor(face, 0)) for face in faces])
    answered = describe(path, pixels)
    network = FaceNetwork()
    unfold(network, read_network(path.read_bytes()))
    with torch.no_grad():
        torched = network.eval()(prepare(torch.from_numpy(faces))).numpy()
    return {
        "onnxruntime": float(np.abs(asked - answered).max()),
        "torch": float(np.abs(asked - torched).max()),
    }
