"""A contact sheet as one HTML page: the faces of every character, unsure ones first.

Every video follows, with a row for each track: its time codes, its character, its best face.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import replace

import numpy as np

from gallery.errors import InputError
from gallery.media.images import read_image
from gallery.media.stills import box_in
from gallery.media.timecodes import timecode
from gallery.output.document import UNKNOWN, UNSURE, DocumentFile, label_of
from gallery.output.format import Output
from gallery.reports.page import (
    SUFFIXES,
    Picture,
    PictureRow,
    Pictures,
    Report,
    Section,
    Table,
    as_html,
    jpeg_of,
)
from gallery.types import CROP_SIDE, Answer, Crop, Pixels, Record, VideoEnd, VideoRecord, VideoTrack

TITLE = "Faces labelled by gallery"

MOST_OF_ONE = 12
"""Faces shown of one character."""

MOST_TO_REVIEW = 120
"""Faces shown of those that are unsure, and of those that are unknown."""

MOST = 1000
"""Faces on a page: it stays below about ten megabytes, and below forty in memory."""


class HtmlSheet:
    """Collects the first faces of every character, and counts them all."""

    name = "html"
    is_document = True
    takes_videos = True

    def __init__(self, output: Output) -> None:
        """Prepare the file. Raises InputError as DocumentFile does."""
        self._file = DocumentFile(output, self.name, SUFFIXES, _is_ours)
        self._pictures: Counter[str] = Counter()
        self._faces: Counter[str] = Counter()
        self._shown: dict[str, list[Picture]] = {}
        self._stills = output.stills
        self._videos: dict[str, list[PictureRow]] = {}
        self._ends: dict[str, str] = {}
        self._stills_shown = 0

    def write(self, record: Record) -> None:
        """Count a picture's faces, and keep those that there is room for."""
        if isinstance(record, VideoRecord):
            self._add_part(record)
            return
        self._pictures["failed" if record.error is not None else "read"] += 1
        wanted: list[tuple[str, Answer]] = []
        for answer in record.faces:
            label = label_of(answer, unsure=False)
            self._faces[label] += 1
            if self._has_room(label) and len(wanted) < MOST:
                wanted.append((label, answer))
        if not wanted:
            return
        try:
            pixels = read_image(record.path).pixels
        except InputError:
            # The picture is gone by now; its faces count all the same.
            return
        for label, answer in wanted:
            if self._has_room(label):
                face = jpeg_of(_crop(pixels, answer))
                self._shown.setdefault(label, []).append(Picture(_caption(record, answer), face))

    def close(self) -> None:
        """Write the page."""
        sections = [self._summary()]
        named = sorted(label for label in self._shown if label not in (UNSURE, UNKNOWN))
        for label in (UNSURE, UNKNOWN, *named):
            shown = self._shown.get(label)
            if shown:
                text = f"{len(shown)} of {self._faces[label]} faces."
                row = PictureRow(tuple(shown))
                sections.append(Section(_one_line(label), text, (Pictures((row,)),)))
        for name, rows in self._videos.items():
            text = self._ends.get(name, "It is not labelled to its end.")
            sections.append(Section(_one_line(name), text, (Pictures(tuple(rows)),)))
        self._stills.close()
        page = as_html(Report(TITLE, tuple(sections)))
        self._file.save(page.encode("utf-8", "backslashreplace"))

    def _add_part(self, record: VideoRecord) -> None:
        name, part = str(record.path), record.part
        rows = self._videos.setdefault(name, [])
        if isinstance(part, VideoEnd):
            said = f"Shots: {part.shots}. Faces followed: {part.tracks}."
            self._ends[name] = f"{said} {_one_line(record.error)}" if record.error else said
        if not isinstance(part, VideoTrack):
            return
        (answer,) = record.faces
        self._faces[label_of(answer, unsure=False)] += 1
        rows.append(PictureRow(self._best_of(record), _row_text(part, answer)))

    def _best_of(self, record: VideoRecord) -> tuple[Picture, ...]:
        """Return a track's best face; none where the page is full or the video is gone."""
        if self._stills_shown >= MOST:
            return ()
        try:
            still = self._stills.of(record)
        except InputError:
            return ()
        self._stills_shown += 1
        (answer,) = record.faces
        shown = replace(answer, face=replace(answer.face, box=box_in(still, record)))
        return (Picture(_caption(record, answer), jpeg_of(_crop(still.pixels, shown))),)

    def _has_room(self, label: str) -> bool:
        most = MOST_TO_REVIEW if label in (UNSURE, UNKNOWN) else MOST_OF_ONE
        total = sum(len(shown) for shown in self._shown.values())
        return total < MOST and len(self._shown.get(label, ())) < most

    def _summary(self) -> Section:
        rows = tuple((_one_line(label), str(count)) for label, count in sorted(self._faces.items()))
        table = Table(("who", "faces"), rows, right=("faces",))
        text = f"{self._pictures['read']} pictures; {self._pictures['failed']} could not be read."
        return Section("Summary", text, (table,))


def _crop(pixels: Pixels, answer: Answer) -> Crop:
    """Return a head as it stands in its picture, its longer side filling the square."""
    from PIL import Image as pillow

    height, width = pixels.shape[:2]
    left, top, right, bottom = answer.face.box.within(width, height)
    ground = pillow.new("RGB", (CROP_SIDE, CROP_SIDE), (128, 128, 128))
    if right > left and bottom > top:
        head = pillow.fromarray(pixels[top:bottom, left:right])
        scale = CROP_SIDE / max(head.size)
        size = (max(round(head.width * scale), 1), max(round(head.height * scale), 1))
        head = head.resize(size)
        ground.paste(head, ((CROP_SIDE - size[0]) // 2, (CROP_SIDE - size[1]) // 2))
    return np.asarray(ground)


def _caption(record: Record, answer: Answer) -> str:
    name = answer.character or UNKNOWN
    distance = "" if answer.distance is None else f" {answer.distance:.2f}"
    where = record.path.name
    if isinstance(record, VideoRecord) and isinstance(record.part, VideoTrack):
        where = timecode(record.part.best)
    return f"{_one_line(name)}{distance}\n{where}"


def _row_text(part: VideoTrack, answer: Answer) -> str:
    who = _one_line(label_of(answer, unsure=True))
    doubt = f" ({UNSURE})" if label_of(answer, unsure=False) == UNSURE else ""
    span = f"{timecode(part.start)} to {timecode(part.end)}"
    return f"{span}, shot {part.shot}: {who}{doubt}"


def _is_ours(content: bytes) -> bool:
    return f"<h1>{TITLE}</h1>".encode() in content


def _one_line(text: str) -> str:
    """Return a text on one line, as a page shows it."""
    kept = (" " if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") else one for one in text)
    return " ".join("".join(kept).split())
