"""What is judged: the faces of a gallery, and the faces to ask it about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.engine.engine import Engine
from gallery.errors import EmptyGallery, InputError, NobodyKnown, UnusableFile
from gallery.evaluation.search import Probes, References, Rows
from gallery.evaluation.series import folder_above, known_series, series_of_stranger
from gallery.events import Advanced, PassedOver, Refused, Stage, Started
from gallery.faces.describe import Describer
from gallery.faces.quality import is_portrait
from gallery.jobs.enroll_folders import choose_face
from gallery.jobs.given_names import GivenNames
from gallery.jobs.pipeline import looked_at
from gallery.media.images import read_image
from gallery.numerics.neighbours import NOBODY
from gallery.store.contents import key_of
from gallery.store.enrolled import EnrolledSamples, read_enrolled
from gallery.store.rejections import NEARLY
from gallery.types import (
    Box,
    Candidate,
    Crop,
    DescribedFace,
    Descriptor,
    Face,
    Image,
    Place,
    Quality,
    Sample,
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a probe comes from."""

    path: Path
    sample_id: int | None = None
    """The enrolled sample that it is; None for a face of a folder."""
    face: Face | None = None
    """Where in the picture it is, for a face of a folder."""


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationSet:
    """Enrolled faces and probes, with every character by its number."""

    names: tuple[str, ...]
    """Of all characters, enrolled ones first, by number."""
    rejects: NDArray[np.bool_]
    """Which ones turn faces away, shape (characters,)."""
    references: References
    sample_ids: tuple[int, ...]
    """Of the references, in their order."""
    probes: Probes
    origins: tuple[Origin, ...]
    """Of the probes, in their order."""
    qualities: tuple[Quality | None, ...]
    """How well each probe can be seen; None where it was not measured."""
    portraits: NDArray[np.bool_]
    """Which probes are upright and seen from the front, shape (n,); see quality.is_portrait."""
    of_folder: bool
    """True where probes come from a folder, False where they are the references themselves."""
    notes: tuple[str, ...] = field(default=())
    """Sentences on what was asked and what could not be."""
    excluded: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Of probes that a person rejected names for: the characters that they do not show."""
    series: tuple[str | None, ...] = field(default=())
    """Of all characters, by number, None where it is not known; empty where nobody asked."""

    @property
    def enrolled(self) -> int:
        """How many characters that turn nobody away are enrolled."""
        members = self.references.members
        return int((~self.rejects[members]).sum())

    @property
    def asked(self) -> Rows:
        """The probes that are no faces of a reject class."""
        return np.flatnonzero(~self.rejects[self.probes.labels])

    @property
    def turned_away(self) -> Rows:
        """The probes of reject classes, which nobody's name is right for."""
        return np.flatnonzero(self.rejects[self.probes.labels])

    @property
    def outsiders(self) -> Rows:
        """The probes of characters that are not enrolled."""
        return np.flatnonzero(~np.isin(self.probes.labels, self.references.members))


def set_of_gallery(engine: Engine) -> EvaluationSet:
    """Return a gallery's samples, each as a probe that is left out of what it is asked of.

    Nothing but the database is opened. Raises InputError for an empty gallery and StoreError for
    one that the encoder in use has not encoded.
    """
    enrolled, samples = _enrolled(engine)
    references, contents = _references(enrolled), engine.store.contents()
    probes = Probes(references.descriptors, references.labels, np.arange(len(references.labels)))
    return EvaluationSet(
        names=enrolled.names,
        rejects=enrolled.rejects,
        references=references,
        sample_ids=tuple(enrolled.ids.tolist()),
        probes=probes,
        origins=tuple(Origin(one.path, sample_id=one.id) for one in samples),
        qualities=tuple(one.quality for one in samples),
        portraits=np.array([is_portrait(one.face) for one in samples], np.bool_),
        of_folder=False,
        excluded=_excluded(
            engine,
            enrolled.names,
            [
                (Place(one.digest, None, key_of(one.digest, contents)), one.face.box, descriptor)
                for one, descriptor in zip(samples, references.descriptors, strict=True)
            ],
        ),
        series=known_series(enrolled.names, _folders(enrolled, samples)),
    )


def set_of_folder(
    engine: Engine,
    candidates: Sequence[Candidate],
    told: Iterable[Refused | PassedOver] = (),
    *,
    largest: bool = False,
) -> Stage[EvaluationSet]:
    """Return the pictures of a folder of folders as probes of a gallery.

    A folder is named after its character, by its name now or a former one; other folders hold
    strangers. A picture that is enrolled itself is left out of what it is asked of. What cannot be
    used is refused with the reason, and what is told comes before that. Raises InputError where no
    folder's character is enrolled, before a picture is read, or where no picture can be used.
    """
    enrolled, samples = _enrolled(engine)
    names = list(enrolled.names)
    folders = sorted({one.character for one in candidates})
    given = GivenNames(engine.store, folders)
    current = {name: given.character(name) for name in folders}
    strangers = sorted(set(current.values()) - set(names))
    if not set(current.values()) & set(names):
        raise NobodyKnown(tuple(folders))
    names += strangers
    number = {name: place for place, name in enumerate(names)}
    series = known_series(enrolled.names, _folders(enrolled, samples))
    above = {current[one.character]: folder_above(one.path, one.character) for one in candidates}
    contents = engine.store.contents()
    row_of = {one.digest: row for row, one in enumerate(samples)}
    row_of |= {key_of(digest, contents): row for digest, row in row_of.items()}
    collected = _Collected(enrolled, row_of)
    yield Started("describing", len(candidates), "picture")
    yield from told
    # Several threads would open the detector several times.
    describer = engine.describer
    groups = looked_at(
        [one.path for one in candidates],
        lambda images: _chosen(describer, images, largest=largest),
    )
    with closing(groups):
        looked = (one for group in groups for one in group)
        for candidate, one in zip(candidates, looked, strict=True):
            why = one.failure if one.found is None else one.found.refusal
            if one.found is not None and one.found.described is not None:
                seen = _Observed(candidate, one.found.digest, one.found.key, one.found.described)
                why = collected.keep(seen, number, current)
            if why is not None:
                yield Refused.because(candidate.path, why)
            yield Advanced()
    if not collected.origins:
        raise InputError("No picture of the folder can be used; what was refused says why.")
    return EvaluationSet(
        names=tuple(names),
        rejects=np.append(enrolled.rejects, np.zeros(len(strangers), np.bool_)),
        references=_references(enrolled),
        sample_ids=tuple(enrolled.ids.tolist()),
        probes=collected.probes(),
        origins=tuple(collected.origins),
        qualities=tuple(collected.qualities),
        portraits=np.array(
            [one.face is not None and is_portrait(one.face) for one in collected.origins], np.bool_
        ),
        of_folder=True,
        notes=tuple(_folder_notes(strangers, collected)),
        excluded=_excluded(engine, enrolled.names, collected.seen),
        series=(
            *series,
            *(series_of_stranger(name, above[name], series) for name in strangers),
        ),
    )


def _excluded(
    engine: Engine, names: Sequence[str], seen: Sequence[tuple[Place, Box, Descriptor]]
) -> dict[int, frozenset[int]]:
    """Return which enrolled characters a person said that faces do not show, as `identify` knows.

    A face is given by its place, its box and its descriptor.
    """
    rejected, radius = engine.rejected(), NEARLY * engine.thresholds.sure
    states = engine.decided().states([one[0] for one in seen], [one[1] for one in seen])
    number = {name: place for place, name in enumerate(names)}
    found = {}
    for row, (state, (_, _, descriptor)) in enumerate(zip(states, seen, strict=True)):
        said = {*state.not_these, *(rejected.near(descriptor, radius) - {state.character})}
        if excluded := frozenset(number[name] for name in said if name in number):
            found[row] = excluded
    return found


def _folders(enrolled: EnrolledSamples, samples: Sequence[Sample]) -> list[list[str | None]]:
    """Return, for every character, the folders that the folders of its samples lie in."""
    found: dict[str, list[str | None]] = {name: [] for name in enrolled.names}
    for one in samples:
        found[one.character].append(folder_above(one.path, one.enrolled_as))
    return list(found.values())


def _enrolled(engine: Engine) -> tuple[EnrolledSamples, list[Sample]]:
    """Read a gallery's samples, but for those that a person decided otherwise of.

    They are read as arrays and, in the same order, one by one. Raises InputError where there is
    none.
    """
    engine.require_encoded()
    enrolled = read_enrolled(engine.store, engine.encoder, engine.within()).heeding()
    known = {one.id: one for one in engine.store.samples(engine.encoder)}
    # Somebody may have removed one meanwhile.
    there = np.array([number in known for number in enrolled.ids.tolist()], np.bool_)
    if not there.any():
        raise EmptyGallery
    if not there.all():
        enrolled = enrolled.chosen(there)
    return enrolled, [known[number] for number in enrolled.ids.tolist()]


def _references(enrolled: EnrolledSamples) -> References:
    return References(enrolled.descriptors, enrolled.labels, enrolled.poor)


@dataclass(frozen=True, slots=True, eq=False)
class _Observed:
    """A picture with its one face, described."""

    candidate: Candidate
    digest: str
    key: str
    """See types.Image."""
    described: DescribedFace


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """The one face of a picture, or why there is none."""

    digest: str
    key: str
    described: DescribedFace | None
    refusal: InputError | None = None


def _chosen(describer: Describer, images: Sequence[Image], *, largest: bool) -> list[_Chosen]:
    """Describe the one face of each picture that has one."""
    faces: list[tuple[Image, Face]] = []
    refusals: dict[int, InputError] = {}
    for row, (image, found) in enumerate(zip(images, describer.faces(images), strict=True)):
        try:
            faces.append((image, choose_face(image.path, found, largest=largest)))
        except InputError as error:
            refusals[row] = error.detached()
    described = iter(describer.describe(faces))
    return [
        _Chosen(image.digest, image.key, None, refusals[row])
        if row in refusals
        else _Chosen(image.digest, image.key, next(described))
        for row, image in enumerate(images)
    ]


class _Collected:
    """Probes as they come in."""

    def __init__(self, enrolled: EnrolledSamples, row_of: dict[str, int]) -> None:
        self._enrolled = enrolled
        self._row_of = row_of
        self._owners: dict[str, str] = {}
        self._descriptors: list[NDArray[np.float32]] = []
        self._labels: list[int] = []
        self._own: list[int] = []
        self.origins: list[Origin] = []
        self.seen: list[tuple[Place, Box, Descriptor]] = []
        self.qualities: list[Quality] = []
        self.copies = 0

    @property
    def enrolled_too(self) -> int:
        """How many of the probes are enrolled themselves."""
        return sum(row != NOBODY for row in self._own)

    def probes(self) -> Probes:
        """Return what was kept."""
        return Probes(
            np.array(self._descriptors, dtype=np.float32).reshape(
                len(self._descriptors), self._enrolled.descriptors.shape[1]
            ),
            np.array(self._labels, dtype=np.int64),
            np.array(self._own, dtype=np.intp),
        )

    def keep(
        self, seen: _Observed, number: dict[str, int], current: dict[str, str]
    ) -> InputError | None:
        """Take a face in, unless its picture was seen before or is enrolled as somebody else.

        Returns why a picture is refused; None for one that is not.
        """
        name, path = current[seen.candidate.character], seen.candidate.path
        before = self._owners.get(seen.key)
        self._owners[seen.key] = before or name
        if before is not None:
            if before == name:
                self.copies += 1
                return None
            twin = f"is the same picture as one in {before}'s folder"
            return UnusableFile(path, twin, remedy="remove one")
        # Of what an earlier version enrolled, the file's digest alone is known.
        row = self._row_of.get(seen.key, self._row_of.get(seen.digest, NOBODY))
        if row != NOBODY and self._enrolled.character(row) != name:
            owner = self._enrolled.character(row)
            cure = "move it, or remove one of the two"
            return UnusableFile(path, f"is enrolled as {owner}", remedy=cure)
        self._descriptors.append(seen.described.descriptor)
        self._labels.append(number[name])
        self._own.append(row)
        place = Place(seen.digest, None, seen.key)
        self.seen.append((place, seen.described.face.box, seen.described.descriptor))
        self.qualities.append(seen.described.quality)
        self.origins.append(Origin(path, face=seen.described.face))
        return None


def _folder_notes(strangers: Sequence[str], collected: _Collected) -> Iterator[str]:
    """Say what one must know about a folder's figures."""
    if strangers:
        shown = ", ".join(strangers[:5]) + (", ..." if len(strangers) > 5 else "")
        what = "folder is" if len(strangers) == 1 else "folders are"
        yield (
            f"{len(strangers)} {what} named after nobody in the gallery and "
            f"{'holds' if len(strangers) == 1 else 'hold'} strangers: {shown}."
        )
    if collected.enrolled_too:
        yield (
            f"{collected.enrolled_too} of {len(collected.origins)} pictures are enrolled "
            "themselves; each is left out of what it is compared with."
        )
    if collected.copies:
        copies = "copy" if collected.copies == 1 else "copies"
        yield f"{collected.copies} second {copies} of a picture left out."


def crop_of(engine: Engine, origin: Origin) -> Crop | None:
    """Return the aligned crop of a probe; None where its picture cannot be read any more."""
    if origin.sample_id is not None:
        return engine.crops([origin.sample_id]).get(origin.sample_id)
    try:
        image = read_image(origin.path)
    except InputError:
        return None
    return None if origin.face is None else engine.describer.aligner.align(image, origin.face)
