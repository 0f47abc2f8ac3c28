"""What labelling sees of a video, noted in the gallery shot by shot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gallery.engine.engine import Engine, numbered
from gallery.errors import InputError
from gallery.media.images import FileState, file_state
from gallery.store.answers import GalleryState
from gallery.store.videos import ObservedVideo
from gallery.system.files import absolute
from gallery.system.reading import open_file
from gallery.types import Answer, DescribedFace, VideoShot, VideoTrack


class VideoKeeping:
    """Notes one video: that it is looked at, its shots as they come, and its end."""

    def __init__(
        self, engine: Engine, path: Path, asked: tuple[float, float | None, float]
    ) -> None:
        """Read the file for its digest, unless it is known and has not changed."""
        self._engine = engine
        whole = absolute(path)
        state, digest = identity_of(engine, whole)
        self.digest = digest
        """The video's; None where it cannot be read."""
        self._seen = ObservedVideo(whole, state, digest, None, None, asked, is_whole=False)

    def begin(self, width: int, height: int) -> None:
        """Note that the video is looked at from now on."""
        self._seen = replace(self._seen, width=width, height=height)
        self._note(self._seen)

    def shot(
        self,
        shot: VideoShot,
        tracks: Sequence[tuple[VideoTrack, DescribedFace]],
        left_out: int,
        said: Sequence[Answer] | None,
        now: GalleryState,
    ) -> None:
        """Note a shot and its tracks, in one transaction.

        Also what is said of them, and what the gallery was before, unless that is not to be kept.
        """
        if self._seen.digest is None:
            return
        engine, faces = self._engine, [face for _, face in tracks]
        own = None if said is None else engine.by_itself(faces, said)
        with engine.store.writing() as writer:
            numbers = writer.sightings.keep_shot(
                self._seen.digest,
                self._seen.path,
                shot,
                tracks,
                left_out=left_out,
                encoder=engine.encoder,
                detector=engine.describer.detector.name,
            )
            found = {} if own is None else numbered(numbers, own)
            writer.answers.put(now, found, {self._seen.digest})

    def end(self, error: str | None) -> None:
        """Note that the video was looked at up to the end that was asked for."""
        self._note(replace(self._seen, is_whole=True, error=error))

    def _note(self, seen: ObservedVideo) -> None:
        with self._engine.store.writing() as writer:
            writer.sightings.keep_video(seen)


def identity_of(engine: Engine, path: Path) -> tuple[FileState | None, str | None]:
    """Return a video's state and its digest; None for what cannot be looked at or read."""
    try:
        state = file_state(path)
    except InputError:
        return None, None
    known = None if _has_other_bytes(path) else engine.store.sightings.videos.at(path)
    if known is not None and known.state == state and known.digest is not None:
        return state, known.digest
    try:
        with open_file(path) as file:
            return state, hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return state, None


def digest_where_decided(engine: Engine, path: Path) -> str | None:
    """Return a video's digest where something was decided of faces in videos; else nobody asks."""
    if not engine.decided().has_videos:
        return None
    return identity_of(engine, absolute(path))[1]


def _has_other_bytes(path: Path) -> bool:
    """Say whether a name holds bytes that are no text, which the database cannot be asked for."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
