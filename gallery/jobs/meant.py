"""Which faces a person means: a picture's by its number, seen ones by theirs, or a whole cluster.

A seen face has a number of its own, which `cluster --json` and `decisions --json` give as `face`.
It stays the face's when its picture or video is labelled again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from gallery.engine.engine import Engine
from gallery.errors import (
    BadSetting,
    NoFace,
    NoFaceAt,
    NoSuchFace,
    NoSuchSeenFace,
    NothingSeen,
    WhichFace,
    WhichOfFaces,
)
from gallery.events import Choosing
from gallery.jobs.shown import shown_in
from gallery.media.images import decode_crop, encode_jpeg, read_image
from gallery.media.inputs import is_video
from gallery.metadata.regions import area_of, pairs
from gallery.store.sightings import Sighting
from gallery.store.steps import FaceMeant
from gallery.system.files import absolute
from gallery.types import Box, DescribedFace, Face, Image, Place


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A face that labelling saw."""

    number: int


@dataclass(frozen=True, slots=True)
class UnknownCluster:
    """All faces that a cluster showed, see shown."""

    number: int


Given: TypeAlias = "Path | SeenFace | UnknownCluster"
"""How faces are named."""

FORM = re.compile(r"(face|cluster):(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Which:
    """Which face of pictures and videos is meant, where they show several."""

    number: int | None = None
    """From 1, in the order in which pictures are identified; of a video in that of its tracks."""
    time: float | None = None
    """The moment of a video, in seconds."""
    box: Box | None = None
    """Where it is, about, in pixels of the picture as it is shown."""
    is_cut: bool = False
    """Whether what is in the box is the face where the detector sees none."""


ANY = Which()


@dataclass(frozen=True, slots=True, eq=False)
class Meant:
    """A face that is meant, with what is known of it."""

    face: FaceMeant
    described: DescribedFace
    detector: str
    sighting: Sighting | None = None
    """None for one of a picture that was not labelled."""


def read_given(text: str) -> Given:
    """Read how a face is named: PICTURE, `face:NUMBER` or `cluster:NUMBER`."""
    found = FORM.fullmatch(text)
    if found is None:
        return Path(text)
    kind = SeenFace if found[1] == "face" else UnknownCluster
    return kind(int(found[2]))


def faces_meant(
    engine: Engine,
    given: Sequence[Given],
    which: Which = ANY,
    name: str | None = None,
    *,
    poor: bool = True,
) -> Choosing[list[Meant]]:
    """Return the faces that are meant, each once.

    Of a picture with several faces, and without a number or a box, it is the only one that is
    answered with the name, where there is one. Of a cluster poor faces are left out where that is
    wanted. Raises InputError where nobody or several are meant.
    """
    found: list[Meant] = []
    numbers = [one.number for one in given if isinstance(one, SeenFace)]
    there = engine.store.sightings.some(numbers) if numbers else {}
    by_number = {one.sighting.id: one for one in seen(engine, list(there.values())) if one.sighting}
    for one in given:
        if isinstance(one, UnknownCluster):
            own = yield from shown_in(engine, one.number, poor=poor)
            found += seen(engine, own)
        elif isinstance(one, SeenFace):
            if one.number not in by_number:
                raise NoSuchSeenFace(one.number)
            found.append(by_number[one.number])
        else:
            found.append(_at(engine, one, which, name))
    known = {(one.face.place, one.face.box): one for one in found}
    return list(known.values())


def places_meant(
    engine: Engine, given: Sequence[Given], which: Which = ANY, name: str | None = None
) -> Choosing[list[FaceMeant]]:
    """Return what `faces_meant` does, but of seen faces only where they are.

    Their crops and descriptors, which are nearly all there is to read, are for rejections alone.
    """
    numbers = [one.number for one in given if isinstance(one, SeenFace)]
    if len(numbers) < len(given):
        found = yield from faces_meant(engine, given, which, name)
        return [one.face for one in found]
    there = engine.store.sightings.some(numbers)
    gone = [number for number in numbers if number not in there]
    if gone:
        raise NoSuchSeenFace(gone[0])
    return [FaceMeant(one.place, one.path, one.face.box) for one in there.values()]


def seen(engine: Engine, faces: Sequence[Sighting]) -> list[Meant]:
    """Return faces that labelling saw, as they are meant."""
    sightings, encoder = engine.store.sightings, engine.encoder
    crops = sightings.crops([one.id for one in faces])
    described = sightings.descriptors_of_all([one.id for one in faces])
    lacking = [one.id for one in faces if encoder not in described[one.id] and one.id in crops]
    if lacking:
        pixels = np.array([decode_crop(crops[one]) for one in lacking], np.uint8)
        for one, row in zip(lacking, engine.describer.encoder.encode(pixels), strict=True):
            described[one] = {**described[one], encoder: row}
    return [
        Meant(
            FaceMeant(one.place, one.path, one.face.box, None, crops[one.id], described[one.id]),
            one.described(described[one.id][encoder]),
            one.detector,
            one,
        )
        for one in faces
        # Labelling in another process may have dropped it meanwhile.
        if one.id in crops
    ]


def _at(engine: Engine, path: Path, which: Which, name: str | None) -> Meant:
    """Return the face of a picture, or of a moment of a video, that is meant."""
    if not path.exists() or is_video(path):
        return _seen_at(engine, path, which)
    if which.time is not None:
        raise BadSetting("at", f"{path} is no video, and has no time", "leave the time out")
    image = read_image(path)
    described = _face_of(engine, image, which, name)
    return Meant(
        FaceMeant(
            Place(image.digest, None, image.content and image.content.pixels),
            absolute(path),
            described.face.box,
            image.content,
            encode_jpeg(described.crop),
            {engine.encoder: described.descriptor},
        ),
        described,
        engine.describer.detector.name,
    )


def _face_of(engine: Engine, image: Image, which: Which, name: str | None) -> DescribedFace:
    (seen,) = engine.with_drawn(engine.observe([image]))
    faces = list(seen.faces)
    if which.box is not None:
        return _face_in(engine, image, faces, which.box, is_cut=which.is_cut)
    if not faces:
        raise NoFace(image.path)
    if which.number is not None:
        if not 1 <= which.number <= len(faces):
            raise NoSuchFace(image.path, len(faces), which.number)
        return faces[which.number - 1]
    if len(faces) == 1:
        return faces[0]
    if name is None:
        raise WhichOfFaces(image.path, len(faces))
    answers = engine.identify(image).faces
    meant = [row for row, answer in enumerate(answers) if answer.character == name]
    if len(meant) != 1:
        raise WhichFace(image.path, len(faces), name, len(meant))
    return faces[meant[0]]


def _face_in(
    engine: Engine, image: Image, faces: Sequence[DescribedFace], box: Box, *, is_cut: bool
) -> DescribedFace:
    """Return the face in a box, of the face alone or of the whole head; else what is in the box."""
    place = row_in(box, [one.face.box for one in faces], image.width, image.height)
    if place is not None:
        return faces[place]
    left, top, right, bottom = box.within(image.width, image.height)
    is_outside = right <= left or bottom <= top
    if is_outside or not is_cut:
        raise NoFaceAt(image.path, box, is_outside)
    (described,) = engine.describer.describe([(image, Face(box, 1.0))])
    return described


def row_in(box: Box, boxes: Sequence[Box], width: int, height: int) -> int | None:
    """Return which of the boxes of a picture's heads is of the face in a box; None for none."""
    areas = [area_of(one, width, height) for one in (box, *boxes)]
    return pairs(areas[:1], areas[1:]).get(0)


def _seen_at(engine: Engine, path: Path, which: Which) -> Meant:
    """Return a face of a video, or of a picture that is gone; both were labelled."""
    faces = engine.store.sightings.at(absolute(path))
    if not faces:
        if not path.exists():
            read_image(path)
        raise NothingSeen(path)
    if which.time is not None:
        time = which.time
        faces = [one for one in faces if one.track and one.track.start <= time <= one.track.end]
    faces.sort(key=_order)
    if not faces:
        raise NoFace(path)
    size = engine.store.sightings.size_of(absolute(path))
    if which.box is not None and size is not None:
        row = row_in(which.box, [one.face.box for one in faces], *size)
        if row is None:
            raise NoFaceAt(path, which.box)
        faces = [faces[row]]
    if which.number is not None:
        if not 1 <= which.number <= len(faces):
            raise NoSuchFace(path, len(faces), which.number)
        faces = [faces[which.number - 1]]
    if len(faces) > 1:
        raise WhichOfFaces(path, len(faces))
    found = seen(engine, faces)
    if not found:
        raise NoSuchSeenFace(faces[0].id)
    return found[0]


def _order(one: Sighting) -> tuple[int, int]:
    """Order the faces of a video by shots and tracks; those of a picture stay as they come."""
    return (0, 0) if one.track is None else (one.track.shot, one.track.track)
