"""What was sent is remembered by place, and noted anew where it changes."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from gallery.errors import StoreError
from gallery.store.reader import Store
from gallery.store.sent import SentItem, SentKey, SentState

HERE, THERE = "hydrus http://a:1 00", "hydrus http://b:1 00"


def item(name: str, state: SentState, said: str = "", remote: str = "") -> SentItem:
    return SentItem(SentKey("d" * 64, name), state, said, remote)


def test_what_was_sent_is_known_by_its_place(store: Store) -> None:
    first = item("character:綾波", SentState.BEGUN)
    with store.writing() as writer:
        writer.sent.note(HERE, [first, item("series:eva", SentState.SENT)])
        writer.sent.note(THERE, [item("character:綾波", SentState.WITHDRAWN)])
        writer.sent.note(THERE, [])
    later = item("character:綾波", SentState.SENT, said="x", remote="17")
    with store.writing() as writer:
        writer.sent.note(HERE, [later])
    assert list(store.sent.to(HERE).values()) == [later, item("series:eva", SentState.SENT)]
    assert [one.state for one in store.sent.to(THERE).values()] == [SentState.WITHDRAWN]
    assert store.sent.to("nowhere") == {}


def test_thousands_at_once(store: Store) -> None:
    many = [item(f"tag {number:05}", SentState.SENT) for number in range(2000)]
    with store.writing() as writer:
        writer.sent.note(HERE, many)
    assert list(store.sent.to(HERE).values()) == many


@pytest.mark.parametrize("kind", ["file"])
def test_a_damaged_row_is_a_damaged_database(store: Store) -> None:
    with store.writing() as writer:
        writer.sent.note(HERE, [item("tag", SentState.SENT)])
        writer._connection.execute(text("UPDATE sent SET state = 'lost'"))
    with pytest.raises(StoreError):
        store.sent.to(HERE)
