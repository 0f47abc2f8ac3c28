"""The whole gallery as one file: a zip of plain JSON, PNG and NumPy arrays.

gallery.json            {"format": 1, "samples": n, "encoders": [...], "former_names": {old: new}}
samples.jsonl           one sample a line: character, digest, path, box, score, landmarks, quality
                        (null where it was never measured), poor, content (what the file shows,
                        where that is known), ...
crops/<number>.png      its aligned crop; the number counts lines from 0
descriptors/<n>.npy     float32 (samples, 128) of the n-th encoder; a row of NaN where it has none
rejections.jsonl        what faces are not, one a line: character, digest, path, box
rejected/<number>.jpg   its aligned crop; the number counts lines from 0
rejected/<n>.npy        as descriptors/<n>.npy, of rejections
decisions.jsonl         what a person decided, where that is more than rejections say; see
                        decision_archive.py
forgotten.jsonl         faces that a person forgot, one a line, where there are any: digest, path,
                        box, character, ...

What labelling saw stays behind: it can be made again from the pictures.
"""

from __future__ import annotations

import contextlib
import io
import json
import lzma
import math
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.errors import BadArchive, InputError, NewerArchive, UnreadableFile, UnwritableFile
from gallery.media.images import decode
from gallery.store.columns import landmarks_from_json, landmarks_to_json, quality_columns
from gallery.store.deciding import History
from gallery.store.decision_archive import lines_of, read_history
from gallery.store.forgotten import ForgottenFace
from gallery.store.reader import Store
from gallery.store.rejections import NewRejection
from gallery.store.steps import Action
from gallery.store.writer import NewSample, Writer, clean_name
from gallery.system.files import replacing
from gallery.types import CROP_SIDE, DIMENSION, Box, Content, Face, Landmarks, Quality, Sample

FORMAT = 1
MAX_HEAD = 1 << 24
MAX_LINE = 1 << 14
MAX_LINES = 1 << 29
MAX_FORGOTTEN = 1 << 26
MAX_CROP = 1 << 18
"""Members that unfold to more bytes than these are refused, so that a small file cannot fill the
memory; the lines and the rows of the tables are counted by the crops, which the file's own
directory names."""
MAX_ENCODERS = 64

DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, LookupError, ValueError, TypeError,
    AttributeError, ArithmeticError, RuntimeError,
)  # fmt: skip
"""What reading a file raises that is not what it says it is; RuntimeError for an encrypted one."""

PNG = re.compile(rb"\x89PNG\r\n\x1a\n\0\0\0\rIHDR(.{4})(.{4})\x08\x02", re.DOTALL)
"""How a PNG of 8-bit colours begins; the groups are its width and height."""


JPEG = b"\xff\xd8\xff"
"""How a JPEG begins. What a file within MAX_CROP can unfold to is bounded by images.MAX_PIXELS."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    added: int
    present: int
    """Faces of pictures that were there already; they keep their labels."""


def export(store: Store, target: Path) -> int:
    """Write everything of a gallery to a zip file, and return how many samples that is.

    Raises InputError when the file exists or cannot be written, and when somebody removes samples
    meanwhile; nothing half-written is left.
    """
    if target.exists():
        raise UnwritableFile(target, "exists already", remedy="name another file")
    try:
        with (
            replacing(target) as unfinished,
            zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive,
        ):
            return _write(store, archive)
    except OSError as error:
        raise UnwritableFile(target, f"cannot be written: {error.strerror or error}") from error


def _write(store: Store, archive: zipfile.ZipFile) -> int:
    encoders = sorted(store.encoders())
    samples = store.samples(encoder="")
    contents = store.contents()
    vectors = np.full((len(encoders), len(samples), DIMENSION), np.nan, np.float32)
    lines = []
    for number, sample in enumerate(samples):
        values = _as_json(sample, contents.get(sample.digest))
        lines.append(json.dumps(values, ensure_ascii=False))
        crops = store.crops([sample.id])
        if sample.id not in crops:
            raise InputError("Samples were removed while they were exported; run it again.")
        archive.writestr(f"crops/{number}.png", crops[sample.id])
        for encoder, vector in store.descriptors_of(sample.id).items():
            vectors[encoders.index(encoder), number] = vector
    for number, matrix in enumerate(vectors):
        archive.writestr(f"descriptors/{number}.npy", _as_npy(matrix))
    archive.writestr("samples.jsonl", "".join(f"{line}\n" for line in lines))
    _write_rejections(store, archive, encoders)
    _write_forgotten(store, archive)
    decided = "".join(f"{line}\n" for line in lines_of(store))
    if decided:
        archive.writestr("decisions.jsonl", decided)
    head = {
        "format": FORMAT,
        "samples": len(samples),
        "encoders": encoders,
        "former_names": store.former_names(),
    }
    archive.writestr("gallery.json", json.dumps(head, ensure_ascii=False))
    return len(samples)


def _write_rejections(store: Store, archive: zipfile.ZipFile, encoders: list[str]) -> None:
    known = store.rejections.all()
    vectors = np.full((len(encoders), len(known), DIMENSION), np.nan, np.float32)
    lines = []
    for number, one in enumerate(known):
        crop = store.rejections.crop(one.id)
        if crop is None:
            raise InputError("A rejection was taken back during the export; run it again.")
        archive.writestr(f"rejected/{number}.jpg", crop)
        for encoder, vector in store.rejections.descriptors_of(one.id).items():
            # An encoder of no sample can describe none of them either.
            if encoder in encoders:
                vectors[encoders.index(encoder), number] = vector
        values = {
            "character": one.character,
            "digest": one.digest,
            "path": str(one.path),
            "box": list(one.box),
        }
        lines.append(json.dumps(values, ensure_ascii=False))
    for number, matrix in enumerate(vectors):
        archive.writestr(f"rejected/{number}.npy", _as_npy(matrix))
    archive.writestr("rejections.jsonl", "".join(f"{line}\n" for line in lines))


def _write_forgotten(store: Store, archive: zipfile.ZipFile) -> None:
    lines = [
        json.dumps(
            {
                "digest": one.digest,
                "path": str(one.path),
                "box": list(one.box),
                "character": one.character,
                "enrolled_as": one.enrolled_as,
                **_content_json(one.content),
            },
            ensure_ascii=False,
        )
        for one in store.forgotten()
    ]
    if lines:
        archive.writestr("forgotten.jsonl", "".join(f"{line}\n" for line in lines))


def _content_json(content: Content | None) -> dict[str, Any]:
    """Return what a file shows, where that is known."""
    return {} if content is None else {"content": content._asdict()}


def _as_npy(matrix: NDArray[np.float32]) -> bytes:
    content = io.BytesIO()
    np.save(content, matrix, allow_pickle=False)
    return content.getvalue()


def _as_json(sample: Sample, content: Content | None) -> dict[str, Any]:
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
        "quality": None if sample.quality is None else quality_columns(sample.quality),
        "poor": sample.is_poor,
        **_content_json(content),
    }


def restore(store: Store, source: Path) -> Imported:
    """Add everything of an exported file to a gallery, all or nothing.

    A face that is there already keeps its label. Raises InputError for a file that is no export,
    is damaged, or is of a newer version.
    """
    added = present = 0
    with _damage_explained(source), zipfile.ZipFile(source) as archive:
        head = _head(archive, source)
        samples = _samples(archive, head)
        rejected = _rejections(archive, head)
        forgotten = _forgotten(archive)
        history = _history(archive)
        ours: set[str] = set()
        with store.writing() as writer:
            for sample in samples:
                if sample.content is not None:
                    writer.hear_of_content(sample.digest, sample.content)
                # A picture that is here keeps its label, even where another face of it is meant.
                is_here = sample.digest not in ours and writer.owner_of(sample.digest) is not None
                if is_here or writer.add(sample) is None:
                    present += 1
                else:
                    added += 1
                    ours.add(sample.digest)
            for former, name in head.former_names.items():
                if writer.current_name(name) is not None:
                    writer.remember_name(former, name)
            for name in history.characters:
                writer.character_id(name)
            # Before rejections, whose crops go with the decisions that they are.
            writer.decisions.hear(history)
            for one in rejected:
                _reject(writer, one)
            for face in forgotten:
                writer.forget_face(face)
    return Imported(added, present)


def _reject(writer: Writer, one: NewRejection) -> None:
    """Add a rejection, unless nobody has the name or the face is enrolled here under it."""
    with contextlib.suppress(InputError):
        writer.reject(one, action=Action.FOUND)


@contextlib.contextmanager
def _damage_explained(source: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise UnreadableFile(source, f"cannot be read: {error.strerror or error}") from error
    except DAMAGE as error:
        raise BadArchive(source) from error


@dataclass(frozen=True, slots=True)
class _Head:
    """What gallery.json says, checked."""

    samples: int
    encoders: list[str]
    former_names: dict[str, str]


def _head(archive: zipfile.ZipFile, source: Path) -> _Head:
    values = json.loads(_member(archive, "gallery.json", MAX_HEAD))
    if int(values["format"]) > FORMAT:
        raise NewerArchive(source)
    encoders = [_text(encoder) for encoder in values["encoders"]]
    if len(set(encoders)) != len(encoders) or len(encoders) > MAX_ENCODERS:
        raise ValueError("encoders stand twice, or there are too many")
    former = {_name(old): _name(new) for old, new in values["former_names"].items()}
    return _Head(int(values["samples"]), encoders, former)


def _samples(archive: zipfile.ZipFile, head: _Head) -> Iterator[NewSample]:
    count = sum(name.startswith("crops/") for name in archive.namelist())
    text = _member(archive, "samples.jsonl", min(count * MAX_LINE, MAX_LINES)).decode("utf-8")
    # Not splitlines: names may hold what Unicode calls the end of a line.
    lines = text.removesuffix("\n").split("\n") if text else []
    if not len(lines) == head.samples <= count:
        raise ValueError("samples are missing")
    matrices = {
        encoder: _matrix(archive, f"descriptors/{row}.npy", len(lines))
        for row, encoder in enumerate(head.encoders)
    }
    return (_sample(archive, number, line, matrices) for number, line in enumerate(lines))


def _rejections(archive: zipfile.ZipFile, head: _Head) -> list[NewRejection]:
    """Return what faces are not; exports of the time before that was stored say nothing."""
    if "rejections.jsonl" not in archive.namelist():
        return []
    count = sum(name.startswith("rejected/") for name in archive.namelist())
    text = _member(archive, "rejections.jsonl", min(count * MAX_LINE, MAX_LINES)).decode("utf-8")
    lines = text.removesuffix("\n").split("\n") if text else []
    if len(lines) > count:
        raise ValueError("rejections are missing")
    matrices = {
        encoder: _matrix(archive, f"rejected/{row}.npy", len(lines))
        for row, encoder in enumerate(head.encoders)
    }
    found = []
    for number, line in enumerate(lines):
        values = json.loads(line)
        found.append(
            NewRejection(
                character=_name(values["character"]),
                digest=_digest(values["digest"]),
                path=Path(_text(values["path"])),
                box=Box(*(_number(edge) for edge in values["box"])),
                crop_jpeg=_jpeg(_member(archive, f"rejected/{number}.jpg", MAX_CROP)),
                descriptors={
                    encoder: matrix[number]
                    for encoder, matrix in matrices.items()
                    if np.isfinite(matrix[number]).all()
                },
            )
        )
    return found


def _history(archive: zipfile.ZipFile) -> History:
    """Return what was decided; nothing where no person decided anything."""
    if "decisions.jsonl" not in archive.namelist():
        return History([], [], [], [])
    text = _member(archive, "decisions.jsonl", MAX_LINES).decode("utf-8")
    return read_history(text, name=_name, plain=_text, digest=_digest, number=_number)


def _forgotten(archive: zipfile.ZipFile) -> list[ForgottenFace]:
    """Return what was forgotten; in most exports nothing is."""
    if "forgotten.jsonl" not in archive.namelist():
        return []
    text = _member(archive, "forgotten.jsonl", MAX_FORGOTTEN).decode("utf-8")
    lines = text.removesuffix("\n").split("\n") if text else []
    return [_forgotten_face(json.loads(line)) for line in lines]


def _forgotten_face(values: Any) -> ForgottenFace:
    return ForgottenFace(
        digest=_digest(values["digest"]),
        path=Path(_text(values["path"])),
        box=Box(*(_number(edge) for edge in values["box"])),
        character=_name(values["character"]),
        enrolled_as=_name(values["enrolled_as"]),
        content=_content(values.get("content")),
    )


def _content(values: Any) -> Content | None:
    if values is None:
        return None
    orientation = int(values["orientation"])
    if orientation not in range(1, 9):
        raise ValueError("an orientation is none")
    return Content(_digest(values["pixels"]), orientation)


def _jpeg(content: bytes) -> bytes:
    """Return a crop's file as it is, once it is known to be a JPEG of the crop's size."""
    try:
        size = decode(content, Path("crop")).pixels.shape
    except InputError as error:
        raise ValueError("a crop cannot be decoded") from error
    if not content.startswith(JPEG) or size != (CROP_SIDE, CROP_SIDE, 3):
        raise ValueError("a crop is no JPEG of the right size")
    return content


def _sample(
    archive: zipfile.ZipFile, number: int, line: str, matrices: Mapping[str, NDArray[np.float32]]
) -> NewSample:
    values = json.loads(line)
    return NewSample(
        character=_name(values["character"]),
        digest=_digest(values["digest"]),
        path=Path(_text(values["path"])),
        face=_face(values),
        crop_png=_crop(_member(archive, f"crops/{number}.png", MAX_CROP)),
        descriptors={
            encoder: matrix[number]
            for encoder, matrix in matrices.items()
            if np.isfinite(matrix[number]).all()
        },
        detector=_text(values["detector"]),
        enrolled_as=_name(values["enrolled_as"]),
        # Exports of the time before faces were judged have neither.
        quality=_quality(values.get("quality")),
        is_poor=_truth(values.get("poor", False)),
        content=_content(values.get("content")),
    )


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    information = archive.getinfo(name)
    if information.file_size > limit:
        raise ValueError(f"{name} is too large")
    return archive.read(information)


def _matrix(archive: zipfile.ZipFile, name: str, rows: int) -> NDArray[np.float32]:
    content = _member(archive, name, rows * DIMENSION * 4 + 1024)
    matrix = np.load(io.BytesIO(content), allow_pickle=False)
    if matrix.shape != (rows, DIMENSION) or matrix.dtype != np.float32:
        raise ValueError("a table of descriptors has another shape")
    return np.asarray(matrix, np.float32)


def _crop(png: bytes) -> bytes:
    """Return a crop's file as it is, once it is known to be a PNG of the crop's size."""
    begin = PNG.match(png)
    # Before it is decoded: a small file can unfold to gigabytes.
    if begin is None or {int.from_bytes(side, "big") for side in begin.groups()} != {CROP_SIDE}:
        raise ValueError("a crop is no PNG of the right size")
    try:
        decode(png, Path("crop"))
    except InputError as error:
        raise ValueError("a crop cannot be decoded") from error
    return png


def _face(values: Any) -> Face:
    landmarks = values["landmarks"]
    edges = [_number(edge) for edge in values["box"]]
    places = {name: [_number(x), _number(y)] for name, (x, y) in (landmarks or {}).items()}
    if not set(places) <= set(Landmarks._fields):
        raise ValueError("a landmark is none")
    return Face(
        Box(*edges),
        _number(values["score"]),
        landmarks_from_json(json.dumps(places) if places else None),
    )


def _quality(values: Any) -> Quality | None:
    if values is None:
        return None
    quality = Quality(
        size=_number(values["size"]),
        sharpness=_number(values["sharpness"]),
        roll=_perhaps(values["roll"]),
        frontal=_perhaps(values["frontal"]),
        cut=_perhaps(values["cut"]),
    )
    shares = (quality.sharpness, quality.frontal or 0.0, quality.cut or 0.0)
    if quality.size < 0 or abs(quality.roll or 0.0) > 180:
        raise ValueError("a quality is none")
    if not all(0 <= share <= 1 for share in shares):
        raise ValueError("a share is none")
    return quality


def _perhaps(value: Any) -> float | None:
    return None if value is None else _number(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("a mark is none")
    return value


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("a number is not finite")
    return number


def _digest(value: Any) -> str:
    digest = _text(value)
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError("a digest is none")
    return digest


def _text(value: Any) -> str:
    """Return a string that a database and a file name can hold."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("a text is none")
    value.encode("utf-8")
    return value


def _name(value: Any) -> str:
    try:
        return clean_name(_text(value))
    except InputError as error:
        raise ValueError("a name cannot be one") from error
