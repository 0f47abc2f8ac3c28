"""Pictures that a person brings: their bytes come over the door, never a path or an address."""

from __future__ import annotations

from pathlib import Path

from gallery.media.images import decode
from gallery.system.file_names import folder_name
from gallery.types import Image

PICTURE = Path("What was sent")
"""What sentences call a picture that no file holds."""


def brought(content: bytes, file: str | None = None) -> Image:
    """Decode a picture's bytes, with the limits that pictures of files have.

    What its file is called only names it. Raises InputError for what is no picture, is damaged, or
    unfolds to too much.
    """
    return decode(content, PICTURE if file is None else Path(folder_name(file)))
