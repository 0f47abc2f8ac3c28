"""What the paths stand for that a user names: pictures, videos, and what is neither.

Videos are known by their suffix and by how they begin. Light to import.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import UnusableFile
from gallery.system.reading import open_file

VIDEO_SUFFIXES = frozenset(
    (
        ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogm",
        ".ogv", ".ts", ".webm", ".wmv",
    )
)  # fmt: skip
"""What a video file is called. GIF and WebP are pictures, moving ones too: their first frame."""

SHARED = frozenset((".ts",))
"""Suffixes that other files in a folder have, too, such as source code: the content decides."""

PACKETS = ((0, 188), (4, 192))
"""Where the first sync byte of a transport stream stands, and how far apart they are."""

STILL = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1")
"""Brands of picture files that are built as MP4 files are."""


@dataclass(frozen=True, slots=True)
class Media:
    """What paths name, each file once."""

    videos: list[Path]
    pictures: list[Path]
    refused: list[tuple[Path, str]]
    """The paths that name neither, and why."""


def pictures_of(paths: Sequence[Path]) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Return the pictures that paths name, each once, and the paths that name none, with why.

    Raises InputError with the first reason where no path names one.
    """
    pictures, refused = _sorted_out(paths)
    if refused and not pictures:
        raise refused[0][1]
    return pictures, [(path, str(error)) for path, error in refused]


def media_of(paths: Sequence[Path]) -> Media:
    """Return the videos and the pictures that paths name.

    Raises InputError with the first reason where no path names one.
    """
    videos, others = videos_among(paths)
    if not videos:
        return Media([], *pictures_of(paths))
    pictures, refused = _sorted_out(others)
    return Media(videos, pictures, [(path, str(error)) for path, error in refused])


def _sorted_out(paths: Sequence[Path]) -> tuple[list[Path], list[tuple[Path, UnusableFile]]]:
    from gallery.media.images import pictures_in

    pictures: dict[Path, None] = {}
    refused: list[tuple[Path, UnusableFile]] = []
    for path in paths:
        try:
            pictures.update(dict.fromkeys(pictures_in([path])))
        except UnusableFile as error:
            refused.append((path, error))
    return list(pictures), refused


def is_video(path: Path) -> bool:
    """Say whether a file named outright is to be taken as a video."""
    from gallery.media.images import SUFFIXES as PICTURE_SUFFIXES

    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES - SHARED:
        return True
    return suffix not in PICTURE_SUFFIXES and begins_as_video(path)


def begins_as_video(path: Path) -> bool:
    """Say whether a file begins as the containers of videos do."""
    try:
        with open_file(path) as file:
            begin = file.read(1024)
    except OSError:
        return False
    marks = (b"\x1aE\xdf\xa3", b"FLV\x01", b"OggS", b"0&\xb2u\x8ef\xcf\x11")
    if begin.startswith(marks) or begin.startswith((b"\0\0\x01\xba", b"\0\0\x01\xb3")):
        return True
    if begin[4:8] == b"ftyp":
        return begin[8:12] not in STILL
    if begin[:4] == b"RIFF":
        return begin[8:12] == b"AVI "
    return begin[4:8] in (b"moov", b"mdat", b"wide") or any(
        begin[first : first + 4 * step : step] == b"GGGG" for first, step in PACKETS
    )


def videos_below(folder: Path) -> Iterator[Path]:
    """Yield the video files in a folder and all folders below it, in a fixed order.

    Hidden files and folders are passed over, and folders that cannot be listed or that links lead
    to again.
    """
    entered: set[tuple[int, int]] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        status = Path(root).stat()
        if (status.st_dev, status.st_ino) in entered:
            folders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root, name)
            suffix = path.suffix.lower()
            if name.startswith(".") or suffix not in VIDEO_SUFFIXES:
                continue
            if suffix not in SHARED or begins_as_video(path):
                yield path


def videos_among(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return the videos that paths name, each once, and the paths that may name pictures.

    A folder is among the latter unless it holds videos alone.
    """
    videos: dict[Path, None] = {}
    others: list[Path] = []
    for path in paths:
        if path.is_dir():
            below = list(videos_below(path))
            videos.update(dict.fromkeys(below))
            if not below or _holds_pictures(path):
                others.append(path)
        elif path.is_file() and is_video(path):
            videos[path] = None
        else:
            others.append(path)
    return list(videos), others


def _holds_pictures(folder: Path) -> bool:
    from gallery.media.images import pictures_below

    return next(pictures_below(folder), None) is not None
