"""What was sent to programs that hold the pictures: so that it is sent once, and can be withdrawn.

An item is noted before it is sent, so that what a killed job sent is known as the gallery's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from gallery.store.descriptors import portions
from gallery.store.dialects import upsert
from gallery.store.kinds import DamagedValueError
from gallery.store.tables import sent, state


class SentState(StrEnum):
    """How far an item is."""

    BEGUN = "begun"
    """It was to be sent; nobody knows whether it was."""
    SENT = "sent"
    WITHDRAWN = "withdrawn"
    """It was sent, and taken back."""


class SentKey(NamedTuple):
    """What of which file."""

    digest: str
    """SHA-256 of the file."""
    item: str
    """A tag, a face, an appearance: as the one who sends it spells it."""


@dataclass(frozen=True, slots=True)
class SentItem:
    """Something that was sent."""

    key: SentKey
    state: SentState
    said: str = ""
    """What was said of the item; empty where the item says it all."""
    remote: str = ""
    """What the program knows it by; empty where that is the item itself, or not known."""


class SentReader:
    """Reads what was sent; store.Store has one."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        """Read by what opens a connection."""
        self._reading = reading

    def to(self, place: str) -> dict[SentKey, SentItem]:
        """Return all that was ever sent to a place, in the order of the keys."""
        query = select(sent).where(sent.c.place == place).order_by(sent.c.digest, sent.c.item)
        with self._reading() as connection:
            found = [_item(row) for row in connection.execute(query)]
        return {one.key: one for one in found}


class SentWriter:
    """Writes what was sent; writer.Writer has one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, place: str, items: Iterable[SentItem]) -> None:
        """Note items of a place in place of what was noted of them."""
        rows = [
            {
                "place": place,
                "digest": one.key.digest,
                "item": one.key.item,
                "said": one.said,
                "remote": one.remote,
                "state": one.state.value,
            }
            for one in items
        ]
        for some in portions(rows):
            self._note(some)
        # A copy that is gone on with knows by it that something is new.
        self._connection.execute(update(state).values(revision=state.c.revision + 1))

    def _note(self, rows: Sequence[dict[str, str]]) -> None:
        new = upsert(self._connection, sent)
        changed = {name: new.excluded[name] for name in ("said", "remote", "state")}
        self._connection.execute(
            new.on_conflict_do_update(index_elements=list(sent.primary_key), set_=changed), rows
        )


def _item(row: Any) -> SentItem:
    try:
        how_far = SentState(row.state)
    except ValueError as error:
        raise DamagedValueError from error
    return SentItem(SentKey(row.digest, row.item), how_far, row.said, row.remote)
