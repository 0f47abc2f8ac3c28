"""Corrections that people made in other programs, taken in as decisions on seen faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gallery.engine.engine import Engine
from gallery.errors import BadSetting, InputError
from gallery.events import Advanced, Finished, Job, Refused, Started
from gallery.jobs.correction_places import Missed, SeenPlaces, Unmatched, unlike
from gallery.jobs.decide import current_name, person
from gallery.jobs.given_names import GivenNames
from gallery.jobs.meant import seen
from gallery.metadata.corrections.correction import Correction
from gallery.metadata.corrections.read import read
from gallery.store.names import clean_name
from gallery.store.sightings import Sighting
from gallery.store.steps import Action, FaceMeant, Step
from gallery.types import Decided, FaceState


@dataclass(frozen=True, slots=True)
class CorrectionChoices:
    """Which files, and what of them is taken in."""

    sources: Sequence[Path]
    original: Path | None = None
    """The file as gallery wrote it: what it says, too, is no correction."""
    everything: bool = False
    """Answers of the gallery's own in its records count as a person's word, too."""
    folder: Path | None = None
    """Where relative paths lead from."""
    new: bool = False
    """_Names that nobody has are taken, too."""
    dry_run: bool = False
    """Nothing is decided."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a correction makes of a seen face."""

    sighting: Sighting
    before: FaceState
    after: FaceState


@dataclass(frozen=True, slots=True)
class Corrected:
    """What came of corrections."""

    step: Step | None
    """The one step of all changes; None where there is none, or nothing was to be decided."""
    changes: tuple[Change, ...]
    same: int
    """How many corrections say what is decided already."""
    missed: tuple[Missed, ...]
    answers: int
    """How many names are the gallery's own answers, and say nothing."""
    nameless: int
    """How many boxes say nothing of who it is."""


def corrections(
    engine: Engine, choices: CorrectionChoices, *, who: str | None = None
) -> Job[Corrected]:
    """Decide of seen faces what files say that people made with other programs.

    A face is known by its picture's digest or path, and by its place. All changes are one step,
    which undo takes back. Files that cannot be read are refused. Raises InputError where none can,
    and where gallery's own records hold nothing that tells a person's word from its answers.
    """
    engine.require_encoded()
    yield Started("reading", len(choices.sources), "file")
    places, names = SeenPlaces(engine, choices.folder), _Names(engine, new=choices.new)
    original = [] if choices.original is None else read(choices.original).faces
    found: list[tuple[Correction, Sighting]] = []
    missed: list[Missed] = []
    answers = nameless = files = 0
    for source in choices.sources:
        try:
            said = read(source)
        except InputError as error:
            yield Refused.because(source, error.detached())
            yield Advanced()
            continue
        files += 1
        nameless += said.nameless
        wanted = unlike(said.faces, original)
        if not choices.everything and choices.original is None:
            wanted = [one for one in wanted if not one.is_answer]
        answers += len(said.faces) - len(wanted)
        own, lost = places.find(wanted, source)
        found += own
        missed += lost
        yield Advanced()
    if not files:
        raise InputError("No file of corrections could be read; nothing was decided.")
    if answers and not found and not missed and choices.original is None:
        raise BadSetting(
            "original",
            "The file holds the gallery's own answers, and nothing says which of them you changed",
            "give the file as gallery wrote it, too, or take all of its names",
        )
    kept, twice = _agreeing(found)
    changes, same, unnamed = _changes(engine, kept, names)
    step = None
    if changes and not choices.dry_run:
        step = _decided(engine, changes, person(who), new=choices.new)
    yield Finished(
        Corrected(step, tuple(changes), same, (*missed, *twice, *unnamed), answers, nameless)
    )


def _can_name(name: str) -> bool:
    """Say whether a character may be called so."""
    try:
        clean_name(name)
    except InputError:
        return False
    return True


class _Names:
    """Finds the characters that names mean."""

    def __init__(self, engine: Engine, *, new: bool) -> None:
        self._given, self._new = GivenNames(engine.store), new
        self._known = {one.name for one in engine.store.characters()}

    def meant(self, correction: Correction) -> Correction | None:
        """Return a correction with the character's name now; None where nobody is called so."""
        if correction.name is None:
            return correction
        name = self._given.character(correction.name)
        if name not in self._known and not (self._new and _can_name(name)):
            return None
        return replace(correction, name=name)


def _agreeing(
    found: Sequence[tuple[Correction, Sighting]],
) -> tuple[dict[int, tuple[Correction, Sighting]], list[Missed]]:
    """Return what is said of each face, by number, and what of that is said otherwise, too."""
    kept: dict[int, tuple[Correction, Sighting]] = {}
    twice: dict[int, list[Correction]] = {}
    for one, sighting in found:
        before = kept.setdefault(sighting.id, (one, sighting))[0]
        if (before.decided, before.name) != (one.decided, one.name):
            twice.setdefault(sighting.id, [before]).append(one)
    for number in twice:
        del kept[number]
    return kept, [Missed(one, Unmatched.TWICE) for own in twice.values() for one in own]


def _changes(
    engine: Engine, kept: Mapping[int, tuple[Correction, Sighting]], names: _Names
) -> tuple[list[Change], int, list[Missed]]:
    """Return what changes, how many faces are as is said already, and names that nobody has."""
    faces = [one for _, one in kept.values()]
    states = engine.decided().states([one.place for one in faces], [one.face.box for one in faces])
    changes: list[Change] = []
    unnamed: list[Missed] = []
    for (given, sighting), before in zip(kept.values(), states, strict=True):
        said = names.meant(given)
        if said is None:
            unnamed.append(Missed(given, Unmatched.NAME))
            continue
        after = before.set_aside(said.decided) if said.name is None else before.confirmed(said.name)
        if after != before:
            changes.append(Change(sighting, before, after))
    return changes, len(kept) - len(changes) - len(unnamed), unnamed


def _decided(engine: Engine, changes: Sequence[Change], who: str, *, new: bool) -> Step:
    """Decide all changes in one step."""
    meant = seen(engine, [one.sighting for one in changes])
    by_number = {one.sighting.id: one.after for one in changes}
    after = {one.face: by_number[one.sighting.id] for one in meant if one.sighting is not None}
    with engine.store.writing() as writer:
        named = {one.character for one in after.values() if one.character is not None}
        current = {name: current_name(writer, name, new=new) for name in sorted(named)}

        def becomes(state: FaceState, face: FaceMeant) -> FaceState:
            said = after[face]
            if said.decided is Decided.CONFIRMED and said.character is not None:
                return state.confirmed(current[said.character])
            return state.set_aside(said.decided)

        common = next(iter(current.values())) if len(current) == 1 else None
        step = writer.decisions.begin(Action.CORRECT, who, common)
        writer.decisions.decide(step, list(after), becomes)
        return writer.decisions.step(step)
