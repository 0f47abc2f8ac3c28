"""Groups of unknown faces: the same as SciPy's, and steady when more faces come."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from gallery.events import value_of
from gallery.numerics.clustering import average_linkage, drawn_together, group, join
from gallery.numerics.clustering import drawn as drawn_to

Faces = NDArray[np.float32]


def drawn(characters: int, faces: int, spread: float, seed: int = 0) -> tuple[Faces, list[int]]:
    """Faces around centres of length 0.5, and whose each is, in mixed order."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(characters, 128))
    centres *= 0.5 / np.linalg.norm(centres, axis=1, keepdims=True)
    labels = generator.permutation(np.repeat(np.arange(characters), faces))
    noise = generator.normal(size=(len(labels), 128)) * spread / np.sqrt(128)
    return (centres[labels] + noise).astype(np.float32), labels.tolist()


def partition(labels: NDArray[np.int64] | list[int]) -> set[frozenset[int]]:
    found: dict[int, set[int]] = {}
    for row, label in enumerate(labels):
        found.setdefault(int(label), set()).add(row)
    return {frozenset(rows) for rows in found.values()}


@pytest.mark.parametrize("spread", [0.1, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("reach", [0.2, 0.45, 0.6, 0.7])
def test_groups_are_those_of_average_linkage(spread: float, reach: float) -> None:
    faces, _ = drawn(12, 9, spread)
    tree = linkage(pdist(faces.astype(np.float64), "sqeuclidean"), "average")
    found = average_linkage(faces.astype(np.float64), reach)
    assert partition(found) == partition(fcluster(tree, reach**2, "distance"))


def test_neighbours_draw_together_and_nobody_else() -> None:
    faces, labels = drawn(6, 5, 0.3)
    moved = drawn_together(faces.astype(np.float64), 0.5)

    def spread(vectors: NDArray[np.float64]) -> float:
        mark = np.array(labels)
        return float(np.mean([vectors[mark == name].std(axis=0).mean() for name in range(6)]))

    assert spread(moved) < 0.6 * spread(faces.astype(np.float64))
    pair = np.array([[0.0] * 128, [9.0] * 128])
    assert np.allclose(drawn_together(pair, 0.5), pair)


def test_a_face_is_drawn_to_others_but_to_no_copy_of_itself() -> None:
    face, other = np.zeros((1, 128)), np.zeros((1, 128))
    other[0, 0] = 0.3
    towards = value_of(drawn_to(face, np.concatenate([face + 1e-4, other]), 0.3, copies=0.05))
    weight = np.exp(-1.0)
    assert towards[0, 0] == pytest.approx(0.3 * weight / (1 + weight))
    assert np.array_equal(value_of(drawn_to(face, other, 0.0)), face)
    assert np.array_equal(value_of(drawn_to(face, other[:0], 0.3)), face)


def test_characters_far_apart_are_groups_numbered_by_their_first_faces() -> None:
    faces, labels = drawn(6, 5, 0.2)
    found = group(faces, 0.5).tolist()
    assert partition(found) == partition(labels)
    assert list(dict.fromkeys(found)) == list(range(6))


def test_the_order_of_faces_changes_no_group() -> None:
    faces, _ = drawn(20, 6, 0.55)
    order = np.random.default_rng(1).permutation(len(faces))
    again = group(faces[order], 0.52)
    back = np.empty_like(again)
    back[order] = again
    assert partition(back) == partition(group(faces, 0.52))


def test_none_one_and_identical_faces() -> None:
    faces, _ = drawn(1, 1, 0.1)
    assert group(faces[:0], 0.5).tolist() == []
    assert group(faces, 0.5).tolist() == [0]
    assert group(np.repeat(faces, 50, axis=0), 0.0).max() <= 49  # rounding may part them
    assert group(np.repeat(faces, 50, axis=0), 0.01).tolist() == [0] * 50


def test_numbers_stay_and_new_faces_join_them() -> None:
    faces, labels = drawn(8, 10, 0.25)
    mark = np.array(labels)
    known = mark < 5
    first = np.zeros(len(faces), np.int64)
    first[known] = join(faces[known], np.zeros(known.sum(), np.int64), 0.5)
    assert set(first[known].tolist()) == {1, 2, 3, 4, 5}
    # Of the first five characters half of the faces are forgotten, to come back.
    half = first.copy()
    half[np.flatnonzero(known)[::2]] = 0
    now = join(faces, half, 0.5)
    assert (now[half > 0] == half[half > 0]).all()
    assert (now[known] == first[known]).all()
    assert set(now[~known].tolist()) == {6, 7, 8}
    assert partition(now) == partition(labels)
    assert np.array_equal(join(faces, now, 0.5), now)


def test_single_faces_have_no_number_and_numbers_are_not_used_again() -> None:
    faces, labels = drawn(4, 3, 0.2)
    alone = [row for row, label in enumerate(labels) if label == 0][1:]
    faces = np.delete(faces, alone, axis=0)
    labels = [label for row, label in enumerate(labels) if row not in alone]
    found = join(faces, np.zeros(len(faces), np.int64), 0.5, first=40)
    assert found[labels.index(0)] == 0
    assert set(found.tolist()) == {0, 40, 41, 42}


def test_large_clusters_come_first() -> None:
    one, _ = drawn(1, 3, 0.2, seed=1)
    two, _ = drawn(1, 7, 0.2, seed=2)
    found = join(np.concatenate([one, two]), np.zeros(10, np.int64), 0.5)
    assert found.tolist() == [2] * 3 + [1] * 7


def test_faces_that_are_apart_are_in_two_clusters() -> None:
    """Of each pair of twins in one picture, one stays; the others make a cluster of their own."""
    faces, _ = drawn(1, 8, 0.1)
    pairs = [(0, 1), (2, 3), (4, 5)]
    nobody = np.zeros(8, np.int64)
    assert set(join(faces, nobody, 0.45)) == {1}
    found = join(faces, nobody, 0.45, 1, pairs)
    assert set(found) == {1, 2}
    assert all(found[one] != found[other] for one, other in pairs)
    assert (found == 2).sum() == 3
    # A single face that leaves is in no cluster.
    assert sorted(join(faces, nobody, 0.45, 1, pairs[:1])) == [0, *[1] * 7]
    # What was in one cluster before stays there.
    assert set(join(faces, np.full(8, 4), 0.45, 1, pairs)) == {4}
    former = np.array([4, 0, 4, 4, 4, 4, 4, 4])
    assert join(faces, former, 0.45, 1, pairs)[1] == 0
