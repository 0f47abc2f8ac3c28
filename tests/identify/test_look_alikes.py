"""Who looks like some characters is found among their neighbours as in the whole gallery."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import fake_gallery, new_sample, vector

from gallery.engine import engine as engine_module
from gallery.engine.engine import Engine
from gallery.types import Descriptor

TWICE = {"Asuka": "Soryu", "Rei": "Ayanami"}


@pytest.fixture
def gallery(database: Path) -> Engine:
    """Forty characters, two of whom are there twice, and a class that turns faces away."""
    generator = np.random.default_rng(0)
    place: dict[str, Descriptor] = {f"character {number}": vector(number) for number in range(36)}
    for number, (name, other) in enumerate(TWICE.items(), 50):
        place[name] = place[other] = vector(number)
    place["Noise"] = vector(50)
    engine = fake_gallery(database)
    number = 0
    with engine.store.writing() as writer:
        for name, centre in place.items():
            for _ in range(6):
                number += 1
                near = (centre + generator.normal(size=128) * 0.01).astype(np.float32)
                writer.add(new_sample(name, number, {engine.encoder: near}))
    return engine


def test_it_is_the_same_as_of_the_whole(gallery: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [one.name for one in gallery.characters()]
    whole = {name: str(gallery.look_alikes({name})) for name in names}
    assert {name for name, said in whole.items() if said != "None"} == {*TWICE, *TWICE.values()}
    monkeypatch.setattr(engine_module, "COMPARED_WHOLE", 5)
    assert {name: str(gallery.look_alikes({name})) for name in names} == whole
    both = gallery.look_alikes({"Rei", "Soryu", "character 3"})
    assert both is not None
    assert both.more == 1
    assert gallery.look_alikes({"nobody"}) is None


def test_whoever_came_last_is_compared_without_reading_the_rest(
    gallery: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "COMPARED_WHOLE", 5)
    monkeypatch.setattr(Engine, "references", lambda _: pytest.fail("all was read"))
    with gallery.store.writing() as writer:
        for number in range(900, 903):
            writer.add(new_sample("new", number, {gallery.encoder: vector(7)}))
    found = gallery.look_alikes({"new"})
    assert found is not None
    assert {found.one, found.other} == {"new", "character 7"}
