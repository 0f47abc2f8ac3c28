"""digiKam's database, `digikam4.db`: faces whose names a person confirmed, and ignored ones.

Of each face the table ImageTagProperties has a rectangle in pixels of the picture as it is shown,
and the person as a tag. The database is opened for reading alone.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, unquote

from gallery.metadata.corrections.correction import Corrections, Spot, box_at
from gallery.types import Box

FACES = """
SELECT roots.identifier, roots.specificPath, albums.relativePath, images.name,
       faces.property, faces.value, tags.name,
       EXISTS (SELECT 1 FROM TagProperties own WHERE own.tagid = tags.id
               AND own.property IN ('unknownPerson', 'unconfirmedPerson')),
       EXISTS (SELECT 1 FROM TagProperties own WHERE own.tagid = tags.id
               AND own.property = 'ignoredPerson')
FROM ImageTagProperties faces
JOIN Images images ON images.id = faces.imageid
JOIN Albums albums ON albums.id = images.album
JOIN AlbumRoots roots ON roots.id = albums.albumRoot
JOIN Tags tags ON tags.id = faces.tagid
WHERE faces.property IN ('tagRegion', 'ignoredFace')
ORDER BY faces.rowid
"""

EDGE = re.compile(r"""\b(x|y|width|height)\s*=\s*["'](-?\d{1,9}(?:\.\d+)?)["']""")


def read(path: Path, found: Corrections) -> None:
    """Add the faces of a database. Raises ValueError for a file that is none."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=5)) as connection:
            rows = connection.execute(FACES).fetchall()
    except sqlite3.Error as error:
        raise ValueError(str(error)) from error
    for identifier, inside, album, name, kind, region, person, is_nobody, is_ignored in rows:
        label = person
        if kind == "ignoredFace" or is_ignored:
            label = "ignored"
        elif is_nobody:
            label = ""
        picture = f"{_root(identifier or '', inside or '')}{album or ''}/{name}"
        found.add(label, Spot(re.sub("/{2,}", "/", picture), _box(region or "")))


def is_ours(beginning: bytes) -> bool:
    """Say whether a file begins as SQLite's do."""
    return beginning.startswith(b"SQLite format 3\0")


def _root(identifier: str, inside: str) -> str:
    """Return where an album root lies, as far as its identifier says: a disk may be anywhere."""
    path = parse_qs(identifier.partition("?")[2]).get("path", [""])[0]
    return f"{unquote(path)}{inside}" if inside != "/" else unquote(path)


def _box(region: str) -> Box:
    edges = dict(EDGE.findall(region))
    return box_at(edges["x"], edges["y"], edges["width"], edges["height"])
