"""Reads the hand-corrected truth that detectors are measured against.

`data/detection/validation.json` holds numbers and digests; the pictures themselves lie in the
folder of shared data, which is no part of the project.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.timing import ROOT, SHARED
from gallery.errors import InputError, SetupError
from gallery.media.images import decode
from gallery.types import Box, Image, Point

FILE = ROOT / "data" / "detection" / "validation.json"

ARCHIVE = Path("pictures", "pictures.zip")
"""Where the pictures lie below the folder of shared data, but for those of LOOSE."""

LOOSE = "original/"
"""Files whose names begin so lie in the folder itself."""


@dataclass(frozen=True, slots=True)
class Head:
    """A head as a person sees it, in pixels of the stored picture."""

    box: Box
    """The whole head, hair and chin inside; it may reach beyond the picture."""
    left_eye: Point | None
    """The beholder's left once the face is turned upright; None where it cannot be seen."""
    right_eye: Point | None
    tags: frozenset[str]
    ignore: bool
    """True where a detector is neither to be rewarded nor punished."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the validation set, and everybody in it."""

    file: str
    kind: str
    series: str
    width: int
    height: int
    digest: str
    """SHA-256 of the file's bytes, in hexadecimal."""
    heads: tuple[Head, ...]


Scene: TypeAlias = tuple[str, Image, list[Head]]
"""The name of a picture, its pixels, and the heads in it."""


def read(file: Path = FILE) -> list[Picture]:
    """Return the pictures of a truth file. Raises InputError for a file that is not one."""
    try:
        return [_picture(one) for one in _load(file)["pictures"]]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file} is not a truth file for detection: {error}.") from error


def near_duplicates(file: Path = FILE) -> list[str]:
    """Return the files of the archive that show nearly what a picture of the truth shows.

    They are to be left out of training, as the pictures of the truth are. Raises InputError for a
    file that is no truth file.
    """
    try:
        return [str(name) for name in _load(file)["near_duplicates"]]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file} is not a truth file for detection: {error}.") from error


def are_here(shared: Path = SHARED) -> bool:
    """Say whether a folder of shared data holds the pictures."""
    return (shared / ARCHIVE).is_file() and (shared / LOOSE).is_dir()


def scenes(pictures: Sequence[Picture], shared: Path = SHARED) -> Iterator[Scene]:
    """Yield name, decoded picture and heads of every picture.

    Raises SetupError where the folder lacks a picture, or holds another one under its name.
    """
    for picture, content in _contents(pictures, shared):
        image = decode(content, shared / picture.file)
        if image.digest != picture.digest:
            raise SetupError(
                f"{picture.file} in {shared} is not the picture that was labelled; "
                "fetch the shared data again."
            )
        yield picture.file, image, list(picture.heads)


def _contents(pictures: Sequence[Picture], shared: Path) -> Iterator[tuple[Picture, bytes]]:
    """Yield every picture with the bytes of its file."""
    try:
        with zipfile.ZipFile(shared / ARCHIVE) as archive:
            for picture in pictures:
                if picture.file.startswith(LOOSE):
                    # The name alone, so that no truth file leads out of the folder.
                    yield picture, (shared / LOOSE / Path(picture.file).name).read_bytes()
                else:
                    yield picture, archive.read(picture.file)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise SetupError(
            f"The labelled pictures cannot be read from {shared}: {error}; "
            "fetch the shared data again."
        ) from error


def _load(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error
    if not isinstance(content, dict):
        raise TypeError("it holds no object")
    return content


def _picture(one: dict[str, Any]) -> Picture:
    return Picture(
        file=str(one["file"]),
        kind=str(one["kind"]),
        series=str(one["series"]),
        width=int(one["width"]),
        height=int(one["height"]),
        digest=str(one["sha256"]),
        heads=tuple(_head(head) for head in one["heads"]),
    )


def _head(one: dict[str, Any]) -> Head:
    left, top, right, bottom = (float(value) for value in one["box"])
    return Head(
        box=Box(left, top, right, bottom),
        left_eye=_point(one["left_eye"]),
        right_eye=_point(one["right_eye"]),
        tags=frozenset(one["tags"]),
        ignore=bool(one["ignore"]),
    )


def _point(values: Sequence[float] | None) -> Point | None:
    if values is None:
        return None
    x, y = values
    return Point(float(x), float(y))
