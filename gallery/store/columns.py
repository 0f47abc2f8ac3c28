"""What stands in the database's columns: from plain types to values and back."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.errors import DamagedDescriptor, DamagedPlace, InputError
from gallery.types import Box, Descriptor, Face, Landmarks, Point, Quality, width_of


def blob_of(vector: Descriptor, encoder: str) -> bytes:
    """Return an encoder's descriptor as it is stored: float32, little endian.

    Raises InputError for one of another shape than the encoder's.
    """
    width = width_of(encoder)
    if vector.shape != (width,) or not np.isfinite(vector).all():
        raise InputError(f"A descriptor is {width} finite numbers, not {vector.shape}.")
    return vector.astype("<f4").tobytes()


def is_sound(blob: bytes, encoder: str) -> bool:
    """Say whether an encoder's stored descriptor is what it was written as: finite numbers."""
    is_whole = len(blob) == 4 * width_of(encoder)
    return is_whole and bool(np.isfinite(np.frombuffer(blob, "<f4")).all())


def matrix_of(blobs: Sequence[bytes], encoder: str) -> NDArray[np.float32]:
    """Return an encoder's sound stored descriptors as rows, shape (n, its width)."""
    joined = np.frombuffer(b"".join(blobs), "<f4")
    return joined.reshape(len(blobs), width_of(encoder)).astype(np.float32)


def sound_matrix(blobs: Sequence[bytes], encoder: str) -> NDArray[np.float32]:
    """Return an encoder's stored descriptors as rows, shape (n, its width).

    Raises StoreError where one of them is damaged.
    """
    size = 4 * width_of(encoder)
    if all(len(blob) == size for blob in blobs):
        matrix = matrix_of(blobs, encoder)
        if np.isfinite(matrix).all():
            return matrix
    raise DamagedDescriptor


def face_of(row: Any) -> Face:
    """Return the face of a row with a box, a score and landmarks."""
    return Face(box_of(row), row.score, landmarks_from_json(row.landmarks))


def box_of(row: Any) -> Box:
    """Return the box of a row with left, top, right and bottom."""
    return Box(row.left, row.top, row.right, row.bottom)


def quality_of(row: Any) -> Quality | None:
    """Return the quality of a row with its parts; None where it was never measured."""
    if row.size is None or row.sharpness is None:
        return None
    return Quality(row.size, row.sharpness, row.roll, row.frontal, row.cut)


def quality_columns(quality: Quality | None) -> dict[str, float | None]:
    """Return a quality's parts by the names of their columns; all None where it is unknown."""
    return {
        part.name: None if quality is None else getattr(quality, part.name)
        for part in dataclasses.fields(Quality)
    }


def landmarks_to_json(landmarks: Landmarks | None) -> str | None:
    """Return landmarks as JSON: name to [x, y], those that are known."""
    if landmarks is None:
        return None
    return json.dumps({name: place for name, place in landmarks._asdict().items() if place})


def landmarks_from_json(text: str | None) -> Landmarks | None:
    """Return the landmarks that landmarks_to_json wrote. Raises StoreError for anything else."""
    if text is None:
        return None
    try:
        places = {name: Point(*map(_finite, place)) for name, place in json.loads(text).items()}
        return Landmarks(**places)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DamagedPlace from error


def _finite(value: float) -> float:
    if isinstance(value, str) or not math.isfinite(value):
        raise ValueError("a place is none")
    return value
