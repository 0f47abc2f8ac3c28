"""Names of characters: how they are stored, and which of them are one."""

from __future__ import annotations

import difflib
import sqlite3
import unicodedata
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from gallery.errors import BadName

REJECT_PREFIX = "noise"
"""A folder whose name begins so, in any case, holds what is to be turned away."""


def clean_name(name: str) -> str:
    """Return a name in Unicode's composed form, so that it is one name on every platform.

    Raises InputError for an empty name, one over 200 characters, and one with control characters
    or bytes that are no text.
    """
    # The mark at the beginning of some files is no part of the first name in it.
    cleaned = unicodedata.normalize("NFC", name).strip().strip("\ufeff").strip()
    if not cleaned:
        raise BadName(name, "A character's name cannot be empty")
    if len(cleaned) > 200:
        raise BadName(
            name, f"The name {cleaned[:20]}... has over 200 characters", "choose a shorter one"
        )
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in cleaned):
        raise BadName(
            name,
            f"The name {cleaned!r} holds control characters or bytes that are no text",
            "rename it",
        )
    return cleaned


def is_reject_name(name: str) -> bool:
    """Say whether a character of a name is a reject class."""
    return name.lower().startswith(REJECT_PREFIX)


def folded(name: str) -> str:
    """Return what names have in common that differ by case, composition or width alone."""
    wide = "".join(_of_common_width(letter) for letter in name)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", wide).casefold())


def _of_common_width(letter: str) -> str:
    kind, _, common = unicodedata.decomposition(letter).partition(" ")
    return chr(int(common, 16)) if kind in ("<wide>", "<narrow>") else letter


NAMES = "SELECT name FROM characters UNION SELECT name FROM aliases ORDER BY name"
SERIES = "SELECT DISTINCT series FROM characters WHERE series <> '' ORDER BY series"


def names_at(where: str) -> list[str]:
    """Return the names in a database at a path, as they stand; none where it cannot be read.

    For a look that must not wait, make, migrate or complain: what a shell completes. Names that
    characters have are among them, and all others that mean one.
    """
    return _texts_at(where, NAMES)


def series_at(where: str) -> list[str]:
    """Return the series in a database, as names_at does of names."""
    return _texts_at(where, SERIES)


def _texts_at(where: str, query: str) -> list[str]:
    if "://" in where:
        return _texts_on(where, query)
    try:
        address = f"{Path(where).absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=0.2)) as connection:
            rows = connection.execute(query).fetchall()
    except (sqlite3.Error, ValueError):
        return []
    return [name for (name,) in rows if isinstance(name, str)]


def _texts_on(where: str, query: str) -> list[str]:
    """Return texts in a database on a server; none of one that does not answer soon."""
    try:
        import psycopg
    except ImportError:
        return []
    try:
        url = where.replace("+psycopg", "", 1)
        with closing(psycopg.connect(url, connect_timeout=2)) as connection:
            rows = connection.execute(query.encode()).fetchall()
    except psycopg.Error:
        return []
    return [name for (name,) in rows]


ALIKE = 0.65
"""From this ratio on names are spelt alike: Rai and Rei are, Arima and Gaara are not."""


def spelt_alike(name: str, known: Collection[str]) -> list[str]:
    """Return up to three of the known names that a name may be meant for.

    Case does not count, nor does the order of its words, since family names stand first or last. A
    part of a name, such as the family name, is enough.
    """
    folded = {one: one.casefold() for one in sorted(known)}
    wanted = name.casefold()
    words = sorted(wanted.split())
    same = [one for one, other in folded.items() if sorted(other.split()) == words]
    parts = [one for one, other in folded.items() if wanted in other or other in wanted]
    close = difflib.get_close_matches(wanted, folded.values(), n=3, cutoff=ALIKE)
    alike = [one for other in close for one in folded if folded[one] == other]
    return list(dict.fromkeys(same + parts + alike))[:3]
