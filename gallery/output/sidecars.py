"""Files beside pictures that others write, too: how they are read and changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

from gallery.media.images import suffixes
from gallery.metadata.tags import spelling
from gallery.output.format import NotWrittenError, Output
from gallery.system.files import replace_file
from gallery.system.locks import folder_lock
from gallery.system.reading import read_file

Change: TypeAlias = Callable[[bytes | None], bytes | None]
"""Makes new content of a file's; both are None for no file."""

MAX_BYTES = 1024 * 1024
"""No caption is longer; a longer file is something else."""

TRIES = 10
"""So often another program may come in between."""


def update(output: Output, path: Path, change: Change, most: int = MAX_BYTES) -> None:
    """Give a small file the content that change makes of what is in it, None for no file.

    Of two jobs at once, one waits for the other. If another program writes meanwhile, the change
    applies to its new content. Without a change nothing is written. Raises NotWrittenError for a
    file of more bytes than most and for what is no file, and as Output.not_written says.
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
        raise output.not_written(path, error) from error
    raise NotWrittenError(f"{path} is being written by another program; run it again later.")


def update_text(output: Output, path: Path, change: Callable[[str], str]) -> None:
    """Give a text file the text that change makes of its own, empty for no file, as update does.

    Raises NotWrittenError for a file that is no text in UTF-8, too.
    """

    def changed(before: bytes | None) -> bytes | None:
        text = _text(path, before or b"")
        after = change(text)
        return None if after == text else after.encode("utf-8")

    update(output, path, changed)


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


def require_own_stem(picture: Path, what: str) -> None:
    """Raise NotWrittenError where a file named by the stem would be another picture's, too."""
    for suffix in sorted(suffixes()):
        for ending in (suffix, suffix.upper(), f".{suffix[1:].capitalize()}"):
            other = picture.with_suffix(ending)
            if ending != picture.suffix and _is_other(other, picture):
                raise NotWrittenError(
                    f"{picture} would share its {what} with {other.name}; rename one of the two."
                )


def _is_other(path: Path, picture: Path) -> bool:
    # On some file systems case makes no difference, and both names are of one file.
    try:
        return path.exists() and not path.samefile(picture)
    except OSError:
        return False


def _content(path: Path, most: int) -> bytes | None:
    if not os.path.lexists(path):
        return None
    if path.exists() and not path.is_file():
        raise NotWrittenError(f"{path} is no file; take it away.")
    if path.stat().st_size > most:
        raise NotWrittenError(f"{path} is too long for what belongs there; move it away.")
    return read_file(path)


def unique(tags: Iterable[str]) -> list[str]:
    """Return tags without empty ones and other spellings of those before, in their order."""
    found: dict[str, str] = {}
    for tag in tags:
        if tag:
            found.setdefault(spelling(tag), tag)
    return list(found.values())
