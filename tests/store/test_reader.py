"""The database: reading, writing, many writers at once, and everything that can be in the way."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import Square, fake_gallery, new_sample, vector, write_picture

from gallery.errors import (
    DamagedDescriptor,
    InputError,
    LostDatabase,
    NameTaken,
    NoSuchCharacter,
    NoSuchRejection,
    NoSuchSample,
    StoreError,
)
from gallery.jobs.enroll_folders import enroll_candidates
from gallery.media.images import FileState
from gallery.store import schema
from gallery.store.columns import landmarks_from_json, landmarks_to_json
from gallery.store.names import clean_name
from gallery.store.reader import Store
from gallery.types import DIMENSION, Candidate, Landmarks, Point, Quality

SHARED = pytest.mark.parametrize("kind", ["file", "server"])
"""In memory there is but one connection."""


def add(store: Store, name: str, *numbers: int) -> list[int]:
    with store.writing() as writer:
        return [row for number in numbers if (row := writer.add(new_sample(name, number)))]


def everything(store: Store) -> dict[str, object]:
    """All that can be read, in a form that can be compared."""
    vectors = store.vectors("fake")
    return {
        "characters": store.characters(),
        "samples": store.samples("fake"),
        "change": store.change(),
        "files": store.known_files(),
        "refusals": store.refusals("fake"),
        "labels": store.labels(),
        "ideals": vectors.ideals.tolist(),
        "bests": vectors.bests.tolist(),
    }


def test_a_sample_comes_back_as_it_was_given(store: Store) -> None:
    given = new_sample("綾波レイ", 1)
    (sample_id,) = add(store, "綾波レイ", 1)
    (sample,) = store.samples("fake")
    assert sample.id == sample_id
    assert sample.character == "綾波レイ"
    assert (sample.digest, sample.path, sample.face) == (given.digest, given.path, given.face)
    assert sample.is_best
    assert sample.distance == pytest.approx(0, abs=1e-6)
    assert store.crops([sample_id]) == {sample_id: given.crop_png}
    assert np.array_equal(store.descriptors_of(sample_id)["fake"], vector(1))
    assert (sample.detector, sample.enrolled_as) == ("fake", "綾波レイ")


@pytest.mark.parametrize(
    "landmarks",
    [
        None,
        Landmarks(Point(1, 2), Point(3, 4)),
        Landmarks(Point(1.5, 2), Point(3, 4), chin=Point(0, 0)),
        Landmarks(Point(1, 2), Point(3, 4), Point(5, 6), Point(7, 8), Point(9, 10)),
    ],
)
def test_landmarks_come_back_as_they_were_given(landmarks: Landmarks | None) -> None:
    assert landmarks_from_json(landmarks_to_json(landmarks)) == landmarks


def test_a_face_that_is_there_already_changes_nothing(store: Store) -> None:
    add(store, "Rei", 1)
    before = everything(store)
    assert add(store, "Rei", 1) == []
    with store.writing() as writer:
        twin = new_sample("Somebody new", 1)
        assert writer.add(twin) is None
    assert everything(store) == before


@pytest.mark.parametrize(
    "quality", [Quality(50.0, 0.5, -3.0, 0.9, 0.1), Quality(50.0, 0.0, None, None, None), None]
)
def test_quality_comes_back_as_it_was_given(store: Store, quality: Quality | None) -> None:
    with store.writing() as writer:
        sample_id = writer.add(replace(new_sample("Rei", 1), quality=quality))
    assert sample_id is not None
    assert store.samples("fake")[0].quality == quality
    assert store.unmeasured([sample_id]) == (
        {} if quality else {sample_id: new_sample("Rei", 1).face}
    )
    measured = Quality(1.0, 1.0, 1.0, 1.0, None)
    with store.writing() as writer:
        writer.measure(sample_id, measured)
    assert store.samples("fake")[0].quality == (quality or measured)


def test_an_exception_while_writing_leaves_everything_as_it_was(store: Store) -> None:
    first, *_ = add(store, "Rei", 1, 2)
    add(store, "Asuka", 3)
    before = everything(store)
    for error in (ValueError, KeyboardInterrupt, InputError):
        with pytest.raises(error), store.writing() as writer:  # noqa: PT012
            writer.rename("Rei", "Yui")
            writer.merge("Yui", "Asuka")
            writer.forget_samples([first])
            writer.add(new_sample("Misato", 4))
            writer.remember_file(Path("/x.png"), FileState(1, 2), "digest")
            writer.remember_refusal("digest", "fake", "is nothing.")
            raise error
        assert everything(store) == before


@SHARED
def test_reading_while_writing_sees_the_state_before_and_spoils_nothing(store: Store) -> None:
    add(store, "Rei", 1)
    before = everything(store)
    with pytest.raises(KeyboardInterrupt), store.writing() as writer:  # noqa: PT012
        writer.add(new_sample("Asuka", 2))
        assert everything(store) == before
        writer.add(new_sample("Misato", 3))
        raise KeyboardInterrupt
    assert everything(store) == before
    with store.writing() as writer:
        writer.add(new_sample("Asuka", 2))
        store.change()
        writer.add(new_sample("Misato", 3))
    assert [one.name for one in store.characters()] == ["Asuka", "Misato", "Rei"]


@SHARED
def test_a_back_up_can_be_made_while_writing_and_holds_the_state_before(
    store: Store, tmp_path: Path
) -> None:
    add(store, "Rei", 1)
    with store.writing() as writer:
        writer.add(new_sample("Asuka", 2))
        store.back_up(tmp_path / "copy.db")
        writer.add(new_sample("Asuka", 3))
    assert [one.samples for one in store.characters()] == [2, 1]
    with Store(str(tmp_path / "copy.db")) as copy:
        assert [one.name for one in copy.characters()] == ["Rei"]


def test_ids_are_never_given_out_twice(store: Store) -> None:
    first = add(store, "Rei", 1, 2)
    character = store.character("Rei").id
    with store.writing() as writer:
        writer.forget("Rei")
    second = add(store, "Rei", 1, 2)
    assert min(second) > max(first)
    assert store.character("Rei").id > character


def test_the_change_token_changes_with_vectors_and_with_nothing_else(store: Store) -> None:
    seen = [store.change()]
    first, second = add(store, "Rei", 1, 2)
    seen.append(store.change())
    with store.writing() as writer:
        writer.describe(first, "fake", vector(9))
    seen.append(store.change())
    with store.writing() as writer:
        writer.move([second], "Asuka")
    seen.append(store.change())
    with store.writing() as writer:
        writer.merge("Asuka", "Rei")
    seen.append(store.change())
    with store.writing() as writer:
        writer.forget_samples([first])
    seen.append(store.change())
    assert len(set(seen)) == len(seen)
    with store.writing() as writer:
        writer.rename("Rei", "Yui")
        writer.remember_file(Path("/x.png"), FileState(1, 2), "digest")
    assert store.change() == seen[-1]


def test_a_former_name_goes_on_meaning_its_character(store: Store) -> None:
    add(store, "Rei", 1)
    with store.writing() as writer:
        writer.rename("Rei", "Ayanami Rei")
    assert store.character("Rei").name == "Ayanami Rei"
    add(store, "Rei", 2)
    assert store.character("Ayanami Rei").samples == 2
    add(store, "Yui", 3)
    with store.writing() as writer:
        assert writer.merge("Rei", "Yui").samples == 2
    assert store.character("Rei").name == store.character("Ayanami Rei").name == "Yui"


def test_a_name_is_found_however_its_letters_are_composed(store: Store) -> None:
    add(store, "ガギグ é", 1)
    typed = unicodedata.normalize("NFD", "ガギグ é")
    assert typed != "ガギグ é"
    assert store.character(typed).name == "ガギグ é"
    with store.writing() as writer:
        assert writer.forget(typed) == 1


def test_a_misspelt_name_is_refused_with_those_spelt_alike(store: Store) -> None:
    add(store, "Asuka", 1)
    with pytest.raises(NoSuchCharacter, match=r"called Asuak; did you mean Asuka\?$") as caught:
        store.character("Asuak")
    assert (caught.value.name, caught.value.near) == ("Asuak", ("Asuka",))
    with pytest.raises(NoSuchCharacter, match=r"called Zzz\.$") as caught:
        store.character("Zzz")
    assert not caught.value.near


@pytest.mark.parametrize(
    ("known", "typed", "is_alike"),
    [("Rei", "Rai", True), ("Nico Robin", "Robin Nico", True), ("Gaara", "Arima", False)],
)
def test_letters_in_common_alone_make_no_name_alike(
    store: Store, known: str, typed: str, is_alike: bool
) -> None:
    add(store, known, 1)
    with pytest.raises(NoSuchCharacter) as caught:
        store.character(typed)
    assert caught.value.near == ((known,) if is_alike else ())


def test_case_and_width_of_a_name_do_not_matter_where_one_is_meant(store: Store) -> None:
    for number, name in enumerate(("Rei", "REI", "Asuka", "Soryu")):
        add(store, name, number + 1)
    with store.writing() as writer:
        writer.rename("Soryu", "Langley")
    assert [store.character(one).name for one in ("REI", "asuka", "ＡＳＵＫＡ", "soryu")] == [
        "REI", "Asuka", "Asuka", "Langley",
    ]  # fmt: skip
    with pytest.raises(NoSuchCharacter) as caught:
        store.character("rei")
    assert caught.value.near == ("REI", "Rei")


@pytest.mark.parametrize("number", [7, -1, 10**20, -(10**20)])
def test_a_number_that_no_row_has_is_said(store: Store, number: int) -> None:
    add(store, "Rei", 1)
    with store.writing() as writer:
        with pytest.raises(NoSuchSample):
            writer.forget_samples([number])
        with pytest.raises(NoSuchSample):
            writer.move([number], "Rei")
        with pytest.raises(NoSuchRejection):
            writer.take_back([number])


def test_a_rename_to_a_name_in_use_is_refused_with_the_cure(store: Store) -> None:
    add(store, "Rei", 1)
    add(store, "Asuka", 2)
    with pytest.raises(NameTaken, match="Asuka exists already; merge"), store.writing() as writer:
        writer.rename("Rei", "Asuka")


def test_the_mark_at_the_beginning_of_a_file_is_no_part_of_a_name() -> None:
    assert clean_name("\ufeff Rei\ufeff") == "Rei"


@pytest.mark.parametrize("name", ["", "   ", "\ufeff", "a\nb", "a\x00b", "a\udcffb", "x" * 201])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        clean_name(name)


@pytest.mark.parametrize(
    "found", [np.zeros(3), np.zeros((1, DIMENSION)), np.full(DIMENSION, np.nan)]
)
def test_a_descriptor_of_another_shape_or_without_numbers_is_refused(
    store: Store, found: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> None:
    (sample_id,) = add(store, "Rei", 1)
    with pytest.raises(InputError), store.writing() as writer:
        writer.describe(sample_id, "fake", found.astype(np.float32))
    assert np.array_equal(store.vectors("fake").samples[0], vector(1))


def test_changing_a_sample_that_does_not_exist_is_refused(store: Store) -> None:
    add(store, "Rei", 1)
    before = everything(store)
    with pytest.raises(InputError, match="no sample 77"), store.writing() as writer:
        writer.move([1, 77], "Asuka")
    with pytest.raises(InputError, match="no sample 77"), store.writing() as writer:
        writer.forget_samples([1, 77])
    with pytest.raises(InputError, match="no sample 77"), store.writing() as writer:
        writer.describe(77, "fake", vector(1))
    with pytest.raises(InputError, match="no sample 77"), store.writing() as writer:
        writer.keep([1, 77])
    assert everything(store) == before


def test_more_ids_than_one_statement_takes_are_all_looked_up(store: Store) -> None:
    (sample_id,) = add(store, "Rei", 1)
    character = store.character("Rei").id
    assert store.owners(range(40_000)) == {sample_id: character}
    assert store.names(range(40_000)) == {character: ("Rei", False)}


def test_profiles_stay_true_where_only_some_samples_are_encoded(store: Store) -> None:
    one, two, three = add(store, "Rei", 1, 2, 3)
    with store.writing() as writer:
        writer.describe(two, "second", vector(7))
    assert store.counts("second") == (3, 1)
    assert store.unencoded("second") == [one, three]
    assert store.encoders() == {"fake": 3, "second": 1}
    with store.writing() as writer:
        writer.forget_samples([two])
    assert len(store.vectors("second").character_ids) == 0
    assert store.check() == []


def _write_many(where: str, name: str, first: int, count: int) -> None:
    with Store(where, create=True) as store:
        for number in range(first, first + count):
            add(store, name, number)


@SHARED
def test_two_processes_that_make_one_database_and_write_at_once_lose_nothing(where: str) -> None:
    spawning = multiprocessing.get_context("spawn")
    processes = [
        spawning.Process(target=_write_many, args=(where, name, first, 30))
        for name, first in (("Rei", 0), ("Asuka", 1000))
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    with Store(where) as store:
        assert {one.name: one.samples for one in store.characters()} == {"Rei": 30, "Asuka": 30}
        vectors = store.vectors("fake")
        assert len(vectors.sample_ids) == 60
        assert np.allclose(
            vectors.ideals[vectors.character_ids == store.character("Rei").id],
            np.mean([vector(number) for number in range(30)], axis=0),
            atol=1e-6,
        )
        assert store.check() == []


def test_threads_that_make_databases_at_once_make_one_each(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def make() -> None:
        try:
            Store(str(tmp_path / "one.db"), create=True).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Store(str(tmp_path / "one.db")) as store:
        assert store.characters() == []


@SHARED
def test_threads_that_write_through_one_store_lose_nothing(store: Store) -> None:
    threads = [
        threading.Thread(target=lambda at=start: [add(store, "Rei", at + n) for n in range(10)])
        for start in (0, 100, 200)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.character("Rei").samples == 30


def test_a_full_database_is_an_error_and_leaves_nothing_half_written(database: Path) -> None:
    with Store(str(database), create=True) as store:
        add(store, "Rei", 1)
        pages: list[int] = []

        def limit(connection: sqlite3.Connection) -> None:
            pages.append(connection.execute("PRAGMA page_count").fetchone()[0])
            connection.execute(f"PRAGMA max_page_count = {pages[0] + 3}")

        before = everything(store)
        with pytest.raises(StoreError, match="full; make room"), store.writing() as writer:  # noqa: PT012
            limit(writer._connection.connection.driver_connection)  # type: ignore[arg-type]
            for number in range(10, 100):
                writer.add(new_sample("Asuka", number))
        assert len(pages) == 1
        assert everything(store) == before
        assert store.check() == []


@pytest.fixture
def locked(store: Store, database: Path) -> Iterator[sqlite3.Connection]:
    """A connection of somebody else's that is writing."""
    add(store, "Rei", 1)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def test_a_locked_database_can_be_read_and_writing_says_that_it_is_in_use(
    locked: sqlite3.Connection, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0)
    with Store(str(database)) as store:
        assert store.character("Rei").samples == 1
        with pytest.raises(StoreError, match="in use by another process"):
            add(store, "Rei", 2)
        locked.execute("ROLLBACK")
        assert len(add(store, "Rei", 2)) == 1


def test_a_database_that_cannot_be_written_is_read_and_says_so_when_written(
    store: Store, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, "Rei", 1)
    store.close()
    monkeypatch.setattr(schema, "is_writable", lambda _path: False)
    content = database.read_bytes()
    with Store(str(database)) as read_only:
        assert read_only.character("Rei").samples == 1
        assert len(read_only.vectors("fake").sample_ids) == 1
        with pytest.raises(StoreError, match="cannot be written; check their permissions"):
            add(read_only, "Rei", 2)
        read_only.back_up(database.with_name("copy.db"))
    assert database.read_bytes() == content
    monkeypatch.undo()
    with Store(str(database.with_name("copy.db"))) as copy:
        assert copy.character("Rei").samples == 1


def test_a_gallery_in_memory_works_and_vanishes() -> None:
    with Store("sqlite://", create=True) as store:
        assert store.path is None
        assert len(add(store, "Rei", 1, 2)) == 2
        assert store.character("Rei").samples == 2
        with pytest.raises(KeyboardInterrupt), store.writing() as writer:  # noqa: PT012
            writer.forget("Rei")
            raise KeyboardInterrupt
        assert store.character("Rei").samples == 2
    with Store("sqlite:///:memory:", create=True) as store:
        assert store.characters() == []


def test_a_descriptor_of_another_length_in_the_file_is_an_error_that_names_the_cure(
    store: Store, database: Path
) -> None:
    add(store, "Rei", 1)
    other = sqlite3.connect(database)
    with other:
        other.execute("UPDATE descriptors SET vector = x'00'")
    other.close()
    with pytest.raises(DamagedDescriptor, match="encode all samples again"):
        store.vectors("fake")


class TestLost:
    """A database that is deleted or replaced while it is open."""

    @pytest.fixture(params=["deleted", "replaced"])
    def lose(self, request: pytest.FixtureRequest, database: Path) -> Callable[[], None]:
        def lose() -> None:
            other = database.with_name("other.db")
            with Store(str(other), create=True):
                pass
            if request.param == "deleted":
                for path in database.parent.glob(f"{database.name}*"):
                    path.unlink()
            else:
                other.replace(database)

        return lose

    def test_nothing_is_asked_of_it_or_written_into_it(
        self, database: Path, lose: Callable[[], None]
    ) -> None:
        with Store(str(database), create=True) as store:
            lose()
            with pytest.raises(LostDatabase, match="was deleted or replaced while it was in use"):
                store.characters()
            with pytest.raises(LostDatabase), store.writing():
                pytest.fail("there is nothing to write into")

    def test_what_was_being_written_counts_as_lost(
        self, database: Path, lose: Callable[[], None]
    ) -> None:
        def write() -> None:
            with Store(str(database), create=True) as store, store.writing() as writer:
                writer.add(new_sample("Rei", 1))
                lose()

        with pytest.raises(LostDatabase):
            write()

    def test_a_job_ends_with_it_and_so_does_one_that_was_done(
        self, database: Path, tmp_path: Path, lose: Callable[[], None]
    ) -> None:
        candidates = [
            Candidate(write_picture(tmp_path / f"{one}.png", Square(20, 20, 60), seed=one), "Rei")
            for one in range(20)
        ]

        def work(last: int) -> None:
            with fake_gallery(database) as gallery:
                for number, _ in enumerate(enroll_candidates(gallery, candidates), 1):
                    if number == last:
                        lose()

        for last in (1, len(candidates)):
            database.unlink(missing_ok=True)
            with pytest.raises(LostDatabase):
                work(last)

    def test_an_error_of_the_jobs_own_is_the_one_that_is_told(
        self, database: Path, lose: Callable[[], None]
    ) -> None:
        def fail() -> None:
            with fake_gallery(database):
                lose()
                raise NoSuchCharacter("Rei")

        with pytest.raises(NoSuchCharacter):
            fail()
