"""What the paths stand for that a user names: pictures, videos, and what is neither.

Light to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import InputError


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
        raise InputError(refused[0][1])
    return pictures, refused


def media_of(paths: Sequence[Path]) -> Media:
    """Return the videos and the pictures that paths name.

    Raises InputError with the first reason where no path names one.
    """
    from gallery.media.video_files import videos_among

    videos, others = videos_among(paths)
    if not videos:
        return Media([], *pictures_of(paths))
    return Media(videos, *_sorted_out(others))


def _sorted_out(paths: Sequence[Path]) -> tuple[list[Path], list[tuple[Path, str]]]:
    from gallery.media.images import pictures_in

    pictures: dict[Path, None] = {}
    refused: list[tuple[Path, str]] = []
    for path in paths:
        try:
            pictures.update(dict.fromkeys(pictures_in([path])))
        except InputError as error:
            refused.append((path, str(error)))
    return list(pictures), refused
