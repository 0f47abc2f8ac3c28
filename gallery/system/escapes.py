"""One way to write letters where a format has no room for them, and to read them back.

A letter stands as `%` and two digits for each of its bytes, as in web addresses: `C.C%2E`. What
looks like such an escape is escaped itself, so that every text comes back as it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

ESCAPE = re.compile(r"(?:%[0-9A-F]{2})+")

ALIKE = re.compile(r"%(?=[0-9A-Fa-f]{2})")
"""What looks like an escape, also where case makes no difference."""


FORMULA = re.compile("'*[=+@-]")
"""How a text begins that spreadsheets compute, behind the quotes that keep them from it."""


def escaped(text: str, is_unsafe: Callable[[str], bool]) -> str:
    """Return a text without the letters that are unsafe; `unescaped` brings them back.

    Bytes that are no UTF-8, which Python keeps as lone surrogates, are always escaped.
    """
    ambiguous = {one.start() for one in ALIKE.finditer(text)}
    return "".join(
        _escape(letter) if place in ambiguous or _is_lone(letter) or is_unsafe(letter) else letter
        for place, letter in enumerate(text)
    )


def unescaped(text: str) -> str:
    """Return what `escaped` was given."""
    return ESCAPE.sub(lambda found: _bytes_of(found[0]).decode("utf-8", "surrogateescape"), text)


def quoted(text: str | None) -> str | None:
    """Return a text that no spreadsheet takes for a formula; `unquoted` reads it back."""
    return f"'{text}" if text is not None and FORMULA.match(text) else text


def unquoted(text: str) -> str:
    """Return what `quoted` was given."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def _escape(letter: str) -> str:
    errors = "surrogateescape" if _is_lone(letter) else "surrogatepass"
    return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", errors))


def _bytes_of(escapes: str) -> bytes:
    return bytes.fromhex(escapes.replace("%", ""))


def _is_lone(letter: str) -> bool:
    return "\udc80" <= letter <= "\udcff"


def one_line(text: str) -> str:
    """Return a text on one line, as a page or a subtitle shows it."""
    kept = (" " if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") else one for one in text)
    return " ".join("".join(kept).split())
