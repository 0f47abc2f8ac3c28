"""Tags as texts: parting them, names among them, and telling two spellings of one."""

from __future__ import annotations

import re
import unicodedata

from gallery.system.escapes import escaped, unescaped

COMMA = ","
"""Parts tags in captions."""


def split(text: str, separators: str = ",\n") -> list[str]:
    """Return the tags in a text; in captions commas part them, and lines however they end."""
    parts = re.split(f"[{separators}\r]", text.removeprefix("\ufeff"))
    return [tag.strip() for tag in parts if tag.strip()]


def spelling(tag: str) -> str:
    """Return what is the same for all spellings of a tag.

    Case, underscores for spaces, and backslashes before brackets, as some prompts want them, make
    no difference.
    """
    plain = unicodedata.normalize("NFC", tag).replace("\\", "").replace("_", " ")
    return " ".join(plain.casefold().split())


def tag_of(name: str, separator: str = "") -> str:
    """Return a name as a tag on one line; a separator in it is escaped, see system.escapes."""
    return escaped(name, lambda letter: letter == separator or _breaks_lines(letter)).strip()


def name_of(tag: str) -> str:
    """Return the name that tag_of made a tag of; any other tag is itself the name."""
    name = unescaped(tag)
    return name if tag in (tag_of(name), tag_of(name, COMMA)) else tag


def _breaks_lines(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")
