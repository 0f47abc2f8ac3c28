"""Enrolling: pictures into the gallery, with names from folders, XMP regions or captions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import (
    BadSetting,
    EmptyCharacter,
    InputError,
    RenamedFolder,
    UnnamedFolders,
)
from gallery.events import (
    EnrolEvent,
    EnrolmentStarted,
    EnrolmentSummary,
    Finished,
    Noticed,
    Refused,
)
from gallery.media.inputs import Media, pictures_of
from gallery.store.names import clean_name
from gallery.types import Outcome, Source

if TYPE_CHECKING:
    from gallery.engine.engine import Engine
    from gallery.faces.quality import Gates
    from gallery.jobs.enroll_folders import Enrolment
    from gallery.jobs.enroll_regions import RegionEnrolment
    from gallery.jobs.given_names import GivenNames
    from gallery.metadata.named_regions import NamedFaces
    from gallery.types import Candidate, Enrolled


@dataclass(frozen=True, slots=True)
class Named:
    """What was found to enroll."""

    candidates: list[Candidate]
    media: Media
    """All that was found, and what of it cannot be used."""
    faces: list[NamedFaces] | None = None
    """Regions instead of candidates."""
    unlabelled: int = 0
    """How many pictures have no name."""
    left_out: UnnamedFolders | None = None
    """What lies in folders that nobody has named yet."""
    folder: Path | None = None
    """The folder that holds the characters' folders, whose names are the candidates'."""

    @property
    def names(self) -> list[str]:
        """The names that were found, each once."""
        if self.faces is None:
            return list(dict.fromkeys(one.character for one in self.candidates))
        return list(dict.fromkeys(at.name for one in self.faces for at in one.regions))

    @property
    def steps(self) -> int:
        """How many pictures have a name, or of regions how many faces."""
        if self.faces is None:
            return len(self.candidates)
        return sum(len(one.regions) for one in self.faces)


def named_in(
    paths: Sequence[Path], source: Source, names: Collection[str] = (), tag_prefix: str = ""
) -> Named | None:
    """Return what paths hold for enrolment; None where the gallery has to say what names there are.

    Names and a prefix of tags are for captions, see readers.captions.TagRule; without both,
    named_as_in is to be asked. Raises InputError where nothing is found, and for names and a prefix
    with another source.
    """
    check_names(source, are_given=bool(names or tag_prefix))
    if source is Source.XMP:
        return _of_metadata(paths)
    if source is Source.CAPTIONS:
        return _of_captions(paths, names, tag_prefix) if names or tag_prefix else None
    if len(paths) != 1:
        raise BadSetting("folder", "Give one folder, which holds a folder per character")
    return _of_folders(paths[0])


def check_names(source: Source, *, are_given: bool) -> None:
    """Raise InputError where names or a prefix of tags are given and the source has none."""
    if are_given and source is not Source.CAPTIONS:
        raise BadSetting(
            "source",
            "Names and a prefix of tags are of no use with this source",
            "they are for captions",
        )


def named_as_in(engine: Engine, paths: Sequence[Path]) -> Named:
    """Return the pictures whose captions name a character of the gallery, former names included.

    Raises InputError where nothing is found, and where the gallery has no names.
    """
    return _of_captions(paths, engine.store.names_in_use(), "")


def enroll(
    engine: Engine,
    named: Named,
    *,
    largest: bool = False,
    gates: Gates,
    keep_poor: bool = False,
    again: bool = False,
    with_guesses: bool = False,
    series: str | None = None,
) -> Generator[EnrolEvent, None, None]:
    """Enroll what was found and tell of each what became of it; what is told is in the database.

    Names that gallery wrote into metadata, of characters that this gallery has, are its own answers
    and passed over, unless they are wanted with_guesses. Another gallery's are labels here.
    Of a folder of folders, those that were renamed are followed first, see renamed_folders. Faces
    that a person forgot are passed over, unless they are wanted again. At the end come the samples
    that went, since their files hold other pictures now. The characters that pictures are of belong
    to the series, where one is named; reject classes do not.
    Raises StoreError where samples lack the encoder in use. Of regions nothing but the face that
    overlaps them is taken, so that largest means nothing to them. Raises InputError for guesses of
    another source than metadata, and BadName for a series that is no name.
    """
    if series is not None:
        series = clean_name(series)
    if with_guesses and named.faces is None:
        raise BadSetting(
            "with_guesses",
            "Only XMP tells gallery's own answers from a person's names",
            "leave them out with this source",
        )
    from gallery.jobs.given_names import GivenNames
    from gallery.jobs.renamed_folders import follow_renamed_folders

    engine.require_encoded()
    renamed: list[RenamedFolder] = []
    if named.folder is not None:
        renamed = follow_renamed_folders(engine.store, named.folder, named.candidates)
    found, given = named.steps, GivenNames(engine.store, named.names)
    if not with_guesses:
        named = _without_guesses(given, named)
    named = _as_meant(given, named)
    yield EnrolmentStarted(
        named.steps,
        named.unlabelled,
        found - named.steps,
        unit="picture" if named.faces is None else "face",
        rejects=tuple(name for name in named.names if given.is_reject(name)),
        taken_as=given.taken_as,
    )
    yield from map(Noticed, renamed)
    if named.left_out is not None:
        yield Noticed(named.left_out)
    yield from named.media.told()
    outcomes: Counter[Outcome] = Counter()
    fed: set[str] = set()
    shown: set[str] = set()
    enrolment, settled = _settled(
        engine, named, largest=largest, gates=gates, keep_poor=keep_poor, again=again
    )
    for one in settled:
        outcomes[one.outcome] += 1
        if one.outcome in (Outcome.ADDED, Outcome.RELABELLED, Outcome.KEPT):
            fed.add(given.character(one.candidate.character))
        if one.outcome not in (Outcome.REFUSED, Outcome.FORGOTTEN):
            shown.add(given.character(one.candidate.character))
        yield one
    yield from enrolment.retired
    robbed = enrolment.robbed | {one.character for one in enrolment.retired}
    for character in engine.store.characters(robbed):
        if not character.samples:
            yield Noticed(EmptyCharacter(character.name))
    if series is not None:
        there = [one.name for one in engine.store.characters(shown)]
        engine.belong([one for one in there if not given.is_reject(one)], series)
    alike = engine.look_alikes(fed) if fed else None
    if alike is not None:
        yield Noticed(alike)
    yield Finished(EnrolmentSummary(outcomes, len(named.media.refused), len(enrolment.retired)))


def _settled(
    engine: Engine, named: Named, *, largest: bool, gates: Gates, keep_poor: bool, again: bool
) -> tuple[Enrolment | RegionEnrolment, Iterator[Enrolled]]:
    """Return a pass, and what it says of each picture or face."""
    from gallery.faces.detectors.whole import WholePicture
    from gallery.jobs.enroll_folders import Enrolment
    from gallery.jobs.enroll_regions import RegionEnrolment

    store, describer = engine.store, engine.describer
    if named.faces is None:
        folders = Enrolment(
            store,
            describer,
            largest=largest,
            gates=gates,
            keep_poor=keep_poor,
            again=again,
            check=engine.check_crop if describer.detector.name == WholePicture.name else None,
        )
        return folders, folders.run(named.candidates)
    regions = RegionEnrolment(store, describer, gates=gates, keep_poor=keep_poor, again=again)
    return regions, regions.run(named.faces)


def _as_meant(given: GivenNames, named: Named) -> Named:
    """Return what was found with the names of the characters that are meant."""
    if named.faces is None:
        candidates = [
            replace(one, character=given.meant_by(one.character)) for one in named.candidates
        ]
        return replace(named, candidates=candidates)
    faces = [
        replace(
            one,
            regions=tuple(replace(at, name=given.meant_by(at.name)) for at in one.regions),
        )
        for one in named.faces
    ]
    return replace(named, faces=faces)


def _without_guesses(given: GivenNames, named: Named) -> Named:
    """Return what was found less the faces whose names are the gallery's own answers."""
    if named.faces is None:
        return named
    faces = [
        replace(
            one, regions=tuple(at for at in one.regions if not (at.is_guess and at.name in given))
        )
        for one in named.faces
    ]
    return replace(named, faces=[one for one in faces if one.regions])


def _of_folders(folder: Path) -> Named:
    from gallery.jobs.enroll_folders import named_candidates

    named, media, left_out = named_candidates(folder)
    return Named(named, media, folder=folder.resolve(), left_out=left_out)


def _of_metadata(paths: Sequence[Path]) -> Named:
    from gallery.metadata.named_regions import named_faces

    media = pictures_of(paths)
    faces, unlabelled = [], 0
    for picture in media.pictures:
        try:
            found = named_faces(picture)
        except InputError as error:
            media.refused.append(Refused.because(picture, error))
            continue
        if found.regions:
            faces.append(found)
        else:
            unlabelled += 1
    return Named([], media, faces, unlabelled)


def _of_captions(paths: Sequence[Path], names: Collection[str], prefix: str) -> Named:
    from gallery.metadata.captions import TagRule, candidates_in

    media = pictures_of(paths)
    found = candidates_in(media.pictures, TagRule(names, prefix))
    media.refused.extend(found.refused)
    return Named(found.candidates, media, unlabelled=found.without)
