"""The whole gallery as one file: a zip of plain JSON, PNG and NumPy arrays.

gallery.json            {"format": 1, "samples": n, "encoders": [...]}
samples.jsonl           one sample a line: character, digest, path, box, score, landmarks, ...
crops/<number>.png      its aligned crop; the number counts lines from 0
descriptors/<n>.npy     float32 (samples, 128) of the n-th encoder; a row of NaN where it has none
"""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.atomic import replacing
from gallery.errors import InputError
from gallery.images import decode_png
from gallery.store import Store, landmarks_from_json
from gallery.types import CROP_SIDE, DIMENSION, Box, Face, Sample
from gallery.writer import NewSample, clean_name, landmarks_to_json

FORMAT = 1
MAX_MEMBER = 1 << 30
"""A member that unfolds to more than this is refused."""
MAX_CROP = 1 << 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    added: int
    present: int
    """Faces of pictures that were there already; they keep their labels."""


def export(store: Store, target: Path) -> int:
    """Write everything of a gallery to a zip file, and return how many samples that is.

    Raises InputError when the file exists or cannot be written; nothing half-written is left.
    """
    if target.exists():
        raise InputError(f"{target} exists already; name another file.")
    try:
        with (
            replacing(target) as unfinished,
            zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive,
        ):
            return _write(store, archive)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror}.") from error


def _write(store: Store, archive: zipfile.ZipFile) -> int:
    encoders = sorted(store.encoders())
    samples = store.samples(encoder="")
    vectors = np.full((len(encoders), len(samples), DIMENSION), np.nan, np.float32)
    lines = []
    for number, sample in enumerate(samples):
        lines.append(json.dumps(_sample(sample), ensure_ascii=False))
        archive.writestr(f"crops/{number}.png", store.crops([sample.id])[sample.id])
        for encoder, vector in store.descriptors_of(sample.id).items():
            vectors[encoders.index(encoder), number] = vector
    for number, matrix in enumerate(vectors):
        content = io.BytesIO()
        np.save(content, matrix, allow_pickle=False)
        archive.writestr(f"descriptors/{number}.npy", content.getvalue())
    archive.writestr("samples.jsonl", "".join(f"{line}\n" for line in lines))
    head = {"format": FORMAT, "samples": len(samples), "encoders": encoders}
    archive.writestr("gallery.json", json.dumps(head))
    return len(samples)


def _sample(sample: Sample) -> dict[str, Any]:
    landmarks = landmarks_to_json(sample.face.landmarks)
    return {
        "character": sample.character,
        "digest": sample.digest,
        "path": str(sample.path),
        "box": list(sample.face.box),
        "score": sample.face.score,
        "landmarks": json.loads(landmarks) if landmarks else None,
        "detector": sample.detector,
        "enrolled_as": sample.enrolled_as,
    }


def restore(store: Store, source: Path) -> Imported:
    """Add everything of an exported file to a gallery, all or nothing.

    A face that is there already keeps its label. Raises InputError for a file that is no export,
    is damaged, or is of a newer version.
    """
    added = present = 0
    with _damage_explained(source), zipfile.ZipFile(source) as archive:
        samples = _read(archive, source)
        with store.writing() as writer:
            for sample in samples:
                if writer.add(sample) is None:
                    present += 1
                else:
                    added += 1
    return Imported(added, present)


@contextlib.contextmanager
def _damage_explained(source: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, NotImplementedError) as error:
        raise InputError(
            f"{source} is not a gallery's export, or is damaged; `gallery export` writes one."
        ) from error


def _read(archive: zipfile.ZipFile, source: Path) -> Iterator[NewSample]:
    head = json.loads(_member(archive, "gallery.json", MAX_CROP))
    if head["format"] > FORMAT:
        raise InputError(
            f"{source} was exported by a newer version of gallery; "
            "upgrade this one: pip install --upgrade gallery."
        )
    lines = _member(archive, "samples.jsonl", MAX_MEMBER).decode("utf-8").splitlines()
    encoders = [str(encoder) for encoder in head["encoders"]]
    matrices = {
        encoder: _matrix(_member(archive, f"descriptors/{row}.npy", MAX_MEMBER), len(lines))
        for row, encoder in enumerate(encoders)
    }
    for number, line in enumerate(lines):
        values = json.loads(line)
        png = _member(archive, f"crops/{number}.png", MAX_CROP)
        if decode_png(png).shape != (CROP_SIDE, CROP_SIDE, 3):
            raise ValueError("a crop has another size")
        landmarks = values["landmarks"]
        yield NewSample(
            character=clean_name(values["character"]),
            digest=str(values["digest"]),
            path=Path(values["path"]),
            face=Face(
                Box(*(float(edge) for edge in values["box"])),
                float(values["score"]),
                landmarks_from_json(json.dumps(landmarks) if landmarks else None),
            ),
            crop_png=png,
            descriptors={
                encoder: matrix[number]
                for encoder, matrix in matrices.items()
                if np.isfinite(matrix[number]).all()
            },
            detector=str(values["detector"]),
            enrolled_as=clean_name(values["enrolled_as"]),
        )


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    information = archive.getinfo(name)
    if information.file_size > limit:
        raise ValueError(f"{name} is too large")
    return archive.read(information)


def _matrix(content: bytes, rows: int) -> NDArray[np.float32]:
    matrix = np.load(io.BytesIO(content), allow_pickle=False)
    if matrix.shape != (rows, DIMENSION) or matrix.dtype != np.float32:
        raise ValueError("a table of descriptors has another shape")
    return np.asarray(matrix, np.float32)
