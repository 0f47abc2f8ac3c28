"""A harvest as a contact sheet: the faces of every folder, to be looked at."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import plural
from gallery.media.images import decode_png
from gallery.media.timecodes import timecode
from gallery.reports.page import Picture, PictureRow, Pictures, Report, Section, jpeg_of

PAGE = "faces.html"
"""What the contact sheet is called, in the folder of the harvest."""

MOST = 1000
"""Faces on the page; the folders hold the others."""

INTRODUCTION = (
    "Faces of nobody in the gallery, a folder for each likely character, best first. Rename a "
    "folder to the character's name, take faces out that are somebody else, and enroll the folder. "
    "A folder that is still called unknown is not enrolled. A click on a face opens the picture."
)


@dataclass(frozen=True, slots=True)
class HarvestedCrop:
    """A crop in its folder."""

    file: Path
    source: Path
    """The picture or video that it is of."""
    time: float | None
    """Seconds of the video; None for a picture."""


def contact_sheet(
    folders: Sequence[tuple[str, Sequence[HarvestedCrop]]], nearest: Sequence[str | None]
) -> Report:
    """Return a page of harvested folders, by their names; nearest says whom each resembles most."""
    left = MOST
    rows = []
    for (name, crops), near in zip(folders, nearest, strict=True):
        shown = crops[:left]
        left -= len(shown)
        more = f", {len(shown)} of them here" if len(shown) < len(crops) else ""
        resembles = f"; nearest in the gallery is {near}" if near else ""
        rows.append(
            PictureRow(
                tuple(_picture(one) for one in shown),
                f"{name}: {plural(len(crops), 'face')}{more}{resembles}",
                shlex.join(["mv", name, "NAME"]),
            )
        )
    section = Section(plural(len(rows), "folder"), INTRODUCTION, (Pictures(tuple(rows)),))
    return Report("Harvested faces", (section,))


def _picture(one: HarvestedCrop) -> Picture:
    when = "" if one.time is None else f"\n{timecode(one.time)}"
    crop = jpeg_of(decode_png(one.file.read_bytes()))
    return Picture(f"{one.file.name}\n{one.source.name}{when}", crop, file=one.source)
