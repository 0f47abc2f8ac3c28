"""A contact sheet as one HTML page: the faces of every character, unsure ones first by their guess.

Under each face stands the command that says whom it shows, or that it is not that one. Every video
follows, with a row for each track: its time codes, its character, its best face.
"""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from gallery.errors import InputError, plural
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
from gallery.system.escapes import one_line
from gallery.types import (
    CROP_SIDE,
    Answer,
    Crop,
    Pixels,
    Record,
    Verdict,
    VideoEnd,
    VideoRecord,
    VideoTrack,
)

TITLE = "Faces labelled by gallery"

MOST = 1000
"""Faces on a page: it stays below about ten megabytes, and below forty in memory. Where there are
more, those with the most faces show less of them."""

MOST_SIDE = 2**31
"""Pixels; stands for the side of a picture whose record does not say it."""

Group: TypeAlias = tuple[str, str]
"""UNSURE and a name, UNKNOWN and nothing, or nothing and the name of one who is sure."""


class HtmlSheet:
    """Collects the faces of every character, as many as a page holds, and counts them all."""

    name = "html"
    is_document = True
    takes_videos = True

    def __init__(self, output: Output) -> None:
        """Prepare the file. Raises InputError as DocumentFile does."""
        self._file = DocumentFile(output, self.name, SUFFIXES, _is_ours)
        self._pictures: Counter[str] = Counter()
        self._faces: Counter[str] = Counter()
        self._shown: dict[Group, list[Picture]] = {}
        self._found: Counter[Group] = Counter()
        self._total = 0
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
        wanted: list[tuple[Group, Answer]] = []
        for answer in record.faces:
            group = _group_of(answer)
            self._faces[label_of(answer, unsure=False)] += 1
            self._found[group] += 1
            if self._has_room(group) and len(wanted) < MOST:
                wanted.append((group, answer))
        if not wanted:
            return
        try:
            pixels = read_image(record.path).pixels
        except InputError:
            # The picture is gone by now; its faces count all the same.
            return
        for group, answer in wanted:
            if self._has_room(group):
                face = jpeg_of(_crop(pixels, answer))
                self._add(
                    group,
                    Picture(_caption(record, answer), face, _command(record, answer), record.path),
                )

    def close(self) -> None:
        """Write the page."""
        sections = [self._summary()]
        unsure = sorted(one for one in self._shown if one[0] == UNSURE)
        named = sorted(one for one in self._shown if one[0] == "")
        if unsure:
            guesses = tuple(
                PictureRow(tuple(self._shown[one]), f"{one_line(one[1])}? {self._said(one)}")
                for one in unsure
            )
            text = "By whom they may show."
            sections.append(Section(UNSURE, text, (Pictures(guesses),)))
        for group in ((UNKNOWN, ""), *named):
            if group in self._shown:
                row = PictureRow(tuple(self._shown[group]))
                title = one_line(group[1] or group[0])
                sections.append(Section(title, self._said(group), (Pictures((row,)),)))
        for name, rows in self._videos.items():
            text = self._ends.get(name, "It is not labelled to its end.")
            sections.append(Section(one_line(name), text, (Pictures(tuple(rows)),)))
        self._stills.close()
        page = as_html(Report(TITLE, tuple(sections)))
        self._file.save(page.encode("utf-8", "backslashreplace"))

    def _add_part(self, record: VideoRecord) -> None:
        name, part = str(record.path), record.part
        rows = self._videos.setdefault(name, [])
        if isinstance(part, VideoEnd):
            said = f"Shots: {part.shots}. Faces followed: {part.tracks}."
            self._ends[name] = f"{said} {one_line(record.error)}" if record.error else said
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
        face = jpeg_of(_crop(still.pixels, shown))
        return (Picture(_caption(record, answer), face, _command(record, answer), record.path),)

    def _has_room(self, group: Group) -> bool:
        """Say whether a face more has a place: always where a group has less than its share."""
        share = MOST // (len(self._shown) + (group not in self._shown))
        return self._total < MOST or len(self._shown.get(group, ())) < share

    def _add(self, group: Group, picture: Picture) -> None:
        """Show a face more; on a full page the largest group shows one less for it."""
        if self._total == MOST:
            largest = max(self._shown, key=lambda one: len(self._shown[one]))
            self._shown[largest].pop()
            self._total -= 1
        self._shown.setdefault(group, []).append(picture)
        self._total += 1

    def _said(self, group: Group) -> str:
        shown, found = len(self._shown[group]), self._found[group]
        if shown == found:
            return f"{plural(found, 'face')}."
        return f"{shown} of {plural(found, 'face')}."

    def _summary(self) -> Section:
        rows = tuple((one_line(label), str(count)) for label, count in sorted(self._faces.items()))
        table = Table(("who", "faces"), rows, right=("faces",))
        text = (
            f"{plural(self._pictures['read'], 'picture')}; {self._pictures['failed']} could not be "
            "read. A click on a face opens its picture. Under each face stands a command: it says "
            "whom an unsure or unknown face shows, or that a sure name is wrong. With --use, "
            "`gallery name` enrolls the face, too."
        )
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
    return f"{one_line(name)}{distance}\n{where}"


def _group_of(answer: Answer) -> Group:
    if answer.character is None or answer.verdict is Verdict.UNKNOWN:
        return UNKNOWN, ""
    return ("" if answer.verdict is Verdict.SURE else UNSURE), answer.character


def _command(record: Record, answer: Answer) -> str:
    """Return what says whom a face shows, or of a sure one that it does not; by its place.

    Its number would not do, since faces that a person set aside are counted but not written.
    """
    doubt, name = _group_of(answer)
    words = ["name" if doubt else "reject", str(record.path), name or "NAME"]
    if isinstance(record, VideoRecord) and isinstance(record.part, VideoTrack):
        words += ["--at", timecode(record.part.best)]
    box = answer.face.box.within(record.width or MOST_SIDE, record.height or MOST_SIDE)
    return shlex.join(["gallery", *words, "--box", ",".join(map(str, box))])


def _row_text(part: VideoTrack, answer: Answer) -> str:
    who = one_line(label_of(answer, unsure=True))
    doubt = f" ({UNSURE})" if label_of(answer, unsure=False) == UNSURE else ""
    span = f"{timecode(part.start)} to {timecode(part.end)}"
    return f"{span}, shot {part.shot}: {who}{doubt}"


def _is_ours(content: bytes) -> bool:
    return f"<h1>{TITLE}</h1>".encode() in content
