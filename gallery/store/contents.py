"""Which files show the same picture, whatever else is written into them.

A picture is known by its file's digest, then by its pixels'. Its key is the latter where it is
known, else the former: nothing is known of files that an older version of gallery met, until they
are met again, and of pictures that no file holds the one digest is that of the pixels.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from gallery.store.descriptors import portions
from gallery.store.dialects import upsert
from gallery.store.tables import contents
from gallery.types import Content


def contents_in(connection: Connection) -> dict[str, Content]:
    """Return what files show, by their digests."""
    rows = connection.execute(select(contents))
    return {row.digest: Content(row.pixels, row.orientation) for row in rows}


def contents_about(connection: Connection, digests: Collection[str]) -> dict[str, Content]:
    """Return what some files show, and all others that show the same, by their digests.

    What is given may be the digests of pixels, too.
    """
    own: dict[str, Content] = {}
    for column, known in ((contents.c.digest, set(digests)), (contents.c.pixels, set(digests))):
        wanted = known | {one.pixels for one in own.values()}
        for some in portions(sorted(wanted)):
            rows = connection.execute(select(contents).where(column.in_(some)))
            own |= {row.digest: Content(row.pixels, row.orientation) for row in rows}
    return own


def put_content(connection: Connection, digest: str, content: Content) -> None:
    """Note what a file of a digest shows."""
    values = content._asdict()
    connection.execute(
        upsert(connection, contents)
        .values(digest=digest, **values)
        .on_conflict_do_update(index_elements=[contents.c.digest], set_=values)
    )


def hear_of_content(connection: Connection, digest: str, content: Content) -> None:
    """Note what a file of a digest shows as somebody else says, unless it is known."""
    values = {"digest": digest, **content._asdict()}
    connection.execute(upsert(connection, contents).values(**values).on_conflict_do_nothing())


def key_of(digest: str, known: Mapping[str, Content]) -> str:
    """Return what a file's picture is known by."""
    content = known.get(digest)
    return digest if content is None else content.pixels


def digests_of(connection: Connection, digest: str) -> list[str]:
    """Return the digests of all files that are known to show the picture of one, itself first."""
    pixels = connection.scalar(select(contents.c.pixels).where(contents.c.digest == digest))
    # It may be the key itself.
    key = digest if pixels is None else pixels
    others = connection.scalars(select(contents.c.digest).where(contents.c.pixels == key))
    return list(dict.fromkeys([digest, key, *others]))
