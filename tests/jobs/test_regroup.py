"""A person puts groups of unknown faces right; that stays, and can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes import Square, write_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import identify_files

from gallery.engine.engine import Engine
from gallery.errors import InputError, NoSuchCluster, NothingToUndo, OtherGroup
from gallery.events import result_of
from gallery.jobs import decide
from gallery.jobs.cluster import cluster
from gallery.jobs.meant import SeenFace
from gallery.jobs.regroup import SeenGroup, join, split, tell_apart
from gallery.store.steps import Action

COLOURS = ((20, 200, 20), (230, 30, 200), (220, 220, 20))


@pytest.fixture
def grouped(gallery: Engine, tmp_path: Path) -> Engine:
    """Three clusters: of four faces, three and two, with the numbers 1, 2 and 3."""
    for number, colour in enumerate(COLOURS):
        for face in range(4 - number):
            where = tmp_path / "new" / f"{number}-{face}.png"
            write_picture(where, Square(10, 20, 60, colour), seed=10 * number + face)
    list(identify_files(gallery, sorted((tmp_path / "new").iterdir()), keep=True))
    result_of(cluster(gallery))
    return gallery


def groups(gallery: Engine) -> dict[int | None, list[int]]:
    found: dict[int | None, list[int]] = {}
    for one in gallery.store.sightings.all():
        found.setdefault(one.cluster, []).append(one.id)
    return found


def seen(gallery: Engine, number: int) -> SeenGroup:
    return SeenGroup(number, tuple(groups(gallery)[number]))


def test_joined_groups_are_one_and_undo_parts_them(grouped: Engine) -> None:
    before = groups(grouped)
    done = join(grouped, [seen(grouped, 2), seen(grouped, 1)], who="")
    assert (done.number, done.faces, done.step.faces) == (2, 7, 4)
    assert done.step.title == "joined 4 to another group"
    assert groups(grouped) == {2: sorted(before[1] + before[2]), 3: before[3]}
    undone = decide.undo(grouped)
    assert (undone.restored, undone.kept) == (4, 0)
    assert undone.steps[0].title == f"undid step {done.step.id} for 4"
    assert groups(grouped) == before
    assert decide.undo(grouped, [undone.steps[0].id]).restored == 4
    assert groups(grouped).keys() == {2, 3}


def test_what_is_split_off_is_a_group_that_nobody_asks_for_again(grouped: Engine) -> None:
    first, *rest = groups(grouped)[1]
    done = split(grouped, seen(grouped, 1), [first], who="")
    assert (done.number, done.faces) == (4, 1)
    assert done.step.title == "split 1 off into a group of their own"
    assert groups(grouped)[4] == [first]
    assert grouped.store.groups.told_apart() == {(first, rest[0])}
    decide.undo(grouped)
    assert groups(grouped)[1] == [first, *rest]
    assert grouped.store.groups.told_apart() == frozenset()
    with pytest.raises(NothingToUndo):
        decide.undo(grouped)


def test_faces_that_are_in_no_group_become_one(grouped: Engine) -> None:
    lone = groups(grouped)[3]
    with grouped.store.writing() as writer:
        writer.sightings.group(dict.fromkeys(lone))
    assert split(grouped, SeenGroup(None, tuple(lone)), lone).number == 3
    assert grouped.store.groups.told_apart() == frozenset()
    decide.undo(grouped)
    assert groups(grouped)[None] == lone


def test_groups_that_are_not_the_same_stay_so_in_whatever_group_they_come(
    grouped: Engine,
) -> None:
    one, other = groups(grouped)[1][0], groups(grouped)[2][0]
    step = tell_apart(grouped, seen(grouped, 2), seen(grouped, 1))
    assert step.title == "said that two groups are not the same"
    join(grouped, [seen(grouped, 3), seen(grouped, 1)])
    assert grouped.store.groups.told_apart() == {(one, other)}
    assert decide.undo(grouped, [step.id]).steps[0].title == f"undid step {step.id}"
    assert grouped.store.groups.told_apart() == frozenset()


def test_what_was_grouped_otherwise_meanwhile_is_told_and_nothing_is_done(
    grouped: Engine,
) -> None:
    one, two, three = (seen(grouped, number) for number in (1, 2, 3))
    join(grouped, [one, two])
    before, steps = groups(grouped), len(grouped.store.decisions.steps())
    for act in (
        lambda: join(grouped, [three, two]),
        lambda: split(grouped, SeenGroup(3, two.faces), two.faces),
        lambda: split(grouped, three, two.faces),
        lambda: tell_apart(grouped, three, SeenGroup(1, three.faces)),
        lambda: split(grouped, SeenGroup(None, two.faces), two.faces),
        lambda: split(grouped, SeenGroup(None, (999,)), [999]),
    ):
        with pytest.raises((OtherGroup, NoSuchCluster)):
            act()
    assert (groups(grouped), len(grouped.store.decisions.steps())) == (before, steps)


def test_what_has_no_meaning_is_refused(grouped: Engine) -> None:
    one = seen(grouped, 1)
    for act in (
        lambda: join(grouped, [one]),
        lambda: join(grouped, [one, one]),
        lambda: join(grouped, [one, SeenGroup(None, (1,))]),
        lambda: split(grouped, one, one.faces),
        lambda: tell_apart(grouped, one, one),
    ):
        with pytest.raises(InputError):
            act()
    assert grouped.store.decisions.steps() == []


def test_undo_leaves_alone_what_was_grouped_since(grouped: Engine) -> None:
    first = groups(grouped)[2][0]
    step = join(grouped, [seen(grouped, 1), seen(grouped, 2)]).step.id
    split(grouped, seen(grouped, 1), [first])
    undone = decide.undo(grouped, [step])
    assert (undone.restored, undone.kept) == (2, 1)
    assert len(groups(grouped)[2]) == 2
    assert decide.undo(grouped, [step]).steps == ()


def test_a_later_clustering_keeps_what_a_person_grouped(grouped: Engine, tmp_path: Path) -> None:
    first = groups(grouped)[1][0]
    split(grouped, seen(grouped, 1), [first])
    joined = join(grouped, [seen(grouped, 2), seen(grouped, 3)])
    before = groups(grouped)
    write_picture(tmp_path / "more.png", Square(10, 20, 60, COLOURS[0]), seed=90)
    list(identify_files(grouped, [tmp_path / "more.png"], keep=True))
    for afresh in (False, True):
        result_of(cluster(grouped, afresh=afresh))
        now = groups(grouped)
        assert all(set(before[number]) <= set(now[number]) for number in before)
        assert now[joined.number] == before[joined.number]
        assert sum(map(len, now.values())) == 10


def test_a_number_is_never_given_to_another_group(grouped: Engine, tmp_path: Path) -> None:
    join(grouped, [seen(grouped, 1), seen(grouped, 3)])
    for number in range(2):
        where = tmp_path / "blue" / f"{number}.png"
        write_picture(where, Square(10, 20, 60, (20, 20, 220)), seed=95 + number)
    list(identify_files(grouped, sorted((tmp_path / "blue").iterdir()), keep=True))
    result_of(cluster(grouped))
    assert sorted(filter(None, groups(grouped))) == [1, 2, 4]


def test_steps_of_decisions_and_of_groups_are_undone_newest_first(grouped: Engine) -> None:
    face = groups(grouped)[3][0]
    join(grouped, [seen(grouped, 1), seen(grouped, 2)])
    result_of(decide.set_aside(grouped, [SeenFace(face)], Action.IGNORE))
    split(grouped, seen(grouped, 1), groups(grouped)[1][:2])
    undone = [decide.undo(grouped).steps[0].undoes for _ in range(3)]
    assert undone == [3, 2, 1]


def test_groups_go_with_their_faces(grouped: Engine) -> None:
    split(grouped, seen(grouped, 1), groups(grouped)[1][:1])
    with grouped.store.writing() as writer:
        writer.sightings.forget()
    assert grouped.store.groups.by_hand() == frozenset()
    assert grouped.store.groups.told_apart() == frozenset()
    assert grouped.store.check() == []


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.lists(st.integers(0, 4), min_size=2, max_size=3)),
        st.tuples(st.just("split"), st.lists(st.integers(0, 8), min_size=1, max_size=4)),
        st.tuples(st.just("undo"), st.lists(st.integers(0, 9), min_size=1, max_size=1)),
    ),
    max_size=9,
)


@settings(max_examples=20)
@given(acts=ACTS)
def test_undoing_all_goes_back_to_the_beginning(
    shared: Engine, acts: Sequence[tuple[str, list[int]]]
) -> None:
    start = groups(shared)
    for act, numbers in acts:
        now = groups(shared)
        there = sorted(one for one in now if one is not None)
        try:
            if act == "join":
                wanted = dict.fromkeys(there[number % len(there)] for number in numbers)
                join(shared, [seen(shared, number) for number in wanted])
            elif act == "split":
                faces = [sorted(sum(now.values(), []))[number] for number in numbers]  # noqa: RUF017
                (own, *_) = (one for one in there if faces[0] in now[one])
                split(shared, seen(shared, own), [one for one in faces if one in now[own]])
            else:
                steps = shared.store.decisions.steps()
                if steps:
                    decide.undo(shared, [steps[numbers[0] % len(steps)].id])
        except InputError:
            pass
    for _ in range(20):
        try:
            decide.undo(shared)
        except NothingToUndo:
            break
    assert groups(shared) == start
    assert shared.store.groups.by_hand() == frozenset()


@pytest.fixture
def shared(grouped: Engine) -> Engine:
    """One gallery for all examples: each ends where it began."""
    return grouped
