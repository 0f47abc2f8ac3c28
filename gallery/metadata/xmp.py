"""Face regions in XMP, as the Metadata Working Group lays them down.

A region is a name and a rectangle, given by its centre and size in shares of the picture. The
rectangle belongs to the picture as the file stores it, before its EXIF orientation turns it; that
is how digiKam, Lightroom and Immich take it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gallery.errors import InputError
from gallery.metadata import microsoft, rdf
from gallery.metadata.rdf import RDF
from gallery.metadata.regions import Area, Region, Shape, pairs, shown, stored

META = "adobe:ns:meta/"
REGIONS = "http://www.metadataworkinggroup.com/schemas/regions/"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
OWN = "urn:gallery:xmp/1.0/"
"""Names what gallery itself wrote of a region, so that a later answer may take its place."""

PREFIXES = {
    "rdf": RDF,
    "x": META,
    "mwg-rs": REGIONS,
    "stArea": AREA,
    "stDim": DIMENSIONS,
    "gallery": OWN,
    "photoshop": PHOTOSHOP,
}

MAX_BYTES = 32 * 1024 * 1024
"""No packet of metadata is larger; a larger one is somebody's trap."""

MOST_REGIONS = 2000
"""No picture shows more faces that anybody marked."""

SAME_SHAPE = 0.02
"""Proportions that differ by less than this share are of one picture in two sizes."""

EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    f'<x:xmpmeta xmlns:x="{META}" x:xmptk="gallery">\n'
    f' <rdf:RDF xmlns:rdf="{RDF}">\n'
    " </rdf:RDF>\n"
    "</x:xmpmeta>\n"
    '<?xpacket end="w"?>\n'
)

NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Letters that XML 1.0 cannot hold."""


class PacketError(InputError):
    """A packet cannot be used; the reason is to be read after the place where it stands."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The metadata {reason}.")
        self.reason = reason


def read(packet: bytes, shape: Shape) -> list[Region]:
    """Return the faces in an XMP packet, in the places they have in the picture as it is shown.

    They are those of the Metadata Working Group, and Microsoft's where these name nobody. Raises
    PacketError for what is no XMP, and for regions of a picture of other proportions.
    """
    document = _Packet(packet)
    regions = document.find()
    known = [] if regions is None else [one.region for one in _faces(regions, shape)]
    return known + _unnamed_yet(document.microsoft(shape), known)


def merged(
    packet: bytes | None,
    faces: Sequence[Region],
    shape: Shape,
    extension: str = "",
    given: Sequence[Region] = (),
) -> bytes:
    """Return an XMP packet with faces put in; None begins a new one.

    The packet keeps all its content. A region with a name keeps that name, whatever gallery
    answers. A region that gallery named, and nobody renamed since, follows the new answers. Faces
    that a person named in the picture itself, given by name, come in first: programs that read the
    sidecar read it alone. Without a change the bytes stay the same. Raises PacketError as `read`
    does.
    """
    document = _Packet(packet)
    if packet is None and extension:
        document.note_extension(extension)
    if not _merge(document, faces, shape, given) and packet is not None:
        return packet
    return document.content()


def extension_of(packet: bytes) -> str | None:
    """Return the file extension that a sidecar says it belongs to, None where it does not say."""
    return _Packet(packet).extension()


def is_ours(region: Any) -> bool:
    """Say whether a region element says what gallery wrote of it, and says it still."""
    extensions = rdf.field(rdf.struct(region), REGIONS, "Extensions")
    if extensions is None or isinstance(extensions, str):
        return False
    answer = rdf.text(rdf.field(rdf.struct(extensions), OWN, "Name"))
    return answer is not None and answer == (_name_of(region) or "")


class _Packet:
    """An XMP packet as a tree."""

    def __init__(self, packet: bytes | None) -> None:
        """Parse a packet, or begin one. Raises PacketError with what a file does, for its path."""
        from lxml import etree

        self._is_new = packet is None
        packet = EMPTY.encode() if packet is None else packet
        if len(packet) > MAX_BYTES:
            raise PacketError("holds more metadata than any program writes")
        # Some programs end the packet with zeros.
        content = packet.strip(b"\0 \t\r\n")
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        try:
            root = etree.fromstring(content, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise PacketError("holds something other than XMP") from error
        self._tree = root.getroottree()
        if self._tree.docinfo.doctype:
            raise PacketError("defines words of its own, which XMP does not")
        self._has_declaration = content.removeprefix(b"\xef\xbb\xbf").startswith(b"<?xml")
        found = next(root.iter(rdf.tag(RDF, "RDF")), None)
        if found is None:
            raise PacketError("holds something other than XMP")
        self._rdf = found

    def find(self) -> Any:
        """Return the element with the regions; None for a packet without regions."""
        for description in self._rdf.iterchildren(rdf.tag(RDF, "Description")):
            found = description.find(rdf.tag(REGIONS, "Regions"))
            if found is not None:
                return found
        return None

    def microsoft(self, shape: Shape) -> list[Region]:
        """Return the people that Microsoft's regions name, in the picture as it is shown.

        Raises PacketError where they are too many.
        """
        regions = self.find()
        orientation = shape.orientation if regions is None else _orientation(regions, shape)
        named = microsoft.named_in(self._rdf)
        _check_count(len(named))
        return [Region(shown(one.area, orientation), one.name) for one in named]

    def make(self) -> Any:
        """Return a new element for regions, in a description of its own."""
        from lxml import etree

        described = etree.SubElement(self._describe(), rdf.tag(REGIONS, "Regions"))
        described.set(rdf.tag(RDF, "parseType"), "Resource")
        return described

    def _describe(self) -> Any:
        from lxml import etree

        names = {key: PREFIXES[key] for key in ("mwg-rs", "stArea", "stDim", "gallery")}
        description = etree.SubElement(self._rdf, rdf.tag(RDF, "Description"), nsmap=names)
        about = next(self._rdf.iterchildren(rdf.tag(RDF, "Description")))
        description.set(rdf.tag(RDF, "about"), about.get(rdf.tag(RDF, "about"), ""))
        return description

    def note_extension(self, extension: str) -> None:
        """Say of a new packet which file it belongs to."""
        from lxml import etree

        description = etree.SubElement(
            self._rdf, rdf.tag(RDF, "Description"), nsmap={"photoshop": PHOTOSHOP}
        )
        description.set(rdf.tag(RDF, "about"), "")
        description.set(rdf.tag(PHOTOSHOP, "SidecarForExtension"), extension)

    def extension(self) -> str | None:
        """Return the file extension that it says it belongs to."""
        for description in self._rdf.iterchildren(rdf.tag(RDF, "Description")):
            found = rdf.text(rdf.field(description, PHOTOSHOP, "SidecarForExtension"))
            if found:
                return found
        return None

    def content(self) -> bytes:
        """Return it as a file's content."""
        from lxml import etree

        if self._is_new:
            etree.indent(self._rdf, space=" ", level=1)
        text = etree.tostring(self._tree, encoding="UTF-8", xml_declaration=self._has_declaration)
        return bytes(text).rstrip() + b"\n"


@dataclass(frozen=True, slots=True)
class _Element:
    """A region and the element that it stands in."""

    region: Region
    element: Any


def _faces(regions: Any, shape: Shape) -> list[_Element]:
    orientation, size = _orientation(regions, shape), _size_of(regions)
    listed = rdf.items(rdf.field(rdf.struct(regions), REGIONS, "RegionList"))
    _check_count(len(listed))
    return [
        _Element(Region(shown(area, orientation), _name_of(item), is_ours(item)), item)
        for item in listed
        if (rdf.text(rdf.field(rdf.struct(item), REGIONS, "Type")) or "face").lower() == "face"
        and (area := _area_of(item, size)) is not None
    ]


def _check_count(regions: int) -> None:
    """Raise PacketError for more regions than a picture has, which would take minutes to pair."""
    if regions > MOST_REGIONS:
        raise PacketError(f"marks {regions} faces, and no program marks over {MOST_REGIONS}")


def _unnamed_yet(some: Sequence[Region], known: Sequence[Region]) -> list[Region]:
    """Return the regions of faces that the known ones do not name."""
    named = [one.area for one in known if one.name is not None]
    said = pairs([one.area for one in some], named)
    return [one for row, one in enumerate(some) if row not in said]


def _merge(
    document: _Packet, faces: Sequence[Region], shape: Shape, given: Sequence[Region]
) -> bool:
    """Put faces into a packet; say whether anything changed."""
    spoken = pairs([one.area for one in faces], [one.area for one in document.microsoft(shape)])
    regions = document.find()
    if regions is None:
        if len(spoken) == len(faces) and not given:
            return False
        regions = document.make()
    orientation = _orientation(regions, shape)
    changed = _take_over(regions, given, shape)
    known = _faces(regions, shape)
    found = pairs([one.area for one in faces], [one.region.area for one in known])
    for column, one in enumerate(known):
        if column not in found.values() and is_ours(one.element):
            one.element.getparent().remove(one.element)
            changed = True
    for row, face in enumerate(faces):
        if row in spoken:
            # Somebody named it in a program that writes Microsoft's regions.
            continue
        if row not in found:
            _sign(_add(regions, face, orientation), _xml(face.name))
            changed = True
        elif _rename(known[found[row]], face):
            changed = True
    if changed and rdf.field(rdf.struct(regions), REGIONS, "AppliedToDimensions") is None:
        _add_dimensions(regions, shape)
    return changed


def _take_over(regions: Any, given: Sequence[Region], shape: Shape) -> bool:
    """Give regions the names that a person gave elsewhere, but to those that a person named."""
    known = _faces(regions, shape)
    orientation = _orientation(regions, shape)
    found = pairs([one.area for one in given], [one.region.area for one in known])
    changed = False
    for row, one in enumerate(given):
        if row not in found:
            _add(regions, one, orientation)
        elif (there := known[found[row]]).region.name is None or there.region.is_guess:
            _set(rdf.struct(there.element), "Name", _xml(one.name))
            _sign(there.element, None)
        else:
            continue
        changed = True
    return changed


def _rename(known: _Element, face: Region) -> bool:
    """Give a region the name of a face where it has none, or one that gallery gave it."""
    name = _xml(face.name)
    if name == (known.region.name or "") or not (
        known.region.name is None or known.region.is_guess
    ):
        return False
    _set(rdf.struct(known.element), "Name", name)
    _sign(known.element, name)
    return True


def _add(regions: Any, face: Region, orientation: int) -> Any:
    """Put a face into regions, and return its element."""
    from lxml import etree

    item = etree.SubElement(_bag(regions), rdf.tag(RDF, "li"))
    item.set(rdf.tag(RDF, "parseType"), "Resource")
    area = etree.SubElement(item, rdf.tag(REGIONS, "Area"))
    place = stored(face.area, orientation)
    for name, value in zip("xywh", place, strict=True):
        area.set(rdf.tag(AREA, name), f"{value:.6f}")
    area.set(rdf.tag(AREA, "unit"), "normalized")
    etree.SubElement(item, rdf.tag(REGIONS, "Type")).text = "Face"
    name = _xml(face.name)
    if name:
        etree.SubElement(item, rdf.tag(REGIONS, "Name")).text = name
    return item


def _sign(item: Any, name: str | None) -> None:
    """Note in a region which name gallery gave it; None takes the note away."""
    from lxml import etree

    struct = rdf.struct(item)
    extensions = rdf.field(struct, REGIONS, "Extensions")
    if name is None:
        for old in [] if extensions is None else list(rdf.struct(extensions)):
            if old.tag == rdf.tag(OWN, "Name"):
                old.getparent().remove(old)
        return
    if extensions is None or isinstance(extensions, str):
        extensions = etree.SubElement(struct, rdf.tag(REGIONS, "Extensions"))
        extensions.set(rdf.tag(RDF, "parseType"), "Resource")
    inner = rdf.struct(extensions)
    own = inner.find(rdf.tag(OWN, "Name"))
    if own is None:
        own = etree.SubElement(inner, rdf.tag(OWN, "Name"))
    own.text = name


def _add_dimensions(regions: Any, shape: Shape) -> None:
    from lxml import etree

    size = etree.Element(rdf.tag(REGIONS, "AppliedToDimensions"))
    size.set(rdf.tag(DIMENSIONS, "w"), str(shape.width))
    size.set(rdf.tag(DIMENSIONS, "h"), str(shape.height))
    size.set(rdf.tag(DIMENSIONS, "unit"), "pixel")
    rdf.struct(regions).insert(0, size)


def _bag(regions: Any) -> Any:
    """Return the element that holds the regions' items, made where there is none."""
    from lxml import etree

    struct = rdf.struct(regions)
    listed = struct.find(rdf.tag(REGIONS, "RegionList"))
    if listed is None:
        listed = etree.SubElement(struct, rdf.tag(REGIONS, "RegionList"))
    bag = next(iter(listed), None)
    return etree.SubElement(listed, rdf.tag(RDF, "Bag")) if bag is None else bag


def _orientation(regions: Any, shape: Shape) -> int:
    """Return the orientation that leads from the regions' picture to the one that is shown.

    Some programs count the places in the picture as it is shown; of a picture that lies on its
    side, the size that regions were made for tells which. Raises PacketError where the size is of
    neither.
    """
    size = _size_of(regions)
    if size is None:
        return shape.orientation
    if _is_alike(size, (shape.width, shape.height)):
        return shape.orientation
    if _is_alike(size, shape.shown):
        return 1
    raise PacketError(
        f"has regions for a picture of {size[0]:g} x {size[1]:g}, "
        f"not of {shape.width} x {shape.height}"
    )


def _is_alike(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) <= SAME_SHAPE


def _size_of(regions: Any) -> tuple[float, float] | None:
    found = rdf.field(rdf.struct(regions), REGIONS, "AppliedToDimensions")
    if found is None or isinstance(found, str):
        return None
    numbers = [rdf.number(rdf.field(rdf.struct(found), DIMENSIONS, name)) for name in "wh"]
    width, height = numbers
    return (width, height) if width and height and min(width, height) > 0 else None


def _area_of(item: Any, size: tuple[float, float] | None) -> Area | None:
    """Return a region's place; one in pixels is of a picture of the size that regions are for."""
    found = rdf.field(rdf.struct(item), REGIONS, "Area")
    if found is None or isinstance(found, str):
        return None
    fields = rdf.struct(found)
    numbers = [rdf.number(rdf.field(fields, AREA, name)) for name in "xywh"]
    x, y, width, height = numbers
    if x is None or y is None or not width or not height or min(width, height) <= 0:
        return None
    if rdf.text(rdf.field(fields, AREA, "unit")) == "pixel":
        if size is None:
            return None
        x, width, y, height = x / size[0], width / size[0], y / size[1], height / size[1]
    area = Area(x, y, width, height)
    return area if all(0 <= part <= 1 for part in area) else None


def _name_of(item: Any) -> str | None:
    return (rdf.text(rdf.field(rdf.struct(item), REGIONS, "Name")) or "").strip() or None


def _set(struct: Any, name: str, text: str) -> None:
    """Set a field's text, whether it is an attribute or an element; no text takes it away."""
    from lxml import etree

    tag = rdf.tag(REGIONS, name)
    struct.attrib.pop(tag, None)
    for old in struct.findall(tag):
        struct.remove(old)
    if text:
        etree.SubElement(struct, tag).text = text


def _xml(name: str | None) -> str:
    return NO_XML.sub("", name or "").strip()
