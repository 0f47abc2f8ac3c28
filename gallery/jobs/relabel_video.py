"""Videos that were labelled before, answered with the gallery as it is now; no frame is decoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import tee
from typing import TYPE_CHECKING

from gallery.engine.joint import Scoring, alone, answered_apart
from gallery.store.sightings import Sighting
from gallery.store.videos import ObservedShot, ObservedVideo
from gallery.types import DescribedFace, VideoEnd, VideoRecord, VideoTrack

if TYPE_CHECKING:
    from gallery.engine.engine import Engine


SHOTS_AT_ONCE = 500
"""Shots whose tracks are read at once."""


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """A track with its face, which was seen."""

    sighting: Sighting
    part: VideoTrack
    face: DescribedFace


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
    for video in videos:
        yield from _of_video(engine, video, answering or alone(engine))


def _of_video(engine: Engine, video: ObservedVideo, answering: Scoring) -> Iterator[VideoRecord]:
    shots = engine.store.sightings.videos.of(video.digest or "")
    empty = VideoRecord(
        video.path, video.width, video.height, engine.encoder, asked=_asked(video, shots)
    )
    count = 0
    followed, answered = tee(_followed(engine, video, shots))
    answers = answered_apart(
        answering, ([(one.sighting, one.face) for one in tracks] for tracks in answered)
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


def _followed(
    engine: Engine, video: ObservedVideo, shots: Sequence[ObservedShot]
) -> Iterator[list[_Track]]:
    """Yield the tracks of each shot, in their order, reading some shots' at a time."""
    sightings = engine.store.sightings
    members = sightings.videos.faces(video.digest or "")
    for start in range(0, len(shots), SHOTS_AT_ONCE):
        some = [members.get(one.id, []) for one in shots[start : start + SHOTS_AT_ONCE]]
        wanted = [face for own in some for face in own]
        seen, vectors = sightings.some(wanted), sightings.vectors_of(engine.encoder, wanted)
        for own in some:
            yield [
                _Track(face, face.track, face.described(vectors[face.id]))
                for face in map(seen.get, own)
                if face is not None and face.track is not None and face.id in vectors
            ]


def _asked(
    video: ObservedVideo, shots: Sequence[ObservedShot]
) -> tuple[float, float | None, float]:
    """Return what was asked for last, widened to the shots of earlier runs."""
    start, end, every = video.asked
    if shots:
        start = min(start, shots[0].shot.start)
        end = None if end is None else max(end, shots[-1].shot.end)
    return start, end, every
