"""Names of characters and pictures as names of files, on every platform."""

from __future__ import annotations

import hashlib
import os
import unicodedata

FORBIDDEN = frozenset('<>:"/\\|?*')
"""What Windows lets no name hold; the slash is forbidden everywhere."""

RESERVED = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in "123456789¹²³"]
)
"""What Windows takes for a device, whatever ending it has."""

MAX_BYTES = 200
"""Most file systems take 255 bytes; the rest is for what is put behind a name."""

MARK_LENGTH = 8


def folder_name(name: str, taken: frozenset[str] = frozenset()) -> str:
    """Return a character's name as the name of a folder.

    A name that is safe stays as it is. Any other has what is not safe replaced and a mark of the
    whole name put behind it, so that two names never become one; so have those that are taken for
    something else.
    """
    safe = _shortened(_replaced(name))
    is_reserved = safe.partition(".")[0].strip().casefold() in RESERVED
    if safe == name and safe and not is_reserved and safe.casefold() not in taken:
        return safe
    return f"{safe.partition('.')[0] if is_reserved else safe}~{mark(name)}"


def mark(name: str | bytes) -> str:
    """Return a few letters that differ for every name, and are always the same for one."""
    content = name if isinstance(name, bytes) else name.encode("utf-8", "surrogatepass")
    return hashlib.sha256(content).hexdigest()[:MARK_LENGTH]


def _replaced(name: str) -> str:
    kept = "".join("_" if _is_unsafe(letter) else letter for letter in name)
    # Windows drops dots and spaces at the end, and a dot at the beginning hides a folder.
    kept = kept.rstrip(". ").lstrip(" ")
    return f"_{kept[1:]}" if kept.startswith(".") else kept


def _is_unsafe(letter: str) -> bool:
    # Format characters turn the direction of writing or are not seen at all.
    category = unicodedata.category(letter)
    return (
        letter in FORBIDDEN
        or category in ("Cc", "Cf", "Cs", "Zl", "Zp")
        or ord(letter) & 0xFFFE == 0xFFFE
    )


def _shortened(name: str) -> str:
    content = os.fsencode(name)[:MAX_BYTES]
    return content.decode("utf-8", "ignore").rstrip(". ")
