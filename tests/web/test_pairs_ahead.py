"""Pairs that are found in the background, and looked through on a request."""

from __future__ import annotations

from pathlib import Path

import pytest
from reviewed import client_of, desk_of, get, given, post, reviewed, two_of_one

from gallery.engine.engine import Engine
from gallery.jobs import regroup
from gallery.jobs.regroup import SeenGroup
from gallery.web.pairs_ahead import PairsAhead


@pytest.fixture
def halves(gallery: Engine, tmp_path: Path) -> tuple[int, int]:
    """Two groups that are one."""
    reviewed(gallery, tmp_path, unknown=6)
    desk_of(gallery)
    (number,) = {one.cluster for one in gallery.store.sightings.all() if one.cluster}
    return two_of_one(gallery, number)


def seen(gallery: Engine, number: int) -> SeenGroup:
    return SeenGroup(number, tuple(gallery.store.answers.unknown_members([number])[number]))


def test_some_groups_have_the_members_that_all_have(
    gallery: Engine, halves: tuple[int, int]
) -> None:
    every = gallery.store.answers.unknown_members()
    assert set(every) == set(halves)
    for one in halves:
        assert gallery.store.answers.unknown_members([one]) == {one: every[one]}
    assert gallery.store.answers.unknown_members([]) == {}


def test_what_was_answered_since_is_left_out(gallery: Engine, halves: tuple[int, int]) -> None:
    ahead = PairsAhead()
    ahead.in_background = True
    one, other = halves
    found, members = ahead.open(gallery)
    assert {found[0].group, found[0].other} == set(halves) == set(members)
    regroup.tell_apart(gallery, seen(gallery, one), seen(gallery, other))
    assert ahead.open(gallery)[0] == []


def test_pairs_are_found_anew_once_nothing_changes(
    gallery: Engine, halves: tuple[int, int]
) -> None:
    ahead = PairsAhead()
    ahead.in_background = True
    one, other = halves
    step = regroup.tell_apart(gallery, seen(gallery, one), seen(gallery, other)).id
    assert ahead.open(gallery)[0] == []
    with gallery.store.writing() as writer:
        writer.decisions.undo(step, "")
    ahead.follow(gallery)
    assert ahead.open(gallery)[0] == []
    ahead.follow(gallery)
    assert len(ahead.open(gallery)[0]) == 1


def test_without_a_background_every_request_finds_them(
    gallery: Engine, halves: tuple[int, int]
) -> None:
    client = client_of(gallery)
    (pair,) = get(client, "pairs")["pairs"]
    faces = given([*pair["one"]["faces"], *pair["other"]["faces"]])
    step = post(client, "decisions", action="ignore", faces=faces)["step"]["id"]
    assert get(client, "pairs")["pairs"] == []
    post(client, "undo", step=step)
    assert len(get(client, "pairs")["pairs"]) == 1
