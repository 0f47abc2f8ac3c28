"""From descriptors to characters in the four modes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import new_sample, vector
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.identify.index_cache import IndexCache
from gallery.identify.matching import VOTERS, Matcher, by_votes, first_of_each
from gallery.store.reader import Store
from gallery.types import DIMENSION, Descriptor, Match, MatchMode

ALL = list(MatchMode)


def at(*places: float) -> Descriptor:
    """A descriptor whose first numbers are these."""
    made = np.zeros(DIMENSION, np.float32)
    made[: len(places)] = places
    return made


def fill(store: Store, characters: dict[str, list[Descriptor]], first: int = 0) -> None:
    number = first
    with store.writing() as writer:
        for name, descriptors in characters.items():
            for one in descriptors:
                number += 1
                writer.add(new_sample(name, number, {"fake": one}))


def matcher(store: Store, folder: Path | None = None) -> Matcher:
    return Matcher(store, "fake", IndexCache(folder))


def ask(store: Store, mode: MatchMode, query: Descriptor, count: int = 10) -> list[Match]:
    (found,) = matcher(store).match(query[None], mode, count)
    return found


def apart(matches: list[Match]) -> dict[str, float]:
    return {match.character: round(match.distance, 4) for match in matches}


@pytest.fixture
def three(store: Store) -> Store:
    """Spread lies around 0 (best at 1), Tight at 4, Noise at 9."""
    fill(
        store,
        {
            "Spread": [at(-4), at(1), at(3)],
            "Tight": [at(4), at(4.25), at(4.5)],
            "Noise": [at(9)],
        },
    )
    return store


def test_each_mode_measures_from_what_it_says(three: Store) -> None:
    query = at(3)
    assert apart(ask(three, MatchMode.IDEAL, query)) == {"Tight": 1.25, "Spread": 3, "Noise": 6}
    assert apart(ask(three, MatchMode.BEST, query)) == {"Tight": 1.25, "Spread": 2, "Noise": 6}
    assert apart(ask(three, MatchMode.NEAREST, query)) == {"Spread": 0, "Tight": 1, "Noise": 6}
    for mode in (MatchMode.IDEAL, MatchMode.BEST, MatchMode.NEAREST):
        distances = [match.distance for match in ask(three, mode, query)]
        assert distances == sorted(distances)


def test_votes_put_many_near_before_one_nearest(three: Store) -> None:
    query = at(3.45)
    assert ask(three, MatchMode.NEAREST, query)[0].character == "Spread"
    voted = ask(three, MatchMode.VOTE, query)
    # 1 / 0.45^2 = 4.9 and little more against 1 / 0.55^2 + 1 / 0.8^2 + 1 / 1.05^2 = 5.8.
    assert [match.character for match in voted] == ["Tight", "Spread", "Noise"]
    assert apart(voted) == {"Tight": 0.55, "Spread": 0.45, "Noise": 5.55}


def test_one_very_near_outvotes_several_far() -> None:
    voters = [(1, 0.1), (2, 0.5), (2, 0.5), (2, 0.5)]
    assert by_votes(voters, first_of_each(voters)) == [(1, 0.1), (2, 0.5)]


def test_those_without_a_vote_follow_by_distance() -> None:
    nearest = [(1, 0.1), (2, 0.4), (3, 0.5)]
    assert by_votes([(1, 0.1)], nearest) == nearest
    assert by_votes([(1, 0.0), (1, 0.0)], nearest)[0] == (1, 0.1)


@pytest.mark.parametrize("mode", ALL)
def test_reject_classes_are_marked(three: Store, mode: MatchMode) -> None:
    marks = {match.character: match.is_reject for match in ask(three, mode, at(9))}
    assert marks == {"Noise": True, "Tight": False, "Spread": False}
    assert ask(three, mode, at(9))[0].character == "Noise"


@pytest.mark.parametrize("mode", ALL)
@pytest.mark.parametrize("count", [1, 2, 3, 100, 10_000])
def test_no_more_characters_are_named_than_asked_for_and_there(
    three: Store, mode: MatchMode, count: int
) -> None:
    found = ask(three, mode, at(3), count)
    assert len(found) == min(count, 3)
    assert len({match.character for match in found}) == len(found)


@pytest.mark.parametrize("mode", ALL)
def test_an_empty_gallery_names_nobody(store: Store, mode: MatchMode) -> None:
    assert ask(store, mode, at(1)) == []
    assert matcher(store).match(np.zeros((0, DIMENSION), np.float32), mode, 3) == []


@pytest.mark.parametrize("mode", ALL)
def test_a_character_without_samples_is_not_named(store: Store, mode: MatchMode) -> None:
    fill(store, {"Rei": [at(1)]})
    with store.writing() as writer:
        writer.character_id("Nobody yet")
    assert [match.character for match in ask(store, mode, at(1))] == ["Rei"]


@pytest.mark.parametrize("mode", [MatchMode.NEAREST, MatchMode.VOTE])
def test_the_second_character_is_found_behind_many_samples_of_the_first(
    store: Store, mode: MatchMode
) -> None:
    fill(
        store,
        {
            "Many": [at(0.001 * number) for number in range(20 * VOTERS)],
            "Few": [at(5)],
            "Far": [at(9)],
        },
    )
    found = ask(store, mode, at(0), 3)
    assert [match.character for match in found] == ["Many", "Few", "Far"]


@pytest.mark.parametrize("mode", ALL)
@pytest.mark.parametrize("folder", ["index", None])
def test_a_matcher_always_answers_for_the_gallery_as_it_is_now(
    three: Store, tmp_path: Path, mode: MatchMode, folder: str | None
) -> None:
    kept = matcher(three, tmp_path / folder if folder else None)

    def first(query: Descriptor) -> str:
        return kept.match(query[None], mode, 1)[0][0].character

    assert first(at(9)) == "Noise"
    (noise,) = [one for one in three.samples("fake") if one.character == "Noise"]
    with three.writing() as writer:
        writer.move([noise.id], "Asuka")
    assert first(at(9)) == "Asuka"
    with three.writing() as writer:
        writer.rename("Asuka", "Soryu")
    assert first(at(9)) == "Soryu"
    with three.writing() as writer:
        writer.merge("Soryu", "Tight")
    assert all(match.character != "Soryu" for match in kept.match(at(9)[None], mode, 10)[0])
    fill(three, {"Misato": [at(-40)]}, first=50)
    assert first(at(-40)) == "Misato"
    with three.writing() as writer:
        writer.forget("Misato")
        writer.forget_samples([noise.id])
    assert first(at(-40)) == "Spread"
    assert first(at(9)) == "Tight"


@pytest.mark.parametrize("mode", ALL)
def test_many_faces_at_once_get_what_each_gets_alone(three: Store, mode: MatchMode) -> None:
    queries = np.stack([vector(number) * np.float32(4) for number in range(50)])
    together = matcher(three).match(queries, mode, 3)
    for query, found in zip(queries, together, strict=True):
        alone = ask(three, mode, query, 3)
        assert [match.character for match in alone] == [match.character for match in found]
        assert [match.distance for match in alone] == pytest.approx(
            [match.distance for match in found], abs=1e-5
        )


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), owners=st.lists(st.integers(0, 4), min_size=1, max_size=15))
def test_nearest_is_never_farther_than_best_and_ideal_than_the_farthest(
    tmp_path_factory: pytest.TempPathFactory, seed: int, owners: list[int]
) -> None:
    descriptors = [vector(seed * 100 + number) for number in range(len(owners))]
    query = vector(seed + 10**6)
    with Store("sqlite://", create=True) as store:
        for number, (owner, one) in enumerate(zip(owners, descriptors, strict=True)):
            fill(store, {f"character {owner}": [one]}, first=number)
        found = {mode: apart(ask(store, mode, query, 10)) for mode in ALL}
    for owner in set(owners):
        name = f"character {owner}"
        own = [
            float(np.linalg.norm(one - query))
            for whose, one in zip(owners, descriptors, strict=True)
            if whose == owner
        ]
        assert found[MatchMode.NEAREST][name] == pytest.approx(min(own), abs=1e-3)
        assert found[MatchMode.VOTE][name] == found[MatchMode.NEAREST][name]
        # Best is one of the samples; the distance from a mean is at most the mean distance.
        assert found[MatchMode.NEAREST][name] <= found[MatchMode.BEST][name] + 1e-4
        assert found[MatchMode.IDEAL][name] <= sum(own) / len(own) + 1e-4
