"""Videos that labelling saw, shot by shot; the faces in them are sightings of their best moments.

A later run replaces the shots that it touches; the other shots stay.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select

from gallery.media.images import FileState
from gallery.store.descriptors import portions
from gallery.store.dialects import upsert
from gallery.store.tables import shots, sightings, tracks, videos
from gallery.types import Box, VideoShot, VideoTrack


@dataclass(frozen=True, slots=True)
class ObservedVideo:
    """A video in its last labelled state."""

    path: Path
    state: FileState | None
    """The file's size and time of change, taken before it was read; None where there is none."""
    digest: str | None
    """SHA-256 of the file; None for one that could not be read."""
    width: int | None
    height: int | None
    asked: tuple[float, float | None, float]
    """Beginning, end and interval of the frames that were sampled last, in seconds."""
    is_whole: bool
    """True where it was labelled to the end that was asked for."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ObservedShot:
    """A shot of a labelled video."""

    id: int
    digest: str
    """SHA-256 of the video file."""
    shot: VideoShot
    """Shots are numbered in the order of their times, whichever run saw them."""
    left_out: int


def moment_of(digest: str, time: float) -> str:
    """Return what stands for the content of a frame: the digest of its video's and its time.

    With it the faces of a frame are told from those of another, as pictures are by their digests.
    The time, in seconds, counts to the millionth.
    """
    return hashlib.sha256(f"{digest} {round(time * 1_000_000)}".encode()).hexdigest()


class VideoReading:
    """Reads which videos were seen; sightings.SightingReader has one."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading

    def all(self) -> list[ObservedVideo]:
        """Return all labelled videos, by path."""
        with self._reading() as connection:
            rows = connection.execute(select(videos).order_by(videos.c.path))
            return [_video(row) for row in rows]

    def at(self, path: Path) -> ObservedVideo | None:
        """Return the video that was seen at a path; None where none was."""
        with self._reading() as connection:
            row = connection.execute(select(videos).where(videos.c.path == str(path))).first()
            return None if row is None else _video(row)

    def shots(self) -> list[ObservedShot]:
        """Return all shots, those of a video in the order of their times."""
        with self._reading() as connection:
            return shots_in(connection)

    def of(self, digest: str) -> list[ObservedShot]:
        """Return the shots of a video, given by its digest, in the order of their times."""
        with self._reading() as connection:
            return shots_in(connection, shots.c.digest == digest)

    def faces(self, digest: str) -> dict[int, list[int]]:
        """Return the ids of the seen faces that are tracks of a video's shots, by the shots' ids.

        The video is given by its digest; a shot's tracks are in their order.
        """
        of_the_video = select(shots.c.id).where(shots.c.digest == digest)
        return self._faces(tracks.c.shot_id.in_(of_the_video))

    def faces_after(self, shot_id: int, most: int) -> dict[int, list[int]]:
        """Return the same of so many shots with faces at most, those that come after one, by id."""
        following = (
            select(tracks.c.shot_id)
            .where(tracks.c.shot_id > shot_id)
            .distinct()
            .order_by(tracks.c.shot_id)
            .limit(most)
        )
        return self._faces(tracks.c.shot_id.in_(following))

    def _faces(self, which: ColumnElement[bool]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        with self._reading() as connection:
            rows = connection.execute(
                select(tracks.c.shot_id, tracks.c.sighting_id)
                .where(which)
                .order_by(tracks.c.shot_id, tracks.c.number)
            )
            for row in rows:
                found.setdefault(row.shot_id, []).append(row.sighting_id)
        return found


def shots_in(connection: Connection, *which: Any) -> list[ObservedShot]:
    """Return the shots of videos that conditions choose, all without one.

    Those of a video come in the order of their times, and none of them is left out.
    """
    rows = connection.execute(
        select(shots, func.count(tracks.c.sighting_id).label("tracks"))
        .join_from(shots, tracks, isouter=True)
        .where(*which)
        .group_by(shots.c.id)
        .order_by(shots.c.digest, shots.c.start)
    )
    found: list[ObservedShot] = []
    numbers: Counter[str] = Counter()
    for row in rows:
        numbers[row.digest] += 1
        shot = VideoShot(numbers[row.digest], row.start, row.end, row.tracks, row.looks)
        found.append(ObservedShot(row.id, row.digest, shot, row.left_out))
    return found


def tracks_in(
    connection: Connection, of: Sequence[int] | None = None
) -> dict[int, tuple[str, VideoTrack]]:
    """Return the tracks that seen faces are, with their videos' digests, by the faces' ids.

    All of them, or those of some faces, given by id.
    """
    if of is None:
        rows = connection.execute(select(tracks)).all()
    else:
        rows = [
            row
            for some in portions(of)
            for row in connection.execute(select(tracks).where(tracks.c.sighting_id.in_(some)))
        ]
    known = _numbered(connection, None if of is None else {row.shot_id for row in rows})
    return {
        row.sighting_id: (
            known[row.shot_id][0],
            VideoTrack(known[row.shot_id][1], row.number, row.start, row.end, row.best, row.looks),
        )
        for row in rows
    }


def _numbered(connection: Connection, ids: set[int] | None) -> dict[int, tuple[str, int]]:
    """Return, by id, the digest of each shot's video and the shot's number in it, from 1.

    All shots where ids is None.
    """
    place = func.row_number().over(partition_by=shots.c.digest, order_by=shots.c.start)
    query = select(shots.c.id, shots.c.digest, place.label("number"))
    if ids is None:
        return {row.id: (row.digest, row.number) for row in connection.execute(query)}
    found: dict[int, tuple[str, int]] = {}
    for some in portions(sorted(ids)):
        # A shot is counted among all of its video.
        wanted = select(shots.c.digest).where(shots.c.id.in_(some))
        of_videos = query.where(shots.c.digest.in_(wanted)).subquery()
        rows = connection.execute(select(of_videos).where(of_videos.c.id.in_(some)))
        found.update({row.id: (row.digest, row.number) for row in rows})
    return found


def put_video(connection: Connection, seen: ObservedVideo) -> None:
    """Note a video in place of what was noted of its path."""
    start, end, every = seen.asked
    values = {
        "digest": seen.digest,
        "file_size": seen.state.size if seen.state else None,
        "modified_ns": seen.state.modified_ns if seen.state else None,
        "width": seen.width,
        "height": seen.height,
        "asked_from": start,
        "asked_to": end,
        "every": every,
        "is_whole": seen.is_whole,
        "error": seen.error,
    }
    connection.execute(
        upsert(connection, videos)
        .values(path=str(seen.path), **values)
        .on_conflict_do_update(index_elements=[videos.c.path], set_=values)
    )


def faces_between(
    connection: Connection, digest: str, start: float, end: float
) -> Sequence[Row[Any]]:
    """Return id, digest and box of the seen faces of a video's shots that touch a time."""
    return connection.execute(
        select(sightings.c.id, sightings.c.digest, *(sightings.c[side] for side in Box._fields))
        .join(tracks, tracks.c.sighting_id == sightings.c.id)
        .join(shots, shots.c.id == tracks.c.shot_id)
        .where(*_touching(digest, start, end))
    ).all()


def put_shot(connection: Connection, digest: str, shot: VideoShot, left_out: int) -> int:
    """Note a shot of a video in place of those that it touches, and return its id.

    The tracks of these go; their faces are the caller's to keep or to remove.
    """
    connection.execute(delete(shots).where(*_touching(digest, shot.start, shot.end)))
    added = connection.execute(
        insert(shots)
        .values(digest=digest, start=shot.start, end=shot.end, looks=shot.looks, left_out=left_out)
        .returning(shots.c.id)
    )
    return int(added.scalar_one())


def put_track(connection: Connection, sighting_id: int, shot_id: int, track: VideoTrack) -> None:
    """Say of a seen face which track of which shot it is."""
    connection.execute(
        insert(tracks).values(
            sighting_id=sighting_id,
            shot_id=shot_id,
            number=track.track,
            start=track.start,
            end=track.end,
            best=track.best,
            looks=track.looks,
        )
    )


def _touching(digest: str, start: float, end: float) -> tuple[Any, ...]:
    return shots.c.digest == digest, shots.c.start <= end, shots.c.end >= start


def _video(row: Any) -> ObservedVideo:
    state = None if row.file_size is None else FileState(row.file_size, row.modified_ns)
    return ObservedVideo(
        Path(row.path),
        state,
        row.digest,
        row.width,
        row.height,
        (row.asked_from, row.asked_to, row.every),
        row.is_whole,
        row.error,
    )
