"""A cache that follows the database, and is never believed when it should not be."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fakes import new_sample, vector
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gallery.identify import index_cache as cache_module
from gallery.identify.index import FlatIndex
from gallery.identify.index_cache import IndexCache, checksum
from gallery.store import changes
from gallery.store.changes import Indexed, IndexRows, NewRows
from gallery.store.reader import Store
from gallery.types import DIMENSION

CHARACTERS, EACH = 40, 3
WHAT = list(Indexed)


class CountingStore(Store):
    """A store that counts how often all of an index is read, and how often what is new."""

    def __init__(self, where: str, *, create: bool = False) -> None:
        super().__init__(where, create=create)
        self.read: Counter[str] = Counter()

    def index_rows(self, encoder: str, what: Indexed) -> IndexRows:
        self.read["all"] += 1
        return super().index_rows(encoder, what)

    def index_rows_since(
        self, encoder: str, what: Indexed, token: str, most: int
    ) -> NewRows | None:
        found = super().index_rows_since(encoder, what, token, most)
        if found is not None:
            self.read["new"] += 1
        return found


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a gallery that every test begins with a copy of."""
    file = tmp_path_factory.mktemp("enrolled") / "gallery.db"
    with Store(str(file), create=True) as store, store.writing() as writer:
        for number in range(CHARACTERS * EACH):
            descriptors = {"fake": vector(number), "second": vector(number + 1000)}
            writer.add(new_sample(f"character {number % CHARACTERS}", number, descriptors))
    return file


@pytest.fixture
def filled(enrolled: Path, database: Path) -> Iterator[CountingStore]:
    shutil.copy(enrolled, database)
    with CountingStore(str(database)) as store:
        yield store


@pytest.fixture
def folder(database: Path) -> Path:
    return database.with_name("gallery.db-index")


def get(store: Store, folder: Path | None, what: Indexed = Indexed.IDEAL) -> FlatIndex:
    change, index = IndexCache(folder).get(store, "fake", what)
    assert change == store.change()
    return index


def answers(index: FlatIndex) -> tuple[bytes, bytes]:
    asked = np.stack([vector(number) for number in range(0, CHARACTERS * EACH, 7)])
    distances, ids = index.search(asked, 5)
    return distances.tobytes(), ids.tobytes()


def is_true(index: FlatIndex, store: Store, what: Indexed = Indexed.IDEAL) -> bool:
    """Whether an index answers, to the bit, as one that is made of the database."""
    rows = Store.index_rows(store, "fake", what)
    expected = FlatIndex.build(rows.ids, rows.vectors)
    return len(index) == len(expected) and answers(index) == answers(expected)


def sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


@pytest.mark.parametrize("what", WHAT)
def test_an_index_is_kept_and_opened_without_reading_the_database(
    filled: CountingStore, folder: Path, what: Indexed
) -> None:
    for _ in range(3):
        assert is_true(get(filled, folder, what), filled, what)
    assert filled.read == {"all": 1}
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("what", WHAT)
def test_what_changed_is_appended_and_nothing_else_is_read_or_written(
    filled: CountingStore, folder: Path, what: Indexed
) -> None:
    before = get(filled, folder, what)
    said, old = answers(before), sizes(folder)
    with filled.writing() as writer:
        writer.add(new_sample("character 3", 500))
        writer.add(new_sample("new", 501))
        writer.move([9], "character 3")
    index = get(filled, folder, what)
    assert is_true(index, filled, what)
    assert filled.read == {"all": 1, "new": 1}
    # Whose characters changed, or the samples that came.
    rows = 2 if what is Indexed.SAMPLES else 3
    grown = {name: size - old[name] for name, size in sizes(folder).items() if name in old}
    assert sizes(folder).keys() == old.keys()
    assert [grown[name] for name in sorted(grown) if ".json" not in name] == [8 * rows, 512 * rows]
    # Who had it open goes on.
    assert answers(before) == said
    assert is_true(get(filled, folder, what), filled, what)
    assert filled.read == {"all": 1, "new": 1}


@pytest.mark.parametrize("what", WHAT)
def test_who_went_is_found_no_more(filled: CountingStore, folder: Path, what: Indexed) -> None:
    get(filled, folder, what)
    with filled.writing() as writer:
        writer.forget("character 7")
    index = get(filled, folder, what)
    assert is_true(index, filled, what)
    assert filled.read == {"all": 1, "new": 1}
    distances, _ = index.search(vector(7)[None], 1)
    assert distances[0, 0] > 0.1


def test_names_and_calibrations_change_no_row(filled: CountingStore, folder: Path) -> None:
    get(filled, folder)
    old = sizes(folder)
    with filled.writing() as writer:
        writer.rename("character 1", "Noise 1")
    assert is_true(get(filled, folder), filled)
    assert filled.read == {"all": 1, "new": 1}
    new = sizes(folder)
    assert [new[name] for name in old if ".json" not in name] == [
        old[name] for name in old if ".json" not in name
    ]


def test_an_index_is_made_anew_once_a_tenth_would_be_dead(
    filled: CountingStore, folder: Path
) -> None:
    get(filled, folder)
    old = set(folder.glob("*.vectors"))
    for number in range(6):
        with filled.writing() as writer:
            writer.add(new_sample(f"character {number}", 600 + number))
        assert is_true(get(filled, folder), filled)
    # Four of forty may be dead.
    assert filled.read == {"all": 2, "new": 5}
    assert old.isdisjoint(folder.glob("*.vectors"))
    assert len(list(folder.iterdir())) == 3


def test_an_index_that_is_far_behind_is_made_anew(
    filled: CountingStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "KEPT", 10)
    get(filled, folder)
    for number in range(8):
        with filled.writing() as writer:
            writer.add(new_sample("character 1", 600 + number))
    assert is_true(get(filled, folder), filled)
    assert filled.read == {"all": 2}


def test_an_index_of_another_history_is_not_followed(
    filled: CountingStore, folder: Path, database: Path
) -> None:
    copy = database.with_name("copy.db")
    filled.back_up(copy)
    with filled.writing() as writer:
        writer.add(new_sample("character 1", 601))
    get(filled, folder)
    with CountingStore(str(copy)) as other:
        for number in (602, 603, 604):
            with other.writing() as writer:
                writer.add(new_sample("character 2", number))
        assert is_true(get(other, folder), other)
        assert other.read == {"all": 1}


def test_what_a_process_left_that_did_not_finish_is_not_believed(
    filled: CountingStore, folder: Path
) -> None:
    get(filled, folder)
    for path in folder.iterdir():
        if ".json" not in path.name:
            path.write_bytes(path.read_bytes() + b"\1" * 5000)
    assert is_true(get(filled, folder), filled)
    with filled.writing() as writer:
        writer.add(new_sample("new", 501))
    assert is_true(get(filled, folder), filled)
    assert is_true(get(filled, folder), filled)
    assert filled.read == {"all": 1, "new": 1}


def test_a_change_between_asking_and_reading_is_not_lost(
    filled: CountingStore, folder: Path
) -> None:
    asked = filled.change()
    with filled.writing() as writer:
        writer.add(new_sample("new", 50_000))
    get(filled, folder)
    assert IndexCache(folder).open("fake", asked) is None
    assert IndexCache(folder).open("fake", filled.change()) is not None


def test_indexes_of_two_encoders_lie_side_by_side(filled: CountingStore, folder: Path) -> None:
    for _ in range(2):
        for encoder in ("fake", "second", "../../etc"):
            _, found = IndexCache(folder).get(filled, encoder, Indexed.IDEAL)
            assert len(found) == (0 if "etc" in encoder else CHARACTERS)
    assert filled.read == {"all": 3}
    assert {path.parent for path in folder.parent.rglob("*.vectors")} == {folder}


def test_files_of_an_older_version_go(filled: CountingStore, folder: Path) -> None:
    get(filled, folder)
    (stamp,) = folder.glob("*.json")
    short = stamp.name.split("-")[0]
    stamp.unlink()
    for name in (f"{short}.json", f"{short}-0123-ideal.faiss", f"{short}-0123-samples.faiss"):
        (folder / name).write_text("{}")
    get(filled, folder, Indexed.SAMPLES)
    get(filled, folder)
    assert sorted(path.suffix for path in folder.iterdir()) == sorted(
        [".json", ".ids", ".vectors"] * 2
    )


@settings(max_examples=120)
@given(which=st.integers(0, 2), place=st.floats(0, 0.99999), change=st.integers(1, 255))
def test_a_changed_byte_anywhere_is_noticed(
    filled: CountingStore, folder: Path, which: int, place: float, change: int
) -> None:
    get(filled, folder)
    path = sorted(folder.iterdir())[which]
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= change
    path.write_bytes(content)
    assert is_true(get(filled, folder), filled)


@settings(max_examples=30)
@given(which=st.integers(0, 2), share=st.floats(0, 0.9999))
def test_a_file_cut_short_is_noticed(
    filled: CountingStore, folder: Path, which: int, share: float
) -> None:
    get(filled, folder)
    path = sorted(folder.iterdir())[which]
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert IndexCache(folder).open("fake", filled.change()) is None
    assert is_true(get(filled, folder), filled)


@pytest.mark.parametrize("which", range(3))
def test_a_missing_file_is_made_anew(filled: CountingStore, folder: Path, which: int) -> None:
    get(filled, folder)
    sorted(folder.iterdir())[which].unlink()
    assert is_true(get(filled, folder), filled)
    assert filled.read == {"all": 2}
    assert IndexCache(folder).open("fake", filled.change()) is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"rows": -1}, {"rows": 10**30}, {"rows": 10**17}, {"rows": "x"}, {"rows": None},
        {"rows": 39}, {"checksum": None}, {"generation": "../x"}, {"generation": "\0"},
        {"dead": None}, {"dead": "x"}, {"dead": ""}, {"dead": "AAAA"}, {"format": 2},
        {"encoder": "other"},
    ],
    ids=str,
)  # fmt: skip
def test_a_stamp_that_says_something_else_is_taken_for_none(
    filled: CountingStore, folder: Path, changed: dict[str, object]
) -> None:
    get(filled, folder)
    (path,) = folder.glob("*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    assert IndexCache(folder).open("fake", filled.change()) is None
    assert is_true(get(filled, folder), filled)


@pytest.mark.parametrize(
    "stamp", ["", "null", "[]", "3", '"text"', "{}", "{", "\udcff", "[" * 100_000], ids=range(9)
)
def test_a_stamp_of_any_content_is_taken_for_none(
    filled: CountingStore, folder: Path, stamp: str
) -> None:
    get(filled, folder)
    (path,) = folder.glob("*.json")
    path.write_bytes(stamp.encode("utf-8", "surrogateescape"))
    assert IndexCache(folder).open("fake", filled.change()) is None
    assert is_true(get(filled, folder), filled)


@pytest.mark.parametrize("which", ["*.json", "*.vectors", "*.ids"])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_a_pipe_in_a_files_place_is_not_waited_for(
    filled: CountingStore, folder: Path, which: str
) -> None:
    get(filled, folder)
    (path,) = folder.glob(which)
    path.unlink()
    os.mkfifo(path)
    assert is_true(get(filled, folder), filled)
    assert IndexCache(folder).open("fake", filled.change()) is not None


def test_a_folder_that_cannot_be_made_costs_no_answers(filled: CountingStore, folder: Path) -> None:
    folder.write_text("a file")
    for _ in range(2):
        assert is_true(get(filled, folder), filled)
    assert folder.read_text() == "a file"


def test_a_disk_that_is_full_costs_no_answers(
    filled: CountingStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    get(filled, folder)
    with filled.writing() as writer:
        writer.add(new_sample("new", 501))
    monkeypatch.setattr(cache_module, "replace_file", full)
    assert is_true(get(filled, folder), filled)
    shutil.rmtree(folder)
    assert is_true(get(filled, folder), filled)


def test_without_a_folder_an_index_is_built_every_time(filled: CountingStore) -> None:
    for _ in range(2):
        assert is_true(get(filled, None), filled)
    assert filled.read == {"all": 2}
    assert IndexCache(None).open("fake", filled.change()) is None


@pytest.mark.parametrize("what", WHAT)
def test_an_empty_gallery_has_indexes_too(store: Store, folder: Path, what: Indexed) -> None:
    for _ in range(2):
        assert len(get(store, folder, what)) == 0


def test_many_who_write_and_ask_at_once_get_true_answers(
    filled: CountingStore, folder: Path, database: Path
) -> None:
    troubles: list[object] = []

    def write(first: int) -> None:
        with Store(str(database)) as own:
            for number in range(first, first + 10):
                with own.writing() as writer:
                    writer.add(new_sample(f"character {number % CHARACTERS}", number))

    def ask() -> None:
        with Store(str(database)) as own:
            for _ in range(15):
                change, index = IndexCache(folder).get(own, "fake", Indexed.IDEAL)
                rows = own.index_rows("fake", Indexed.IDEAL)
                expected = FlatIndex.build(rows.ids, rows.vectors)
                if rows.change == change and answers(index) != answers(expected):
                    troubles.append(change)

    threads = [threading.Thread(target=write, args=(first,)) for first in (1000, 2000)]
    threads += [threading.Thread(target=ask) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert troubles == []
    assert is_true(get(filled, folder), filled)


def test_all_of_an_index_is_checked_wherever_a_row_is_lost_or_in_anothers_place() -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(5000, DIMENSION)).astype(np.float32)
    ids: NDArray[np.int64] = np.arange(5000) * 3
    whole = checksum(ids, rows)
    assert checksum(ids[2000:], rows[2000:], checksum(ids[:2000], rows[:2000])) == whole
    for row in (0, 1, 2047, 2048, 4999):
        zeroed, swapped, renamed = rows.copy(), rows.copy(), ids.copy()
        zeroed[row] = 0
        swapped[[row, 5]] = rows[[5, row]]
        renamed[row] += 1
        assert checksum(ids, zeroed) != whole
        assert checksum(ids, swapped) != whole
        assert checksum(renamed, rows) != whole
