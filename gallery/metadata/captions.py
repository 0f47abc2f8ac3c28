"""Characters' names among the tags of captions."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import (
    BadSetting,
    InputError,
    NothingFound,
    UnreadableFile,
    UnreadableMetadata,
    UnusableFile,
)
from gallery.events import Refused
from gallery.metadata.tags import name_of, spelling, split
from gallery.system.reading import FileTooLargeError, read_if_there
from gallery.types import Candidate

MAX_BYTES = 1024 * 1024

CAPTION_SUFFIXES = (".txt", ".caption")
"""What takes the place of a picture's own suffix in the names of its captions."""

NAMESPACED = re.compile(r"\w+:\S")
"""How tags with a namespace begin."""


@dataclass(frozen=True, slots=True)
class TagRule:
    """How a tag becomes a name."""

    names: Collection[str]
    """Names that a tag may stand for, in any case, with spaces or underscores, and with or without
    a series in brackets behind it."""
    prefix: str = ""
    """What every tag that is a name begins with; then any name is one."""


@dataclass(frozen=True, slots=True)
class Captioned:
    """What captions say of many pictures."""

    candidates: list[Candidate]
    without: int
    """How many pictures have no caption, or one that names nobody."""
    refused: list[Refused]
    """Pictures whose caption cannot be used."""


def candidates_in(pictures: Sequence[Path], rule: TagRule) -> Captioned:
    """Return the pictures whose captions name one character.

    A caption that names several does not say which face is whose. Raises InputError where the rule
    can find nobody.
    """
    if not rule.names and not rule.prefix:
        raise BadSetting(
            "names",
            "No tag can be told for a name",
            "list the names, or give the prefix of tags that say it themselves, as in character:",
        )
    known = {spelling(name): name for name in rule.names}
    captioned = Captioned([], 0, [])
    without = 0
    for picture in pictures:
        try:
            names = names_in(tags_of(picture), known, rule.prefix)
        except InputError as error:
            captioned.refused.append(Refused.because(picture, error))
            continue
        if len(names) > 1:
            several = UnusableFile(
                picture,
                f"has a caption with {len(names)} names, {' and '.join(names)}, and no word of "
                "whose face is whose",
                remedy="cut out the faces",
            )
            captioned.refused.append(Refused.because(picture, several))
        elif names:
            captioned.candidates.append(
                Candidate(picture.parent.resolve() / picture.name, names[0])
            )
        else:
            without += 1
    return Captioned(captioned.candidates, without, captioned.refused)


def tags_of(picture: Path) -> list[str]:
    """Return the tags beside a picture: in `picture.txt`, `picture.caption` and `picture.png.txt`.

    In the first two commas part tags, and lines; the last has a tag on each line, as Hydrus wants.
    Raises InputError for a file that is no text in UTF-8, and for what is no file.
    """
    tags = []
    for path in (*(picture.with_suffix(one) for one in CAPTION_SUFFIXES), _lines_beside(picture)):
        try:
            text = _text(path)
        except OSError as error:
            raise UnreadableMetadata(path, f"cannot be read: {error.strerror}") from error
        if text is not None:
            is_listed = path.name == f"{picture.name}.txt"
            tags += _listed(text) if is_listed else split(text)
    return tags


def _lines_beside(picture: Path) -> Path:
    return picture.with_name(f"{picture.name}.txt")


def _listed(text: str) -> list[str]:
    """Return the tags of a list with a tag on each line; a name may hold a comma.

    Some programs write all tags on one line between commas. It is one tag only where it has a
    namespace, one comma, and no second namespace.
    """
    lines = split(text, "\n")
    if len(lines) > 1 or not lines:
        return lines
    parts = split(lines[0])
    is_one = len(parts) == 2 and [bool(NAMESPACED.match(one)) for one in parts] == [True, False]
    return lines if is_one else parts


def names_in(tags: Sequence[str], known: dict[str, str], prefix: str) -> list[str]:
    """Return the names among tags, each once: known ones by spelling, any behind the prefix."""
    found: dict[str, str] = {}
    for tag in tags:
        has_prefix = bool(prefix) and tag.casefold().startswith(prefix.casefold())
        text = name_of(tag[len(prefix) :].strip() if has_prefix else tag)
        name = _known(text, known)
        if name is None and has_prefix:
            name = text
        if name and (has_prefix or not prefix):
            found.setdefault(spelling(name), name)
    return list(found.values())


def names_listed(path: Path) -> list[str]:
    """Return the names in a file, one a line. Raises InputError for one that lists none."""
    try:
        text = _text(path)
    except OSError as error:
        raise UnreadableFile(path, f"cannot be read: {error.strerror}") from error
    if text is None:
        raise UnreadableFile(path, "cannot be read: there is no such file")
    names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise NothingFound(path, "lists no name", remedy="write one on each line")
    return names


def _known(tag: str, known: dict[str, str]) -> str | None:
    plain = spelling(tag)
    without_series = re.sub(r" \([^()]*\)$", "", plain)
    return known.get(plain) or known.get(without_series)


def _text(path: Path) -> str | None:
    """Return a text, None where there is no file."""
    try:
        content = read_if_there(path, MAX_BYTES)
    except FileTooLargeError as error:
        raise UnreadableMetadata(
            path, "is too long for a caption", remedy="take it away"
        ) from error
    try:
        return None if content is None else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableMetadata(path, "is no text in UTF-8", remedy="save it as UTF-8") from error
