"""Names of characters and pictures as names of files, on every platform."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from gallery.system.escapes import escaped, unescaped
from gallery.system.files import absolute

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

FILE = "file://"
"""How an address of a file begins; no path does, since it has no two slashes in a row."""

ANNOTATED = re.compile(r"\.annotated(\.\w+){1,2}", re.IGNORECASE)
"""How names of pictures end that gallery drew boxes into."""

NUMBERED = re.compile(r"unknown-\d{3,}")
"""Folders of faces that somebody has to name yet."""

MARKED = re.compile(r"~([0-9a-f]{8})$")


def annotated_name(name: str, endings: Collection[str], number: int = 1) -> str:
    """Return what a picture's copy with boxes is called: `3.annotated.jpg` for `3.jpg`.

    It keeps the picture's suffix where that is one of the endings, which such copies are written
    with. A number above 1 tells copies of one name apart.
    """
    stem, dot, last = name.rpartition(".")
    suffix = f".{last}" if stem else ""
    stem = stem if stem else f"{dot}{last}"
    ending = suffix if suffix.lower() in endings else f"{suffix}.png"
    return f"{stem}{'' if number == 1 else f'-{number}'}.annotated{ending}"


def is_annotated_name(name: str) -> bool:
    """Say whether a file is called as copies with boxes are; folders of pictures may hold them."""
    return ANNOTATED.search(name) is not None and ANNOTATED.sub("", name) != ""


def numbered_folder(number: int, count: int) -> str:
    """Return the name of one of so many folders of faces that nobody has named, from 1."""
    return f"unknown-{number:0{max(len(str(count)), 3)}d}"


def is_numbered_folder(name: str) -> bool:
    """Say whether numbered_folder gave a folder its name."""
    return NUMBERED.fullmatch(name) is not None


def folder_name(name: str, taken: frozenset[str] = frozenset()) -> str:
    """Return a character's name as the name of a folder; `character_name` reads it back.

    A name that is safe stays as it is. In any other, the letters that are not safe are escaped.
    Where a device or another folder has the name, in any case, more letters are escaped. A name
    that is too long is cut, and a mark of the whole name put behind it.
    """
    for spelling in _spellings(name):
        is_reserved = spelling.partition(".")[0].strip().casefold() in RESERVED
        if not is_reserved and spelling.casefold() not in taken:
            break
    content = os.fsencode(spelling)
    if len(content) <= MAX_BYTES:
        return spelling
    return f"{content[:MAX_BYTES].decode('utf-8', 'ignore').rstrip('. ')}~{mark(name)}"


def character_name(folder: str) -> str:
    """Return the name that folder_name made a folder's name of.

    The name of a folder that it would not have written, such as one with `%20` for a space, is
    itself the name.
    """
    name = unescaped(folder)
    composed = unicodedata.normalize("NFC", folder)
    is_ours = any(unicodedata.normalize("NFC", one) == composed for one in _spellings(name))
    return name if is_ours else folder


def _spellings(name: str) -> Iterator[str]:
    """Yield ways to write a name that are the same in no case: the plainest first."""
    safe = escaped(name, _is_unsafe)
    # Windows drops dots and spaces at the end, and a dot at the beginning hides a folder.
    body = safe.rstrip(". ")
    safe = body + _always(safe[len(body) :])
    if safe[:1] in (".", " "):
        safe = _always(safe[0]) + safe[1:]
    # What looks like a mark is none.
    safe = MARKED.sub(lambda found: _always("~") + found[1], safe)
    yield safe
    yield _always(name[:1]) + safe[1:] if safe[:1] == name[:1] else safe
    yield _always(name)


def path_text(path: Path) -> str:
    """Return a path as a text that every format can hold; `path_of` reads it back.

    It is the path itself, but for one with bytes that are no UTF-8, which Python keeps as lone
    surrogates: that stands as an absolute `file:` address.
    """
    text = str(path)
    return text if is_text(text) else FILE + quote_from_bytes(os.fsencode(absolute(path)))


def path_of(text: str) -> Path:
    """Return the path that path_text made a text of."""
    if text.startswith(FILE):
        return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(FILE))))
    return Path(text)


def printable(text: str) -> str:
    """Return a sentence that may name such a path, with `\\udcff` for bytes that are no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def is_text(text: str) -> bool:
    """Say whether a text can be written in UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def mark_in(folder: str) -> str | None:
    """Return the mark behind a folder's name that does not hold a name in full; None without."""
    found = MARKED.search(folder)
    return found[1] if found else None


def mark(name: str | bytes) -> str:
    """Return a few letters that differ for every name, and are always the same for one."""
    content = name if isinstance(name, bytes) else name.encode("utf-8", "surrogatepass")
    return hashlib.sha256(content).hexdigest()[:MARK_LENGTH]


def _always(text: str) -> str:
    return escaped(text, lambda _: True)


def _is_unsafe(letter: str) -> bool:
    # Format characters turn the direction of writing or are not seen at all.
    category = unicodedata.category(letter)
    return (
        letter in FORBIDDEN
        or category in ("Cc", "Cf", "Cs", "Zl", "Zp")
        or ord(letter) & 0xFFFE == 0xFFFE
    )
