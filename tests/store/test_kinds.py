"""Values of other kinds than their columns: a sentence, wherever they are read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fakes import Square, draw, fake_gallery, new_sample, vector

from gallery.errors import StoreError
from gallery.media.images import FileState, encode_jpeg
from gallery.store.reader import Store
from gallery.store.rejections import NewRejection
from gallery.types import CROP_SIDE, Box, Quality

CROP = encode_jpeg(np.full((CROP_SIDE, CROP_SIDE, 3), 90, np.uint8))


@pytest.fixture
def filled(database: Path) -> Path:
    """A database with something in every table that is read below."""
    from gallery.media.images import from_pixels

    with fake_gallery(database) as gallery:
        with gallery.store.writing() as writer:
            for number in range(3):
                writer.add(new_sample("Rei", number))
            writer.measure(1, Quality(60.0, 0.5, 1.0, 0.5, 0.0))
            writer.remember_file(Path("/a.png"), FileState(1, 2), "a" * 64)
            writer.remember_refusal("b" * 64, "settings", "why")
            box = Box(1, 2, 3, 4)
            writer.reject(
                NewRejection("Rei", "5" * 64, Path("/b.png"), box, CROP, {"fake": vector(9)})
            )
        gallery.rename("Rei", "Asuka")
        gallery.forget_samples([3])
        image = from_pixels(draw(Square(20, 10, 70)), Path("/seen.png"))
        gallery.keep(gallery.observe([image]))
    return database


def spoil(database: Path, table: str, column: str, value: object) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        assert connection.execute(f'UPDATE {table} SET "{column}" = ?', (value,)).rowcount  # noqa: S608
        connection.commit()


READ: dict[str, Callable[[Store], object]] = {
    "samples": lambda store: store.samples("fake"),
    "characters": lambda store: store.characters(),
    "files": lambda store: store.known_files(),
    "sightings": lambda store: store.sightings.all(),
    "rejections": lambda store: store.rejections.all(),
    "forgotten": lambda store: store.forgotten(),
    "descriptors": lambda store: store.vectors("fake"),
    "crops": lambda store: store.crops(store.sample_ids()),
}


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("samples", "left", "far"),
        ("samples", "left", float("inf")),
        ("samples", "score", b"\0"),
        ("samples", "path", b"a"),
        ("samples", "path", "a\0b"),
        ("samples", "roll", "a lot"),
        ("samples", "is_poor", 7),
        ("samples", "landmarks", b"{}"),
        ("samples", "landmarks", "[" * 5000),
        ("samples", "landmarks", '{"left_eye": ["a", "b"]}'),
        ("samples", "landmarks", '{"left_eye": [1e999, 1]}'),
        ("characters", "name", b"Rei"),
        ("characters", "is_reject", "no"),
        ("files", "size", "long"),
        ("sightings", "top", "high"),
        ("sightings", "digest", b"a"),
        ("sightings", "cluster", "first"),
        ("rejections", "bottom", b"low"),
        ("forgotten", "character", b"a"),
        ("descriptors", "vector", 5_000_000_000),
        ("descriptors", "vector", "x" * 512),
        ("crops", "png", 5_000_000_000),
    ],
)
def test_a_value_of_another_kind_is_said_to_be_damage(
    filled: Path, table: str, column: str, value: object
) -> None:
    spoil(filled, table, column, value)
    with Store(str(filled)) as store, pytest.raises(StoreError, match="damaged"):
        READ[table](store)


def test_a_text_that_is_none_is_said_to_be_damage(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("UPDATE samples SET path = CAST(X'fffe' AS TEXT)")
        connection.commit()
    with Store(str(filled)) as store, pytest.raises(StoreError, match="damaged"):
        store.samples("fake")


def test_a_row_that_points_nowhere_is_said_to_be_damage(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(
            "INSERT INTO tracks (sighting_id, shot_id, number, start, end, best, looks) "
            "VALUES (1, 99, 1, 0, 1, 0, 1)"
        )
        connection.commit()
    with Store(str(filled)) as store, pytest.raises(StoreError, match="damaged"):
        store.sightings.all()


def test_what_is_sound_is_read(filled: Path) -> None:
    with Store(str(filled)) as store:
        for read in READ.values():
            assert read(store)
        assert store.samples("other")[0].distance is None


def test_a_row_that_a_migration_cannot_take_is_said_to_be_damage(tmp_path: Path) -> None:
    old = Path(__file__).parents[1] / "assets" / "gallery-0004.db"
    with closing(sqlite3.connect(old)) as source, closing(sqlite3.connect(tmp_path / "a.db")) as to:
        source.backup(to)
        assert to.execute("UPDATE samples SET path = X'00'").rowcount
        to.commit()
    with pytest.raises(StoreError, match="damaged"):
        Store(str(tmp_path / "a.db"))
