"""Face regions as Microsoft lays them down, which Windows Photo Gallery and digiKam write.

`MP:RegionInfo` lists people with a rectangle each: its left and upper edge, its width and its
height in shares of the picture as the file stores it. Only reading is done: gallery writes the
regions of the Metadata Working Group, which the same programs read.
"""

from __future__ import annotations

from typing import Any

from gallery.metadata import rdf
from gallery.metadata.regions import Area, Region

PHOTO = "http://ns.microsoft.com/photo/1.2/"
INFO = "http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
REGION = "http://ns.microsoft.com/photo/1.2/t/Region#"


def named_in(root: Any) -> list[Region]:
    """Return the people with a name and a rectangle in an RDF element, in the picture as stored.

    A person without a rectangle is somewhere in the picture, which says nothing of a face.
    """
    regions = []
    for description in root.iterchildren(rdf.tag(rdf.RDF, "Description")):
        information = rdf.field(description, PHOTO, "RegionInfo")
        if information is None or isinstance(information, str):
            continue
        for item in rdf.items(rdf.field(rdf.struct(information), INFO, "Regions")):
            fields = rdf.struct(item)
            name = (rdf.text(rdf.field(fields, REGION, "PersonDisplayName")) or "").strip()
            area = _area(rdf.text(rdf.field(fields, REGION, "Rectangle")) or "")
            if name and area is not None:
                regions.append(Region(area, name))
    return regions


def _area(rectangle: str) -> Area | None:
    """Return what `left, top, width, height` stands for; None for anything else."""
    numbers = [rdf.number(part) for part in rectangle.replace(",", " ").split()]
    values = [one for one in numbers if one is not None and 0 <= one <= 1]
    if len(numbers) != 4 or len(values) != 4 or min(values[2:]) <= 0:
        return None
    left, top, width, height = values
    area = Area(left + width / 2, top + height / 2, width, height)
    return area if max(area.x, area.y) <= 1 else None
