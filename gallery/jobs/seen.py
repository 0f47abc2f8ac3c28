"""What labelling remembers: which pictures and videos were seen, and how it is forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.engine.engine import Engine
from gallery.errors import NothingSeen
from gallery.jobs.relabel import seen_below
from gallery.store.sightings import ObservedPicture
from gallery.store.videos import ObservedVideo
from gallery.system.files import absolute, is_there


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A picture or a video that was labelled."""

    path: Path
    faces: int
    """Of a video: tracks."""
    is_video: bool
    is_gone: bool
    """Whether nothing lies at its path any more."""
    error: str | None = None
    """Why it could not be read when it was labelled."""


@dataclass(frozen=True, slots=True)
class ForgottenFiles:
    """What labelling does not remember any more."""

    files: int
    faces: int


def seen_files(engine: Engine, paths: Sequence[Path] = (), *, gone: bool = False) -> list[SeenFile]:
    """Return what was labelled at paths, files or folders, by path; all where none is given.

    With gone, only files that are not there any more. Raises InputError for a path at which nothing
    was labelled.
    """
    sightings = engine.store.sightings
    stills, films = sightings.pictures(), sightings.videos.all()
    known = [*(one.path for one in stills), *(one.path for one in films)]
    places = {place for path in known for place in (path, *path.parents)}
    for path in paths:
        if absolute(path) not in places:
            raise NothingSeen(path)
    of_picture, of_video = sightings.counts()
    found = [
        *(_seen(one, of_picture, is_video=False) for one in seen_below(stills, paths)),
        *(_seen(one, of_video, is_video=True) for one in seen_below(films, paths)),
    ]
    found.sort(key=lambda one: one.path)
    return [one for one in found if one.is_gone or not gone]


def forget_seen(engine: Engine, files: Sequence[SeenFile]) -> ForgottenFiles:
    """Forget that files were labelled, and the faces that were seen in them alone.

    Samples, decisions and files stay. Labelling them again sees them anew.
    """
    before = engine.store.sightings.count()
    with engine.store.writing() as writer:
        writer.sightings.forget_files([one.path for one in files])
    return ForgottenFiles(len(files), before - engine.store.sightings.count())


def _seen(
    one: ObservedPicture | ObservedVideo, faces: Mapping[str, int], *, is_video: bool
) -> SeenFile:
    count = faces.get(one.digest or "", 0)
    return SeenFile(one.path, count, is_video, not is_there(one.path), one.error)
