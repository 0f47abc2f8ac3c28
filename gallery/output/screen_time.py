"""Who is on screen in a video, and when: what its tracks say together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gallery.media.video_reader import FRAME_TIME
from gallery.numerics.spans import Span, joined
from gallery.output.format import names_in
from gallery.types import Answer, VideoEnd, VideoRecord, VideoShot, VideoTrack


@dataclass(frozen=True, slots=True)
class Appearance:
    """A track, and how long its face is to be seen."""

    part: VideoTrack
    span: Span
    """From when it is seen first to a look behind when it is seen last, within its shot."""
    answer: Answer
    name: str | None
    """Whom it shows; None where nobody is known, or not surely enough."""


@dataclass(slots=True)
class Episode:
    """A labelled video, as far as its records go."""

    path: Path
    end: float = 0.0
    """Where its last labelled shot ends, in seconds."""
    appearances: list[Appearance] = field(default_factory=list)
    """In the order of their shots."""
    error: str | None = None
    """What is missing of it."""

    def cast(self, gap: float = 0.0) -> dict[str, tuple[Span, ...]]:
        """Return when each character is on screen, those who are so for longest first.

        A character who is away for no longer than a gap, in seconds, counts as there.
        """
        spans: dict[str, list[Span]] = {}
        for one in self.appearances:
            if one.name is not None:
                spans.setdefault(one.name, []).append(one.span)
        found = {name: joined(own, gap) for name, own in spans.items()}
        return dict(sorted(found.items(), key=lambda one: (-seconds_of(one[1]), one[0])))


def seconds_of(spans: Iterable[Span]) -> float:
    """Return how long spans last that do not touch."""
    return sum(one.seconds for one in spans)


class Episodes:
    """Collects the records of videos."""

    def __init__(self, *, unsure: bool) -> None:
        """Begin; unsure names count as sure ones where that is wanted."""
        self.videos: dict[Path, Episode] = {}
        self._unsure = unsure
        self._tracks: dict[Path, list[tuple[VideoTrack, VideoRecord]]] = {}

    def add(self, record: VideoRecord) -> None:
        """Take a record; a shot's own comes behind those of its tracks."""
        video = self.videos.setdefault(record.path, Episode(record.path))
        part = record.part
        if isinstance(part, VideoTrack):
            self._tracks.setdefault(record.path, []).append((part, record))
        elif isinstance(part, VideoShot):
            tracks = self._tracks.pop(record.path, [])
            video.appearances += [self._appearance(*one, part) for one in tracks]
            video.end = max(video.end, part.end + FRAME_TIME)
        elif isinstance(part, VideoEnd):
            video.error = record.error

    def _appearance(self, part: VideoTrack, record: VideoRecord, shot: VideoShot) -> Appearance:
        """Say how long a track is on screen.

        Its face came within the look before the first that found it, and went within the one
        behind the last: with one look more its length is right in the mean. A cut ends it.
        """
        (answer,) = record.faces
        look = record.asked[2] or FRAME_TIME
        end = min(part.end + look, max(shot.end, part.end) + FRAME_TIME)
        name = next(iter(names_in(record, unsure=self._unsure)), None)
        return Appearance(part, Span(part.start, end), answer, name)
