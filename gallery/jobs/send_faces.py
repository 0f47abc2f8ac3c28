"""Named faces for Immich and PhotoPrism: what they lack, and what is said no more."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from gallery.engine.engine import Engine
from gallery.errors import GalleryError, NothingFound, UnreadableFile
from gallery.events import Advanced, Finished, Job, Refused, Stage, Started
from gallery.jobs.answered import AnsweredFile, Least, answered_files, stands
from gallery.metadata.regions import Area, area_of, pairs
from gallery.services.faces import FaceProgram, HeldFace, HeldPicture, NewFace
from gallery.store.sent import SentItem, SentKey, SentState
from gallery.system.reading import open_file
from gallery.types import Answer, Box

FILE = "file"
"""The item that stands for the file itself; the program knows it by its SHA-1."""

MADE, NAMED = "made ", "named "
"""Before what a program knows a face by: gallery made it, or named one that was there."""

AT_ONCE = 500
"""Files that are asked for between two steps of the bar, at most."""

CHUNK = 1 << 20


class FaceAction(StrEnum):
    """What is done about a face."""

    ADD = "add"
    NAME = "name"
    TAKE_NAME = "take_name"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class FaceChoices:
    """Which files, and which names."""

    paths: Sequence[Path] = ()
    """Only these files, or those of these folders; all labelled ones where there are none."""
    least: Least = field(default_factory=Least)
    alone: bool = False
    """Every face is answered alone instead of jointly, see joint."""


@dataclass(frozen=True, slots=True)
class FaceChange:
    """What is done about one face of a file."""

    action: FaceAction
    item: str
    """What the face is remembered by: its box in pixels."""
    area: Area
    name: str
    """Whom it will show; of a name that is taken back, that name."""
    remote: str = ""
    """MADE or NAMED, and what the program knows it by; empty for one that is added."""

    @property
    def face(self) -> str:
        """What the program knows it by."""
        return self.remote.removeprefix(MADE).removeprefix(NAMED)


@dataclass(frozen=True, slots=True)
class PictureChange:
    """What is done about the faces of one file."""

    file: AnsweredFile
    picture: str
    """What the program knows it by."""
    changes: tuple[FaceChange, ...]


@dataclass(frozen=True, slots=True)
class FacePlan:
    """What would be sent."""

    place: str
    """What the destination is remembered by."""
    changes: tuple[PictureChange, ...]
    noted: tuple[SentItem, ...]
    """What is known by now, without anything to be sent."""
    unheld: int
    """Files with something to say that the program does not have."""
    there: int
    """Faces that somebody else gave the same name."""
    otherwise: int
    """Faces that somebody else gave another name: they are left alone."""

    def count(self, *actions: FaceAction) -> int:
        """Return how many faces some actions are about."""
        return sum(one.action in actions for own in self.changes for one in own.changes)


@dataclass(frozen=True, slots=True)
class _Said:
    """What the gallery has to say of a picture's faces, and what of it was sent."""

    file: AnsweredFile
    wanted: Mapping[str, tuple[Area, str]]
    """Area and name by item."""
    kept: Mapping[str, str]
    """Names by item that are not withdrawn where they were sent."""
    sent: Mapping[str, SentItem]

    def is_stale(self, item: str) -> bool:
        """Say whether what was sent of a face is said no more."""
        one = self.sent[item]
        return one.state is not SentState.WITHDRAWN and self.kept.get(item) != one.said

    def is_new(self, item: str) -> bool:
        """Say whether what is wanted of a face was not sent yet, or not for sure."""
        one = self.sent.get(item)
        name = self.wanted[item][1]
        return one is None or one.state is not SentState.SENT or one.said != name

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to do."""
        return not any(map(self.is_new, self.wanted)) and not any(map(self.is_stale, self.sent))


def plan_faces(engine: Engine, program: FaceProgram, choices: FaceChoices) -> Job[FacePlan]:
    """Say which faces a program would get, and which names it would lose; nothing is changed there.

    A face of the program in the same place is named, unless somebody named it; else one is added.
    What gallery sent and says no more is withdrawn, unless somebody changed it there. Programs know
    files by their SHA-1: those that gallery has not counted yet are read, and refused where they
    are gone or have changed. Raises ServiceFailed where the program does not answer, and InputError
    where nothing was labelled.
    """
    program.check()
    place = f"{program.name} {program.address}"
    files = yield from answered_files(engine, choices.paths, alone=choices.alone, videos=False)
    sent: dict[str, dict[str, SentItem]] = {}
    sums: dict[str, str] = {}
    for key, item in engine.store.sent.to(place).items():
        if key.item == FILE:
            sums[key.digest] = item.remote
        else:
            sent.setdefault(key.digest, {})[key.item] = item
    all_said = [_said(one, choices.least, sent.get(one.digest, {})) for one in files]
    wanted = [one for one in all_said if not one.is_settled]
    yield from _count(engine, place, [one.file for one in wanted], sums)
    wanted = [one for one in wanted if one.file.digest in sums]
    held = yield from _held(program, [sums[one.file.digest] for one in wanted])
    changes: list[PictureChange] = []
    noted: list[SentItem] = []
    there = otherwise = unheld = 0
    for one in wanted:
        picture = held.get(sums[one.file.digest])
        if picture is None:
            unheld += 1
            continue
        found = _Comparison(one, picture)
        there, otherwise = there + found.there, otherwise + found.otherwise
        noted += found.noted
        if found.changes:
            changes.append(PictureChange(one.file, picture.id, tuple(found.changes)))
    yield Finished(FacePlan(place, tuple(changes), tuple(noted), unheld, there, otherwise))


def send_faces(engine: Engine, program: FaceProgram, plan: FacePlan) -> Job[int]:
    """Send what was planned; the result is how many files were changed.

    What an event tells is sent and noted, so that the job may be left after any of them, and done
    again.
    """
    yield Started("sending", len(plan.changes), "file")
    _note(engine, plan.place, plan.noted)
    for one in plan.changes:
        for change in one.changes:
            _send(engine, program, plan.place, one, change)
        yield Advanced()
    yield Finished(len(plan.changes))


def _send(
    engine: Engine, program: FaceProgram, place: str, of: PictureChange, change: FaceChange
) -> None:
    key = SentKey(of.file.digest, change.item)
    remote = change.remote
    if change.action in (FaceAction.ADD, FaceAction.NAME):
        _note(engine, place, [SentItem(key, SentState.BEGUN, change.name, remote)])
    match change.action:
        case FaceAction.ADD:
            size = of.file.width, of.file.height
            remote = MADE + program.add(NewFace(of.picture, change.area, *size, change.name))
        case FaceAction.NAME:
            program.give_name(change.face, change.name)
        case FaceAction.TAKE_NAME:
            program.take_name(change.face)
        case FaceAction.REMOVE:
            program.remove(change.face)
    is_sent = change.action in (FaceAction.ADD, FaceAction.NAME)
    state = SentState.SENT if is_sent else SentState.WITHDRAWN
    _note(engine, place, [SentItem(key, state, change.name, remote)])


class _Comparison:
    """What the gallery says of a picture's faces beside what a program says."""

    def __init__(self, said: _Said, picture: HeldPicture) -> None:
        self.changes: list[FaceChange] = []
        self.noted: list[SentItem] = []
        self.there = self.otherwise = 0
        self._said = said
        self._faces = {one.id: one for one in picture.faces}
        self._done: set[str] = set()
        """Items that need no more."""
        for item in said.sent:
            if said.is_stale(item):
                self._take_back(item)
        self._give(picture)

    def _take_back(self, item: str) -> None:
        """Give a face that was sent its new name, or take back what was sent of it."""
        one = self._said.sent[item]
        area = self._area(item)
        held = self._own(one, area)
        # What a killed job renamed has one of two names.
        is_ours = one.state is SentState.BEGUN and bool(one.remote)
        if held is None or not held.name or (_unlike(held.name, one.said) and not is_ours):
            # It is gone, or somebody said something else of it since.
            self.noted.append(SentItem(one.key, SentState.WITHDRAWN, one.said, one.remote))
            return
        remote = one.remote or MADE + held.id
        if item in self._said.wanted:
            name = self._said.wanted[item][1]
            self.changes.append(FaceChange(FaceAction.NAME, item, area, name, remote))
            self._done.add(item)
        else:
            is_made = remote.startswith(MADE)
            action = FaceAction.REMOVE if is_made else FaceAction.TAKE_NAME
            self.changes.append(FaceChange(action, item, area, one.said, remote))
        del self._faces[held.id]

    def _give(self, picture: HeldPicture) -> None:
        """Say whom faces show of which that was not said yet."""
        new = [
            item for item in self._said.wanted if item not in self._done and self._said.is_new(item)
        ]
        held = [one for one in picture.faces if one.id in self._faces]
        found = pairs([self._said.wanted[item][0] for item in new], [one.area for one in held])
        for row, item in enumerate(new):
            area, name = self._said.wanted[item]
            if row not in found:
                self.changes.append(FaceChange(FaceAction.ADD, item, area, name))
                continue
            one, before = held[found[row]], self._said.sent.get(item)
            # What a killed job was about to send, it may have sent.
            begun = before if before is not None and before.state is SentState.BEGUN else None
            remote = (begun.remote if begun is not None else "") or NAMED + one.id
            is_ours = begun is not None and begun.remote.endswith(f" {one.id}")
            if not one.name or (is_ours and _unlike(one.name, name)):
                self.changes.append(FaceChange(FaceAction.NAME, item, area, name, remote))
            elif _unlike(one.name, name):
                self.otherwise += 1
            elif begun is not None:
                remote = begun.remote or MADE + one.id
                self.noted.append(SentItem(begun.key, SentState.SENT, name, remote))
            else:
                self.there += 1

    def _own(self, one: SentItem, area: Area) -> HeldFace | None:
        """Return the face that was sent; by its place where a killed job did not hear its id."""
        known = one.remote.removeprefix(MADE).removeprefix(NAMED)
        if known:
            return self._faces.get(known)
        held = list(self._faces.values())
        found = pairs([area], [face.area for face in held])
        return held[found[0]] if found else None

    def _area(self, item: str) -> Area:
        file = self._said.file
        return area_of(Box(*map(float, item.split(","))), file.width, file.height)


def _said(file: AnsweredFile, least: Least, sent: Mapping[str, SentItem]) -> _Said:
    wanted: dict[str, tuple[Area, str]] = {}
    kept: dict[str, str] = {}
    for one in file.faces:
        item = _item(one, file)
        if one.character is None or item is None:
            continue
        if stands(one):
            kept[item] = one.character
        if least.takes(one):
            area = area_of(one.face.box, file.width, file.height)
            wanted[item] = area, one.character
            kept[item] = one.character
    return _Said(file, wanted, kept, sent)


def _item(answer: Answer, file: AnsweredFile) -> str | None:
    """Return what a face is remembered by; None for one of which nothing is in the picture."""
    left, top, right, bottom = answer.face.box.within(file.width, file.height)
    return f"{left},{top},{right},{bottom}" if left < right and top < bottom else None


def _unlike(one: str, other: str) -> bool:
    """Say whether two names are others; programs change case and spaces."""

    def folded(name: str) -> str:
        return " ".join(unicodedata.normalize("NFC", name).casefold().split())

    return folded(one) != folded(other)


def _count(
    engine: Engine, place: str, files: Sequence[AnsweredFile], sums: dict[str, str]
) -> Stage[None]:
    """Add the SHA-1 of files that have none yet, and note it; unreadable files are refused."""
    unknown = [one for one in files if one.digest not in sums]
    yield Started("reading", len(unknown), "file")
    for start in range(0, len(unknown), AT_ONCE):
        new: list[SentItem] = []
        for one in unknown[start : start + AT_ONCE]:
            try:
                sums[one.digest] = _sum_of(one)
                key = SentKey(one.digest, FILE)
                new.append(SentItem(key, SentState.SENT, remote=sums[one.digest]))
            except GalleryError as error:
                yield Refused.because(one.path, error)
            yield Advanced()
        _note(engine, place, new)


def _sum_of(file: AnsweredFile) -> str:
    """Return the SHA-1 of a file. Raises InputError where it is not the one that was labelled."""
    known, wanted = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    try:
        with open_file(file.path) as opened:
            while chunk := opened.read(CHUNK):
                known.update(chunk)
                wanted.update(chunk)
    except FileNotFoundError as error:
        raise NothingFound(file.path, "is gone since it was labelled") from error
    except OSError as error:
        raise UnreadableFile(file.path, f"cannot be read: {error.strerror}") from error
    if known.hexdigest() != file.digest:
        raise UnreadableFile(
            file.path, "has changed since it was labelled", remedy="label it again"
        )
    return wanted.hexdigest()


def _held(program: FaceProgram, sums: Sequence[str]) -> Stage[dict[str, HeldPicture]]:
    yield Started("comparing", len(sums), "file")
    found: dict[str, HeldPicture] = {}
    for some in _portions(sums):
        found.update(program.pictures(some))
        yield Advanced(len(some))
    return found


def _portions(sums: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(sums), AT_ONCE):
        yield sums[start : start + AT_ONCE]


def _note(engine: Engine, place: str, items: Sequence[SentItem]) -> None:
    # A gallery that cannot be written can say what it would send.
    if items and engine.store.is_writable:
        with engine.store.writing() as writer:
            writer.sent.note(place, items)
