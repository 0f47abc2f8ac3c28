"""Which seen faces are samples: those of the same picture in about the same place.

Such a face needs no decision, since it is enrolled. All of them are looked for from the samples, of
which there are far fewer than faces; a few faces are asked about one by one.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, Subquery, Table, case, literal, select, union

from gallery.store.rejections import SAME_PLACE
from gallery.store.tables import answers, contents, samples, sightings


def enrolled_faces() -> Select[tuple[int, int]]:
    """Return the query of the seen faces that are samples, with the samples' ids."""
    digests = _digests(samples)
    return (
        select(sightings.c.id, samples.c.id.label("sample_id"))
        .select_from(digests)
        .join(samples, samples.c.id == digests.c.id)
        .join(sightings, sightings.c.digest == digests.c.digest)
        .where(_overlap() >= SAME_PLACE)
    )


def is_enrolled() -> ColumnElement[bool]:
    """Say of a row of answers whether its face is a sample; for rows that are not many."""
    digests = _digests(sightings, sightings.c.id == answers.c.sighting_id)
    return (
        select(samples.c.id)
        .select_from(digests)
        .join(sightings, sightings.c.id == digests.c.id)
        .join(samples, samples.c.digest == digests.c.digest)
        .where(_overlap() >= SAME_PLACE)
        .correlate(answers)
        .exists()
    )


def _digests(of: Table, *which: ColumnElement[bool]) -> Subquery:
    """Return ids of rows with each digest that files of their picture have, or their pixels."""
    own, other = contents.alias(), contents.alias()
    ways = (
        select(of.c.id, of.c.digest),
        select(of.c.id, own.c.pixels).join(own, own.c.digest == of.c.digest),
        select(of.c.id, other.c.digest).join(other, other.c.pixels == of.c.digest),
        select(of.c.id, other.c.digest)
        .join(own, own.c.digest == of.c.digest)
        .join(other, other.c.pixels == own.c.pixels),
    )
    return union(*(way.where(*which).correlate(answers) for way in ways)).subquery()


def _overlap() -> ColumnElement[float]:
    """Return the intersection over union of a seen face's and a sample's box; see Box.overlap."""
    one, two = sightings.c, samples.c
    wide = _smaller(one.right, two.right) - _larger(one.left, two.left)
    high = _smaller(one.bottom, two.bottom) - _larger(one.top, two.top)
    shared = _larger(wide, literal(0.0)) * _larger(high, literal(0.0))
    areas = [(of.right - of.left) * (of.bottom - of.top) for of in (one, two)]
    return shared / _larger(areas[0] + areas[1] - shared, literal(LEAST))


# SQLite calls these min and max, PostgreSQL least and greatest.
def _smaller(one: ColumnElement[float], two: ColumnElement[float]) -> ColumnElement[float]:
    return case((one < two, one), else_=two)


def _larger(one: ColumnElement[float], two: ColumnElement[float]) -> ColumnElement[float]:
    return case((one > two, one), else_=two)


LEAST = 1e-9
"""An area that no box has, so that nothing is divided by none."""
