"""A gallery copied into another database: nothing lost, nothing doubled, and back again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes import Square, draw, fake_gallery, new_sample

from gallery.errors import CopyRefused, UnfinishedCopy
from gallery.events import Advanced, Finished, Started, result_of
from gallery.jobs import answers
from gallery.jobs.copy import copy
from gallery.store import copying
from gallery.store.addresses import address_of
from gallery.store.databases import open_database
from gallery.store.dialects import last_id
from gallery.store.reader import Store
from gallery.store.steps import Action
from gallery.store.tables import changed_vectors, changes, metadata, samples
from gallery.types import Image

KINDS = pytest.mark.parametrize("kind", ["file", "server"])


def contents(where: str) -> dict[str, list[Any]]:
    """All rows of all tables, in the order of their keys, but for what is noted of changes."""
    database = open_database(address_of(where), create=False)
    with database.reading() as connection:
        found = {
            table.name: [
                tuple(row)
                for row in connection.execute(table.select().order_by(*table.primary_key))
            ]
            for table in metadata.sorted_tables
            if table not in (changes, changed_vectors)
        }
        found["last"] = [(last_id(connection, samples),)]
    database.close()
    return found


@pytest.fixture
def source(database: Path) -> str:
    """A gallery with characters, seen faces, decisions and answers, and an id that is gone."""
    with fake_gallery(database) as gallery:
        with gallery.store.writing() as writer:
            for number in range(7):
                writer.add(new_sample(("Rei", "綾波", "Noise 1")[number % 3], number))
            writer.rename("Rei", "Yui")
            writer.forget_samples([7])
        for number in range(3):
            shown = draw(Square(20, 10 + number, 70))
            image = Image(shown, f"{number}" * 64, Path(f"/seen {number}.png"))
            gallery.keep(gallery.observe([image]))
        with gallery.store.writing() as writer:
            step = writer.decisions.begin(Action.JOIN, "somebody")
            writer.decisions.groups.regroup(step, {1: 4, 2: 4})
        result_of(answers.renew(gallery))
    return str(database)


@pytest.fixture
def target(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where no gallery is yet."""
    if kind == "file":
        return str(tmp_path / "copy.db")
    server = request.getfixturevalue("server")
    return str(server.url(server.empty()))


@KINDS
def test_a_copy_holds_every_row_and_gives_out_no_id_twice(source: str, target: str) -> None:
    events = list(copy(source, target))
    first, last = events[0], events[-1]
    assert isinstance(first, Started)
    assert isinstance(last, Finished)
    assert sum(one.count for one in events if isinstance(one, Advanced)) == first.total
    assert contents(target) == contents(source)
    assert last.result.rows["samples"] == 6
    with Store(target) as store, store.writing() as writer:
        assert writer.add(new_sample("Rei", 50)) == 8


@KINDS
def test_there_and_back_is_the_same_gallery(source: str, target: str, tmp_path: Path) -> None:
    result_of(copy(source, target))
    back = str(tmp_path / "back.db")
    result_of(copy(target, back))
    assert contents(back) == contents(source)


@KINDS
@pytest.mark.parametrize("steps", [1, 2, 5, 9, 14])
def test_a_copy_that_was_left_goes_on_and_is_no_gallery_until_then(
    source: str, target: str, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "AT_ONCE", 2)
    job = copy(source, target)
    for _ in range(steps):
        next(job)
    job.close()
    if steps > 1:
        with pytest.raises(UnfinishedCopy):
            Store(target)
    done = result_of(copy(source, target))
    assert done.before >= max(0, steps - 3)
    assert contents(target) == contents(source)


@KINDS
def test_a_copy_of_a_gallery_that_changed_meanwhile_begins_anew(
    source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "AT_ONCE", 2)
    job = copy(source, target)
    for _ in range(9):
        next(job)
    job.close()
    with Store(source) as store, store.writing() as writer:
        writer.forget("Yui")
    assert result_of(copy(source, target)).before == 0
    assert contents(target) == contents(source)


@KINDS
def test_a_copy_that_is_done_is_known_and_another_gallery_is_left_alone(
    source: str, target: str
) -> None:
    first = result_of(copy(source, target))
    again = result_of(copy(source, target))
    assert again.rows == first.rows
    assert again.before == sum(first.rows.values())
    with Store(target) as store, store.writing() as writer:
        writer.add(new_sample("Somebody else", 90))
    before = contents(target)
    with pytest.raises(CopyRefused, match="holds a gallery already; name an empty database"):
        result_of(copy(source, target))
    assert contents(target) == before


def test_a_gallery_is_not_copied_into_itself_or_into_memory(source: str) -> None:
    for target in (source, "sqlite://"):
        with pytest.raises(CopyRefused):
            result_of(copy(source, target))


@pytest.mark.parametrize("kind", ["server"])
def test_a_back_up_of_a_server_is_a_gallery_in_one_file(
    source: str, target: str, tmp_path: Path
) -> None:
    result_of(copy(source, target))
    path = tmp_path / "back-ups" / "copy.db"
    with Store(target) as store:
        store.back_up(path)
    assert [one.name for one in path.parent.iterdir()] == ["copy.db"]
    assert contents(str(path)) == contents(source)
