"""Seen faces are found by likeness, and what is held in memory stays true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import vector

from gallery.identify.seen import SeenFaces
from gallery.store.reader import Store
from gallery.store.sightings import Observation
from gallery.types import Box, Crop, DescribedFace, Face, Quality

BLANK: Crop = np.zeros((150, 150, 3), np.uint8)
NO_QUALITY = Quality(0.0, 0.0, None, None, None)


def see(store: Store, number: int, *vectors: int, encoder: str = "fake") -> list[int]:
    """Note a picture with a face for each of the vectors, and return their numbers."""
    faces = tuple(
        DescribedFace(
            Face(Box(100.0 * place, 0.0, 100.0 * place + 50, 50.0), 0.9),
            BLANK,
            vector(one),
            NO_QUALITY,
        )
        for place, one in enumerate(vectors)
    )
    seen = Observation(Path(f"/{number}.png"), None, f"{number:064x}", 1000, 100, faces)
    with store.writing() as writer:
        return [one or 0 for one in writer.sightings.keep(seen, encoder, "fake")]


def near(faces: SeenFaces, number: int, count: int = 3) -> list[int]:
    _, ids = faces.near(vector(number)[None], count)
    return [int(one) for one in ids[0]]


def test_the_nearest_come_first_with_their_distances(store: Store) -> None:
    first, second, third = see(store, 1, 1, 2, 3)
    distances, ids = SeenFaces(store, "fake").near(np.stack([vector(2), vector(3)]), 2)
    assert distances.shape == ids.shape == (2, 2)
    assert ids[:, 0].tolist() == [second, third]
    assert distances[:, 0].tolist() == [0.0, 0.0]
    apart = min(np.linalg.norm(vector(2) - vector(one)) for one in (1, 3))
    assert distances[0, 1] == pytest.approx(apart, abs=1e-6)
    assert first in SeenFaces(store, "fake").near(vector(2)[None], 9)[1]


def test_faces_that_come_are_read_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    faces, asked = SeenFaces(store, "fake"), []
    read = store.sightings.vectors

    def reading(encoder: str, *, after: int = 0) -> object:
        asked.append(after)
        return read(encoder, after=after)

    monkeypatch.setattr(store.sightings, "vectors", reading)
    (first,) = see(store, 1, 1)
    assert near(faces, 1) == [first]
    second, third = see(store, 2, 2, 3)
    assert near(faces, 3)[0] == third
    assert near(faces, 2)[0] == second
    assert asked == [0, first]


def test_faces_that_went_are_found_no_more(store: Store) -> None:
    faces = SeenFaces(store, "fake")
    first, second = see(store, 1, 1, 2)
    assert near(faces, 2) == [second, *near(faces, 2)[1:]]
    see(store, 1, 1)
    assert near(faces, 2) == [first]
    (third,) = see(store, 2, 3)
    assert set(near(faces, 2)) == {first, third}


def test_one_that_goes_and_one_that_comes_are_told_apart(store: Store) -> None:
    faces = SeenFaces(store, "fake")
    see(store, 1, 1)
    assert len(near(faces, 1)) == 1
    with store.writing() as writer:
        writer.sightings.forget()
    (other,) = see(store, 2, 2)
    assert near(faces, 1) == [other]


def test_another_encoder_has_faces_of_its_own(store: Store) -> None:
    see(store, 1, 1)
    (own,) = see(store, 2, 2, encoder="other")
    assert near(SeenFaces(store, "other"), 1) == [own]
    assert near(SeenFaces(store, "third"), 1) == []
