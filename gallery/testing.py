"""What a detector, an encoder or an output format of another package has to keep, as checks.

A package's own tests call them: `check_detector(MyDetector())`. gallery's own parts pass the same
checks. Each raises AssertionError with a sentence where something is not kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.faces.encoders.plugged import PluggedEncoder
from gallery.faces.interfaces import Detector, Encoder, PluggedNetwork
from gallery.media.images import encode_png
from gallery.output.format import NotWrittenError, Output, OutputOptions, OutputWriter
from gallery.types import CROP_SIDE, Answer, Box, Face, Image, Match, Record, Verdict, width_of

TOLERANCE = 1e-5
"""What a descriptor's numbers may differ by between a batch and its crops one by one."""

SIZES = ((160, 120), (64, 64), (1, 1), (300, 20))
"""Widths and heights of pictures that a detector is shown beside the given ones."""


def check_detector(detector: Detector, pictures: Sequence[NDArray[np.uint8]] = ()) -> None:
    """Check a detector on pictures, RGB of shape (height, width, 3), and on some of noise.

    It has a name; it answers a list of faces for every picture, best score first; boxes hold an
    area, numbers are finite, scores are 0 to 1; the left eye stands to the left; a picture is
    answered among others as alone, and twice alike; and pictures stay as they are.
    """
    _must(isinstance(detector.name, str) and bool(detector.name), "name is no text, or empty")
    _must(detector.detect([]) == [], "no pictures do not give an empty list")
    generator = np.random.default_rng(0)
    noise = [generator.integers(0, 256, (high, wide, 3), np.uint8) for wide, high in SIZES]
    images = [Image(one, "0" * 64, Path("picture.png")) for one in (*pictures, *noise)]
    before = [image.pixels.copy() for image in images]
    found = detector.detect(images)
    _must(isinstance(found, list) and len(found) == len(images), "not one list for every picture")
    for faces in found:
        _must(isinstance(faces, list), "the faces of a picture are no list")
        for face in faces:
            _check_face(face)
        scores = [face.score for face in faces]
        _must(scores == sorted(scores, reverse=True), "the best score does not come first")
    _must(detector.detect(images) == found, "the same pictures are answered differently")
    alone = [detector.detect([image])[0] for image in images]
    _must(alone == found, "a picture is answered differently among others")
    kept = all(map(np.array_equal, before, (image.pixels for image in images)))
    _must(kept, "the detector changes the pictures that it is shown")


def check_encoder(encoder: Encoder) -> None:
    """Check an encoder on crops of colours and grain.

    It has an id; descriptors have shape (n, width_of(id)), float32, and are finite; an empty batch
    gives an empty result; a batch gives what its crops give one by one, within TOLERANCE, and twice
    the same; different crops get different descriptors; and crops stay as they are.
    """
    _must(isinstance(encoder.id, str) and bool(encoder.id), "id is no text, or empty")
    crops = _crops(4)
    before = crops.copy()
    described = encoder.encode(crops)
    width = width_of(encoder.id)
    _check_descriptors(described, (len(crops), width))
    _check_descriptors(encoder.encode(crops[:0]), (0, width))
    _must(np.array_equal(encoder.encode(crops), described), "the same crops are encoded otherwise")
    single = np.concatenate([encoder.encode(crops[row : row + 1]) for row in range(len(crops))])
    is_near = np.allclose(single, described, atol=TOLERANCE)
    _must(is_near, f"a batch differs from its crops one by one by more than {TOLERANCE:g}")
    apart = np.linalg.norm(described[1:] - described[:1], axis=1)
    _must(bool((apart > 0).all()), "different crops have the same descriptor")
    _must(np.array_equal(crops, before), "the encoder changes the crops that it is given")


def check_plugged_encoder(open_network: Callable[[], PluggedNetwork]) -> None:
    """Check what a package's entry point in the group `gallery.encoders` names.

    It has a `card` that makes sense, and what it opens keeps what check_encoder says, as gallery
    uses it: brought to the side and the channels that the card says, and of the metric cosine to
    length 1. Raises gallery.PluginFailed, too, which says what is wrong.
    """
    encoder = PluggedEncoder(open_network, "checked", "checked")
    _must(bool(encoder.card.licence), "the card states no licence")
    check_encoder(encoder)


def check_writer(
    factory: Callable[[Output], OutputWriter], folder: Path, *, target: Path | None = None
) -> None:
    """Check an output format in an empty folder, which pictures are written into.

    The factory takes an Output and gives a writer with a name, `write` and `close`; it takes
    pictures with names, without, and such as could not be read; writing a picture again changes
    nothing, unless the writer is a document, which is written when it is closed. `target` is what a
    user would name behind the format's colon.
    """
    records = _records(folder)
    output = Output(target, folder, "checked", OutputOptions())
    writer = factory(output)
    _must(isinstance(writer.name, str) and bool(writer.name), "name is no text, or empty")
    _write(writer, records)
    between = _content(folder)
    if not getattr(writer, "is_document", False):
        _write(writer, records)
        _must(_content(folder) == between, "writing a picture again changes its files")
    writer.close()
    written = _content(folder)
    pictures = {record.path for record in records}
    kept = all(written.get(path) == between.get(path) for path in pictures)
    _must(kept, "the writer changes the pictures")


def _write(writer: OutputWriter, records: Sequence[Record]) -> None:
    for record in records:
        try:
            writer.write(record)
        except NotWrittenError as error:
            _must(bool(str(error)), "NotWrittenError says nothing")


def _records(folder: Path) -> list[Record]:
    """Write pictures into a folder and return a record of each kind."""
    box = Box(10.0, 10.0, 50.0, 50.0)
    sure = Answer(Face(box, 0.9), Verdict.SURE, "綾波 レイ", 0.2, (Match("綾波 レイ", 0.2),))
    unsure = Answer(Face(box, 0.8), Verdict.UNSURE, "Fate/stay", 0.5, (Match("Fate/stay", 0.5),))
    unknown = Answer(Face(box, 0.7), Verdict.UNKNOWN, None, 0.9, (Match("Fate/stay", 0.9),))
    kinds: list[tuple[Answer, ...]] = [(sure,), (sure, unsure, unknown), (unknown,), ()]
    records = []
    for number, faces in enumerate(kinds):
        path = folder / f"picture {number}.png"
        path.write_bytes(encode_png(np.full((60, 80, 3), 40 * number, np.uint8)))
        records.append(Record(path, 80, 60, "checked", faces))
    missing = folder / "broken.png"
    missing.write_bytes(b"no picture")
    records.append(Record(missing, None, None, "checked", error=f"{missing} is not a picture."))
    return records


def _content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _crops(count: int) -> NDArray[np.uint8]:
    """Return smooth fields of colours with a little grain."""
    generator = np.random.default_rng(0)
    coarse = generator.uniform(0, 255, (count, 5, 5, 3))
    side = CROP_SIDE // 5
    smooth = coarse.repeat(side, axis=1).repeat(side, axis=2)
    grain = generator.normal(0, 6, smooth.shape)
    return np.asarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))


def _check_descriptors(described: NDArray[np.float32], shape: tuple[int, int]) -> None:
    _must(described.shape == shape, f"{shape[0]} crops give shape {described.shape}, not {shape}")
    _must(described.dtype == np.float32, f"descriptors are {described.dtype}, not float32")
    _must(bool(np.isfinite(described).all()), "descriptors hold numbers that are not finite")


def _check_face(face: Face) -> None:
    _must(isinstance(face, Face), f"a face is a {type(face).__name__}, not a gallery.Face")
    _must(face.box.width > 0 and face.box.height > 0, f"the box {face.box} holds no area")
    _must(all(map(math.isfinite, face.box)), f"the box {face.box} is not finite")
    _must(0 <= face.score <= 1, f"the score {face.score} is not from 0 to 1")
    if face.landmarks is not None:
        left, right = face.landmarks.left_eye, face.landmarks.right_eye
        _must(left.x <= right.x, "the left eye stands to the right of the other")


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(f"{otherwise}.")
