"""What long work says while it goes on. Light to import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gallery.types import Enrolled, Record


@dataclass(frozen=True, slots=True)
class EnrolmentStarted:
    """It is known what is to be enrolled; nothing is yet."""

    total: int
    """How many Enrolled will come: one a picture, or of regions one a face."""
    unlabelled: int
    """How many pictures have no name; they are passed over."""


@dataclass(frozen=True, slots=True)
class LabellingStarted:
    """It is known what is to be labelled; nothing is yet."""

    pictures: int
    """How many pictures will be labelled."""
    videos: int
    """How many videos will be labelled."""
    pictures_done: int
    """How many pictures more have their records in the file already."""
    videos_done: int
    """How many videos more have their records in the file already."""
    left_out: int
    """How many pictures lie in folders that outputs go to; they are no input."""
    not_written: tuple[str, ...] = ()
    """Why outputs of earlier runs' pictures are missing, which were to be written anew."""
    failed_before: int = 0
    """How many of the pictures could not be read by an earlier run and are tried again."""
    changed: int = 0
    """How many of the pictures have other content than an earlier run saw."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """Pictures came into the folders that are watched; they are labelled next."""

    pictures: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """All that has come into the folders that are watched is labelled."""

    trouble: str | None = None
    """Why a folder cannot be looked at, such as a drive that is gone; it is tried again."""


@dataclass(frozen=True, slots=True)
class VideoStarted:
    """A video is labelled from here on; one that was begun before goes on behind its last shot."""

    path: Path
    seconds: int
    """How much of it is looked at, as its header says; 0 where it does not say."""
    done: float
    """Up to which second of it records stand in the file already."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture is labelled, or, with a VideoRecord, a part of a video; its record is in the file.

    Where something of a picture is not_written, its record is not in the file, and the picture is
    done again next time.
    """

    record: Record
    not_written: tuple[str, ...] = ()
    """Why other outputs of it are missing, a sentence each."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was named or found cannot be used; the rest goes on."""

    path: Path
    reason: str


EnrolEvent: TypeAlias = EnrolmentStarted | Refused | Enrolled

LabelEvent: TypeAlias = LabellingStarted | Refused | VideoStarted | Labelled | Arrived | Waiting
