"""Crops of faces that a person rejected a name for: faces nearly the same do not get it either.

That the face itself does not get it is a decision, see deciding.py, which rules: it says which
rejections stand. One is of one face and one character. It holds for faces that are nearly the same,
as in the frames beside it, whose crop is stored, so that it also holds with another encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, exists, select, update

from gallery.store.columns import box_of, sound_matrix
from gallery.store.contents import digests_of
from gallery.store.descriptors import by_encoder, lacking, portions, put_where_there
from gallery.store.dialects import is_free, upsert
from gallery.store.tables import characters, rejection_descriptors, rejections
from gallery.types import Box, Descriptor

NEARLY = 0.5
"""Faces nearer than this share of an encoder's `sure` distance are nearly the same.

With anime-pair that is 0.19. On 60 faces of the dev split, a crop shifted by 3 pixels of 150,
scaled by 4 %, or lightened under grain of 4 levels is at most 0.18 away from itself; the nearest
face of another character is 0.31 away or more for all of 2,128 faces of 60 held-out characters."""

SAME_PLACE = 0.5
"""Boxes in one picture are of one face from this intersection over union on, whichever detector
drew them."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A stored one."""

    id: int
    character: str
    """Whom the face does not show."""
    digest: str
    path: Path
    """Where its picture was seen."""
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class NewRejection:
    """One on its way into the gallery."""

    character: str
    digest: str
    path: Path
    box: Box
    crop_jpeg: bytes
    descriptors: Mapping[str, Descriptor]
    """By encoder id."""


@dataclass(frozen=True, eq=False)
class Rejected:
    """All rejections of a gallery, for one comparison with a face."""

    rejections: tuple[Rejection, ...]
    described: NDArray[np.int64]
    """Which of them the encoder in use has described, shape (n,)."""
    descriptors: NDArray[np.float32]
    """Of those, shape (n, DIMENSION)."""

    @property
    def names(self) -> list[str]:
        """Whom each described face does not show: n names."""
        return [self.rejections[row].character for row in self.described]

    def near(self, descriptor: Descriptor, radius: float) -> frozenset[str]:
        """Return the names that were rejected for faces nearer to a face than the radius."""
        if not len(self.described):
            return frozenset()
        apart = np.linalg.norm(self.descriptors - descriptor, axis=1)
        near = self.described[apart < radius]
        return frozenset(self.rejections[row].character for row in near)


class RejectionReader:
    """Reads rejections; store.Store has one."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading

    def all(self) -> list[Rejection]:
        """Return all rejections by id."""
        # Not the crops, which are nearly all there is.
        columns = [column for column in rejections.c if column.name != "crop"]
        with self._reading() as connection:
            rows = connection.execute(
                select(*columns, characters.c.name)
                .join(characters)
                .where(rejections.c.is_standing)
                .order_by(rejections.c.id)
            )
            return [
                Rejection(row.id, row.name, row.digest, Path(row.path), box_of(row)) for row in rows
            ]

    def rejected(self, encoder: str) -> Rejected:
        """Return all rejections with their descriptors by an encoder."""
        known = tuple(self.all())
        places = {one.id: place for place, one in enumerate(known)}
        with self._reading() as connection:
            rows = connection.execute(
                select(rejection_descriptors)
                .where(rejection_descriptors.c.encoder == encoder)
                .order_by(rejection_descriptors.c.rejection_id)
            ).all()
        # One may have been taken back between the two.
        rows = [row for row in rows if row.rejection_id in places]
        return Rejected(
            known,
            np.array([places[row.rejection_id] for row in rows], np.int64),
            sound_matrix([row.vector for row in rows], encoder),
        )

    def unencoded(self, encoder: str) -> list[int]:
        """Return the rejections whose faces an encoder has not described."""
        with self._reading() as connection:
            return lacking(connection, rejection_descriptors, rejections, encoder)

    def crops(self, rejection_ids: Collection[int]) -> dict[int, bytes]:
        """Return the aligned crops of rejected faces as JPEG files, but for those taken back."""
        found: dict[int, bytes] = {}
        with self._reading() as connection:
            for some in portions(sorted(rejection_ids)):
                rows = connection.execute(
                    select(rejections.c.id, rejections.c.crop).where(rejections.c.id.in_(some))
                )
                found.update({row.id: row.crop for row in rows if row.crop is not None})
        return found

    def crop(self, rejection_id: int) -> bytes | None:
        """Return a rejected face's aligned crop as a JPEG file; None for one taken back."""
        with self._reading() as connection:
            return connection.scalar(
                select(rejections.c.crop).where(rejections.c.id == rejection_id)
            )

    def descriptors_of(self, rejection_id: int) -> dict[str, Descriptor]:
        """Return a rejected face's descriptors by encoder."""
        with self._reading() as connection:
            return by_encoder(connection, rejection_descriptors, rejection_id)


class RejectionWriter:
    """Writes rejections; deciding.DecisionWriter says which."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, one: NewRejection) -> int | None:
        """Add a rejection and return its id; None where it is there, or nobody has the name."""
        character_id = self._named(one.character)
        if character_id is None:
            return None
        added = self._connection.execute(
            upsert(self._connection, rejections)
            .values(
                character_id=character_id,
                digest=one.digest,
                path=str(one.path),
                crop=one.crop_jpeg,
                **one.box._asdict(),
            )
            .on_conflict_do_nothing()
            .returning(rejections.c.id)
        ).scalar_one_or_none()
        if added is None:
            return None
        for encoder, vector in one.descriptors.items():
            self.describe(int(added), encoder, vector)
        return int(added)

    def describe(self, rejection_id: int, encoder: str, vector: Descriptor) -> bool:
        """Set a rejected face's descriptor by one encoder; false for one taken back meanwhile.

        Raises InputError for a descriptor of another shape.
        """
        return put_where_there(
            self._connection, rejection_descriptors, rejection_id, encoder, vector
        )

    def at(self, name: str, digest: str, box: Box) -> list[int]:
        """Return the rejections of a name for a face, whether they stand or not."""
        character_id = self._named(name)
        if character_id is None:
            return []
        rows = self._connection.execute(
            select(rejections).where(
                rejections.c.character_id == character_id,
                rejections.c.digest.in_(digests_of(self._connection, digest)),
            )
        )
        return [row.id for row in rows if box_of(row).overlap(box) >= SAME_PLACE]

    def stand(self, name: str, digest: str, box: Box, *, stands: bool) -> bool:
        """Let the rejections of a name for a face stand or not, and say whether there are any."""
        there = self.at(name, digest, box)
        self._connection.execute(
            update(rejections)
            .where(rejections.c.id.in_(there), rejections.c.is_standing != stands)
            .values(is_standing=stands, is_heeded=False)
        )
        return bool(there)

    def heeded(self, rejection_ids: Collection[int]) -> None:
        """Note that stored answers were told of rejections as they stand."""
        for some in portions(sorted(rejection_ids)):
            self._connection.execute(
                update(rejections).where(rejections.c.id.in_(some)).values(is_heeded=True)
            )

    def standing(self, rejection_id: int) -> Rejection | None:
        """Return a rejection that stands; None where there is none of this id."""
        row = self._connection.execute(
            select(rejections, characters.c.name)
            .join(characters)
            .where(rejections.c.id == rejection_id, rejections.c.is_standing)
        ).one_or_none()
        if row is None:
            return None
        return Rejection(row.id, row.name, row.digest, Path(row.path), box_of(row))

    def _named(self, name: str) -> int | None:
        return self._connection.scalar(select(characters.c.id).where(characters.c.name == name))

    def follow(self, source_id: int, target_id: int) -> None:
        """Give the rejections of one character to another, which the first becomes part of."""
        # A rejection of both names stays once, and stands if either does; the rest goes with the
        # character.
        own = rejections.alias()
        self._connection.execute(
            delete(rejections).where(
                rejections.c.character_id == target_id,
                ~rejections.c.is_standing,
                exists().where(
                    own.c.character_id == source_id,
                    own.c.is_standing,
                    *(own.c[name] == rejections.c[name] for name in ("digest", *Box._fields)),
                ),
            )
        )
        self._connection.execute(
            update(rejections)
            .where(
                rejections.c.character_id == source_id,
                is_free(rejections, "character_id", target_id),
            )
            .values(character_id=target_id)
        )
