"""What can go wrong, and what to do about it: a tree of errors that carry facts.

GalleryError            a fact and a cure
├── InputError          give something else: a picture, a name, a folder, an option
├── SetupError          install or fetch something
└── StoreError          the database does not fit, or cannot be written

There is a class for each thing that a program may want to react to. Its attributes say what is
known; `str()` makes a sentence of them that names no command: `cli.advice` adds what a user of the
command line does. Light to import.
"""

from __future__ import annotations

import copyreg
import string
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

Kind = TypeVar("Kind", bound="type[GalleryError]")

_PENDING: set[type] = set()
"""Classes that are no dataclasses yet."""

_COMPLETING = threading.RLock()


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def facts(kind: Kind) -> Kind:
    """Make a dataclass of an error, compared by identity, before the first error of it is made.

    There are many classes, and most runs meet none: making them all is a tenth of a cold start.
    """
    _PENDING.add(kind)
    return kind


def complete(kind: type[GalleryError]) -> None:
    """Make dataclasses of a class and those above it that are none yet."""
    with _COMPLETING:
        for one in reversed(kind.__mro__):
            if one in _PENDING:
                dataclass(eq=False)(one)
                _PENDING.discard(one)


def plural(count: int, noun: str) -> str:
    """Return a count with its noun, for a sentence: 1 picture, 2 pictures."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


class _Formatter(string.Formatter):
    """Writes out tuples: with commas, or with what stands behind the colon."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, tuple):
            return (format_spec or ", ").join(str(one) for one in value)
        return str(super().format_field(value, format_spec))


class GalleryError(Exception):
    """The root of the tree; its text is meant for a person as it stands.

    A class below it says what happened in FACT and what to do about it in CURE, both without a full
    stop. In them stand its attributes, as in `{self.path}`. An error of one of the three classes
    alone has nothing but a text.
    """

    FACT: ClassVar[str] = ""
    CURE: ClassVar[str] = ""
    JOINT: ClassVar[str] = "; "

    def __new__(cls, *arguments: object, **_: object) -> Self:
        """Make its class whole first, see facts."""
        if not _PENDING.isdisjoint(cls.__mro__):
            complete(cls)
        return super().__new__(cls, *arguments)

    @property
    def fact(self) -> str:
        """What happened, without a full stop; empty where nothing but a text is known."""
        return self.filled(self.FACT)

    @property
    def cure(self) -> str:
        """What to do about it, without a full stop; empty where nothing is known to help."""
        return self.filled(self.CURE)

    def filled(self, template: str) -> str:
        """Return a text with the attributes that are named in it: `{self.path}`."""
        return _Formatter().format(template, self=self)

    def sentence(self, cure: str) -> str:
        """Return the fact with another cure; where nothing but a text is known, that text."""
        fact = self.fact
        if not fact:
            return super().__str__()
        whole = f"{fact}{self.JOINT}{cure}" if cure else fact
        return whole if whole.endswith("?") else f"{whole}."

    def detached(self) -> Self:
        """Return a copy to keep: without traceback and cause, which hold on to whole pictures."""
        # The module copy asks what others registered; Dask does, and keeps the traceback.
        make, arguments, facts_of_it = self.__reduce__()
        kept: Self = make(*arguments)
        kept.__dict__.update(facts_of_it)
        return kept

    def __str__(self) -> str:
        return self.sentence(self.cure)

    def __reduce__(self) -> tuple[Any, ...]:
        # The usual way makes it of its positional arguments alone.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class InputError(GalleryError):
    """What was given cannot be used; give something else."""


class SetupError(GalleryError):
    """Something is missing or broken on this machine; install or fetch it."""


class StoreError(GalleryError):
    """The database is damaged, of another version, or cannot be written."""


# What is wrong with what was given.


@facts
class BadSetting(InputError):
    """A parameter has a value without a meaning, or one that does not go with the others."""

    FACT = "{self.reason}"
    CURE = "{self.remedy}"

    setting: str
    """The name of the parameter."""
    reason: str
    remedy: str = ""


@facts
class UnusableFile(InputError):
    """A file or a folder cannot be used; in a batch the rest goes on."""

    FACT = "{self.path} {self.reason}"
    CURE = "{self.remedy}"

    path: Path
    reason: str
    """What is the matter with it, to be read after the path."""
    remedy: str = field(default="", kw_only=True)

    @property
    def complaint(self) -> str:
        """What two files that fail in one way have in common: the reason and the cure."""
        return f"{self.reason}; {self.cure}" if self.cure else self.reason


class NothingFound(UnusableFile):
    """A path leads nowhere, or to nothing of what is looked for."""


class UnreadableFile(UnusableFile):
    """A file or a folder cannot be read, or holds something else than is looked for."""


class UnreadablePicture(UnreadableFile):
    """A file is no picture, is damaged, or unfolds to too many pixels."""


@facts
class WorkersEnded(UnreadablePicture):
    """Worker processes on other machines end whenever they look at a picture."""

    reason: str = field(init=False)
    times: int
    """How many ended, one after the other."""

    def __post_init__(self) -> None:
        """Say what happened."""
        self.reason = f"ended {self.times} workers that looked at it, and was set aside"


class UnreadableVideo(UnreadableFile):
    """A file is no video, or cannot be decoded."""


class UnreadableMetadata(UnreadableFile):
    """A sidecar, a caption, or the metadata inside a picture cannot be used."""


@facts
class BadArchive(UnreadableFile):
    """A file is no export of a gallery, or is damaged."""

    reason: str = field(init=False, default="is not a gallery's export, or is damaged")


@facts
class NoBackUp(UnreadableFile):
    """A file is no back-up of a gallery's database."""

    CURE = "name one, or import an export"

    reason: str = field(init=False, default="is no back-up of a gallery")


@facts
class NewerArchive(UnreadableFile):
    """A file was exported by a newer version of gallery."""

    CURE = "bring this one up to date from its repository and install it again"

    reason: str = field(init=False, default="was exported by a newer version of gallery")


class Unnameable(UnusableFile):
    """A picture lies in a folder, or has a mark, whose name no character can have."""

    @property
    def fact(self) -> str:
        """The path, with what would upset a terminal written out, and the reason."""
        return f"{str(self.path)!r} {self.reason}"


class UnwritableFile(UnusableFile):
    """A file or a folder cannot be written."""


class BadOutput(UnwritableFile):
    """An output file has a wrong suffix, or holds something that gallery would destroy."""


class BusyFile(UnwritableFile):
    """Another process is writing the file or into the folder."""


@facts
class LostFile(UnwritableFile):
    """A file that grows was deleted, or another was put in its place, while it was open."""

    reason: str = field(init=False, default="was deleted or replaced while it was in use")
    remedy: str = field(
        init=False, default="what was written into it meanwhile is lost, so run it again"
    )


@facts
class UnplacedPicture(UnwritableFile):
    """A picture cannot be linked to from a folder, as a file system without links refuses."""

    CURE = "copy the pictures instead"

    reason: str = field(init=False)
    placing: str
    """`hardlink` or `symlink`."""
    picture: Path
    why: str

    def __post_init__(self) -> None:
        self.reason = f"cannot be a {self.placing} to {self.picture} ({self.why})"


@facts
class NoFace(UnusableFile):
    """The detector sees no face in a picture."""

    CURE = "save a square around the head in another folder, and enroll that as cut out"

    reason: str = field(init=False, default="shows no face that the detector sees")


@facts
class NotCropped(UnusableFile):
    """A picture is given as a face that was cut out, and can be none."""

    CURE = "enroll it as a picture, in which a detector finds the face"


@facts
class NoFaceMarked(NoFace):
    """The detector sees no face where metadata marks one."""

    CURE = "mark the face itself, or cut it out"

    name: str
    box: tuple[float, float, float, float]
    """In pixels: left, top, right, bottom."""

    def __post_init__(self) -> None:
        place = ", ".join(str(round(edge)) for edge in self.box)
        self.reason = (
            f"shows no face that the detector sees where {self.name} is marked, at {place}"
        )


@facts
class NoFacePasses(NoFace):
    """All faces of a picture are smaller or poorer than was asked for, or no portraits."""

    CURE = "give a better picture, or ask for less"

    min_face: float
    """The shorter side of a head, in pixels, at least; 0 where it was not asked for."""
    min_quality: float
    """Its score, 0 to 1, at least; 0 where it was not asked for."""
    portrait: bool = False
    """Whether a face was wanted that is upright and seen from the front."""

    def __post_init__(self) -> None:
        asked = (("{:g} pixels", self.min_face), ("quality {:g}", self.min_quality))
        least = " and ".join(what.format(value) for what, value in asked if value > 0)
        what = "face that is upright and from the front" if self.portrait else "face"
        parts = (f"shows no {what}", f"of at least {least}" if least else "")
        self.reason = " ".join(part for part in parts if part)


@facts
class SeveralFaces(UnusableFile):
    """A picture shows several faces of which none dominates, and one is wanted."""

    CURE = "cut out the one that is meant, or take the largest"

    reason: str = field(init=False)
    faces: int

    def __post_init__(self) -> None:
        self.reason = f"shows {self.faces} faces"


@facts
class WhichFace(SeveralFaces):
    """A picture shows several faces, and a name does not tell which of them is meant."""

    CURE = "say which one by its number, counted as they are identified"

    character: str
    answered: int
    """How many of the faces are answered with the name."""

    def __post_init__(self) -> None:
        which = f"{self.answered} are" if self.answered else "none is"
        self.reason = f"shows {self.faces} faces, of which {which} answered with {self.character}"


@facts
class WhichOfFaces(SeveralFaces):
    """A picture, or a moment of a video, shows several faces, and one is wanted."""

    CURE = "say which one by its number, counted as they are identified"


@facts
class NoSuchFace(UnusableFile):
    """A picture shows fewer faces than the number of the one that is wanted."""

    CURE = "there is no face {self.number}"

    reason: str = field(init=False)
    faces: int
    number: int
    """From 1."""

    def __post_init__(self) -> None:
        self.reason = f"shows {plural(self.faces, 'face')}"


@facts
class NoFaceAt(UnusableFile):
    """A picture shows no face in a box that a person gave."""

    CURE = "give the box of the head, counted in pixels of the picture as it is shown"

    reason: str = field(init=False)
    box: tuple[float, float, float, float]
    """In pixels: left, top, right, bottom."""
    is_outside: bool = False
    """Whether the box lies outside the picture, where there is nothing to be seen."""

    def __post_init__(self) -> None:
        place = ",".join(f"{edge:g}" for edge in self.box)
        self.reason = (
            f"has nothing at {place}, which lies outside it"
            if self.is_outside
            else f"shows no face that the detector sees at {place}"
        )


@facts
class SamePicture(UnusableFile):
    """One picture lies in the folders of two characters."""

    CURE = "a picture belongs to one character, remove one of the two"

    reason: str = field(init=False)
    character: str
    """Who has it already."""
    twin: Path | None = None
    """Where it lies for that character."""

    def __post_init__(self) -> None:
        twin = f"the same picture as {self.twin}, " if self.twin else ""
        self.reason = f"is {twin}enrolled as {self.character}"


@facts
class LabelledOtherwise(UnusableFile):
    """A part of a video was labelled with other times, which the rest would not fit."""

    CURE = "give the same again, or name another output file"

    reason: str = field(
        init=False, default="was labelled in part with another start, end or time between looks"
    )


@facts
class BadName(InputError):
    """A text cannot name a character."""

    FACT = "{self.reason}"
    CURE = "{self.remedy}"

    name: str
    reason: str
    """The fact as a whole."""
    remedy: str = ""


@facts
class NameTaken(InputError):
    """A character cannot have a name, since another has it."""

    FACT = "{self.new} exists already"
    CURE = "merge the two to make them one"

    old: str
    new: str


@facts
class _NoSuchName(InputError):
    name: str
    near: tuple[str, ...] = ()
    """Names that are spelt alike, the nearest first."""

    @property
    def cure(self) -> str:
        """Which names are near."""
        return f"did you mean {' or '.join(self.near)}?" if self.near else ""


class NoSuchCharacter(_NoSuchName):
    """Nobody in the gallery has a name, and nobody had."""

    FACT = "No character is called {self.name}"


class NoSuchSeries(_NoSuchName):
    """No character belongs to a series of a name."""

    FACT = "No character belongs to a series {self.name}"


@facts
class NoSuchAlias(InputError):
    """A name is not one that a character goes by beside its own."""

    FACT = "{self.character} does not go by the name {self.name}"

    character: str
    name: str


@facts
class _NoSuchNumber(InputError):
    number: int


@facts
class NoSuchSample(_NoSuchNumber):
    """There is no sample of a number, or a character has no such sample."""

    character: str | None = None
    """Who was to have it; None where anybody was."""

    @property
    def fact(self) -> str:
        """Which one, and whose."""
        if self.character is None:
            return f"There is no sample {self.number}"
        return f"{self.character} has no sample {self.number}"


class NoSuchCluster(_NoSuchNumber):
    """There is no cluster of unknown faces of a number."""

    FACT = "There is no cluster {self.number} of unknown faces"


class OtherGroup(_NoSuchNumber):
    """Faces that were in a cluster, number 0 for none, are in another one by now."""

    FACT = "Somebody grouped faces otherwise meanwhile"
    CURE = "look at them again"


class NoSuchRejection(_NoSuchNumber):
    """There is no rejection of a number."""

    FACT = "There is no rejection {self.number}"


class NoSuchStep(_NoSuchNumber):
    """There is no step of decisions of a number."""

    FACT = "There is no step {self.number}"


@facts
class NoSuchVideo(InputError):
    """No video of a digest was labelled."""

    FACT = "There is no such video"

    digest: str


class NoSuchSeenFace(_NoSuchNumber):
    """No face of a number was seen, or it is seen no more."""

    FACT = "There is no seen face {self.number}"


@facts
class DecidedMeanwhile(InputError):
    """Somebody decided of faces since they were looked at."""

    FACT = "Somebody decided of {self.what} meanwhile"
    CURE = "look again"

    faces: tuple[int, ...]
    """Their numbers among seen faces."""

    @property
    def what(self) -> str:
        """How many they are."""
        return "a face" if len(self.faces) == 1 else f"{len(self.faces)} faces"


@facts
class HeadSeen(InputError):
    """A head is drawn where a face was seen already."""

    FACT = "A face was seen at this place already"
    CURE = "decide of that one, or draw beside it"

    face: int
    """The number of the face that was seen."""


class NotDrawn(_NoSuchNumber):
    """A head that is to be taken back was drawn by nobody, or is gone."""

    FACT = "No seen face {self.number} was drawn by a person"


class NothingToUndo(InputError):
    """Nothing is decided any more that could be undone."""

    FACT = "There is nothing left to undo"


@facts
class ReferencesUndone(InputError):
    """A step that took references out is to be undone."""

    FACT = "Step {self.step} took references out, which cannot be undone"
    CURE = "take them anew"

    step: int


@facts
class ChangedProposal(InputError):
    """What an audit proposes to change is not any more what it was when that was made."""

    FACT = "Samples of {self.name} were moved or forgotten meanwhile"
    CURE = "run the audit again"

    name: str


@facts
class NoNameToConfirm(InputError):
    """The gallery has no name for a face, and none was given."""

    FACT = "The gallery has no name for the face at {self.place} of {self.path} to be confirmed"
    CURE = "say whom it shows"

    path: Path
    box: tuple[float, float, float, float]
    """In pixels: left, top, right, bottom."""

    @property
    def place(self) -> str:
        """The box in whole pixels."""
        return ",".join(str(round(edge)) for edge in self.box)


@facts
class NothingConfirmed(InputError):
    """No seen face is confirmed as a character."""

    FACT = "No seen face is confirmed as {self.character}"
    CURE = "confirm some"

    character: str


@facts
class EnrolledFace(InputError):
    """A face cannot be said not to be a character, since it is enrolled as that one."""

    FACT = "This face is sample {self.sample} of {self.character}"
    CURE = "forget or move the sample first"

    sample: int
    character: str


class NotInCluster(_NoSuchNumber):
    """A face is to be taken of a cluster, or left out of it, that is not in it."""

    FACT = "Face {self.number} is not among these"


@facts
class NothingSeen(InputError):
    """Nothing was labelled at a path, or at all, that could be answered anew."""

    path: Path | None = None
    """None where nothing was labelled at all."""

    @property
    def fact(self) -> str:
        """Where nothing was seen."""
        if self.path is None:
            return "The gallery has seen nothing yet"
        return f"The gallery has seen nothing at {self.path}"

    @property
    def cure(self) -> str:
        """Label it."""
        if self.path is None:
            return "label pictures first, and let the gallery keep what it sees"
        return "label it first, or name it as it was named then"


@facts
class LookAlikes(InputError):
    """Two characters look like one: somebody may have enrolled one character twice."""

    CURE = "make one of them, or tell them apart by other pictures"

    one: str
    other: str
    more: int = 0
    """How many pairs more do."""

    @property
    def fact(self) -> str:
        """Who looks like whom."""
        more = f", and so do {self.more} pairs more" if self.more > 1 else ""
        more = ", and so does one pair more" if self.more == 1 else more
        return f"{self.one} and {self.other} look like one character{more}"


@facts
class RenamedFolder(InputError):
    """A character's folder has another name; it is followed as one, with all that belongs to it."""

    former: str
    name: str
    character: str
    """Whom the folder means, by the name that the character has now."""

    @property
    def fact(self) -> str:
        """What the folder was called, and what came of that."""
        if self.character == self.name:
            return f"{self.former} is called {self.name} now, since its folder is"
        return f"The folder {self.name} was {self.former} and means {self.character}, as it did"


@facts
class UnnamedFolders(InputError):
    """Folders of a harvest still have the names that it gave them: nobody said who is in them."""

    CURE = "give the folders the characters' names to have them taken in"

    folders: int
    pictures: int

    @property
    def fact(self) -> str:
        """How many there are."""
        pictures = f"{self.pictures} picture{'' if self.pictures == 1 else 's'}"
        folders = "a folder" if self.folders == 1 else f"{self.folders} folders"
        return f"{pictures} in {folders} still called unknown-NNN left out"


@facts
class FallenFigure(InputError):
    """Fewer of the gallery's own faces are surely named than before a change."""

    CURE = "look at what was changed, and take back what was wrong"

    before: float
    """The share that was surely and rightly named, 0 to 1."""
    now: float
    rejections: int
    """How many more there are since."""
    characters: int
    samples: int
    fpir_before: float
    """The share of strangers that might be surely named."""
    fpir: float

    @property
    def fact(self) -> str:
        """How far it fell, and what has changed meanwhile."""
        said = (
            f"{self.now:.0%} of the gallery's own faces are surely named, {self.before:.0%} before"
        )
        counted = (
            (self.rejections, "rejection"),
            (self.characters, "character"),
            (self.samples, "sample"),
        )
        changes = [
            f"{abs(count)} {what}{'' if abs(count) == 1 else 's'} {'more' if count > 0 else 'less'}"
            for count, what in counted
            if count
        ]
        if self.fpir != self.fpir_before:
            asked = f"{self.fpir:.2%} of strangers asked for instead of {self.fpir_before:.2%}"
            changes.append(asked)
        return f"{said} ({', '.join(changes)} since then)" if changes else said


@facts
class GoneFiles(InputError):
    """Files that were labelled are not there any more, and take no part in joint scoring."""

    CURE = "let them take part, or forget that they were seen"

    files: int

    @property
    def fact(self) -> str:
        """How many there are."""
        what = "file that is" if self.files == 1 else "files that are"
        return f"{self.files} {what} gone answered without joint scoring"


@facts
class Unencrypted(InputError):
    """A key and names go to another machine in a form that others on the way can read."""

    FACT = "The key and the names go to {self.host} unencrypted"
    CURE = "https keeps them from others on the way"

    host: str


@facts
class EmptyCharacter(InputError):
    """A character has no samples left, since its pictures lie in other folders now."""

    FACT = "{self.name} has no samples left"
    CURE = "make it one with whom its pictures went to, or forget it"

    name: str


class EmptyGallery(InputError):
    """Nobody is enrolled who could be asked about."""

    FACT = "Nobody is in the gallery yet"
    CURE = "enroll characters first"


@facts
class TooFewFaces(InputError):
    """The gallery holds too little to learn from."""

    FACT = "{self.reason}"
    CURE = "{self.remedy}"

    reason: str
    """The fact as a whole."""
    remedy: str


@facts
class NobodyKnown(InputError):
    """No folder of a set of pictures is named after a character of the gallery."""

    folders: tuple[str, ...]

    @property
    def fact(self) -> str:
        """The first folders."""
        more = ", ..." if len(self.folders) > 3 else ""
        return (
            "None of the folders is named after a character of the gallery "
            f"({', '.join(self.folders[:3])}{more})"
        )


class ClosedGallery(InputError):
    """The gallery was closed and is used again."""

    FACT = "The gallery is closed"
    CURE = "open it again"


@facts
class NoGallery(InputError):
    """There is no database where one is to be opened."""

    FACT = "There is no gallery at {self.path}"
    CURE = "enroll a folder to make one, or name another database"

    path: Path | str
    """A URL without its password for a database on a server."""


@facts
class CopyRefused(InputError):
    """A gallery cannot be copied to a place."""

    FACT = "{self.target} {self.reason}"
    CURE = "name an empty database, or a file that is not there yet"

    target: str
    reason: str


@facts
class NoSuchFormat(InputError):
    """There is no output format of a name."""

    FACT = "There is no output format {self.name}"
    CURE = "there are {self.known}"

    name: str
    known: tuple[str, ...]


# What is missing or broken on this machine.


@facts
class MissingPackage(SetupError):
    """An optional part of gallery is not installed."""

    FACT = "{self.what} want packages that are not installed"
    CURE = "pip install 'gallery[{self.extra}]'"
    JOINT = ": "

    what: str
    """What wants it, as the subject of a sentence."""
    extra: str
    """The extra of gallery that brings it."""


@facts
class NoScheduler(SetupError):
    """Nothing that is a scheduler answers at an address."""

    FACT = "No scheduler answers at {self.address}"
    CURE = "see that one runs there, and that it wants the same keys"

    address: str


@facts
class NoWorkers(SetupError):
    """A scheduler has no workers that can do what is wanted."""

    FACT = "The scheduler at {self.address} has no worker with {self.kind}{self.others}"
    CURE = "start one, with the same versions as here"

    address: str
    kind: str
    """The versions that are wanted."""
    known: tuple[str, ...] = ()
    """What its workers have instead."""

    @property
    def others(self) -> str:
        """What its workers have, as a part of the sentence."""
        return f", only with {' and with '.join(self.known)}" if self.known else ""


@facts
class AbsentPictures(SetupError):
    """Workers do not find pictures where they were told to read them, and get them sent."""

    FACT = "The workers do not find {self.place}, and pictures are sent to them instead"
    CURE = "mount the folder there to spare the network"

    place: str


@facts
class UnfitWorker(SetupError):
    """A worker on another machine cannot do what is wanted, or would do another thing."""

    FACT = "The worker at {self.address} {self.reason}"
    CURE = "install there what is here, or end it"

    address: str
    reason: str


@facts
class NoSuchNetwork(SetupError):
    """No manifest knows a network of a name."""

    FACT = "There is no network named {self.name!r}; known are {self.known}"

    name: str
    known: tuple[str, ...]


@facts
class MissingNetwork(SetupError):
    """A known network's file is not on this machine."""

    FACT = "The network {self.name!r} is not on this machine"
    JOINT = ": "

    name: str
    package: str | None = None
    """The Python package that brings it, where one does."""
    url: str | None = None
    """Where it can be fetched, where it can."""

    @property
    def cure(self) -> str:
        """How to get it."""
        if self.package is not None:
            return f"it comes with the Python package {self.package}; install that"
        return "fetch it" if self.url is not None else "add its file"


class UnfetchableNetwork(MissingNetwork):
    """A network has no address that it could be fetched from."""

    FACT = "The network {self.name!r} cannot be fetched"


@facts
class FetchFailed(SetupError):
    """An address does not give a network, or gives something else; nothing was kept."""

    FACT = "{self.reason}"
    CURE = "download it by hand and add its file, or try again later"

    name: str
    url: str
    reason: str
    """The fact as a whole."""


@facts
class ServiceFailed(SetupError):
    """A program that holds pictures does not answer, or not as its interface says."""

    FACT = "{self.program} at {self.address} {self.reason}"
    CURE = "{self.remedy}"

    program: str
    address: str
    """Where it was asked, without any key."""
    reason: str
    """What is the matter, to be read after the address."""
    remedy: str = ""


class ServiceRefused(ServiceFailed):
    """A program that holds pictures takes no key, or another one, or one with more rights."""


@facts
class DamagedNetwork(SetupError):
    """A network's file is not what it claims to be."""

    name: str
    path: Path
    source: MissingNetwork | None = None
    """How to get it anew, where it never was what it claims to be."""

    @property
    def fact(self) -> str:
        """Which file."""
        if self.source is not None:
            return f"The file {self.path} is not the network {self.name!r}"
        return (
            f"The file {self.path} is damaged or was changed: it is not the network "
            f"{self.name!r} any more"
        )

    @property
    def cure(self) -> str:
        """Get it anew."""
        if self.source is not None:
            return f"delete it, and {self.source.cure}"
        return "delete it, then fetch, install or add it again"


@facts
class WrongRuntime(SetupError):
    """A runtime cannot run a network's kind of file."""

    FACT = "The network {self.name!r} is an ONNX file, which {self.runtime} cannot run"
    CURE = "choose the runtime onnx, or a network that is a .dat file, such as anime"

    name: str
    runtime: str


@facts
class _NoSuchPart(SetupError):
    name: str
    known: tuple[str, ...]


class NoSuchDetector(_NoSuchPart):
    """There is no detector of a name."""

    FACT = "There is no detector {self.name}"
    CURE = "choose {self.known} or the path of an ONNX file"


class NoSuchRuntime(_NoSuchPart):
    """There is no runtime of a name."""

    FACT = "There is no runtime {self.name}"
    CURE = "choose {self.known: or }"


@facts
class NoSuchDevice(_NoSuchPart):
    """ONNX Runtime offers no device of a name here."""

    FACT = "There is no device {self.name} here"
    CURE = "choose {self.known: or }"


@facts
class UnusableDevice(SetupError):
    """A device that is here cannot run a network, or describes faces in another way."""

    FACT = "The device {self.device} {self.reason}"
    CURE = "let the processor do it"

    device: str
    reason: str
    """What is the matter with it, to be read after its name."""


@facts
class DamagedDetector(SetupError):
    """A detector's own network is missing, or is not what it should be."""

    FACT = "{self.reason}"
    CURE = "install gallery again, or choose another detector"

    path: Path
    reason: str
    """The fact as a whole."""


@facts
class UnusableDetector(SetupError):
    """A file that was given as a detector is none that gallery can use."""

    FACT = "The detector file {self.path} {self.reason}"
    CURE = "{self.remedy}"

    path: Path
    reason: str
    """What is the matter with it, to be read after the path."""
    remedy: str = ""


@facts
class BadManifest(SetupError):
    """A manifest of networks cannot be read, written or understood."""

    FACT = "The manifest {self.path} {self.reason}"
    CURE = "{self.remedy}"

    path: Path
    reason: str
    """What is the matter with it, to be read after the path."""
    remedy: str = ""


@facts
class PluginFailed(SetupError):
    """A detector or an output format of another package fails, or is none."""

    FACT = "The {self.kind} {self.name} of the package {self.package} {self.reason}"
    CURE = "{self.remedy}"

    kind: str
    """`detector` or `output format`."""
    name: str
    package: str
    reason: str
    """What is the matter, to be read after the package."""
    remedy: str = "update that package or uninstall it"


# What is wrong with the database.


@facts
class NotAGallery(StoreError):
    """A file is something else than a gallery's database."""

    FACT = "{self.path} {self.reason}"
    CURE = "{self.remedy}"

    path: Path | str
    """A URL without its password for a database on a server."""
    reason: str = "is not a gallery database"
    """What it is, to be read after the path."""
    remedy: str = "name another database"


@facts
class NetworkPlace(StoreError):
    """A database's file lies where SQLite cannot keep machines from spoiling it."""

    FACT = "The database {self.path} lies on a network file system ({self.kind}), which is not safe"
    CURE = (
        "move it to a disk of this machine or to a PostgreSQL server, or say that one process "
        "alone uses it"
    )

    path: Path
    kind: str
    """As the system calls it, such as nfs4."""


@facts
class UnfinishedCopy(StoreError):
    """A database is a copy of a gallery that is under way, or was left before its end."""

    FACT = "The database {self.path} is a copy that is not finished"
    CURE = "copy the gallery once more, which goes on where it was"

    path: Path | str | None


@facts
class NewerGallery(StoreError):
    """The database was made by a newer version of gallery."""

    FACT = "The database {self.path} was made by a newer version of gallery"
    CURE = "bring this one up to date from its repository and install it again"

    path: Path | str | None


@facts
class DatabaseFailed(StoreError):
    """The database answers with an error; its commonest errors have classes of their own."""

    FACT = "The database {self.path} {self.reason}"
    CURE = "{self.remedy}"

    path: Path | str | None
    """None for one in memory, a URL without its password for one on a server."""
    reason: str
    """What happened, to be read after the path."""
    remedy: str = ""


@facts
class FullDisk(DatabaseFailed):
    """There is no room for what is to be written."""

    FACT = "The disk or the database {self.path} is full"

    reason: str = field(init=False, default="is full, or its disk is")
    remedy: str = field(init=False, default="make room and run it again")


@facts
class BusyDatabase(DatabaseFailed):
    """Another process writes the database and does not come to an end."""

    reason: str = field(init=False, default="is in use by another process")
    remedy: str = field(init=False, default="run it again when that is done")


@facts
class LostDatabase(DatabaseFailed):
    """The database's file was deleted, or another was put in its place, while it was open."""

    reason: str = field(init=False, default="was deleted or replaced while it was in use")
    remedy: str = field(
        init=False, default="what was noted in it meanwhile is lost, so run it again"
    )


@facts
class ReadOnlyDatabase(DatabaseFailed):
    """The database cannot be written."""

    reason: str = "or its folder cannot be written"
    remedy: str = "check their permissions"


@facts
class UnreadableDatabase(DatabaseFailed):
    """The database's file cannot be opened or read."""

    reason: str = "cannot be opened"
    remedy: str = "check its folder's permissions"


@facts
class DamagedDatabase(DatabaseFailed):
    """The database's file, or something in it, is damaged."""

    reason: str = "is damaged"
    remedy: str = "put a back-up in its place"


@facts
class DamagedBackUp(DamagedDatabase):
    """A back-up that is to be put in the database's place is damaged itself."""

    FACT = "The back-up {self.path} {self.reason}"

    remedy: str = "choose an earlier one"


@facts
class BrokenRows(DamagedDatabase):
    """The database could not be brought up to date, since rows in it point nowhere."""

    reason: str = "holds rows that point nowhere and stays as it was"


@facts
class NoServer(DatabaseFailed):
    """The server of a database does not answer."""

    reason: str
    remedy: str = "see that its server runs and takes connections from here"


@facts
class NoSuchDatabase(DatabaseFailed):
    """A server has no database of a name."""

    reason: str = field(init=False, default="is not on its server")
    remedy: str = field(init=False, default="make it with createdb, or name another")


@facts
class LoginRefused(DatabaseFailed):
    """A server does not let a user in."""

    reason: str = field(init=False, default="does not let this user in")
    remedy: str = field(
        init=False,
        default="check user and password, which PGPASSWORD or the file .pgpass can hold",
    )


@facts
class NoRights(DatabaseFailed):
    """A user may not do on a server what is to be done."""

    reason: str = "does not give this user the rights for that"
    remedy: str = "ask its owner for them"


@facts
class LostServer(DatabaseFailed):
    """The server of a database went away while it was in use."""

    reason: str = field(init=False, default="went away in the middle")
    remedy: str = field(
        init=False,
        default="what was not told as done may not be stored, so run it again when it is back",
    )


@facts
class AwaitedServer(DatabaseFailed):
    """The server of a database went away, and a job waits until it is back."""

    reason: str = field(init=False, default="went away")
    remedy: str = field(init=False, default="the job waits until its server is back")


@facts
class NoPlace(StoreError):
    """The folder of a new database cannot be made."""

    FACT = "The folder {self.path} cannot be made: {self.reason}"
    CURE = "name another place"

    path: Path
    reason: str


class DamagedCrop(StoreError):
    """A stored crop is no picture any more."""

    FACT = "A stored crop is damaged"
    CURE = "put a back-up of the database in its place"


class DamagedPlace(StoreError):
    """The stored place of a face makes no sense any more."""

    FACT = "The stored place of a face is damaged"
    CURE = "put a back-up of the database in its place"


class DamagedDescriptor(StoreError):
    """A stored descriptor is no descriptor any more."""

    FACT = "A stored descriptor is damaged"
    CURE = "encode all samples again"


@facts
class StaleCalibration(StoreError):
    """The gallery's calibration is damaged, or of another version of gallery."""

    FACT = "The gallery's calibration {self.reason}"
    CURE = "calibrate the gallery again"

    reason: str
    """What is the matter, to be read after `The gallery's calibration`."""


@facts
class OutgrownCalibration(StaleCalibration):
    """The gallery was calibrated with other characters than it has; it still answers."""

    FACT = (
        "The gallery was calibrated with {self.calibrated} characters and has {self.characters} now"
    )

    reason: str = field(init=False, default="is outgrown")
    calibrated: int
    """How many characters there were."""
    characters: int
    """How many there are."""


@facts
class NotEncoded(StoreError):
    """The encoder in use has not encoded all samples, and would answer from a part of them."""

    CURE = "encode them anew, or choose the encoder they were enrolled with"

    total: int
    """How many samples there are."""
    encoded: int
    """How many of them it has encoded."""
    encoder: str
    """Its id."""

    @property
    def fact(self) -> str:
        """How many samples, and which encoder."""
        return (
            f"{self.total - self.encoded} of {self.total} samples are not encoded by {self.encoder}"
        )
