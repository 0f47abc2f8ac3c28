"""What jobs make of what others' hands found is what they make of their own."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder, Square, enroll_squares, fake_gallery, write_picture

from gallery.engine.engine import Engine
from gallery.events import result_of
from gallery.faces.quality import NO_GATES, Gates
from gallery.faces.video import VideoOptions
from gallery.jobs.harvest import harvest
from gallery.jobs.pipeline import observations
from gallery.jobs.reencode import reencode
from gallery.media.images import decode_crop
from gallery.media.inputs import media_of
from gallery.store.sightings import Observation
from gallery.types import Descriptor

KNOWN = {"Rei": (20, 20, 220), "Asuka": (220, 20, 20)}
STRANGE = (20, 200, 20)


class Hands:
    """Do all in this process; of crops, one may be too much for them."""

    def __init__(self, engine: Engine, fails_at: int | None = None) -> None:
        self._engine, self._fails_at = engine, fails_at
        self.pictures, self.crops = 0, 0

    def observations(
        self, paths: Sequence[Path], gates: Gates = NO_GATES
    ) -> Generator[list[Observation], None, None]:
        for group in observations(self._engine, paths, gates):
            self.pictures += len(group)
            yield [one for one, _ in group]

    def encoded(
        self, batches: Iterable[Sequence[bytes]]
    ) -> Generator[list[Descriptor | None], None, None]:
        encoder = self._engine.describer.encoder
        # All are asked for before the first is answered, as from other machines.
        for crops in list(batches):
            found: list[Descriptor | None] = []
            for one in crops:
                fails = self.crops == self._fails_at
                self.crops += 1
                found.append(None if fails else encoder.encode(np.stack([decode_crop(one)]))[0])
            yield found


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "gallery.db"
    with fake_gallery(path) as engine:
        enroll_squares(engine, tmp_path / "known", KNOWN)
    for number in range(3):
        write_picture(tmp_path / "new" / f"{number}.png", Square(9, 9, 60, STRANGE), seed=number)
    return path


def seen_as(engine: Engine, encoder: str) -> list[Descriptor]:
    numbers = engine.store.sightings.unencoded("")
    return list(engine.store.sightings.vectors_of(encoder, numbers).values())


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_harvest_writes_the_same_folders(database: Path, tmp_path: Path) -> None:
    media, options = media_of([tmp_path / "new"]), VideoOptions()
    with fake_gallery(database) as engine:
        hands = Hands(engine)
        result_of(harvest(engine, media, tmp_path / "own", options=options))
        result_of(harvest(engine, media, tmp_path / "theirs", options=options, hands=hands))
    assert hands.pictures == 3
    assert tree(tmp_path / "own")
    assert tree(tmp_path / "theirs") == tree(tmp_path / "own")


def test_reencode_keeps_the_same_descriptors(database: Path, tmp_path: Path) -> None:
    with fake_gallery(database) as engine:
        (seen,) = observations(engine, [tmp_path / "new" / "0.png"])
        engine.records([one for one, _ in seen], keep=True)
    found = []
    for name, by_hand in (("one", False), ("two", True)):
        with fake_gallery(database, encoder=FakeEncoder(name)) as engine:
            hands = Hands(engine) if by_hand else None
            done = result_of(reencode(engine, hands=hands))
            assert (done.samples, done.others) == (2, 1)
            assert hands is None or hands.crops == 3
            assert not engine.remaining()
            first = engine.samples("Rei")[0].id
            found.append([engine.store.descriptors_of(first)[name], *seen_as(engine, name)])
    assert [len(one) for one in found] == [2, 2]
    assert all(np.array_equal(*pair) for pair in zip(*found, strict=True))


def test_a_crop_that_is_too_much_for_them_stays_to_be_encoded(database: Path) -> None:
    with fake_gallery(database, encoder=FakeEncoder("other")) as engine:
        first, second = engine.remaining()
        result_of(reencode(engine, hands=Hands(engine, fails_at=1)))
        assert engine.remaining() == [second]
        result_of(reencode(engine))
        assert first != second
        assert not engine.remaining()
