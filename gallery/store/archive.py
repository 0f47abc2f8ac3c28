"""The whole gallery as one file: a zip of plain JSON, PNG and NumPy arrays.

gallery.json            {"format": 1, "samples": n, "encoders": [...], "former_names": {old: new},
                        "series": {character: series}}; former names and others
samples.jsonl           one sample a line: character, digest, path, box, score, landmarks, quality
                        (null where it was never measured), poor, content (what the file shows,
                        where that is known), ...
crops/<number>.png      its aligned crop; the number counts lines from 0
descriptors/<n>.npy     float32 (samples, width) of the n-th encoder; a row of NaN where it has none
rejections.jsonl        what faces are not, one a line: character, digest, path, box
rejected/<number>.jpg   its aligned crop; the number counts lines from 0
rejected/<n>.npy        as descriptors/<n>.npy, of rejections
decisions.jsonl         what a person decided, where that is more than rejections say; see
                        decision_archive.py
forgotten.jsonl         faces that a person forgot, one a line, where there are any: digest, path,
                        box, character, ...
drawn.jsonl             heads that a person drew, one a line, where there are any: digest, path,
                        box, score, landmarks, quality, content
drawn/<number>.jpg      its aligned crop; the number counts lines from 0

What labelling saw by itself stays behind: it can be made again from the pictures.
"""

from __future__ import annotations

import contextlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.errors import BadArchive, InputError, NewerArchive, UnreadableFile, UnwritableFile
from gallery.store.archive_members import (
    Tables,
    content_of,
    digest_of,
    jpeg_of,
    lines_of,
    number_of,
    png_of,
    text_of,
    truth_of,
)
from gallery.store.columns import landmarks_from_json, landmarks_to_json, quality_columns
from gallery.store.deciding import History
from gallery.store.decision_archive import decision_lines, read_history
from gallery.store.forgotten import ForgottenFace
from gallery.store.names import clean_name
from gallery.store.reader import Store
from gallery.store.rejections import NewRejection
from gallery.store.sightings import DrawnHead
from gallery.store.steps import Action
from gallery.store.writer import NewSample, Writer
from gallery.system.files import replacing
from gallery.system.reading import open_file
from gallery.types import (
    Box,
    Content,
    Descriptor,
    Face,
    Landmarks,
    Quality,
    Sample,
    width_of,
)

FORMAT = 1
AT_ONCE = 500
"""Samples that are in memory while they are written."""
MAX_HEAD = 1 << 24
MAX_FORGOTTEN = 1 << 18
"""Faces, which have no crops to be counted by."""
MAX_DECISIONS = 1 << 21
"""Lines of what was decided: steps, faces and the log."""
MAX_ENCODERS = 64

DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, LookupError, ValueError, TypeError,
    AttributeError, ArithmeticError, RuntimeError, struct.error,
)  # fmt: skip
"""What reading a file raises that is not what it says it is; RuntimeError for an encrypted one."""


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
    ids = _write_samples(store, archive)
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        crops = store.crops(some)
        if len(crops) < len(some):
            raise InputError("Samples were removed while they were exported; run it again.")
        for number, sample in enumerate(some, start):
            archive.writestr(f"crops/{number}.png", crops[sample])
    for number, encoder in enumerate(encoders):
        _write_descriptors(store, archive, f"descriptors/{number}.npy", encoder, ids)
    _write_rejections(store, archive, encoders)
    _write_forgotten(store, archive)
    _write_drawn(store, archive)
    decided = "".join(f"{line}\n" for line in decision_lines(store))
    if decided:
        archive.writestr("decisions.jsonl", decided)
    head = {
        "format": FORMAT,
        "samples": len(ids),
        "encoders": encoders,
        "former_names": store.former_names(),
    }
    series = store.series.of_characters()
    if series:
        head["series"] = series
    archive.writestr("gallery.json", json.dumps(head, ensure_ascii=False))
    return len(ids)


def _write_samples(store: Store, archive: zipfile.ZipFile) -> list[int]:
    """Write a line for each sample, and return their ids in this order."""
    ids = []
    with archive.open("samples.jsonl", "w", force_zip64=True) as file:
        for sample, content in store.each_sample():
            line = json.dumps(_as_json(sample, content), ensure_ascii=False)
            file.write(f"{line}\n".encode())
            ids.append(sample.id)
    return ids


def _write_descriptors(
    store: Store, archive: zipfile.ZipFile, name: str, encoder: str, ids: Sequence[int]
) -> None:
    """Write what an encoder makes of samples, some at a time."""
    with archive.open(name, "w", force_zip64=True) as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (len(ids), width_of(encoder))}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            known = store.descriptors_by(encoder, some)
            missing = np.full(width_of(encoder), np.nan, np.float32)
            rows = np.stack([known.get(one, missing) for one in some])
            file.write(rows.astype("<f4").tobytes())


def _write_rejections(store: Store, archive: zipfile.ZipFile, encoders: list[str]) -> None:
    known = store.rejections.all()
    vectors = [_empty(len(known), encoder) for encoder in encoders]
    lines = []
    for number, one in enumerate(known):
        crop = store.rejections.crop(one.id)
        if crop is None:
            raise InputError("A rejection was taken back during the export; run it again.")
        archive.writestr(f"rejected/{number}.jpg", crop)
        for encoder, vector in store.rejections.descriptors_of(one.id).items():
            # An encoder of no sample can describe none of them either.
            if encoder in encoders:
                vectors[encoders.index(encoder)][number] = vector
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


def _write_drawn(store: Store, archive: zipfile.ZipFile) -> None:
    heads = store.sightings.all_drawn()
    contents = store.contents({one.digest for one in heads})
    crops = store.sightings.crops([one.id for one in heads])
    lines: list[str] = []
    for one in heads:
        # Somebody may have taken it back meanwhile.
        if one.id in crops:
            archive.writestr(f"drawn/{len(lines)}.jpg", crops[one.id])
            values = {
                "digest": one.digest,
                "path": str(one.path),
                **_face_json(one.face),
                **_quality_json(one.quality),
                **_content_json(contents.get(one.digest)),
            }
            lines.append(json.dumps(values, ensure_ascii=False))
    if lines:
        archive.writestr("drawn.jsonl", "".join(f"{line}\n" for line in lines))


def _content_json(content: Content | None) -> dict[str, Any]:
    """Return what a file shows, where that is known."""
    return {} if content is None else {"content": content._asdict()}


def _empty(rows: int, encoder: str) -> NDArray[np.float32]:
    """Return a table of an encoder's descriptors that has none yet."""
    return np.full((rows, width_of(encoder)), np.nan, np.float32)


def _as_npy(matrix: NDArray[np.float32]) -> bytes:
    content = io.BytesIO()
    np.save(content, matrix, allow_pickle=False)
    return content.getvalue()


def _face_json(face: Face) -> dict[str, Any]:
    landmarks = landmarks_to_json(face.landmarks)
    return {
        "box": list(face.box),
        "score": face.score,
        "landmarks": json.loads(landmarks) if landmarks else None,
    }


def _quality_json(quality: Quality | None) -> dict[str, Any]:
    return {"quality": None if quality is None else quality_columns(quality)}


def _as_json(sample: Sample, content: Content | None) -> dict[str, Any]:
    return {
        "character": sample.character,
        "digest": sample.digest,
        "path": str(sample.path),
        **_face_json(sample.face),
        "detector": sample.detector,
        "enrolled_as": sample.enrolled_as,
        **_quality_json(sample.quality),
        "poor": sample.is_poor,
        **_content_json(content),
    }


def restore(store: Store, source: Path) -> Imported:
    """Add everything of an exported file to a gallery, all or nothing.

    A face that is there already keeps its label. Raises InputError for a file that is no export,
    is damaged, or is of a newer version.
    """
    added = present = 0
    with _damage_explained(source), open_file(source) as file, zipfile.ZipFile(file) as archive:
        head = _head(archive, source)
        history = _history(archive)
        ours: set[str] = set()
        with store.writing() as writer:
            for sample in _samples(archive, head):
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
            for name, series in head.series.items():
                known = writer.current_name(name)
                # What is known here stays.
                if known is not None and not writer.series_of(known):
                    writer.belong([known], series)
            # Before rejections, whose crops go with the decisions that they are.
            writer.decisions.hear(history)
            for one in _rejections(archive, head):
                _reject(writer, one)
            for face in _forgotten(archive):
                writer.forget_face(face)
            for drawn in _drawn(archive):
                writer.sightings.hear_of(drawn)
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
    series: dict[str, str]


def _head(archive: zipfile.ZipFile, source: Path) -> _Head:
    values = json.loads(content_of(archive, "gallery.json", MAX_HEAD))
    if int(values["format"]) > FORMAT:
        raise NewerArchive(source)
    encoders = [text_of(encoder) for encoder in values["encoders"]]
    if len(set(encoders)) != len(encoders) or len(encoders) > MAX_ENCODERS:
        raise ValueError("encoders stand twice, or there are too many")
    former = {_name(old): _name(new) for old, new in values["former_names"].items()}
    # Exports of older versions know of no series.
    series = {_name(one): _name(own) for one, own in values.get("series", {}).items()}
    return _Head(int(values["samples"]), encoders, former, series)


def _samples(archive: zipfile.ZipFile, head: _Head) -> Iterator[NewSample]:
    """Yield the samples; they are as many as the head says once the last one is there."""
    if not 0 <= head.samples <= _count(archive, "crops/"):
        raise ValueError("samples are missing")
    number = 0
    with Tables(archive, "descriptors", head.encoders, head.samples) as tables:
        for values in lines_of(archive, "samples.jsonl", head.samples):
            crop = png_of(archive, f"crops/{number}.png")
            yield _sample(values, crop, tables.next_row())
            number += 1
    if number != head.samples:
        raise ValueError("samples are missing")


def _rejections(archive: zipfile.ZipFile, head: _Head) -> Iterator[NewRejection]:
    """Yield what faces are not; exports of the time before that was stored say nothing."""
    if "rejections.jsonl" not in archive.namelist():
        return
    # How many there are is said nowhere else.
    most = _count(archive, "rejected/")
    count = sum(1 for _ in lines_of(archive, "rejections.jsonl", most))
    with Tables(archive, "rejected", head.encoders, count) as tables:
        for number, values in enumerate(lines_of(archive, "rejections.jsonl", most)):
            yield NewRejection(
                character=_name(values["character"]),
                digest=digest_of(values["digest"]),
                path=Path(text_of(values["path"])),
                box=Box(*(number_of(edge) for edge in values["box"])),
                crop_jpeg=jpeg_of(archive, f"rejected/{number}.jpg"),
                descriptors=tables.next_row(),
            )


def _history(archive: zipfile.ZipFile) -> History:
    """Return what was decided; nothing where no person decided anything."""
    if "decisions.jsonl" not in archive.namelist():
        return History([], [], [], [])
    return read_history(lines_of(archive, "decisions.jsonl", MAX_DECISIONS))


def _count(archive: zipfile.ZipFile, folder: str) -> int:
    return sum(name.startswith(folder) for name in archive.namelist())


def _forgotten(archive: zipfile.ZipFile) -> Iterator[ForgottenFace]:
    """Yield what was forgotten; in most exports nothing is."""
    if "forgotten.jsonl" in archive.namelist():
        yield from map(_forgotten_face, lines_of(archive, "forgotten.jsonl", MAX_FORGOTTEN))


def _forgotten_face(values: Any) -> ForgottenFace:
    return ForgottenFace(
        digest=digest_of(values["digest"]),
        path=Path(text_of(values["path"])),
        box=Box(*(number_of(edge) for edge in values["box"])),
        character=_name(values["character"]),
        enrolled_as=_name(values["enrolled_as"]),
        content=_content(values.get("content")),
    )


def _drawn(archive: zipfile.ZipFile) -> Iterator[DrawnHead]:
    """Yield the heads that a person drew; in most exports there are none."""
    if "drawn.jsonl" not in archive.namelist():
        return
    lines = lines_of(archive, "drawn.jsonl", _count(archive, "drawn/"))
    for number, values in enumerate(lines):
        yield DrawnHead(
            digest=digest_of(values["digest"]),
            path=Path(text_of(values["path"])),
            face=_face(values),
            quality=_quality(values["quality"]),
            crop_jpeg=jpeg_of(archive, f"drawn/{number}.jpg"),
            content=_content(values.get("content")),
        )


def _content(values: Any) -> Content | None:
    if values is None:
        return None
    orientation = int(values["orientation"])
    if orientation not in range(1, 9):
        raise ValueError("an orientation is none")
    return Content(digest_of(values["pixels"]), orientation)


def _sample(values: Any, crop: bytes, descriptors: Mapping[str, Descriptor]) -> NewSample:
    return NewSample(
        character=_name(values["character"]),
        digest=digest_of(values["digest"]),
        path=Path(text_of(values["path"])),
        face=_face(values),
        crop_png=crop,
        descriptors=descriptors,
        detector=text_of(values["detector"]),
        enrolled_as=_name(values["enrolled_as"]),
        # Exports of the time before faces were judged have neither.
        quality=_quality(values.get("quality")),
        is_poor=truth_of(values.get("poor", False)),
        content=_content(values.get("content")),
    )


def _face(values: Any) -> Face:
    landmarks = values["landmarks"]
    edges = [number_of(edge) for edge in values["box"]]
    places = {name: [number_of(x), number_of(y)] for name, (x, y) in (landmarks or {}).items()}
    if not set(places) <= set(Landmarks._fields):
        raise ValueError("a landmark is none")
    return Face(
        Box(*edges),
        number_of(values["score"]),
        landmarks_from_json(json.dumps(places) if places else None),
    )


def _quality(values: Any) -> Quality | None:
    if values is None:
        return None
    quality = Quality(
        size=number_of(values["size"]),
        sharpness=number_of(values["sharpness"]),
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
    return None if value is None else number_of(value)


def _name(value: Any) -> str:
    try:
        return clean_name(text_of(value))
    except InputError as error:
        raise ValueError("a name cannot be one") from error
