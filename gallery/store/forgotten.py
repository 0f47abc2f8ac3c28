"""Faces that a person forgot: enrolment passes over them until they are asked for.

A face is known by its picture and its place. What is forgotten is that it shows somebody: found in
the folder of somebody else, it is a new label.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select

from gallery.store.columns import box_of
from gallery.store.contents import contents_about, contents_in, digests_of
from gallery.store.descriptors import portions
from gallery.store.dialects import upsert
from gallery.store.rejections import SAME_PLACE
from gallery.store.tables import characters, forgotten, samples
from gallery.types import Box, Content


@dataclass(frozen=True, slots=True)
class ForgottenFace:
    """A face that was a sample."""

    digest: str
    """Of its picture's file."""
    path: Path
    """Where that was last seen."""
    box: Box
    character: str
    """Whose sample it was."""
    enrolled_as: str
    """The folder that it was found in."""
    content: Content | None = None
    """What the file shows, where that is known."""


def forgotten_in(
    connection: Connection, digests: Collection[str] | None = None
) -> list[ForgottenFace]:
    """Return the faces that are forgotten, all or those of some pictures, in their order."""
    if digests is None:
        return _faces(connection, contents_in(connection))
    return [
        one
        for some in portions(sorted(digests))
        for one in _faces(
            connection, contents_about(connection, some), forgotten.c.digest.in_(some)
        )
    ]


def _faces(
    connection: Connection, known: Mapping[str, Content], *which: Any
) -> list[ForgottenFace]:
    return [
        ForgottenFace(
            row.digest,
            Path(row.path),
            box_of(row),
            row.character,
            row.enrolled_as,
            known.get(row.digest),
        )
        for row in connection.execute(select(forgotten).where(*which).order_by(forgotten.c.id))
    ]


def note_forgotten(connection: Connection, *which: Any) -> None:
    """Note samples that conditions choose as forgotten; they are removed next."""
    place = ("digest", *Box._fields)
    # One that was forgotten before is noted anew.
    same = [samples.c[name] == forgotten.c[name] for name in place]
    connection.execute(delete(forgotten).where(exists().where(*same, *which)))
    names = (*place, "path", "enrolled_as")
    chosen = (
        select(*(samples.c[name] for name in names), characters.c.name)
        .join(characters, characters.c.id == samples.c.character_id)
        .where(*which)
    )
    connection.execute(insert(forgotten).from_select([*names, "character"], chosen))


def put_forgotten(connection: Connection, face: ForgottenFace) -> None:
    """Note a face as forgotten, as another gallery has it."""
    connection.execute(
        upsert(connection, forgotten)
        .values(
            digest=face.digest,
            path=str(face.path),
            **face.box._asdict(),
            character=face.character,
            enrolled_as=face.enrolled_as,
        )
        .on_conflict_do_nothing()
    )


def remember_again(connection: Connection, digest: str, box: Box) -> None:
    """Drop what is noted of a face that becomes a sample after all."""
    rows = connection.execute(
        select(forgotten).where(forgotten.c.digest.in_(digests_of(connection, digest)))
    )
    there = [row.id for row in rows if box_of(row).overlap(box) >= SAME_PLACE]
    connection.execute(delete(forgotten).where(forgotten.c.id.in_(there)))
