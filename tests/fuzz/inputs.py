"""Damaged inputs: each is drawn by its kind, a seed and its number, and is the same every time."""

from __future__ import annotations

import io
import random
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

from fuzz.mutations import VALUES, damaged, damaged_json, damaged_text

TEXTS = frozenset((".xmp", ".txt", ".jsonl", ".csv", ".json", ".toml"))
"""Suffixes of kinds in which words may be changed as well."""

LARGE = 1_000_000
"""Bytes from which on a source is drawn less often: it takes longer to write than to refuse."""


def write_input(sources: Path, folder: Path, name: str, numbers: random.Random) -> Path:
    """Write a damaged input into a folder and return where it lies; its suffix is its source's."""
    paths = sorted(path for path in sources.iterdir() if path.is_file())
    source, other = numbers.choice(paths), numbers.choice(paths)
    if source.stat().st_size > LARGE and numbers.random() < 0.8:
        source = paths[0]
    alike = other if other.stat().st_size < LARGE else source
    target = folder / f"{name}{source.suffix}"
    if source.suffix == ".db" and numbers.random() < 0.5:
        shutil.copy(source, target)
        _damage_values(target, numbers)
    else:
        target.write_bytes(_damaged(source, alike.read_bytes(), numbers))
    return target


def _damaged(source: Path, other: bytes, numbers: random.Random) -> bytes:
    content = source.read_bytes()
    if source.suffix == ".zip" and numbers.random() < 0.8:
        return _damaged_members(content, numbers)
    if source.suffix == ".jsonl" and numbers.random() < 0.6:
        return _damaged_line(content, numbers)
    if source.suffix in TEXTS:
        return damaged_text(content, other, numbers)
    return damaged(content, other, numbers)


def _damaged_line(content: bytes, numbers: random.Random) -> bytes:
    """Change a value in one of the lines."""
    lines = content.splitlines() or [b""]
    row = numbers.randrange(len(lines))
    try:
        lines[row] = damaged_json(lines[row], numbers)
    except (ValueError, RecursionError):
        # It is damaged already.
        lines[row] = damaged_text(lines[row], lines[row], numbers)
    return b"".join(line + b"\n" for line in lines)


def _damaged_members(content: bytes, numbers: random.Random) -> bytes:
    """Change what is in a zip file, whose sums are right."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    names = sorted(members, key=lambda name: name.partition("/")[0] in ("crops", "rejected"))
    plain = [name for name in names if not name.endswith((".png", ".jpg"))]
    for name in numbers.choices(plain if numbers.random() < 0.8 else names, k=2):
        before = members[name]
        is_json = name.endswith((".json", ".jsonl"))
        if is_json and before and numbers.random() < 0.7:
            members[name] = _damaged_line(before, numbers)
        elif is_json:
            members[name] = damaged_text(before, before, numbers)
        else:
            members[name] = damaged(before, numbers.choice(list(members.values())), numbers)
    made = io.BytesIO()
    how = numbers.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    with zipfile.ZipFile(made, "w", how) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return made.getvalue()


def _damage_values(database: Path, numbers: random.Random) -> None:
    """Put values of other kinds into rows of a database, as a damaged page does."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA foreign_keys = OFF")
        tables = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        for _ in range(numbers.choice((1, 2, 5))):
            table = numbers.choice(tables)
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            if columns:
                _damage_value(connection, table, numbers.choice(columns), numbers)
        connection.commit()


def _damage_value(
    connection: sqlite3.Connection, table: str, column: str, numbers: random.Random
) -> None:
    value = numbers.choice((*VALUES, b"", b"\xff\xfe", numbers.randbytes(512), 10**12))
    if not isinstance(value, (str, bytes, int, float)):
        value = None
    rows = [row[0] for row in connection.execute(f'SELECT rowid FROM "{table}"')]  # noqa: S608
    if rows and numbers.random() < 0.7:
        rows = [numbers.choice(rows)]
    # Bytes may be called a text.
    new = "CAST(? AS TEXT)" if isinstance(value, bytes) and numbers.random() < 0.5 else "?"
    change = f'UPDATE OR REPLACE "{table}" SET "{column}" = {new} WHERE rowid = ?'  # noqa: S608
    is_lost = numbers.random() < 0.1
    try:
        for row in rows:
            if is_lost:
                connection.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (row,))  # noqa: S608
            else:
                connection.execute(change, (value, row))
    except (sqlite3.Error, OverflowError, UnicodeEncodeError):
        # Constraints hold some values off; there are enough others.
        return
