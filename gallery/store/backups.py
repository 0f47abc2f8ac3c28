"""A back-up in the place of the database, and what it replaces beside it."""

from __future__ import annotations

import contextlib
import glob
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gallery.errors import (
    BusyDatabase,
    DamagedBackUp,
    DamagedDatabase,
    NewerGallery,
    NoBackUp,
    NotAGallery,
    ReadOnlyDatabase,
    StoreError,
)
from gallery.store import logs, schema
from gallery.store.addresses import address_of
from gallery.system.files import dated, replacing

KEPT = ".replaced-"
"""Stands between the name of a database that was replaced and the time."""


def restore(where: str, source: Path) -> Path | None:
    """Put a back-up in a database's place; return where what it replaces lies, None for nothing.

    The back-up stays as it is. What it replaces stays whole, with its log, under a name with the
    date. A kill leaves the one or the other in the place, never a file with another's log. Raises
    InputError where there is no back-up, StoreError for one that is no gallery's, is damaged or is
    of a newer version, and where the database is open in another process or cannot be written.
    """
    address = address_of(where)
    path = address.path
    if address.server is not None:
        raise StoreError(
            f"{address.shown} is on a server, which has no file that a back-up could be put in the "
            "place of; copy the back-up into an empty database there."
        )
    if path is None:
        raise StoreError("A gallery in memory has no place that a back-up could be put in.")
    source = source.absolute()
    if not source.is_file():
        raise NoBackUp(source)
    if path.exists() and path.samefile(source):
        raise StoreError(f"{source} is the database itself; name a back-up of it.")
    if logs.is_in_use(path):
        raise BusyDatabase(path)
    # A database that is a link stays one.
    place = Path(os.path.realpath(path))
    with _sound(source) as back_up:
        try:
            _put_stray_logs_aside(place)
            return _put_in_place(back_up, place)
        except OSError as error:
            raise ReadOnlyDatabase(place) from error


@contextlib.contextmanager
def _sound(source: Path) -> Iterator[sqlite3.Connection]:
    """Open a back-up to read. Raises GalleryError for one that a gallery cannot be made of."""
    with contextlib.closing(_connected(source)) as connection:
        try:
            with schema.explained(source):
                revision, _ = schema.revision_of(connection)
                if revision is not None:
                    _check(connection, source)
        except DamagedDatabase as error:
            raise DamagedBackUp(source) from error
        if revision is None:
            raise NoBackUp(source)
        if revision > schema.HEAD:
            raise NewerGallery(source)
        yield connection


def _connected(source: Path) -> sqlite3.Connection:
    try:
        schema.require_database(source)
    except NotAGallery as error:
        raise NoBackUp(source) from error
    with schema.explained(source):
        return schema.connect_to_read(source)


def _check(connection: sqlite3.Connection, source: Path) -> None:
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone():
        raise DamagedDatabase(source)


def _put_stray_logs_aside(place: Path) -> None:
    while log := logs.stray_log(place):
        logs.put_aside(place, log)


def _put_in_place(back_up: sqlite3.Connection, place: Path) -> Path | None:
    _drop_second_names(place)
    kept, is_there = dated(place, KEPT), place.exists()
    try:
        with replacing(place) as unfinished:
            with schema.explained(place):
                schema.copy_database(back_up, unfinished)
            if is_there:
                _keep(place, kept)
    except BaseException:
        _undo(place, kept)
        raise
    # Only now: a former log beside the new file is known as such, while the former file without
    # its log would lack what was written last.
    return kept if _keep_logs(place, kept) or is_there else None


def _drop_second_names(place: Path) -> None:
    """Take back the name that a run gave to the database, and was killed before it replaced it."""
    for one in place.parent.glob(f"{glob.escape(place.name + KEPT)}*"):
        if place.exists() and one.samefile(place):
            one.unlink()


def _keep(place: Path, kept: Path) -> None:
    try:
        kept.hardlink_to(place)
    except OSError:
        # Some file systems know no links.
        place.rename(kept)


def _undo(place: Path, kept: Path) -> None:
    if kept.exists():
        kept.unlink() if place.exists() else kept.rename(place)


def _keep_logs(place: Path, kept: Path) -> bool:
    """Give the logs of the former file its new name, as SQLite looks for them."""
    *former, index = logs.companions(place)
    has_any = False
    for log, new in zip(former, logs.companions(kept), strict=False):
        if log.exists():
            log.rename(new)
            has_any = True
    index.unlink(missing_ok=True)
    return has_any
