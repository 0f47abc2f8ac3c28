"""No two faces of a picture share a name: probabilities, holders, and who is beside whom."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from gallery.identify.distinct import (
    NOBODY,
    Numbers,
    companies,
    holders,
    is_contested,
    joint_chances,
)
from gallery.types import Box, Place, VideoTrack


def all_beside(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return ~np.eye(count, dtype=np.bool_)


def by_enumeration(chances: Numbers) -> Numbers:
    """The same by all assignments of names, or nobody, in which no name comes twice."""
    faces, names = chances.shape
    found = np.zeros_like(chances)
    total = 0.0
    for chosen in product(range(names + 1), repeat=faces):
        named = [one for one in chosen if one < names]
        if len(named) != len(set(named)):
            continue
        likely = np.prod(
            [
                chances[face, one] if one < names else 1 - chances[face].sum()
                for face, one in enumerate(chosen)
            ]
        )
        total += likely
        for face, one in enumerate(chosen):
            if one < names:
                found[face, one] += likely
    return np.asarray(found / total)


def test_of_one_name_the_odds_tell() -> None:
    chances = np.array([[0.95], [0.3]])
    odds = chances / (1 - chances)
    expected = odds / (1 + odds.sum())
    assert joint_chances(chances, all_beside(2)) == pytest.approx(expected)
    assert by_enumeration(chances) == pytest.approx(expected)
    assert joint_chances(chances, np.zeros((2, 2), np.bool_)) == pytest.approx(chances)


def test_of_several_names_it_is_near_what_all_assignments_say() -> None:
    generator = np.random.default_rng(4)
    for _ in range(20):
        chances = generator.dirichlet(np.full(4, 0.5), size=3)[:, :3]
        found = joint_chances(chances, all_beside(3))
        assert np.abs(found - by_enumeration(chances)).max() < 0.12
        assert (found.sum(axis=0) < 1.05).all()


def test_a_name_that_is_certain_is_left_to_its_face() -> None:
    found = joint_chances(np.array([[1 - 1e-9, 0.0], [0.6, 0.3]]), all_beside(2))
    assert found[0, 0] > 0.99
    assert found[1] == pytest.approx([0.0, 0.75], abs=1e-6)


def test_the_worthiest_face_holds_a_name_and_the_other_its_next() -> None:
    worth = np.array([[0.5, 0.4], [0.6, 0.0], [0.0, 0.0]])
    assert holders(worth, all_beside(3)).tolist() == [1, 0, NOBODY]
    assert holders(worth, np.zeros((3, 3), np.bool_)).tolist() == [0, 0, NOBODY]
    # Two faces that a person gave one name both keep it.
    worth[:2, 0] = np.inf
    assert holders(worth, all_beside(3)).tolist() == [0, 0, NOBODY]


def track(shot: int, start: float, end: float) -> VideoTrack:
    return VideoTrack(shot, 1, start, end, start, 3)


def test_faces_are_beside_each_other_in_one_picture_and_at_one_time() -> None:
    left, right, twice = Box(0, 0, 50, 50), Box(60, 0, 110, 50), Box(2, 2, 48, 48)
    picture, film = Place("a"), "b"
    places = [picture, picture, picture, Place("c")]
    (found,) = companies(places, [left, right, twice, left])
    assert found.rows == [0, 1, 2]
    # A head that was found twice is one person.
    assert np.argwhere(found.beside).tolist() == [[0, 1], [1, 0], [1, 2], [2, 1]]
    times = [track(1, 0, 2), track(1, 1, 3), track(1, 2.5, 4), track(2, 5, 6)]
    (found,) = companies([Place(film, one) for one in times], [left, right, left, right])
    assert found.rows == [0, 1, 2]
    assert np.argwhere(found.beside).tolist() == [[0, 1], [1, 0], [1, 2], [2, 1]]


def test_a_name_is_contested_by_two_people_alone() -> None:
    assert is_contested(["Rei", "Rei"], all_beside(2))
    assert not is_contested(["Rei", "Asuka"], all_beside(2))
    assert not is_contested([None, None], all_beside(2))
    assert not is_contested(["Rei", "Rei"], np.zeros((2, 2), np.bool_))
