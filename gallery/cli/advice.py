"""What a user of the command line does about an error: the one table of options and commands.

The errors say what happened and what to do in words of their own; where an option or a command
does it, the table has it instead. Light to import.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from gallery.errors import (
    BadArchive,
    BadSetting,
    BrokenRows,
    DamagedBackUp,
    DamagedCrop,
    DamagedDatabase,
    DamagedDescriptor,
    DamagedDetector,
    DamagedNetwork,
    DamagedPlace,
    EmptyCharacter,
    EmptyGallery,
    EnrolledFace,
    FallenFigure,
    FetchFailed,
    GalleryError,
    GoneFiles,
    LabelledOtherwise,
    LookAlikes,
    MissingNetwork,
    MissingPackage,
    NameTaken,
    NetworkPlace,
    NoBackUp,
    NobodyKnown,
    NoFace,
    NoFaceAt,
    NoFaceMarked,
    NoFacePasses,
    NoGallery,
    NoNameToConfirm,
    NoPlace,
    NoScheduler,
    NoSuchAlias,
    NoSuchCharacter,
    NoSuchCluster,
    NoSuchDatabase,
    NoSuchNetwork,
    NoSuchRejection,
    NoSuchSample,
    NoSuchSeenFace,
    NoSuchSeries,
    NoSuchStep,
    NoSuchVideo,
    NotAGallery,
    NotCropped,
    NotEncoded,
    NothingConfirmed,
    NothingSeen,
    NothingToUndo,
    NotInCluster,
    NoWorkers,
    ReferencesUndone,
    SeveralFaces,
    StaleCalibration,
    UnfinishedCopy,
    UnplacedPicture,
    WhichFace,
    WhichOfFaces,
    WrongRuntime,
)
from gallery.events import Refused
from gallery.types import Enrolled

SETTINGS: dict[str, str] = {
    "certificate": "give --certificate FILE and --key FILE, or leave --host out",
    "folder": "only --from takes several",
    "keys": "make keys with `gallery cluster-keys FOLDER`, and give --keys FOLDER on each machine",
    "names": "give --names FILE, or --tag-prefix character: where tags say it themselves",
    "original": "give --original FILE, the file as gallery wrote it, or --all",
    "placing": "leave --place out, or label the videos apart",
    "new": "`gallery move` gives samples to it",
    "replacing": "choose another name, or give --replace",
    "sample_ids": "`gallery rename` gives another name",
    "since": "give --since 2026-11-01, 36h, 7d or 2w",
    "source": "--names and --tag-prefix are for --from captions",
    "watch": "--watch waits for pictures in folders",
}
"""The cure of a BadSetting, by the setting."""


def _of_setting(error: BadSetting) -> str:
    return SETTINGS.get(error.setting, error.cure)


def _of_damaged_network(error: DamagedNetwork) -> str:
    return error.cure if error.source is None else f"delete it, and {_of_network(error.source)}"


def _of_network(error: MissingNetwork) -> str:
    if error.package is not None:
        return error.cure
    if error.url is not None:
        return f"run `gallery models fetch {error.name}`"
    return f"add its file with `gallery models add FILE --name {error.name}`"


def _of_name(error: NameTaken) -> str:
    return f"`{shlex.join(['gallery', 'merge', error.old, error.new])}` makes them one"


def _of_gates(error: NoFacePasses) -> str:
    asked = (("--min-face", error.min_face), ("--min-quality", error.min_quality))
    least = " ".join(f"{option} {value:g}" for option, value in asked if value > 0)
    if error.portrait:
        return "give another picture, or leave out " + " ".join(("--portrait", least)).strip()
    return f"give a better picture, or ask for less than {least}"


def _of_box(error: NoFaceAt) -> str:
    where = "`gallery identify` prints where it sees faces"
    return where if error.is_outside else f"{where}, and `gallery name --use` takes what is there"


def _of_fall(error: FallenFigure) -> str:
    if error.rejections > 0:
        return "`gallery reject --list` shows what was rejected, `gallery undo` takes it back"
    if error.fpir < error.fpir_before and not error.samples:
        return "a larger --fpir is sure of more"
    return "`gallery audit` shows which samples and characters may be wrong"


def _of_empty(error: EmptyCharacter) -> str:
    name = shlex.quote(error.name)
    return f"`gallery merge {name} NAME` makes it one with another, `gallery forget {name}` none"


def _of_sample(error: NoSuchSample) -> str:
    if error.character is None:
        return "`gallery show NAME` lists their numbers"
    return "`gallery show` lists them"


def _of_character(error: NoSuchCharacter) -> str:
    return error.cure or "`gallery characters` lists them"


def _of_series(error: NoSuchSeries) -> str:
    return error.cure or "`gallery series` lists them, and says who belongs to one"


def _of_nothing_seen(error: NothingSeen) -> str:
    if error.path is None:
        return "run `gallery label` first, without --no-keep"
    return "run `gallery label` on it first, or name it as it was named then"


def _of_database(error: NotAGallery) -> str:
    is_usual = error.remedy == NotAGallery.remedy
    return "name another with --database" if is_usual else error.remedy


RESTORE = "`gallery restore FILE` puts a back-up in its place"

ADVICE: dict[type[GalleryError], str | Callable[[Any], str]] = {
    BadArchive: "`gallery export` writes one",
    BadSetting: _of_setting,
    BrokenRows: "run `gallery doctor`",
    DamagedBackUp: "{self.cure}",
    DamagedCrop: RESTORE,
    DamagedDatabase: RESTORE,
    DamagedDescriptor: "run `gallery reencode --all`",
    DamagedNetwork: _of_damaged_network,
    DamagedPlace: RESTORE,
    DamagedDetector: "install gallery again, or choose `--detector animeface`",
    EmptyCharacter: _of_empty,
    EmptyGallery: "`gallery enroll FOLDER` fills it",
    EnrolledFace: "`gallery forget --sample {self.sample}` or `gallery move` comes first",
    FallenFigure: _of_fall,
    FetchFailed: "download it by hand and run `gallery models add FILE --name {self.name}`, "
    "or try again later",
    GoneFiles: "--gone lets them take part, `gallery forget --seen --gone` forgets them",
    LookAlikes: "`gallery audit` says how to make one of them",
    LabelledOtherwise: "give the same --from, --to and --every again, or name another output file",
    MissingNetwork: _of_network,
    MissingPackage: "pip install 'anime-gallery[{self.extra}]'",
    NameTaken: _of_name,
    NoBackUp: "`gallery backup` writes one, and `gallery import` takes an export",
    NoFace: "save a square around the head in another folder, then `gallery enroll THAT --cropped`",
    NoFaceAt: _of_box,
    NoFaceMarked: NoFaceMarked.CURE,
    NoFacePasses: _of_gates,
    NoGallery: "make one with `gallery enroll FOLDER`, or name another with --database",
    NetworkPlace: "move it to a disk of this machine, `gallery copy` it to a PostgreSQL server, or "
    "give --exclusive where one process alone uses it",
    NoScheduler: "see that `gallery scheduler` runs there, and give the --keys that it has",
    NoPlace: "name another place with --database",
    NobodyKnown: "`gallery characters` lists its names",
    NoSuchAlias: "`gallery alias {self.character}` lists its names",
    NoSuchCharacter: _of_character,
    NoSuchCluster: "`gallery cluster` lists them",
    NoWorkers: "start one with `gallery worker`, with the same versions as here",
    NoSuchNetwork: "a file becomes one with `gallery models add FILE --name NAME`",
    NoSuchDatabase: "make it with createdb, or name another with --database",
    UnfinishedCopy: "`gallery copy` goes on with it",
    NoNameToConfirm: "say whom it shows with --as NAME",
    NothingConfirmed: "`gallery confirm` and `gallery review` do that",
    NoSuchSeenFace: "`gallery decisions --all` lists those that are seen",
    NoSuchVideo: "`gallery seen` lists what `label` saw",
    NoSuchStep: "`gallery decisions --steps` lists them",
    NoSuchRejection: "`gallery reject --list` shows their numbers",
    NoSuchSample: _of_sample,
    NoSuchSeries: _of_series,
    NotAGallery: _of_database,
    NothingSeen: _of_nothing_seen,
    NothingToUndo: "`gallery decisions --steps` lists what was decided",
    NotInCluster: "`gallery cluster` lists their numbers",
    NotCropped: "enroll it without --cropped, in another folder than what is cut out",
    NotEncoded: "run `gallery reencode`, or choose the encoder they were enrolled with",
    ReferencesUndone: "`gallery references NAME` takes them anew",
    SeveralFaces: "cut out the one that is meant, or give --largest",
    StaleCalibration: "run `gallery calibrate`",
    UnplacedPicture: "choose --place copy",
    WhichOfFaces: "say which one with --face, counted as `gallery identify` prints them",
    WhichFace: "say which one with --face, counted as `gallery identify` prints them",
    WrongRuntime: "leave out `--runtime dlib`, or take a network that is a .dat file: "
    "`--encoder anime`",
}
"""The cure for a class of errors, and for those below it that have none of their own."""


def why(event: Enrolled | Refused) -> str:
    """Return what to say on the command line of what is refused."""
    return event.reason if event.error is None else told(event.error)


def told(error: GalleryError) -> str:
    """Return what to say of an error on the command line: what happened and what to do."""
    for kind in type(error).__mro__:
        advice = ADVICE.get(kind)
        if advice is not None:
            return error.sentence(
                error.filled(advice) if isinstance(advice, str) else advice(error)
            )
    return str(error)
