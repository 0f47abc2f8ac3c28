"""Faces that a person forgot: enrolment passes over them until they are asked for.

A face is known by its picture and its place. What is forgotten is that it shows somebody: found in
the folder of somebody else, it is a new label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from gallery.store.columns import box_of
from gallery.store.contents import digests_of
from gallery.store.rejections import SAME_PLACE
from gallery.store.tables import characters, forgotten, samples
from gallery.types import Box


@dataclass(frozen=True, slots=True)
class ForgottenFace:
    """A face that was a sample."""

    digest: str
    """Of its picture's file."""
    box: Box
    names: frozenset[str]
    """Whom it was taken for: its character's name and that of the folder."""


def forgotten_in(connection: Connection) -> list[ForgottenFace]:
    """Return all faces that are forgotten."""
    rows = connection.execute(select(forgotten).order_by(forgotten.c.id))
    return [
        ForgottenFace(row.digest, box_of(row), frozenset((row.character, row.enrolled_as)))
        for row in rows
    ]


def note_forgotten(connection: Connection, *which: Any) -> None:
    """Note samples that conditions choose as forgotten; they are removed next."""
    names = ("digest", "path", *Box._fields, "enrolled_as")
    chosen = (
        select(*(samples.c[name] for name in names), characters.c.name)
        .join(characters, characters.c.id == samples.c.character_id)
        .where(*which)
    )
    connection.execute(
        insert(forgotten).prefix_with("OR REPLACE").from_select([*names, "character"], chosen)
    )


def remember_again(connection: Connection, digest: str, box: Box) -> None:
    """Drop what is noted of a face that becomes a sample after all."""
    rows = connection.execute(
        select(forgotten).where(forgotten.c.digest.in_(digests_of(connection, digest)))
    )
    there = [row.id for row in rows if box_of(row).overlap(box) >= SAME_PLACE]
    connection.execute(delete(forgotten).where(forgotten.c.id.in_(there)))
