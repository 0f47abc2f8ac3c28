"""A gallery's samples as arrays."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fakes import new_sample, vector

from gallery.store.enrolled import read_enrolled
from gallery.store.reader import Store
from gallery.types import Quality


def filled(*characters: str, poor: tuple[int, ...] = ()) -> Store:
    """A gallery in memory with a sample for each of these characters, in this order."""
    store = Store("sqlite://", create=True)
    with store.writing() as writer:
        for number, name in enumerate(characters):
            sample = new_sample(name, number)
            writer.add(dataclasses.replace(sample, is_poor=number in poor))
    return store


def test_samples_come_by_name_and_then_by_id() -> None:
    with filled("Rei", "Asuka", "noise", "Rei") as store:
        found = read_enrolled(store, "fake")

    assert found.names == ("Asuka", "Rei", "noise")
    assert found.labels.tolist() == [0, 1, 1, 2]
    assert [found.character(row) for row in range(4)] == ["Asuka", "Rei", "Rei", "noise"]
    assert found.ids.tolist() == [2, 1, 4, 3]
    assert found.descriptors.dtype == np.float32
    assert (found.descriptors == np.stack([vector(row) for row in (1, 0, 3, 2)])).all()
    assert found.rejects.tolist() == [False, False, True]


def test_poor_samples_do_not_count_beside_others() -> None:
    with filled("Asuka", "Rei", "Rei", "Rei", poor=(0, 2)) as store:
        found = read_enrolled(store, "fake")

    assert found.poor.tolist() == [True, False, True, False]
    # The only one of a character counts, poor as it is.
    assert found.counted.tolist() == [0, 1, 3]


def test_what_another_encoder_has_described_is_left_out() -> None:
    with filled("Asuka", "Rei") as store:
        with store.writing() as writer:
            writer.add(new_sample("Rei", 7, {"other": vector(7)}))
        found = read_enrolled(store, "fake")

    assert len(found.ids) == len(found.descriptors) == 2


def test_an_empty_gallery_has_nothing() -> None:
    with filled() as store:
        found = read_enrolled(store, "fake")

    assert found.names == ()
    assert found.descriptors.shape == (0, 128)
    assert len(found.counted) == len(found.labels) == 0


def test_some_characters_are_read_as_all_are() -> None:
    with filled("Rei", "Asuka", "noise", "Rei", "Asuka") as store:
        found, every = read_enrolled(store, "fake", {"Rei", "Asuka"}), read_enrolled(store, "fake")
        assert read_enrolled(store, "fake", {"nobody"}).names == ()

    chosen = every.chosen(~every.rejects[every.labels])
    assert found.names == chosen.names == ("Asuka", "Rei")
    assert found.ids.tolist() == chosen.ids.tolist()
    assert np.array_equal(found.descriptors, chosen.descriptors)


@pytest.mark.parametrize(
    "quality",
    [
        None,
        Quality(40.0, 0.7, None, None, None),
        Quality(300.0, 0.3, -20.0, 0.4, 0.2),
        Quality(90.0, 1.0, 7.0, 1.0, None),
    ],
)
def test_quality_is_the_number_that_one_sample_says(quality: Quality | None) -> None:
    with filled() as store:
        with store.writing() as writer:
            writer.add(dataclasses.replace(new_sample("Rei", 1), quality=quality))
        (found,) = read_enrolled(store, "fake").quality
    assert np.isnan(found) if quality is None else found == quality.score
