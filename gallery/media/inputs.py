"""What the paths stand for that a user names: pictures, videos, and what is neither.

Videos are known by their suffix and by how they begin. Light to import.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gallery.errors import InputError, NothingFound, UnreadableFile, UnusableFile
from gallery.events import DRAWN, PassedOver, Refused
from gallery.media.folders import files_below
from gallery.system.file_names import is_annotated_name
from gallery.system.files import absolute
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

PICTURES = (
    b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*", b"\xff\x0a", b"\0\0\0\x0cJXL ",
)  # fmt: skip
"""How JPEG, PNG, GIF, TIFF and JPEG XL begin."""

STILL = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1")
"""Brands of picture files that are built as MP4 files are."""


UNDONE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP))
"""Numbers of errors of a path that leads nowhere."""

BOOKS = frozenset((".cb7", ".cbr", ".cbt", ".cbz", ".epub", ".pdf"))
"""Files of pages, which are not read yet."""

COMPANIONS = frozenset(
    (
        ".ass", ".aux", ".bak", ".caption", ".csv", ".db", ".faiss", ".htm", ".html", ".ini",
        ".json", ".jsonl", ".log", ".md", ".nfo", ".npy", ".npz", ".part", ".sha256", ".srt",
        ".tags", ".tmp", ".toml", ".tsv", ".txt", ".url", ".vtt", ".xml", ".xmp", ".yaml", ".yml",
    )
)  # fmt: skip
"""Suffixes of what people and programs keep beside pictures: nobody expects names in it."""


@dataclass(frozen=True, slots=True)
class Media:
    """What paths name, each file once."""

    videos: list[Path] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    """The paths that name neither, and folders that cannot be listed."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """How many files in folders have a format that is not read, by suffix in small letters."""

    def told(self) -> Iterator[Refused | PassedOver]:
        """Yield what a job has to say of files that it does not take."""
        yield from self.refused
        if self.passed_over:
            yield PassedOver(dict(self.passed_over))


def pictures_of(paths: Sequence[Path]) -> Media:
    """Return the pictures that paths name; videos in folders are passed over.

    A folder stands for all below it; a file named outright is taken whatever its suffix. Raises
    InputError with the first reason where no path names a picture.
    """
    return _not_empty(_look(paths, with_videos=False))


def media_of(paths: Sequence[Path]) -> Media:
    """Return the videos and the pictures that paths name, by absolute paths.

    What is written of them means the same from every folder. Raises InputError with the first
    reason where no path names one.
    """
    return _from_the_root(_not_empty(_look(paths, with_videos=True)))


def videos_of(paths: Sequence[Path]) -> list[Path]:
    """Return the videos that paths name, by absolute paths; there may be none."""
    return _from_the_root(_look(paths, with_videos=True)).videos


def pictures_below(folder: Path) -> Iterator[Path | UnusableFile]:
    """Yield the pictures in a folder and all below it, and why a folder cannot be listed.

    Copies with boxes that gallery drew are no pictures.
    """
    from gallery.media.images import suffixes

    pictures = suffixes()
    for one in files_below(folder):
        if isinstance(one, UnusableFile) or (
            one.suffix.lower() in pictures and not is_annotated_name(one.name)
        ):
            yield one


def sort_in(media: Media, folder: Path, *, with_videos: bool = False) -> None:
    """Add what lies in a folder and all below it to what was found."""
    from gallery.media.images import suffixes

    pictures = suffixes()
    for one in files_below(folder):
        if isinstance(one, UnusableFile):
            media.refused.append(Refused.because(one.path, one))
            continue
        suffix = one.suffix.lower()
        if suffix in pictures and is_annotated_name(one.name):
            media.passed_over[DRAWN] += 1
        elif suffix in pictures:
            media.pictures.append(one)
        elif suffix in SHARED and not begins_as_video(one):
            continue
        elif with_videos and suffix in VIDEO_SUFFIXES:
            media.videos.append(one)
        elif suffix not in COMPANIONS and (suffix or begins_as_picture(one)):
            media.passed_over[suffix] += 1


def _look(paths: Sequence[Path], *, with_videos: bool) -> Media:
    found = Media()
    for path in paths:
        if why := _barred(path):
            _refuse(found, UnreadableFile(path, f"cannot be read: {why}"))
        elif path.is_dir():
            _sort_in(found, path, with_videos=with_videos)
        elif with_videos and path.is_file() and is_video(path):
            found.videos.append(path)
        elif path.suffix.lower() in BOOKS:
            _refuse(found, UnusableFile(path, "is a book", remedy="save its pages as pictures"))
        elif path.exists() or path.is_symlink():
            found.pictures.append(path)
        else:
            _refuse(found, NothingFound(path, "does not exist"))
    return replace(
        found,
        videos=list(dict.fromkeys(found.videos)),
        pictures=list(dict.fromkeys(found.pictures)),
    )


def _barred(path: Path) -> str | None:
    """Return why nobody can say whether a path leads to anything, such as a locked folder."""
    try:
        path.stat()
    except OSError as error:
        return None if error.errno in UNDONE else error.strerror
    return None


def _from_the_root(found: Media) -> Media:
    return replace(
        found,
        videos=list(dict.fromkeys(absolute(path) for path in found.videos)),
        pictures=list(dict.fromkeys(absolute(path) for path in found.pictures)),
    )


def _not_empty(found: Media) -> Media:
    if found.refused and not found.pictures and not found.videos:
        first = found.refused[0]
        raise first.error or InputError(first.reason)
    return found


def _sort_in(found: Media, folder: Path, *, with_videos: bool) -> None:
    """Add what lies in a folder that is named outright; one with nothing to look at is refused."""
    from gallery.media.images import suffixes

    before = len(found.pictures) + len(found.videos), len(found.refused)
    sort_in(found, folder, with_videos=with_videos)
    if (len(found.pictures) + len(found.videos), len(found.refused)) == before:
        others = f", only {', '.join(sorted(found.passed_over))}" if found.passed_over else ""
        looked_for = f"files ending in {', '.join(sorted(suffixes()))} are looked for"
        _refuse(found, NothingFound(folder, f"holds no picture{others}", remedy=looked_for))


def _refuse(found: Media, error: UnusableFile) -> None:
    found.refused.append(Refused.because(error.path, error))


def begins_as_picture(path: Path) -> bool:
    """Say whether a file begins as a picture of a common format does."""
    try:
        with open_file(path) as file:
            begin = file.read(16)
    except OSError:
        return False
    if begin[:4] == b"RIFF":
        return begin[8:12] == b"WEBP"
    return begin.startswith(PICTURES) or (begin[4:8] == b"ftyp" and begin[8:12] in STILL)


def is_video(path: Path) -> bool:
    """Say whether a file named outright is to be taken as a video."""
    from gallery.media.images import suffixes

    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES - SHARED:
        return True
    return suffix not in suffixes() and begins_as_video(path)


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
