"""The seam for output formats: what a format is, and where and how it is asked to write."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gallery.errors import InputError, UnwritableFile
from gallery.system.files import absolute, is_folder
from gallery.types import Record, Verdict, VideoRecord

if TYPE_CHECKING:
    from gallery.media.stills import Stills

MAX_NAME_BYTES = 255
"""What the usual file systems take for the name of a file."""


NOWHERE = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS))
"""Codes of a place that takes no file more, whatever its name."""


class NotWrittenError(InputError):
    """One picture's output cannot be written; those of others can."""


class OutputWriter(Protocol):
    """One output format, at work."""

    @property
    def name(self) -> str:
        """What a user calls the format."""
        ...

    @property
    def is_document(self) -> bool:
        """True for one file made of all records, written when it is closed.

        It is given the records of earlier runs, too. Any other format has written all it has to
        say of a picture when `write` returns, and writing it again changes nothing.
        """
        ...

    @property
    def takes_videos(self) -> bool:
        """True where it is given the records of videos, too, each a types.VideoRecord.

        A writer of another package that does not say so is given those of pictures alone.
        """
        ...

    def write(self, record: Record) -> None:
        """Write what a picture's record says; one with an error says nothing of faces.

        Faces that a person set aside are not in it, and a track that was is not written, unless
        the writer says `takes_set_aside`, as files of records do.

        Raises NotWrittenError where this one picture's output cannot be written, and InputError
        where none can: the disk is full, the folder is read-only.
        """
        ...

    def close(self) -> None:
        """End it; a document is written now."""
        ...


class TagStyle(StrEnum):
    """How a character's name stands among tags."""

    PLAIN = "plain"
    """As it is: Ayanami Rei."""
    BOORU = "booru"
    """As on image boards: ayanami_rei_(evangelion)."""


class CaptionPlace(StrEnum):
    """Where names come into a caption."""

    FRONT = "front"
    """Before all other tags, where trainers keep the first tags in their place."""
    END = "end"
    """Behind all other tags."""


class Placing(StrEnum):
    """How a picture comes into a folder."""

    COPY = "copy"
    HARDLINK = "hardlink"
    SYMLINK = "symlink"


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """What a user can choose of several formats."""

    prefix: str = ""
    """Put before every name in captions."""
    tags: TagStyle = TagStyle.PLAIN
    series: str = ""
    """Put behind names in captions, in brackets, where the character's own series is not known."""
    unsure: bool = False
    """Names that are unsure are written, too."""
    placing: Placing = Placing.COPY
    caption_place: CaptionPlace = CaptionPlace.END
    """Where in captions names come."""
    by_series: bool = False
    """Sorted pictures lie in a folder for each series, and in that in those of its characters."""
    series_of: Mapping[str, str] = field(default_factory=dict)
    """The series of characters by their names; a job fills in what the gallery knows."""


def _stills() -> Stills:
    # The command line imports this module at its start.
    from gallery.media.stills import Stills

    return Stills()


@dataclass(frozen=True, slots=True)
class Output:
    """Where and how one format is asked to write."""

    target: Path | None
    """A folder or a file; None beside the pictures."""
    base: Path
    """The folder that all pictures lie in: their places below it are kept in a target folder."""
    encoder: str
    options: OutputOptions = field(default_factory=OutputOptions)
    stills: Stills = field(default_factory=_stills, compare=False)
    """Gives the frames of videos; the formats of one job share it."""

    def beside(self, picture: Path, name: str) -> Path:
        """Return where a file of a picture's own goes: beside it, or below the target folder.

        Raises NotWrittenError for a name that is longer than file systems take.
        """
        if len(os.fsencode(name)) > MAX_NAME_BYTES:
            raise NotWrittenError(f"{picture} has too long a name for a file beside it; rename it.")
        if self.target is None:
            return picture.with_name(name)
        return self.target / self.folder_inside(picture) / name

    def not_written(self, path: Path, error: OSError) -> InputError:
        """Return what is to be said of a file of one picture that cannot be written.

        Where no other picture's can be either, it is no NotWrittenError: the disk is full, or the
        target folder takes no files.
        """
        if error.errno in NOWHERE:
            return cannot_be_written(path, error)
        if self.target is not None and not _takes_files(self.target):
            return cannot_be_written(self.target, error)
        why = error.strerror or str(error)
        return NotWrittenError(f"{path} cannot be written: {why}; {_cure(error)}.")

    def folder_inside(self, picture: Path) -> Path:
        """Return a picture's folder as seen from the base; it never leads out of it."""
        folder = absolute(picture).parent
        if folder.is_relative_to(self.base):
            return folder.relative_to(self.base)
        # It lies elsewhere: then its whole path is kept, with the drive's letter as a folder.
        drive = folder.drive.strip(":\\/").replace("\\", "_").replace("/", "_")
        return Path(drive, *folder.parts[1:])


def base_of(paths: Sequence[Path]) -> Path:
    """Return the folder that pictures and folders have in common, or the root where they do not."""
    folders = []
    for path in paths:
        whole = absolute(path)
        folders.append(whole if is_folder(whole) else whole.parent)
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:
        # Two drives have nothing in common.
        return Path(folders[0].anchor)


def without_set_aside(record: Record) -> Record | None:
    """Return a record as formats want it: no face that a person ignores, and none that is none.

    None for a track of a video that is set aside itself.
    """
    if not any(answer.is_set_aside for answer in record.faces):
        return record
    if isinstance(record, VideoRecord):
        return None
    kept = tuple(answer for answer in record.faces if not answer.is_set_aside)
    return replace(record, faces=kept)


def names_in(record: Record, *, unsure: bool) -> list[str]:
    """Return the characters that a picture shows, each once, in the order of its faces."""
    wanted = {Verdict.SURE, Verdict.UNSURE} if unsure else {Verdict.SURE}
    return list(
        dict.fromkeys(
            answer.character
            for answer in record.faces
            if answer.character is not None and answer.verdict in wanted
        )
    )


def cannot_be_written(path: Path, error: OSError) -> UnwritableFile:
    """Return what is to be said of a place that takes no file."""
    return UnwritableFile(
        path,
        f"cannot be written: {error.strerror or error}",
        remedy="what is written stays, run it again to go on, or name another place",
    )


def _takes_files(folder: Path) -> bool:
    return is_folder(folder) and os.access(folder, os.W_OK)


def _cure(error: OSError) -> str:
    """Return what to do about one file that cannot be written."""
    if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ):
        return "rename the picture"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "allow writing there"
    return "take away what is in its place"
