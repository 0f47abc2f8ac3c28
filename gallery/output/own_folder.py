"""A folder that only gallery replaces, and only what gallery wrote and nobody changed since."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from gallery.errors import BadOutput, UnwritableFile
from gallery.output.records import to_line
from gallery.system.files import is_there

LIST = "dataset.json"
"""Lists every other file of the folder with its SHA-256."""

REMEDY = "name a folder that is new or empty"


def check_folder(folder: Path) -> None:
    """Raise InputError where a folder holds anything that gallery did not write as it is now."""
    if not is_there(folder):
        return
    if not folder.is_dir():
        raise UnwritableFile(folder, "is no folder", remedy=REMEDY)
    there = {
        one.relative_to(folder).as_posix(): one
        for one in folder.rglob("*")
        if one.is_symlink() or not one.is_dir()
    }
    if not there:
        return
    listed = _listed(folder)
    if listed is None:
        raise BadOutput(folder, "holds something else than gallery wrote", remedy=REMEDY)
    for name, path in sorted(there.items()):
        if name != LIST and (path.is_symlink() or listed.get(name) != _digest(path)):
            raise BadOutput(
                path,
                "was put there or changed since gallery wrote the folder",
                remedy="name another folder",
            )


def write_list(folder: Path, values: dict[str, Any]) -> None:
    """Write the list of a whole folder's files, with what else is to be known of it."""
    files = {
        one.relative_to(folder).as_posix(): _digest(one)
        for one in sorted(folder.rglob("*"))
        if one.is_file()
    }
    text = to_line({**values, "files": files})
    (folder / LIST).write_text(text + "\n", encoding="utf-8")


def publish(whole: Path, folder: Path, former: Path) -> None:
    """Put a whole folder in a place; what is there is moved away first. Raises OSError."""
    if is_there(folder):
        folder.rename(former)
    whole.rename(folder)


def _listed(folder: Path) -> dict[str, str] | None:
    try:
        found = json.loads((folder / LIST).read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
