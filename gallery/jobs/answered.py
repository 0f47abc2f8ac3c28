"""Labelled files with whom they show, as the gallery and the decisions are now; none is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.engine import joint
from gallery.engine.engine import Engine
from gallery.errors import BadSetting, NothingSeen
from gallery.events import Advanced, Refused, Stage, Started
from gallery.jobs.reencode import encode_kept
from gallery.jobs.relabel import seen_below
from gallery.jobs.relabel_pictures import relabel_pictures
from gallery.jobs.relabel_video import relabel_videos
from gallery.system.files import absolute
from gallery.types import Answer, Decided, Verdict, VideoTrack


@dataclass(frozen=True, slots=True)
class Least:
    """Which answers are sent; what is likelier than the least is, too."""

    confirmed: bool = False
    """Only names that a person confirmed."""
    unsure: bool = False
    """Unsure names, too."""

    def __post_init__(self) -> None:
        """Raise InputError where the one rules out the other."""
        if self.confirmed and self.unsure:
            raise BadSetting(
                "confirmed", "What is unsure was not confirmed", "ask for one of the two"
            )

    def takes(self, answer: Answer) -> bool:
        """Say whether an answer's name is sent."""
        if answer.character is None or answer.is_set_aside:
            return False
        if self.confirmed:
            return answer.decided is Decided.CONFIRMED
        return answer.verdict is Verdict.SURE or (self.unsure and answer.verdict is Verdict.UNSURE)


def stands(answer: Answer) -> bool:
    """Say whether an answer's name was not taken back: it is no worse than unsure."""
    return Least(unsure=True).takes(answer)


@dataclass(frozen=True, slots=True)
class AnsweredFile:
    """A labelled picture or video, and the answers of all its faces."""

    digest: str
    """SHA-256 of the file as it was labelled."""
    path: Path
    width: int
    height: int
    """In pixels, as it is shown."""
    faces: tuple[Answer, ...]
    """Of a video one for each track."""
    is_video: bool


def answered_files(
    engine: Engine, paths: Sequence[Path] = (), *, alone: bool, videos: bool
) -> Stage[list[AnsweredFile]]:
    """Return the labelled files at some paths, files or folders, or all; one for each content.

    Faces are answered jointly, unless each is to be answered alone. Paths at which nothing was
    labelled are refused. Raises InputError where nothing is left.
    """
    engine.require_encoded()
    yield from encode_kept(engine)
    pictures = seen_below(engine.store.sightings.pictures(), paths)
    films = seen_below(engine.store.sightings.videos.all(), paths) if videos else []
    seen = [*(one.path for one in pictures), *(one.path for one in films)]
    places = {place for path in seen for place in (path, *path.parents)}
    missing = [NothingSeen(path) for path in paths if absolute(path) not in places]
    if not seen:
        raise missing[0] if missing else NothingSeen()
    answering = joint.alone(engine)
    if not alone:
        answering = yield from joint.jointly(engine)
    yield Started("answering", len(seen), "file")
    for error in missing:
        yield Refused.because(error.path or Path(), error)
    found: dict[str, AnsweredFile] = {}
    for record in relabel_pictures(engine, pictures, answering):
        if record.digest is not None and record.error is None:
            size = record.width or 0, record.height or 0
            whole = AnsweredFile(record.digest, record.path, *size, record.faces, is_video=False)
            found.setdefault(record.digest, whole)
        yield Advanced()
    for film in films:
        faces = [
            answer
            for part in relabel_videos(engine, [film], answering)
            if isinstance(part.part, VideoTrack)
            for answer in part.faces
        ]
        if film.digest is not None:
            size = film.width or 0, film.height or 0
            whole = AnsweredFile(film.digest, film.path, *size, tuple(faces), is_video=True)
            found.setdefault(film.digest, whole)
        yield Advanced()
    return [found[digest] for digest in sorted(found, key=lambda one: found[one].path)]
