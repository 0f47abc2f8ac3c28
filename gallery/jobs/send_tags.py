"""Tags for hydrus: what it lacks of what the gallery says, and what is said no more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from gallery.engine.engine import Engine
from gallery.events import Advanced, Finished, Job, Stage, Started
from gallery.jobs.answered import AnsweredFile, Least, answered_files, stands
from gallery.metadata.tags import tag_of
from gallery.output.hydrus import NAMESPACE, SERIES
from gallery.services.hydrus import HeldTags, Hydrus, Permission, TagService, cleaned
from gallery.services.known import HYDRUS, Status
from gallery.store.sent import SentItem, SentKey, SentState
from gallery.types import Answer, Decided

AT_ONCE = 256
"""Files that are changed by one request, at most; all of them get and lose the same tags."""

STATUS = "gallery:"
"""The namespace of what is said of faces beside their names."""


@dataclass(frozen=True, slots=True)
class TagChoices:
    """Which files, and what of them is sent."""

    service: str
    """The name or the key of a local tag service."""
    paths: Sequence[Path] = ()
    """Only these files, or those of these folders; all labelled ones where there are none."""
    least: Least = field(default_factory=Least)
    statuses: Collection[Status] = ()
    """What else is told of faces, a tag each."""
    alone: bool = False
    """Every face is answered alone instead of jointly, see joint."""


@dataclass(frozen=True, slots=True)
class TagChange:
    """What one file gets and loses."""

    digest: str
    path: Path
    add: tuple[str, ...]
    again: tuple[str, ...]
    """Tags to be given again, after gallery itself took them back."""
    remove: tuple[str, ...]

    @property
    def tags(self) -> tuple[str, ...]:
        """All that it gets."""
        return tuple(sorted((*self.add, *self.again)))


@dataclass(frozen=True, slots=True)
class TagPlan:
    """What would be sent."""

    service: TagService
    place: str
    """What the destination is remembered by."""
    changes: tuple[TagChange, ...]
    unheld: int
    """Files with something to say that hydrus does not have."""
    there: int
    """Tags that somebody else gave already: they are not gallery's."""
    taken: int
    """Tags that somebody took from files there: they are not given again."""

    @property
    def added(self) -> int:
        """How many tags are given to files."""
        return sum(len(one.tags) for one in self.changes)

    @property
    def removed(self) -> int:
        """How many tags are taken from files."""
        return sum(len(one.remove) for one in self.changes)


@dataclass(frozen=True, slots=True)
class _Said:
    """What the gallery has to say of a file, and what of it was sent."""

    file: AnsweredFile
    wanted: frozenset[str]
    kept: frozenset[str]
    """What is not withdrawn where it was sent: the wanted, and what became unsure since."""
    sent: Mapping[str, SentState]

    @property
    def new(self) -> set[str]:
        """What was not sent yet, or not for sure."""
        return {tag for tag in self.wanted if self.sent.get(tag) is not SentState.SENT}

    @property
    def stale(self) -> set[str]:
        """What was sent and is said no more."""
        return {
            tag
            for tag, state in self.sent.items()
            if state is not SentState.WITHDRAWN and tag not in self.kept
        }


def plan_tags(engine: Engine, hydrus: Hydrus, choices: TagChoices) -> Job[TagPlan]:
    """Say which tags files in hydrus would get and lose; nothing is changed.

    A tag is withdrawn where gallery sent it and says it no more: the face was decided otherwise,
    or is answered otherwise now. What became unsure stays. Raises ServiceFailed where hydrus does
    not answer, and InputError where nothing was labelled or there is no such service.
    """
    hydrus.require(Permission.EDIT_TAGS, Permission.SEARCH_FILES)
    service = hydrus.tag_service(choices.service)
    place = f"{HYDRUS.name} {hydrus.address} {service.key}"
    files = yield from answered_files(engine, choices.paths, alone=choices.alone, videos=True)
    sent: dict[str, dict[str, SentState]] = {}
    for key, item in engine.store.sent.to(place).items():
        sent.setdefault(key.digest, {})[key.item] = item.state
    series_of = engine.store.series.of_characters()
    all_said = [_said(one, choices, series_of, sent.get(one.digest, {})) for one in files]
    wanted = [one for one in all_said if one.new or one.stale]
    held = yield from _held(hydrus, service, [one.file.digest for one in wanted])
    plan = _planned(wanted, held)
    yield Finished(TagPlan(service, place, *plan))


def send_tags(engine: Engine, hydrus: Hydrus, plan: TagPlan) -> Job[int]:
    """Send what was planned; the result is how many files were changed.

    What an event tells is sent and noted, so that the job may be left after any of them, and done
    again.
    """
    yield Started("sending", len(plan.changes), "file")
    for some in _groups(plan.changes):
        digests = [one.digest for one in some]
        first = some[0]
        _note(engine, plan, digests, first.tags, SentState.BEGUN)
        if first.add or first.remove:
            hydrus.change_tags(
                digests, plan.service, add=first.add, remove=first.remove, again=False
            )
        if first.again:
            hydrus.change_tags(digests, plan.service, add=first.again, remove=(), again=True)
        _note(engine, plan, digests, first.tags, SentState.SENT)
        _note(engine, plan, digests, first.remove, SentState.WITHDRAWN)
        yield Advanced(len(some))
    yield Finished(len(plan.changes))


def _said(
    file: AnsweredFile,
    choices: TagChoices,
    series_of: Mapping[str, str],
    sent: Mapping[str, SentState],
) -> _Said:
    wanted = _tags([one for one in file.faces if choices.least.takes(one)], series_of)
    kept = _tags([one for one in file.faces if stands(one)], series_of)
    told = {_status(one) for one in file.faces if not one.is_set_aside}
    wanted |= {STATUS + one for one in told.intersection(choices.statuses)}
    kept |= {STATUS + one for one in told}
    return _Said(file, wanted, kept | wanted, sent)


def _tags(answers: Iterable[Answer], series_of: Mapping[str, str]) -> frozenset[str]:
    names = {one.character for one in answers if one.character is not None}
    series = {series_of[name] for name in names if name in series_of}
    spaced = [(NAMESPACE, name) for name in names] + [(SERIES, name) for name in series]
    return frozenset(cleaned(space + tag) for space, name in spaced if (tag := tag_of(name)))


def _status(answer: Answer) -> Status:
    return Status.CONFIRMED if answer.decided is Decided.CONFIRMED else Status(answer.verdict.value)


def _held(
    hydrus: Hydrus, service: TagService, digests: Sequence[str]
) -> Stage[dict[str, HeldTags]]:
    yield Started("comparing", len(digests), "file")
    found: dict[str, HeldTags] = {}
    for start in range(0, len(digests), AT_ONCE):
        some = digests[start : start + AT_ONCE]
        found |= hydrus.tags_of(some, service)
        yield Advanced(len(some))
    return found


def _planned(
    wanted: Sequence[_Said], held: Mapping[str, HeldTags]
) -> tuple[tuple[TagChange, ...], int, int, int]:
    changes: list[TagChange] = []
    unheld = there = taken = 0
    for one in wanted:
        tags = held.get(one.file.digest)
        if tags is None:
            unheld += 1
            continue
        ours = {tag for tag, state in one.sent.items() if state is not SentState.WITHDRAWN}
        others = (one.new & tags.current) - ours
        refused = (one.new & tags.deleted) - one.sent.keys()
        again = (one.new - others) & (one.sent.keys() - ours)
        there, taken = there + len(others), taken + len(refused)
        change = TagChange(
            one.file.digest,
            one.file.path,
            tuple(sorted(one.new - others - refused - again)),
            tuple(sorted(again)),
            tuple(sorted(one.stale)),
        )
        if change.tags or change.remove:
            changes.append(change)
    return tuple(changes), unheld, there, taken


def _groups(changes: Iterable[TagChange]) -> Iterator[list[TagChange]]:
    """Yield files that get and lose the same, so many at once."""

    def same(one: TagChange) -> tuple[tuple[str, ...], ...]:
        return one.add, one.again, one.remove

    for _, alike in groupby(sorted(changes, key=same), same):
        own = list(alike)
        for start in range(0, len(own), AT_ONCE):
            yield own[start : start + AT_ONCE]


def _note(
    engine: Engine,
    plan: TagPlan,
    digests: Sequence[str],
    tags: Sequence[str],
    state: SentState,
) -> None:
    items = [SentItem(SentKey(digest, tag), state) for digest in digests for tag in tags]
    if items:
        with engine.store.writing() as writer:
            writer.sent.note(plan.place, items)
