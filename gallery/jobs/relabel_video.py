"""Videos that were labelled before, answered with the gallery as it is now; no frame is decoded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gallery.engine.joint import Scoring, alone, answered_apart
from gallery.store.sightings import Sighting
from gallery.store.videos import ObservedShot, ObservedVideo
from gallery.types import DescribedFace, VideoEnd, VideoRecord, VideoTrack

if TYPE_CHECKING:
    from gallery.engine.engine import Engine


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """A track with its face, which was seen."""

    sighting: Sighting
    part: VideoTrack
    face: DescribedFace


@dataclass(frozen=True, slots=True, eq=False)
class _Observed:
    """What is known of all videos' tracks."""

    shots: dict[str, list[ObservedShot]]
    """By a video's digest, in the order of their times."""
    tracks: dict[int, list[_Track]]
    """By a shot's id, in their order; those that the encoder in use has described."""


def relabel_videos(
    engine: Engine,
    videos: Sequence[ObservedVideo],
    answering: Scoring | None = None,
) -> Iterator[VideoRecord]:
    """Answer videos that were labelled before; yield the records that label_video would.

    Every face by itself, unless it is said how, see joint. Of a video that was never labelled to
    its end come the shots that were, and an error at the end. Faces that the encoder in use has not
    described are left out; reencode.encode_kept comes first.
    """
    engine.require_encoded()
    if not videos:
        return
    seen = _seen(engine)
    for video in videos:
        yield from _of_video(engine, video, seen, answering or alone(engine))


def _seen(engine: Engine) -> _Observed:
    sightings = engine.store.sightings
    ids, rows = sightings.vectors(engine.encoder)
    vectors = dict(zip(ids.tolist(), rows, strict=True))
    faces = {
        one.id: _Track(one, one.track, one.described(vectors[one.id]))
        for one in sightings.all()
        if one.track is not None and one.id in vectors
    }
    shots: dict[str, list[ObservedShot]] = defaultdict(list)
    for shot in sightings.videos.shots():
        shots[shot.digest].append(shot)
    tracks = {
        shot_id: [faces[one] for one in members if one in faces]
        for shot_id, members in sightings.videos.faces().items()
    }
    return _Observed(shots, tracks)


def _of_video(
    engine: Engine, video: ObservedVideo, seen: _Observed, answering: Scoring
) -> Iterator[VideoRecord]:
    shots = seen.shots.get(video.digest or "", [])
    empty = VideoRecord(
        video.path, video.width, video.height, engine.encoder, asked=_asked(video, shots)
    )
    count = 0
    followed = [seen.tracks.get(one.id, []) for one in shots]
    answers = answered_apart(
        answering, ([(one.sighting, one.face) for one in tracks] for tracks in followed)
    )
    for one, tracks, said in zip(shots, followed, answers, strict=True):
        count += len(tracks)
        for track, answer in zip(tracks, said, strict=True):
            yield replace(empty, faces=(answer,), part=track.part)
        yield replace(empty, left_out=one.left_out, part=one.shot)
    end = VideoEnd(len(shots), count, shots[-1].shot.end if shots else 0.0)
    error = video.error
    if not video.is_whole:
        error = f"{video.path} was not labelled to its end; label it again to go on."
    yield replace(empty, error=error, part=end)


def _asked(
    video: ObservedVideo, shots: Sequence[ObservedShot]
) -> tuple[float, float | None, float]:
    """Return what was asked for last, widened to the shots of earlier runs."""
    start, end, every = video.asked
    if shots:
        start = min(start, shots[0].shot.start)
        end = None if end is None else max(end, shots[-1].shot.end)
    return start, end, every
