"""Captions as kohya's trainers and image boards have them: `picture.txt`, tags between commas."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from gallery.metadata.captions import CAPTION_SUFFIXES
from gallery.metadata.tags import COMMA, spelling, split, tag_of
from gallery.output import sidecars
from gallery.output.format import (
    MAX_NAME_BYTES,
    CaptionPlace,
    Output,
    OutputOptions,
    TagStyle,
    names_in,
)
from gallery.system.files import is_there
from gallery.types import Record

LONG = 4
"""A line of more words than this is a sentence, and no tag."""


class Captions:
    """Adds the characters' names to a picture's caption."""

    name = "captions"
    is_document = False
    takes_videos = False

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, record: Record) -> None:
        """Add the names that a caption lacks; hand-made tags stay as they are."""
        options = self._output.options
        names = names_in(record, unsure=options.unsure)
        tags = sidecars.unique(caption_tag(name, options) for name in names)
        if not tags:
            return
        sidecars.require_own_stem(record.path, "caption")
        change = partial(with_tags, tags=tags, place=options.caption_place)
        for path in self._paths(record.path):
            sidecars.update_text(self._output, path, change)

    def close(self) -> None:
        """Nothing is open."""

    def _paths(self, picture: Path) -> list[Path]:
        """Return the captions that a picture has where they go; one to be made if it has none."""
        names = [picture.stem + suffix for suffix in CAPTION_SUFFIXES]
        names = [one for one in names if len(os.fsencode(one)) <= MAX_NAME_BYTES] or names[:1]
        places = [self._output.beside(picture, name) for name in names]
        there = [place for place in places if os.path.lexists(place)]
        if there:
            return there
        # In another folder, captions end as those beside the pictures do.
        alike = zip(names, places, strict=True)
        return [next((to for name, to in alike if is_there(picture.with_name(name))), places[0])]


def caption_tag(name: str, options: OutputOptions) -> str:
    """Return a character's name as a tag of a caption."""
    text, series = name.strip(), options.series.strip()
    if series or options.tags is TagStyle.BOORU:
        series = options.series_of.get(name, series)
    if series and not re.search(r"\(.*\)$", text):
        text = f"{text} ({series})"
    if options.tags is TagStyle.BOORU:
        text = text.lower().replace(" ", "_")
    tag = tag_of(text, COMMA)
    return f"{options.prefix}{tag}" if tag else ""


def with_tags(text: str, tags: Sequence[str], place: CaptionPlace) -> str:
    """Return a caption with tags where trainers read them; all that is in it stays.

    kohya's trainer reads the first line alone, or takes one of the lines for each step where every
    line is a caption of its own. Lines end as in Python's files: other separators that Unicode has
    may stand within one. A tag is not added to a line that has it in any spelling.
    """
    lines = list(io.StringIO(text, newline="")) or [""]
    full = [line for line in lines if line.strip()]
    is_each = len(full) > 1 and all(_is_caption(line) for line in full)
    wanted = range(len(lines)) if is_each else range(1)
    for row in wanted:
        if row == 0 or lines[row].strip():
            lines[row] = _line_with(lines[row], tags, place)
    return "".join(lines)


def _line_with(line: str, tags: Sequence[str], place: CaptionPlace) -> str:
    mark = "\ufeff" if line.startswith("\ufeff") else ""
    body = line.removeprefix(mark).rstrip("\r\n")
    end = line[len(mark) + len(body) :]
    known = {spelling(tag) for tag in split(body)}
    new = [tag for tag in tags if spelling(tag) not in known]
    if not new:
        return line
    old = [kept] if (kept := body.strip(" \t,")) else []
    parts = [*new, *old] if place is CaptionPlace.FRONT else [*old, *new]
    return mark + ", ".join(parts) + end


def _is_caption(line: str) -> bool:
    """Say whether a line of several is a caption of its own, and not one tag of a list."""
    return COMMA in line or len(line.split()) > LONG
