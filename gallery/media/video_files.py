"""Which files are videos: by their suffix, and by how they begin."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from gallery.media.images import SUFFIXES as PICTURE_SUFFIXES

SUFFIXES = frozenset(
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


def is_video(path: Path) -> bool:
    """Say whether a file named outright is to be taken as a video."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES - SHARED:
        return True
    return suffix not in PICTURE_SUFFIXES and begins_as_video(path)


def begins_as_video(path: Path) -> bool:
    """Say whether a file begins as the containers of videos do."""
    try:
        with path.open("rb") as file:
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
            if name.startswith(".") or suffix not in SUFFIXES:
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
