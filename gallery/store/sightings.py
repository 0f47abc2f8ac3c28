"""What labelling saw: pictures and videos, and the faces in them, named or not.

A better gallery can thus answer again without the pictures, and unknown faces can be clustered and
named. All of it can be made again, and none of it changes an answer.

Of a video one face is kept of every track: box, crop and quality of its best moment, and what the
track is described by. Its digest is that moment's, see seen_videos.moment_of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    type_coerce,
    update,
)

from gallery.errors import GalleryError
from gallery.media.images import FileState, encode_jpeg
from gallery.numerics.assignment import pairs_of
from gallery.store.columns import (
    box_of,
    face_of,
    landmarks_to_json,
    quality_columns,
    quality_of,
    sound_matrix,
)
from gallery.store.contents import digests_of, hear_of_content, put_content
from gallery.store.descriptors import lacking, portions, put_where_there
from gallery.store.dialects import is_free, upsert
from gallery.store.enrolled_faces import enrolled_faces
from gallery.store.kinds import Text
from gallery.store.rejections import SAME_PLACE
from gallery.store.tables import (
    answers,
    contents,
    pictures,
    samples,
    shots,
    sighting_descriptors,
    sightings,
    tracks,
    videos,
)
from gallery.store.videos import (
    ObservedVideo,
    VideoReading,
    faces_between,
    moment_of,
    put_shot,
    put_track,
    put_video,
    tracks_in,
)
from gallery.system.files import is_there
from gallery.types import (
    CROP_SIDE,
    Box,
    Content,
    Crop,
    DescribedFace,
    Descriptor,
    Face,
    Place,
    Quality,
    VideoShot,
    VideoTrack,
)

DRAWN = "person"
"""Stands for the detector of a head that a person drew; no labelling takes it away."""

UNMEASURED = Quality(0.0, 0.0, None, None, None)
"""Stands for the quality of a face that was seen before it was measured."""

_BLANK: Crop = np.zeros((CROP_SIDE, CROP_SIDE, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """A labelled picture and its faces."""

    path: Path
    state: FileState | None
    """The file's size and time of change, taken before it was read; None where there is none."""
    digest: str | None
    """None for a file that could not be read."""
    width: int | None
    height: int | None
    faces: tuple[DescribedFace, ...] = ()
    left_out: int = 0
    error: str | None = None
    failure: GalleryError | None = field(default=None, compare=False)
    """What the error is made of; the database keeps its text alone."""
    content: Content | None = None
    """What its file shows; None where there is none, or where it could not be read."""

    @property
    def place(self) -> Place:
        """Where its faces are."""
        pixels = None if self.content is None else self.content.pixels
        return Place(self.digest or "", None, pixels)

    @property
    def places(self) -> list[Place]:
        """Where each of its faces is."""
        return [self.place] * len(self.faces)


@dataclass(frozen=True, slots=True)
class ObservedPicture:
    """A picture in its last labelled state."""

    path: Path
    state: FileState | None
    digest: str | None
    width: int | None
    height: int | None
    left_out: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face that was seen."""

    id: int
    digest: str
    """Of its picture, or of its moment in a video."""
    path: Path
    face: Face
    detector: str
    quality: Quality | None
    cluster: int | None
    """The group of unknown faces it was put into."""
    place: Place
    """Where that is for good: of a picture or of a track of a video."""

    @property
    def is_drawn(self) -> bool:
        """Whether a person drew its box, since no detector saw it."""
        return self.detector == DRAWN

    @property
    def track(self) -> VideoTrack | None:
        """The track of a video that it is; None for a face in a picture."""
        return self.place.track

    def described(self, descriptor: Descriptor) -> DescribedFace:
        """Return it with its descriptor, for an answer; its crop is blank and never read."""
        return DescribedFace(self.face, _BLANK, descriptor, self.quality or UNMEASURED)


@dataclass(frozen=True, slots=True, eq=False)
class DrawnHead:
    """A head that a person drew, as an export has it."""

    digest: str
    """Of its picture's file."""
    path: Path
    """Where that was last seen."""
    face: Face
    quality: Quality | None
    crop_jpeg: bytes
    content: Content | None = None
    """What the file shows, where that is known."""


class SightingReader:
    """Reads what was seen; store.Store has one."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading
        self.videos = VideoReading(reading)

    def pictures(self) -> list[ObservedPicture]:
        """Return all labelled pictures, by path."""
        with self._reading() as connection:
            rows = connection.execute(select(pictures).order_by(pictures.c.path))
            return [_picture(row) for row in rows]

    def size_of(self, path: Path) -> tuple[int, int] | None:
        """Return width and height of a labelled picture or video; None where they are unknown."""
        with self._reading() as connection:
            for table in (pictures, videos):
                row = connection.execute(
                    select(table.c.width, table.c.height).where(table.c.path == str(path))
                ).first()
                if row is not None and row.width is not None and row.height is not None:
                    return int(row.width), int(row.height)
        return None

    def count(self) -> int:
        """Return how many faces were seen."""
        with self._reading() as connection:
            return int(connection.scalar(select(func.count()).select_from(sightings)) or 0)

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many faces were seen in pictures, and in videos, by their files' digests."""
        with self._reading() as connection:
            rows = connection.execute(
                select(sightings.c.digest, func.count())
                .where(~exists().where(tracks.c.sighting_id == sightings.c.id))
                .group_by(sightings.c.digest)
            ).all()
            films = connection.execute(
                select(shots.c.digest, func.count())
                .join(tracks, tracks.c.shot_id == shots.c.id)
                .group_by(shots.c.digest)
            ).all()
        return {row[0]: row[1] for row in rows}, {row[0]: row[1] for row in films}

    def gone(self) -> set[int]:
        """Return the faces whose files are not where they were seen, nor anywhere else that is."""
        with self._reading() as connection:
            seen = connection.execute(
                select(sightings.c.id, sightings.c.digest, sightings.c.path)
            ).all()
            known = connection.execute(select(pictures.c.digest, pictures.c.path)).all()
        there = {path: is_there(Path(path)) for path in {row.path for row in [*seen, *known]}}
        here = {row.digest for row in known if there[row.path]}
        return {row.id for row in seen if not there[row.path] and row.digest not in here}

    def all(self) -> list[Sighting]:
        """Return all faces by id."""
        with self._reading() as connection:
            return _sightings(connection)

    def some(self, sighting_ids: Collection[int]) -> dict[int, Sighting]:
        """Return those of the faces that are there, by id."""
        found: list[Sighting] = []
        with self._reading() as connection:
            for some in portions(sorted(sighting_ids)):
                found += _sightings(connection, sightings.c.id.in_(some))
        return {one.id: one for one in found}

    def by_files(self, at_once: int = 1000) -> Iterator[list[list[Sighting]]]:
        """Yield all faces, those of one picture or of one shot together, of some files at a time.

        Every part is read when it is asked for.
        """
        of_a_video = exists().where(tracks.c.sighting_id == sightings.c.id)
        digest = ""
        while True:
            with self._reading() as connection:
                digests = connection.scalars(
                    select(sightings.c.digest)
                    .where(sightings.c.digest > digest, ~of_a_video)
                    .distinct()
                    .order_by(sightings.c.digest)
                    .limit(at_once)
                ).all()
            if not digests:
                break
            digest = digests[-1]
            yield list(self.in_pictures(digests).values())
        shot = 0
        while True:
            members = self.videos.faces_after(shot, at_once)
            if not members:
                break
            shot = max(members)
            seen = self.some([face for own in members.values() for face in own])
            yield [[seen[face] for face in own if face in seen] for own in members.values()]

    def in_pictures(self, digests: Collection[str]) -> dict[str, list[Sighting]]:
        """Return the faces that were seen in pictures, best score first, by the files' digests."""
        found: defaultdict[str, list[Sighting]] = defaultdict(list)
        with self._reading() as connection:
            for some in portions(sorted(digests)):
                for one in _sightings(connection, sightings.c.digest.in_(some)):
                    found[one.digest].append(one)
        return {
            digest: sorted(own, key=lambda one: -one.face.score) for digest, own in found.items()
        }

    def at(self, path: Path) -> list[Sighting]:
        """Return the faces that were seen in a picture, best score first, or in a video."""
        if not _is_text(path):
            return []
        with self._reading() as connection:
            found = _sightings(connection, sightings.c.path == str(path))
        return sorted(found, key=lambda one: -one.face.score)

    def beside(self, sighting_ids: Collection[int]) -> set[int]:
        """Return the faces of the same pictures and the same shots of videos, themselves too."""
        found = set(sighting_ids)
        own, other = sightings.alias(), sightings.alias()
        one, two = tracks.alias(), tracks.alias()
        with self._reading() as connection:
            for some in portions(sorted(found)):
                for query in (
                    select(other.c.id)
                    .join_from(own, other, own.c.digest == other.c.digest)
                    .where(own.c.id.in_(some)),
                    select(two.c.sighting_id)
                    .join_from(one, two, one.c.shot_id == two.c.shot_id)
                    .where(one.c.sighting_id.in_(some)),
                ):
                    found |= set(connection.scalars(query))
        return found

    def drawn(self, places: Collection[Place]) -> list[Sighting]:
        """Return the heads that a person drew in pictures at places, by id."""
        digests = sorted({one.digest for one in places if one.digest})
        pixels = sorted({one.pixels for one in places if one.pixels})
        found: dict[int, Sighting] = {}
        with self._reading() as connection:
            for column, keys in ((sightings.c.digest, digests), (contents.c.pixels, pixels)):
                for some in portions(keys):
                    own = _sightings(connection, column.in_(some), sightings.c.detector == DRAWN)
                    found.update({one.id: one for one in own})
        return [found[one] for one in sorted(found)]

    def all_drawn(self) -> list[Sighting]:
        """Return all heads that a person drew, by id."""
        with self._reading() as connection:
            return _sightings(connection, sightings.c.detector == DRAWN)

    def crops(self, sighting_ids: Collection[int]) -> dict[int, bytes]:
        """Return the aligned crops of faces as JPEG files."""
        found: dict[int, bytes] = {}
        with self._reading() as connection:
            for some in portions(sorted(sighting_ids)):
                rows = connection.execute(
                    select(sightings.c.id, sightings.c.crop).where(sightings.c.id.in_(some))
                )
                found.update({row.id: row.crop for row in rows})
        return found

    def described(self, encoder: str) -> tuple[int, int]:
        """Return how many faces an encoder has described, and the largest id of them, else 0."""
        with self._reading() as connection:
            row = connection.execute(
                select(
                    func.count(), func.coalesce(func.max(sighting_descriptors.c.sighting_id), 0)
                ).where(sighting_descriptors.c.encoder == encoder)
            ).one()
        return int(row[0]), int(row[1])

    def vectors(
        self, encoder: str, *, after: int = 0, limit: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the ids of faces an encoder has described, by id, and their descriptors.

        Shapes (n,) and (n, DIMENSION). With a limit so many at most, those behind an id.
        """
        face = sighting_descriptors.c.sighting_id
        with self._reading() as connection:
            rows = connection.execute(
                select(face, sighting_descriptors.c.vector)
                .where(sighting_descriptors.c.encoder == encoder, face > after)
                .order_by(face)
                .limit(limit)
            ).all()
        return (
            np.array([row.sighting_id for row in rows], np.int64),
            sound_matrix([row.vector for row in rows], encoder),
        )

    def vectors_of(self, encoder: str, sighting_ids: Collection[int]) -> dict[int, Descriptor]:
        """Return the descriptors of those of the faces that an encoder has described, by id."""
        found: dict[int, bytes] = {}
        with self._reading() as connection:
            for some in portions(sorted(sighting_ids)):
                rows = connection.execute(
                    select(sighting_descriptors.c.sighting_id, sighting_descriptors.c.vector).where(
                        sighting_descriptors.c.encoder == encoder,
                        sighting_descriptors.c.sighting_id.in_(some),
                    )
                )
                found.update({row.sighting_id: row.vector for row in rows})
        return dict(zip(found, sound_matrix(list(found.values()), encoder), strict=True))

    def descriptors_of(self, sighting_id: int) -> dict[str, Descriptor]:
        """Return a face's descriptors by encoder."""
        return self.descriptors_of_all([sighting_id])[sighting_id]

    def descriptors_of_all(self, sighting_ids: Collection[int]) -> dict[int, dict[str, Descriptor]]:
        """Return the descriptors of faces by id, then by encoder."""
        found: dict[int, dict[str, Descriptor]] = {one: {} for one in sighting_ids}
        with self._reading() as connection:
            for some in portions(sorted(sighting_ids)):
                rows = connection.execute(
                    select(sighting_descriptors).where(sighting_descriptors.c.sighting_id.in_(some))
                )
                for row in rows:
                    found[row.sighting_id][row.encoder] = sound_matrix([row.vector], row.encoder)[0]
        return found

    def unencoded(self, encoder: str) -> list[int]:
        """Return the faces an encoder has not described."""
        with self._reading() as connection:
            return lacking(connection, sighting_descriptors, sightings, encoder)

    def enrolled(self) -> dict[int, int]:
        """Return the samples that faces are enrolled as: sample id by sighting id."""
        with self._reading() as connection:
            rows = connection.execute(enrolled_faces().order_by(samples.c.id))
            return {row.id: row.sample_id for row in rows}


class SightingWriter:
    """Writes what was seen; writer.Writer has one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, seen: Observation, encoder: str, detector: str) -> list[int | None]:
        """Note a picture and its faces, described by an encoder, in place of what was noted.

        Returns the number of each face; None for one that was noted twice.

        A face that is there already, in about the same place, keeps its number and its cluster.
        Heads that a person drew stay as they are, whether they are seen or not. Paths with bytes
        that are no text cannot be stored and are passed over.
        """
        if not _is_text(seen.path):
            return [None] * len(seen.faces)
        self._keep_picture(seen)
        if seen.digest is None or seen.error is not None:
            return [None] * len(seen.faces)
        if seen.content is not None:
            put_content(self._connection, seen.digest, seen.content)
        self._give_over(seen.path, seen.digest)
        known = self._connection.execute(
            select(
                sightings.c.id, sightings.c.detector, *(sightings.c[side] for side in Box._fields)
            ).where(sightings.c.digest == seen.digest)
        ).all()
        pairs = matched([one.face.box for one in seen.faces], [box_of(row) for row in known])
        stays = {row.id for row in known if row.detector == DRAWN}
        gone = [
            row.id
            for place, row in enumerate(known)
            if place not in pairs.values() and row.id not in stays
        ]
        if gone:
            self._connection.execute(delete(sightings).where(sightings.c.id.in_(gone)))
        if stays:
            self._connection.execute(
                update(sightings).where(sightings.c.id.in_(stays)).values(path=str(seen.path))
            )
        numbers = []
        for place, one in enumerate(seen.faces):
            number = known[pairs[place]].id if place in pairs else None
            if number not in stays:
                number = self._keep_face(
                    seen.digest, seen.path, one, number, encoder=encoder, detector=detector
                )
            numbers.append(number)
        return numbers

    def draw(self, digest: str, path: Path, head: DescribedFace, encoder: str) -> int | None:
        """Note a head that a person drew in a labelled picture, and return its number.

        None, and nothing noted, where a face has the very same box.
        """
        return self._keep_face(digest, path, head, None, encoder=encoder, detector=DRAWN)

    def hear_of(self, head: DrawnHead) -> None:
        """Note a head that was drawn in another gallery, unless a face is seen there already.

        No encoder has described it yet.
        """
        if head.content is not None:
            hear_of_content(self._connection, head.digest, head.content)
        boxes = self._connection.execute(
            select(*(sightings.c[side] for side in Box._fields)).where(
                sightings.c.digest == head.digest
            )
        )
        if all(head.face.box.overlap(box_of(row)) < SAME_PLACE for row in boxes):
            self._connection.execute(
                insert(sightings).values(
                    digest=head.digest,
                    path=str(head.path),
                    crop=head.crop_jpeg,
                    **_face_columns(head.face, head.quality, DRAWN),
                )
            )

    def erase(self, sighting_id: int) -> bool:
        """Take back a head that a person drew; false where there is none of this number."""
        gone = delete(sightings).where(sightings.c.id == sighting_id, sightings.c.detector == DRAWN)
        return self._connection.execute(gone).rowcount > 0

    def erase_at(self, digest: str, box: Box) -> None:
        """Take back the head that a person drew at a place of a picture, where it is there."""
        rows = self._connection.execute(
            select(sightings.c.id, *(sightings.c[side] for side in Box._fields)).where(
                sightings.c.digest.in_(digests_of(self._connection, digest)),
                sightings.c.detector == DRAWN,
            )
        )
        for row in rows.all():
            if box_of(row).overlap(box) >= SAME_PLACE:
                self.erase(row.id)

    def rewritten(self, path: Path, state: FileState, digest: str, content: Content) -> None:
        """Note that a file shows what it showed when it was seen, with another digest."""
        put_content(self._connection, digest, content)
        self._connection.execute(
            update(pictures)
            .where(pictures.c.path == str(path))
            .values(digest=digest, file_size=state.size, modified_ns=state.modified_ns)
        )
        self._give_over(path, digest)

    def forget_files(self, paths: Collection[Path]) -> None:
        """Forget pictures and videos, and the faces that were seen in them and nowhere else."""
        for some in portions(sorted(map(str, paths))):
            for table in (pictures, videos):
                self._connection.execute(delete(table).where(table.c.path.in_(some)))
        known = exists().where(videos.c.digest == shots.c.digest)
        lost = select(shots.c.id).where(~known)
        of_lost = select(tracks.c.sighting_id).where(tracks.c.shot_id.in_(lost))
        self._connection.execute(delete(sightings).where(sightings.c.id.in_(of_lost)))
        self._connection.execute(delete(shots).where(~known))
        self._connection.execute(
            delete(sightings).where(
                ~exists().where(pictures.c.digest == sightings.c.digest),
                ~exists().where(tracks.c.sighting_id == sightings.c.id),
            )
        )

    def _give_over(self, path: Path, digest: str) -> None:
        """Give the faces of a file's former contents to its present one, or let go of them.

        They stay what they are where the picture is the same, and where another file has it.
        """
        elsewhere = exists().where(
            pictures.c.digest == sightings.c.digest, pictures.c.path != str(path)
        )
        of_a_video = exists().where(tracks.c.sighting_id == sightings.c.id)
        former = self._connection.scalars(
            select(sightings.c.digest)
            .where(
                sightings.c.path == str(path),
                sightings.c.digest != digest,
                ~elsewhere,
                ~of_a_video,
            )
            .distinct()
        ).all()
        same = digests_of(self._connection, digest) if former else ()
        for one in former:
            if one in same:
                self._connection.execute(
                    update(sightings)
                    .where(sightings.c.digest == one, is_free(sightings, "digest", digest))
                    .values(digest=digest)
                )
            # What is left of it is there twice.
            self._connection.execute(delete(sightings).where(sightings.c.digest == one))

    def keep_video(self, seen: ObservedVideo) -> None:
        """Note a video in place of what was noted; its shots come by keep_shot.

        Paths with bytes that are no text cannot be stored and are passed over.
        """
        if _is_text(seen.path):
            put_video(self._connection, seen)

    def keep_shot(
        self,
        digest: str,
        path: Path,
        shot: VideoShot,
        tracks: Sequence[tuple[VideoTrack, DescribedFace]],
        *,
        left_out: int,
        encoder: str,
        detector: str,
    ) -> list[int | None]:
        """Note a shot of a video and its tracks in place of the shots that it touches.

        Returns the number of each track's face; None for one that was noted twice. Each track has
        the face of its best moment, with the descriptor of the track. One that is there already, of
        the same moment and in about the same place, keeps its number and its cluster.
        """
        if not _is_text(path):
            return [None] * len(tracks)
        known = faces_between(self._connection, digest, shot.start, shot.end)
        moments = [moment_of(digest, track.best) for track, _ in tracks]
        pairs = pairs_of(
            (-shared, place, row)
            for place, (_, one) in enumerate(tracks)
            for row, other in enumerate(known)
            if moments[place] == other.digest
            and (shared := one.face.box.overlap(box_of(other))) >= SAME_PLACE
        )
        gone = [row.id for place, row in enumerate(known) if place not in pairs.values()]
        for some in portions(gone):
            self._connection.execute(delete(sightings).where(sightings.c.id.in_(some)))
        shot_id = put_shot(self._connection, digest, shot, left_out)
        numbers = []
        for place, (track, one) in enumerate(tracks):
            former = known[pairs[place]].id if place in pairs else None
            kept = self._keep_face(
                moments[place], path, one, former, encoder=encoder, detector=detector
            )
            if kept is not None:
                put_track(self._connection, kept, shot_id, track)
            numbers.append(kept)
        return numbers

    def _keep_picture(self, seen: Observation) -> None:
        values = {
            "digest": seen.digest,
            "file_size": seen.state.size if seen.state else None,
            "modified_ns": seen.state.modified_ns if seen.state else None,
            "width": seen.width,
            "height": seen.height,
            "left_out": seen.left_out,
            "error": seen.error,
        }
        self._connection.execute(
            upsert(self._connection, pictures)
            .values(path=str(seen.path), **values)
            .on_conflict_do_update(index_elements=[pictures.c.path], set_=values)
        )

    def _keep_face(
        self,
        digest: str,
        path: Path,
        one: DescribedFace,
        former: int | None,
        *,
        encoder: str,
        detector: str,
    ) -> int | None:
        """Note a face in place of a former one, and return its id; None for one noted twice."""
        values = {
            "digest": digest,
            "path": str(path),
            "crop": encode_jpeg(one.crop),
            **_face_columns(one.face, one.quality, detector),
        }
        if former is None:
            added = self._connection.execute(
                upsert(self._connection, sightings)
                .values(**values)
                # Two faces in the very same place are one.
                .on_conflict_do_nothing()
                .returning(sightings.c.id)
            ).scalar_one_or_none()
            if added is None:
                return None
            former = int(added)
        else:
            self._connection.execute(
                update(sightings).where(sightings.c.id == former).values(**values)
            )
            # The crop may be another one now.
            self._connection.execute(
                update(answers).where(answers.c.sighting_id == former).values(state_id=None)
            )
            self._connection.execute(
                delete(sighting_descriptors).where(
                    sighting_descriptors.c.sighting_id == former,
                    sighting_descriptors.c.encoder != encoder,
                )
            )
        self.describe(former, encoder, one.descriptor)
        return former

    def describe(self, sighting_id: int, encoder: str, vector: Descriptor) -> bool:
        """Set a face's descriptor by one encoder; false for one that is gone meanwhile.

        Raises InputError for a descriptor of another shape.
        """
        return put_where_there(self._connection, sighting_descriptors, sighting_id, encoder, vector)

    def group(self, clusters: Mapping[int, int | None]) -> None:
        """Put faces into clusters, or out of them: number by sighting id."""
        if clusters:
            self._connection.execute(
                update(sightings)
                .where(sightings.c.id == bindparam("sighting"))
                .values(cluster=bindparam("number")),
                [{"sighting": one, "number": number} for one, number in clusters.items()],
            )

    def forget(self) -> int:
        """Remove all that was seen, and return how many faces that was."""
        for table in (pictures, videos, shots):
            self._connection.execute(delete(table))
        return self._connection.execute(delete(sightings)).rowcount


def _face_columns(face: Face, quality: Quality | None, detector: str) -> dict[str, object]:
    """Return what is told of a face, beside its crop, as its columns hold it."""
    return {
        **face.box._asdict(),
        "score": face.score,
        "landmarks": landmarks_to_json(face.landmarks),
        "detector": detector,
        **quality_columns(quality),
    }


def matched(boxes: Sequence[Box], others: Sequence[Box]) -> dict[int, int]:
    """Return which boxes are in about the same place as which others, best pairs first."""
    return pairs_of(
        (-shared, place, known)
        for place, box in enumerate(boxes)
        for known, other in enumerate(others)
        if (shared := box.overlap(other)) >= SAME_PLACE
    )


def _is_text(path: Path) -> bool:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _picture(row: Any) -> ObservedPicture:
    state = None if row.file_size is None else FileState(row.file_size, row.modified_ns)
    return ObservedPicture(
        Path(row.path), state, row.digest, row.width, row.height, row.left_out, row.error
    )


def _sightings(connection: Connection, *which: Any) -> list[Sighting]:
    """Return the faces that conditions choose, by id."""
    # Not the crops, which are nearly all there is.
    columns = [column for column in sightings.c if column.name != "crop"]
    pixels = type_coerce(contents.c.pixels, Text(optional=True)).label("pixels")
    rows = connection.execute(
        select(*columns, pixels)
        .outerjoin(contents, contents.c.digest == sightings.c.digest)
        .where(*which)
        .order_by(sightings.c.id)
    ).all()
    tracks = tracks_in(connection, [row.id for row in rows] if which else None)
    return [_sighting(row, tracks.get(row.id)) for row in rows]


def _sighting(row: Any, track: tuple[str, VideoTrack] | None) -> Sighting:
    return Sighting(
        row.id,
        row.digest,
        Path(row.path),
        face_of(row),
        row.detector,
        quality_of(row),
        row.cluster,
        Place(row.digest, None, row.pixels) if track is None else Place(*track),
    )
