"""Which seen faces are samples: those of the same picture in about the same place.

Such a face needs no decision, since it is enrolled. It is looked for from the samples, of which
there are far fewer than faces.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, case, literal, select, union

from gallery.store.rejections import SAME_PLACE
from gallery.store.tables import contents, samples, sightings


def enrolled_faces() -> Select[tuple[int, int]]:
    """Return the query of the seen faces that are samples, with the samples' ids."""
    own, other = contents.alias(), contents.alias()
    # Of each sample, the digests that files of its picture have, or that of their pixels.
    digests = union(
        select(samples.c.id, samples.c.digest),
        select(samples.c.id, own.c.pixels).join(own, own.c.digest == samples.c.digest),
        select(samples.c.id, other.c.digest).join(other, other.c.pixels == samples.c.digest),
        select(samples.c.id, other.c.digest)
        .join(own, own.c.digest == samples.c.digest)
        .join(other, other.c.pixels == own.c.pixels),
    ).subquery()
    return (
        select(sightings.c.id, samples.c.id.label("sample_id"))
        .select_from(digests)
        .join(samples, samples.c.id == digests.c.id)
        .join(sightings, sightings.c.digest == digests.c.digest)
        .where(_overlap() >= SAME_PLACE)
    )


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
