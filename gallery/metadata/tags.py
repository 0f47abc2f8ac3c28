"""Tags as texts: parting them, and telling whether two are spellings of one."""

from __future__ import annotations

import re
import unicodedata


def split(text: str, separators: str = ",\n") -> list[str]:
    """Return the tags in a text; in captions commas part them, and lines."""
    parts = re.split(f"[{separators}]", text.removeprefix("\ufeff"))
    return [tag.strip() for tag in parts if tag.strip()]


def spelling(tag: str) -> str:
    """Return what is the same for all spellings of a tag.

    Case, underscores for spaces, and backslashes before brackets, as some prompts want them, make
    no difference.
    """
    plain = unicodedata.normalize("NFC", tag).replace("\\", "").replace("_", " ")
    return " ".join(plain.casefold().split())
