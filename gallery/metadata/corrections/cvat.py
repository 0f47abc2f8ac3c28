"""CVAT for images 1.1: an XML file with a box for every face."""

from __future__ import annotations

from gallery.metadata.corrections.correction import Corrections, Spot, number, size_of
from gallery.types import Box

NAMES = ("character", "name")
"""Attributes of a box that say who it is; where there is none, its label does."""


def read(content: bytes, found: Corrections) -> None:
    """Add what the boxes say. Raises ValueError for other XML, and where it defines entities."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError("it is no XML") from error
    if root.getroottree().docinfo.doctype:
        raise ValueError("it defines words of its own")
    if root.tag != "annotations":
        raise ValueError("it has no annotations")
    for image in root.iterchildren("image"):
        size = size_of(image.get("width"), image.get("height"))
        for box in image.iterchildren("box"):
            edges = (number(box.get(side)) for side in ("xtl", "ytl", "xbr", "ybr"))
            said = {one.get("name"): one.text or "" for one in box.iterchildren("attribute")}
            label = next((said[one] for one in NAMES if said.get(one)), box.get("label"))
            found.add(label, Spot(image.attrib["name"], Box(*edges), size))
