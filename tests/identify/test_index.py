"""Nearest neighbours, and a cache that is never believed when it should not be."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import ScanIndex, new_sample, vector
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gallery.faces.interfaces import Index
from gallery.identify import index as index_module
from gallery.identify.index import FlatIndex, IndexCache, Indexes, build_indexes, checksum
from gallery.store.reader import Store, Vectors
from gallery.types import DIMENSION

Ids = NDArray[np.int64]
Rows = NDArray[np.float32]


def saved_and_opened(ids: Ids, rows: Rows, folder: Path) -> Index:
    FlatIndex.build(ids, rows).save(folder / "ü.faiss")
    return FlatIndex.open(folder / "ü.faiss")


MAKERS: dict[str, Callable[[Ids, Rows, Path], Index]] = {
    "built": lambda ids, rows, _folder: FlatIndex.build(ids, rows),
    "saved and opened": saved_and_opened,
    "scan": lambda ids, rows, _folder: ScanIndex(ids, rows),
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Ids, Rows], Index]:
    return lambda ids, rows: MAKERS[request.param](ids, rows, tmp_path)


def rows_of(count: int, seed: int = 0) -> Rows:
    return np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)


@pytest.mark.parametrize("length", [1e-3, 1.0, 10.0])
@pytest.mark.parametrize("queries", [1, 5, 60])
def test_the_nearest_rows_come_first_with_euclidean_distances(
    make: Callable[[Ids, Rows], Index], length: float, queries: int
) -> None:
    rows = rows_of(300) * np.float32(length)
    ids = np.arange(300) * 7 + 10**12
    asked = (rows_of(queries, 2) * np.float32(length)).astype(np.float32)
    asked[0] = rows[17]
    distances, found = make(ids.astype(np.int64), rows).search(asked, 9)
    assert distances.shape == found.shape == (queries, 9)
    assert distances.dtype == np.float32
    assert found.dtype == np.int64
    for query, near, names in zip(asked, distances, found, strict=True):
        true = np.linalg.norm(rows.astype(np.float64) - query.astype(np.float64), axis=1)
        order = np.argsort(true, kind="stable")[:9]
        assert names.tolist() == ids[order].tolist()
        assert near == pytest.approx(true[order], rel=1e-5, abs=1e-5 * length)
    assert found[0, 0] == ids[17]
    assert distances[0, 0] == 0


def test_no_more_rows_are_returned_than_there_are(make: Callable[[Ids, Rows], Index]) -> None:
    index = make(np.array([5, 6], np.int64), rows_of(2))
    assert len(index) == 2
    distances, ids = index.search(rows_of(3, 1), 10)
    assert distances.shape == ids.shape == (3, 2)
    assert set(ids.ravel().tolist()) == {5, 6}
    distances, ids = index.search(rows_of(0), 10)
    assert distances.shape == ids.shape == (0, 2)


def test_an_empty_index_has_no_answers(make: Callable[[Ids, Rows], Index]) -> None:
    index = make(np.zeros(0, np.int64), rows_of(0))
    assert len(index) == 0
    distances, ids = index.search(rows_of(2), 3)
    assert distances.shape == ids.shape == (2, 0)


def test_one_id_may_have_several_rows(make: Callable[[Ids, Rows], Index]) -> None:
    index = make(np.array([4, 4, 9], np.int64), np.stack([vector(1), vector(2), vector(3)]))
    _, ids = index.search(vector(2)[None], 1)
    assert ids.tolist() == [[4]]


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 40), wanted=st.integers(1, 50))
def test_faiss_finds_what_comparing_with_every_row_finds(
    seed: int, count: int, wanted: int
) -> None:
    ids, rows, asked = np.arange(count), rows_of(count, seed), rows_of(3, seed + 1)
    expected, true = ScanIndex(ids, rows).search(asked, wanted)
    distances, found = FlatIndex.build(ids, rows).search(asked, wanted)
    assert np.array_equal(found, true)
    assert np.allclose(distances, expected, atol=1e-5)


# The cache


class Reader:
    """Reads a store's vectors and counts how often."""

    def __init__(self, store: Store, encoder: str = "fake") -> None:
        self.count = 0
        self._store = store
        self._encoder = encoder

    def __call__(self) -> Vectors:
        self.count += 1
        return self._store.vectors(self._encoder)


@pytest.fixture
def filled(store: Store) -> Store:
    with store.writing() as writer:
        for number in range(12):
            writer.add(
                new_sample(
                    f"character {number % 3}",
                    number,
                    {"fake": vector(number), "second": vector(number + 100)},
                )
            )
    return store


@pytest.fixture
def folder(database: Path) -> Path:
    return database.with_name("gallery.db-index")


def same(found: Indexes, vectors: Vectors) -> bool:
    """Whether indexes answer as those that are built from the vectors."""
    expected = build_indexes(vectors)
    asked = rows_of(4, 3)
    if found.keys() != expected.keys():
        return False
    for name, index in expected.items():
        distances, ids = found[name].search(asked, 5)
        true_distances, true_ids = index.search(asked, 5)
        if not (np.array_equal(distances, true_distances) and np.array_equal(ids, true_ids)):
            return False
    return True


def test_indexes_are_kept_and_opened_without_reading_the_database(
    filled: Store, folder: Path
) -> None:
    reader = Reader(filled)
    for _ in range(3):
        change, found = IndexCache(folder).get("fake", filled.change(), reader)
        assert change == filled.change()
        assert same(found, filled.vectors("fake"))
    assert reader.count == 1
    assert not list(folder.glob(".*"))


def test_a_change_makes_the_files_stale_and_removes_the_old_ones(
    filled: Store, folder: Path
) -> None:
    reader = Reader(filled)
    IndexCache(folder).get("fake", filled.change(), reader)
    old = set(folder.glob("*.faiss"))
    with filled.writing() as writer:
        writer.add(new_sample("new", 50))
    assert IndexCache(folder).open("fake", filled.change()) is None
    _, found = IndexCache(folder).get("fake", filled.change(), reader)
    assert same(found, filled.vectors("fake"))
    assert reader.count == 2
    assert old
    assert old.isdisjoint(folder.glob("*.faiss"))


def test_a_change_between_asking_and_reading_is_not_lost(filled: Store, folder: Path) -> None:
    asked = filled.change()
    with filled.writing() as writer:
        writer.add(new_sample("new", 50))
    change, _ = IndexCache(folder).get("fake", asked, Reader(filled))
    assert change == filled.change() != asked
    assert IndexCache(folder).open("fake", asked) is None
    assert IndexCache(folder).open("fake", change) is not None


def test_indexes_of_two_encoders_lie_side_by_side(filled: Store, folder: Path) -> None:
    readers = {encoder: Reader(filled, encoder) for encoder in ("fake", "second", "../../etc")}
    for _ in range(2):
        for encoder, reader in readers.items():
            _, found = IndexCache(folder).get(encoder, filled.change(), reader)
            assert same(found, filled.vectors(encoder))
    assert [reader.count for reader in readers.values()] == [1, 1, 1]
    with filled.writing() as writer:
        writer.add(new_sample("new", 50))
    IndexCache(folder).get("fake", filled.change(), readers["fake"])
    assert {path.parent for path in folder.parent.rglob("*.faiss")} == {folder}


@settings(max_examples=80)
@given(which=st.integers(0, 3), place=st.floats(0, 0.99999), change=st.integers(1, 255))
def test_a_changed_byte_anywhere_is_noticed(
    filled: Store, folder: Path, which: int, place: float, change: int
) -> None:
    reader = Reader(filled)
    IndexCache(folder).get("fake", filled.change(), reader)
    path = sorted(folder.iterdir())[which]
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= change
    path.write_bytes(content)
    _, found = IndexCache(folder).get("fake", filled.change(), reader)
    assert same(found, filled.vectors("fake"))


@settings(max_examples=30)
@given(which=st.integers(0, 3), share=st.floats(0, 0.9999))
def test_a_file_cut_short_is_noticed(filled: Store, folder: Path, which: int, share: float) -> None:
    IndexCache(folder).get("fake", filled.change(), Reader(filled))
    path = sorted(folder.iterdir())[which]
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert IndexCache(folder).open("fake", filled.change()) is None
    _, found = IndexCache(folder).get("fake", filled.change(), Reader(filled))
    assert same(found, filled.vectors("fake"))


@pytest.mark.parametrize("which", range(4))
def test_a_missing_file_is_made_anew(filled: Store, folder: Path, which: int) -> None:
    reader = Reader(filled)
    IndexCache(folder).get("fake", filled.change(), reader)
    sorted(folder.iterdir())[which].unlink()
    _, found = IndexCache(folder).get("fake", filled.change(), reader)
    assert same(found, filled.vectors("fake"))
    assert reader.count == 2
    assert IndexCache(folder).open("fake", filled.change()) is not None


@pytest.mark.parametrize(
    "stamp",
    [
        "", "null", "[]", "3", '"text"', "{}", "{", '{"format": 1}',
        '{"format": 1, "encoder": "fake", "change": "CHANGE", "files": {}}',
        '{"format": 1, "encoder": "fake", "change": "CHANGE", "files": []}',
        '{"format": 1, "encoder": "fake", "change": "CHANGE", "files": null}',
        '{"format": 1, "encoder": "fake", "change": "CHANGE", "files": {"ideal": "IDEAL"}}',
        '{"format": 1, "encoder": "fake", "change": "CHANGE", "files": {"../x": "0-00000000"}}',
        '{"format": 1, "encoder": "other", "change": "CHANGE", "files": {}}',
        '{"format": 2, "encoder": "fake", "change": "CHANGE", "files": {}}',
        "\udcff",
        "[" * 100_000,
    ],
    ids=range(17),
)  # fmt: skip
def test_a_stamp_of_any_content_is_taken_for_none(filled: Store, folder: Path, stamp: str) -> None:
    change = filled.change()
    IndexCache(folder).get("fake", change, Reader(filled))
    (path,) = folder.glob("*.json")
    ideal = json.loads(path.read_text())["files"]["ideal"]
    text = stamp.replace("CHANGE", change).replace("IDEAL", ideal)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert IndexCache(folder).open("fake", change) is None
    _, found = IndexCache(folder).get("fake", change, Reader(filled))
    assert same(found, filled.vectors("fake"))


@pytest.mark.parametrize("which", ["*.json", "*-best.faiss"])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_a_pipe_in_a_files_place_is_not_waited_for(filled: Store, folder: Path, which: str) -> None:
    IndexCache(folder).get("fake", filled.change(), Reader(filled))
    (path,) = folder.glob(which)
    path.unlink()
    os.mkfifo(path)
    _, found = IndexCache(folder).get("fake", filled.change(), Reader(filled))
    assert same(found, filled.vectors("fake"))
    assert path.is_file()


def test_a_folder_that_cannot_be_made_costs_no_answers(filled: Store, folder: Path) -> None:
    folder.write_text("a file")
    for _ in range(2):
        _, found = IndexCache(folder).get("fake", filled.change(), Reader(filled))
        assert same(found, filled.vectors("fake"))
    assert folder.read_text() == "a file"


def test_a_disk_that_is_full_costs_no_answers(
    filled: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index_module, "replace_file", full)
    _, found = IndexCache(folder).get("fake", filled.change(), Reader(filled))
    assert same(found, filled.vectors("fake"))


def test_without_a_folder_indexes_are_built_every_time(filled: Store) -> None:
    reader = Reader(filled)
    for _ in range(2):
        _, found = IndexCache(None).get("fake", filled.change(), reader)
        assert same(found, filled.vectors("fake"))
    assert reader.count == 2
    assert IndexCache(None).open("fake", filled.change()) is None


def test_an_empty_gallery_has_indexes_too(store: Store, folder: Path) -> None:
    for _ in range(2):
        _, found = IndexCache(folder).get("fake", store.change(), Reader(store))
        assert {name: len(one) for name, one in found.items()} == {
            "ideal": 0,
            "best": 0,
            "samples": 0,
        }


def test_all_of_a_file_is_checked_wherever_a_row_is_lost_or_in_anothers_place(
    tmp_path: Path,
) -> None:
    path = tmp_path / "large"
    content = np.random.default_rng(0).integers(0, 256, (20_000, 512)).astype(np.uint8)
    path.write_bytes(content.tobytes())
    whole = checksum(path)
    for row in (0, 1, 2047, 2048, 7777, len(content) - 1):
        zeroed, swapped = content.copy(), content.copy()
        zeroed[row] = 0
        swapped[[row, 5]] = content[[5, row]]
        for damaged in (zeroed, swapped):
            path.write_bytes(damaged.tobytes())
            assert checksum(path) != whole
    for damage in (content.tobytes()[:-1], content.tobytes() + b"\0"):
        path.write_bytes(damage)
        assert checksum(path) != whole
    path.write_bytes(content.tobytes())
    assert checksum(path) == whole
