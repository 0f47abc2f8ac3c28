"""Pictures that a person brings: their bytes come over the door, never a path or an address."""

from __future__ import annotations

from pathlib import Path

from gallery.media.images import decode
from gallery.types import Image

PICTURE = Path("The picture")
"""What sentences call a picture that no file holds."""


def brought(content: bytes, path: Path = PICTURE) -> Image:
    """Decode a picture's bytes, with the limits that pictures of files have.

    Its path only names it. Raises InputError for what is no picture, is damaged, or unfolds to too
    much.
    """
    return decode(content, path)
