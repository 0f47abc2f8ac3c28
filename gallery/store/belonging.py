"""Which series characters belong to, and which other names they go by."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager

from sqlalchemy import Connection, select, update

from gallery.errors import NoSuchSeries
from gallery.store.descriptors import portions
from gallery.store.names import clean_name, folded, spelt_alike
from gallery.store.tables import aliases, characters, state


class SeriesReader:
    """Reads which characters are of one series."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        """Read by what opens a connection."""
        self._reading = reading

    def of_characters(self) -> dict[str, str]:
        """Return the series of each character whose series is known, by the character's name."""
        query = select(characters.c.name, characters.c.series).where(characters.c.series != "")
        with self._reading() as connection:
            rows = connection.execute(query.order_by(characters.c.name))
            return {row.name: row.series for row in rows}

    def all(self) -> dict[str, list[str]]:
        """Return all series in their order, each with its characters."""
        found: dict[str, list[str]] = {}
        for name, series in self.of_characters().items():
            found.setdefault(series, []).append(name)
        return {series: found[series] for series in sorted(found)}

    def called(self, name: str) -> str:
        """Return the series that a name means, whatever its case and width.

        Raises InputError for one that no character belongs to, with those that are spelt alike.
        """
        with self._reading() as connection:
            known = _known(connection)
        found = _among(name, known)
        if found is None:
            raise NoSuchSeries(name, tuple(spelt_alike(name, known)))
        return found

    def numbers_within(self, series: str) -> frozenset[int]:
        """Return the ids of a series' characters and of the reject classes, which are of all."""
        return frozenset(self._within(series))

    def names_within(self, series: str) -> frozenset[str]:
        """Return the names of a series' characters and of the reject classes."""
        return frozenset(self._within(series).values())

    def _within(self, series: str) -> dict[int, str]:
        chosen = (characters.c.series == series) | characters.c.is_reject
        query = select(characters.c.id, characters.c.name).where(chosen)
        with self._reading() as connection:
            return {row.id: row.name for row in connection.execute(query)}


def put_series(connection: Connection, names: Collection[str], series: str) -> str:
    """Let characters belong to a series, or to none where its name is empty; return the series.

    A name that differs from a known one by case or width alone means that one. No answer changes.
    Raises InputError for a text that is no name.
    """
    if series:
        series = clean_name(series)
        series = _among(series, _known(connection)) or series
    for some in portions(sorted(names)):
        connection.execute(
            update(characters).where(characters.c.name.in_(some)).values(series=series)
        )
    # A copy that is gone on with knows by it that something is new.
    connection.execute(update(state).values(revision=state.c.revision + 1))
    return series


def other_names(connection: Connection, character_id: int) -> list[str]:
    """Return the other names that a character goes by, and went by, in their order."""
    query = select(aliases.c.name).where(aliases.c.character_id == character_id)
    return list(connection.scalars(query.order_by(aliases.c.name)))


def _known(connection: Connection) -> list[str]:
    query = select(characters.c.series).where(characters.c.series != "").distinct()
    return list(connection.scalars(query.order_by(characters.c.series)))


def _among(name: str, known: Collection[str]) -> str | None:
    """Return what of the known series a name means, letter by letter if it can."""
    if name in known:
        return name
    spelt = [one for one in known if folded(one) == folded(name)]
    return spelt[0] if spelt else None
