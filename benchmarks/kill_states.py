"""What a command leaves, in a shape that two runs can be compared by."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

LOGS = ("-wal", "-shm", "-journal")
KEPT = re.compile(r"\.(?:replaced|\d{4})-\d{8}-\d{6}(?:-\d+)?$")
"""How copies of the database end that gallery keeps with the date: of each there may be several."""

UNFINISHED = re.compile(r"[0-9a-f]{8}-\d+-[0-9a-f]{8}")

MADE_AGAIN = frozenset(("answers", "answer_states", "answer_counts", "changes", "changed_vectors"))
"""Tables of what the gallery would say, of which a kill leaves some to be made anew, and of what
changed in which transaction, for the index to follow."""

KEYS = "coalesce(state_id, 0), decided, verdict, coalesce(character_id, 0)"
COUNTED = f"""
    SELECT state_id, decided, verdict, character_id, faces FROM answer_counts WHERE faces != 0
    EXCEPT SELECT {KEYS}, count(*) FROM answers GROUP BY {KEYS}
    UNION ALL
    SELECT * FROM (
        SELECT {KEYS}, count(*) FROM answers GROUP BY {KEYS}
        EXCEPT SELECT state_id, decided, verdict, character_id, faces FROM answer_counts
    )
"""  # noqa: S608 - its own columns
"""Finds counts without their answers, and answers without their count."""

PASSING = frozenset(("change", "made_at", "revision"))
"""Columns that differ from run to run."""


class State(NamedTuple):
    """What stands in a folder."""

    content: Counter[str]
    """Files, records and rows, each as one text."""
    kept: frozenset[str]
    """The same of copies with a date; several runs may have kept several."""
    stray: frozenset[str]
    """Files that no command should leave."""


def state_of(folder: Path) -> State:
    """Return what stands in a folder. Raises sqlite3.Error for a database that is damaged."""
    content: Counter[str] = Counter()
    kept: set[str] = set()
    stray: set[str] = set()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.name.startswith(".") or path.name.endswith(LOGS) or ".db-wal." in path.name:
            stray.add(UNFINISHED.sub("*", name))
        elif path.is_dir() or path.parent.name.endswith("-index"):
            # The index is a cache, stamped with what it is of.
            continue
        elif KEPT.search(path.name):
            kept.update(rows(path, KEPT.sub(" kept", name)))
        else:
            content.update(_parts(path, name))
    return State(content, frozenset(kept), frozenset(stray))


def compared(expected: State, found: State) -> tuple[list[str], list[str], list[str]]:
    """Return what is lost, what is doubled or other, and what is left behind."""
    lost = {*(expected.content - found.content), *(expected.kept - found.kept)}
    more = set(found.content - expected.content)
    files = {one for one in more if one.startswith("file ")}
    return sorted(lost), sorted(more - files), sorted({*(found.stray - expected.stray), *files})


def _parts(path: Path, name: str) -> Iterator[str]:
    yield f"file {name}"
    if path.suffix == ".db":
        yield from rows(path, name)
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                yield f"{name}: {member} {_short(archive.read(member))}"
    elif path.suffix in (".jsonl", ".csv", ".txt", ".json"):
        for line in path.read_bytes().splitlines():
            yield f"{name}: {line[:60].decode(errors='replace')} {_short(line)}"
    else:
        yield f"{name}: {_short(path.read_bytes())}"


def rows(path: Path, name: str) -> Iterator[str]:
    """Yield every row of a sound database without its ids. Raises sqlite3.Error for another one."""
    # Whoever reads a database with a log makes one where there is none.
    still = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro{still}", uri=True)) as connection:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone():
            raise sqlite3.DatabaseError(f"{name} is damaged: {found}")
        yield from (f"{name}: miscounted {one}" for one in _miscounted(connection))
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for (table,) in tables.fetchall():
            if table == "sqlite_sequence" or table in MADE_AGAIN:
                continue
            found = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - its own tables
            columns = [one[0] for one in found.description]
            for row in found:
                yield f"{name}: {table} {_row(columns, row)}"


def _miscounted(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """Return the counts of stored answers that are not what they count."""
    names = connection.execute("SELECT name FROM sqlite_schema WHERE name = 'answer_counts'")
    return connection.execute(COUNTED).fetchall() if names.fetchone() else []


def _row(columns: list[str], row: tuple[object, ...]) -> str:
    kept = {
        column: _short(value) if isinstance(value, bytes) else value
        for column, value in zip(columns, row, strict=True)
        if column != "id" and not column.endswith("_id") and column not in PASSING
    }
    return json.dumps(kept, ensure_ascii=False)[:300]


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
