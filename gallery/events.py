"""What a job says while it goes on. Light to import.

A job is a generator of events. The first one is a Started, the last one, unless the job is left
before, a Finished with what came of it. Between them stand the stages: each begins with a Started
that tells a total, and `steps_of` says how many of it an event has done.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from gallery.errors import GalleryError
from gallery.types import Enrolled, Outcome, Record, Retired, VideoRecord

if TYPE_CHECKING:
    from gallery.types import DescribedFace, Image

Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Started:
    """A stage of work begins."""

    stage: str
    """What is done in it, such as labelling."""
    total: int
    """How many of it will be done, see steps_of; of a video about how many seconds."""
    unit: str
    """What is counted, one of it: picture, face, second."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """So many more of a stage are done, which have no event of their own."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was named or found cannot be used; the rest goes on."""

    path: Path
    reason: str
    error: GalleryError | None = field(default=None, compare=False)
    """What the reason is made of, where it is known."""

    @classmethod
    def because(cls, path: Path, error: GalleryError) -> Refused:
        """Return what is to be said of a file that an error was raised for."""
        return cls(path, str(error), error)


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something that a person will want to know; the work goes on, and nothing is wrong with it."""

    notice: GalleryError


DRAWN = ".annotated"
"""What pictures that gallery drew boxes into are counted under, see PassedOver."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Files in folders are passed over, since their formats are not read, or gallery drew them."""

    suffixes: Mapping[str, int]
    """How many files end in each suffix, in small letters; an empty one is for those without."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A face of a cluster is not what it was when the cluster was shown; the rest goes on."""

    face: int
    """Its number among seen faces."""
    path: Path
    """Its picture or video."""
    reason: str
    """Why, to be read after the face: `is enrolled as Rei`."""


@dataclass(frozen=True)
class Finished(Generic[Result_co]):
    """All is done, and files are closed."""

    result: Result_co
    """What came of it; each job says what that is."""


@dataclass(frozen=True, slots=True)
class EnrolmentStarted(Started):
    """It is known what is to be enrolled; nothing is yet."""

    stage: str = field(default="enrolling", kw_only=True)
    total: int
    """How many Enrolled will come: one a picture, or of regions one a face."""
    unit: str = field(default="picture", kw_only=True)
    unlabelled: int
    """How many pictures have no name; they are passed over."""
    guessed: int = 0
    """How many faces have a name that is the gallery's own answer; they are passed over."""
    rejects: tuple[str, ...] = ()
    """The names among those found that stand for what is turned away."""
    taken_as: Mapping[str, str] = field(default_factory=dict)
    """Names that differ by case or width alone from a character's, and that one's."""


@dataclass(frozen=True, slots=True)
class EnrolmentSummary:
    """What came of an enrolment."""

    outcomes: Mapping[Outcome, int]
    """How many Enrolled were told of each outcome that occurred."""
    refused: int
    """How many files were Refused besides."""
    retired: int = 0
    """How many samples are gone, since their files hold other pictures now: one Retired each."""


@dataclass(frozen=True, slots=True)
class LabellingStarted(Started):
    """It is known what is to be labelled; nothing is yet."""

    stage: str = field(default="labelling", kw_only=True)
    total: int = field(init=False)
    unit: str = field(default="picture", kw_only=True)
    pictures: int
    """How many pictures will be labelled."""
    videos: int
    """How many videos will be labelled; each begins a stage of its own."""
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", self.pictures)


@dataclass(frozen=True, slots=True)
class Arrived(Started):
    """Pictures came into the folders that are watched; they are labelled next."""

    stage: str = field(default="labelling", kw_only=True)
    total: int = field(init=False)
    unit: str = field(default="picture", kw_only=True)
    pictures: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", self.pictures)


@dataclass(frozen=True, slots=True)
class Waiting:
    """All that has come into the folders that are watched is labelled."""

    trouble: str | None = None
    """Why a folder cannot be looked at, such as a drive that is gone; it is tried again."""


@dataclass(frozen=True, slots=True)
class VideoStarted(Started):
    """A video is looked at from here on; one that was begun before goes on behind its last shot."""

    stage: str = field(default="labelling", kw_only=True)
    total: int = field(init=False)
    unit: str = field(default="second", kw_only=True)
    path: Path
    seconds: int
    """How much of it is looked at, as its header says; 0 where it does not say."""
    done: float
    """Up to which second of it records stand in the file already."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", self.seconds)


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
class LabelSummary:
    """What came of labelling or relabelling."""

    pictures: int
    """How many records of pictures were told."""
    videos: int
    """How many videos were done to their end."""
    failed: int
    """How many of the pictures and videos have an error."""
    not_written: int
    """How many other outputs of pictures are missing."""


@dataclass(frozen=True, slots=True)
class Identified:
    """A picture is answered."""

    record: Record
    """With an error where the file could not be read."""
    image: Image | None = None
    """The decoded picture, where it was asked for and could be read."""


@dataclass(frozen=True, slots=True)
class Described:
    """All faces of a picture are described."""

    path: Path
    width: int
    height: int
    faces: tuple[DescribedFace, ...]
    """Best score first."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Unknown faces of a picture, or of a video's shot, are set aside."""

    path: Path
    unknown: int
    """How many faces of nobody in the gallery."""
    time: float | None = None
    """Of a video: the shot's last frame, in seconds; None for a picture."""


Event: TypeAlias = (
    Started
    | Advanced
    | Refused
    | Noticed
    | PassedOver
    | LeftOut
    | Enrolled
    | Retired
    | Labelled
    | Arrived
    | Waiting
    | Identified
    | Described
    | Gathered
    | Finished[Result]
)
"""What any job may say."""

Job: TypeAlias = Generator[Event[Result], None, None]
"""Work under way, which ends in a Finished with a result of this type."""

Steps: TypeAlias = Generator[Advanced, None, Result]
"""A calculation, for `yield from`: it tells how far it is and returns its value."""

Stage: TypeAlias = Generator[Started | Advanced | Refused | PassedOver, None, Result]
"""A part of a job, for `yield from`: it tells its steps and returns what came of it."""

Choosing: TypeAlias = Generator[Started | Advanced | Refused | PassedOver | LeftOut, None, Result]
"""A stage that finds the faces a person means, and tells which are meant no more."""

EnrolEvent: TypeAlias = (
    EnrolmentStarted
    | Refused
    | Noticed
    | PassedOver
    | Enrolled
    | Retired
    | Finished[EnrolmentSummary]
)

LabelEvent: TypeAlias = (
    Started
    | Advanced
    | LabellingStarted
    | Refused
    | Noticed
    | PassedOver
    | VideoStarted
    | Labelled
    | Arrived
    | Waiting
    | Finished[LabelSummary]
)


def steps_of(event: Event[object]) -> int:
    """Return how many of its stage's total an event has done."""
    match event:
        case Advanced(count):
            return count
        case Labelled(record):
            # A video is counted by its seconds.
            return 0 if isinstance(record, VideoRecord) else 1
        case Gathered():
            return 1 if event.time is None else 0
        case Enrolled() | Identified() | Described():
            return 1
    return 0


def result_of(events: Iterable[Event[Result]]) -> Result:
    """Run a job to its end and return what came of it."""
    for event in events:
        if isinstance(event, Finished):
            return event.result
    raise RuntimeError("A job ended without a Finished.")


def value_of(steps: Generator[object, None, Result]) -> Result:
    """Run a stage to its end, whatever it tells, and return what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: Result = end.value
            return value
