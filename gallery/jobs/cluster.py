"""Faces that labelling saw and nobody knows: in clusters, to be named; and answering anew."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Gallery
from gallery.engine.joint import Scoring, alone, jointly
from gallery.errors import InputError, NoSuchCluster, UnwritableFile
from gallery.faces.quality import is_poor
from gallery.media.images import decode_crop, encode_png, file_state
from gallery.media.timecodes import timecode
from gallery.numerics.clustering import REACH, join
from gallery.reports.page import Picture, PictureRow, Pictures, Report, Section
from gallery.store.sightings import UNMEASURED, ObservedPicture, Sighting
from gallery.store.videos import ObservedVideo
from gallery.store.writer import NewSample
from gallery.types import Answer, Descriptor, Record, Verdict

Looked = TypeVar("Looked", ObservedPicture, ObservedVideo)

AT_ONCE = 1000
"""Faces answered together."""

MOST_FACES = 12
"""Of a cluster, on its page."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Unknown faces that are likely of one character."""

    number: int
    """Its name for `gallery adopt`; it stays when more faces come."""
    faces: tuple[Sighting, ...]
    """Best first: well to be seen, and near the centre."""
    nearest: str | None
    """The character whose ideal is nearest to the centre; None where the gallery is empty."""
    distance: float | None
    """How far that is."""


@dataclass(frozen=True, slots=True, eq=False)
class _Unknown:
    """A face that nobody knows."""

    sighting: Sighting
    descriptor: NDArray[np.float32]


def unknown_faces(gallery: Gallery, *, poor: bool = False) -> list[_Unknown]:
    """Return the seen faces that the gallery, as it is now, knows nobody for.

    A calibrated gallery judges them together, see company. Left out are faces that are enrolled,
    those nearest to a reject class, and poor ones unless they are asked for. review.describe_anew
    comes first where faces are not described.
    """
    gallery.require_encoded()
    ids, vectors = gallery.store.sightings.vectors(gallery.encoder)
    places = {int(one): place for place, one in enumerate(ids)}
    enrolled = gallery.store.sightings.enrolled()
    able = [
        _Unknown(one, vectors[places[one.id]])
        for one in gallery.store.sightings.all()
        if one.id in places
        and one.id not in enrolled
        and (poor or one.quality is None or not is_poor(one.quality))
    ]
    unknown = [
        one
        for one, answer in _answered(able, jointly(gallery, top=1))
        if answer.verdict is Verdict.UNKNOWN
    ]
    # In company, faces come nearer to everybody, to reject classes too.
    return [
        one
        for one, answer in _answered(unknown, alone(gallery, top=1))
        if not (
            answer.matches
            and answer.matches[0].is_reject
            and answer.matches[0].distance <= gallery.thresholds.unknown
        )
    ]


def _answered(faces: Sequence[_Unknown], answering: Scoring) -> Iterator[tuple[_Unknown, Answer]]:
    """Yield faces with what is said of them."""
    for start in range(0, len(faces), AT_ONCE):
        some = faces[start : start + AT_ONCE]
        described = [one.sighting.described(one.descriptor) for one in some]
        answers = answering([one.sighting.id for one in some], described, "")
        yield from zip(some, answers, strict=True)


def cluster(gallery: Gallery, *, poor: bool = False, afresh: bool = False) -> list[Cluster]:
    """Group the unknown faces, keep the groups' numbers, and return them, largest first.

    A face that has a number keeps it while it is unknown, unless all are grouped afresh; a new one
    joins the cluster that it belongs to, and new clusters get new numbers.
    """
    faces = unknown_faces(gallery, poor=poor)
    known = gallery.store.sightings.all()
    former = np.array([0 if afresh else one.sighting.cluster or 0 for one in faces], np.int64)
    first = 1 + max((one.cluster or 0 for one in known), default=0)
    reach = REACH * gallery.thresholds.unknown
    vectors = np.array([one.descriptor for one in faces], np.float32)
    numbers = join(vectors, former, reach, first)
    changed = {
        one.sighting.id: int(number) or None
        for one, number in zip(faces, numbers, strict=True)
        if (one.sighting.cluster or 0) != number
    }
    with gallery.store.writing() as writer:
        writer.sightings.group(changed)
    return _clusters(gallery, faces, numbers, reach)


def _clusters(
    gallery: Gallery, faces: Sequence[_Unknown], numbers: NDArray[np.int64], reach: float
) -> list[Cluster]:
    members: dict[int, list[_Unknown]] = defaultdict(list)
    for one, number in zip(faces, numbers.tolist(), strict=True):
        if number:
            members[number].append(
                _Unknown(dataclasses.replace(one.sighting, cluster=number), one.descriptor)
            )
    centres = {number: _mean([one.descriptor for one in own]) for number, own in members.items()}
    nearest = gallery.nearest_ideals(np.array(list(centres.values()), np.float32))
    found = []
    for (number, own), match in zip(members.items(), nearest, strict=True):
        ordered = _best_first(own, centres[number], reach)
        found.append(
            Cluster(
                number,
                tuple(ordered),
                match.character if match else None,
                match.distance if match else None,
            )
        )
    return sorted(found, key=lambda one: (-len(one.faces), one.number))


def _mean(descriptors: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    return np.asarray(np.stack(descriptors).astype(np.float64).mean(axis=0))


def _best_first(
    faces: Sequence[_Unknown], centre: NDArray[np.float64], reach: float
) -> list[Sighting]:
    """Order faces by quality over 1 + the square of the distance from the centre, in reaches."""

    def worth(one: _Unknown) -> float:
        apart = float(np.linalg.norm(one.descriptor - centre)) / reach
        quality = one.sighting.quality or UNMEASURED
        return quality.score / (1.0 + apart**2)

    return [one.sighting for one in sorted(faces, key=lambda one: (-worth(one), one.sighting.id))]


def adopt(gallery: Gallery, number: int, name: str, *, poor: bool = False) -> int:
    """Enrol the faces of a cluster under a name, new or not, and return how many they are.

    Each becomes a sample with the crop and the descriptors of its sighting; as the folder that it
    was found in stands the cluster. A track of a video becomes one sample, of its best moment,
    which is described by itself. Raises InputError where there is no such cluster of unknown
    faces, and for a name that cannot be one.
    """
    faces = [one.sighting for one in unknown_faces(gallery, poor=poor)]
    faces = [one for one in faces if one.cluster == number]
    if not faces:
        raise NoSuchCluster(number)
    crops = gallery.store.sightings.crops([one.id for one in faces])
    descriptors = _alone(gallery, faces, crops)
    samples = [
        NewSample(
            character=name,
            digest=one.digest,
            path=one.path,
            face=one.face,
            crop_png=encode_png(decode_crop(crops[one.id])),
            descriptors=descriptors[one.id],
            detector=one.detector,
            enrolled_as=f"cluster {number}",
            quality=one.quality,
            is_poor=one.quality is not None and is_poor(one.quality),
        )
        for one in faces
        # Labelling in another process may have dropped it meanwhile.
        if one.id in crops
    ]
    with gallery.store.writing() as writer:
        return sum(writer.add(sample) is not None for sample in samples)


def _alone(
    gallery: Gallery, faces: Sequence[Sighting], crops: Mapping[int, bytes]
) -> dict[int, dict[str, Descriptor]]:
    """Return what faces are described by, by id and encoder.

    A track's own descriptor is a mean, which lies nearer to everybody than a face does: its crop
    is described by the encoder in use.
    """
    tracks = [one.id for one in faces if one.track is not None and one.id in crops]
    pixels = np.array([decode_crop(crops[one]) for one in tracks], np.uint8)
    encoded = gallery.describer.encoder.encode(pixels) if tracks else ()
    found = {one: {gallery.encoder: row} for one, row in zip(tracks, encoded, strict=True)}
    for one in faces:
        if one.track is None:
            found[one.id] = gallery.store.sightings.descriptors_of(one.id)
    return found


def write_folders(gallery: Gallery, clusters: Sequence[Cluster], out: Path) -> int:
    """Write a folder for each cluster with its faces, best first, and return how many faces.

    Raises InputError where something is in the way or cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UnwritableFile(out, "is there already and not empty", remedy="name another folder")
    count = 0
    try:
        for one in clusters:
            folder = out / f"cluster-{one.number:04d}"
            folder.mkdir(parents=True)
            crops = gallery.store.sightings.crops([face.id for face in one.faces])
            for place, face in enumerate(one.faces, 1):
                if face.id in crops:
                    target = folder / f"{place:03d}-{face.digest[:8]}-{face.id}{_when(face)}.png"
                    target.write_bytes(encode_png(decode_crop(crops[face.id])))
                    count += 1
    except OSError as error:
        raise UnwritableFile(out, f"cannot be written: {error.strerror or error}") from error
    return count


def _when(face: Sighting) -> str:
    """Return the time of a track's best moment as a part of a file's name; of a picture nothing."""
    return "" if face.track is None else f"_{timecode(face.track.best).replace(':', '-')}"


def report_of(gallery: Gallery, clusters: Sequence[Cluster]) -> Report:
    """Return a page of clusters with their best faces and the command that names each."""
    rows = []
    for one in clusters:
        shown = one.faces[:MOST_FACES]
        crops = gallery.store.sightings.crops([face.id for face in shown])
        pictures = tuple(
            Picture(_caption(face), decode_crop(crops[face.id]))
            for face in shown
            if face.id in crops
        )
        near = f"; nearest is {one.nearest}, {one.distance:.3f} away" if one.nearest else ""
        text = f"Cluster {one.number}: {len(one.faces)} faces{near}"
        rows.append(PictureRow(pictures, text, f"gallery adopt {one.number} NAME"))
    introduction = (
        "Faces that nobody in the gallery is known for, grouped by likeness, best first."
        if rows
        else "There are no two unknown faces that look like one character."
    )
    return Report(
        "Unknown faces",
        (Section(f"Clusters: {len(rows)}", introduction, (Pictures(tuple(rows)),)),),
    )


def _caption(face: Sighting) -> str:
    when = "" if face.track is None else f"\n{timecode(face.track.best)}"
    return f"{face.path.name}{when}"


def relabel(
    gallery: Gallery,
    pictures: Sequence[ObservedPicture],
    answering: Scoring | None = None,
) -> Iterator[Record]:
    """Answer pictures that were labelled before with the gallery as it is now; none is read.

    Every face by itself, unless it is said how, see company. review.describe_anew comes first
    where faces are not described by the encoder in use.
    """
    gallery.require_encoded()
    answering = answering or alone(gallery)
    ids, vectors = gallery.store.sightings.vectors(gallery.encoder)
    places = {int(one): place for place, one in enumerate(ids)}
    faces: dict[str, list[Sighting]] = defaultdict(list)
    for one in gallery.store.sightings.all():
        if one.id in places:
            faces[one.digest].append(one)
    for picture in pictures:
        seen = sorted(faces.get(picture.digest or "", ()), key=lambda one: -one.face.score)
        described = [one.described(vectors[places[one.id]]) for one in seen]
        yield Record(
            picture.path,
            picture.width,
            picture.height,
            gallery.encoder,
            tuple(answering([one.id for one in seen], described, picture.digest or "")),
            error=picture.error,
            left_out=picture.left_out,
            digest=picture.digest,
        )


def pictures_below(seen: Sequence[Looked], asked: Collection[Path]) -> list[Looked]:
    """Return the pictures or videos that paths name, each a file or a folder.

    All where no path is given.
    """
    wanted = [path.absolute() for path in asked]
    return [
        one
        for one in seen
        if not wanted or any(one.path.absolute().is_relative_to(path) for path in wanted)
    ]


def has_changed(seen: ObservedPicture | ObservedVideo) -> bool:
    """Say whether a file is another one now; one that is gone has not changed."""
    try:
        return seen.state is not None and file_state(seen.path) != seen.state
    except InputError:
        return False
