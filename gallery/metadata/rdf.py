"""Structures in RDF, the form of XMP, read whichever of its spellings a program has chosen."""

from __future__ import annotations

from typing import Any

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

MOST_DIGITS = 100
"""No number in metadata is written in more letters."""

HIGHEST = 1e9
"""No number in metadata is higher; a higher one is damage."""


def tag(space: str, name: str) -> str:
    """Return a name in a namespace as lxml has it."""
    return f"{{{space}}}{name}"


def struct(element: Any) -> Any:
    """Return the element that holds a structure's fields: itself, or the description in it."""
    inner = element.find(tag(RDF, "Description"))
    return element if inner is None else inner


def field(fields: Any, space: str, name: str) -> Any:
    """Return a field of a structure: an element, the text of an attribute, or None."""
    found = fields.find(tag(space, name))
    return fields.get(tag(space, name)) if found is None else found


def text(found: Any) -> str | None:
    """Return a field's text; of several languages the first. None where there is no field."""
    if found is None or isinstance(found, str):
        return found
    inner = next(found.iter(tag(RDF, "li"), tag(RDF, "value")), None)
    return str((found if inner is None else inner).text or "")


def number(found: Any) -> float | None:
    """Return a field's text, or a text, as a number; None for other text and for infinity."""
    said = text(found) or ""
    try:
        value = float(said) if len(said) <= MOST_DIGITS else HIGHEST
    except ValueError:
        return None
    return value if abs(value) < HIGHEST else None


def items(listed: Any) -> list[Any]:
    """Return the items of a list: of a bag, a sequence or a choice; none of no list."""
    if listed is None or isinstance(listed, str):
        return []
    return [item for bag in listed for item in bag.iterchildren(tag(RDF, "li"))]
