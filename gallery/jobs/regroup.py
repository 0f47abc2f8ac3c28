"""Putting groups of unknown faces right: what `cluster` made is joined, split, or told apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gallery.engine.engine import Engine
from gallery.errors import InputError, NoSuchCluster, OtherGroup
from gallery.jobs.decide import person
from gallery.store.grouping import GroupWriter
from gallery.store.steps import Action, Step


@dataclass(frozen=True, slots=True)
class SeenGroup:
    """A cluster of unknown faces as a person saw it."""

    number: int | None
    """None for faces that are in no cluster."""
    faces: tuple[int, ...]
    """Those of its faces that were seen, one or more. Where one of them is in another cluster by
    now, somebody grouped them otherwise meanwhile."""


@dataclass(frozen=True, slots=True)
class Regrouped:
    """What became of groups."""

    step: Step
    number: int
    """The cluster that the faces are in now."""
    faces: int
    """How many are in it, also those that have a name by now."""


def join(engine: Engine, groups: Sequence[SeenGroup], *, who: str | None = None) -> Regrouped:
    """Make one cluster of several, all faces of them, under the number of the first one.

    Raises InputError for fewer than two, and where somebody grouped the faces otherwise meanwhile.
    """
    numbers = list(dict.fromkeys(one.number for one in groups if one.number is not None))
    if len(numbers) < 2 or len(numbers) < len(groups):
        raise InputError("Two groups or more are joined, each of them once.")
    into, rest = numbers[0], numbers[1:]
    with engine.store.writing() as writer:
        own = writer.decisions.groups
        for one in groups:
            _check(own, one)
        members = own.members(numbers)
        step = writer.decisions.begin(Action.JOIN, person(who))
        own.regroup(step, {face: into for number in rest for face in members[number]})
        done = writer.decisions.step(step)
    return Regrouped(done, into, sum(map(len, members.values())))


def split(
    engine: Engine, group: SeenGroup, faces: Collection[int], *, who: str | None = None
) -> Regrouped:
    """Make a cluster of their own of some faces of one, or of faces that are in none.

    The two are told apart, so that nobody asks whether they are the same. Raises InputError where
    nothing would be left, and where somebody grouped the faces otherwise meanwhile.
    """
    chosen = sorted(set(faces))
    with engine.store.writing() as writer:
        own = writer.decisions.groups
        _check(own, group)
        _check(own, SeenGroup(group.number, tuple(chosen)))
        rest: list[int] = []
        if group.number is not None:
            rest = [one for one in own.members([group.number])[group.number] if one not in faces]
            if not rest:
                raise InputError("These are all faces of the group; leave some of them in it.")
        number = own.free_number()
        step = writer.decisions.begin(Action.SPLIT, person(who))
        own.regroup(step, dict.fromkeys(chosen, number))
        if rest:
            own.tell_apart(step, [(chosen[0], rest[0])])
        done = writer.decisions.step(step)
    return Regrouped(done, number, len(chosen))


def tell_apart(engine: Engine, one: SeenGroup, other: SeenGroup, *, who: str | None = None) -> Step:
    """Say that two clusters are not the same; nobody asks for them again, and return the step.

    Raises InputError for one alone, and where somebody grouped the faces otherwise meanwhile.
    """
    if one.number == other.number:
        raise InputError("A group is the same as itself.")
    with engine.store.writing() as writer:
        own = writer.decisions.groups
        for group in (one, other):
            _check(own, group)
        step = writer.decisions.begin(Action.APART, person(who))
        own.tell_apart(step, [(one.faces[0], other.faces[0])])
        return writer.decisions.step(step)


def _check(groups: GroupWriter, seen: SeenGroup) -> None:
    """Raise InputError where faces are not in the cluster that they were seen in."""
    clusters = groups.clusters(seen.faces)
    if seen.number is not None and not any(groups.members([seen.number]).values()):
        raise NoSuchCluster(seen.number)
    if not seen.faces or any(clusters.get(one, 0) != seen.number for one in seen.faces):
        raise OtherGroup(seen.number or 0)
