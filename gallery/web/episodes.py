"""Episodes: a video's tracks on a time line, with a lane for each character."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from gallery.errors import NoSuchVideo
from gallery.store.answers import StoredAnswer
from gallery.store.videos import ObservedVideo
from gallery.types import Decided, Verdict
from gallery.web.desk import DONE, Desk
from gallery.web.shapes import ComplaintShape, FaceShape
from gallery.web.words import file_name

TRACKS = 1000
"""On one screen; a longer video goes on behind it."""

LEAST_IN_LANE = 2
"""Tracks of a group of unknown faces that have a lane of their own."""


class EpisodeShape(BaseModel):
    """A video, and how much of it is decided."""

    digest: str = Field(description="SHA-256 of the video's file, by which its tracks are had.")
    name: str
    tracks: int
    sure: int = Field(description="Tracks with a sure name that are to be decided of.")
    doubtful: int
    unknown: int
    decided: int


class TrackShape(FaceShape):
    """A face that is followed through a shot. Times are seconds of the video."""

    start: float
    end: float
    best: float = Field(description="The moment that the face is of.")


class LaneShape(BaseModel):
    """Tracks of one character, or of one group of unknown faces."""

    title: str
    name: str | None = Field(description="The character; None where nobody is known.")
    tracks: list[TrackShape]


class TimelineShape(BaseModel):
    """A stretch of a video; lanes of characters with most tracks come first."""

    digest: str
    name: str
    start: float
    end: float
    cuts: list[float] = Field(description="Where shots begin, in seconds.")
    tracks: int = Field(description="Of the whole video.")
    lanes: list[LaneShape]
    after: str | None = Field(description="Where the next stretch begins; None after the last.")


Key = TypeVar("Key", str, int)

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


def routes(desk: Desk) -> APIRouter:
    """Return the routes of videos; their tracks are decided of as other faces are."""
    routes = APIRouter(prefix="/api/v1/episodes")

    @routes.get("", summary="Labelled videos, by name")
    def episodes() -> list[EpisodeShape]:
        with desk.turn:
            return _episodes(desk)

    @routes.get(
        "/{digest}",
        summary="A video's tracks, a lane for each character",
        responses={404: {"model": ComplaintShape}},
    )
    def episode(
        digest: Digest,
        after: Annotated[str | None, Query(max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=5000)] = TRACKS,
    ) -> TimelineShape:
        with desk.turn:
            return _timeline(desk, digest, after, limit)

    return routes


def _videos(desk: Desk) -> dict[str, ObservedVideo]:
    """Return the videos that could be read, by digest; of copies the first one."""
    found: dict[str, ObservedVideo] = {}
    for one in desk.engine.store.sightings.videos.all():
        if one.digest is not None:
            found.setdefault(one.digest, one)
    return found


def _episodes(desk: Desk) -> list[EpisodeShape]:
    counts = desk.engine.store.answers.video_counts()
    found = []
    for digest, video in _videos(desk).items():
        own = counts.get(digest, {})
        left = {
            verdict: own.get((Decided.UNDECIDED, verdict), 0)
            for verdict in (Verdict.SURE, Verdict.UNSURE, Verdict.UNKNOWN)
        }
        found.append(
            EpisodeShape(
                digest=digest,
                name=file_name(video.path),
                tracks=sum(own.values()),
                sure=left[Verdict.SURE],
                doubtful=left[Verdict.UNSURE],
                unknown=left[Verdict.UNKNOWN],
                decided=sum(count for (decided, _), count in own.items() if decided in DONE),
            )
        )
    return sorted(found, key=lambda one: (one.name, one.digest))


def _timeline(desk: Desk, digest: str, after: str | None, limit: int) -> TimelineShape:
    video = _videos(desk).get(digest)
    if video is None:
        raise NoSuchVideo(digest)
    store, encoder = desk.engine.store, desk.engine.encoder
    page = store.answers.in_video(encoder, video.path, after=after, limit=limit)
    times = [one.times for one in page.faces if one.times is not None]
    start = min((one[0] for one in times), default=0.0) if after else 0.0
    end = max((one[1] for one in times), default=0.0)
    shots = store.sightings.videos.of(digest)
    if page.after is None:
        end = max([end, *(one.shot.end for one in shots)])
    return TimelineShape(
        digest=digest,
        name=file_name(video.path),
        start=start,
        end=end,
        cuts=[one.shot.start for one in shots if start < one.shot.start < end],
        tracks=sum(one.shot.tracks for one in shots),
        lanes=_lanes(desk, page.faces),
        after=page.after,
    )


def _lanes(desk: Desk, faces: tuple[StoredAnswer, ...]) -> list[LaneShape]:
    shaped = desk.shaped(faces)
    named: defaultdict[str, list[TrackShape]] = defaultdict(list)
    groups: defaultdict[int, list[TrackShape]] = defaultdict(list)
    nobody: list[TrackShape] = []
    aside: list[TrackShape] = []
    for face, shape in zip(faces, shaped, strict=True):
        start, end, best = face.times or (0.0, 0.0, 0.0)
        track = TrackShape(**shape.model_dump(), start=start, end=end, best=best)
        if face.decided in (Decided.IGNORED, Decided.NO_FACE):
            aside.append(track)
        elif face.character is not None:
            named[face.character].append(track)
        elif face.cluster is not None:
            groups[face.cluster].append(track)
        else:
            nobody.append(track)
    for number in [one for one, own in groups.items() if len(own) < LEAST_IN_LANE]:
        nobody += groups.pop(number)
    nobody.sort(key=lambda one: (one.start, one.id))
    lanes = [
        *(LaneShape(title=name, name=name, tracks=own) for name, own in _longest(named)),
        *(LaneShape(title=f"Group {one}", name=None, tracks=own) for one, own in _longest(groups)),
        LaneShape(title="Nobody known", name=None, tracks=nobody),
        LaneShape(title="Set aside", name=None, tracks=aside),
    ]
    return [one for one in lanes if one.tracks]


def _longest(lanes: Mapping[Key, list[TrackShape]]) -> list[tuple[Key, list[TrackShape]]]:
    """Return lanes, those with most tracks first."""
    return sorted(lanes.items(), key=lambda one: (-len(one[1]), one[0]))
