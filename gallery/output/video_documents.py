"""Formats of a file for each video, written whole at the end: who is on screen, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gallery.errors import BadOutput
from gallery.output.document import DocumentFile
from gallery.output.format import MAX_NAME_BYTES, Output
from gallery.output.screen_time import Episode, Episodes
from gallery.types import Record, VideoRecord

MARK = ".who"
"""Stands in the names of files beside videos, where subtitles and cut lists of others lie."""


@dataclass(frozen=True, slots=True)
class VideoForm:
    """One format."""

    name: str
    suffix: str
    """Of a file beside a video; a file that is named has the last part of it alone."""
    text: Callable[[Episode], str]
    is_ours: Callable[[bytes], bool]

    @property
    def last(self) -> str:
        """What ends the name of one file: .xml of .chapters.xml."""
        return self.suffix[self.suffix.rindex(".") :]


def several_videos(path: Path, name: str) -> BadOutput:
    """Return what is to be said of a file that has room for one video alone."""
    return BadOutput(
        path, "is for one video, and there are several", remedy=f"give {name} or {name}:FOLDER"
    )


class VideoDocuments:
    """Writes a file for each video: beside it, below a folder, or the one file that is named."""

    is_document = True
    takes_videos = True

    def __init__(self, form: VideoForm, output: Output) -> None:
        """Prepare the file, where one is named. Raises InputError as DocumentFile does."""
        self.name = form.name
        self._form, self._output = form, output
        self._episodes = Episodes(unsure=output.options.unsure)
        self._file: DocumentFile | None = None
        if output.target is not None and output.target.suffix.lower() == form.last:
            self._file = self._opened(output.target)

    def write(self, record: Record) -> None:
        """Collect what a part of a video says. Raises InputError for a second one in one file."""
        if not isinstance(record, VideoRecord):
            return
        videos = self._episodes.videos
        if self._file is not None and videos and record.path not in videos:
            raise several_videos(self._file.path, self.name)
        self._episodes.add(record)

    def close(self) -> None:
        """Write the files."""
        videos = list(self._episodes.videos.values())
        stems = Counter(one.path.with_suffix("") for one in videos)
        for video in videos:
            has_twin = stems[video.path.with_suffix("")] > 1
            file = self._file or self._opened(self._beside(video.path, has_twin=has_twin))
            file.save(self._form.text(video).encode("utf-8", "backslashreplace"))

    def _beside(self, video: Path, *, has_twin: bool) -> Path:
        """Return where a video's file goes; one with a twin of another suffix keeps its own."""
        name = video.name if has_twin else video.stem
        ending = f"{MARK}{self._form.suffix}"
        room = MAX_NAME_BYTES - len(ending)
        cut = name.encode("utf-8", "surrogateescape")[:room].decode("utf-8", "ignore")
        return self._output.beside(video, f"{cut}{ending}")

    def _opened(self, path: Path) -> DocumentFile:
        output = replace(self._output, target=path)
        return DocumentFile(output, self.name, (self._form.last,), self._form.is_ours)
