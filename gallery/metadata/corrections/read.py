"""Which program wrote a file of corrections, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

from gallery.errors import NothingFound, UnreadableFile
from gallery.metadata.corrections import (
    coco,
    cvat,
    digikam,
    label_studio,
    own_records,
    picasa,
    takeout,
)
from gallery.metadata.corrections.correction import DAMAGE, Corrections, json_of
from gallery.system.files import is_folder
from gallery.system.reading import FileTooLargeError, open_file, read_if_there

MAX_BYTES = 1024 * 1024 * 1024
"""No file of corrections is longer: a million pictures take half of it."""

KNOWN = (
    "give an export of Label Studio, COCO, CVAT for images 1.1, records in JSON Lines or CSV, "
    "digikam4.db, .picasa.ini, or a folder of Google Takeout or Picasa"
)


def read(path: Path) -> Corrections:
    """Return what a file says, or all `.picasa.ini` and Takeout files of a folder.

    Raises InputError for a file that cannot be read, and for one of another kind.
    """
    found = Corrections()
    if not is_folder(path):
        _read_file(path, found)
        return found
    read_any = False
    for one in sorted(path.rglob("*")):
        is_picasa = one.name.lower() in picasa.NAMES
        if is_picasa or (one.suffix.lower() == ".json" and _is_takeout(one)):
            read_any = True
            _read_file(one, found)
    if not read_any:
        raise NothingFound(path, "holds no .picasa.ini and no people of Google Takeout")
    return found


def _read_file(path: Path, found: Corrections) -> None:
    content = _content(path)
    try:
        if digikam.is_ours(content[:100]):
            digikam.read(path, found)
        elif path.name.lower() in picasa.NAMES:
            picasa.read(content, path.parent, found)
        elif content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            cvat.read(content, found)
        elif own_records.is_table(content):
            own_records.read_table(content, found)
        else:
            _read_json(content, path, found)
    except DAMAGE as error:
        raise UnreadableFile(path, "holds no corrections that can be read", remedy=KNOWN) from error


def _read_json(content: bytes, path: Path, found: Corrections) -> None:
    first = content.lstrip().split(b"\n", 1)[0]
    try:
        is_lines = own_records.is_line(json.loads(first.decode("utf-8-sig")))
    except ValueError:
        is_lines = False
    if is_lines:
        own_records.read_lines(content, found)
        return
    value = json_of(content)
    if label_studio.is_ours(value):
        label_studio.read(value, found)
    elif coco.is_ours(value):
        coco.read(value, found)
    elif takeout.is_ours(value):
        takeout.read(value, path.parent, found)
    else:
        raise ValueError("it is of no known program")


def _content(path: Path) -> bytes:
    """Return a file's content; of a database its beginning, since SQLite reads it itself."""
    try:
        with open_file(path) as file:
            beginning = file.read(100)
        if digikam.is_ours(beginning):
            return beginning
        content = read_if_there(path, MAX_BYTES)
    except FileTooLargeError as error:
        raise UnreadableFile(path, "is too long for corrections") from error
    except OSError as error:
        raise UnreadableFile(path, f"cannot be read: {error.strerror}") from error
    return content or b""


def _is_takeout(path: Path) -> bool:
    try:
        return takeout.is_ours(json_of(_content(path)))
    except (*DAMAGE, UnreadableFile):
        return False
