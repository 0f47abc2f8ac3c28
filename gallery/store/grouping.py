"""Groups of unknown faces that a person joined, split, or told apart.

`gallery cluster` groups faces by likeness, and a person puts them right: what was joined or split
is written into the faces' clusters, and stands in the log as a step that can be undone. As with
states, see deciding.py, each face's group is owned by the regrouping that made it, so that undoing
leaves alone what a newer one owns.

That two groups are not the same is known of two faces, one of each: groups get other numbers and
faces, and the two stay told apart whatever group they are in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, func, insert, select

from gallery.store.descriptors import portions
from gallery.store.sightings import SightingWriter
from gallery.store.tables import distinctions, regroupings, sightings

Pair: TypeAlias = "tuple[int, int]"
"""Two seen faces by their numbers, the smaller one first."""


class GroupReader:
    """Reads how a person grouped unknown faces; store.Store has one."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading

    def by_hand(self) -> frozenset[int]:
        """Return the clusters that a person joined or split."""
        with self._reading() as connection:
            owners = {row.after_owner for row in connection.execute(_newest())}
            found: set[int] = set()
            for some in portions(sorted(owners)):
                rows = connection.execute(select(regroupings).where(regroupings.c.id.in_(some)))
                found.update(one for row in rows for one in (row.before, row.after) if one)
        return frozenset(found)

    def largest(self) -> int:
        """Return the largest number that a cluster has or had by hand; 0 without one."""
        with self._reading() as connection:
            return _largest(connection)

    def members(self, numbers: Collection[int]) -> dict[int, list[int]]:
        """Return the faces of clusters, also those that have a name by now, by their numbers."""
        with self._reading() as connection:
            return _members(connection, numbers)

    def told_apart(self) -> frozenset[Pair]:
        """Return the pairs of faces that a person said are not the same."""
        with self._reading() as connection:
            return frozenset(
                (row.one_id, row.other_id) for row in connection.execute(_pairs()) if row.stands
            )


class GroupWriter:
    """Writes how a person groups unknown faces; writer.Writer has one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def members(self, numbers: Collection[int]) -> dict[int, list[int]]:
        """Return the faces of clusters, see GroupReader.members."""
        return _members(self._connection, numbers)

    def free_number(self) -> int:
        """Return a number that no cluster has or had by hand."""
        return 1 + _largest(self._connection)

    def regroup(self, step: int, clusters: Mapping[int, int | None]) -> None:
        """Put faces into other clusters, or into none, in a step; numbers by the faces'."""
        former = self.clusters(clusters)
        owners = self._owners(clusters)
        rows: list[dict[str, Any]] = [
            {
                "step_id": step,
                "sighting_id": face,
                "before": former[face],
                "before_owner": owners.get(face, 0),
                "after": number,
            }
            for face, number in clusters.items()
            if face in former
        ]
        self._log(rows)
        SightingWriter(self._connection).group({row["sighting_id"]: row["after"] for row in rows})

    def tell_apart(self, step: int, pairs: Iterable[Pair]) -> None:
        """Say in a step that faces are not the same."""
        self._say(step, {(min(pair), max(pair)) for pair in pairs}, stands=True)

    def newest(self) -> int:
        """Return the newest step that some face's group, or what tells two apart, is of; else 0."""
        rows = self._connection.execute(_newest())
        owners = {row.after_owner for row in rows}
        steps = [row.step_id for row in self._connection.execute(_pairs()) if row.stands]
        for some in portions(sorted(owners)):
            steps += self._connection.scalars(
                select(regroupings.c.step_id).where(regroupings.c.id.in_(some)).distinct()
            )
        return max(steps, default=0)

    def has(self, step: int) -> bool:
        """Say whether a step grouped faces or told them apart."""
        return any(
            self._connection.scalar(select(func.count()).where(table.c.step_id == step))
            for table in (regroupings, distinctions)
        )

    def undo(self, number: int, begin: Callable[[], int]) -> tuple[int | None, int, int]:
        """Restore the groups that were before a step, but for what a newer one owns.

        Returns the step that `begin` began for it, None where all was left alone, how many faces
        are in their former groups again, and how many are left alone.
        """
        rows = self._connection.execute(
            select(regroupings).where(regroupings.c.step_id == number)
        ).all()
        faces = [row.sighting_id for row in rows]
        clusters, owners = self.clusters(faces), self._owners(faces)
        free = [
            row
            for row in rows
            if owners[row.sighting_id] == row.after_owner and clusters[row.sighting_id] == row.after
        ]
        own = [row for row in self._connection.execute(_pairs()) if row.step_id == number]
        if not free and not own:
            return None, 0, len(rows)
        step = begin()
        self._log(
            [
                {
                    "step_id": step,
                    "sighting_id": row.sighting_id,
                    "before": row.after,
                    "before_owner": row.after_owner,
                    "after": row.before,
                    "after_owner": row.before_owner,
                }
                for row in free
            ]
        )
        SightingWriter(self._connection).group({row.sighting_id: row.before for row in free})
        for stands in (True, False):
            pairs = {(row.one_id, row.other_id) for row in own if row.stands is not stands}
            self._say(step, pairs, stands=stands)
        return step, len(free), len(rows) - len(free)

    def _log(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add regroupings; one that no owner is given for is owned by itself."""
        if not rows:
            return
        first = 1 + int(
            self._connection.scalar(select(func.coalesce(func.max(regroupings.c.id), 0))) or 0
        )
        self._connection.execute(
            insert(regroupings),
            [
                {"id": first + place, "after_owner": first + place, **row}
                for place, row in enumerate(rows)
            ],
        )

    def _say(self, step: int, pairs: Collection[Pair], *, stands: bool) -> None:
        if pairs:
            self._connection.execute(
                insert(distinctions),
                [
                    {"step_id": step, "one_id": one, "other_id": other, "stands": stands}
                    for one, other in sorted(pairs)
                ],
            )

    def clusters(self, faces: Collection[int]) -> dict[int, int | None]:
        """Return the clusters of those of the faces that are there."""
        found: dict[int, int | None] = {}
        for some in portions(sorted(faces)):
            rows = self._connection.execute(
                select(sightings.c.id, sightings.c.cluster).where(sightings.c.id.in_(some))
            )
            found.update({row.id: row.cluster for row in rows})
        return found

    def _owners(self, faces: Collection[int]) -> dict[int, int]:
        """Return the regroupings that faces' groups are of; without those that are of none."""
        found: dict[int, int] = {}
        for some in portions(sorted(faces)):
            rows = self._connection.execute(_newest(regroupings.c.sighting_id.in_(some)))
            found.update({row.sighting_id: row.after_owner for row in rows})
        return found


def _newest(*which: Any) -> Select[Any]:
    """Return the query of the newest regrouping of each face."""
    last = select(func.max(regroupings.c.id)).where(*which).group_by(regroupings.c.sighting_id)
    return select(regroupings).where(regroupings.c.id.in_(last))


def _pairs() -> Select[Any]:
    """Return the query of what was said last of each pair of faces."""
    last = select(func.max(distinctions.c.id)).group_by(
        distinctions.c.one_id, distinctions.c.other_id
    )
    return select(distinctions).where(distinctions.c.id.in_(last))


def _largest(connection: Connection) -> int:
    columns = (sightings.c.cluster, regroupings.c.before, regroupings.c.after)
    return max(
        int(connection.scalar(select(func.coalesce(func.max(column), 0))) or 0)
        for column in columns
    )


def _members(connection: Connection, numbers: Collection[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {one: [] for one in numbers}
    for some in portions(sorted(found)):
        rows = connection.execute(
            select(sightings.c.id, sightings.c.cluster)
            .where(sightings.c.cluster.in_(some))
            .order_by(sightings.c.id)
        )
        for row in rows:
            found[row.cluster].append(row.id)
    return found
