"""The nouns, in the order in which a picture meets them.

picture file -> Image -> Face -> Crop -> Descriptor -> Sample in the gallery,
and for a question: Descriptor -> Match -> Verdict -> Answer -> Record.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gallery.errors import GalleryError

if TYPE_CHECKING:
    # The command line imports this module at its start, where NumPy's quarter second shows.
    import numpy as np
    from numpy.typing import NDArray

Pixels: TypeAlias = "NDArray[np.uint8]"
"""RGB, shape (height, width, 3), 0 to 255."""

Crop: TypeAlias = "NDArray[np.uint8]"
"""An aligned face: RGB, shape (CROP_SIDE, CROP_SIDE, 3), eyes level, hair and chin inside."""

Descriptor: TypeAlias = "NDArray[np.float32]"
"""Shape (width_of(encoder),). Two faces are compared by Euclidean distance; small is near."""

CROP_SIDE = 150
DIMENSION = 128
"""Numbers of a descriptor, where the encoder's id says nothing else."""

WIDTH = re.compile(r"@([1-9][0-9]{0,3})")


def width_of(encoder: str) -> int:
    """Return how many numbers an encoder's descriptors have.

    Its id ends in @ and the width where that is not DIMENSION, so that whoever reads a descriptor
    knows what is whole.
    """
    _, mark, width = encoder.rpartition("@")
    return int(width) if WIDTH.fullmatch(mark + width) else DIMENSION


class Point(NamedTuple):
    """A place in a picture, in pixels from its top left corner."""

    x: float
    y: float


class Box(NamedTuple):
    """An upright rectangle in a picture, in pixels; it may reach beyond the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """How wide it is, in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """How high it is, in pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Its area in square pixels."""
        return self.width * self.height

    @property
    def centre(self) -> Point:
        """Its middle."""
        return Point((self.left + self.right) / 2, (self.top + self.bottom) / 2)

    def shared(self, other: Box) -> float:
        """Return the area that it has in common with another, in square pixels."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(across, 0.0) * max(down, 0.0)

    def overlap(self, other: Box) -> float:
        """Return its intersection with another over their union, 0 to 1."""
        common = self.shared(other)
        return common / (self.area + other.area - common) if common else 0.0

    def within(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return the part of it inside a picture, in whole pixels: left, top, right, bottom."""
        return (
            min(max(round(self.left), 0), width),
            min(max(round(self.top), 0), height),
            min(max(round(self.right), 0), width),
            min(max(round(self.bottom), 0), height),
        )


class Content(NamedTuple):
    """What a picture file shows, whatever else is written into it: ratings, keywords, regions."""

    pixels: str
    """SHA-256 of its pixels as they are stored, before any turning: what the picture is."""
    orientation: int = 1
    """How they are turned before anybody looks at them, as EXIF counts it, 1 to 8."""


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A decoded picture: upright, RGB, without transparency."""

    pixels: Pixels
    digest: str
    """SHA-256 of the file's bytes, in hexadecimal; it changes with all that is written into it."""
    path: Path
    content: Content | None = None
    """What it shows; None for a picture that no file holds."""

    @property
    def key(self) -> str:
        """What the picture is known by: its pixels' digest, else its file's."""
        return self.digest if self.content is None else self.content.pixels

    @property
    def width(self) -> int:
        """Its width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Its height in pixels."""
        return int(self.pixels.shape[0])


class Landmarks(NamedTuple):
    """Centres of the parts of a face; left and right are the beholder's."""

    left_eye: Point
    right_eye: Point
    nose: Point | None = None
    mouth: Point | None = None
    chin: Point | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """A face as a detector sees it."""

    box: Box
    """The head: hair and chin are inside, whatever the detector's own box holds."""
    score: float
    """How sure the detector is, 0 to 1."""
    landmarks: Landmarks | None = None


SIZE_ENOUGH = 32.0
"""Heads of this many pixels and more lose nothing of their score by their size alone: what small
ones lack in detail, their sharpness says already."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face can be seen; quality.measure makes it."""

    size: float
    """The shorter side of the head's box, in pixels of the picture."""
    sharpness: float
    """0 to 1: one over the blur's radius in pixels of the aligned crop, at most 1."""
    roll: float | None
    """How far the eyes are from level, in degrees, clockwise above 0; None where they are unknown.
    """
    frontal: float | None
    """1 where the eyes stand evenly in the head's box, 0 where one touches its edge; None where
    they are unknown."""
    cut: float | None
    """The share of the head's box outside the picture, 0 to 1; None where the picture's size is
    unknown."""

    @property
    def score(self) -> float:
        """All of it in one number, 0 to 1.

        The product of sharpness, size / SIZE_ENOUGH (at most 1), 1 - |roll| / 180,
        (1 + frontal) / 2 and 1 - cut; what is unknown takes nothing away. It never falls when a
        part gets better.
        """
        parts = (
            self.sharpness,
            min(self.size / SIZE_ENOUGH, 1.0),
            1.0 - abs(self.roll or 0.0) / 180.0,
            1.0 if self.frontal is None else (1.0 + self.frontal) / 2.0,
            1.0 - (self.cut or 0.0),
        )
        return math.prod(parts)


@dataclass(frozen=True, slots=True, eq=False)
class DescribedFace:
    """A face with its aligned crop, its descriptor and how well it can be seen."""

    face: Face
    crop: Crop
    descriptor: Descriptor
    quality: Quality


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that is to be enrolled, and the character whose folder it lies in."""

    path: Path
    character: str


@dataclass(frozen=True, slots=True)
class Character:
    """A name in the gallery."""

    id: int
    name: str
    is_reject: bool
    """True for what is to be recognised in order to be turned away, as folders named Noise are."""
    samples: int
    poor: int = 0
    """How many of them are marked as poor."""
    series: str = ""
    """The series that it belongs to; empty where that is not known."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One enrolled face of a character."""

    id: int
    character: str
    digest: str
    path: Path
    enrolled_as: str
    """The folder it was found in; differs from character after a move or a new name."""
    detector: str
    face: Face
    is_best: bool
    """True for the sample nearest to its character's ideal."""
    distance: float | None
    """From its character's ideal; None before it is encoded by the encoder in use."""
    quality: Quality | None
    """None for a sample of a time when it was not measured."""
    is_poor: bool
    """True for one that ideal and best leave out while its character has others."""


class MatchMode(StrEnum):
    """What of a character a new face is compared with."""

    IDEAL = "ideal"
    """The mean of its descriptors."""
    BEST = "best"
    """Its own descriptor nearest to that mean."""
    NEAREST = "nearest"
    """Whichever of its descriptors is nearest to the face."""
    VOTE = "vote"
    """The nearest descriptors of all characters vote, near ones with more weight."""


@dataclass(frozen=True, slots=True)
class Match:
    """A character that a face may be."""

    character: str
    distance: float
    is_reject: bool = False


class Verdict(StrEnum):
    """How an answer is to be taken. Ordered: SURE > UNSURE > UNKNOWN."""

    SURE = "sure"
    UNSURE = "unsure"
    UNKNOWN = "unknown"

    @property
    def _rank(self) -> int:
        return (Verdict.UNKNOWN, Verdict.UNSURE, Verdict.SURE).index(self)

    def __lt__(self, other: str) -> bool:
        return self._rank < Verdict(other)._rank

    def __le__(self, other: str) -> bool:
        return self._rank <= Verdict(other)._rank

    def __gt__(self, other: str) -> bool:
        return self._rank > Verdict(other)._rank

    def __ge__(self, other: str) -> bool:
        return self._rank >= Verdict(other)._rank


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the verdicts divide, in Euclidean distance of one encoder."""

    sure: float
    """At most this far away to be sure."""
    unknown: float
    """Farther away than this is nobody in the gallery."""
    margin: float
    """At least this much nearer than the second character to be sure."""


class Decided(StrEnum):
    """What a person decided of a face."""

    UNDECIDED = "undecided"
    CONFIRMED = "confirmed"
    """It shows a character; the gallery answers so from then on, and is sure."""
    NOT_THIS = "not_this"
    """It does not show one character or several; nobody says more."""
    IGNORED = "ignored"
    """It is a face, and nobody wants to know whose."""
    NO_FACE = "no_face"
    """The detector erred."""

    @property
    def words(self) -> str:
        """It in words for people."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class FaceState:
    """All that was decided of one face."""

    decided: Decided = Decided.UNDECIDED
    character: str | None = None
    """Whom a confirmed face shows; None for others."""
    not_these: tuple[str, ...] = ()
    """Whom it does not show, by name, sorted; also of faces that are confirmed or ignored."""

    @property
    def is_set_aside(self) -> bool:
        """Whether it is in no cluster and named by nobody."""
        return self.decided in (Decided.IGNORED, Decided.NO_FACE)

    def confirmed(self, name: str) -> FaceState:
        """Return what it becomes where a person says whom it shows."""
        others = tuple(one for one in self.not_these if one != name)
        return FaceState(Decided.CONFIRMED, name, others)

    def rejected(self, name: str) -> FaceState:
        """Return what it becomes where a person says whom it does not show."""
        names = tuple(sorted({*self.not_these, name}))
        if self.decided in (Decided.UNDECIDED, Decided.NOT_THIS) or self.character == name:
            return FaceState(Decided.NOT_THIS, None, names)
        return FaceState(self.decided, self.character, names)

    def set_aside(self, why: Decided) -> FaceState:
        """Return what it becomes where a person ignores it, or says that it is no face."""
        return FaceState(why, None, self.not_these)

    def without(self, name: str) -> FaceState:
        """Return what it becomes where it is not said any more that it does not show somebody."""
        left = tuple(one for one in self.not_these if one != name)
        if self.decided is Decided.NOT_THIS and not left:
            return UNDECIDED
        return FaceState(self.decided, self.character, left)


UNDECIDED = FaceState()
"""What every face is at first."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a face was seen, but for its box: what it is known by for good."""

    digest: str
    """SHA-256 of the picture's or the video's file."""
    track: VideoTrack | None = None
    """The track of the video that it is; None for a face in a picture."""
    pixels: str | None = None
    """What the picture's file shows, see Content, where that is known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Who a face is."""

    face: Face
    verdict: Verdict
    character: str | None
    """None when unknown."""
    distance: float | None
    """From the nearest character; None where the gallery is empty."""
    matches: tuple[Match, ...]
    """The nearest characters, nearest first; the one that is answered comes first where a nearer
    one is another face of the picture."""
    quality: Quality | None = None
    probability: float | None = None
    """That the first character is right, where half of all faces are strangers'; None before
    calibration."""
    stranger: float | None = None
    """The probability that the face is nobody's of the gallery; None before calibration."""
    decided: Decided | None = None
    """What a person decided, where the answer is a person's: CONFIRMED, IGNORED or NO_FACE; None
    where it is the gallery's."""

    @property
    def is_set_aside(self) -> bool:
        """Whether a person wants nobody to name the face: it is ignored, or no face."""
        return self.decided in (Decided.IGNORED, Decided.NO_FACE)


@dataclass(frozen=True, slots=True)
class Record:
    """Everything said about one picture file."""

    path: Path
    width: int | None
    height: int | None
    encoder: str
    faces: tuple[Answer, ...] = field(default=())
    error: str | None = None
    """Why the file could not be read; None when it could."""
    left_out: int = 0
    """How many faces more the detector saw, which are smaller or poorer than was asked for."""
    digest: str | None = None
    """SHA-256 of the file's bytes, in hexadecimal; None where it was not read, and for videos."""
    failure: GalleryError | None = field(default=None, compare=False)
    """What the error is made of; None where the record was read from a file or the database."""


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """One face that is followed through one shot of a video. Times are seconds of the video."""

    shot: int
    """From 1."""
    track: int
    """From 1 in every shot, in the order in which faces appear."""
    start: float
    """It was seen first."""
    end: float
    """It was seen last."""
    best: float
    """It was to be seen best; box and quality are of this moment."""
    looks: int
    """In how many looked-at frames it was found."""


@dataclass(frozen=True, slots=True)
class VideoShot:
    """A shot that is labelled in full. Times are seconds of the video."""

    shot: int
    """From 1."""
    start: float
    """Its first frame."""
    end: float
    """Its last frame."""
    tracks: int
    looks: int
    """How many of its frames went to the detector."""


@dataclass(frozen=True, slots=True)
class VideoEnd:
    """A video that is labelled to its end."""

    shots: int
    tracks: int
    end: float
    """Its last frame, in seconds of the video."""


@dataclass(frozen=True, slots=True)
class VideoRecord(Record):
    """What is said about a part of a video file; its only face is its track's."""

    part: VideoTrack | VideoShot | VideoEnd = VideoEnd(0, 0, 0.0)
    asked: tuple[float, float | None, float] = (0.0, None, 0.0)
    """From when to when the video is looked at, and every how many seconds."""


class Source(StrEnum):
    """Where the names of pictures come from."""

    FOLDERS = "folders"
    """The folder of folders that pictures lie in: one folder per character."""
    XMP = "xmp"
    """Named face regions in sidecars and in the pictures' own metadata."""
    CAPTIONS = "captions"
    """Tags in text files beside the pictures."""


class Outcome(StrEnum):
    """What became of one file at enrolment."""

    ADDED = "added"
    UNCHANGED = "unchanged"
    """The same picture in the same place, whatever else was written into its file."""
    MOVED = "moved"
    """The same picture at a new path; its label stays."""
    RELABELLED = "relabelled"
    """The same picture, moved to another character's folder; its label follows."""
    KEPT = "kept"
    """The same picture; its face was marked as poor and counts from now on."""
    DUPLICATE = "duplicate"
    """A second copy of a picture that this character already has."""
    FORGOTTEN = "forgotten"
    """Its face was a sample that a person forgot; it is passed over until it is asked for."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What became of one file at enrolment, and why."""

    candidate: Candidate
    outcome: Outcome
    reason: str = ""
    is_poor: bool = False
    """True where its face was added with the mark of a poor one."""
    error: GalleryError | None = field(default=None, compare=False)
    """What the reason of a refusal is made of."""
    stays_with: str | None = None
    """Whose the sample stays although its file lies in the folder of somebody else now: a person
    had moved it by hand."""

    @classmethod
    def refused(cls, candidate: Candidate, error: GalleryError) -> Enrolled:
        """Return what is to be said of a file that cannot be enrolled."""
        return cls(candidate, Outcome.REFUSED, str(error), error=error)


@dataclass(frozen=True, slots=True)
class Retired:
    """A sample that went at enrolment, since its file holds another picture now."""

    sample_id: int
    character: str
    path: Path
