"""Text files beside pictures: a picture's tags, to which names are added."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from gallery.media.images import SUFFIXES
from gallery.metadata.tags import spelling, split
from gallery.output.format import NotWrittenError, cannot_be_written
from gallery.system.files import replace_file
from gallery.system.locks import folder_lock

MAX_BYTES = 1024 * 1024
"""No caption is longer; a longer file is something else."""

TRIES = 10
"""So often another program may come in between."""


def add_tags(path: Path, tags: Sequence[str], separator: str) -> None:
    """Add tags to the end of a file of tags; make the file if it is missing.

    The content of the file stays. A tag is not added if the file has it in any spelling. Raises
    NotWrittenError for a file that is no text, and InputError where it cannot be written.
    """
    if tags:
        update(path, lambda before: _with_tags(path, before or b"", tags, separator))


def update(
    path: Path, change: Callable[[bytes | None], bytes | None], most: int = MAX_BYTES
) -> None:
    """Give a small file the content that change makes of what is in it, None for no file.

    Of two jobs at once, one waits for the other. If another program writes meanwhile, the change
    applies to its new content. Without a change nothing is written. Raises NotWrittenError for a
    file of more bytes than most, and InputError where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with folder_lock(path.parent):
            before = _content(path, most)
            for _ in range(TRIES):
                after = change(before)
                if after is None or after == before:
                    return
                now = _content(path, most)
                if now == before:
                    replace_file(path, after)
                    return
                before = now
    except OSError as error:
        raise cannot_be_written(path, error) from error
    raise NotWrittenError(f"{path} is being written by another program; run it again later.")


def _with_tags(path: Path, content: bytes, tags: Sequence[str], separator: str) -> bytes | None:
    text = _text(path, content)
    separators = "\n" if separator == "\n" else ",\n"
    known = {spelling(tag) for tag in split(text, separators)}
    new = [tag for tag in tags if spelling(tag) not in known]
    if not new:
        return None
    body = text.rstrip(f" \t\r{separators}")
    # A file that ends with a line break keeps it.
    end = "\r\n" if text.endswith("\r\n") else "\n" if text.endswith("\n") else ""
    end = end or separator.strip(", ")
    joined = separator.join([*([body] if body else []), *new])
    return (joined + end).encode("utf-8")


def one_line(name: str, without: str = "") -> str:
    """Return a name on one line, without letters that would end it."""
    for letter in without:
        name = name.replace(letter, " ")
    # Lone surrogates cannot be written, and control characters break lines.
    kept = (" " if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") else one for one in name)
    return " ".join("".join(kept).split())


def require_own_stem(picture: Path, what: str) -> None:
    """Raise NotWrittenError where a file named by the stem would be another picture's, too."""
    for suffix in sorted(SUFFIXES):
        other = picture.with_suffix(suffix)
        if suffix != picture.suffix.lower() and os.path.exists(other):  # noqa: PTH110 - never fails
            raise NotWrittenError(
                f"{picture} would share its {what} with {other.name}; rename one of the two."
            )


def _content(path: Path, most: int) -> bytes | None:
    if not path.exists():
        return None
    if path.stat().st_size > most:
        raise NotWrittenError(f"{path} is too long for what belongs there; move it away.")
    return path.read_bytes()


def _text(path: Path, content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotWrittenError(
            f"{path} is not in UTF-8, so that no name can be added; save it as UTF-8."
        ) from error
    if "\0" in text:
        raise NotWrittenError(f"{path} is no text, so that no name can be added; move it away.")
    return text


def unique(tags: Iterable[str]) -> list[str]:
    """Return tags without empty ones and other spellings of those before, in their order."""
    found: dict[str, str] = {}
    for tag in tags:
        if tag:
            found.setdefault(spelling(tag), tag)
    return list(found.values())
