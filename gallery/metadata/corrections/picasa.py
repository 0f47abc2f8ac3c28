"""Picasa: `.picasa.ini` in each folder, with a rectangle and a contact for every face.

A rectangle is four times 16 bits, in shares of the picture: left, top, right, bottom.
"""

from __future__ import annotations

import re
from pathlib import Path

from gallery.metadata.corrections.correction import Corrections, Spot
from gallery.types import Box

NAMES = (".picasa.ini", "picasa.ini")

FACE = re.compile(r"rect64\(([0-9a-fA-F]{1,16})\),([0-9a-fA-F]+)")

MOST = 0xFFFF

SHARES = (1.0, 1.0)


def read(content: bytes, folder: Path, found: Corrections) -> None:
    """Add the faces of a folder's pictures that have a contact with a name."""
    sections = _sections(content.decode("utf-8-sig", "replace"))
    contacts: dict[str, str] = {}
    for section in ("contacts", "contacts2"):
        for key, value in sections.get(section, {}).items():
            contacts[key.lower()] = value.partition(";")[0].strip()
    for picture, values in sections.items():
        for square, contact in FACE.findall(values.get("faces", "")):
            name = contacts.get(contact.lower(), "")
            found.add(name, Spot(str(folder / picture), _box(square), SHARES))


def _sections(text: str) -> dict[str, dict[str, str]]:
    """Return the values of each section. Names of pictures are as they stand, others are small."""
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("[") and line.rstrip().endswith("]"):
            name = line.rstrip()[1:-1]
            is_list = name.lower() in ("contacts", "contacts2")
            section = found.setdefault(name.lower() if is_list else name, {})
        elif "=" in line:
            key, _, value = line.partition("=")
            section[key.strip().lower()] = value
    return found


def _box(square: str) -> Box:
    bits = int(square, 16)
    return Box(*((bits >> shift & MOST) / MOST for shift in (48, 32, 16, 0)))
